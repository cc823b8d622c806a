//! How other clients of the app-server fail, each as a test that this one does not.
//!
//! Some need a process, a flood or much memory, and are elsewhere:
//! - a child that is leaked: `child.rs`;
//! - memory that grows with a slow consumer: `../tokio_memory.rs`;
//! - approvals lost in a flood: `flood.rs`.

use codex_rpc::requests::ModelList;
use codex_rpc::server_requests::{ItemCommandExecutionRequestApproval, McpServerElicitationRequest};
use codex_rpc::types::{
    CommandExecutionApprovalDecision, CommandExecutionRequestApprovalResponse, McpServerElicitationAction,
    McpServerElicitationRequestResponse, ModelListParams, TurnStatus,
};
use codex_rpc::{RpcError, ServerNotification};
use codex_rpc_dispatch::tokio::{Buffer, CallOptions, Client, Delivery, Router, Subscription};
use codex_rpc_dispatch::{Backoff, MalformedKind};
use codex_rpc_testkit::fixtures;
use serde_json::json;
use tokio::sync::mpsc;

use super::peer::{approval, archived, builder, calling, connect, delta, list, models, next, pair, soon};

/// The next delivery, which is a notification.
async fn notified(told: &mut Subscription) -> ServerNotification {
    match soon(told.next()).await {
        Some(Delivery::Notification(message)) => message.payload.clone(),
        other => panic!("{other:?}"),
    }
}

/// codex-codes: the answer that was waited for is thrown away with the bad line.
#[tokio::test]
async fn one_bad_line_does_not_cost_a_pending_response() {
    let (client, mut peer) = pair().await;
    let call = calling(&client, "own");
    let request = peer.asked("model/list").await;
    peer.say("warning: not JSON").await;
    peer.say(r#"{"method":"turn/started","params":{}}"#).await;
    peer.say(models(&request)).await;
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
}

/// codex-app-server-sdk: one bad line ends the connection.
#[tokio::test]
async fn one_bad_line_does_not_end_the_connection() {
    let (client, mut peer) = pair().await;
    for line in ["not JSON", r#"{"method":5}"#, r#"{"id":[]}"#, r#"{"method":"turn/completed","params":{"turn":1}}"#] {
        peer.say(line).await;
        peer.goes_on(&client).await;
    }
    assert_eq!(client.end_reason(), None);
}

/// codex-app-server-sdk: handlers are awaited in the read loop.
#[tokio::test]
async fn a_handler_that_calls_the_client_does_not_dead_lock() {
    let router = Router::builder().on::<ItemCommandExecutionRequestApproval, _, _>(|_, context| async move {
        let client: Client = context.client().expect("the client is there");
        list(&client, "inside").await.map_err(|error| RpcError::new(-1, error))?;
        Ok(CommandExecutionRequestApprovalResponse::new(CommandExecutionApprovalDecision::Accept))
    });
    let (_client, mut peer) = connect(builder().router(router.build())).await;
    peer.say(approval(0, "ls")).await;
    peer.answer_models().await;
    assert_eq!(peer.message().await, json!({"id": 0, "result": {"decision": "accept"}}));
}

/// codex-app-server-sdk: approvals go through the bounded broadcast of notifications.
#[tokio::test]
async fn a_full_buffer_drops_no_approval() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe_with(Buffer::dropping(1));
    for id in 0..50 {
        for n in 0..20 {
            peer.say(archived(&n.to_string())).await;
        }
        peer.say(approval(id, "ls")).await;
    }
    let mut ids: Vec<u64> = Vec::new();
    for _ in 0..50 {
        ids.push(peer.message().await["id"].as_u64().expect("a number"));
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..50).collect::<Vec<_>>());
    assert_eq!(next(&mut told).await, "lagged 999");
}

