use std::thread;
use std::time::Duration;

use codex_rpc::notifications::{Initialized, TurnDiffUpdated};
use codex_rpc::requests::ModelList;
use codex_rpc::types::{ModelListParams, ServerDiagnosticsParams, TurnDiffUpdatedNotification};
use codex_rpc::{ErrorCode, NoParams};
use codex_rpc_dispatch::blocking::CallOptions;
use codex_rpc_dispatch::{Backoff, CallError, Limits};
use serde_json::json;

use crate::peer::{Peer, builder, call, connect, next};

#[test]
fn an_answer_reaches_its_call() {
    let (client, mut peer) = connect(builder());
    assert_eq!(client.server().codex_home.to_string(), "/codex");
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let request = peer.read();
        assert_eq!((&request["method"], &request["params"]), (&json!("model/list"), &json!({"cursor": "a"})));
        assert_eq!(client.pending(), 1);
        peer.answer(&request, "b");
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
    assert_eq!(client.pending(), 0);
}

#[test]
fn an_error_answer_is_its_calls_error() {
    let (client, mut peer) = connect(builder());
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let id = peer.read()["id"].clone();
        peer.write(&json!({"id": id, "error": {"code": -32600, "message": "no", "data": {"x": 1}}}));
        let Err(CallError::Rpc(error)) = called.join().unwrap() else { panic!("refused") };
        assert_eq!((error.code, error.message.as_str()), (ErrorCode::INVALID_REQUEST, "no"));
    });
}

#[test]
fn answers_out_of_order_reach_their_calls() {
    const CALLERS: usize = 8;
    const CALLS: usize = 200;
    let (client, mut peer) = connect(builder());
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let client = client.clone();
            scope.spawn(move || {
                for count in 0..CALLS {
                    let cursor = format!("{caller}-{count}");
                    assert_eq!(call(&client, &cursor).unwrap(), cursor);
                }
            });
        }
        for _ in 0..CALLS {
            let mut requests: Vec<_> = (0..CALLERS).map(|_| peer.read()).collect();
            requests.reverse();
            for request in requests {
                peer.answer(&request, request["params"]["cursor"].as_str().unwrap());
            }
        }
    });
    assert_eq!(client.pending(), 0);
}

#[test]
fn a_malformed_answer_costs_only_its_call() {
    let (client, mut peer) = connect(builder());
    for broken in [r#""result": {"data": 7}"#, r#""result": {}, "error": {"code": 1, "message": "m"}"#, r#""x": 1"#] {
        thread::scope(|scope| {
            let first = scope.spawn(|| call(&client, "a"));
            let broken_id = peer.read()["id"].clone();
            let second = scope.spawn(|| call(&client, "b"));
            let request = peer.read();
            peer.raw(format!("{{\"id\": {broken_id}, {broken}}}\n").as_bytes());
            peer.answer(&request, "c");
            assert_eq!(second.join().unwrap().unwrap(), "c");
            let error = first.join().unwrap().unwrap_err();
            assert!(matches!(error, CallError::Malformed(_)), "{broken}: {error:?}");
        });
    }
}

#[test]
fn garbage_blank_lines_and_invalid_utf8_cost_nothing() {
    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe();
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let request = peer.read();
        peer.raw(b"garbage\n\n  \r\n{\"method\": \"\xff\"}\n[]\n");
        peer.answer(&request, "b");
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
    peer.tell("t", "u", "after");
    let seen: Vec<String> = (0..4).map(|_| next(&mut told)).collect();
    assert_eq!(seen, ["Garbage", "Garbage", "Garbage", "after"]);
}

#[test]
fn a_line_over_the_limit_costs_only_itself() {
    let (client, mut peer) = connect(builder().limits(Limits::default().with_incoming(1_000).with_outgoing(1_000)));
    let mut told = client.subscribe();
    peer.tell("t", "u", &"x".repeat(2_000));
    peer.tell("t", "u", "after");
    assert_eq!([next(&mut told), next(&mut told)], ["TooLong", "after"]);
    let error = call(&client, &"x".repeat(2_000)).unwrap_err();
    assert!(matches!(error, CallError::Unsendable(_)), "{error:?}");
}

