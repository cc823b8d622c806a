//! Rules over files, permissions, hosts, tools and the rest.

use codex_rpc_client::approval::{Approvable, ApprovalRequest, Decision, RequestKind};
use codex_rpc_client::policy::{Action, PermissionKind, Policy, PolicyBuilder, Rule};
use codex_rpc_client::protocol::ProtocolType;
use codex_rpc_client::protocol::types::{
    CommandExecutionRequestApprovalParams, FileChangeRequestApprovalParams, McpServerElicitationRequestParams,
    PermissionsRequestApprovalParams,
};
use serde_json::{Value, json};

use super::{action, changes, matches, params, policy, script};

fn permissions(asked: &Value) -> ApprovalRequest {
    params::<PermissionsRequestApprovalParams>(&json!({"cwd": "/workspace", "permissions": asked})).view()
}

fn network(host: &str, offered: &Value) -> ApprovalRequest {
    params::<CommandExecutionRequestApprovalParams>(&json!({
        "kind": "command", "command": "curl example.com",
        "networkApprovalContext": {"host": host, "protocol": "https"}, "proposedNetworkPolicyAmendments": offered,
    }))
    .view()
}

fn tool(server: &str, tool: &str) -> ApprovalRequest {
    let members = json!({
        "threadId": "thread", "turnId": "turn", "serverName": server, "mode": "form", "message": "?",
        "requestedSchema": {"type": "object", "properties": {}},
        "_meta": {"codex_approval_kind": "mcp_tool_call", "tool_name": tool},
    });
    McpServerElicitationRequestParams::from_json(&members.to_string()).unwrap().view()
}

#[test]
fn all_changed_files_must_be_allowed_and_one_that_is_denied_is_enough() {
    let inside = || Rule::allow().path("src");
    assert!(matches(inside(), &changes(&["/workspace/src/a.rs", "/workspace/src"])));
    for paths in [
        &["/workspace/src/a.rs", "/etc/passwd"][..],
        &["/workspace/src/../x"],
        &["/workspace/srcx"],
        &["src/a.rs"],
        &[],
    ] {
        assert!(!matches(inside(), &changes(paths)), "{paths:?}");
    }
    let denied = || Rule::deny().path("/etc");
    assert!(matches(denied(), &changes(&["/workspace/a", "/etc/passwd"])));
    assert!(matches(denied(), &changes(&["/workspace/../etc/passwd"])));
    assert!(!matches(denied(), &changes(&["/workspace/a", "/etcx"])));
    // A relative path may be anywhere.
    assert!(matches(denied(), &changes(&["a"])));
}

#[test]
fn files_that_are_not_known_are_restricted_and_not_allowed() {
    let request = params::<FileChangeRequestApprovalParams>(&json!({})).view();
    assert!(!matches(Rule::allow().path("/"), &request));
    assert!(matches(Rule::deny().path("/etc"), &request));
    assert!(matches(Rule::allow().kind(RequestKind::FileChange), &request));
}

#[test]
fn a_root_that_is_to_be_granted_counts_as_a_file() {
    let view = |root: &str| {
        let params: FileChangeRequestApprovalParams = params(&json!({"grantRoot": root}));
        params.view().with_changes(&[ProtocolType::from_json(
            r#"{"path": "/workspace/a", "kind": {"type": "add"}, "diff": ""}"#,
        )
        .unwrap()])
    };
    assert!(matches(Rule::allow().path("/workspace"), &view("/workspace/b")));
    assert!(!matches(Rule::allow().path("/workspace"), &view("/")));
    assert!(matches(Rule::deny().path("/etc/x"), &view("/etc")));
    assert!(!matches(Rule::deny().path("/etc/x"), &view("/usr")));
}

