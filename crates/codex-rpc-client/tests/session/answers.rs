//! What the server's requests are answered with.

use std::io::Write;
use std::sync::{Arc, Mutex};

use codex_rpc_client::Codex;
use codex_rpc_client::approval::{ApprovalRequest, Decision};
use codex_rpc_client::policy::{AuditLog, Policy, Rule};
use codex_rpc_client::protocol::server_requests::{CurrentTimeRead, ItemCommandExecutionRequestApproval};
use codex_rpc_client::protocol::types::{
    CommandExecutionApprovalDecision, CommandExecutionRequestApprovalResponse, CurrentTimeReadResponse,
};
use codex_rpc_client::protocol::{Direction, METHODS, MethodKind};
use serde_json::{Value, json};

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

/// A log that the test can read.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    /// The members of each line.
    fn read<const N: usize>(&self, members: [&str; N]) -> Vec<[Value; N]> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let line = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
        text.lines().map(line).map(|line| members.map(|member| line[member].clone())).collect()
    }
}

#[tokio::test]
async fn the_hook_comes_before_the_policy_and_the_policy_before_the_default_and_all_are_logged() {
    let log = Shared::default();
    let policy = Policy::from_toml(
        r#"
        [[rule]]
        name = "look"
        action = "allow"
        program = ["ls"]

        [[rule]]
        name = "no"
        action = "cancel"
        program = ["rm"]
        "#,
    )
    .unwrap();
    let builder = Codex::builder()
        .policy(policy)
        .audit(AuditLog::to_writer(log.clone()))
        .on::<ItemCommandExecutionRequestApproval, _, _>(|params, asked| async move {
        assert_eq!(asked.approval().unwrap().command.as_ref().unwrap().text(), params.command.as_deref().unwrap());
        let session = CommandExecutionApprovalDecision::AcceptForSession;
        Ok((params.command.as_deref() == Some("make")).then(|| CommandExecutionRequestApprovalResponse::new(session)))
    });
    let (_codex, mut peer) = connect(builder).await;
    for (command, decision) in
        [("make", "acceptForSession"), ("ls -l", "accept"), ("rm x", "cancel"), ("touch x", "decline")]
    {
        assert_eq!(peer.ask(COMMAND, &json!({"command": command})).await["result"]["decision"], decision, "{command}");
    }
    let expected = [
        ["make", "allow_for_session", "hook", ""],
        ["ls -l", "allow", "rule", "look"],
        ["rm x", "cancel", "rule", "no"],
        ["touch x", "deny", "default", ""],
    ];
    let expected: Vec<[Value; 4]> =
        expected.iter().map(|line| line.map(|text| if text.is_empty() { Value::Null } else { text.into() })).collect();
    assert_eq!(log.read(["command", "decision", "decided_by", "rule"]), expected);
}

#[tokio::test]
async fn what_the_server_does_not_offer_becomes_something_safer_and_the_log_says_so() {
    let log = Shared::default();
    let policy = Policy::builder().rule(Rule::allow_for_session().program("ls")).build().unwrap();
    let (_codex, mut peer) = connect(Codex::builder().policy(policy).audit(AuditLog::to_writer(log.clone()))).await;
    for (available, decision) in [(json!(["accept", "cancel"]), "accept"), (json!(["cancel"]), "decline")] {
        let about = json!({"command": "ls", "availableDecisions": available});
        assert_eq!(peer.ask(COMMAND, &about).await["result"]["decision"], decision);
    }
    let logged = log.read(["decision", "substituted_for"]);
    assert_eq!(
        logged,
        [["allow", "allow_for_session"], ["deny", "allow_for_session"]].map(|line| line.map(Value::from))
    );
}