/// codex-codes: what nobody reads is kept without a limit.
#[tokio::test]
async fn a_slow_consumer_holds_no_more_than_its_buffer() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    for n in 0..5_000 {
        peer.say(archived(&n.to_string())).await;
    }
    peer.goes_on(&client).await;
    assert_eq!(next(&mut told).await, "lagged 3976");
    let held = std::iter::from_fn(|| told.try_next()).count();
    assert_eq!(held, 1_024);
}

/// codex-codes: `&mut self` for a request, so one at a time.
#[tokio::test]
async fn two_calls_and_a_subscription_share_a_client() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let server = async {
        let requests = [peer.asked("model/list").await, peer.asked("model/list").await];
        peer.say(archived("t")).await;
        peer.say(models(&requests[1])).await;
        peer.say(models(&requests[0])).await;
    };
    let (one, two, message, ()) =
        soon(async { tokio::join!(list(&client, "1"), list(&client, "2"), next(&mut told), server) }).await;
    assert_eq!((one.as_deref(), two.as_deref(), message.as_str()), (Ok("1"), Ok("2"), "archived t"));
}

/// codex-codes: an unknown enum value is an error. So is it for openai/codex#29002.
#[tokio::test]
async fn an_unknown_enum_value_is_kept_and_the_session_goes_on() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let completed = fixtures::notification("turn/completed", &json!({"turn": {"status": "completed"}}));
    peer.say(
        completed.to_string().replace("\"completed\"", "\"evaporated\"").replace("turn/evaporated", "turn/completed"),
    )
    .await;
    let ServerNotification::TurnCompleted(params) = notified(&mut told).await else { panic!("another notification") };
    assert_eq!(params.turn.status, TurnStatus::Unrecognized("evaporated".to_owned()));
    peer.goes_on(&client).await;
}

/// codex-codes: a required field that is missing becomes "" or 0.
#[tokio::test]
async fn a_missing_required_field_is_malformed_and_not_empty() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    peer.say(r#"{"method":"thread/archived","params":{}}"#).await;
    let Some(Delivery::Malformed(malformed)) = soon(told.next()).await else { panic!("it is told") };
    assert_eq!(malformed.kind, MalformedKind::Notification);
    assert!(malformed.reason.contains("threadId"), "{}", malformed.reason);
    peer.goes_on(&client).await;
}

/// codex-codes: an unknown field is dropped.
#[tokio::test]
async fn an_unknown_field_is_kept() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    peer.say(r#"{"method":"thread/archived","params":{"threadId":"t","moon":{"full":true}}}"#).await;
    let ServerNotification::ThreadArchived(params) = notified(&mut told).await else { panic!("another notification") };
    assert_eq!(serde_json::to_value(&params).expect("JSON"), json!({"threadId": "t", "moon": {"full": true}}));
    let call = tokio::spawn(async move { client.model_list(ModelListParams::new()).await });
    let id = peer.asked("model/list").await["id"].clone();
    peer.say(json!({"id": id, "result": {"data": [], "moon": 1}})).await;
    let response = soon(call).await.expect("no panic").expect("an answer");
    assert_eq!(serde_json::to_value(&response).expect("JSON")["moon"], 1);
}

/// codex-codes: a blanket rename mangles `_meta`, and one approval is never answered.
#[tokio::test]
async fn the_meta_of_an_elicitation_comes_in_and_goes_out_as_it_is() {
    let (seen, mut asked) = mpsc::unbounded_channel();
    let router = Router::builder().on::<McpServerElicitationRequest, _, _>(move |params, _| {
        seen.send(serde_json::to_value(&params).expect("JSON")).expect("the test waits");
        async {
            let mut response = McpServerElicitationRequestResponse::new(McpServerElicitationAction::Accept);
            response.meta = json!({"persist": "session"});
            Ok(response)
        }
    });
    let (_client, mut peer) = connect(builder().router(router.build())).await;
    let over = json!({"mode": "form", "_meta": {"codex_approval_kind": "mcp_tool_call"}});
    let request = fixtures::request("mcpServer/elicitation/request", 0, &over);
    peer.say(&request).await;
    let answer = peer.message().await;
    assert_eq!(answer["result"]["_meta"], json!({"persist": "session"}), "{answer}");
    assert_eq!(answer["result"]["action"], "accept");
    assert_eq!(soon(asked.recv()).await.expect("it was asked")["_meta"], request["params"]["_meta"]);
}

