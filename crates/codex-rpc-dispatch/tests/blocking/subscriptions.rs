use std::thread;
use std::time::Duration;

use codex_rpc::requests::ModelList;
use codex_rpc::types::ModelListParams;
use codex_rpc_dispatch::CallError;
use codex_rpc_dispatch::blocking::{Buffer, CallOptions, Subscription};
use serde_json::json;

use crate::peer::{PATIENCE, builder, call, connect, next, text};

/// Calls, so that everything before the answer has been delivered.
fn sync(client: &codex_rpc_dispatch::blocking::Client, peer: &mut crate::peer::Peer) {
    thread::scope(|scope| {
        let called = scope.spawn(|| call(client, "a"));
        let request = peer.read();
        peer.answer(&request, "b");
        called.join().unwrap().unwrap();
    });
}

#[test]
fn a_full_buffer_drops_the_oldest_and_says_how_many() {
    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe_with(Buffer::dropping(3));
    (0..10).for_each(|count| peer.tell("t", "u", &count.to_string()));
    sync(&client, &mut peer);
    let seen: Vec<String> = std::iter::from_fn(|| told.try_next()).map(|delivery| text(&delivery)).collect();
    assert_eq!(seen, ["7 lost", "7", "8", "9"]);
    peer.tell("t", "u", "10");
    assert_eq!(next(&mut told), "10");
}

#[test]
fn a_full_buffer_that_waits_loses_nothing_and_holds_the_connection_up() {
    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe_with(Buffer::waiting(2));
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let request = peer.read();
        (0..100).for_each(|count| peer.tell("t", "u", &count.to_string()));
        peer.answer(&request, "b");
        // The answer stands behind what nobody takes.
        let short = CallOptions::default().with_time_limit(Duration::from_millis(50));
        let error = client.call_with::<ModelList>(&ModelListParams::new(), &short).unwrap_err();
        assert!(matches!(error, CallError::TimedOut { .. }), "{error:?}");
        assert!(!called.is_finished());
        for count in 0..100 {
            assert_eq!(next(&mut told), count.to_string());
        }
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
}

#[test]
fn dropping_a_full_subscription_lets_the_connection_go_on() {
    let (client, mut peer) = connect(builder());
    let told = client.subscribe_with(Buffer::waiting(1));
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let request = peer.read();
        (0..10).for_each(|count| peer.tell("t", "u", &count.to_string()));
        peer.answer(&request, "b");
        // So that the reader waits by now.
        let short = CallOptions::default().with_time_limit(Duration::from_millis(50));
        assert!(client.call_with::<ModelList>(&ModelListParams::new(), &short).is_err());
        drop(told);
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
}

#[test]
fn dropping_the_client_frees_a_reader_that_waits_for_room() {
    let (client, mut peer) = connect(builder());
    let told = client.subscribe_with(Buffer::waiting(1));
    (0..10).for_each(|count| peer.tell("t", "u", &count.to_string()));
    drop(client);
    assert!(told.count() <= 1);
    drop(peer);
}

#[test]
fn what_waits_can_be_taken_after_the_end_and_a_later_subscription_ends_at_once() {
    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe();
    assert_eq!(told.try_next().map(|delivery| text(&delivery)), None);
    assert!(told.next_timeout(Duration::from_millis(1)).is_err());
    peer.tell("t", "u", "1");
    peer.tell("t", "u", "2");
    drop(peer);
    client.ended();
    let seen: Vec<String> = told.by_ref().map(|delivery| text(&delivery)).collect();
    assert_eq!(seen, ["1", "2"]);
    assert!(told.next().is_none());
    assert!(client.subscribe().next().is_none());
    assert!(client.subscribe_thread("t").next_timeout(PATIENCE).unwrap().is_none());
}

#[test]
fn a_subscription_to_a_thread_has_that_thread_and_can_be_narrowed_to_a_turn_afterwards() {
    let (client, mut peer) = connect(builder());
    let thread = client.subscribe_thread("t");
    let turn = client.subscribe_turn("t", "u");
    let narrowed = client.subscribe_thread("t");
    let all = client.subscribe();
    let other = client.subscribe_thread("other");
    peer.tell("t", "u", "1");
    peer.tell("t", "v", "2");
    peer.tell("other", "u", "3");
    peer.write(&json!({"method": "moon/risen", "params": {"threadId": "t", "turnId": "u"}}));
    peer.raw(b"garbage\n");
    peer.tell("t", "u", "4");
    sync(&client, &mut peer);
    drop((client, peer));
    let seen = |told: Subscription| told.map(|delivery| text(&delivery)).collect::<Vec<_>>();
    assert_eq!(seen(narrowed.only_turn("v")), ["2"]);
    assert_eq!(seen(thread), ["1", "2", "moon/risen", "4"]);
    assert_eq!(seen(turn), ["1", "moon/risen", "4"]);
    assert_eq!(seen(all), ["1", "2", "3", "moon/risen", "Garbage", "4"]);
    assert_eq!(seen(other), ["3"]);
}
