use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use codex_rpc_dispatch::blocking::{CallOptions, ConnectError, Handler};
use codex_rpc_dispatch::{CallError, HandshakeError};
use serde_json::json;

use crate::peer::{PATIENCE, Peer, builder, call, connect, connect_over, greeting, next};

const CLOSED: &str = "the server closed the connection";

#[test]
fn calls_end_with_the_reason_when_the_server_goes() {
    let (client, mut peer) = connect(builder());
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        peer.read();
        assert_eq!(client.end_reason(), None);
        assert_eq!(client.ended_timeout(Duration::from_millis(1)), None);
        drop(peer);
        let Err(CallError::Closed { reason }) = called.join().unwrap() else { panic!("closed") };
        assert_eq!(reason, CLOSED);
    });
    assert_eq!(client.ended(), CLOSED);
    assert_eq!(client.end_reason().as_deref(), Some(CLOSED));
    let Err(CallError::Closed { reason }) = call(&client, "b") else { panic!("closed") };
    assert_eq!(reason, CLOSED);
    assert!(matches!(
        client.notify::<codex_rpc::notifications::Initialized>(&codex_rpc::NoParams::new()),
        Err(CallError::Closed { .. })
    ));
}

#[test]
fn a_message_without_a_line_break_at_the_end_of_the_stream_counts_and_half_of_one_does_not() {
    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe();
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let id = peer.read()["id"].clone();
        peer.raw(json!({"id": id, "result": {"data": [], "nextCursor": "whole"}}).to_string().as_bytes());
        drop(peer);
        assert_eq!(called.join().unwrap().unwrap(), "whole");
    });
    assert_eq!(next(&mut told), "the end");

    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe();
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let id = peer.read()["id"].clone();
        peer.raw(format!("{{\"id\": {id}, \"result\": {{\"da").as_bytes());
        drop(peer);
        assert!(matches!(called.join().unwrap(), Err(CallError::Closed { .. })));
    });
    assert_eq!([next(&mut told), next(&mut told)], ["Garbage", "the end"]);
}

/// Closes the server's input when it is dropped, and says so.
struct Input {
    socket: UnixStream,
    dropped: Sender<()>,
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        let _ = self.dropped.send(());
    }
}

#[test]
fn closing_closes_the_servers_input_and_takes_what_it_still_says() {
    let (socket, peer) = Peer::pair();
    let reader = socket.try_clone().unwrap();
    let input = Input { socket, dropped: channel().0 };
    let (client, mut peer) = connect_over(builder(), reader, input, peer);
    thread::scope(|scope| {
        let called = scope.spawn({
            let client = client.clone();
            move || call(&client, "a")
        });
        let request = peer.read();
        let closing = scope.spawn({
            let client = client.clone();
            move || client.close()
        });
        assert_eq!(peer.line(), None, "the server's input is closed");
        assert!(matches!(call(&client, "b"), Err(CallError::Closed { .. })), "nothing more is sent");
        peer.answer(&request, "c");
        assert_eq!(called.join().unwrap().unwrap(), "c");
        drop(peer);
        closing.join().unwrap();
        assert_eq!(client.end_reason().as_deref(), Some(CLOSED));
    });
}

#[test]
fn closing_comes_back_from_a_server_that_never_reads_and_never_ends() {
    let (client, peer) = connect(builder().write_queue(1));
    let limit = CallOptions::default().with_time_limit(Duration::from_millis(20));
    let params = codex_rpc::types::ModelListParams::new().cursor("x".repeat(4 << 20));
    for _ in 0..2 {
        assert!(client.call_with::<codex_rpc::requests::ModelList>(&params, &limit).is_err());
    }
    client.close();
    assert_eq!(client.end_reason().as_deref(), Some("the client closed the connection"));
    drop(peer);
}

