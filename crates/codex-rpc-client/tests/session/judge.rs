//! A model that decides about approvals.

use std::time::Duration;

use codex_rpc_client::{Codex, CodexBuilder, Judge};
use serde_json::{Value, json};

use super::peer::{Peer, about_turn, connect, message, started, turn_started};

const COMMAND: &str = "item/commandExecution/requestApproval";

fn judged() -> CodexBuilder {
    Codex::builder().judge(Judge::new("Allow what tests.").model("small").time_limit(Duration::from_secs(60)))
}

/// Asks for approval and answers the judge's thread and turn; the turn's request.
async fn trial(peer: &mut Peer) -> Value {
    peer.say(codex_rpc_testkit::fixtures::request(COMMAND, 7, &json!({"command": "make test", "threadId": "t"}))).await;
    let start = peer.answer("thread/start", started("judge")).await;
    assert_eq!(start["params"]["ephemeral"], true);
    assert_eq!(
        (&start["params"]["sandbox"], &start["params"]["approvalPolicy"]),
        (&json!("read-only"), &json!("never"))
    );
    assert_eq!(start["params"]["model"], "small");
    assert!(start["params"]["developerInstructions"].as_str().unwrap().ends_with("Allow what tests."));
    peer.answer("turn/start", turn_started("j")).await
}

async fn decision(peer: &mut Peer) -> Value {
    loop {
        let message = peer.message().await;
        if message["id"] == 7 && message["method"].is_null() {
            return message["result"]["decision"].clone();
        }
        peer.say(json!({"id": message["id"], "result": {"status": "unsubscribed"}})).await;
    }
}

#[tokio::test]
async fn the_judge_answers_in_json_and_anything_else_is_a_refusal() {
    for (text, expected) in [
        (r#"{"decision":"allow","reason":"It tests."}"#, "accept"),
        (r#"{"decision":"deny","reason":"It does not."}"#, "decline"),
        ("allow", "decline"),
        (r#"{"decision":"allow"}"#, "decline"),
        (r#"{"decision":"always","reason":"."}"#, "decline"),
        (r#"{"decision":"allow","reason":".","and":1}"#, "decline"),
    ] {
        let (_codex, mut peer) = connect(judged()).await;
        let turn = trial(&mut peer).await;
        assert_eq!(turn["params"]["outputSchema"]["additionalProperties"], false);
        let asked: Value = serde_json::from_str(turn["params"]["input"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!((&asked["kind"], &asked["command"]), (&json!("command"), &json!("make test")));
        peer.tell("item/completed", &message("judge", "j", text, None)).await;
        peer.tell("turn/completed", &about_turn("judge", "j", "completed")).await;
        assert_eq!(decision(&mut peer).await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_judge_whose_turn_fails_refuses_and_one_that_asks_itself_is_refused() {
    let (_codex, mut peer) = connect(judged()).await;
    trial(&mut peer).await;
    peer.say(codex_rpc_testkit::fixtures::request(COMMAND, 8, &json!({"command": "ls", "threadId": "judge"}))).await;
    let own = peer.message().await;
    assert_eq!((&own["id"], &own["result"]["decision"]), (&json!(8), &json!("decline")));
    peer.tell("turn/completed", &about_turn("judge", "j", "failed")).await;
    assert_eq!(decision(&mut peer).await, "decline");
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_does_not_decide_in_time_refuses_and_its_turn_is_interrupted() {
    let (_codex, mut peer) = connect(judged()).await;
    trial(&mut peer).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let message = tokio::time::timeout(Duration::from_secs(300), peer.message()).await.expect("an end");
        if message["method"].is_null() {
            assert_eq!(message["result"]["decision"], "decline");
            seen.push("answer".to_owned());
        } else {
            seen.push(message["method"].as_str().unwrap().to_owned());
            peer.say(json!({"id": message["id"], "result": {}})).await;
        }
    }
    seen.sort();
    assert_eq!(seen, ["answer", "turn/interrupt"]);
}
