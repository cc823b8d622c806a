//! What the server's requests are answered with.

use codex_rpc_client::protocol::server_requests::{CurrentTimeRead, ItemCommandExecutionRequestApproval};
use codex_rpc_client::protocol::types::{
    CommandExecutionApprovalDecision, CommandExecutionRequestApprovalResponse, CurrentTimeReadResponse,
};
use codex_rpc_client::Codex;
use serde_json::json;

use super::peer::{connect, pair};

const COMMAND: &str = "item/commandExecution/requestApproval";

#[tokio::test]
async fn without_a_hook_approvals_are_declined_and_other_requests_refused() {
    let (_codex, mut peer) = pair().await;
    for (method, decision) in [(COMMAND, "decline"), ("item/fileChange/requestApproval", "decline")] {
        assert_eq!(peer.ask(method, &json!({})).await["result"], json!({"decision": decision}));
    }
    assert_eq!(peer.ask("currentTime/read", &json!({})).await["error"]["code"], -32601);
}

#[tokio::test]
async fn a_hook_answers_and_what_it_leaves_goes_to_the_default() {
    let builder = Codex::builder()
        .on::<ItemCommandExecutionRequestApproval, _, _>(|params, asked| async move {
            assert!(asked.request_id().is_some() && asked.client().is_some());
            let accept = CommandExecutionApprovalDecision::Accept;
            Ok((params.command.as_deref() == Some("ls")).then(|| CommandExecutionRequestApprovalResponse::new(accept)))
        })
        .on::<CurrentTimeRead, _, _>(|_, _| async { Ok(Some(CurrentTimeReadResponse::new(5))) });
    let (_codex, mut peer) = connect(builder.experimental_api(true)).await;
    assert_eq!(peer.ask(COMMAND, &json!({"command": "ls"})).await["result"]["decision"], "accept");
    assert_eq!(peer.ask(COMMAND, &json!({"command": "rm"})).await["result"]["decision"], "decline");
    assert_eq!(peer.ask("currentTime/read", &json!({})).await["result"]["currentTimeAt"], 5);
}

#[tokio::test]
async fn a_hook_that_panics_is_an_error_for_the_server_and_nothing_more() {
    let builder = Codex::builder().on::<CurrentTimeRead, _, _>(|params, _| async move {
        assert!(params.thread_id.is_empty(), "a hook that is wrong");
        Ok(None)
    });
    let (codex, mut peer) = connect(builder.experimental_api(true)).await;
    assert_eq!(peer.ask("currentTime/read", &json!({"threadId": "t"})).await["error"]["code"], -32603);
    assert!(!codex.has_ended());
}
