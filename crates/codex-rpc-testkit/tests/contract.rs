//! The contract against executables that are none, and one made of the repository's own
//! recordings and schema.
#![cfg(all(feature = "record", unix))]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use codex_rpc::{CODEX_VERSION, Direction, METHODS, MethodKind};
use codex_rpc_testkit::contract::{Contract, Report, Verdict, junit, markdown};
use serde_json::{Value, json};
use tempfile::TempDir;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// An executable with this script.
fn program(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("codex");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

/// A codex that exports the pinned schema, changed, and replays what is recorded: first
/// the census, then the scenario `conversation`.
fn replayed(folder: &TempDir, change: impl Fn(&mut Value), accepts: impl Fn(&str) -> bool) -> PathBuf {
    let at = folder.path();
    for (name, flag) in [("stable.json", "stable"), ("experimental.json", "experimental")] {
        let text = fs::read_to_string(repository().join("protocol-schema").join(name)).expect("the schema");
        let mut schema: Value = serde_json::from_str(&text).expect("JSON");
        change(&mut schema);
        fs::write(at.join(flag), schema.to_string()).expect("a schema");
    }
    let conversation = repository().join("tests/transcripts").join(CODEX_VERSION).join("conversation.jsonl");
    let recorded = fs::read_to_string(&conversation).expect("a recording");
    let requests =
        METHODS.iter().filter(|info| info.direction == Direction::ClientToServer && info.kind == MethodKind::Request);
    let names: Vec<String> =
        requests.map(|info| info.method).filter(|name| accepts(name)).map(|name| format!("`{name}`")).collect();
    let error = format!("Invalid request: unknown variant `codex-rpc/census`, expected one of {}", names.join(", "));
    let handshake = [r#"{"transcript""#, r#""method":"initialize""#, r#""userAgent""#, r#""method":"initialized""#];
    let lines = handshake.iter().filter_map(|part| recorded.lines().find(|line| line.contains(part)));
    let mut census: Vec<String> = lines.map(str::to_owned).collect();
    census
        .push(json!({"from": "client", "message": {"id": 2, "method": "codex-rpc/census", "params": {}}}).to_string());
    census
        .push(json!({"from": "server", "message": {"id": 2, "error": {"code": -32600, "message": error}}}).to_string());
    fs::write(at.join("census.jsonl"), census.join("\n") + "\n").expect("a recording");

    let script = format!(
        r#"here={here}
case "$*" in
  --version) echo "codex-cli {CODEX_VERSION}" ;;
  "app-server generate-json-schema --out"*)
    case "$*" in *--experimental) which=experimental ;; *) which=stable ;; esac
    cp "$here/$which" "$4/codex_app_server_protocol.schemas.json" ;;
  app-server)
    if mkdir "$here/asked" 2>/dev/null; then exec {replay} "$here/census.jsonl"; fi
    exec {replay} {conversation} ;;
esac"#,
        here = at.display(),
        replay = env!("CARGO_BIN_EXE_codex-rpc-replay"),
        conversation = conversation.display(),
    );
    program(at, &script)
}

fn contract(executable: PathBuf) -> Report {
    Contract::new(executable).scenarios(["conversation"]).origin("a test").run().expect("a verdict")
}

fn findings(report: &Report, step: &str) -> Vec<String> {
    let step = report.steps.iter().find(|found| found.name == step).expect("a step");
    step.findings.iter().map(|finding| format!("{}: {}", finding.place, finding.message)).collect()
}

#[test]
fn an_executable_that_exports_and_says_what_the_bindings_know_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = contract(replayed(&folder, |_| {}, |_| true));
    assert_eq!(report.verdict(), Verdict::Fit, "{report}");
    let names: Vec<&str> = report.steps.iter().map(|step| step.name).collect();
    assert_eq!(names, ["schema", "census", "live", "handshake"]);
    assert!(
        report.steps[0].compared > 3_000 && report.steps[1].compared > 180 && report.steps[2].compared >= 30,
        "{report}"
    );
    assert!(report.to_string().ends_with("verdict: fit"), "{report}");
}

