//! Turns: what becomes of them, and who learns it.

use codex_rpc_client::protocol::requests::ThreadStart;
use codex_rpc_client::protocol::types::{CodexErrorInfo, ThreadStartParams, TurnStatus};
use codex_rpc_client::{Error, Input, TurnEvent, TurnHandle};
use serde_json::json;

use super::peer::{Peer, about_turn, delta, message, pair, soon, start, thread, turn_started};

/// Starts a turn that is answered at once.
async fn turn(thread: &codex_rpc_client::Thread, peer: &mut Peer, id: &str) -> TurnHandle {
    let (turn, _) = soon(async { tokio::join!(thread.turn("go"), peer.answer("turn/start", turn_started(id))) }).await;
    turn.expect("a turn")
}

#[tokio::test]
async fn a_result_has_all_that_was_completed_and_the_final_response() {
    let (thread, mut peer) = thread("t").await;
    let running = tokio::spawn({
        let thread = thread.clone();
        async move { thread.run("Say hello.").await }
    });
    let request = peer.answer("turn/start", turn_started("u")).await;
    assert_eq!(
        request["params"],
        json!({"threadId": "t", "input": [{"type": "text", "text": "Say hello.", "text_elements": []}]})
    );
    peer.tell("turn/started", &about_turn("t", "u", "inProgress")).await;
    peer.tell("item/completed", &message("t", "u", "Hello.", Some("final_answer"))).await;
    peer.tell("item/completed", &message("t", "u", "I look further.", Some("commentary"))).await;
    peer.tell("item/completed", &message("t", "u", "Nothing said of me.", None)).await;
    let mut usage = codex_rpc_testkit::fixtures::value("ThreadTokenUsage", &json!({}));
    usage["total"]["totalTokens"] = 42.into();
    peer.tell("thread/tokenUsage/updated", &json!({"threadId": "t", "turnId": "u", "tokenUsage": usage})).await;
    let mut end = about_turn("t", "u", "completed");
    end["turn"]["startedAt"] = 5.into();
    end["turn"]["completedAt"] = 7.into();
    end["turn"]["durationMs"] = 2_000.into();
    peer.tell("turn/completed", &end).await;

    let result = soon(running).await.unwrap().unwrap();
    assert_eq!(
        (result.thread_id.as_str(), result.turn_id.as_str(), &result.status),
        ("t", "u", &TurnStatus::Completed)
    );
    assert_eq!(result.items.len(), 3);
    assert_eq!(result.text(), "Hello.");
    assert_eq!(result.usage.unwrap().total.total_tokens, 42);
    assert_eq!((result.started_at, result.completed_at, result.duration_ms), (Some(5), Some(7), Some(2_000)));
}

#[tokio::test]
async fn without_a_final_answer_the_last_message_of_no_phase_counts_and_commentary_never() {
    for (messages, expected) in [
        (vec![("a", None), ("b", None), ("c", Some("commentary"))], Some("b")),
        (vec![("a", Some("commentary")), ("b", Some("partial_answer"))], None),
        (vec![("a", Some("final_answer")), ("b", Some("final_answer")), ("c", None)], Some("b")),
        (vec![], None),
    ] {
        let (thread, mut peer) = thread("t").await;
        let turn = turn(&thread, &mut peer, "u").await;
        for (text, phase) in &messages {
            peer.tell("item/completed", &message("t", "u", text, *phase)).await;
        }
        peer.tell("turn/completed", &about_turn("t", "u", "completed")).await;
        assert_eq!(soon(turn.join()).await.unwrap().final_response.as_deref(), expected, "{messages:?}");
    }
}

