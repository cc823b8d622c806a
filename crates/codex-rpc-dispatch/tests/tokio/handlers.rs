//! Handlers: they may call the client, wait, panic, and never end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use codex_rpc::RpcError;
use codex_rpc::notifications::{ItemAgentMessageDelta, ThreadArchived};
use codex_rpc::server_requests::{CurrentTimeRead, ItemCommandExecutionRequestApproval};
use codex_rpc::types::{
    CommandExecutionApprovalDecision, CommandExecutionRequestApprovalParams, CommandExecutionRequestApprovalResponse,
    ThreadArchivedNotification,
};
use codex_rpc_dispatch::tokio::{Buffer, Context, Handler, Router, RouterBuilder};
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use super::peer::{approval, archived, builder, calling, connect, delta, list, models, pair, soon};

fn accept() -> CommandExecutionRequestApprovalResponse {
    CommandExecutionRequestApprovalResponse::new(CommandExecutionApprovalDecision::Accept)
}

/// A router that handles approvals so.
fn approving<F>(
    handler: impl Fn(CommandExecutionRequestApprovalParams, Context) -> F + Send + Sync + 'static,
) -> RouterBuilder
where
    F: Future<Output = Result<CommandExecutionRequestApprovalResponse, RpcError>> + Send + 'static,
{
    Router::builder().on::<ItemCommandExecutionRequestApproval, _, _>(handler)
}

