//! The other end of a session: a server that does what a test says, message by message.

use std::future::Future;
use std::time::Duration;

use codex_rpc_client::{Codex, CodexBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

pub struct Peer {
    from: BufReader<DuplexStream>,
    to: DuplexStream,
}

/// A session and its peer.
pub async fn pair() -> (Codex, Peer) {
    connect(Codex::builder()).await
}

pub async fn connect(builder: CodexBuilder) -> (Codex, Peer) {
    let (client_reads, to) = tokio::io::duplex(64 * 1024);
    let (client_writes, from) = tokio::io::duplex(64 * 1024);
    let mut peer = Peer { from: BufReader::new(from), to };
    let (codex, ()) = soon(async { tokio::join!(builder.connect(client_reads, client_writes), peer.greet()) }).await;
    (codex.expect("a session"), peer)
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

impl Peer {
    async fn greet(&mut self) {
        let request = self.asked("initialize").await;
        let result = json!({"userAgent": "tests/0.169.0 (Linux)", "codexHome": "/h", "platformFamily": "unix", "platformOs": "linux"});
        self.answer(&request, result).await;
        assert_eq!(self.message().await, json!({"method": "initialized"}));
    }

    /// The next message of the client.
    pub async fn message(&mut self) -> Value {
        let mut line = String::new();
        let read = soon(self.from.read_line(&mut line)).await.expect("a line");
        assert!(read > 0, "the client has closed its end");
        serde_json::from_str(&line).expect("JSON")
    }

    /// The next message of the client, which is a request of this method.
    pub async fn asked(&mut self, method: &str) -> Value {
        let message = self.message().await;
        assert_eq!(message["method"], method, "{message}");
        message
    }

    pub async fn say(&mut self, message: Value) {
        let line = format!("{message}\n");
        soon(self.to.write_all(line.as_bytes())).await.expect("the client reads");
    }

    pub async fn answer(&mut self, request: &Value, result: Value) {
        self.say(json!({"id": request["id"], "result": result})).await;
    }

    /// Says so much that no buffer holds it, and shows that the connection goes on.
    pub async fn flood(&mut self, codex: &Codex, message: &Value) {
        for _ in 0..3_000 {
            self.say(message.clone()).await;
        }
        let config = codex.config();
        let (answer, ()) = tokio::join!(soon(config.requirements()), async {
            let request = self.asked("configRequirements/read").await;
            self.answer(&request, json!({"requirements": null})).await;
        });
        answer.expect("an answer");
    }
}
