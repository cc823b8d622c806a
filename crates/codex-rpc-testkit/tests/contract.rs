//! The contract against executables that are none, and one made of the repository's own
//! recordings and schema.
#![cfg(all(feature = "record", unix))]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use codex_rpc::{CODEX_VERSION, Direction, METHODS, MethodKind};
use codex_rpc_testkit::contract::{CancelToken, Contract, Report, Verdict, json as report_json, junit, markdown};
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
        assert!(error.reason().contains(reason), "{script}: {error}");
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

/// The one of `replayed`, but for the scenario: there it says so to the one who reads from
/// the pipe `hangs`, and neither answers nor ends, nor does a process that left its group.
fn hanging(folder: &TempDir) -> PathBuf {
    let executable = replayed(folder, |_| {}, |_| true);
    let script = fs::read_to_string(&executable).expect("a script");
    let (before, _) = script.rsplit_once("    exec ").expect("the replay of the scenario");
    let made = Command::new("mkfifo").arg(folder.path().join("hangs")).status().expect("mkfifo");
    assert!(made.success());
    let hangs = "setsid sleep 1000 & echo >\"$here/hangs\"; sleep 1000 ;;";
    program(folder.path(), &format!("{before}{hangs}\nesac").replace("#!/bin/sh\n", ""))
}

/// Processes with this folder in their environment.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let read =
            |name: &str| String::from_utf8_lossy(&fs::read(entry.path().join(name)).unwrap_or_default()).into_owned();
        if read("environ").contains(&folder) {
            all.push(read("cmdline"));
        }
    }
    all
}

/// Nothing of a run is left.
fn assert_clean(tmp: &TempDir) {
    let files: Vec<_> = fs::read_dir(tmp.path()).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert!(files.is_empty(), "files are left: {files:?}");
    assert_eq!(processes_of(tmp.path()), [""; 0], "processes are left");
}

/// `codex-contract` with temporary files in a folder of their own.
fn codex_contract(tmp: &TempDir, arguments: &[&str], executable: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codex-contract"));
    command.arg(executable).args(["--scenario", "conversation"]).args(arguments).env("TMPDIR", tmp.path());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until the scenario has begun, away from the test, so that a run that ends before
/// fails the test and does not make it wait.
fn when_it_hangs<T: Send + 'static>(folder: &TempDir, act: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let hangs = folder.path().join("hangs");
    thread::spawn(move || {
        fs::read(hangs).expect("a pipe");
        act()
    })
}

#[test]
fn a_run_that_is_cancelled_tells_how_far_it_came() {
    let folder = tempfile::tempdir().expect("a folder");
    let executable = hanging(&folder);
    let token = CancelToken::new();
    let contract = Contract::new(executable).scenarios(["conversation"]).cancel_token(token.clone());
    when_it_hangs(&folder, move || token.cancel());
    let error = contract.run().expect_err("no verdict");
    assert_eq!(error.step(), Some("live"), "{error}");
    let reason = "the run was cancelled; 0 of 1 scenarios were played, under way: conversation";
    assert_eq!(
        (error.reason(), error.codex(), error.origin()),
        (reason, Some(CODEX_VERSION), Some("the path that was given"))
    );
    assert_eq!(error.done().iter().map(|step| step.name).collect::<Vec<_>>(), ["schema", "census"]);
}

#[test]
fn a_codex_that_never_answers_is_ended_by_the_time_limit() {
    let (folder, tmp) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let executable = program(folder.path(), "setsid sleep 1000 & sleep 1000");
    // So short that it may pass before anything was started: no verdict either way.
    let output =
        codex_contract(&tmp, &["--time-limit", "0.5", "--format", "json"], &executable).output().expect("it runs");
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!((output.status.code(), report["verdict"].as_str()), (Some(2), Some("couldNotRun")));
    assert_eq!(report["couldNotRun"], json!({"step": "version", "reason": "the time limit of 500ms passed"}));
    assert_eq!(report["steps"], json!([]));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("(step version): the time limit of 500ms passed"), "{error}");
    assert_clean(&tmp);
}

#[test]
fn a_time_limit_shorter_than_the_first_answer_ends_the_run_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let executable = program(folder.path(), "sleep 1000");
    let error = Contract::new(executable).time_limit(Duration::from_millis(100)).run().expect_err("no verdict");
    assert_eq!((error.step(), error.reason()), (Some("version"), "the time limit of 100ms passed"));
    assert!(error.done().is_empty());
    let xml = junit(&error);
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    let found = parsed.descendants().find(|node| node.has_tag_name("error")).and_then(|node| node.attribute("message"));
    assert_eq!(found, Some("the time limit of 100ms passed"));
    assert!(markdown(&error).contains("Step version: the time limit of 100ms passed"), "{}", markdown(&error));
}

