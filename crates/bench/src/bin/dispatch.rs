//! What the dispatcher costs beside decoding and encoding; see the README beside this
//! crate's manifest.
//!
//! Everything of a round happens in one thread, and its time is the time for which that
//! thread has a core: what the work costs. On several threads the waking of a thread would
//! be all that is seen; the last rows are of those, by the clock on the wall.

#![allow(clippy::cast_precision_loss, reason = "counts and times are far below 2^53")]

use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use codex_rpc::requests::{ModelList, ThreadArchive};
use codex_rpc::types::{ClientInfo, InitializeParams, ModelListParams, ThreadArchiveParams, ThreadArchiveResponse};
use codex_rpc::{ClientMessage, ClientRequest, Message, Request, ServerMessage, notifications::ItemAgentMessageDelta};
use codex_rpc_bench::clock::Stopwatch;
use codex_rpc_bench::options::Options;
use codex_rpc_dispatch::tokio::{Buffer, Builder, Client, Delivery, Router, Subscription};
use codex_rpc_dispatch::{ClientConnection, Event, Handshake, Limits, Progress};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex};
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};
use tokio::task::JoinSet;

/// Messages a round.
const MESSAGES: usize = 2_000;
/// Calls in flight at a time, beside those that are never answered.
const CALLERS: usize = 32;
const PENDING: [usize; 3] = [1, 100, 10_000];
const INITIALIZED: &str =
    r#"{"id":0,"result":{"userAgent":"bench/0.169.0","codexHome":"/h","platformFamily":"unix","platformOs":"linux"}}"#;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let options = Options::parse()?;
    let rounds = if options.quick { 5 } else { 25 };
    let mut rows = Rows { rounds, rows: Vec::new() };

    let delta = delta("t");
    let decode_delta = rows.fastest(|| {
        time_of(|| {
            for _ in 0..MESSAGES {
                black_box(ServerMessage::from_slice(black_box(delta.as_bytes()))).ok();
            }
        })
    });
    let answer_line = answer(123_456);
    let decode_answer = rows.fastest(|| {
        time_of(|| {
            for _ in 0..MESSAGES {
                let Ok(Message::Response(response)) = ServerMessage::from_slice(black_box(answer_line.as_bytes()))
                else {
                    continue;
                };
                black_box(response.result.decode_response::<ThreadArchiveResponse>()).ok();
            }
        })
    });
    let encode_request = rows.fastest(|| {
        time_of(|| {
            for id in 0..MESSAGES {
                let payload = ClientRequest::ThreadArchive(ThreadArchiveParams::new("t"));
                black_box(ClientMessage::Request(Request::new(i64::try_from(id).unwrap_or(0), payload)).to_json()).ok();
            }
        })
    });
    let call = decode_answer + encode_request;

    let core = core_notifications(&rows, &delta)?;
    rows.row("core: bytes to event", "", 0, core, decode_delta);
    for pending in PENDING {
        let time = core_answers(&rows, pending)?;
        rows.row("core: bytes to answer, matched", "pending", pending, time, decode_answer);
    }
    let single = || RuntimeBuilder::new_current_thread().enable_all().build();
    for pending in PENDING {
        let time = handled(&rows, &single()?, pending)?;
        rows.row("tokio: line in to handler called", "pending", pending, time, decode_delta);
    }
    for pending in PENDING {
        let time = calls(&rows, &single()?, pending, CALLERS)?;
        rows.row("tokio: request to typed answer", "pending", pending, time, call);
    }
    for others in [0, 99, 999] {
        let time = delivered(&rows, &single()?, others)?;
        rows.row("tokio: line in to subscriber", "subscriptions to as many threads", others + 1, time, decode_delta);
    }
    for subscribers in [1, 100, 1_000] {
        // Two million deliveries a round, at the most.
        rows.rounds = if subscribers == 1_000 { rounds.min(3) } else { rounds };
        let time = broadcast(&rows, &single()?, subscribers)? / u32::try_from(subscribers)?;
        rows.row(
            "tokio: a delivery",
            "subscriptions to one thread",
            subscribers,
            time,
            decode_delta / u32::try_from(subscribers)?,
        );
    }
    rows.rounds = rounds;
    let several = || RuntimeBuilder::new_multi_thread().worker_threads(2).enable_all().build();
    let time = handled(&rows, &several()?, 1)?;
    rows.row("tokio, two threads: line in to handler called", "pending", 1, time, decode_delta);
    let time = calls(&rows, &several()?, 1, CALLERS)?;
    rows.row("tokio, two threads: request to typed answer", "pending", 1, time, call);
    let time = calls(&rows, &several()?, 1, 1)?;
    rows.row("tokio, two threads: the same, one call at a time", "pending", 1, time, call);

    options.write(&json!({"messages": MESSAGES, "callers": CALLERS, "rows": rows.rows}))
}