#[test]
fn a_call_that_is_not_answered_in_time_ends_and_its_late_answer_is_passed_over() {
    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe();
    let options = CallOptions::default().with_time_limit(Duration::from_millis(20));
    let error = client.call_with::<ModelList>(&ModelListParams::new(), &options).unwrap_err();
    assert!(matches!(error, CallError::TimedOut { .. }), "{error:?}");
    assert_eq!(client.pending(), 0);
    let late = peer.read();
    peer.answer(&late, "late");
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let request = peer.read();
        peer.answer(&request, "b");
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
    assert_eq!(next(&mut told), "UnexpectedAnswer");
}

fn overload(peer: &mut Peer) {
    let id = peer.read()["id"].clone();
    peer.write(&json!({"id": id, "error": {"code": -32001, "message": "Server overloaded; retry later."}}));
}

#[test]
fn an_overloaded_server_is_called_again_as_often_as_was_said() {
    let (client, mut peer) = connect(builder());
    let options = CallOptions::default().with_retry(Backoff::new(2).with_first(Duration::from_millis(1)));
    thread::scope(|scope| {
        let again = || client.call_with::<ModelList>(&ModelListParams::new(), &options);
        let called = scope.spawn(again);
        (0..3).for_each(|_| overload(&mut peer));
        assert!(called.join().unwrap().unwrap_err().is_overloaded());

        let called = scope.spawn(again);
        (0..2).for_each(|_| overload(&mut peer));
        let request = peer.read();
        peer.answer(&request, "a");
        assert_eq!(called.join().unwrap().unwrap().next_cursor.as_deref(), Some("a"));

        // Nothing else is repeated, and nothing is without being asked for.
        let called = scope.spawn(again);
        let id = peer.read()["id"].clone();
        peer.write(&json!({"id": id, "error": {"code": -32603, "message": "no"}}));
        assert!(matches!(called.join().unwrap(), Err(CallError::Rpc(_))));
        let called = scope.spawn(|| call(&client, "a"));
        overload(&mut peer);
        assert!(called.join().unwrap().unwrap_err().is_overloaded());
    });
    drop(client);
    peer.tell("t", "u", "so that the reader returns");
    assert_eq!(peer.line(), None, "there was no other request");
}

#[test]
fn the_end_of_the_connection_ends_the_wait_before_another_attempt() {
    let (client, mut peer) = connect(builder());
    let hour = Duration::from_secs(3_600);
    let options = CallOptions::default().with_retry(Backoff::new(2).with_first(hour).with_longest(hour));
    thread::scope(|scope| {
        let called = scope.spawn(|| client.call_with::<ModelList>(&ModelListParams::new(), &options));
        overload(&mut peer);
        drop(peer);
        let error = called.join().unwrap().unwrap_err();
        assert!(matches!(error, CallError::Closed { .. }), "{error:?}");
    });
}

#[test]
fn a_call_waits_no_longer_than_its_limit_for_a_server_that_never_reads() {
    let (client, mut peer) = connect(builder().write_queue(1).time_limit(Some(Duration::from_millis(50))));
    let long = "x".repeat(4 << 20);
    // The first is being written, the second waits in the queue, the third for room.
    for _ in 0..3 {
        let error = call(&client, &long).unwrap_err();
        assert!(matches!(error, CallError::TimedOut { .. }), "{error:?}");
    }
    let error = client.notify::<Initialized>(&NoParams::new()).unwrap_err();
    assert!(matches!(error, CallError::TimedOut { .. }), "{error:?}");
    assert_eq!(error.to_string(), "initialized was not answered in time");
    assert_eq!(client.pending(), 0);
    // What was queued is whole when it is read at last.
    let cursors: Vec<usize> = (0..2).map(|_| peer.read()["params"]["cursor"].as_str().unwrap().len()).collect();
    assert_eq!(cursors, [long.len(), long.len()]);
}

#[test]
fn what_can_not_be_sent_is_refused_and_takes_no_room() {
    let (client, mut peer) = connect(builder().write_queue(1));
    for _ in 0..3 {
        let error = client.server_diagnostics(ServerDiagnosticsParams::new()).unwrap_err();
        assert!(matches!(error, CallError::ExperimentalApiNeeded { .. }), "{error:?}");
        let params = TurnDiffUpdatedNotification::new("t", "u", "d");
        let error = client.notify::<TurnDiffUpdated>(&params).unwrap_err();
        assert!(matches!(error, CallError::Unsendable(_)), "{error:?}");
    }
    client.notify::<Initialized>(&NoParams::new()).unwrap();
    assert_eq!(peer.read(), json!({"method": "initialized"}));
}