#[test]
fn an_interrupt_ends_the_processes_and_removes_the_files() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let (folder, tmp) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let executable = hanging(&folder);
        let program = codex_contract(&tmp, &["--format", "json"], &executable).spawn().expect("it starts");
        let (id, at) = (program.id().to_string(), tmp.path().to_owned());
        let seen = when_it_hangs(&folder, move || {
            let seen = processes_of(&at);
            let sent = Command::new("kill").args([signal, &id]).status().expect("kill");
            assert!(sent.success());
            seen
        });
        let output = program.wait_with_output().expect("it ends");
        let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!((output.status.code(), report["couldNotRun"]["step"].as_str()), (Some(2), Some("live")));
        let reason = report["couldNotRun"]["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("the run was cancelled; 0 of 1 scenarios"), "{reason}");
        let seen = seen.join().expect("the signal was sent");
        assert!(seen.iter().any(|line| line.contains("app-server")), "there was something to end: {seen:?}");
        assert_clean(&tmp);
    }
}

#[test]
fn the_program_writes_the_report_in_all_forms_and_colours_only_what_a_terminal_shows() {
    let (folder, tmp) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let out = tempfile::tempdir().expect("a folder");
    let executable = replayed(&folder, |_| {}, |method| method != "thread/archive");
    let files = ["r.txt", "r.md", "r.json", "r.xml"].map(|name| out.path().join(name).display().to_string());
    let mut command = codex_contract(&tmp, &[], &executable);
    for file in &files {
        command.args(["--write", file]);
    }
    let output = command.env("CLICOLOR_FORCE", "1").output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("\u{1b}[31munfit\u{1b}[0m"), "{}", stdout(&output));
    let [text, markdown, json, xml] = files.map(|file| fs::read_to_string(file).expect("a report"));
    assert!(text.ends_with("verdict: unfit\n") && !text.contains('\u{1b}'), "{text}");
    assert!(text.contains(", from the path that was given"), "{text}");
    assert!(markdown.starts_with("# codex ") && markdown.contains("unfit"), "{markdown}");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["verdict"], "unfit");
    let xml = roxmltree::Document::parse(&xml).expect("XML");
    assert_eq!(xml.descendants().filter(|node| node.has_tag_name("failure")).count(), 1);
    assert_clean(&tmp);

    let output = codex_contract(&tmp, &[], &program(folder.path(), "exit 1")).output().expect("it runs");
    assert!(!stdout(&output).contains('\u{1b}'), "plain when it is piped");
    assert!(stdout(&output).ends_with("verdict: could not run\n"), "{}", stdout(&output));
    for wrong in [["--write", "report.pdf"], ["--time-limit", "0"], ["--limit", "soon"], ["--scenario", "none"]] {
        let output = codex_contract(&tmp, &wrong, &executable).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_report_replaces_a_file_in_one_step_and_has_the_mode_of_any_new_file() {
    let (folder, tmp) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (report, before) = (folder.path().join("r.md"), folder.path().join("before"));
    fs::write(&report, "before").expect("a file");
    fs::hard_link(&report, &before).expect("a second name");
    let wanted = report.display().to_string();
    let contract = codex_contract(&tmp, &["--write", &wanted], &program(folder.path(), "exit 1"));
    let mut command = Command::new("sh");
    command.args(["-c", r#"umask 027; exec "$0" "$@""#]).arg(contract.get_program()).args(contract.get_args());
    let output = command.env("TMPDIR", tmp.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(fs::read_to_string(&report).expect("a report").contains("could not run"));
    assert_eq!(fs::metadata(&report).expect("a file").permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_to_string(&before).expect("a file"), "before", "it was written into");
    let left = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = fs::read_dir(folder.path()).expect("a folder").flatten().map(left).collect();
    names.sort();
    assert_eq!(names, ["before", "codex", "r.md"]);
}

#[test]
fn a_relative_path_is_found_from_where_the_program_was_started() {
    let (folder, tmp) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    replayed(&folder, |_| {}, |_| true);
    let output = codex_contract(&tmp, &[], Path::new("./codex")).current_dir(folder.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[test]
fn the_requests_of_the_server_are_answered_as_the_bindings_types_and_counted() {
    for (scenario, notes) in [
        ("patch_approval", &[] as &[&str]),
        ("unanswered", &["unanswered: item/commandExecution/requestApproval was not answered"]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let executable = replayed(&folder, |_| {}, |_| true);
        let file = format!("{scenario}.jsonl");
        let script = fs::read_to_string(&executable).expect("a script").replace("conversation.jsonl", &file);
        let executable = program(folder.path(), script.trim_start_matches("#!/bin/sh\n"));
        let report = Contract::new(executable).scenarios([scenario]).run().expect("a verdict");
        let recorded = repository().join("tests/transcripts").join(CODEX_VERSION).join(&file);
        let recorded = fs::read_to_string(recorded).expect("a recording");
        let asked =
            recorded.lines().filter(|line| line.contains("requestApproval\"") && line.contains("\"from\":\"server\""));
        let asked = asked.count() as u64;
        assert!(asked > 0);
        let live = &report_json(&report)["steps"][2];
        let count = |what: &str| {
            let rows = live["rows"].as_array().expect("rows");
            rows.iter().find(|row| row["what"] == what).and_then(|row| row["count"].as_u64())
        };
        assert_eq!(count("requests of the server"), Some(asked), "{report}");
        assert_eq!(count("answered as the bindings' types"), Some(asked - notes.len() as u64), "{report}");
        assert_eq!(live["notes"], json!(notes), "{report}");
    }
}