struct Kept(#[expect(dead_code, reason = "it is there to be dropped")] Arc<()>);

impl Handler for Kept {}

#[test]
fn a_reader_that_is_stuck_keeps_nothing_else_alive() {
    let (socket, peer) = Peer::pair();
    let reader = socket.try_clone().unwrap();
    let (dropped, writer_dropped) = channel();
    let kept = Arc::new(());
    let watched: Weak<()> = Arc::downgrade(&kept);
    let (client, peer) = connect_over(builder().handler(Kept(kept)), reader, Input { socket, dropped }, peer);
    let mut told = client.subscribe();
    drop(client);
    assert_eq!(next(&mut told), "the end");
    writer_dropped.recv_timeout(PATIENCE).expect("the writer is dropped");
    // The threads let go within a moment. The peer is still there, so one still reads.
    let late = Instant::now() + PATIENCE;
    while watched.upgrade().is_some() {
        assert!(Instant::now() < late, "the handler is still there");
        thread::yield_now();
    }
    drop(peer);
}

#[test]
fn dropping_the_last_client_ends_subscriptions() {
    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe();
    let other = client.clone();
    drop(client);
    peer.tell("t", "u", "still");
    assert_eq!(next(&mut told), "still");
    drop(other);
    assert_eq!(next(&mut told), "the end");
}

/// Reads until it is told to panic.
struct Panics(UnixStream);

impl Read for Panics {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        assert!(!buffer[..count].starts_with(b"panic"), "as the test wants");
        Ok(count)
    }
}

#[test]
fn a_reader_that_panics_ends_the_connection() {
    let (socket, peer) = Peer::pair();
    let reader = Panics(socket.try_clone().unwrap());
    let (client, mut peer) = connect_over(builder(), reader, socket, peer);
    thread::scope(|scope| {
        let called = scope.spawn({
            let client = client.clone();
            move || call(&client, "a")
        });
        peer.read();
        peer.raw(b"panic\n");
        let Err(CallError::Closed { reason }) = called.join().unwrap() else { panic!("closed") };
        assert_eq!(reason, "the reader or the writer panicked");
    });
}

#[test]
fn a_server_that_can_not_be_written_to_ends_the_connection() {
    struct Broken(UnixStream, usize);
    impl Write for Broken {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.1 == 0 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.1 -= 1;
            self.0.write_all(bytes).map(|()| bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (socket, peer) = Peer::pair();
    let reader = socket.try_clone().unwrap();
    let (client, _peer) = connect_over(builder(), reader, Broken(socket, 2), peer);
    let Err(CallError::Closed { reason }) = call(&client, "a") else { panic!("closed") };
    assert_eq!(reason, "the server can't be written to: broken pipe");
}

#[test]
fn a_handshake_that_fails_says_why() {
    let shake = |answer: &str, limit: Duration| {
        let (socket, mut peer) = Peer::pair();
        let reader = socket.try_clone().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(move || {
                peer.read();
                peer.raw(answer.as_bytes());
                // Gone with an empty answer only.
                if answer.is_empty() { None } else { Some(peer) }
            });
            let outcome = builder().handshake_limit(limit).connect(reader, socket).unwrap_err();
            waiting.join().unwrap();
            outcome
        })
    };
    let refused = shake("{\"id\": 0, \"error\": {\"code\": -32600, \"message\": \"no\"}}\n", PATIENCE);
    assert!(matches!(&refused, ConnectError::Handshake(HandshakeError::Refused(_))), "{refused:?}");
    let malformed = shake("{\"id\": 0, \"result\": 7}\n", PATIENCE);
    assert!(matches!(&malformed, ConnectError::Handshake(HandshakeError::Malformed(_))), "{malformed:?}");
    let silent = shake("\n", Duration::from_millis(20));
    assert!(matches!(&silent, ConnectError::TimedOut { .. }), "{silent:?}");
    let gone = shake("", PATIENCE);
    assert!(matches!(&gone, ConnectError::Closed { reason } if reason == CLOSED), "{gone:?}");
}

#[test]
fn what_comes_with_the_handshakes_answer_is_not_lost() {
    let (socket, mut peer) = Peer::pair();
    let reader = socket.try_clone().unwrap();
    thread::scope(|scope| {
        let server = scope.spawn(|| {
            let id = peer.read()["id"].clone();
            let asked = json!({"method": "moon/ask", "id": "early"});
            let greeted = json!({"id": id, "result": greeting()});
            let after = json!({"method": "moon/ask", "id": "behind"});
            peer.raw(format!("{asked}\n{greeted}\n{after}\n").as_bytes());
            [peer.read(), peer.read(), peer.read()]
        });
        let client = builder().connect(reader, socket).unwrap();
        let [initialized, early, behind] = server.join().unwrap();
        assert_eq!(initialized, json!({"method": "initialized"}));
        assert_eq!((&early["id"], &early["error"]["code"]), (&json!("early"), &json!(-32601)));
        assert_eq!((&behind["id"], &behind["error"]["code"]), (&json!("behind"), &json!(-32601)));
        drop(client);
    });
}