/// What was measured so far.
struct Rows {
    rounds: usize,
    rows: Vec<Value>,
}

impl Rows {
    /// The time of the fastest round.
    fn fastest(&self, mut round: impl FnMut() -> Duration) -> Duration {
        (0..self.rounds).map(|_| round()).min().unwrap_or_default()
    }

    /// A row; `codec` is the part of the time that decoding and encoding take by themselves.
    fn row(&mut self, what: &str, of: &str, count: usize, time: Duration, codec: Duration) {
        let each = |time: Duration| (time.as_secs_f64() * 1e9 / MESSAGES as f64).round();
        eprintln!("{what}, {count} {of}: {} ns, {} without codec", each(time), each(time) - each(codec));
        self.rows.push(json!({"what": what, "of": of, "count": count, "ns": each(time), "codec_ns": each(codec)}));
    }
}

fn time_of(work: impl FnOnce()) -> Duration {
    let start = Stopwatch::start();
    work();
    start.elapsed()
}

/// A stopwatch: of this thread if everything happens in it, else of the wall.
fn stopwatch(runtime: &Runtime) -> impl Fn() -> Duration + use<> {
    let one = runtime.metrics().num_workers() == 1;
    let (thread, wall) = (Stopwatch::start(), Instant::now());
    move || if one { thread.elapsed() } else { wall.elapsed() }
}

fn delta(thread: &str) -> String {
    format!(
        r#"{{"method":"item/agentMessage/delta","params":{{"threadId":"{thread}","turnId":"u","itemId":"i","delta":"Hello there"}},"emittedAtMs":1795203522649}}"#
    )
}

