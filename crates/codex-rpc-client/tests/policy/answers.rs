//! What is asked, in recorded sessions and in each form, and how it is answered.

use std::path::Path;

use codex_rpc_client::approval::{
    Approvable, ApprovalRequest, Decision, FileScope, Permission, RequestKind, grant_some,
};
use codex_rpc_client::protocol::types::{
    ApplyPatchApprovalParams, CommandExecutionRequestApprovalParams, ExecCommandApprovalParams,
    FileChangeRequestApprovalParams, McpServerElicitationRequestParams, PermissionsRequestApprovalParams,
    ToolRequestUserInputParams,
};
use codex_rpc_client::protocol::{Message, ProtocolType, ServerMessage};
use serde_json::{Value, json};

use super::params;

/// The requests for approval in every recorded session of every release.
fn recorded() -> Vec<(String, ApprovalRequest)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let releases = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = releases.flat_map(|release| std::fs::read_dir(release).unwrap()).map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "jsonl")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.starts_with(r#"{"from":"server""#)) {
            let line: Value = serde_json::from_str(line).unwrap();
            // Other lines are not for this test, and some are not JSON-RPC on purpose.
            let Ok(Message::Request(request)) = ServerMessage::from_json(&line["message"].to_string()) else {
                continue;
            };
            if let Some(view) = ApprovalRequest::from_server_request(&request.payload) {
                found.push((file.display().to_string(), view));
            }
        }
    }
    found
}

#[test]
fn every_recorded_request_for_approval_is_understood() {
    let recorded = recorded();
    for (file, view) in &recorded {
        assert_ne!(view.kind, RequestKind::Unrecognized, "{file}: {view:?}");
        assert!(view.thread_id.starts_with("01900000-"), "{file}: {view:?}");
        if view.kind == RequestKind::Command {
            let command = view.command.as_ref().unwrap();
            assert!(command.script().len() < command.text().len(), "{file}: {command:?}");
            assert!(command.simple_commands().is_some(), "{file}: {command:?}");
            assert_eq!(view.cwd.as_deref(), Some(Path::new("/workspace")), "{file}");
        }
    }
    for kind in [
        RequestKind::Command,
        RequestKind::FileChange,
        RequestKind::Permissions,
        RequestKind::McpTool,
        RequestKind::Elicitation,
        RequestKind::UserInput,
    ] {
        assert!(recorded.iter().any(|(_, view)| view.kind == kind), "{kind:?} is recorded");
    }
}

#[test]
fn what_is_recorded_as_offered_is_read() {
    let recorded = recorded();
    let (_, view) = recorded.iter().find(|(file, _)| file.ends_with("0.169.0/command_approval.jsonl")).unwrap();
    assert_eq!(view.command.as_ref().unwrap().script(), "touch one.txt");
    let amendment = Decision::AllowWithExecPolicy(vec!["touch".to_owned()]);
    assert_eq!(view.available_decisions.as_deref().unwrap(), [Decision::Allow, amendment, Decision::Cancel]);
}

fn command(available: &Value) -> CommandExecutionRequestApprovalParams {
    params(&json!({"kind": "command", "command": "ls", "availableDecisions": available}))
}

#[test]
fn what_the_server_does_not_offer_becomes_the_next_safer_decision() {
    let exec = || Decision::AllowWithExecPolicy(vec!["ls".to_owned()]);
    let offer = json!({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["ls"]}});
    let other = json!({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["rm"]}});
    let table = [
        (Decision::Allow, json!(["accept", "cancel"]), Decision::Allow),
        (Decision::AllowForSession, json!(["accept", "cancel"]), Decision::Allow),
        (Decision::AllowForSession, json!(["accept", "acceptForSession"]), Decision::AllowForSession),
        (Decision::AllowForSession, json!(["cancel"]), Decision::Deny),
        (Decision::AllowForSession, json!([offer]), Decision::Deny),
        (Decision::Allow, json!(["acceptForSession", offer]), Decision::Deny),
        (Decision::Allow, json!([]), Decision::Deny),
        (exec(), json!(["accept", offer]), exec()),
        (exec(), json!(["accept", "acceptForSession", other]), Decision::Allow),
        (exec(), json!(["acceptForSession", "somethingNew"]), Decision::Deny),
        // Recorded: the server takes a refusal that it does not list.
        (Decision::Deny, json!(["accept", "cancel"]), Decision::Deny),
        (Decision::Cancel, json!(["accept", "cancel"]), Decision::Cancel),
        (Decision::Cancel, json!(["accept", "decline"]), Decision::Deny),
        (Decision::Cancel, json!(["accept"]), Decision::Cancel),
        (Decision::AllowForSession, Value::Null, Decision::AllowForSession),
        (exec(), Value::Null, Decision::Allow),
    ];
    for (decision, available, expected) in table {
        let answer = command(&available).answer(&decision);
        assert_eq!(answer.decision, expected, "{decision:?} of {available}");
        let asked = answer.substitution.map(|substitution| substitution.asked);
        assert_eq!(asked, (decision != expected).then_some(decision), "of {available}");
    }
}

