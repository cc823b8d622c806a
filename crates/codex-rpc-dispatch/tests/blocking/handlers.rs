use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use codex_rpc::notifications::TurnDiffUpdated;
use codex_rpc::server_requests::{CurrentTimeRead, ItemFileChangeRequestApproval};
use codex_rpc::types::{
    CurrentTimeReadParams, CurrentTimeReadResponse, FileChangeApprovalDecision, FileChangeRequestApprovalParams,
    FileChangeRequestApprovalResponse, TurnDiffUpdatedNotification,
};
use codex_rpc::{RpcError, UnrecognizedMethod};
use codex_rpc_dispatch::blocking::{Buffer, Context, Delivery, Handler, Router};
use serde_json::{Value, json};

use crate::peer::{PATIENCE, Peer, builder, call, connect, next};

fn approval(id: &str) -> Value {
    let params = json!({"threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 1});
    json!({"method": "item/fileChange/requestApproval", "id": id, "params": params})
}

fn time(id: &str) -> Value {
    json!({"method": "currentTime/read", "id": id, "params": {"threadId": "t"}})
}

fn accepted() -> FileChangeRequestApprovalResponse {
    FileChangeRequestApprovalResponse::new(FileChangeApprovalDecision::Accept)
}

#[test]
fn what_nobody_handles_is_declined_or_refused() {
    let (client, mut peer) = connect(builder());
    let mut told = client.subscribe();
    peer.write(&approval("a"));
    assert_eq!(peer.read(), json!({"id": "a", "result": {"decision": "decline"}}));
    peer.write(&time("b"));
    peer.write(&json!({"method": "moon/ask", "id": 7}));
    for (id, method) in [(json!("b"), "currentTime/read"), (json!(7), "moon/ask")] {
        let message = format!("this client has no handler for {method}");
        assert_eq!(peer.read(), json!({"id": id, "error": {"code": -32601, "message": message}}));
    }
    peer.write(&json!({"method": "item/fileChange/requestApproval", "id": "c", "params": {"threadId": 1}}));
    let refused = peer.read();
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!("c"), &json!(-32602)));
    assert_eq!(next(&mut told), "Request");
}

#[test]
fn a_server_that_asks_without_reading_the_answers_stops_nothing() {
    const REQUESTS: usize = 20_000;
    let (client, mut peer) = connect(builder().write_queue(1));
    let mut told = client.subscribe();
    for id in 0..REQUESTS {
        peer.write(&json!({"method": "moon/ask", "id": id}));
    }
    peer.tell("t", "u", "all asked");
    assert_eq!(next(&mut told), "all asked");
    for id in 0..REQUESTS {
        assert_eq!(peer.read()["id"], json!(id));
    }
}

/// Accepts after a call from inside; tells the time when it is let; panics if asked for
/// something else.
struct Mine {
    entered: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
}

impl Handler for Mine {
    fn item_file_change_request_approval(
        &self,
        params: FileChangeRequestApprovalParams,
        context: Context,
    ) -> Result<FileChangeRequestApprovalResponse, RpcError> {
        assert_eq!(params.item_id, "i");
        let client = context.client().unwrap();
        match call(&client, "from inside").unwrap().as_str() {
            "yes" => Ok(accepted()),
            other => Err(RpcError::new(1, other)),
        }
    }

    fn current_time_read(
        &self,
        _: CurrentTimeReadParams,
        context: Context,
    ) -> Result<CurrentTimeReadResponse, RpcError> {
        assert!(context.request_id().is_some());
        self.entered.lock().unwrap().send(()).unwrap();
        self.go.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        Ok(CurrentTimeReadResponse::new(5))
    }

    fn unrecognized_request(&self, _: UnrecognizedMethod, _: Context) -> Result<codex_rpc::RawJson, RpcError> {
        panic!("a secret");
    }
}

fn mine() -> (Mine, Receiver<()>, Sender<()>) {
    let (entered, entries) = channel();
    let (let_go, go) = channel();
    (Mine { entered: Mutex::new(entered), go: Mutex::new(go) }, entries, let_go)
}