fn answer(id: usize) -> String {
    format!(r#"{{"id":{id},"result":{{}}}}"#)
}

fn params() -> InitializeParams {
    InitializeParams::new(ClientInfo::new("bench", "0.0.0"))
}

fn connection() -> Outcome<ClientConnection> {
    let mut handshake = Handshake::new(&params(), Limits::default())?;
    handshake.push(format!("{INITIALIZED}\n").as_bytes());
    match handshake.advance()? {
        Progress::Ready(connection, _) => Ok(connection),
        Progress::Waiting(_) => Err("not answered".into()),
    }
}

fn core_notifications(rows: &Rows, delta: &str) -> Outcome<Duration> {
    let line = format!("{delta}\n");
    let mut connection = connection()?;
    Ok(rows.fastest(|| {
        time_of(|| {
            for _ in 0..MESSAGES {
                connection.push(black_box(line.as_bytes()));
                black_box(connection.next_event());
            }
        })
    }))
}

fn core_answers(rows: &Rows, pending: usize) -> Outcome<Duration> {
    let mut connection = connection()?;
    let archive = ThreadArchiveParams::new("t");
    for _ in 1..pending {
        connection.request::<ThreadArchive>(&archive, ())?;
    }
    Ok(rows.fastest(|| {
        let answers: Vec<String> = (0..MESSAGES)
            .filter_map(|_| usize::try_from(connection.request::<ThreadArchive>(&archive, ()).ok()?.id()).ok())
            .map(|id| answer(id) + "\n")
            .collect();
        while connection.next_outgoing().is_some() {}
        time_of(|| {
            for line in &answers {
                connection.push(line.as_bytes());
                let Some(Event::Answer(answer)) = connection.next_event() else { panic!("no answer") };
                black_box(answer.into_response::<ThreadArchive>()).ok();
            }
        })
    }))
}

/// A client, and the server's side of its connection after the handshake.
async fn client(router: Option<Router>) -> Outcome<(Client, BufReader<DuplexStream>)> {
    let (ours, theirs) = duplex(1 << 20);
    let (read, write) = tokio::io::split(ours);
    let mut builder = Builder::new(params()).write_queue(20_000);
    if let Some(router) = router {
        builder = builder.router(router).handler_buffer(Buffer::waiting(4_096));
    }
    let server = async {
        let mut server = BufReader::new(theirs);
        server.read_line(&mut String::new()).await?;
        server.write_all(format!("{INITIALIZED}\n").as_bytes()).await?;
        Ok::<_, io::Error>(server)
    };
    let (client, server) = tokio::join!(builder.connect(read, write), server);
    let mut server = server?;
    server.read_line(&mut String::new()).await?;
    Ok((client?, server))
}

/// Makes calls that will not be answered until there are that many but one.
async fn hold(client: &Client, server: &mut BufReader<DuplexStream>, pending: usize) -> Outcome<JoinSet<()>> {
    let mut held = JoinSet::new();
    for _ in 1..pending {
        let client = client.clone();
        held.spawn(async move {
            let _ = client.call::<ModelList>(ModelListParams::new()).await;
        });
    }
    for _ in 1..pending {
        server.read_line(&mut String::new()).await?;
    }
    Ok(held)
}

/// A round is as many calls, made by `callers` tasks, each waiting for its answer before
/// the next one.
fn calls(rows: &Rows, runtime: &Runtime, pending: usize, callers: usize) -> Outcome<Duration> {
    runtime.block_on(async {
        let (client, mut server) = client(None).await?;
        let _held = hold(&client, &mut server, pending).await?;
        // Ids are counted, so the server need not read what it answers.
        let mut next = pending;
        let answering = tokio::spawn(async move {
            let mut received = vec![0; 1 << 16];
            while let Ok(read @ 1..) = server.read(&mut received).await {
                let mut answers = String::new();
                for _ in memchr::memchr_iter(b'\n', &received[..read]) {
                    answers.push_str(r#"{"id":"#);
                    answers.push_str(itoa::Buffer::new().format(next));
                    answers.push_str(",\"result\":{}}\n");
                    next += 1;
                }
                if server.write_all(answers.as_bytes()).await.is_err() {
                    break;
                }
            }
        });
        let mut best = Duration::MAX;
        for _ in 0..rows.rounds {
            let elapsed = stopwatch(runtime);
            let mut tasks = JoinSet::new();
            for _ in 0..callers {
                let client = client.clone();
                tasks.spawn(async move {
                    for _ in 0..MESSAGES / callers {
                        client.thread_archive(ThreadArchiveParams::new("t")).await?;
                    }
                    Ok::<_, codex_rpc_dispatch::CallError>(())
                });
            }
            while let Some(done) = tasks.join_next().await {
                done??;
            }
            best = best.min(elapsed());
        }
        assert_eq!(client.pending() + 1, pending, "calls that wait");
        answering.abort();
        // Rounded down to whole callers.
        let made = MESSAGES / callers * callers;
        Ok(best.mul_f64(MESSAGES as f64 / made as f64))
    })
}

fn delivered(rows: &Rows, runtime: &Runtime, others: usize) -> Outcome<Duration> {
    runtime.block_on(async {
        let (client, server) = client(None).await?;
        let _others: Vec<_> = (0..others).map(|index| client.subscribe_thread(&format!("other-{index}"))).collect();
        let mut told = [client.subscribe_thread_with("t", Buffer::waiting(MESSAGES))];
        told_all(rows, runtime, server, &mut told).await
    })
}

fn broadcast(rows: &Rows, runtime: &Runtime, subscribers: usize) -> Outcome<Duration> {
    runtime.block_on(async {
        let (client, server) = client(None).await?;
        let mut told: Vec<_> =
            (0..subscribers).map(|_| client.subscribe_thread_with("t", Buffer::waiting(MESSAGES))).collect();
        told_all(rows, runtime, server, &mut told).await
    })
}

/// A round: all messages arrive, and every subscriber has taken all of them.
async fn told_all(
    rows: &Rows,
    runtime: &Runtime,
    mut server: BufReader<DuplexStream>,
    told: &mut [Subscription],
) -> Outcome<Duration> {
    let bytes = format!("{}\n", delta("t")).repeat(MESSAGES);
    let mut best = Duration::MAX;
    for _ in 0..rows.rounds {
        let elapsed = stopwatch(runtime);
        let write = server.write_all(bytes.as_bytes());
        let read = async {
            for subscription in told.iter_mut() {
                for _ in 0..MESSAGES {
                    assert!(matches!(subscription.next().await, Some(Delivery::Notification(_))));
                }
            }
        };
        let (written, ()) = tokio::join!(write, read);
        written?;
        best = best.min(elapsed());
    }
    Ok(best)
}

/// A round: all messages arrive, and the handler was called for each.
fn handled(rows: &Rows, runtime: &Runtime, pending: usize) -> Outcome<Duration> {
    let called = Arc::new(AtomicUsize::new(0));
    let all = Arc::new((tokio::sync::Notify::new(), AtomicBool::new(false)));
    let router = Router::builder()
        .on_notification::<ItemAgentMessageDelta, _, _>({
            let all = Arc::clone(&all);
            move |params, _| {
                black_box(&params);
                if (called.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(MESSAGES) {
                    all.1.store(true, Ordering::Release);
                    all.0.notify_one();
                }
                std::future::ready(())
            }
        })
        .build();
    runtime.block_on(async {
        let (client, mut server) = client(Some(router)).await?;
        let _held = hold(&client, &mut server, pending).await?;
        let bytes = format!("{}\n", delta("t")).repeat(MESSAGES);
        let mut best = Duration::MAX;
        for _ in 0..rows.rounds {
            let elapsed = stopwatch(runtime);
            let read = async {
                while !all.1.swap(false, Ordering::Acquire) {
                    all.0.notified().await;
                }
            };
            let (written, ()) = tokio::join!(server.write_all(bytes.as_bytes()), read);
            written?;
            best = best.min(elapsed());
        }
        assert_eq!(client.pending() + 1, pending, "calls that wait");
        Ok(best)
    })
}