#[test]
fn a_checkpoint_takes_no_lasting_answer() {
    let params: CommandExecutionRequestApprovalParams = params(&json!({"kind": "humanCommand"}));
    assert_eq!(params.view().kind, RequestKind::HumanCheckpoint);
    assert_eq!(params.answer(&Decision::AllowForSession).decision, Decision::Allow);
}

#[test]
fn kinds_of_command_requests_are_told_apart() {
    let kind = |members: Value| params::<CommandExecutionRequestApprovalParams>(&members).view().kind;
    assert_eq!(kind(json!({"kind": "command"})), RequestKind::Command);
    assert_eq!(kind(json!({"kind": "writeStdin"})), RequestKind::CommandInput);
    assert_eq!(kind(json!({"kind": "new"})), RequestKind::Unrecognized);
    let network = json!({"kind": "command", "networkApprovalContext": {"host": "example.com", "protocol": "https"}});
    assert_eq!(kind(network), RequestKind::Network);
}

#[test]
fn changed_files_are_absolute_and_known_by_both_names() {
    let changes = json!([
        {"path": "/workspace/a/../b", "kind": {"type": "add"}, "diff": ""},
        {"path": "/workspace/c", "kind": {"type": "update", "move_path": "/etc/d"}, "diff": ""},
    ]);
    let changes: Vec<_> = changes
        .as_array()
        .unwrap()
        .iter()
        .map(|change| ProtocolType::from_json(&change.to_string()).unwrap())
        .collect();
    let request = params::<FileChangeRequestApprovalParams>(&json!({})).view();
    assert!(!request.changed_paths_complete);
    let request = request.with_changes(&changes);
    assert_eq!(request.changed_paths, ["/workspace/b", "/workspace/c", "/etc/d"].map(Path::new));
    assert!(request.changed_paths_complete);
    let unknown = json!({"path": "/x", "kind": {"type": "copy", "to": "/y"}, "diff": ""}).to_string();
    assert!(!request.with_changes(&[ProtocolType::from_json(&unknown).unwrap()]).changed_paths_complete);
}

#[test]
fn files_of_version_1_are_read_from_the_map() {
    let params = ApplyPatchApprovalParams::from_json(&json!({
        "conversationId": "thread", "callId": "call", "reason": null, "grantRoot": "/workspace/./x",
        "fileChanges": {"/a": {"type": "add", "content": ""}, "/b": {"type": "update", "unified_diff": "", "move_path": "/c"}},
    }).to_string()).unwrap();
    let view = params.view();
    assert_eq!(view.changed_paths, ["/a", "/b", "/c"].map(Path::new));
    assert_eq!(view.grant_root.as_deref(), Some(Path::new("/workspace/x")));
    let sent = |decision| serde_json::to_value(params.answer(&decision).response).unwrap()["decision"].clone();
    assert_eq!(sent(Decision::Allow), "approved");
    assert_eq!(sent(Decision::AllowForSession), "approved_for_session");
    assert_eq!(sent(Decision::Cancel), "abort");
    assert!(sent(Decision::Deny).get("denied").is_some());
}

#[test]
fn commands_of_version_1_are_words() {
    let params = ExecCommandApprovalParams::from_json(
        &json!({
            "conversationId": "thread", "callId": "call", "command": ["bash", "-lc", "ls | wc"], "cwd": "/workspace",
            "reason": null, "parsedCmd": [],
        })
        .to_string(),
    )
    .unwrap();
    assert_eq!(params.view().command.unwrap().simple_commands().unwrap().len(), 2);
    let answer = params.answer(&Decision::AllowWithExecPolicy(vec!["ls".to_owned()]));
    assert_eq!(answer.decision, Decision::Allow);
}

fn permissions(asked: &Value) -> PermissionsRequestApprovalParams {
    params(&json!({"cwd": "/workspace", "reason": null, "environmentId": null, "permissions": asked}))
}

