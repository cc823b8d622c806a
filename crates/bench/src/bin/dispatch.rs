//! What the dispatcher costs beside decoding; see the README beside this crate's manifest.
//!
//! Prints a Markdown table: nanoseconds a message, the fastest of several rounds.

#![allow(clippy::cast_precision_loss, reason = "counts and times are far below 2^53")]

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use codex_rpc::requests::{ModelList, ThreadArchive};
use codex_rpc::types::{ClientInfo, InitializeParams, ModelListParams, ThreadArchiveParams};
use codex_rpc::{ServerMessage, notifications::ItemAgentMessageDelta};
use codex_rpc_dispatch::tokio::{Buffer, Builder, Client, Delivery, Router};
use codex_rpc_dispatch::{ClientConnection, Event, Handshake, Limits, Progress};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex};
use tokio::sync::mpsc;

const ROUNDS: usize = 15;
const MESSAGES: usize = 2_000;
const INITIALIZED: &str =
    r#"{"id":0,"result":{"userAgent":"bench/0.169.0","codexHome":"/h","platformFamily":"unix","platformOs":"linux"}}"#;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    println!("| | ns a message |\n|---|---:|");
    let delta = delta("t");
    row(
        "decode: a delta",
        fastest(|| {
            time_of(|| {
                for _ in 0..MESSAGES {
                    black_box(ServerMessage::from_json(black_box(&delta))).ok();
                }
            })
        }),
    );
    row("core: a delta, bytes to event", core_notifications(&delta)?);
    let decode_answer = fastest(|| {
        time_of(|| {
            for id in 0..MESSAGES {
                black_box(ServerMessage::from_json(black_box(&answer(id)))).ok();
            }
        })
    });
    row("decode: an answer, made and read", decode_answer);
    for pending in [1, 100, 10_000] {
        row(&format!("core: an answer, made, read and matched, {pending} pending"), core_answers(pending)?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for pending in [1, 100, 10_000] {
        let each = runtime.block_on(calls(pending))?;
        row(&format!("tokio: request to typed answer, one at a time, {pending} pending"), each);
    }
    for others in [0, 100, 1_000] {
        let each = runtime.block_on(delivered(others))?;
        row(&format!("tokio: a delta, bytes to subscriber, {others} other subscriptions"), each);
    }
    row("tokio: a delta, bytes to handler", runtime.block_on(handled())?);
    Ok(())
}

fn row(name: &str, time: Duration) {
    println!("| {name} | {:.0} |", time.as_nanos() as f64 / MESSAGES as f64);
}

fn fastest(mut round: impl FnMut() -> Duration) -> Duration {
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

fn time_of(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
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

fn core_notifications(delta: &str) -> Outcome<Duration> {
    let line = format!("{delta}\n");
    let mut connection = connection()?;
    Ok(fastest(|| {
        time_of(|| {
            for _ in 0..MESSAGES {
                connection.push(black_box(line.as_bytes()));
                black_box(connection.next_event());
            }
        })
    }))
}

fn core_answers(pending: usize) -> Outcome<Duration> {
    let mut connection = connection()?;
    let archive = ThreadArchiveParams::new("t");
    for _ in 1..pending {
        connection.request::<ThreadArchive>(&archive, ())?;
    }
    Ok(fastest(|| {
        let ids: Vec<usize> = (0..MESSAGES)
            .filter_map(|_| usize::try_from(connection.request::<ThreadArchive>(&archive, ()).ok()?.id()).ok())
            .collect();
        while connection.next_outgoing().is_some() {}
        time_of(|| {
            for id in ids {
                connection.push(format!("{}\n", answer(id)).as_bytes());
                assert!(matches!(black_box(connection.next_event()), Some(Event::Answer(_))));
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

async fn calls(pending: usize) -> Outcome<Duration> {
    let (client, mut server) = client(None).await?;
    // A server that answers `thread/archive` and never `model/list`.
    tokio::spawn(async move {
        let mut line = String::new();
        while server.read_line(&mut line).await.is_ok_and(|read| read > 0) {
            if let Some((_, rest)) = line.split_once(r#""thread/archive","id":"#) {
                let id = rest.split(',').next().unwrap_or_default();
                if server.write_all(format!("{{\"id\":{id},\"result\":{{}}}}\n").as_bytes()).await.is_err() {
                    break;
                }
            }
            line.clear();
        }
    });
    for _ in 1..pending {
        let client = client.clone();
        tokio::spawn(async move { client.call::<ModelList>(ModelListParams::new()).await });
    }
    while client.pending() + 1 < pending {
        tokio::task::yield_now().await;
    }
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..MESSAGES {
            client.thread_archive(ThreadArchiveParams::new("t")).await?;
        }
        best = best.min(start.elapsed());
    }
    Ok(best)
}

async fn delivered(others: usize) -> Outcome<Duration> {
    let (client, mut server) = client(None).await?;
    let _others: Vec<_> = (0..others).map(|index| client.subscribe_thread(&format!("other-{index}"))).collect();
    let mut told = client.subscribe_thread_with("t", Buffer::waiting(MESSAGES));
    let bytes = format!("{}\n", delta("t")).repeat(MESSAGES);
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let write = server.write_all(bytes.as_bytes());
        let read = async {
            for _ in 0..MESSAGES {
                assert!(matches!(told.next().await, Some(Delivery::Notification(_))));
            }
        };
        let (written, ()) = tokio::join!(write, read);
        written?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

async fn handled() -> Outcome<Duration> {
    let (seen, mut counted) = mpsc::unbounded_channel();
    let router = Router::builder()
        .on_notification::<ItemAgentMessageDelta, _, _>(move |_, _| {
            let _ = seen.send(());
            std::future::ready(())
        })
        .build();
    let (client, mut server) = client(Some(router)).await?;
    let bytes = format!("{}\n", delta("t")).repeat(MESSAGES);
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let write = server.write_all(bytes.as_bytes());
        let read = async {
            for _ in 0..MESSAGES {
                counted.recv().await;
            }
        };
        let (written, ()) = tokio::join!(write, read);
        written?;
        best = best.min(start.elapsed());
    }
    drop(client);
    Ok(best)
}
