use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use codex_rpc_dispatch::CallError;
use codex_rpc_dispatch::Limits;
use codex_rpc_dispatch::blocking::{Client, ConnectError};
use serde_json::{Value, json};
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Message, WebSocket, accept_hdr_with_config};

use crate::peer::{PATIENCE, builder, call, diff_of, greeting, models, next};

struct Server<S>(WebSocket<S>);

impl<S: std::io::Read + std::io::Write> Server<S> {
    fn read(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    fn write(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    fn greet(&mut self) {
        let request = self.read();
        assert_eq!(request["method"], "initialize");
        self.write(&json!({"id": request["id"], "result": greeting()}));
        assert_eq!(self.read()["method"], "initialized");
    }
}

const TOKEN: &str = "a-token";

/// Asks for the token, and takes no frame that codex would not.
#[expect(clippy::result_large_err, reason = "the signature is the library's")]
fn accept<S: std::io::Read + std::io::Write>(stream: S) -> Option<Server<S>> {
    let authorise = |request: &Request, response: Response| {
        let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        if token == Some(&format!("Bearer {TOKEN}")) {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = StatusCode::UNAUTHORIZED;
        Err(refusal)
    };
    let config = WebSocketConfig::default().max_frame_size(Some(16 << 20)).max_message_size(Some(128 << 20));
    accept_hdr_with_config(stream, authorise, Some(config)).ok().map(Server)
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("ws://127.0.0.1:{}", listener.local_addr().unwrap().port());
    (listener, url)
}

fn connect() -> (Client, Server<TcpStream>) {
    let (listener, url) = listen();
    let accepting = thread::spawn(move || {
        let stream = listener.accept().unwrap().0;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let mut server = accept(stream).unwrap();
        server.greet();
        server
    });
    let client = builder().connect_websocket(&url, Some(TOKEN)).unwrap();
    (client, accepting.join().unwrap())
}

#[test]
fn calls_and_pings_are_answered() {
    let (client, mut server) = connect();
    let mut told = client.subscribe();
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let request = server.read();
        server.0.send(Message::Ping("are you there?".into())).unwrap();
        // Nobody says anything until the pong is here.
        loop {
            if let Message::Pong(answer) = server.0.read().unwrap() {
                assert_eq!(answer, "are you there?".as_bytes());
                break;
            }
        }
        server.write(&diff_of("t", "u", "told"));
        server.write(&models(&request["id"], "b"));
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
    assert_eq!(next(&mut told), "told");
}

#[test]
fn a_message_in_pieces_is_one_message_whatever_comes_between_them() {
    let (client, mut server) = connect();
    let mut told = client.subscribe();
    let text = diff_of("t", "u", "in pieces").to_string();
    for (index, piece) in text.as_bytes().chunks(10).enumerate() {
        let opcode = OpCode::Data(if index == 0 { Data::Text } else { Data::Continue });
        let last = (index + 1) * 10 >= text.len();
        server.0.send(Message::Frame(Frame::message(piece.to_vec(), opcode, last))).unwrap();
        server.0.send(Message::Ping("still there?".into())).unwrap();
    }
    server.0.send(Message::text("garbage")).unwrap();
    server.0.send(Message::binary(diff_of("t", "u", "bytes").to_string().into_bytes())).unwrap();
    assert_eq!([next(&mut told), next(&mut told), next(&mut told)], ["in pieces", "Garbage", "bytes"]);
}

#[test]
fn a_message_that_is_too_long_for_a_frame_goes_in_pieces() {
    let (client, mut server) = connect();
    let long = "x".repeat(40 << 20);
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, &long));
        // The server's limit is 16 MiB a frame.
        let request = server.read();
        assert_eq!(request["params"]["cursor"].as_str().unwrap().len(), long.len());
        server.write(&models(&request["id"], "b"));
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
}

#[test]
fn a_server_that_writes_much_before_it_reads_stops_nothing() {
    let (client, mut server) = connect();
    let mut told = client.subscribe();
    let long = "x".repeat(24 << 20);
    thread::scope(|scope| {
        // Both directions are full at the same time.
        let called = scope.spawn(|| call(&client, &long));
        let much = diff_of("t", "u", &"y".repeat(1 << 20));
        for _ in 0..32 {
            server.write(&much);
        }
        for _ in 0..32 {
            assert_eq!(next(&mut told).len(), 1 << 20);
        }
        let request = server.read();
        server.write(&models(&request["id"], "b"));
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
}

#[test]
fn closing_closes_the_socket_in_order() {
    let (client, mut server) = connect();
    let closing = thread::spawn(move || {
        client.close();
        client.end_reason()
    });
    assert!(matches!(server.0.read().unwrap(), Message::Close(_)));
    assert!(matches!(server.0.read(), Err(tungstenite::Error::ConnectionClosed)));
    drop(server);
    assert_eq!(closing.join().unwrap().as_deref(), Some("the server closed the connection"));
}

#[test]
fn dropping_the_client_ends_the_socket_at_once() {
    let (client, mut server) = connect();
    drop(client);
    assert_eq!(server.0.get_mut().read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn calls_end_with_the_reason_when_the_server_closes_or_goes() {
    for orderly in [true, false] {
        let (client, mut server) = connect();
        thread::scope(|scope| {
            let called = scope.spawn(|| call(&client, "a"));
            server.read();
            if orderly {
                server.0.close(None).unwrap();
            }
            drop(server);
            let Err(CallError::Closed { reason }) = called.join().unwrap() else { panic!("closed") };
            assert_eq!(reason == "the server closed the connection", orderly, "{reason}");
        });
    }
}

#[test]
fn a_message_over_the_limit_ends_the_connection_with_the_reason() {
    let (listener, url) = listen();
    let serving = thread::spawn(move || {
        let mut server = accept(listener.accept().unwrap().0).unwrap();
        server.greet();
        server.write(&diff_of("t", "u", &"x".repeat(2_000)));
        server
    });
    let limits = Limits::default().with_incoming(1_000);
    let client = builder().limits(limits).connect_websocket(&url, Some(TOKEN)).unwrap();
    let reason = client.ended_timeout(PATIENCE).unwrap();
    assert!(reason.contains("too"), "{reason}");
    drop(serving.join().unwrap());
}

#[test]
fn a_connection_that_is_refused_says_why_and_never_the_token() {
    let (listener, url) = listen();
    let refusing = thread::spawn(move || {
        for _ in 0..2 {
            assert!(accept(listener.accept().unwrap().0).is_none());
        }
    });
    for token in [None, Some("another-token")] {
        let error = builder().connect_websocket(&url, token).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("401") && text.contains(&url) && !text.contains("another-token"), "{text}");
    }
    refusing.join().unwrap();
    for (url, token) in [("wss://127.0.0.1:1", None), ("http//", None), (url.as_str(), Some("a\nb"))] {
        let error = builder().connect_websocket(url, token).unwrap_err();
        assert!(matches!(error, ConnectError::Connect { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("a\nb"));
    }
}

#[test]
fn a_server_that_never_answers_the_handshake_is_given_up_in_time() {
    let (listener, url) = listen();
    let (done, waited) = channel::<()>();
    let silent = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        waited.recv_timeout(PATIENCE).unwrap();
        let mut request = Vec::new();
        // To the end: the client's thread let the socket go.
        stream.read_to_end(&mut request).unwrap();
    });
    let error = builder().handshake_limit(Duration::from_millis(30)).connect_websocket(&url, None).unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error:?}");
    done.send(()).unwrap();
    silent.join().unwrap();
}

#[test]
fn a_unix_socket_speaks_websocket_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = thread::spawn(move || {
        let mut server = Server(tungstenite::accept(listener.accept().unwrap().0).unwrap());
        server.greet();
        let request = server.read();
        server.write(&models(&request["id"], "b"));
        // The end comes with the client's.
        assert!(server.0.read().is_err());
    });
    let client = builder().connect_unix(&path).unwrap();
    assert_eq!(call(&client, "a").unwrap(), "b");
    drop(client);
    serving.join().unwrap();
    let error = builder().connect_unix(folder.path().join("none")).unwrap_err();
    assert!(matches!(error, ConnectError::Connect { .. }), "{error:?}");
}
