//! The audit log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use codex_rpc_client::approval::{Approvable, Decision};
use codex_rpc_client::policy::{AuditLog, AuditRecord, DecidedBy, Policy, Rule};
use codex_rpc_client::protocol::RequestId;
use codex_rpc_client::protocol::types::CommandExecutionRequestApprovalParams;
use serde_json::{Value, json};

use super::{changes, params, script};

/// What was written, call by call.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Calls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Calls {
    fn lines(&self) -> Vec<Value> {
        let calls = self.0.lock().unwrap();
        calls.iter().for_each(|call| assert!(call.ends_with(b"\n") && call.split(|byte| *byte == b'\n').count() == 2));
        calls.iter().map(|call| serde_json::from_slice(call).unwrap()).collect()
    }
}

fn secret() -> CommandExecutionRequestApprovalParams {
    params(&json!({
        "kind": "command", "command": "deploy --token hunter2", "cwd": "/workspace", "reason": "Because hunter2.",
        "availableDecisions": ["accept", "cancel"],
    }))
}

#[test]
fn a_decision_is_one_line_with_all_that_led_to_it() {
    let policy = Policy::builder()
        .rule(Rule::allow_for_session().program("deploy").name("deploys").reason("We deploy."))
        .build()
        .unwrap();
    let params = secret();
    let view = params.view();
    let verdict = policy.decide(&view).unwrap();
    let answer = params.answer(verdict.decision.as_ref().unwrap());
    let calls = Calls::default();
    let log = AuditLog::to_writer(calls.clone());
    let id = RequestId::from(7);
    let record = AuditRecord::new(&id, &view, &answer.decision, DecidedBy::from(&verdict));
    log.write(record.substitution(answer.substitution.as_ref()).reason(verdict.reason.as_deref()));
    let mut line = calls.lines().remove(0);
    let time = line["time"].take();
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time.as_str().unwrap().ends_with('Z'));
    let expected = json!({
        "time": null, "request_id": 7, "kind": "command", "thread_id": "thread", "turn_id": "turn", "item_id": "item",
        "command": "deploy --token hunter2", "cwd": "/workspace", "request_reason": "Because hunter2.",
        "decision": "allow", "decided_by": "rule", "rule": "deploys", "rule_index": 0, "reason": "We deploy.",
        "substituted_for": "allow_for_session", "substitution_reason": "the server does not offer it for this request",
    });
    assert_eq!(line, expected);
}

#[test]
fn commands_are_left_out_or_redacted_on_demand() {
    let (hidden, redacted) = (Calls::default(), Calls::default());
    let logs = [
        AuditLog::to_writer(hidden.clone()).without_commands(),
        AuditLog::to_writer(redacted.clone()).redact(|text| text.replace("hunter2", "***")),
    ];
    for log in &logs {
        log.write(AuditRecord::new(&RequestId::from("a"), &secret().view(), &Decision::Deny, DecidedBy::Default));
    }
    let hidden = hidden.lines().remove(0);
    assert!(hidden.get("command").is_none() && !hidden.to_string().contains("hunter2"), "{hidden}");
    let redacted = redacted.lines().remove(0);
    assert_eq!(redacted["command"], "deploy --token ***");
    assert_eq!(redacted["request_reason"], "Because ***.");
}

#[test]
fn what_a_decision_is_about_is_logged() {
    let calls = Calls::default();
    let log = AuditLog::to_writer(calls.clone());
    let amendment = Decision::AllowWithExecPolicy(vec!["ls".to_owned()]);
    log.write(AuditRecord::new(&RequestId::from(1), &changes(&["/a", "/b"]), &Decision::Allow, DecidedBy::Hook));
    log.write(AuditRecord::new(&RequestId::from(2), &script("ls"), &amendment, DecidedBy::PolicyDefault));
    let lines = calls.lines();
    assert_eq!((&lines[0]["paths"], &lines[0]["decided_by"]), (&json!(["/a", "/b"]), &json!("hook")));
    assert_eq!(
        (&lines[1]["decision"], &lines[1]["amendment"]),
        (&json!("allow_with_exec_policy"), &json!({"exec_policy": ["ls"]}))
    );
}

#[test]
fn a_file_is_appended_to_and_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    for id in 0..2 {
        let log = AuditLog::to_file(&path).unwrap();
        log.write(AuditRecord::new(&RequestId::from(id), &script("ls"), &Decision::Allow, DecidedBy::Judge));
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(AuditLog::to_file(folder.path()).is_err());
}

#[test]
fn lines_of_many_threads_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let logs = [AuditLog::to_file(&path).unwrap(), AuditLog::to_file(&path).unwrap()];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = &logs[thread % 2];
            scope.spawn(move || {
                for id in 0..50 {
                    let request = script(&"ls ".repeat(100));
                    log.write(AuditRecord::new(&RequestId::from(id), &request, &Decision::Deny, DecidedBy::Default));
                }
            });
        }
    });
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 200);
}

#[test]
fn what_can_not_be_written_is_counted_and_reported_once() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let reports = Arc::new(Mutex::new(0));
    let log = AuditLog::to_writer(Full);
    tracing::subscriber::with_default(Count(Arc::clone(&reports)), || {
        for id in 0..3 {
            log.write(AuditRecord::new(&RequestId::from(id), &script("ls"), &Decision::Deny, DecidedBy::Default));
        }
    });
    assert_eq!((log.lost(), *reports.lock().unwrap()), (3, 1));
}

/// Counts errors.
struct Count(Arc<Mutex<u32>>);

impl tracing::Subscriber for Count {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        *self.0.lock().unwrap() += u32::from(*event.metadata().level() == tracing::Level::ERROR);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