/// The official Python SDK misses -32001 (openai/codex#46878).
#[tokio::test(start_paused = true)]
async fn an_overloaded_server_is_known_as_such_and_called_again() {
    let (client, mut peer) = pair().await;
    for retry in [false, true] {
        let options = if retry { CallOptions::default().with_retry(Backoff::new(1)) } else { CallOptions::default() };
        let call = {
            let client = client.clone();
            tokio::spawn(async move { client.call_with::<ModelList>(&ModelListParams::new(), &options).await })
        };
        let id = peer.asked("model/list").await["id"].clone();
        peer.say(json!({"id": id, "error": {"code": -32001, "message": "Server overloaded; retry later."}})).await;
        if retry {
            peer.answer_models().await;
        }
        let outcome = soon(call).await.expect("no panic");
        assert_eq!(outcome.as_ref().is_err_and(codex_rpc_dispatch::CallError::is_overloaded), !retry, "{outcome:?}");
    }
}

/// The official Python SDK: the reader ends when a handler raises.
#[tokio::test]
async fn a_handler_that_panics_does_not_end_the_reader() {
    let router = Router::builder()
        .on::<ItemCommandExecutionRequestApproval, _, std::future::Ready<_>>(|_, _| panic!("in a test"))
        .on_notification::<codex_rpc::notifications::ThreadArchived, _, std::future::Ready<_>>(|_, _| {
            panic!("in a test")
        });
    let (client, mut peer) = connect(builder().router(router.build())).await;
    for id in 0..3 {
        peer.say(archived("t")).await;
        peer.say(approval(id, "ls")).await;
        assert_eq!(peer.message().await["error"]["code"], -32603);
        peer.goes_on(&client).await;
    }
}

/// The official Python SDK accepts commands and file changes by default.
#[tokio::test]
async fn commands_and_file_changes_are_not_accepted_by_default() {
    let (_client, mut peer) = pair().await;
    for method in ["item/commandExecution/requestApproval", "item/fileChange/requestApproval"] {
        peer.say(fixtures::request(method, method, &json!(null))).await;
        assert_eq!(peer.message().await, json!({"id": method, "result": {"decision": "decline"}}));
    }
}

/// openai/codex#28495: turns that never complete.
#[tokio::test]
async fn a_turn_that_never_completes_ends_with_the_connection_and_its_reason() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe_turn("t", "u");
    peer.say(delta("t", "u", "half an answer")).await;
    drop(peer);
    assert_eq!(next(&mut told).await, "delta half an answer");
    assert_eq!(next(&mut told).await, "end");
    assert_eq!(client.end_reason().as_deref(), Some("the server closed the connection"));
}

/// meawoppl/rust-code-agent-sdks#128: the raw frame on failure.
#[tokio::test]
async fn what_can_not_be_read_is_given_as_it_came() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let line = r#"{"method":"thread/archived","params":{"threadId":null},"emittedAtMs":1}"#;
    peer.say(line).await;
    let Some(Delivery::Malformed(malformed)) = soon(told.next()).await else { panic!("it is told") };
    assert_eq!(malformed.raw, line);
    assert!(!format!("{malformed:?}").contains("emittedAtMs"), "it may hold secrets");
}

/// openai/codex#41216: a version marker.
#[tokio::test]
async fn the_release_of_the_server_is_known() {
    let (client, _peer) = pair().await;
    assert_eq!(client.release(), codex_rpc::ReleaseMatch::Same);
}