#[test]
fn each_change_of_the_schema_is_one_finding_at_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let change = |schema: &mut Value| {
        let v2 = &mut schema["definitions"]["v2"];
        v2["TurnStatus"]["enum"].as_array_mut().expect("values").push(json!("resting"));
        v2["AgentMessageDeltaNotification"]["properties"]["delta"]["type"] = json!("integer");
        let thread = v2["Thread"]["properties"].as_object_mut().expect("members");
        thread.insert("mood".to_owned(), json!({"type": "string"}));
        thread.remove("preview");
        v2.as_object_mut().expect("definitions").insert("Mood".to_owned(), json!({"type": "object"}));
    };
    let report = contract(replayed(&folder, change, |_| true));
    assert_eq!(report.verdict(), Verdict::Unfit);
    assert_eq!(
        findings(&report, "schema"),
        [
            "AgentMessageDeltaNotification.delta: the type was string and is integer",
            "Mood: the definition is new: the bindings do not know it",
            "Thread: the member `mood` is new: the bindings do not know it",
            "Thread: the member `preview` is gone",
            "TurnStatus: the value `resting` is new: the bindings do not know it",
        ]
    );
}

#[test]
fn a_method_that_the_server_no_longer_accepts_is_found_by_the_census() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = contract(replayed(&folder, |_| {}, |method| method != "thread/archive"));
    assert_eq!(
        findings(&report, "census"),
        ["thread/archive: the bindings have this method, and the server does not accept it"]
    );
    assert!(findings(&report, "schema").is_empty());
    let xml = junit(&report);
    assert!(xml.contains(r#"<testsuite name="census" tests="1" failures="1">"#), "{xml}");
    assert!(xml.contains(r#"<testcase classname="schema" name="the schema that it exports"/>"#), "{xml}");
    assert_eq!(xml.matches("<testsuite ").count(), xml.matches("</testsuite>").count());
    assert!(markdown(&report).contains("- `thread/archive`: the bindings have this method"), "{}", markdown(&report));
}

#[test]
fn an_executable_that_is_no_codex_gives_no_verdict_and_leaves_nothing() {
    for (script, reason) in [
        ("exit 3", "exit status: 3"),
        ("echo hello", "does not say a version"),
        ("head -c 3000000 /dev/zero; exit 1", "exit status: 1"),
        ("sleep 1000", "did not end within"),
        ("sleep 1000 & wait", "did not end within"),
        (r#"[ "$1" = --version ] && echo codex-cli 0.169.0 && exit; exit 7"#, "exit status: 7"),
        (r#"[ "$1" = --version ] && echo codex-cli 0.169.0"#, "ended with"),
        (r#"[ "$1" = --version ] && echo codex-cli 0.169.0; true"#, "has no codex_app_server_protocol"),
        (
            r#"[ "$1" = --version ] && echo codex-cli 0.169.0; [ "$2" = generate-json-schema ] && echo '{' > "$4/codex_app_server_protocol.schemas.json"; true"#,
            "no JSON",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let executable = program(folder.path(), script);
        let error = Contract::new(&executable).limit(Duration::from_millis(500)).run().expect_err("no verdict");
        assert!(error.reason.contains(reason), "{script}: {error}");
        let left = Command::new("pgrep").args(["-f", &executable.display().to_string()]).output();
        if let Ok(left) = left {
            assert_eq!(String::from_utf8_lossy(&left.stdout), "", "{script}: a process is left");
        }
    }
    let missing = Contract::new("/no/such/codex").run().expect_err("no verdict");
    assert_eq!(missing.to_string(), "could not run /no/such/codex: there is no such file, nor one on PATH");
}

#[test]
fn the_program_says_by_its_exit_status_what_became_of_it() {
    let status = |executable: &Path, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codex-contract"));
        let output = command.arg(executable).args(["--scenario", "conversation"]).args(more).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (code, text) = status(&replayed(&folder, |_| {}, |_| true), &["--format", "json"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, report["codex"].as_str()), (Some(0), Some(CODEX_VERSION)));

    let folder = tempfile::tempdir().expect("a folder");
    let (code, text) = status(&replayed(&folder, |_| {}, |method| method != "turn/start"), &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("turn/start") && text.ends_with("verdict: unfit\n"), "{text}");

    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(status(&program(folder.path(), "exit 1"), &[]).0, Some(2));
    assert_eq!(status(Path::new("codex"), &["--formt", "json"]).0, Some(2));
}
