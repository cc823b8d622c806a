//! Every example, run against recordings of the real executable: the app-server ones
//! against a session of `sessions/`, the exec ones against a run of `exec/`. And, where
//! `CODEX_BIN` names it, against the real executable.
#![cfg(all(unix, feature = "policy", feature = "schemars"))]

#[path = "exec/codex.rs"]
#[allow(dead_code, reason = "it is for exec mode, too")]
mod codex;
#[path = "examples/live.rs"]
mod live;
#[path = "examples/programs.rs"]
mod programs;
#[path = "exec/sanitise.rs"]
#[allow(dead_code, reason = "it is for recordings")]
mod sanitise;

use std::fs;
use std::path::Path;

use programs::{Ended, Run, program};
use serde_json::Value;
use tempfile::TempDir;

/// An example and what it talks to.
struct Replayed {
    folder: TempDir,
    run: Run,
}

impl Replayed {
    /// With a recording, as a path below `tests`.
    fn new(example: &str, recording: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(recording);
        let run = Run::new(example, folder.path())
            .env("CODEX_BIN", program("replaying_codex"))
            .env("REPLAY", recording)
            .env("OUTCOME", folder.path().join("outcome"));
        Self { folder, run }
    }

    fn with(mut self, with: impl FnOnce(Run) -> Run) -> Self {
        self.run = with(self.run);
        self
    }

    /// The end, after a session in which all was said that was recorded.
    async fn said(self) -> (Ended, TempDir) {
        let (ended, outcome, folder) = self.end().await;
        assert_eq!(outcome, "all was said\n", "{ended:?}");
        (ended, folder)
    }

    /// The end, and what the replaying codex wrote about it.
    async fn end(self) -> (Ended, String, TempDir) {
        let ended = self.run.end().await;
        let outcome = fs::read_to_string(self.folder.path().join("outcome")).unwrap_or_default();
        (ended, outcome, self.folder)
    }
}

#[tokio::test]
async fn exec_once_prints_the_answer_to_its_argument() {
    let example = Replayed::new("exec_once", "exec/0.169.0/reply.jsonl").with(|run| run.args(&["Say hello."]));
    let (ended, outcome, _) = example.end().await;
    assert_eq!((ended.status, ended.out.as_str()), (0, "Hello from the stand-in model.\n"), "{ended:?}");
    assert_eq!(ended.err, "tokens: 120 in, 30 out\n");
    assert_eq!(outcome, "exec --json --ephemeral - < Say hello.\n");
}

#[tokio::test]
async fn exec_resume_goes_on_with_the_thread_of_its_first_run() {
    let example =
        Replayed::new("exec_resume", "exec/0.169.0/resume.jsonl").with(|run| run.args(&["First?", "Second?"]));
    let (ended, outcome, _) = example.end().await;
    assert_eq!((ended.status, ended.out.as_str()), (0, "One.\nTwo.\n"), "{ended:?}");
    let thread = "01900000-0000-7000-8000-000000000001";
    assert_eq!(ended.err, format!("thread {thread}, 300 tokens in all\n"));
    assert_eq!(outcome, format!("exec --json - < First?\nexec --json resume -- {thread} - < Second?\n"));
}

#[tokio::test]
async fn an_exec_that_fails_is_an_example_that_fails_and_says_why() {
    let example = Replayed::new("exec_once", "exec/0.169.0/failed_http.jsonl").with(|run| run.args(&["Say hello."]));
    let (ended, _, _) = example.end().await;
    assert_eq!((ended.status, ended.out.as_str()), (1, ""), "{ended:?}");
    assert!(ended.err.contains("ExecFailed"), "{ended:?}");
}

async fn tells_turn_by_turn(example: &str) {
    let example = Replayed::new(example, "sessions/0.169.0/turn_by_turn.jsonl")
        .with(|run| run.args(&["My name is Ada.", "What is my name?"]));
    let (ended, _) = example.said().await;
    let expected = "> My name is Ada.\nHello Ada.\n\n> What is my name?\nYour name is Ada.\n\n";
    assert_eq!((ended.status, ended.out.as_str()), (0, expected), "{ended:?}");
    assert_eq!(ended.err, "2 items, 150 tokens until now\n2 items, 300 tokens until now\n");
}

