//! Processes that end by themselves.

use std::fs;
use std::time::Duration;

use codex_rpc_client::protocol::requests::{ModelList, ThreadArchive};
use codex_rpc_client::protocol::types::{
    AskForApproval, ModelListParams, SandboxMode, ThreadArchiveParams, ThreadStartParams,
};
use codex_rpc_client::{Codex, CodexBuilder, Error, Restart};
use serde_json::Value;
use tempfile::TempDir;

use super::peer::{soon, started, turn_started};

/// Answers requests one after the other, writes down what it is asked, and says when it
/// was started while the one before was still there.
const SERVER: &str = r#"
cd "$FOLDER"
if [ -e pid ] && kill -0 "$(cat pid)" 2>/dev/null; then echo "two at a time" >> problems; fi
echo $$ > pid
echo start >> starts
ask() { IFS= read -r line || exit 0; printf '%s\n' "$line" >> asked; id=$(printf '%s' "$line" | sed 's/.*"id":\([0-9]*\).*/\1/'); }
answer() { ask; printf '{"id":%s,"result":%s}\n' "$id" "$1"; }
refuse() { ask; printf '{"id":%s,"error":{"code":-32600,"message":"%s"}}\n' "$id" "$1"; }
run() { [ "$(wc -l < starts)" -eq "$1" ]; }
answer '{"userAgent":"tests/0.169.0 (Linux)","codexHome":"/h","platformFamily":"unix","platformOs":"linux"}'
IFS= read -r initialized
"#;

struct Server {
    folder: TempDir,
}

