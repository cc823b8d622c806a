//! The child process: it ends with the client, whatever it does, and says why it ended.

use std::future::Future;
use std::path::Path;
use std::process::Command as StdCommand;
use std::time::Duration;

use codex_rpc::types::{TextUserInput, TurnStartParams, UserInput};
use codex_rpc_dispatch::tokio::{Client, ConnectError};
use tokio::process::Command;

use super::peer::{builder, calling, list, next, soon};

/// Answers `initialize`; the user agent says the id of the process and more.
const GREET: &str = r#"read initialize
printf '{"id":0,"result":{"userAgent":"tests/0.169.0 (%s %s)","codexHome":"/h","platformFamily":"unix","platformOs":"linux"}}\n' $$ "$other"
read initialized
"#;

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// A script that first may do something, then greets, then does something.
async fn start(before: &str, after: &str) -> Client {
    let script = format!("{before}\n{GREET}\n{after}");
    soon(builder().spawn_command(sh(&script))).await.expect("a client")
}

/// The ids of processes in the user agent: the child's, and those it names.
fn processes(client: &Client) -> Vec<u32> {
    let agent = &client.server().user_agent;
    let ids = agent.split_once('(').and_then(|(_, ids)| ids.strip_suffix(')')).expect("ids");
    ids.split_whitespace().map(|id| id.parse().expect("a number")).collect()
}

/// Whether a process is there, a zombie too if it is a child of this process.
fn is_there(process: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    // Somebody else's child that waits to be let go is no concern of the client.
    fields[0] != "Z" || fields[1] == std::process::id().to_string()
}

