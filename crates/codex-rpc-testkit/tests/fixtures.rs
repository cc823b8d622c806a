//! Messages made by the fixtures, and what the assertions say.

use std::panic::{UnwindSafe, catch_unwind};

use codex_rpc::registry::{Shape, definitions};
use codex_rpc::{Direction, METHODS, MethodKind};
use codex_rpc_testkit::fixtures;
use codex_rpc_testkit::transcript::From;
use serde_json::{Value, json};

fn panic_of(failing: impl Fn() + UnwindSafe) -> String {
    let payload = catch_unwind(failing).expect_err("a panic");
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a text")
}

#[test]
fn every_definition_has_a_least_value_that_round_trips() {
    let all = definitions().iter().filter(|definition| !matches!(definition.shape, Shape::Methods));
    let names: Vec<&str> = all.map(|definition| definition.name).collect();
    for name in &names {
        fixtures::value(name, &Value::Null);
    }
    assert!(names.len() > 900, "{}", names.len());
}

#[test]
fn every_method_has_a_message_and_every_request_an_answer() {
    for method in METHODS {
        let message = match method.kind {
            MethodKind::Request => {
                fixtures::response(method.method, 1, &Value::Null);
                fixtures::request(method.method, 1, &Value::Null)
            }
            MethodKind::Notification => fixtures::notification(method.method, &Value::Null),
        };
        let from = match method.direction {
            Direction::ClientToServer => From::Client,
            Direction::ServerToClient => From::Server,
        };
        fixtures::assert_message(from, &message);
    }
}

#[test]
fn what_is_given_is_merged_over_at_any_depth_and_completed() {
    let message = fixtures::notification(
        "turn/completed",
        &json!({"turn": {"id": "u1", "items": [{"type": "agentMessage", "text": "Hello."}, {"type": "plan", "text": "1."}]}}),
    );
    let turn = &message["params"]["turn"];
    assert_eq!(
        (&turn["id"], &turn["items"][0]["text"], &turn["items"][1]["type"]),
        (&json!("u1"), &json!("Hello."), &json!("plan"))
    );
    assert_eq!(turn["items"][0]["id"], "id");
}

#[test]
fn a_value_that_does_not_fit_is_named_with_its_pointer() {
    let error = panic_of(|| {
        fixtures::notification("turn/completed", &json!({"turn": {"items": [{"type": "agentMessage", "text": 5}]}}));
    });
    assert!(error.contains("/turn/items/0/text"), "{error}");
    let error = panic_of(|| {
        fixtures::notification("turn/complete", &Value::Null);
    });
    assert_eq!(error, "the bindings have no notification `turn/complete`");
}

#[test]
fn an_unknown_member_is_not_let_through_by_an_assertion() {
    let error = panic_of(|| {
        fixtures::assert_message(
            From::Server,
            &json!({"method": "thread/archived", "params": {"threadId": "t", "mood": "good"}}),
        );
    });
    assert!(error.contains("/params/mood"), "{error}");
}
