//! The examples and the real executable, where `CODEX_BIN` names one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use codex_rpc_testkit::recorder::{AppServer, record};
use codex_rpc_testkit::recording::differences;
use codex_rpc_testkit::scenario::Scenario;
use serde_json::{Value, json};

use super::codex::{Codex, executable};
use super::programs::{Ended, Run};
use super::{REVIEW, repository};

struct Live {
    codex: Codex,
    run: Run,
}

impl Live {
    /// An example, with a model that gives these answers; none without the executable.
    fn new(example: &str, answers: &Value) -> Option<Self> {
        let (executable, _) = executable()?;
        let codex = Codex::new(&executable, &json!({"answers": answers}), "[features]\nplugins = false");
        let workspace = codex.workspace();
        repository(&workspace);
        let mut run = Run::new(example, &workspace)
            .env("CODEX_BIN", executable)
            .env("CODEX_HOME", codex.path.join("codex-home"))
            .env("HOME", codex.path.join("home"))
            .env("SHELL", "/bin/bash")
            .env("NO_PROXY", "127.0.0.1");
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            run = run.env(proxy, "http://127.0.0.1:9");
        }
        Some(Self { codex, run })
    }

    fn with(mut self, with: impl FnOnce(Run) -> Run) -> Self {
        self.run = with(self.run);
        self
    }

    async fn end(self) -> (Ended, Codex) {
        let ended = self.run.end().await;
        assert_eq!(self.codex.model.problems(), [""; 0]);
        (ended, self.codex)
    }

    /// The end of one that prints this.
    async fn prints(self, expected: &str) {
        let (ended, _) = self.end().await;
        assert_eq!((ended.status, ended.out.as_str()), (0, expected), "{ended:?}");
    }
}

fn message(text: &str) -> Value {
    json!([{"message": text}])
}

fn command(command: &str, more: &Value) -> Value {
    let mut arguments = json!({"cmd": command});
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    json!([{"call": {"name": "exec_command", "arguments": arguments}}])
}

#[tokio::test]
async fn live_exec_once() {
    let Some(live) = Live::new("exec_once", &json!([message("Hello.")])) else { return };
    live.prints("Hello.\n").await;
}

#[tokio::test]
async fn live_exec_resume() {
    let Some(live) = Live::new("exec_resume", &json!([message("One."), message("Two.")])) else { return };
    live.prints("One.\nTwo.\n").await;
}

#[tokio::test]
async fn live_turn_by_turn() {
    for example in [
        "turn_by_turn",
        #[cfg(feature = "blocking")]
        "blocking",
    ] {
        let Some(live) = Live::new(example, &json!([message("Hello Ada."), message("Ada.")])) else { return };
        live.prints("> My name is Ada.\nHello Ada.\n\n> What is my name?\nAda.\n\n").await;
    }
}

#[tokio::test]
async fn live_stream() {
    let Some(live) = Live::new("stream", &json!([command("ls", &json!({})), message("One file.")])) else { return };
    let (ended, _) = live.end().await;
    assert_eq!((ended.status, ended.out.as_str()), (0, "One file.\n"), "{ended:?}");
    assert!(ended.err.starts_with("$ /bin/bash -lc ls\n  completed in "), "{ended:?}");
}

#[tokio::test]
async fn live_approvals() {
    let escalated = json!({"sandbox_permissions": "require_escalated", "justification": "To look"});
    let answers = json!([
        command("touch denied.txt; curl http://127.0.0.1:9/", &escalated),
        command("touch asked.txt", &escalated),
        message("Done.")
    ]);
    let Some(live) = Live::new("approvals", &answers) else { return };
    let (ended, codex) = live.with(|run| run.input("y\n")).end().await;
    assert_eq!((ended.status, ended.out.as_str()), (0, "Done.\n"), "{ended:?}");
    let names = ["denied.txt", "asked.txt"].map(|name| codex.workspace().join(name).exists());
    assert_eq!(names, [false, true], "{ended:?}");
    let log = fs::read_to_string(codex.workspace().join("approvals.jsonl")).expect("a log");
    assert_eq!(log.lines().count(), 2, "{log}");
}