#[test]
fn patterns_of_paths_match_names_and_folders() {
    let table = [
        ("src/*.rs", "src/a.rs", true),
        ("src/*.rs", "src/a/b.rs", false),
        ("src/*.rs", "src/a.rsx", false),
        ("src/**", "src/a/b", true),
        ("src/**", "src", false),
        ("src/**/x.rs", "src/x.rs", true),
        ("src/**/x.rs", "src/a/b/x.rs", true),
        ("src/**/x.rs", "src/a/yx.rs", false),
        ("**/.env", ".env", true),
        ("**/.env", "a/b/.env", true),
        ("**/.env", "a/x.env", false),
        ("a?c", "abc", true),
        ("a?c", "a/c", false),
        ("a.c", "abc", false),
        ("*", "a", true),
        ("*", "a/b", false),
        ("/**", "a/b", true),
        ("/", "a/b", true),
        (".", "a/b", true),
        ("./src", "src/a", true),
    ];
    for (pattern, path, expected) in table {
        let request = changes(&[&format!("/workspace/{path}")]);
        assert_eq!(matches(Rule::allow().path(pattern), &request), expected, "{pattern} allows {path}");
        assert_eq!(matches(Rule::deny().path(pattern), &request), expected, "{pattern} denies {path}");
    }
}

#[test]
fn all_permissions_must_be_allowed_and_one_that_is_denied_is_enough() {
    let both = json!({"network": {"enabled": true}, "fileSystem": {"write": ["/workspace/x"]}});
    let files = json!({"fileSystem": {"write": ["/workspace/x"], "read": ["/workspace/y"]}});
    let (net, write, read) = (PermissionKind::Network, PermissionKind::Write, PermissionKind::Read);
    assert!(!matches(Rule::allow().permission(net), &permissions(&both)));
    assert!(matches(Rule::allow().permission(net).permission(write), &permissions(&both)));
    assert!(matches(Rule::deny().permission(net), &permissions(&both)));
    assert!(!matches(Rule::deny().permission(net), &permissions(&files)));
    assert!(matches(Rule::allow().path("/workspace"), &permissions(&files)));
    assert!(!matches(Rule::allow().path("/workspace/x"), &permissions(&files)));
    // A path says nothing about the network.
    assert!(!matches(Rule::allow().path("/workspace"), &permissions(&both)));
    let spoken = Rule::allow().path("/workspace").permission(net).permission(write);
    assert!(matches(spoken, &permissions(&both)));
    assert!(!matches(Rule::allow().permission(read).path("/workspace"), &permissions(&files)));
    assert!(!matches(Rule::allow().permission(net), &permissions(&json!({}))));
}

#[test]
fn a_permission_for_a_folder_is_one_for_what_is_in_it() {
    let asked = |path: &str| permissions(&json!({"fileSystem": {"write": [path]}}));
    assert!(matches(Rule::deny().path("/workspace/.git"), &asked("/workspace")));
    assert!(!matches(Rule::deny().path("/workspace/.git"), &asked("/workspace/src")));
    assert!(matches(Rule::deny().path("**/.env"), &asked("/workspace/src")));
    assert!(matches(Rule::deny().path("/etc"), &asked("etc/../../etc/x")));
    let special = permissions(&json!({"fileSystem": {"entries": [
        {"path": {"type": "special", "value": {"kind": "root"}}, "access": "write"},
    ]}}));
    assert!(matches(Rule::deny().path("/etc"), &special));
    assert!(!matches(Rule::allow().path("/"), &special));
    assert!(matches(Rule::allow().permission(PermissionKind::Write), &special));
}

#[test]
fn permissions_that_can_not_be_read_are_restricted_and_not_allowed() {
    let request = permissions(&json!({"network": {"enabled": true}, "gpu": true}));
    assert!(!matches(Rule::allow().permission(PermissionKind::Network), &request));
    assert!(matches(Rule::deny().permission(PermissionKind::Write), &request));
}