#[tokio::test]
async fn a_turn_that_is_told_whole_before_the_answer_that_names_it_misses_nothing() {
    let (thread, mut peer) = thread("t").await;
    let running = tokio::spawn({
        let thread = thread.clone();
        async move { thread.turn("go").await }
    });
    let request = peer.asked("turn/start").await;
    peer.tell("turn/started", &about_turn("t", "u", "inProgress")).await;
    peer.tell("item/agentMessage/delta", &delta("t", "u", "Hel")).await;
    peer.tell("item/completed", &message("t", "u", "Hello.", None)).await;
    peer.tell("turn/completed", &about_turn("t", "u", "completed")).await;
    peer.say(json!({"id": request["id"], "result": turn_started("u")})).await;

    let turn = soon(running).await.unwrap().unwrap();
    assert_eq!(soon(turn.join()).await.unwrap().text(), "Hello.");
    assert_eq!(methods(&turn).await, ["turn/started", "item/agentMessage/delta", "item/completed", "turn/completed"]);
}

async fn methods(turn: &TurnHandle) -> Vec<String> {
    let mut stream = turn.stream();
    let mut methods = Vec::new();
    while let Some(event) = soon(stream.next()).await {
        methods.push(match event {
            TurnEvent::Notification(message) => message.payload.method().to_owned(),
            TurnEvent::Lagged(missed) => format!("{missed} missed"),
            other => panic!("{other:?}"),
        });
    }
    methods
}

#[tokio::test]
async fn a_failed_turn_is_an_error_that_carries_all_that_was_done() {
    let (thread, mut peer) = thread("t").await;
    let turn = turn(&thread, &mut peer, "u").await;
    peer.tell("item/completed", &message("t", "u", "Half.", None)).await;
    let error =
        json!({"message": "Too long.", "codexErrorInfo": "contextWindowExceeded", "additionalDetails": "9 tokens"});
    let retried = json!({"threadId": "t", "turnId": "u", "willRetry": true, "error": {"message": "again"}});
    peer.tell("error", &retried).await;
    peer.tell("error", &json!({"threadId": "t", "turnId": "u", "willRetry": false, "error": error})).await;
    let mut end = about_turn("t", "u", "failed");
    end["turn"]["error"] = error;
    peer.tell("turn/completed", &end).await;
    let error = soon(turn.join()).await.unwrap_err();
    assert_eq!(error.to_string(), "turn u failed: Too long. (9 tokens)");
    let Error::TurnFailed(failed) = error else { panic!("{error:?}") };
    assert_eq!(failed.result.text(), "Half.");
    let told = failed.result.error.unwrap();
    assert_eq!(told.codex_error_info, Some(CodexErrorInfo::ContextWindowExceeded));
}

#[tokio::test]
async fn an_interrupted_turn_is_no_error() {
    let (thread, mut peer) = thread("t").await;
    let turn = turn(&thread, &mut peer, "u").await;
    let (interrupted, request) =
        soon(async { tokio::join!(turn.interrupt(), peer.answer("turn/interrupt", json!({}))) }).await;
    interrupted.unwrap();
    assert_eq!(request["params"], json!({"threadId": "t", "turnId": "u"}));
    peer.tell("turn/completed", &about_turn("t", "u", "interrupted")).await;
    let result = soon(turn.join()).await.unwrap();
    assert!(result.is_interrupted() && turn.has_ended());
}

#[tokio::test]
async fn an_interruption_that_is_never_answered_ends_with_the_turn() {
    let (thread, mut peer) = thread("t").await;
    let turn = turn(&thread, &mut peer, "u").await;
    let interrupting = tokio::spawn({
        let turn = turn.clone();
        async move { turn.interrupt().await }
    });
    peer.asked("turn/interrupt").await;
    peer.tell("turn/completed", &about_turn("t", "u", "completed")).await;
    soon(interrupting).await.unwrap().unwrap();
}

#[tokio::test]
async fn handles_and_streams_of_a_turn_all_see_it_from_the_beginning() {
    let (thread, mut peer) = thread("t").await;
    let turn = turn(&thread, &mut peer, "u").await;
    let other = thread.follow("u");
    let mut early = turn.stream();
    peer.tell("item/agentMessage/delta", &delta("t", "u", "Hel")).await;
    assert_eq!(soon(early.next_text()).await.as_deref(), Some("Hel"));
    peer.tell("item/agentMessage/delta", &delta("t", "u", "lo")).await;
    peer.tell("turn/completed", &about_turn("t", "u", "completed")).await;
    soon(turn.join()).await.unwrap();
    assert_eq!(soon(early.next_text()).await.as_deref(), Some("lo"));
    assert_eq!(soon(early.next_text()).await, None);
    assert_eq!(methods(&other).await, ["item/agentMessage/delta", "item/agentMessage/delta", "turn/completed"]);
    assert_eq!(soon(other.join()).await.unwrap(), turn.result().unwrap().unwrap());
}