#[test]
fn a_handler_may_call_the_client() {
    let (client, mut peer) = connect(builder().handler(mine().0));
    peer.write(&approval("a"));
    let inside = peer.read();
    assert_eq!(inside["params"]["cursor"], "from inside");
    peer.answer(&inside, "yes");
    assert_eq!(peer.read(), json!({"id": "a", "result": {"decision": "accept"}}));
    drop(client);
}

#[test]
fn a_slow_handler_delays_no_call_and_no_other_handler() {
    let (handler, entries, let_go) = mine();
    let (client, mut peer) = connect(builder().handler(handler));
    peer.write(&time("slow"));
    entries.recv_timeout(PATIENCE).unwrap();
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let request = peer.read();
        peer.answer(&request, "b");
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
    peer.write(&approval("quick"));
    let inside = peer.read();
    peer.answer(&inside, "no");
    assert_eq!(peer.read(), json!({"id": "quick", "error": {"code": 1, "message": "no"}}));
    let_go.send(()).unwrap();
    assert_eq!(peer.read(), json!({"id": "slow", "result": {"currentTimeAt": 5}}));
}

#[test]
fn a_handler_that_panics_is_an_error_for_its_request_alone() {
    let (handler, entries, let_go) = mine();
    let (_client, mut peer) = connect(builder().handler(handler));
    peer.write(&json!({"method": "moon/ask", "id": 7}));
    let error = json!({"code": -32603, "message": "the client's handler panicked"});
    assert_eq!(peer.read(), json!({"id": 7, "error": error}));
    let_go.send(()).unwrap();
    peer.write(&time("after"));
    assert_eq!(peer.read()["result"], json!({"currentTimeAt": 5}));
    entries.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_handler_that_outlives_the_client_has_none_to_call_and_its_answer_goes_nowhere() {
    let (entered, entries) = channel();
    let (let_go, go) = channel::<()>();
    let (found, outcome) = channel();
    let go = Mutex::new(go);
    let router = Router::builder()
        .on::<CurrentTimeRead, _>(move |_, context| {
            entered.send(()).unwrap();
            go.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            found.send(context.client().is_some()).unwrap();
            Ok(CurrentTimeReadResponse::new(5))
        })
        .build();
    let (client, mut peer) = connect(builder().router(router));
    peer.write(&time("a"));
    entries.recv_timeout(PATIENCE).unwrap();
    drop(client);
    let_go.send(()).unwrap();
    assert!(!outcome.recv_timeout(PATIENCE).unwrap());
    peer.tell("t", "u", "so that the reader returns");
    assert_eq!(peer.line(), None);
}

#[test]
fn closures_handle_what_they_are_for_and_the_rest_is_declined() {
    let router = Router::builder()
        .on::<ItemFileChangeRequestApproval, _>(|_, _| Ok(accepted()))
        .on::<CurrentTimeRead, _>(|_, _| Err(RpcError::new(3, "no clock")))
        .build();
    let unhandled: BTreeSet<&str> = router.unhandled().iter().copied().collect();
    assert_eq!(unhandled.len(), 9);
    assert!(unhandled.contains("item/commandExecution/requestApproval") && !unhandled.contains("currentTime/read"));
    let (_client, mut peer) = connect(builder().router(router));
    peer.write(&approval("a"));
    assert_eq!(peer.read(), json!({"id": "a", "result": {"decision": "accept"}}));
    peer.write(&time("b"));
    assert_eq!(peer.read(), json!({"id": "b", "error": {"code": 3, "message": "no clock"}}));
    let denied = json!({"decision": {"denied": {"rejection": "this client has no handler for approvals"}}});
    let params = json!({"conversationId": "t", "callId": "c", "fileChanges": {}, "reason": null, "grantRoot": null});
    peer.write(&json!({"method": "applyPatchApproval", "id": "c", "params": params}));
    assert_eq!(peer.read(), json!({"id": "c", "result": denied}));

    let incomplete = Router::builder().on::<CurrentTimeRead, _>(|_, _| Ok(CurrentTimeReadResponse::new(1)));
    let error = incomplete.build_complete().unwrap_err();
    assert_eq!(error.unhandled.len(), 10);
    assert!(error.to_string().contains("item/tool/call"), "{error}");
}

fn told_in_order(peer: &mut Peer, seen: &Receiver<String>) {
    for count in 0..1_000 {
        peer.tell("t", "u", &count.to_string());
    }
    let expected = (0..1_000).filter(|count| *count != 500).map(|count| count.to_string());
    for diff in expected {
        assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), diff);
    }
}

