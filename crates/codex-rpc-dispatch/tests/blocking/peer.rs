//! A server that does what a test tells it.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use codex_rpc::types::{ClientInfo, InitializeParams, ModelListParams};
use codex_rpc_dispatch::blocking::{Builder, Client, Delivery, Subscription};
use serde_json::{Value, json};

/// Longer than anything takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn builder() -> Builder {
    Builder::new(InitializeParams::new(ClientInfo::new("test", "0.0.0"))).time_limit(Some(PATIENCE))
}

pub fn greeting() -> Value {
    json!({"userAgent": "test/0.169.0 (Linux)", "codexHome": "/codex", "platformFamily": "unix", "platformOs": "linux"})
}

/// The server's end of a connection.
pub struct Peer {
    lines: BufReader<UnixStream>,
}

impl Peer {
    /// A socket for a client, and its server.
    pub fn pair() -> (UnixStream, Self) {
        let (client, server) = UnixStream::pair().unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        server.set_write_timeout(Some(PATIENCE)).unwrap();
        (client, Self { lines: BufReader::new(server) })
    }

    /// The next line; none at the end.
    pub fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let count = self.lines.read_line(&mut line).unwrap();
        (count > 0).then(|| serde_json::from_str(&line).unwrap())
    }

    pub fn read(&mut self) -> Value {
        self.line().expect("a line")
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.lines.get_mut().write_all(bytes).unwrap();
    }

    pub fn write(&mut self, message: &Value) {
        self.raw(format!("{message}\n").as_bytes());
    }

    /// Answers `model/list`.
    pub fn answer(&mut self, request: &Value, cursor: &str) {
        self.write(&models(&request["id"], cursor));
    }

    /// Tells a diff of a turn.
    pub fn tell(&mut self, thread: &str, turn: &str, diff: &str) {
        self.write(&diff_of(thread, turn, diff));
    }

    /// Does the handshake.
    pub fn greet(&mut self) {
        let request = self.read();
        assert_eq!(request["method"], "initialize");
        self.write(&json!({"id": request["id"], "result": greeting()}));
        assert_eq!(self.read(), json!({"method": "initialized"}));
    }
}

pub fn models(id: &Value, cursor: &str) -> Value {
    json!({"id": id, "result": {"data": [], "nextCursor": cursor}})
}

pub fn diff_of(thread: &str, turn: &str, diff: &str) -> Value {
    json!({"method": "turn/diff/updated", "params": {"threadId": thread, "turnId": turn, "diff": diff}})
}

/// A client and its server, after the handshake.
pub fn connect(builder: Builder) -> (Client, Peer) {
    let (socket, peer) = Peer::pair();
    connect_over(builder, socket.try_clone().unwrap(), socket, peer)
}

/// The same over a reader and a writer.
pub fn connect_over<R, W>(builder: Builder, reader: R, writer: W, mut peer: Peer) -> (Client, Peer)
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    let greeting = thread::spawn(move || {
        peer.greet();
        peer
    });
    let client = builder.connect(reader, writer).unwrap();
    (client, greeting.join().unwrap())
}

/// What a call of `model/list` is answered with, as [`Peer::answer`] says it.
pub fn call(client: &Client, cursor: &str) -> Result<String, codex_rpc_dispatch::CallError> {
    let answer = client.model_list(ModelListParams::new().cursor(cursor))?;
    Ok(answer.next_cursor.unwrap_or_default())
}

/// The next delivery, as text.
pub fn next(told: &mut Subscription) -> String {
    match told.next_timeout(PATIENCE).expect("in time") {
        Some(delivery) => text(&delivery),
        None => "the end".to_owned(),
    }
}

pub fn text(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Notification(message) => match &message.payload {
            codex_rpc::ServerNotification::TurnDiffUpdated(diff) => diff.diff.clone(),
            other => other.method().to_owned(),
        },
        Delivery::Lagged(count) => format!("{count} lost"),
        Delivery::Malformed(malformed) => format!("{:?}", malformed.kind),
        other => format!("{other:?}"),
    }
}
