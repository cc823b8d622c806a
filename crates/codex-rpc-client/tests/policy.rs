//! Approvals and policy: what is asked, what is decided, what is answered.

#![cfg(feature = "policy")]
// Tests.
#![allow(clippy::unwrap_used)]

#[path = "policy/answers.rs"]
mod answers;
#[path = "policy/audit.rs"]
mod audit;
#[path = "policy/commands.rs"]
mod commands;
#[path = "policy/file.rs"]
mod file;
#[path = "policy/laws.rs"]
mod laws;
#[path = "policy/rules.rs"]
mod rules;

use codex_rpc_client::approval::{Approvable, ApprovalRequest};
use codex_rpc_client::policy::{Action, Policy, Rule};
use codex_rpc_client::protocol::ProtocolType;
use codex_rpc_client::protocol::types::{
    CommandExecutionRequestApprovalParams, FileChangeRequestApprovalParams, FileUpdateChange,
};
use serde_json::{Value, json};

/// Params of a request, `members` over those that every request has.
fn params<T: ProtocolType>(members: &Value) -> T {
    let mut all = json!({"threadId": "thread", "turnId": "turn", "itemId": "item", "startedAtMs": 0});
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    T::from_json(&all.to_string()).unwrap()
}

/// A request to run what the model wrote, as the server wraps it.
fn script(script: &str) -> ApprovalRequest {
    raw(&shlex::try_join(["/bin/bash", "-lc", script]).unwrap())
}

/// A request to run a command, with the text as the server would send it.
fn raw(command: &str) -> ApprovalRequest {
    let members = json!({"kind": "command", "command": command, "cwd": "/workspace"});
    params::<CommandExecutionRequestApprovalParams>(&members).view()
}

/// A request to change files.
fn changes(paths: &[&str]) -> ApprovalRequest {
    let changes: Vec<FileUpdateChange> = paths
        .iter()
        .map(|path| {
            FileUpdateChange::from_json(&json!({"path": path, "kind": {"type": "add"}, "diff": ""}).to_string())
                .unwrap()
        })
        .collect();
    params::<FileChangeRequestApprovalParams>(&json!({})).view().with_changes(&changes)
}

fn policy(rule: Rule) -> Policy {
    Policy::builder().root("/workspace").rule(rule).build().unwrap()
}

/// Whether a rule matches a request.
fn matches(rule: Rule, request: &ApprovalRequest) -> bool {
    policy(rule).decide(request).is_some()
}

fn action(policy: &Policy, request: &ApprovalRequest) -> Option<Action> {
    policy.decide(request).map(|verdict| verdict.action)
}