#[test]
fn notifications_are_handled_in_order_and_a_panic_costs_one() {
    let (sender, seen) = channel();
    let on = move |params: TurnDiffUpdatedNotification, context: Context| {
        assert!(context.client().is_some());
        assert_ne!(params.diff, "500");
        sender.send(params.diff).unwrap();
    };
    let router = Router::builder().on_notification::<TurnDiffUpdated, _>(on).build();
    let (_client, mut peer) = connect(builder().router(router).handler_buffer(Buffer::waiting(10)));
    told_in_order(&mut peer, &seen);
}

#[test]
fn a_notification_handler_that_is_stuck_delays_no_call() {
    let (let_go, go) = channel::<()>();
    let go = Mutex::new(go);
    let (entered, entries) = channel();
    let on = move |_: TurnDiffUpdatedNotification, _: Context| {
        entered.send(()).unwrap();
        let _ = go.lock().unwrap().recv_timeout(PATIENCE);
    };
    let router = Router::builder().on_notification::<TurnDiffUpdated, _>(on).build();
    let (client, mut peer) = connect(builder().router(router).handler_buffer(Buffer::dropping(1)));
    (0..100).for_each(|count| peer.tell("t", "u", &count.to_string()));
    entries.recv_timeout(PATIENCE).unwrap();
    thread::scope(|scope| {
        let called = scope.spawn(|| call(&client, "a"));
        let request = peer.read();
        peer.answer(&request, "b");
        assert_eq!(called.join().unwrap().unwrap(), "b");
    });
    drop((client, let_go));
}

#[test]
fn after_the_last_client_is_dropped_no_more_notifications_are_handled() {
    let (let_go, go) = channel::<()>();
    let go = Mutex::new(go);
    let (entered, entries) = channel();
    let on = move |_: TurnDiffUpdatedNotification, _: Context| {
        entered.send(()).unwrap();
        // Let go when the other end is dropped.
        let _ = go.lock().unwrap().recv_timeout(PATIENCE);
    };
    let router = Router::builder().on_notification::<TurnDiffUpdated, _>(on).build();
    let (client, mut peer) = connect(builder().router(router));
    let mut told = client.subscribe();
    (0..100).for_each(|count| peer.tell("t", "u", &count.to_string()));
    (0..100).for_each(|count| assert_eq!(next(&mut told), count.to_string()));
    entries.recv_timeout(PATIENCE).unwrap();
    drop(client);
    drop(let_go);
    // Ends when the handler is gone.
    assert_eq!(entries.iter().count(), 0);
}

#[test]
fn a_flood_delays_no_approval_and_every_notification_is_counted() {
    const HALF: usize = 50_000;
    let router = Router::builder().on::<ItemFileChangeRequestApproval, _>(|_, _| Ok(accepted())).build();
    let (client, mut peer) = connect(builder().router(router));
    let told = client.subscribe_with(Buffer::dropping(100));
    let flood = format!("{}\n", crate::peer::diff_of("t", "u", "d")).repeat(HALF);
    peer.raw(flood.as_bytes());
    peer.write(&approval("a"));
    assert_eq!(peer.read(), json!({"id": "a", "result": {"decision": "accept"}}));
    peer.raw(flood.as_bytes());
    drop(peer);
    client.ended();
    let seen: Vec<Delivery> = told.collect();
    let Some(Delivery::Lagged(lost)) = seen.first() else { panic!("{seen:?}") };
    assert_eq!((*lost, seen.len()), (2 * HALF as u64 - 100, 101));
}