/// Waits until there is none of these processes any more.
fn gone(processes: &[u32], within: Duration) -> impl Future<Output = ()> {
    let processes = processes.to_vec();
    async move {
        let waiting = async {
            while processes.iter().any(|process| is_there(*process)) {
                // There is nothing else that tells.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = tokio::time::timeout(within, waiting).await;
        assert!(waited.is_ok(), "there still are some of {processes:?} after {within:?}");
    }
}

/// A process that the test has to end itself.
struct Killed(u32);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = StdCommand::new("kill").arg(self.0.to_string()).status();
    }
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn dropping_the_client_ends_the_child_within_a_second() {
    let client = start("", "cat > /dev/null").await;
    let child = processes(&client);
    assert!(is_there(child[0]));
    drop(client);
    gone(&child, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_hundred_starts_and_drops_leave_no_process_and_no_task() {
    let mut children = Vec::new();
    for _ in 0..100 {
        let client = start("", "cat > /dev/null").await;
        children.extend(processes(&client));
    }
    assert_eq!(children.len(), 100);
    gone(&children, LONG).await;
    soon(async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_child_that_ends_by_itself_is_let_go_while_the_client_is_there() {
    let client = start("", "exit 0").await;
    soon(client.ended()).await;
    gone(&processes(&client), LONG).await;
}

#[tokio::test]
async fn a_child_that_ignores_the_end_of_its_input_is_asked_to_terminate() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("asked");
    let client =
        start(&format!("trap 'echo yes > {}; exit' TERM", mark.display()), "while :; do sleep 0.02; done").await;
    let child = processes(&client);
    drop(client);
    gone(&child, LONG).await;
    assert_eq!(std::fs::read_to_string(mark).expect("it was asked"), "yes\n");
}

#[tokio::test]
async fn a_child_that_ignores_the_end_of_its_input_and_sigterm_is_killed() {
    let client = start("trap '' TERM", "exec sleep 1000").await;
    let child = processes(&client);
    drop(client);
    gone(&child, LONG).await;
}

#[tokio::test]
async fn what_the_child_started_is_ended_with_it() {
    let before = "sleep 1000 & other=$!";
    // Whether the child ends when it is told to, does not, or by itself.
    for after in ["cat > /dev/null", "trap '' TERM; while :; do sleep 0.05; done", "exit 0"] {
        let client = start(before, after).await;
        let all = processes(&client);
        assert_eq!(all.len(), 2);
        if after == "exit 0" {
            soon(client.ended()).await;
        }
        drop(client);
        gone(&all, LONG).await;
    }
}

#[tokio::test]
async fn a_process_that_holds_the_pipes_open_does_not_keep_the_connection() {
    // It is in a session of its own, where the client does not look for it.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("id");
    let before = format!(
        "setsid sh -c 'echo $$ > {0}; exec sleep 1000' & while ! [ -s {0} ]; do sleep 0.01; done; other=$(cat {0})",
        file.display()
    );
    let client = start(&before, "read request; echo why >&2; exit 4").await;
    let all = processes(&client);
    let _ended = Killed(all[1]);
    let error = soon(list(&client, "x")).await.expect_err("no answer");
    assert!(error.contains("exit status: 4") && error.contains("why"), "{error}");
    drop(client);
    gone(&all[..1], LONG).await;
    soon(async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(is_there(all[1]), "what is elsewhere is left alone");
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_of_a_turn_ends_calls_with_its_status_and_stderr() {
    let started = r#"{"method":"turn/started","params":{"threadId":"t","turn":{"id":"u","items":[],"itemsView":"full","status":"inProgress"}}}"#;
    let after = format!("read request; echo '{started}'; echo 'thread panicked: out of memory' >&2; exit 3");
    // Whether it is noticed in writing or in reading is chance.
    for _ in 0..10 {
        let client = start("", &after).await;
        let mut told = client.subscribe_thread("t");
        let calls: Vec<_> = (0..20).map(|n| calling(&client, &n.to_string())).collect();
        let params = TurnStartParams::new("t", vec![UserInput::from(TextUserInput::new("hi"))]);
        let error = soon(client.turn_start(params)).await.expect_err("no answer").to_string();
        assert!(error.contains("`sh` ended with exit status: 3"), "{error}");
        assert!(error.contains("thread panicked: out of memory"), "{error}");
        for call in calls {
            assert_eq!(soon(call).await.expect("no panic"), Err(error.clone()));
        }
        assert_eq!(next(&mut told).await, "turn/started");
        assert_eq!(next(&mut told).await, "end");
    }
}

#[tokio::test]
async fn a_server_that_is_killed_says_by_which_signal() {
    let client = start("", "kill -9 $$").await;
    let reason = soon(client.ended()).await;
    assert!(reason.contains("signal: 9"), "{reason}");
}

#[tokio::test]
async fn a_child_that_writes_much_to_stderr_is_not_held_up_and_only_the_end_is_kept() {
    let after = "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo last words >&2; exit 1";
    let client = start("", after).await;
    let reason = soon(client.ended()).await;
    assert!(reason.ends_with("xxxlast words"), "{}", &reason[reason.len().saturating_sub(100)..]);
    assert!(reason.len() < 9_000, "{}", reason.len());
}

#[tokio::test]
async fn closing_waits_for_the_child_and_knows_how_it_ended() {
    let client = start("", "cat > /dev/null; exit 7").await;
    let child = processes(&client);
    soon(client.close()).await;
    assert_eq!(client.end_reason().as_deref(), Some("`sh` ended with exit status: 7"));
    assert!(!is_there(child[0]));
}

#[tokio::test]
async fn a_program_that_can_not_be_started_is_named() {
    let error = builder().spawn("/nowhere/codex-of-tests").await.expect_err("no program");
    assert!(matches!(&error, ConnectError::Spawn { program, .. } if program == "/nowhere/codex-of-tests"), "{error:?}");
    assert!(error.to_string().contains("/nowhere/codex-of-tests"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_no_app_server_gives_an_error_with_its_status_and_stderr() {
    let scripts = [
        "echo 'no such command' >&2; exit 2",
        "echo 'usage: garbage'; echo '[1]'; echo; echo 'no such command' >&2; exit 2",
        "read initialize; echo garbage; echo 'no such command' >&2; exit 2",
        // Whose output something else holds open.
        "sleep 1000 & echo 'no such command' >&2; exit 2",
    ];
    for script in scripts {
        let error = soon(builder().spawn_command(sh(script))).await.expect_err("no client");
        assert!(matches!(error, ConnectError::Closed { .. }), "{script}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("exit status: 2") && text.contains("no such command"), "{script}: {text}");
    }
}

/// Waits for a process to have written its id.
async fn id_in(file: &Path) -> u32 {
    soon(async {
        loop {
            if let Some(id) = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()) {
                return id;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_program_that_hangs_gives_a_timeout_and_is_gone_afterwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("id");
    let script = format!("echo $$ > {}; exec sleep 1000", file.display());
    let starting = builder().handshake_limit(Duration::from_millis(300)).spawn_command(sh(&script));
    let error = soon(starting).await.expect_err("no client");
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error:?}");
    gone(&[id_in(&file).await], LONG).await;
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_no_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("id");
    let script = format!("echo $$ > {}; exec sleep 1000", file.display());
    let starting = tokio::spawn(builder().spawn_command(sh(&script)));
    let child = id_in(&file).await;
    starting.abort();
    assert!(soon(starting).await.is_err());
    gone(&[child], LONG).await;
}

#[test]
fn a_runtime_that_is_shut_down_leaves_no_process() {
    for threads in [0, 1] {
        let mut runtime = match threads {
            0 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = runtime.enable_all().build().expect("a runtime");
        let client = runtime.block_on(start("sleep 1000 & other=$!", "trap '' TERM; exec sleep 1000"));
        let all = processes(&client);
        drop(runtime);
        // At once: nothing is left that could do it later.
        assert!(!is_there(all[0]), "{threads}");
        let other = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        other.block_on(gone(&all, LONG));
        assert_eq!(client.end_reason().as_deref(), Some("the runtime of the connection was shut down"));
    }
}