#[test]
fn permissions_are_granted_in_the_scope_of_the_decision() {
    let asked = json!({"network": {"enabled": true}, "fileSystem": {
        "read": ["/usr"], "write": ["/tmp"],
        "entries": [
            {"path": {"type": "path", "path": "/usr"}, "access": "read"},
            {"path": {"type": "path", "path": "/tmp"}, "access": "write"},
            {"path": {"type": "path", "path": "/tmp/secret"}, "access": "deny"},
        ],
    }});
    let params = permissions(&asked);
    let scope = |path: &str| FileScope::Path(path.into());
    let expected = [Permission::Network, Permission::Read(scope("/usr")), Permission::Write(scope("/tmp"))];
    assert_eq!(params.view().permissions, expected);
    let sent = |decision| serde_json::to_value(params.answer(&decision).response).unwrap();
    assert_eq!((&sent(Decision::Allow)["permissions"], &sent(Decision::Allow)["scope"]), (&asked, &json!("turn")));
    assert_eq!(sent(Decision::AllowForSession)["scope"], "session");
    let refused = params.answer(&Decision::Cancel);
    assert_eq!((refused.decision, refused.substitution.unwrap().asked), (Decision::Deny, Decision::Cancel));
    assert!(refused.response.permissions.network.is_none() && refused.response.permissions.file_system.is_none());

    // A part, with what takes something away from it.
    let part = grant_some(&params, &Decision::Allow, |permission| matches!(permission, Permission::Write(_)));
    let sent = serde_json::to_value(part.response).unwrap()["permissions"].clone();
    assert_eq!(sent["fileSystem"]["read"], json!([]));
    assert_eq!(
        sent["fileSystem"]["entries"],
        json!([asked["fileSystem"]["entries"][1], asked["fileSystem"]["entries"][2]])
    );
    assert!(sent.get("network").is_none_or(Value::is_null));
    let nothing = grant_some(&params, &Decision::Allow, |_| false);
    assert_eq!(nothing.decision, Decision::Deny);
    assert!(nothing.response.permissions.file_system.is_none());
}

#[test]
fn permissions_that_can_not_be_read_are_not_granted() {
    let odd = [
        json!({"network": {"enabled": true, "ports": [80]}}),
        json!({"fileSystem": {"write": ["/tmp"], "new": 1}}),
        json!({"fileSystem": {"write": ["/tmp"], "entries": [{"path": {"type": "new"}, "access": "write"}]}}),
        json!({"fileSystem": {"entries": [{"path": {"type": "path", "path": "/tmp"}, "access": "execute"}]}}),
        json!({"fileSystem": {"entries": [{"path": {"type": "path", "path": "/tmp"}, "access": "write", "new": 1}]}}),
        json!({"gpu": true}),
    ];
    for asked in odd {
        let params = permissions(&asked);
        assert!(params.view().permissions.contains(&Permission::Unrecognized), "{asked}");
        assert_eq!(params.answer(&Decision::Allow).decision, Decision::Deny, "{asked}");
    }
    assert_eq!(permissions(&json!({"network": {"enabled": false}})).answer(&Decision::Allow).decision, Decision::Deny);
}

fn elicitation(members: &Value) -> McpServerElicitationRequestParams {
    let mut all = json!({"threadId": "thread", "turnId": "turn", "serverName": "tiny", "message": "?", "_meta": null});
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    McpServerElicitationRequestParams::from_json(&all.to_string()).unwrap()
}

#[test]
fn a_tool_of_an_mcp_server_is_allowed_as_far_as_it_is_offered() {
    let tool = |persist: Value| {
        let meta = json!({"codex_approval_kind": "mcp_tool_call", "tool_name": "danger", "persist": persist});
        elicitation(&json!({"mode": "form", "requestedSchema": {"type": "object", "properties": {}}, "_meta": meta}))
    };
    let view = tool(Value::Null).view();
    assert_eq!(
        (view.kind, view.mcp_server.as_deref(), view.mcp_tool.as_deref()),
        (RequestKind::McpTool, Some("tiny"), Some("danger"))
    );
    let sent = |persist, decision| serde_json::to_value(tool(persist).answer(&decision).response).unwrap();
    assert_eq!(sent(Value::Null, Decision::Allow), json!({"action": "accept", "content": null, "_meta": null}));
    assert_eq!(sent(json!(["session", "always"]), Decision::AllowForSession)["_meta"], json!({"persist": "session"}));
    assert_eq!(sent(json!("always"), Decision::AllowForSession)["_meta"], Value::Null);
    assert_eq!(sent(Value::Null, Decision::Deny)["action"], "decline");
    assert_eq!(sent(Value::Null, Decision::Cancel)["action"], "cancel");
}

#[test]
fn what_wants_content_is_not_accepted_without() {
    let wants = [
        json!({"mode": "form", "requestedSchema": {"type": "object", "properties": {"x": {"type": "boolean"}}}}),
        json!({"mode": "form", "requestedSchema": {"type": "object", "properties": {}, "required": ["x"]}}),
        json!({"mode": "openai/form", "requestedSchema": {}}),
        json!({"mode": "url", "url": "http://example.com", "elicitationId": "x"}),
        json!({"mode": "openai/userVerification", "title": "", "description": "", "challenge": ""}),
        json!({"mode": "new"}),
    ];
    for members in wants {
        let answer = elicitation(&members).answer(&Decision::AllowForSession);
        assert_eq!(answer.decision, Decision::Deny, "{members}");
        assert!(answer.substitution.unwrap().reason.contains("content"), "{members}");
    }
    let questions: ToolRequestUserInputParams = params(&json!({"questions": [], "isBlocking": true}));
    let answer = questions.answer(&Decision::Allow);
    assert_eq!((answer.decision, answer.response.answers.len()), (Decision::Deny, 0));
}