/// Tells on its drop.
struct Guard(mpsc::UnboundedSender<&'static str>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

#[tokio::test]
async fn a_handler_may_call_the_client() {
    let router = approving(|_, context| async move {
        let client = context.client().expect("the client is there");
        assert_eq!(list(&client, "inside").await.as_deref(), Ok("inside"));
        Ok(accept())
    });
    let (client, mut peer) = connect(builder().router(router.build())).await;
    peer.say(approval(0, "ls")).await;
    let inside = peer.asked("model/list").await;
    assert_eq!(inside["params"]["cursor"], "inside");
    peer.goes_on(&client).await;
    peer.say(models(&inside)).await;
    assert_eq!(peer.message().await, json!({"id": 0, "result": {"decision": "accept"}}));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_three_seconds_delays_nothing() {
    let router = approving(|_, _| async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(accept())
    });
    let (client, mut peer) = connect(builder().router(router.build())).await;
    let begin = tokio::time::Instant::now();
    peer.say(approval(0, "ls")).await;
    for _ in 0..10 {
        peer.goes_on(&client).await;
    }
    // Nor another request of the server.
    peer.say(json!({"method": "moon/rise", "id": 1})).await;
    assert_eq!(peer.message().await["id"], 1);
    assert_eq!(begin.elapsed(), Duration::ZERO, "the clock stands while something can be done");
    assert_eq!(peer.message().await, json!({"id": 0, "result": {"decision": "accept"}}));
    assert_eq!(begin.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn a_handler_that_panics_is_an_internal_error_without_the_text_of_the_panic() {
    let router = Router::builder()
        .on::<ItemCommandExecutionRequestApproval, _, _>(|params, _| async move {
            tokio::task::yield_now().await;
            panic!("hunter2 {:?}", params.command)
        })
        // Before there is a future.
        .on::<CurrentTimeRead, _, std::future::Ready<_>>(|_, _| panic!("hunter2"));
    let (client, mut peer) = connect(builder().router(router.build())).await;
    for request in [approval(0, "ls"), json!({"method": "currentTime/read", "id": 1, "params": {"threadId": "t"}})] {
        peer.say(&request).await;
        let answer = peer.message().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&request["id"], &json!(-32603)));
        assert!(!answer.to_string().contains("hunter2"), "{answer}");
        peer.goes_on(&client).await;
    }
}

#[tokio::test]
async fn a_handler_of_notifications_that_panics_costs_that_notification_only() {
    let (seen, mut handled) = mpsc::unbounded_channel();
    let router = Router::builder().on_notification::<ThreadArchived, _, _>(move |params, _| {
        let seen = seen.clone();
        assert_ne!(params.thread_id, "sync");
        async move {
            assert_ne!(params.thread_id, "async");
            seen.send(params.thread_id).expect("the test waits");
        }
    });
    let (client, mut peer) = connect(builder().router(router.build())).await;
    for thread in ["one", "sync", "two", "async", "three"] {
        peer.say(archived(thread)).await;
    }
    for expected in ["one", "two", "three"] {
        assert_eq!(soon(handled.recv()).await.as_deref(), Some(expected));
    }
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn a_handler_of_notifications_may_call_the_client() {
    let (seen, mut handled) = mpsc::unbounded_channel();
    let router = Router::builder().on_notification::<ThreadArchived, _, _>(move |params, context| {
        let seen = seen.clone();
        async move {
            let client = context.client().expect("the client is there");
            seen.send(list(&client, &params.thread_id).await).expect("the test waits");
        }
    });
    let (client, mut peer) = connect(builder().router(router.build())).await;
    peer.say(archived("t")).await;
    let inside = peer.asked("model/list").await;
    peer.goes_on(&client).await;
    peer.say(models(&inside)).await;
    assert_eq!(soon(handled.recv()).await, Some(Ok("t".to_owned())));
}

#[tokio::test]
async fn a_handler_that_never_ends_is_ended_when_the_client_is_dropped() {
    let (dropped, mut told) = mpsc::unbounded_channel();
    let requests = dropped.clone();
    let router = approving(move |_, _| {
        let guard = Guard(requests.clone());
        async move {
            guard.0.send("request").expect("the test waits");
            std::future::pending().await
        }
    })
    .on_notification::<ThreadArchived, _, _>(move |_, _| {
        let guard = Guard(dropped.clone());
        async move {
            guard.0.send("notification").expect("the test waits");
            std::future::pending::<()>().await;
        }
    });
    let (client, mut peer) = connect(builder().router(router.build())).await;
    peer.say(approval(0, "ls")).await;
    assert_eq!(soon(told.recv()).await, Some("request"));
    peer.say(archived("t")).await;
    assert_eq!(soon(told.recv()).await, Some("notification"));
    peer.goes_on(&client).await;
    drop(client);
    assert_eq!(soon(told.recv()).await, Some("dropped"));
    assert_eq!(soon(told.recv()).await, Some("dropped"));
    // The router went with the last task that had it.
    assert_eq!(soon(told.recv()).await, None);
}

#[tokio::test]
async fn handlers_of_notifications_see_what_came_before_the_end() {
    let (seen, mut handled) = mpsc::unbounded_channel();
    let gate = Arc::new(Notify::new());
    let open = Arc::clone(&gate);
    let router = Router::builder().on_notification::<ItemAgentMessageDelta, _, _>(move |params, _| {
        let (seen, gate) = (seen.clone(), Arc::clone(&gate));
        async move {
            gate.notified().await;
            seen.send(params.delta).expect("the test waits");
        }
    });
    let (client, mut peer) = connect(builder().router(router.build())).await;
    peer.say(delta("t", "u", "one")).await;
    peer.say(delta("t", "u", "two")).await;
    drop(peer);
    soon(client.ended()).await;
    for expected in ["one", "two"] {
        open.notify_one();
        assert_eq!(soon(handled.recv()).await.as_deref(), Some(expected));
    }
    assert_eq!(soon(handled.recv()).await, None, "then the task ends");
}

#[tokio::test]
async fn a_handler_that_holds_the_last_client_ends_the_connection_when_it_drops_it() {
    let gate = Arc::new(Notify::new());
    let (open, (entered, mut told)) = (Arc::clone(&gate), mpsc::unbounded_channel());
    let router = approving(move |_, context| {
        let (gate, entered) = (Arc::clone(&gate), entered.clone());
        async move {
            let client = context.client().expect("the client is there");
            entered.send(()).expect("the test waits");
            gate.notified().await;
            drop(client);
            assert!(context.client().is_none());
            Ok(accept())
        }
    });
    let (client, mut peer) = connect(builder().router(router.build())).await;
    peer.say(approval(0, "ls")).await;
    soon(told.recv()).await.expect("it is asked");
    drop(client);
    open.notify_one();
    // Nobody waits for the answer; there is an end.
    assert!(peer.from_client.rest().await.len() <= 1);
}

#[tokio::test]
async fn a_handler_as_a_type_is_asked_and_told_and_knows_the_request() {
    #[derive(Clone)]
    struct Mine(mpsc::UnboundedSender<String>);

    impl Handler for Mine {
        async fn item_command_execution_request_approval(
            &self,
            params: CommandExecutionRequestApprovalParams,
            context: Context,
        ) -> Result<CommandExecutionRequestApprovalResponse, RpcError> {
            self.0.send(format!("{:?} {:?}", context.request_id(), params.command)).expect("the test waits");
            Err(RpcError::new(-32000, "not today"))
        }

        async fn on_thread_archived(&self, params: ThreadArchivedNotification, context: Context) {
            self.0.send(format!("{:?} {}", context.request_id(), params.thread_id)).expect("the test waits");
        }
    }

    let (seen, mut handled) = mpsc::unbounded_channel();
    let (client, mut peer) = connect(builder().handler(Mine(seen))).await;
    peer.say(approval("a", "ls")).await;
    assert_eq!(peer.message().await, json!({"id": "a", "error": {"code": -32000, "message": "not today"}}));
    peer.say(archived("t")).await;
    assert_eq!(soon(handled.recv()).await.as_deref(), Some(r#"Some(String("a")) Some("ls")"#));
    assert_eq!(soon(handled.recv()).await.as_deref(), Some("None t"));
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn requests_are_handled_beside_each_other() {
    const REQUESTS: usize = 200;
    let (gate, arrived) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let router = {
        let (gate, arrived) = (Arc::clone(&gate), Arc::clone(&arrived));
        approving(move |_, _| {
            let (gate, arrived) = (Arc::clone(&gate), Arc::clone(&arrived));
            async move {
                let open = gate.notified();
                // The last one lets all of them go.
                if arrived.fetch_add(1, Ordering::SeqCst) + 1 == REQUESTS {
                    gate.notify_waiters();
                } else {
                    open.await;
                }
                Ok(accept())
            }
        })
    };
    let (_client, peer) = connect(builder().router(router.build())).await;
    let super::peer::Peer { mut from_client, mut to_client } = peer;
    for id in 0..REQUESTS {
        to_client.say(approval(id, "ls")).await;
    }
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..REQUESTS {
        ids.insert(from_client.message().await["id"].as_u64().expect("a number"));
    }
    assert_eq!(ids.len(), REQUESTS);
}

#[tokio::test]
async fn what_nobody_handles_is_declined_or_refused() {
    let (client, mut peer) = pair().await;
    peer.say(approval(0, "ls")).await;
    assert_eq!(peer.message().await, json!({"id": 0, "result": {"decision": "decline"}}));
    peer.say(json!({"method": "currentTime/read", "id": 1, "params": {"threadId": "t"}})).await;
    assert_eq!(peer.message().await["error"]["code"], -32601);
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn a_slow_handler_of_notifications_delays_neither_calls_nor_approvals() {
    let gate = Arc::new(Notify::new());
    let closed = Arc::clone(&gate);
    let router = Router::builder().on_notification::<ThreadArchived, _, _>(move |_, _| {
        let gate = Arc::clone(&closed);
        async move { gate.notified().await }
    });
    let builder = builder().router(router.build()).handler_buffer(Buffer::dropping(4));
    let (client, mut peer) = connect(builder).await;
    for n in 0..100 {
        peer.say(archived(&n.to_string())).await;
    }
    peer.say(approval(0, "ls")).await;
    assert_eq!(peer.message().await["id"], 0);
    peer.goes_on(&client).await;
    let call = calling(&client, "own");
    peer.answer_models().await;
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
    gate.notify_one();
    // A hundred came, four are kept, and how many were not is known.
    let counted = async {
        while client.notifications_missed() < 90 {
            tokio::task::yield_now().await;
        }
    };
    soon(counted).await;
}
