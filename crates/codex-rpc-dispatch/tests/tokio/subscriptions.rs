//! Subscriptions: what they see, what they leave out, how they end.

use codex_rpc::types::{TextUserInput, TurnStartParams, UserInput};
use codex_rpc_dispatch::tokio::{Buffer, Delivery};
use codex_rpc_testkit::fixtures;
use serde_json::json;

use super::peer::{Peer, archived, calling, delta, models, next, pair, short, soon};

#[tokio::test]
async fn what_a_request_causes_is_seen_by_a_subscription_made_before_it() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe_thread("t");
    let params = TurnStartParams::new("t", vec![UserInput::from(TextUserInput::new("hi"))]);
    let call = client.turn_start(params);
    let server = async {
        let request = peer.asked("turn/start").await;
        let started = fixtures::notification("turn/started", &json!({"threadId": "t", "turn": {"id": "u"}}));
        peer.say(started).await;
        peer.say(delta("t", "u", "early")).await;
        peer.say(fixtures::response("turn/start", request["id"].clone(), &json!({"turn": {"id": "u"}}))).await;
        peer.say(delta("t", "u", "late")).await;
    };
    let (turn, ()) = soon(Box::pin(async { tokio::join!(call, server) })).await;
    let mut told = {
        assert_eq!(turn.expect("a turn").turn.id, "u");
        assert_eq!(next(&mut told).await, "turn/started");
        told.only_turn("u")
    };
    assert_eq!(next(&mut told).await, "delta early");
    assert_eq!(next(&mut told).await, "delta late");
}

#[tokio::test]
async fn a_thread_s_subscription_sees_its_thread_and_one_to_all_sees_everything() {
    let (client, mut peer) = pair().await;
    let (mut all, mut one, mut two) = (client.subscribe(), client.subscribe_thread("1"), client.subscribe_thread("2"));
    peer.say(archived("1")).await;
    peer.say(json!({"method": "warning", "params": {"message": "of no thread"}})).await;
    peer.say(delta("2", "u", "x")).await;
    peer.say("garbage").await;
    for expected in ["archived 1", "warning", "delta x", "Garbage"] {
        assert_eq!(next(&mut all).await, expected);
    }
    drop(peer);
    for (told, expected) in [(&mut one, "archived 1"), (&mut two, "delta x"), (&mut all, "end")] {
        assert_eq!(next(told).await, expected);
    }
    assert_eq!((next(&mut one).await, next(&mut two).await), ("end".to_owned(), "end".to_owned()));
}

#[tokio::test]
async fn only_turn_leaves_out_other_turns_also_of_what_waits_already() {
    let (client, mut peer) = pair().await;
    let (told, mut turn) = (client.subscribe_thread("t"), client.subscribe_turn("t", "b"));
    for (turn, text) in [("a", "1"), ("b", "2"), ("a", "3")] {
        peer.say(delta("t", turn, text)).await;
    }
    peer.say(archived("t")).await;
    peer.goes_on(&client).await;
    let mut told = told.only_turn("b");
    peer.say(delta("t", "a", "4")).await;
    peer.say(delta("t", "b", "5")).await;
    for told in [&mut told, &mut turn] {
        assert_eq!(next(told).await, "delta 2");
        assert_eq!(next(told).await, "delta 5");
    }
}

#[tokio::test]
async fn what_a_turn_s_subscription_leaves_out_makes_room_for_the_reader() {
    let (client, peer) = pair().await;
    let mut told = client.subscribe_thread_with("t", Buffer::waiting(1)).only_turn("b");
    let Peer { mut to_client, .. } = peer;
    for n in 0..100 {
        to_client.say(delta("t", "a", &n.to_string())).await;
    }
    to_client.say(delta("t", "b", "own")).await;
    assert_eq!(next(&mut told).await, "delta own");
}

#[tokio::test]
async fn a_subscription_ends_after_what_it_holds() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    for n in 0..3 {
        peer.say(archived(&n.to_string())).await;
    }
    peer.goes_on(&client).await;
    let (client, mut told) = {
        let closing = tokio::spawn(async move {
            client.close().await;
            client
        });
        assert_eq!(peer.from_client.rest().await.len(), 0);
        drop(peer);
        let client = soon(closing).await.expect("no panic");
        for n in 0..3 {
            assert_eq!(next(&mut told).await, format!("archived {n}"));
        }
        (client, told)
    };
    assert_eq!(next(&mut told).await, "end");
    assert_eq!(next(&mut told).await, "end");
    // One that comes too late has nothing to wait for.
    assert_eq!(next(&mut client.subscribe()).await, "end");
    assert_eq!(next(&mut client.subscribe_thread("t")).await, "end");
}

#[tokio::test]
async fn a_subscription_that_waits_for_more_ends_with_the_client() {
    let (client, _peer) = pair().await;
    let mut told = client.subscribe();
    let waiting = tokio::spawn(async move { soon(told.next()).await.is_none() });
    tokio::task::yield_now().await;
    drop(client);
    assert!(soon(waiting).await.expect("no panic"));
}

#[tokio::test]
async fn a_delivery_is_not_lost_with_a_future_that_is_dropped() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe_with(Buffer::waiting(1));
    for n in 0..50 {
        {
            // Waits, is woken, and is dropped without being asked again.
            let mut waiting = std::pin::pin!(told.next());
            let pending =
                std::future::poll_fn(|context| std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending()));
            assert!(pending.await);
            peer.say(archived(&n.to_string())).await;
            peer.goes_on(&client).await;
        }
        assert_eq!(next(&mut told).await, format!("archived {n}"));
    }
}

#[tokio::test]
async fn every_subscription_has_its_own_buffer() {
    let (client, mut peer) = pair().await;
    let mut small = client.subscribe_with(Buffer::dropping(2));
    let mut large = client.subscribe_with(Buffer::dropping(100));
    let mut none = client.subscribe_with(Buffer::dropping(0));
    for n in 0..5 {
        peer.say(archived(&n.to_string())).await;
    }
    peer.goes_on(&client).await;
    for expected in ["lagged 3", "archived 3", "archived 4"] {
        assert_eq!(next(&mut small).await, expected);
    }
    for n in 0..5 {
        assert_eq!(next(&mut large).await, format!("archived {n}"));
    }
    assert_eq!((next(&mut none).await, next(&mut none).await), ("lagged 4".to_owned(), "archived 4".to_owned()));
}

#[tokio::test]
async fn a_message_is_shared_and_not_copied_for_each_subscription() {
    let (client, mut peer) = pair().await;
    let mut told = [client.subscribe(), client.subscribe_thread("t")];
    peer.say(archived("t")).await;
    let mut messages = Vec::new();
    for told in &mut told {
        match soon(told.next()).await {
            Some(Delivery::Notification(message)) => messages.push(message),
            other => panic!("{:?}", other.as_ref().map(short)),
        }
    }
    assert!(std::sync::Arc::ptr_eq(&messages[0], &messages[1]));
    let call = calling(&client, "own");
    let request = peer.asked("model/list").await;
    peer.say(models(&request)).await;
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
}