#[tokio::test]
async fn live_structured() {
    let answer = message(r#"{"purpose":"p","languages":["Rust"],"test_command":"cargo test"}"#);
    let Some(live) = Live::new("structured", &json!([answer])) else { return };
    live.prints("purpose:   p\nlanguages: Rust\ntests:     cargo test\n").await;
}

#[tokio::test]
async fn live_fan_out() {
    let answer = |question: &str, text: &str, delay: f64| json!({"items": [{"message": text}], "match": {"contains": [question]}, "delay": delay});
    let answers = json!([answer("one?", "1", 0.2), answer("two?", "2", 1.5), answer("three?", "3", 0.2)]);
    let Some(live) = Live::new("fan_out", &answers) else { return };
    let (ended, _) = live.with(|run| run.args(&["one?", "two?", "three?"])).end().await;
    assert_eq!(ended.status, 0, "{ended:?}");
    // Which of them is first is the machine's business.
    for answer in ["one?\n  1\n", "two?\n  2\n", "three?\n  3\n"] {
        assert!(ended.out.contains(answer), "{ended:?}");
    }
}

#[tokio::test]
async fn live_ci_reviewer() {
    let answer = message(
        r#"{"findings":[{"blocking":true,"file":"sum.py","line":2,"problem":"It subtracts."},{"blocking":false,"file":"sum.py","line":1,"problem":"It says nothing of its types."}],"summary":"One bug."}"#,
    );
    let Some(live) = Live::new("ci_reviewer", &json!([answer])) else { return };
    let (ended, codex) = live.end().await;
    assert_eq!((ended.status, ended.out.as_str()), (1, REVIEW), "{ended:?}");
    let asked = codex.model.requests()[0].body.as_ref().expect("a body")["input"].to_string();
    assert!(asked.contains("+    return a - b"), "{asked}");
}

#[tokio::test]
async fn live_chat() {
    let endless =
        json!({"items": [{"message": "A long answer that never ends"}], "pause": {"after": 3, "seconds": 30}});
    let Some(live) = Live::new("chat", &json!([message("Hello."), endless])) else { return };
    let live = live.with(|run| run.input("Hi\nTell me more\n/quit\n").interrupt_after("A l"));
    let (ended, _) = live.end().await;
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.out.starts_with("Hello.\nA l") && ended.out.ends_with("\n(interrupted)\n"), "{ended:?}");
}

#[tokio::test]
async fn live_render() {
    let Some(live) = Live::new("render", &json!([command("echo hello", &json!({})), message("All done.")])) else {
        return;
    };
    let (ended, _) = live.end().await;
    assert_eq!((ended.status, ended.out.as_str()), (0, "All done.\n"), "{ended:?}");
    for text in ["model: gpt-5.5\n", "\nuser\nList the files here.\n", " succeeded in ", "\nhello\n", "tokens used\n"] {
        assert!(ended.err.contains(text), "{text:?}: {ended:?}");
    }
}

/// With `RECORD=1` the sessions are written, else those of this release are compared.
#[test]
fn the_executable_says_what_the_sessions_hold() {
    let Some((executable, release)) = executable() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    let recorded = folder.join(&release);
    let write = std::env::var_os("RECORD").is_some();
    if !write && !recorded.is_dir() {
        eprintln!("there are no sessions of {release}: they were NOT compared");
        return;
    }
    let server = AppServer::codex(executable, release.parse().expect("a release"));
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).expect("scenarios") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
        let scenario = Scenario::parse(&fs::read_to_string(&path).expect("a scenario")).expect("a scenario");
        let recording = record(&name, &scenario, &server).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recording.problems, [""; 0], "{name}");
        let file = recorded.join(format!("{name}.jsonl"));
        if write {
            fs::create_dir_all(&recorded).expect("a folder");
            let new = file.with_extension("new");
            fs::write(&new, recording.to_jsonl()).expect("a file");
            fs::rename(new, file).expect("a file");
        } else {
            let before = fs::read_to_string(file).expect("a session");
            assert_eq!(differences(&before, &recording.to_jsonl()), [""; 0], "{name}: record again with RECORD=1");
        }
        names.insert(name);
    }
    assert_eq!(names.len(), 8, "{names:?}");
}
