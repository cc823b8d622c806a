//! What turns can do.

use codex_rpc_client::protocol::ServerNotification;
use codex_rpc_client::protocol::types::{ThreadItem, ThreadStartParams, UncommittedChangesReviewTarget};
use codex_rpc_client::{Error, Tool};
use serde_json::json;

use super::{Real, command, message, soon, until_item};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Lookup {
    id: i64,
}

#[tokio::test]
async fn a_model_calls_a_closure_and_reads_what_it_returns_or_why_it_failed() {
    let call = |id| json!([{"call": {"name": "lookup", "arguments": {"id": id}}}]);
    let Some(real) = Real::answering(&json!([call(7), call(8), message("It is seven.")])) else { return };
    let tool = Tool::new("lookup", "Looks something up.", |lookup: Lookup, call| async move {
        assert!(!call.turn_id.is_empty());
        if lookup.id == 7 { Ok(format!("The name of {} is SEVEN.", lookup.id)) } else { Err("There is no such thing.") }
    });
    let codex = real.builder().start().await.unwrap();
    let thread = codex.start_thread_with_tools(ThreadStartParams::new(), tool).await.unwrap();
    let result = soon(thread.run("Look up 7 and 8.")).await.unwrap();
    assert_eq!(result.text(), "It is seven.");
    let told = [real.input(1).contains("The name of 7 is SEVEN."), real.input(2).contains("There is no such thing.")];
    assert_eq!(told, [true, true]);
    let succeeded: Vec<_> = result
        .items
        .iter()
        .filter_map(|item| match item {
            ThreadItem::DynamicToolCall(call) => Some(call.success),
            _ => None,
        })
        .collect();
    assert_eq!(succeeded, [Some(true), Some(false)]);
}

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Answer {
    answer: i64,
    sure: Option<bool>,
}

#[tokio::test]
async fn an_answer_is_a_value_of_a_type_and_one_of_another_shape_is_an_error_with_its_text() {
    let answers = json!([message(r#"{"answer":42,"sure":null}"#), message("Forty-two.")]);
    let Some(real) = Real::answering(&answers) else { return };
    let thread = real.thread().await;
    let (answer, result) = soon(thread.run_typed::<Answer>("How much is 6 times 7?")).await.unwrap();
    assert_eq!((answer, result.items.len()), (Answer { answer: 42, sure: None }, 2));
    let requests = real.own.model.requests();
    let schema = &requests[0].body.as_ref().unwrap()["text"]["format"]["schema"];
    assert_eq!(schema["required"], json!(["answer", "sure"]), "{schema}");

    let error = soon(thread.run_typed::<Answer>("Again.")).await.unwrap_err();
    let Error::Invalid { text, .. } = error else { panic!("{error:?}") };
    assert_eq!(text, "Forty-two.");
}

#[tokio::test]
async fn an_interrupted_turn_ends_at_once_and_the_next_one_runs() {
    let answers = json!([command(&json!({"cmd": "sleep 1000", "yield_time_ms": 20000})), message("Here.")]);
    let Some(real) = Real::answering(&answers) else { return };
    let thread = real.thread().await;
    let turn = thread.turn("Sleep").await.unwrap();
    until_item(&turn, |item| matches!(item, ThreadItem::CommandExecution(_))).await;
    turn.interrupt().await.unwrap();
    let result = soon(turn.join()).await.unwrap();
    assert!(result.is_interrupted() && result.final_response.is_none(), "{result:?}");
    assert_eq!(soon(thread.run("Are you there?")).await.unwrap().text(), "Here.");
}

#[tokio::test]
async fn a_turn_that_runs_is_steered_and_one_that_has_ended_is_not() {
    let wait = "until [ -e go ]; do sleep 0.1; done";
    let answers = json!([command(&json!({"cmd": wait, "yield_time_ms": 20000})), message("Steered.")]);
    let Some(real) = Real::answering(&answers) else { return };
    let thread = real.thread().await;
    let turn = thread.turn("Wait").await.unwrap();
    until_item(&turn, |item| matches!(item, ThreadItem::CommandExecution(_))).await;
    turn.steer("And now something else.").await.unwrap();
    std::fs::write(real.own.workspace().join("go"), "").unwrap();
    assert_eq!(soon(turn.join()).await.unwrap().text(), "Steered.");
    assert!(real.input(1).contains("And now something else."), "{}", real.input(1));
    let error = turn.steer("Too late.").await.unwrap_err();
    assert!(error.rpc().is_some(), "{error:?}");
}

#[tokio::test]
async fn a_review_of_the_working_tree_is_a_turn_that_tells_its_findings() {
    let finding = json!({"title": "Off by one", "body": "The loop ends early.", "confidence_score": 0.9, "priority": 1,
        "code_location": {"absolute_file_path": "/a.py", "line_range": {"start": 1, "end": 2}}});
    let review = json!({"findings": [finding], "overall_correctness": "patch is incorrect",
        "overall_explanation": "One bug.", "overall_confidence_score": 0.8});
    let Some(real) = Real::answering(&json!([message(&review.to_string())])) else { return };
    let workspace = real.own.workspace();
    let status = std::process::Command::new("git").args(["init", "-q"]).current_dir(&workspace).status();
    assert!(status.unwrap().success());
    std::fs::write(workspace.join("a.py"), "print(1)\n").unwrap();
    let thread = real.thread().await;
    let turn = thread.review(UncommittedChangesReviewTarget::new()).await.unwrap();
    let result = soon(turn.join()).await.unwrap();
    let review = result.items.iter().find_map(|item| match item {
        ThreadItem::ExitedReviewMode(review) => Some(review.review.as_str()),
        _ => None,
    });
    let review = review.unwrap_or_else(|| panic!("{result:?}"));
    assert!(review.contains("One bug.") && review.contains("Off by one"), "{review}");
}

#[tokio::test]
async fn what_is_said_comes_piece_by_piece_to_every_reader() {
    let Some(real) = Real::answering(&json!([message("One, two, three, four.")])) else { return };
    let thread = real.thread().await;
    let turn = thread.turn("Count").await.unwrap();
    let mut text = String::new();
    let mut events = turn.stream();
    while let Some(piece) = soon(events.next_text()).await {
        text.push_str(&piece);
    }
    assert_eq!(text, "One, two, three, four.");
    // Who comes after the end reads the same.
    let (mut late, mut begun) = (turn.stream(), 0);
    while let Some(event) = soon(late.next()).await {
        begun += usize::from(matches!(event.notification(), Some(ServerNotification::TurnStarted(_))));
    }
    assert_eq!(begun, 1);
}
