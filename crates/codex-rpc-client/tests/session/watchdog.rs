//! Turns about which nothing is told any more.

use std::time::Duration;

use codex_rpc_client::protocol::server_requests::ItemToolCall;
use codex_rpc_client::protocol::types::DynamicToolCallResponse;
use codex_rpc_client::{Codex, CodexBuilder, Error};
use serde_json::json;

use super::peer::{about_turn, connect, delta, soon, start, turn_started};

const LIMIT: Duration = Duration::from_secs(60);

fn watched() -> CodexBuilder {
    Codex::builder().experimental_api(true).turn_watchdog(LIMIT)
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_goes_silent_is_interrupted() {
    let (codex, mut peer) = connect(watched()).await;
    let thread = start(&codex, &mut peer, "t").await;
    let (turn, _) = tokio::join!(thread.turn("go"), peer.answer("turn/start", turn_started("u")));
    let turn = turn.unwrap();
    let began = tokio::time::Instant::now();
    tokio::time::sleep(LIMIT / 2).await;
    peer.tell("item/agentMessage/delta", &delta("t", "u", "…")).await;
    let request = {
        let asked = tokio::time::timeout(LIMIT * 3, async { peer.answer("turn/interrupt", json!({})).await });
        asked.await.expect("it is interrupted")
    };
    assert_eq!(request["params"]["turnId"], "u");
    let waited = began.elapsed();
    assert!(waited >= LIMIT + LIMIT / 2 && waited < LIMIT * 2, "{waited:?}: from the last notification on");
    peer.tell("turn/completed", &about_turn("t", "u", "interrupted")).await;
    assert!(soon(turn.join()).await.unwrap().is_interrupted());
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_an_interruption_does_not_end_is_given_up() {
    let (codex, mut peer) = connect(watched()).await;
    let thread = start(&codex, &mut peer, "t").await;
    let (turn, _) = tokio::join!(thread.turn("go"), peer.answer("turn/start", turn_started("u")));
    let turn = turn.unwrap();
    let outcome = tokio::time::timeout(LIMIT * 3, turn.join()).await.expect("it is given up");
    assert!(matches!(outcome, Err(Error::TimedOut { limit: Some(LIMIT), .. })), "{outcome:?}");
    assert_eq!(turn.stream().next().await.map(|_| ()), None, "its streams end, too");
}

#[tokio::test(start_paused = true)]
async fn time_in_which_the_server_waits_for_this_program_does_not_count() {
    let (codex, mut peer) = connect(watched().on::<ItemToolCall, _, _>(|_, _| async {
        tokio::time::sleep(LIMIT * 10).await;
        Ok(Some(DynamicToolCallResponse::new(Vec::new(), true)))
    }))
    .await;
    let thread = start(&codex, &mut peer, "t").await;
    let (turn, _) = tokio::join!(thread.turn("go"), peer.answer("turn/start", turn_started("u")));
    let turn = turn.unwrap();
    let about = json!({"threadId": "t", "turnId": "u", "tool": "slow"});
    peer.say(codex_rpc_testkit::fixtures::request("item/tool/call", 7, &about)).await;
    let answer = tokio::time::timeout(LIMIT * 20, peer.message()).await.expect("the hook's answer");
    assert_eq!(answer["id"], 7, "and no interruption before it: {answer}");
    peer.tell("turn/completed", &about_turn("t", "u", "completed")).await;
    turn.join().await.unwrap();
}