#[tokio::test]
async fn a_stream_that_nobody_reads_keeps_nobody_waiting_and_costs_the_result_nothing() {
    let (codex, mut peer) = super::peer::connect(codex_rpc_client::Codex::builder().turn_log(3)).await;
    let thread = start(&codex, &mut peer, "t").await;
    let turn = turn(&thread, &mut peer, "u").await;
    let mut stream = turn.stream();
    for n in 0..10_000 {
        peer.tell("item/agentMessage/delta", &delta("t", "u", &n.to_string())).await;
    }
    peer.tell("item/completed", &message("t", "u", "All.", None)).await;
    peer.tell("turn/completed", &about_turn("t", "u", "completed")).await;
    assert_eq!(soon(turn.join()).await.unwrap().text(), "All.");
    assert!(matches!(soon(stream.next()).await, Some(TurnEvent::Lagged(9_999))));
    assert_eq!(soon(stream.next_text()).await.as_deref(), Some("9999"));
}

#[tokio::test]
async fn turns_of_several_threads_are_not_mixed_up() {
    let (codex, mut peer) = pair().await;
    let mut turns = Vec::new();
    for id in ["a", "b", "c"] {
        let thread = start(&codex, &mut peer, id).await;
        turns.push(turn(&thread, &mut peer, &format!("{id}-turn")).await);
    }
    for id in ["c", "a", "b"] {
        peer.tell("item/completed", &message(id, &format!("{id}-turn"), &format!("from {id}"), None)).await;
    }
    for id in ["b", "c", "a"] {
        peer.tell("turn/completed", &about_turn(id, &format!("{id}-turn"), "completed")).await;
    }
    for (turn, id) in turns.iter().zip(["a", "b", "c"]) {
        let result = soon(turn.join()).await.unwrap();
        assert_eq!((result.text(), result.items.len()), (format!("from {id}").as_str(), 1));
    }
}

#[tokio::test]
async fn turns_that_others_start_are_observed_and_those_that_ended_come_not_back() {
    let (thread, mut peer) = thread("t").await;
    let mut turns = thread.turns();
    peer.tell_turn("t", "goal", "By itself.").await;
    let turn = soon(turns.next()).await;
    assert_eq!((turn.id(), soon(turn.join()).await.unwrap().text()), ("goal", "By itself."));
    // What is told of it later makes no new one, also while another is being started.
    let starting = tokio::spawn({
        let thread = thread.clone();
        async move { thread.turn("go").await }
    });
    let request = peer.asked("turn/start").await;
    peer.tell("item/agentMessage/delta", &delta("t", "goal", "late")).await;
    peer.tell_turn("t", "next", "Again.").await;
    peer.say(json!({"id": request["id"], "result": turn_started("next")})).await;
    let next = soon(turns.next()).await;
    assert_eq!((next.id(), soon(next.join()).await.unwrap().text()), ("next", "Again."));
    assert_eq!(soon(starting).await.unwrap().unwrap().id(), "next");
    assert!(thread.running().is_empty());
}

#[tokio::test]
async fn steering_names_the_turn_and_a_message_from_outside_joins_it() {
    let (thread, mut peer) = thread("t").await;
    let turn = turn(&thread, &mut peer, "u").await;
    let (steered, request) =
        soon(async { tokio::join!(turn.steer("Faster."), peer.answer("turn/steer", json!({"turnId": "u"}))) }).await;
    steered.unwrap();
    let input = json!([{"type": "text", "text": "Faster.", "text_elements": []}]);
    assert_eq!(request["params"], json!({"threadId": "t", "expectedTurnId": "u", "input": input}));
    let outside = turn.steer(Input::external("chat", "Are you done?"));
    let (joined, request) = soon(async { tokio::join!(outside, peer.answer("turn/start", turn_started("u"))) }).await;
    joined.unwrap();
    let output = json!({"name": "chat", "namespace": null, "output": "Are you done?"});
    assert_eq!(request["params"], json!({"threadId": "t", "input": [], "toolOutput": output}));
}

