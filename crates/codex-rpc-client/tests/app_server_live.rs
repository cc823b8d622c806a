//! Sessions with the real executable and a stand-in model, where `CODEX_BIN` names it.
#![cfg(all(unix, feature = "policy", feature = "schemars"))]

#[allow(dead_code, reason = "exec mode has two other cases")]
mod cases;
#[path = "exec/codex.rs"]
#[allow(dead_code, reason = "it is for exec mode, too")]
mod codex;
#[path = "app_server_live/history.rs"]
mod history;
#[path = "exec/sanitise.rs"]
mod sanitise;
#[path = "app_server_live/turns.rs"]
mod turns;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cases::Case;
use codex_rpc_client::approval::Decision;
use codex_rpc_client::policy::{Action, AuditLog, Policy, Rule};
use codex_rpc_client::protocol::types::{ThreadItem, ThreadStartParams, TurnStatus};
use codex_rpc_client::{Codex, CodexBuilder, Error, Restart, Thread};
use serde_json::{Value, json};

/// The real executable, its folders and its model.
struct Real {
    own: codex::Codex,
    executable: PathBuf,
    release: String,
}

impl Real {
    /// With a model of this script; none without the executable.
    fn new(script: &Value) -> Option<Self> {
        let (executable, release) = codex::executable()?;
        let own = codex::Codex::new(&executable, script, "[features]\nplugins = false");
        Some(Self { own, executable, release })
    }

    /// With a model of these answers.
    fn answering(answers: &Value) -> Option<Self> {
        Self::new(&json!({"answers": answers}))
    }

    fn builder(&self) -> CodexBuilder {
        let mut builder = Codex::builder()
            .executable(&self.executable)
            .home(self.own.path.join("codex-home"))
            .directory(self.own.workspace())
            .env("HOME", self.own.path.join("home"))
            .env("SHELL", "/bin/bash")
            .env("NO_PROXY", "127.0.0.1")
            .experimental_api(true)
            .time_limit(Some(Duration::from_secs(60)));
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            builder = builder.env(proxy, "http://127.0.0.1:9");
        }
        builder
    }

    async fn thread(&self) -> Thread {
        let codex = self.builder().start().await.expect("a session");
        codex.start_thread(ThreadStartParams::new()).await.expect("a thread")
    }

    /// What the model was given in one of its requests, from 0.
    fn input(&self, request: usize) -> String {
        self.own.model.requests()[request].body.as_ref().expect("a body")["input"].to_string()
    }
}

/// Waits for what has to come.
#[track_caller]
fn soon<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let outcome = tokio::time::timeout(Duration::from_secs(60), future).await;
        outcome.unwrap_or_else(|_| panic!("{caller}: it did not come"))
    }
}

fn message(text: &str) -> Value {
    json!([{"message": text}])
}

fn command(arguments: &Value) -> Value {
    json!([{"call": {"name": "exec_command", "arguments": arguments}}])
}

/// A command that needs an approval.
fn escalated(cmd: &str) -> Value {
    command(&json!({"cmd": cmd, "sandbox_permissions": "require_escalated", "justification": "To see"}))
}

#[tokio::test]
async fn a_turn_answers_exactly_what_the_model_said() {
    let reply = "  Exactly this: \"ü\" \\ 😀, and\nno more.";
    let Some(real) = Real::answering(&json!([message(reply)])) else { return };
    let case = Case::start("app_server_turn", &real.release);
    let prompt = "-- Say exactly \"this\".\n\tAnd no more.";
    let thread = real.thread().await;
    assert_eq!(thread.codex().release().as_deref(), Some(real.release.as_str()));
    let result = soon(thread.run(prompt)).await.unwrap();
    assert_eq!((result.text(), &result.status), (reply, &TurnStatus::Completed));
    assert_eq!((result.thread_id.as_str(), result.items.len()), (thread.id(), 2), "{result:?}");
    assert_eq!(result.usage.as_ref().unwrap().last.output_tokens, 30);
    assert_eq!(real.own.model.requests().len(), 1);
    assert!(real.input(0).contains(&json!(prompt).to_string()), "the prompt arrives as it is");
    thread.codex().close().await;

    let items: Vec<Value> = result.items.iter().map(|item| serde_json::to_value(item).expect("JSON")).collect();
    let mut conversation = json!([{"thread": thread.id(), "prompt": prompt, "items": items, "response": result.text(),
        "usage": {"total": result.usage.as_ref().map(|usage| usage.total.total_tokens)}}]);
    for item in conversation[0]["items"].as_array_mut().expect("items") {
        // Times are the moment's.
        item.as_object_mut().expect("an item").retain(|name, _| !name.ends_with("AtMs"));
    }
    case.succeed(&serde_json::from_str(&real.own.sanitiser().text(&conversation.to_string())).unwrap());
}

