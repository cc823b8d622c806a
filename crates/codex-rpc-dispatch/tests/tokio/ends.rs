//! How a connection ends: closed, dropped, and with its runtime.

use codex_rpc_dispatch::tokio::ConnectError;
use serde_json::{Value, json};
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

use super::peer::{Peer, approval, builder, calling, list, next, pair, soon, until_pending};

#[tokio::test]
async fn closing_writes_what_is_queued_first() {
    let (client, mut peer) = pair().await;
    let calls: Vec<_> = (0..100).map(|n| calling(&client, &n.to_string())).collect();
    until_pending(&client, 100).await;
    let closing = tokio::spawn(async move { client.close().await });
    assert_eq!(peer.from_client.rest().await.len(), 100);
    drop(peer);
    soon(closing).await.expect("no panic");
    for call in calls {
        let error = soon(call).await.expect("no panic").expect_err("no answer");
        assert_eq!(error, "the connection ended: the server closed the connection");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_end_is_waited_for_two_seconds() {
    let (client, _peer) = pair().await;
    let begin = tokio::time::Instant::now();
    soon(client.close()).await;
    assert_eq!(begin.elapsed().as_secs(), 2);
    assert_eq!(client.end_reason().as_deref(), Some("the client closed the connection"));
    assert_eq!(
        soon(list(&client, "x")).await,
        Err("the connection ended: the client closed the connection".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn closing_that_is_given_up_ends_the_connection_all_the_same() {
    let (client, mut peer) = pair().await;
    let pending = calling(&client, "x");
    peer.asked("model/list").await;
    let closing = {
        let client = client.clone();
        tokio::spawn(async move { client.close().await })
    };
    assert_eq!(peer.from_client.rest().await, Vec::<Value>::new());
    closing.abort();
    assert_eq!(soon(client.ended()).await, "the client closed the connection");
    soon(pending).await.expect("no panic").expect_err("no answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_twice_at_the_same_time_waits_for_the_same_end() {
    let (client, mut peer) = pair().await;
    let closing: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                client.close().await;
                client.end_reason()
            })
        })
        .collect();
    assert_eq!(peer.from_client.rest().await, Vec::<Value>::new());
    drop(peer);
    for closing in closing {
        let reason = soon(closing).await.expect("no panic");
        assert_eq!(reason.as_deref(), Some("the server closed the connection"));
    }
    soon(client.close()).await;
}

#[tokio::test]
async fn dropping_the_client_closes_both_ends_and_leaves_no_task() {
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (client, mut peer) = pair().await;
    peer.say(approval(0, "ls")).await;
    peer.message().await;
    let told = client.subscribe();
    drop(client);
    assert_eq!(peer.from_client.rest().await, Vec::<Value>::new());
    drop(told);
    soon(async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn runtime() -> Runtime {
    RuntimeBuilder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

#[test]
fn a_client_may_be_dropped_outside_of_a_runtime() {
    let runtime = runtime();
    let (client, mut peer) = runtime.block_on(pair());
    drop(client);
    assert_eq!(runtime.block_on(peer.from_client.rest()), Vec::<Value>::new());
}

#[test]
fn a_runtime_of_one_thread_that_stands_still_does_not_keep_a_drop_waiting() {
    let runtime = RuntimeBuilder::new_current_thread().enable_all().build().expect("a runtime");
    let (client, peer) = runtime.block_on(pair());
    drop(client);
    drop(runtime);
    drop(peer);
}

#[test]
fn calls_and_subscriptions_end_when_the_runtime_of_the_connection_is_shut_down() {
    let (theirs, ours) = (runtime(), runtime());
    let (client, mut peer) = theirs.block_on(pair());
    let mut told = client.subscribe();
    let call = {
        let _inside = ours.enter();
        calling(&client, "x")
    };
    ours.block_on(peer.asked("model/list"));
    drop(theirs);
    let error = ours.block_on(soon(call)).expect("no panic").expect_err("no answer");
    assert_eq!(error, "the connection ended: the runtime of the connection was shut down");
    ours.block_on(async {
        assert_eq!(next(&mut told).await, "end");
        assert_eq!(soon(list(&client, "y")).await, Err(error));
        soon(client.close()).await;
    });
}

/// What comes to nothing.
async fn refused(line: Option<Value>) -> ConnectError {
    let (mut peer, from, to) = Peer::new(1_000);
    let server = async {
        peer.asked("initialize").await;
        match line {
            Some(line) => {
                peer.say(line).await;
                // The client closes its end.
                peer.from_client.rest().await;
            }
            None => drop(peer),
        }
    };
    let (client, ()) = soon(async { tokio::join!(builder().connect(from, to), server) }).await;
    client.expect_err("no client")
}

#[tokio::test]
async fn a_server_that_refuses_is_none_or_ends_gives_no_client() {
    let error = refused(Some(json!({"id": 0, "error": {"code": -32600, "message": "Already initialized"}}))).await;
    assert!(error.to_string().contains("Already initialized"), "{error}");
    let error = refused(Some(json!({"id": 0, "result": {"version": "1"}}))).await;
    assert!(matches!(error, ConnectError::Handshake(_)), "{error}");
    let error = refused(None).await;
    assert!(
        matches!(&error, ConnectError::Closed { reason } if reason == "the server closed the connection"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_initialize_gives_no_client_in_time() {
    let (mut peer, from, to) = Peer::new(1_000);
    let begin = tokio::time::Instant::now();
    let connecting = builder().handshake_limit(std::time::Duration::from_secs(4)).connect(from, to);
    let error = soon(connecting).await.expect_err("no client");
    assert!(matches!(error, ConnectError::TimedOut { limit } if limit.as_secs() == 4), "{error}");
    assert_eq!(begin.elapsed().as_secs(), 4);
    peer.asked("initialize").await;
    assert_eq!(peer.from_client.rest().await, Vec::<Value>::new());
}
