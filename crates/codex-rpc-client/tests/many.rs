//! Many turns at once, against the replaying app-server.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::os::unix::net::UnixStream as StdStream;
use std::time::{Duration, Instant};

use codex_rpc_client::protocol::types::ThreadStartParams;
use codex_rpc_client::{Codex, Thread};
use codex_rpc_testkit::fixtures;
use codex_rpc_testkit::replay::{Options, Order, Params, Replay, serve};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::task::JoinSet;

const THREADS: usize = 20;
const TURNS: usize = 10;
/// Messages and deltas of a turn.
const ITEMS: usize = 5;
const DELTAS: usize = 20;

/// A number after the other that looks like chance, and is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

fn text(thread: usize, turn: usize, item: usize) -> String {
    format!("thread {thread} turn {turn} item {item}")
}

/// What the server says of a turn, in order: the answer among it, so that some turns are
/// told before they are named.
fn told(thread: usize, turn: usize, request: usize, chance: &mut Chance) -> Vec<Value> {
    let (thread_id, turn_id) = (format!("thread-{thread}"), format!("turn-{thread}-{turn}"));
    let about = |status: &str| json!({"threadId": thread_id, "turn": {"id": turn_id, "items": [], "status": status}});
    let mut told = vec![fixtures::notification("turn/started", &about("inProgress"))];
    for item in 0..ITEMS {
        let id = format!("item-{item}");
        for delta in 0..DELTAS {
            let delta = json!({"threadId": thread_id, "turnId": turn_id, "itemId": id, "delta": format!("{delta} ")});
            told.push(fixtures::notification("item/agentMessage/delta", &delta));
        }
        let item = json!({"type": "agentMessage", "id": id, "text": text(thread, turn, item)});
        let completed = json!({"threadId": thread_id, "turnId": turn_id, "item": item});
        told.push(fixtures::notification("item/completed", &completed));
    }
    told.push(fixtures::notification("turn/completed", &about("completed")));
    let answer =
        json!({"id": request, "result": {"turn": {"id": turn_id, "items": [], "status": "inProgress", "error": null}}});
    // At the beginning, in the middle, or after the end.
    told.insert(chance.below(told.len() + 1), answer);
    told
}

/// A session in which all turns of all threads run at once.
fn transcript() -> String {
    let mut lines = vec![json!({"transcript": 1, "codex": "0.169.0", "scenario": "many"})];
    let client = |message: Value| json!({"from": "client", "message": message});
    let server = |message: Value| json!({"from": "server", "message": message});
    lines.push(client(json!({"method": "initialize", "id": 0, "params": {}})));
    let initialized = json!({"userAgent": "many/0.169.0 (Linux)", "codexHome": "/h", "platformFamily": "unix", "platformOs": "linux"});
    lines.push(server(json!({"id": 0, "result": initialized})));
    lines.push(client(json!({"method": "initialized"})));
    for thread in 0..THREADS {
        let id = 1 + thread;
        let params = json!({"cwd": format!("/{thread}")});
        lines.push(client(json!({"method": "thread/start", "id": id, "params": params})));
        let mut result = fixtures::value("ThreadStartResponse", &json!({}));
        result["thread"]["id"] = format!("thread-{thread}").into();
        lines.push(server(json!({"id": id, "result": result})));
    }
    let mut chance = Chance(7);
    let mut turns = Vec::new();
    for thread in 0..THREADS {
        for turn in 0..TURNS {
            let request = 1 + THREADS + thread * TURNS + turn;
            let input = [json!({"type": "text", "text": text(thread, turn, 0), "text_elements": []})];
            let params = json!({"threadId": format!("thread-{thread}"), "input": input});
            lines.push(client(json!({"method": "turn/start", "id": request, "params": params})));
            turns.push(told(thread, turn, request, &mut chance).into_iter());
        }
    }
    while !turns.is_empty() {
        let index = chance.below(turns.len());
        match turns[index].next() {
            Some(message) => lines.push(server(message)),
            None => drop(turns.swap_remove(index)),
        }
    }
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.join("\n") + "\n"
}

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

async fn run(thread: Thread, number: usize, turn: usize) -> (String, usize, Vec<String>, String) {
    let handle = thread.turn(text(number, turn, 0)).await.expect("a turn");
    let mut stream = handle.stream();
    let mut streamed = String::new();
    while let Some(delta) = stream.next_text().await {
        streamed.push_str(&delta);
    }
    let result = handle.join().await.expect("a result");
    let texts = result.items.iter().map(|item| match item {
        codex_rpc_client::protocol::types::ThreadItem::AgentMessage(message) => message.text.clone(),
        other => panic!("{other:?}"),
    });
    (format!("{} {}", result.thread_id, result.turn_id), turn, texts.collect(), streamed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_turns_over_twenty_threads_all_complete_and_none_are_mixed_up() {
    let transcript = transcript();
    let messages = transcript.lines().count() - 1;
    let (here, there) = StdStream::pair().expect("a pair");
    let options = Options::new()
        .order(Order::Any)
        .params(Params::Same)
        .except("/params/clientInfo")
        .except("/params/capabilities");
    let server = std::thread::spawn(move || {
        let mut replay = Replay::with_options("many.jsonl", transcript.as_bytes(), options).expect("a transcript");
        serve(&mut replay, BufReader::new(there.try_clone().expect("a stream")), &there)
            .map_err(|error| error.to_string())
    });
    here.set_nonblocking(true).expect("a stream");
    let (reads, writes) = UnixStream::from_std(here).expect("a stream").into_split();
    let codex = Codex::builder().connect(reads, writes).await.expect("a session");

    let before = peak();
    let began = Instant::now();
    let mut threads = Vec::new();
    for number in 0..THREADS {
        let params = ThreadStartParams::new().cwd(format!("/{number}"));
        threads.push(codex.start_thread(params).await.expect("a thread"));
    }
    let mut running = JoinSet::new();
    for (number, thread) in threads.iter().enumerate() {
        for turn in 0..TURNS {
            running.spawn(run(thread.clone(), number, turn));
        }
    }
    let all = tokio::time::timeout(Duration::from_secs(120), running.join_all()).await.expect("all turns complete");
    let took = began.elapsed();

    let mut expected = BTreeMap::new();
    let deltas: String = (0..ITEMS).flat_map(|_| (0..DELTAS).map(|delta| format!("{delta} "))).collect();
    for thread in 0..THREADS {
        for turn in 0..TURNS {
            let texts: Vec<String> = (0..ITEMS).map(|item| text(thread, turn, item)).collect();
            expected.insert(format!("thread-{thread} turn-{thread}-{turn}"), (turn, texts, deltas.clone()));
        }
    }
    let all: BTreeMap<_, _> =
        all.into_iter().map(|(id, turn, texts, streamed)| (id, (turn, texts, streamed))).collect();
    assert_eq!(all.len(), THREADS * TURNS);
    assert!(all == expected, "a turn has what is another's, or not all of its own");
    let grown = peak().saturating_sub(before);
    let _ = writeln!(
        std::io::stderr(),
        "{} turns, {messages} messages: {took:.2?}, at most {grown} KiB more memory",
        all.len()
    );
    codex.close().await;
    drop((codex, threads));
    assert_eq!(server.join().expect("the server"), Ok(()));
}