#[test]
fn hosts_tools_threads_and_folders_select() {
    let none = json!(null);
    assert!(matches(Rule::allow().host("example.com"), &network("Example.com", &none)));
    assert!(matches(Rule::allow().host("*.example.com"), &network("a.b.example.com", &none)));
    for host in ["example.com", ".example.com", "badexample.com", "example.com.evil.org"] {
        assert!(!matches(Rule::allow().host("*.example.com"), &network(host, &none)), "{host}");
    }
    // To run a command is not to let it reach a host.
    assert!(!matches(Rule::allow().program("curl"), &network("example.com", &none)));
    assert!(matches(Rule::deny().program("curl"), &network("example.com", &none)));

    assert!(matches(Rule::allow().tool("tiny/danger"), &tool("tiny", "danger")));
    assert!(matches(Rule::allow().tool("tiny"), &tool("tiny", "danger")));
    assert!(!matches(Rule::allow().tool("tiny/danger"), &tool("tiny", "dangerous")));
    assert!(!matches(Rule::allow().tool("tiny"), &tool("tinyer", "danger")));

    assert!(matches(Rule::allow().thread("thread"), &script("ls $x")));
    assert!(!matches(Rule::allow().thread("other"), &script("ls")));
    assert!(matches(Rule::allow().program("ls").cwd("/workspace"), &script("ls")));
    assert!(!matches(Rule::allow().program("ls").cwd("/home"), &script("ls")));
    assert!(!matches(Rule::deny().cwd("/home"), &script("ls")));
}

#[test]
fn no_policy_allows_what_only_a_person_can() {
    let of_kind =
        |kind: &str| params::<CommandExecutionRequestApprovalParams>(&json!({"kind": kind, "command": "ls"})).view();
    let policy = Policy::builder().rule(Rule::allow().thread("thread")).default_action(Action::Allow).build().unwrap();
    assert_eq!(action(&policy, &of_kind("command")), Some(Action::Allow));
    for kind in ["humanCommand", "somethingNew"] {
        assert_eq!(action(&policy, &of_kind(kind)), None, "{kind}");
        assert!(matches(Rule::deny().thread("thread"), &of_kind(kind)), "{kind}");
    }
    // Input to a program is not a command.
    assert!(!matches(Rule::allow().program("ls"), &of_kind("writeStdin")));
}

#[test]
fn without_a_matching_rule_the_default_decides_or_nobody() {
    let build = |default: Option<Action>| {
        let policy = Policy::builder().rule(Rule::allow().program("ls"));
        default.into_iter().fold(policy, PolicyBuilder::default_action).build().unwrap()
    };
    assert_eq!(build(None).decide(&script("rm x")), None);
    assert_eq!(Policy::default().decide(&script("ls")), None);
    let verdict = build(Some(Action::Cancel)).decide(&script("rm x")).unwrap();
    assert_eq!((verdict.decision, verdict.rule), (Some(Decision::Cancel), None));
    let verdict = build(Some(Action::Ask)).decide(&script("rm x")).unwrap();
    assert_eq!((verdict.action, verdict.decision), (Action::Ask, None));
}

#[test]
fn a_verdict_names_the_rule_and_its_reason() {
    let policy = Policy::builder()
        .rule(Rule::ask().program("ls").priority(-1))
        .rule(Rule::deny().program("ls").name("no ls").reason("Because."))
        .build()
        .unwrap();
    let verdict = policy.decide(&script("ls")).unwrap();
    let rule = verdict.rule.unwrap();
    assert_eq!((rule.index, rule.to_string().as_str()), (1, "rule 2 \"no ls\""));
    assert_eq!((verdict.reason.as_deref(), verdict.decision), (Some("Because."), Some(Decision::Deny)));
}