#[tokio::test]
async fn a_rule_about_paths_sees_the_files_that_the_item_names() {
    let policy = Policy::builder().rule(Rule::allow().path("/w/docs/**")).build().unwrap();
    let (_codex, mut peer) = connect(Codex::builder().policy(policy)).await;
    for (item, path, decision) in
        [("a", "/w/docs/x.md", "accept"), ("b", "/w/docs/../secret", "decline"), ("c", "/w/src/x.rs", "decline")]
    {
        let change = json!({"path": path, "kind": {"type": "add"}, "diff": "x"});
        let item_of = json!({"type": "fileChange", "id": item, "changes": [change], "status": "inProgress"});
        // Said in one breath, so that the request comes before the item is taken in.
        let started = json!({"threadId": "t", "turnId": "u", "item": item_of, "startedAtMs": 0});
        peer.tell("item/started", &started).await;
        let about = json!({"threadId": "t", "turnId": "u", "itemId": item});
        assert_eq!(peer.ask("item/fileChange/requestApproval", &about).await["result"]["decision"], decision, "{path}");
    }
    let about = json!({"threadId": "t", "turnId": "u", "itemId": "unknown"});
    let answer = peer.ask("item/fileChange/requestApproval", &about).await;
    assert_eq!(answer["result"]["decision"], "decline", "files that nobody named match no rule that allows");
}

#[tokio::test]
async fn where_the_policy_says_ask_somebody_is_asked_and_without_one_about_everything() {
    let asker =
        |request: ApprovalRequest| async move { (request.command?.script() == "make").then_some(Decision::Allow) };
    let policy = Policy::builder().rule(Rule::ask().program("make")).build().unwrap();
    for (builder, other) in [(Codex::builder().policy(policy), "decline"), (Codex::builder(), "decline")] {
        let (_codex, mut peer) = connect(builder.ask(asker)).await;
        for (command, decision) in [("make", "accept"), ("ls", other)] {
            assert_eq!(
                peer.ask(COMMAND, &json!({"command": command})).await["result"]["decision"],
                decision,
                "{command}"
            );
        }
    }
    let policy = Policy::builder().rule(Rule::ask().program("make")).build().unwrap();
    let (_codex, mut peer) = connect(Codex::builder().policy(policy)).await;
    let answer = peer.ask(COMMAND, &json!({"command": "make"})).await;
    assert_eq!(answer["result"]["decision"], "decline", "nobody is there to be asked");
}

#[tokio::test]
async fn every_request_for_approval_is_declined_by_default_and_answered_in_its_own_shape() {
    let (_codex, mut peer) = pair().await;
    for (method, pointer, said) in [
        ("item/permissions/requestApproval", "/result/permissions", json!({})),
        ("item/tool/requestUserInput", "/result/answers", json!({})),
        ("mcpServer/elicitation/request", "/result/action", json!("decline")),
        ("applyPatchApproval", "/result/decision/denied/rejection", Value::Null),
        ("execCommandApproval", "/result/decision/denied/rejection", Value::Null),
    ] {
        let answer = peer.ask(method, &json!({})).await;
        let at = answer.pointer(pointer);
        match said {
            Value::Null => assert!(at.is_some(), "{method}: {answer}"),
            said => assert_eq!(at, Some(&said), "{method}: {answer}"),
        }
    }
}

/// The messages of warnings, and the methods that they name.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<(String, String)>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(String, String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                match field.name() {
                    "method" => self.0 = format!("{value:?}").replace('"', ""),
                    "message" => self.1 = format!("{value:?}"),
                    _ => {}
                }
            }
        }
        let mut fields = Fields(String::new(), String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push((fields.0, fields.1));
    }
}

#[tokio::test]
async fn the_log_says_what_nothing_handled_for_every_request_of_the_server() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let (_codex, mut peer) = pair().await;
    let mut asked = 0;
    for info in
        METHODS.iter().filter(|info| info.direction == Direction::ServerToClient && info.kind == MethodKind::Request)
    {
        peer.ask(info.method, &json!({})).await;
        let mut said = std::mem::take(&mut *warnings.0.lock().unwrap());
        let (method, message) = said.pop().unwrap_or_default();
        if info.method == "item/tool/call" {
            assert_eq!(message, "the thread has no such tool");
        } else {
            assert_eq!(method, info.method, "{message}");
        }
        assert!(said.is_empty(), "{said:?}");
        asked += 1;
    }
    assert_eq!(asked, 11);
}