#[tokio::test]
async fn a_policy_allows_and_denies_commands_and_the_log_tells_by_which_rule() {
    let answers =
        json!([escalated("touch allowed.txt"), escalated("mkdir denied"), escalated("ln -s a b"), message("Done.")]);
    let Some(real) = Real::answering(&answers) else { return };
    let log = real.own.path.join("audit.jsonl");
    let policy = Policy::builder()
        .rule(Rule::allow().name("files").program("touch"))
        .rule(Rule::deny().name("folders").program("mkdir"))
        .default_action(Action::Ask)
        .build()
        .unwrap();
    let builder = real.builder().config("approval_policy", "on-request").policy(policy);
    let builder = builder.audit(AuditLog::to_file(&log).unwrap()).ask(async |_| Some(Decision::Deny));
    let codex = builder.start().await.unwrap();
    let thread = codex.start_thread(ThreadStartParams::new()).await.unwrap();
    let result = soon(thread.run("go")).await.unwrap();
    assert_eq!(result.text(), "Done.");
    let statuses: Vec<_> = result
        .items
        .iter()
        .filter_map(|item| match item {
            ThreadItem::CommandExecution(command) => Some(command.status.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, ["completed", "declined", "declined"]);
    let there = ["allowed.txt", "denied", "b"].map(|name| real.own.workspace().join(name).exists());
    assert_eq!(there, [true, false, false]);

    let log = fs::read_to_string(log).unwrap();
    let log: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<_> = log.iter().map(|line| [&line["decision"], &line["decided_by"], &line["rule"]]).collect();
    let expected = json!([["allow", "rule", "files"], ["deny", "rule", "folders"], ["deny", "hook", null]]);
    assert_eq!(json!(lines), expected);
    assert!(log.iter().all(|line| line["thread_id"] == thread.id()), "{log:?}");
}

/// A program that notes its process id and becomes codex.
fn noting(real: &Real, pid: &Path) -> PathBuf {
    let script = real.own.path.join("noting.sh");
    let text = format!("#!/bin/sh\necho $$ > '{}'\nexec '{}' \"$@\"\n", pid.display(), real.executable.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    // Not the one that was written: another test's child may have it open for writing.
    let program = real.own.path.join("noting");
    assert!(std::process::Command::new("cp").arg(&script).arg(&program).status().unwrap().success());
    program
}

#[tokio::test]
async fn after_a_kill_codex_is_started_again_and_the_thread_knows_what_was_said() {
    let answers = json!([message("I will remember it."), command(&json!({"cmd": "sleep 1000"})), message("HERON.")]);
    let Some(real) = Real::answering(&answers) else { return };
    let pid = real.own.path.join("pid");
    let builder = real.builder().executable(noting(&real, &pid)).config("sandbox_mode", "danger-full-access");
    let codex = builder.restart(Restart::attempts(2)).start().await.unwrap();
    let mut recoveries = codex.recoveries();
    let thread = codex.start_thread(ThreadStartParams::new()).await.unwrap();
    soon(thread.run("Remember the word HERON.")).await.unwrap();
    let running = thread.turn("Sleep").await.unwrap();
    until_item(&running, |item| matches!(item, ThreadItem::CommandExecution(_))).await;

    let process = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    let process = rustix::process::Pid::from_raw(process).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    let error = soon(running.join()).await.unwrap_err();
    let Error::Process(ended) = &error else { panic!("{error:?}") };
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended.status.unwrap()), Some(9));
    let recovery = soon(recoveries.recv()).await.unwrap();
    assert!(recovery.running && recovery.lost.is_empty(), "{recovery:?}");
    assert_eq!((recovery.resumed, recovery.attempts), (vec![thread.id().to_owned()], 1));
    assert_eq!(recovery.turns, [(thread.id().to_owned(), running.id().to_owned())]);

    assert_eq!(soon(thread.run("Which word was it?")).await.unwrap().text(), "HERON.");
    let input = real.input(real.own.model.requests().len() - 1);
    let places = ["Remember the word HERON.", "I will remember it.", "Which word was it?"].map(|text| input.find(text));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{input}");
}

/// Waits until an item of a turn has begun.
async fn until_item(turn: &codex_rpc_client::TurnHandle, is_it: impl Fn(&ThreadItem) -> bool) {
    use codex_rpc_client::protocol::ServerNotification::ItemStarted;
    let mut events = turn.stream();
    loop {
        let event = soon(events.next()).await.expect("an item");
        if matches!(event.notification(), Some(ItemStarted(started)) if is_it(&started.item)) {
            return;
        }
    }
}