#[tokio::test]
async fn a_review_is_a_turn_on_the_thread_that_the_server_names() {
    let (thread, mut peer) = thread("t").await;
    let target = codex_rpc_client::protocol::types::ReviewTarget::from(
        codex_rpc_client::protocol::types::CustomReviewTarget::new("All of it."),
    );
    let mut answer = turn_started("r");
    answer["reviewThreadId"] = "detached".into();
    let (turn, _) =
        soon(async { tokio::join!(thread.review(target), peer.answer("review/start", answer.clone())) }).await;
    let turn = turn.unwrap();
    peer.tell_turn("detached", "r", "Good.").await;
    assert_eq!((turn.thread().id(), soon(turn.join()).await.unwrap().text()), ("detached", "Good."));
}

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Verdict {
    passed: bool,
}

#[tokio::test]
async fn a_response_of_a_type_is_decoded_and_one_of_another_shape_is_an_error_with_the_text() {
    for (text, expected) in [(r#"{"passed":true}"#, Some(Verdict { passed: true })), ("All passed.", None)] {
        let (thread, mut peer) = thread("t").await;
        let running = tokio::spawn(async move { thread.run_typed::<Verdict>("Do they pass?").await });
        let request = peer.answer("turn/start", turn_started("u")).await;
        assert_eq!(request["params"]["outputSchema"]["required"], json!(["passed"]));
        assert_eq!(request["params"]["outputSchema"]["additionalProperties"], json!(false));
        peer.tell_turn("t", "u", text).await;
        match (soon(running).await.unwrap(), expected) {
            (Ok((verdict, result)), Some(expected)) => assert_eq!((verdict, result.text()), (expected, text)),
            (Err(Error::Invalid { text: told, .. }), None) => assert_eq!(told, text),
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_session_lives_as_long_as_a_stream_of_it_is_read() {
    let (thread, mut peer) = thread("t").await;
    let mut stream = turn(&thread, &mut peer, "u").await.stream();
    drop(thread);
    peer.tell("item/agentMessage/delta", &delta("t", "u", "still")).await;
    assert_eq!(soon(stream.next_text()).await.as_deref(), Some("still"));
}

#[tokio::test]
async fn the_end_of_the_connection_is_the_end_of_its_turns() {
    let (thread, mut peer) = thread("t").await;
    let turn = turn(&thread, &mut peer, "u").await;
    let mut stream = turn.stream();
    peer.tell("item/agentMessage/delta", &delta("t", "u", "Hel")).await;
    drop(peer);
    assert!(matches!(soon(turn.join()).await, Err(Error::Closed { .. })));
    assert_eq!(soon(stream.next_text()).await.as_deref(), Some("Hel"));
    assert_eq!(soon(stream.next_text()).await, None);
    assert!(matches!(soon(thread.run("more")).await, Err(Error::Closed { .. })));
    assert!(soon(thread.codex().ended()).await.contains("closed"), "{}", thread.codex().ended().await);
}

#[tokio::test]
async fn a_thread_that_was_started_by_a_call_has_turns_like_any_other() {
    let (codex, mut peer) = pair().await;
    let call = codex.call::<ThreadStart>(ThreadStartParams::new());
    let (started, _) = soon(async { tokio::join!(call, peer.answer("thread/start", super::peer::started("t"))) }).await;
    let thread = codex.thread(&started.unwrap().thread.id);
    let turn = turn(&thread, &mut peer, "u").await;
    peer.tell_turn("t", "u", "Here.").await;
    assert_eq!(soon(turn.join()).await.unwrap().text(), "Here.");
}