#[tokio::test]
async fn turn_by_turn_prints_an_answer_after_the_other() {
    tells_turn_by_turn("turn_by_turn").await;
}

#[cfg(feature = "blocking")]
#[tokio::test]
async fn blocking_says_and_prints_the_same() {
    tells_turn_by_turn("blocking").await;
}

#[tokio::test]
async fn an_example_that_says_something_else_than_was_recorded_is_noticed() {
    let example =
        Replayed::new("turn_by_turn", "sessions/0.169.0/turn_by_turn.jsonl").with(|run| run.args(&["Hello."]));
    let (ended, _, _) = example.end().await;
    assert!(ended.status == 1 && ended.err.contains("/params/input/0/text"), "{ended:?}");
}

#[tokio::test]
async fn stream_prints_messages_on_stdout_and_commands_on_stderr() {
    let example =
        Replayed::new("stream", "sessions/0.169.0/stream.jsonl").with(|run| run.args(&["Which files are here?"]));
    let (ended, _) = example.said().await;
    assert_eq!((ended.status, ended.out.as_str()), (0, "I look.\nThere is one file, notes.txt.\n"), "{ended:?}");
    assert_eq!(ended.err, "$ /bin/bash -lc ls\n  completed in 1 ms\ncompleted\n");
}

#[tokio::test]
async fn approvals_allows_and_denies_by_the_policy_asks_the_person_and_logs_all_of_it() {
    let example = Replayed::new("approvals", "sessions/0.169.0/approvals.jsonl")
        .with(|run| run.args(&["Make a file notes.txt."]).input("y\n"));
    let (ended, folder) = example.said().await;
    assert_eq!((ended.status, ended.out.as_str()), (0, "I looked, and made notes.txt.\n"), "{ended:?}");
    assert_eq!(ended.err, "May the agent run `touch notes.txt`? [y]es, [s]ession, [N]o\n");
    let log = fs::read_to_string(folder.path().join("approvals.jsonl")).expect("a log");
    let decisions: Vec<String> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|line| {
            ["decision", "decided_by", "rule"].map(|key| line[key].as_str().unwrap_or("-").to_owned()).join(" ")
        })
        .collect();
    assert_eq!(decisions, ["allow rule look around", "deny rule nothing leaves the machine", "allow hook -"]);
}

#[tokio::test]
async fn approvals_refuses_where_nobody_is_there_to_answer() {
    let example = Replayed::new("approvals", "sessions/0.169.0/approvals.jsonl")
        .with(|run| run.args(&["Make a file notes.txt."]));
    let (ended, outcome, _) = example.end().await;
    assert!(outcome.contains("/result/decision") && outcome.contains("decline"), "{outcome} {ended:?}");
}

#[tokio::test]
async fn structured_prints_the_members_of_its_type() {
    let (ended, _) = Replayed::new("structured", "sessions/0.169.0/structured.jsonl").said().await;
    let expected = "purpose:   It tests.\nlanguages: Rust, Python\ntests:     none\n";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, expected, ""));
}

#[tokio::test]
async fn fan_out_prints_each_answer_with_its_question_as_it_comes() {
    let example = Replayed::new("fan_out", "sessions/0.169.0/fan_out.jsonl").with(|run| {
        run.args(&["What is in src?", "What is in tests?", "Is there a licence?"]).env("REPLAY_ANY_ORDER", "1")
    });
    let (ended, _) = example.said().await;
    assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{ended:?}");
    // The replay tells the ends of the last two in one breath.
    let (first, rest) = ended.out.split_at("What is in src?\n  Sources.\n".len());
    assert_eq!(first, "What is in src?\n  Sources.\n");
    let mut rest: Vec<_> = rest.lines().collect();
    rest.sort_unstable();
    assert_eq!(rest, ["  Tests.", "  Yes, two.", "Is there a licence?", "What is in tests?"]);
}

fn git(folder: &Path, arguments: &[&str]) {
    let git = std::process::Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(arguments)
        .current_dir(folder)
        .status();
    assert!(git.expect("git starts").success(), "git {arguments:?}");
}