impl Server {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// A session with a server that does this after the handshake.
    fn session(&self, script: &str) -> CodexBuilder {
        let script = format!("{SERVER}\n{script}");
        let folder = self.folder.path();
        Codex::builder()
            .executable("/bin/sh")
            .argument("-c")
            .argument(script)
            .env("FOLDER", folder)
            .experimental_api(true)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    fn asked(&self) -> Vec<Value> {
        self.read("asked").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn methods(&self) -> Vec<String> {
        self.asked().iter().map(|message| message["method"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// `answer` with JSON that has no quote of the shell in it.
fn answer(result: &Value) -> String {
    let text = result.to_string();
    assert!(!text.contains('\''), "{text}");
    format!("answer '{text}'\n")
}

fn at_once() -> Restart {
    Restart::attempts(2).with_first(Duration::from_millis(1)).with_settled(Duration::ZERO)
}

#[tokio::test]
async fn what_waits_for_a_process_that_ends_learns_how_it_ended() {
    let server = Server::new();
    let turn = answer(&started("t")) + &answer(&turn_started("u"));
    let script = turn + "ask; echo 'out of memory' >&2; exit 7";
    let codex = soon(server.session(&script).start()).await.unwrap();
    let thread = soon(codex.start_thread(ThreadStartParams::new())).await.unwrap();
    let turn = soon(thread.turn("go")).await.unwrap();
    let errors = [
        soon(codex.call::<ModelList>(ModelListParams::new())).await.map(drop).unwrap_err(),
        soon(turn.join()).await.map(drop).unwrap_err(),
        soon(codex.call::<ModelList>(ModelListParams::new())).await.map(drop).unwrap_err(),
    ];
    for error in errors {
        let Error::Process(process) = &error else { panic!("{error:?}") };
        assert_eq!(process.status.and_then(|status| status.code()), Some(7), "{error}");
        assert_eq!(process.stderr, "out of memory");
    }
    assert!(codex.has_ended());
}

#[tokio::test]
async fn a_process_is_started_again_and_threads_go_on_with_the_same_rights() {
    let server = Server::new();
    let script = format!(
        "if run 1; then {}{} ask; exit 9; fi\nanswer '{}'\n{}{}cat > /dev/null",
        answer(&started("t")),
        answer(&turn_started("u")),
        started("t"),
        answer(&serde_json::json!({"data": []})),
        answer(&turn_started("v")),
    );
    let codex = soon(server.session(&script).restart(at_once()).start()).await.unwrap();
    let mut recoveries = codex.recoveries();
    let params =
        ThreadStartParams::new().sandbox(SandboxMode::ReadOnly).approval_policy(AskForApproval::Never).cwd("/w");
    let thread = soon(codex.start_thread(params)).await.unwrap();
    let turn = soon(thread.turn("go")).await.unwrap();
    // It reads, so it is asked again.
    soon(codex.call::<ModelList>(ModelListParams::new())).await.unwrap();
    assert!(matches!(soon(turn.join()).await, Err(Error::Process(_))));
    let recovery = soon(recoveries.recv()).await.unwrap();
    assert!(recovery.running && recovery.lost.is_empty(), "{recovery:?}");
    assert_eq!((recovery.resumed, recovery.attempts), (vec!["t".to_owned()], 1));
    assert_eq!(recovery.turns, [("t".to_owned(), "u".to_owned())]);
    assert_eq!(soon(thread.turn("on")).await.unwrap().id(), "v");

    let methods = server.methods();
    let expected = [
        "initialize",
        "thread/start",
        "turn/start",
        "model/list",
        "initialize",
        "thread/resume",
        "model/list",
        "turn/start",
    ];
    assert_eq!(methods, expected);
    let resume = &server.asked()[5]["params"];
    let rights = serde_json::json!({"threadId": "t", "cwd": "/w", "sandbox": "read-only", "approvalPolicy": "never"});
    assert_eq!(resume, &rights);
    assert_eq!(server.read("problems"), "", "the old one is gone first");
}

#[tokio::test]
async fn a_call_that_writes_is_never_made_twice() {
    let server = Server::new();
    let script = "if run 1; then ask; exit 9; fi\ncat >> asked";
    let codex = soon(server.session(script).restart(at_once()).start()).await.unwrap();
    let archived = soon(codex.call::<ThreadArchive>(ThreadArchiveParams::new("t"))).await;
    assert!(matches!(archived, Err(Error::Process(_))), "{archived:?}");
    assert!(soon(codex.client()).await.is_ok(), "the session goes on");
    assert_eq!(server.methods(), ["initialize", "thread/archive", "initialize"]);
}

#[tokio::test]
async fn what_can_not_be_resumed_is_reported() {
    let server = Server::new();
    let script = format!(
        "if run 1; then {}{} ask; exit 9; fi\nrefuse 'no rollout found for thread id a'\ncat > /dev/null",
        answer(&started("a")),
        answer(&started("b")),
    );
    let codex = soon(server.session(&script).restart(at_once()).start()).await.unwrap();
    let mut recoveries = codex.recoveries();
    let _a = soon(codex.start_thread(ThreadStartParams::new())).await.unwrap();
    let _b = soon(codex.start_thread(ThreadStartParams::new().ephemeral(true))).await.unwrap();
    let _ = soon(codex.call::<ThreadArchive>(ThreadArchiveParams::new("a"))).await;
    let mut recovery = soon(recoveries.recv()).await.unwrap();
    recovery.lost.sort();
    let lost: Vec<(&str, &str)> = recovery.lost.iter().map(|(thread, why)| (thread.as_str(), why.as_str())).collect();
    assert!(recovery.running);
    assert_eq!((lost[0].0, lost[1].0), ("a", "b"));
    assert!(lost[0].1.contains("no rollout found") && lost[1].1.contains("ephemeral"), "{lost:?}");
}

#[tokio::test]
async fn a_process_that_does_not_come_back_is_given_up_after_so_many_attempts() {
    let server = Server::new();
    let script = "if run 1; then ask; exit 9; fi\necho 'never again' >&2; exit 1";
    let restart = Restart::attempts(3).with_first(Duration::from_millis(1));
    // Only the first one shakes hands.
    let before =
        "if [ -e \"$FOLDER/starts\" ]; then echo start >> \"$FOLDER/starts\"; echo 'never again' >&2; exit 1; fi\n";
    let script = format!("{before}{SERVER}{script}");
    let builder =
        Codex::builder().executable("/bin/sh").argument("-c").argument(script).env("FOLDER", server.folder.path());
    let codex = soon(builder.restart(restart).start()).await.unwrap();
    let mut recoveries = codex.recoveries();
    let failed = soon(codex.call::<ModelList>(ModelListParams::new())).await;
    assert!(matches!(failed, Err(Error::Process(_))), "{failed:?}");
    let recovery = soon(recoveries.recv()).await.unwrap();
    assert_eq!((recovery.running, recovery.attempts), (false, 3));
    assert_eq!(server.read("starts").lines().count(), 4);
    assert!(codex.has_ended());
}

#[tokio::test]
async fn a_session_that_is_closed_is_not_started_again_and_its_process_is_gone() {
    let server = Server::new();
    // It goes on after it has said its last.
    let lingers = "trap '' TERM; cat > /dev/null; exec >&- 2>&-; sleep 30";
    let codex = soon(server.session(lingers).restart(at_once()).start()).await.unwrap();
    let pid = server.read("pid").trim().to_owned();
    soon(codex.close()).await;
    assert!(!std::path::Path::new("/proc").join(&pid).exists(), "{pid}");
    assert!(codex.has_ended());
    let failed = soon(codex.call::<ModelList>(ModelListParams::new())).await;
    assert!(matches!(failed, Err(Error::Closed { .. })), "{failed:?}");
    assert_eq!(server.read("starts").lines().count(), 1);
}

#[tokio::test]
async fn a_process_that_ends_at_once_and_one_that_is_not_there_are_told_apart() {
    let server = Server::new();
    let ends = Codex::builder().executable("/bin/sh").argument("-c").argument("echo 'no such option' >&2; exit 2");
    let Err(error) = soon(ends.start()).await else { panic!("a session") };
    assert!(error.to_string().contains("no such option"), "{error}");
    let missing = server.folder.path().join("codex");
    let Err(Error::ExecutableNotFound(error)) = soon(Codex::builder().executable(&missing).start()).await else {
        panic!("a session")
    };
    assert_eq!(error.looked.len(), 1, "{error}");
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_server_that_is_too_old_for_the_program_is_refused() {
    let server = Server::new();
    let Err(error) = soon(server.session("cat > /dev/null").minimum_release("0.170.0").start()).await else {
        panic!("a session")
    };
    assert!(matches!(&error, Error::ServerTooOld { found, .. } if found == "0.169.0"), "{error}");
}

#[tokio::test]
async fn a_session_that_is_closed_while_it_is_started_again_stays_closed() {
    // The second process shakes hands late, so that it is closed in between.
    let server = Server::new();
    let before = "if [ -e \"$FOLDER/starts\" ]; then : > \"$FOLDER/again\"; read -r held < \"$FOLDER/hold\"; fi\n";
    let script = format!("{before}{SERVER}if run 1; then ask; exit 9; fi\ncat > /dev/null");
    let hold = server.folder.path().join("hold");
    assert!(std::process::Command::new("mkfifo").arg(&hold).status().unwrap().success());
    let builder =
        Codex::builder().executable("/bin/sh").argument("-c").argument(script).env("FOLDER", server.folder.path());
    let codex = soon(builder.restart(at_once()).start()).await.unwrap();
    let _ = soon(codex.call::<ThreadArchive>(ThreadArchiveParams::new("t"))).await;
    soon(async {
        while !server.folder.path().join("again").exists() {
            // Nothing else tells that the process has come so far.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    let closing = tokio::spawn({
        let codex = codex.clone();
        async move { codex.close().await }
    });
    let go = tokio::task::spawn_blocking(move || fs::write(hold, "go\n"));
    soon(closing).await.unwrap();
    soon(go).await.unwrap().unwrap();
    assert!(codex.has_ended(), "{codex:?}");
    let pid = server.read("pid").trim().to_owned();
    assert!(!std::path::Path::new("/proc").join(&pid).exists(), "{pid}");
    assert!(soon(codex.client()).await.is_err());
}