#[test]
fn an_amendment_is_taken_only_if_the_rule_covers_it() {
    let offered = |words: &[&str], listed: bool| {
        let offer = json!({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": words}});
        let available = if listed { json!(["accept", offer]) } else { json!(["accept"]) };
        params::<CommandExecutionRequestApprovalParams>(&json!({
            "kind": "command", "command": "/bin/bash -lc 'git status -s'",
            "proposedExecpolicyAmendment": words, "availableDecisions": available,
        }))
        .view()
    };
    let status = policy(Rule::allow().argv_prefix(["git", "status"]).amend());
    let decision = |request| status.decide(&request).unwrap().decision.unwrap();
    let words = |words: &[&str]| Decision::AllowWithExecPolicy(words.iter().map(|word| (*word).to_owned()).collect());
    assert_eq!(decision(offered(&["git", "status"], true)), words(&["git", "status"]));
    assert_eq!(decision(offered(&["git", "status", "-s"], true)), words(&["git", "status", "-s"]));
    // Wider than the rule.
    assert_eq!(decision(offered(&["git"], true)), Decision::Allow);
    assert_eq!(decision(offered(&[], true)), Decision::Allow);
    // Proposed, but not offered.
    assert_eq!(decision(offered(&["git", "status"], false)), Decision::Allow);
    let plain = policy(Rule::allow().argv_prefix(["git", "status"]));
    assert_eq!(plain.decide(&offered(&["git", "status"], true)).unwrap().decision, Some(Decision::Allow));
}

#[test]
fn a_lasting_rule_for_a_host_is_taken_in_the_direction_of_the_action() {
    let offers = json!([
        {"host": "other.com", "action": "allow"},
        {"host": "example.com", "action": "allow"}, {"host": "example.com", "action": "deny"},
    ]);
    let taken = |rule: Rule, offers: &Value| {
        let decision = policy(rule.host("*.com").host("example.com").amend()).decide(&network("example.com", offers));
        match decision.unwrap().decision.unwrap() {
            Decision::NetworkPolicy(rule) => format!("{} {}", rule.action, rule.host),
            other => other.name().to_owned(),
        }
    };
    assert_eq!(taken(Rule::allow(), &offers), "allow example.com");
    assert_eq!(taken(Rule::deny(), &offers), "deny example.com");
    assert_eq!(taken(Rule::deny(), &json!([offers[0], offers[1]])), "deny");
    assert_eq!(taken(Rule::allow(), &json!([offers[0], offers[2]])), "allow");
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let problem = |rule: Rule| match Policy::builder().rule(Rule::ask().program("x")).rule(rule.name("odd")).build() {
        Err(error) => error.to_string(),
        Ok(_) => "fine".to_owned(),
    };
    let table = [
        (Rule::allow(), "it has no matcher"),
        (Rule::allow().program("ls").path("/x"), "all of program or argv_prefix, path"),
        (Rule::deny().kind(RequestKind::FileChange).regex("x"), "all of kind, regex"),
        (Rule::allow().kind(RequestKind::Network).program("curl"), "all of kind, program"),
        (Rule::allow().kind(RequestKind::HumanCheckpoint), "only a person"),
        (Rule::allow().program(""), "need a program"),
        (Rule::allow().argv_prefix(Vec::<String>::new()), "need a program"),
        (Rule::allow().regex("a)|(b"), "`a)|(b` can't be read"),
        (Rule::allow().path("src"), "the path `src` can't be used: it is relative"),
        (Rule::allow().path("/a/../b"), "it contains `..`"),
        (Rule::allow().path("/a/[b]"), "only *, ? and **"),
        (Rule::allow().path("/a/**b"), "whole folders"),
        (Rule::allow().host("*"), "`*` is no host"),
        (Rule::allow().host("a.*"), "`a.*` is no host"),
        (Rule::allow().tool("a/*"), "`a/*` is no tool"),
        (Rule::allow().tool("a/"), "`a/` is no tool"),
        (Rule::allow().kind(RequestKind::Command).amend(), "`amend` needs"),
        (Rule::allow().program("ls").thread("x").amend(), "`amend` needs"),
        (Rule::allow().program("ls").regex("x").amend(), "`amend` needs"),
        (Rule::deny().program("ls").amend(), "`amend` needs"),
        (Rule::ask().host("x.com").amend(), "`amend` needs"),
    ];
    for (rule, expected) in table {
        let message = problem(rule.clone());
        assert!(message.starts_with("rule 2 \"odd\": ") && message.contains(expected), "{rule:?}: {message}");
    }
    let twice = Policy::builder().rule(Rule::ask().program("x").name("a")).rule(Rule::ask().program("y").name("a"));
    assert!(twice.build().unwrap_err().to_string().contains("rule 1 has the same name"));
    assert!(Policy::builder().root("here").build().unwrap_err().to_string().contains("`here` is not an absolute path"));
}