/// A repository in which a file was changed.
fn repository(folder: &Path) {
    fs::write(folder.join("sum.py"), "def sum(a, b):\n    return a + b\n").expect("a file");
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "sum.py"]);
    git(folder, &["commit", "-q", "-m", "first"]);
    fs::write(folder.join("sum.py"), "def sum(a, b):\n    return a - b\n").expect("a file");
}

const REVIEW: &str = "## Review\n\nOne bug.\n\n- **must** `sum.py:2` It subtracts.\n\
                      - may `sum.py:1` It says nothing of its types.\n";

#[tokio::test]
async fn ci_reviewer_prints_markdown_and_fails_where_something_must_be_changed() {
    let example = Replayed::new("ci_reviewer", "sessions/0.169.0/ci_reviewer.jsonl").with(|run| run.args(&["HEAD"]));
    repository(example.folder.path());
    let (ended, _) = example.said().await;
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (1, REVIEW, ""));
}

#[tokio::test]
async fn ci_reviewer_asks_nobody_where_nothing_was_changed_and_tells_a_failure_from_a_finding() {
    let example = Replayed::new("ci_reviewer", "sessions/0.169.0/ci_reviewer.jsonl");
    repository(example.folder.path());
    git(example.folder.path(), &["commit", "-q", "-a", "-m", "second"]);
    let (ended, outcome, _) = example.end().await;
    assert_eq!((ended.status, ended.out.as_str(), outcome.as_str()), (0, "## Review\n\nNothing was changed.\n", ""));

    let example = Replayed::new("ci_reviewer", "sessions/0.169.0/ci_reviewer.jsonl").with(|run| run.args(&["nowhere"]));
    repository(example.folder.path());
    let (ended, _, _) = example.end().await;
    assert_eq!((ended.status, ended.out.as_str()), (2, ""));
    assert!(ended.err.starts_with("error: git diff nowhere: "), "{ended:?}");
}

#[tokio::test]
async fn chat_answers_lines_and_is_interrupted_by_ctrl_c_without_ending() {
    let example = Replayed::new("chat", "sessions/0.169.0/chat.jsonl")
        .with(|run| run.input("Hi\n\nTell me a long story\n/quit\n").interrupt_after("A l"));
    let (ended, _) = example.said().await;
    assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{ended:?}");
    assert!(ended.out.starts_with("Hello.\nA l") && ended.out.ends_with("\n(interrupted)\n"), "{ended:?}");
}

#[tokio::test]
async fn render_shows_the_session_on_stderr_and_the_answer_on_stdout_styled_only_where_it_is_wanted() {
    let run = async |variables: &[&str]| {
        let example = Replayed::new("render", "sessions/0.169.0/render.jsonl")
            .with(|run| variables.iter().fold(run.args(&["Do the work"]), |run, name| run.env(name, "1")));
        let (ended, _) = example.said().await;
        assert_eq!((ended.status, ended.out.as_str()), (0, "All done.\n"), "{ended:?}");
        ended.err
    };
    let plain = run(&[]).await;
    assert!(plain.contains("\nexec\n") && plain.contains(" exited 3 in 1ms:\noops\n"), "{plain}");
    assert!(!plain.contains('\x1b'), "{plain:?}");
    let styled = run(&["CLICOLOR_FORCE"]).await;
    assert!(styled.contains("\x1b[31mexited 3"), "{styled:?}");
    assert_eq!(anstream::adapter::strip_str(&styled).to_string(), plain);
    assert_eq!(run(&["CLICOLOR_FORCE", "NO_COLOR"]).await, plain);
}

#[test]
fn the_readme_names_every_example_and_no_other() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(crate_folder.join("../../README.md")).expect("the README");
    let mut named: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| [`")?.split_once("](crates/codex-rpc-client/examples/"))
        .map(|(name, rest)| {
            let path = rest.split_once(')').expect("a link").0;
            assert!(crate_folder.join("examples").join(path).is_file(), "{path}");
            name.trim_end_matches('`')
        })
        .collect();
    named.sort_unstable();
    let entries =
        fs::read_dir(crate_folder.join("examples")).expect("the examples").map(|entry| entry.expect("one").path());
    let mut there: Vec<String> = entries
        .filter(|path| path.extension().is_none_or(|extension| extension == "rs"))
        .map(|path| path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned())
        .collect();
    there.sort_unstable();
    assert_eq!(named, there);
}
