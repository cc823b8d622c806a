//! The other end of a session: a server that does what a test says, message by message.

use std::future::Future;
use std::time::Duration;

use codex_rpc_client::protocol::types::ThreadStartParams;
use codex_rpc_client::{Codex, CodexBuilder, Thread};
use codex_rpc_testkit::fixtures;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

pub struct Peer {
    from: BufReader<DuplexStream>,
    to: DuplexStream,
}

/// Waits for something that has to come; at most half a minute.
#[track_caller]
pub fn soon<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let outcome = tokio::time::timeout(Duration::from_secs(30), future).await;
        outcome.unwrap_or_else(|_| panic!("{caller}: it did not come"))
    }
}

/// A session and its peer.
pub async fn pair() -> (Codex, Peer) {
    connect(Codex::builder().experimental_api(true)).await
}

pub async fn connect(builder: CodexBuilder) -> (Codex, Peer) {
    connect_to(builder, "0.169.0").await
}

/// A session with a server of this release.
pub async fn connect_as(release: &str) -> (Codex, Peer) {
    connect_to(Codex::builder().experimental_api(true), release).await
}

async fn connect_to(builder: CodexBuilder, release: &str) -> (Codex, Peer) {
    let (reads, to) = tokio::io::duplex(1 << 20);
    let (writes, from) = tokio::io::duplex(1 << 20);
    let mut peer = Peer { from: BufReader::new(from), to };
    let (codex, ()) = soon(async { tokio::join!(builder.connect(reads, writes), peer.greet(release)) }).await;
    (codex.expect("a session"), peer)
}

/// A session with a thread, and its peer.
pub async fn thread(id: &str) -> (Thread, Peer) {
    let (codex, mut peer) = pair().await;
    (start(&codex, &mut peer, id).await, peer)
}

pub async fn start(codex: &Codex, peer: &mut Peer, id: &str) -> Thread {
    let (thread, _) = soon(async {
        tokio::join!(codex.start_thread(ThreadStartParams::new()), peer.answer("thread/start", started(id)))
    })
    .await;
    thread.expect("a thread")
}

impl Peer {
    async fn greet(&mut self, release: &str) {
        let agent = format!("tests/{release} (Linux)");
        let result = json!({"userAgent": agent, "codexHome": "/h", "platformFamily": "unix", "platformOs": "linux"});
        self.answer("initialize", result).await;
        assert_eq!(self.message().await["method"], "initialized");
    }

    /// The next message of the client.
    pub async fn message(&mut self) -> Value {
        let mut line = String::new();
        let read = self.from.read_line(&mut line).await.expect("a line");
        assert!(read > 0, "a message, and not the end");
        serde_json::from_str(&line).expect("JSON")
    }

    /// The next message of the client, which is a request of this method.
    pub async fn asked(&mut self, method: &str) -> Value {
        let message = self.message().await;
        assert_eq!(message["method"], method, "{message}");
        message
    }

    /// Answers the next message, which is a request of this method; the request.
    pub async fn answer(&mut self, method: &str, result: Value) -> Value {
        let request = self.asked(method).await;
        self.say(json!({"id": request["id"], "result": result})).await;
        request
    }

    pub async fn refuse(&mut self, method: &str, code: i64, message: &str) {
        let request = self.asked(method).await;
        self.say(json!({"id": request["id"], "error": {"code": code, "message": message}})).await;
    }

    pub async fn say(&mut self, message: Value) {
        soon(self.to.write_all(format!("{message}\n").as_bytes())).await.expect("the client reads");
    }

    /// Says a notification; what it leaves out is filled in.
    pub async fn tell(&mut self, method: &str, about: &Value) {
        self.say(fixtures::notification(method, about)).await;
    }

    /// Asks something; the answer of the client, result or error.
    pub async fn ask(&mut self, method: &str, about: &Value) -> Value {
        self.say(fixtures::request(method, 7, about)).await;
        let answer = self.message().await;
        assert_eq!(answer["id"], 7, "{answer}");
        answer
    }

    /// Tells a turn that says something and ends.
    pub async fn tell_turn(&mut self, thread: &str, turn: &str, text: &str) {
        self.tell("turn/started", &about_turn(thread, turn, "inProgress")).await;
        self.tell("item/completed", &message(thread, turn, text, None)).await;
        self.tell("turn/completed", &about_turn(thread, turn, "completed")).await;
    }
}

/// The result of `thread/start` and `thread/resume`.
pub fn started(thread: &str) -> Value {
    let mut result = fixtures::value("ThreadStartResponse", &json!({}));
    result["thread"]["id"] = thread.into();
    result
}

/// The result of `turn/start`.
pub fn turn_started(turn: &str) -> Value {
    json!({"turn": {"id": turn, "items": [], "status": "inProgress", "error": null}})
}

pub fn about_turn(thread: &str, turn: &str, status: &str) -> Value {
    json!({"threadId": thread, "turn": {"id": turn, "items": [], "status": status}})
}

/// `item/completed` of a message.
pub fn message(thread: &str, turn: &str, text: &str, phase: Option<&str>) -> Value {
    json!({"threadId": thread, "turnId": turn, "item": {"type": "agentMessage", "id": "m", "text": text, "phase": phase}})
}

pub fn delta(thread: &str, turn: &str, delta: &str) -> Value {
    json!({"threadId": thread, "turnId": turn, "itemId": "m", "delta": delta})
}
