//! The other end of a client: a server that does what a test says, message by message.

use std::future::Future;
use std::time::Duration;

use codex_rpc::types::{ClientInfo, InitializeCapabilities, InitializeParams, ModelListParams};
use codex_rpc_dispatch::tokio::{Builder, Client, Delivery, Subscription};
use codex_rpc_testkit::fixtures;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

/// What a pipe holds in one direction.
const PIPE: usize = 64 * 1024;

pub struct Peer {
    pub from_client: FromClient,
    pub to_client: ToClient,
}

/// What the client writes.
pub struct FromClient(BufReader<DuplexStream>);

/// What the client reads.
pub struct ToClient(DuplexStream);

pub fn builder() -> Builder {
    let capabilities = InitializeCapabilities::new().experimental_api(true);
    Builder::new(InitializeParams::new(ClientInfo::new("tests", "1.0.0")).capabilities(capabilities))
}

/// The answer to `initialize`.
pub fn initialized(id: &Value) -> Value {
    json!({"id": id, "result": {"userAgent": "tests/0.169.0 (Linux)", "codexHome": "/h", "platformFamily": "unix", "platformOs": "linux"}})
}

/// A client and its peer.
pub async fn pair() -> (Client, Peer) {
    connect(builder()).await
}

pub async fn connect(builder: Builder) -> (Client, Peer) {
    connect_with(builder, PIPE).await
}

/// A client and its peer, with pipes that hold so many bytes.
pub async fn connect_with(builder: Builder, pipe: usize) -> (Client, Peer) {
    let (mut peer, from, to) = Peer::new(pipe);
    let (client, ()) = soon(async { tokio::join!(builder.connect(from, to), peer.greet()) }).await;
    (client.expect("a client"), peer)
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

/// Waits until so many calls are pending. By turns and not by time: where the clock is
/// paused, it stands while something can be done.
pub async fn until_pending(client: &Client, calls: usize) {
    for _ in 0..100_000 {
        if client.pending() >= calls {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{} of {calls} calls are pending", client.pending());
}

impl Peer {
    /// A peer, and what the client reads and writes.
    pub fn new(pipe: usize) -> (Self, DuplexStream, DuplexStream) {
        let (client_reads, peer_writes) = tokio::io::duplex(pipe);
        let (client_writes, peer_reads) = tokio::io::duplex(pipe);
        let peer = Self { from_client: FromClient(BufReader::new(peer_reads)), to_client: ToClient(peer_writes) };
        (peer, client_reads, client_writes)
    }

    /// Answers `initialize`.
    pub async fn greet(&mut self) {
        let id = self.asked("initialize").await["id"].clone();
        self.say(initialized(&id)).await;
        assert_eq!(self.from_client.message().await, json!({"method": "initialized"}));
    }

    /// The next message of the client, which is a request of this method.
    pub async fn asked(&mut self, method: &str) -> Value {
        self.from_client.asked(method).await
    }

    /// The next message of the client.
    pub async fn message(&mut self) -> Value {
        self.from_client.message().await
    }

    pub async fn say(&mut self, message: impl ToString) {
        self.to_client.say(message).await;
    }

    /// Answers the next message of the client, which is `model/list`, and says for which
    /// cursor it was.
    pub async fn answer_models(&mut self) {
        let request = self.asked("model/list").await;
        self.say(models(&request)).await;
    }

    /// Shows that the connection goes on: a call is answered.
    #[track_caller]
    pub fn goes_on(&mut self, client: &Client) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        let client = client.clone();
        async move {
            let (models, ()) = tokio::join!(soon(list(&client, "on")), self.answer_models());
            assert_eq!(models.as_deref(), Ok("on"), "{caller}");
        }
    }
}

impl FromClient {
    /// The next line; none at the end.
    pub async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = soon(self.0.read_line(&mut line)).await.expect("a line");
        (read > 0).then_some(line)
    }

    pub async fn message(&mut self) -> Value {
        let line = self.line().await.expect("a message, and not the end");
        serde_json::from_str(&line).expect("JSON")
    }

    pub async fn asked(&mut self, method: &str) -> Value {
        let message = self.message().await;
        assert_eq!(message["method"], method, "{message}");
        message
    }

    /// What is still to come, until the client closes its end.
    pub async fn rest(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(line) = self.line().await {
            messages.push(serde_json::from_str(&line).expect("JSON"));
        }
        messages
    }
}

impl ToClient {
    pub async fn say(&mut self, message: impl ToString) {
        self.bytes(format!("{}\n", message.to_string()).as_bytes()).await;
    }

    pub async fn bytes(&mut self, bytes: &[u8]) {
        soon(self.0.write_all(bytes)).await.expect("the client reads");
    }
}

/// The answer to a `model/list`: its cursor is that of the request.
pub fn models(request: &Value) -> Value {
    json!({"id": request["id"], "result": {"data": [], "nextCursor": request["params"]["cursor"]}})
}

/// Calls `model/list` with a cursor; the cursor of the answer, or the error.
pub async fn list(client: &Client, cursor: &str) -> Result<String, String> {
    match client.model_list(ModelListParams::new().cursor(cursor)).await {
        Ok(response) => Ok(response.next_cursor.expect("a cursor")),
        Err(error) => Err(error.to_string()),
    }
}

/// A call that runs beside the test.
pub fn calling(client: &Client, cursor: &str) -> tokio::task::JoinHandle<Result<String, String>> {
    let (client, cursor) = (client.clone(), cursor.to_owned());
    tokio::spawn(async move { list(&client, &cursor).await })
}

pub fn archived(thread: &str) -> Value {
    json!({"method": "thread/archived", "params": {"threadId": thread}})
}

pub fn delta(thread: &str, turn: &str, delta: &str) -> Value {
    let params = json!({"threadId": thread, "turnId": turn, "itemId": "i", "delta": delta});
    json!({"method": "item/agentMessage/delta", "params": params})
}

/// The server asks whether a command may run.
pub fn approval(id: impl Into<Value>, command: &str) -> Value {
    fixtures::request("item/commandExecution/requestApproval", id, &json!({"command": command}))
}

/// The next delivery, shortly.
pub async fn next(told: &mut Subscription) -> String {
    match soon(told.next()).await {
        Some(delivery) => short(&delivery),
        None => "end".to_owned(),
    }
}

/// A delivery in a few words: the method and the thread or the text, or what is wrong.
pub fn short(delivery: &Delivery) -> String {
    use codex_rpc::ServerNotification as N;
    match delivery {
        Delivery::Notification(message) => match &message.payload {
            N::ItemAgentMessageDelta(params) => format!("delta {}", params.delta),
            N::ThreadArchived(params) => format!("archived {}", params.thread_id),
            other => other.method().to_owned(),
        },
        Delivery::Lagged(count) => format!("lagged {count}"),
        Delivery::Malformed(malformed) => format!("{:?}", malformed.kind),
        other => panic!("{other:?}"),
    }
}
