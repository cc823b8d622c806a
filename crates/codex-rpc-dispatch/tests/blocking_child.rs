//! The blocking driver and child processes. In a program of its own: threads are counted.
#![cfg(all(feature = "blocking", feature = "process", target_os = "linux"))]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use codex_rpc::types::{ClientInfo, InitializeParams, ModelListParams};
use codex_rpc_dispatch::CallError;
use codex_rpc_dispatch::blocking::{Buffer, Builder, Client, ConnectError, Delivery, NotInTime};

const PATIENCE: Duration = Duration::from_secs(20);

/// One test at a time: each counts the program's threads and children.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn builder() -> Builder {
    Builder::new(InitializeParams::new(ClientInfo::new("test", "0.0.0"))).time_limit(Some(PATIENCE))
}

/// A server that greets and then does this.
fn server(then: &str) -> Command {
    let greeting = r#"{"id":0,"result":{"userAgent":"test/0.169.0","codexHome":"/codex","platformFamily":"unix","platformOs":"linux"}}"#;
    shell(&format!("read -r initialize; echo '{greeting}'; read -r initialized; {then}"))
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn closed(client: &Client) -> String {
    match client.model_list(ModelListParams::new()) {
        Err(CallError::Closed { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

/// The children of this program, zombies too.
fn children() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let children = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("children")).ok());
    children.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The driver's threads.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("codex-")).collect()
}

fn eventually(what: &str, reached: impl Fn() -> bool) {
    let late = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < late, "{what}: {:?} {:?}", children(), threads());
        thread::yield_now();
    }
}

fn nothing_is_left() {
    assert_eq!(children(), Vec::<String>::new());
    eventually("threads are left", || threads().is_empty());
}

/// Whether a process runs whose number stands in a file.
fn runs(file: &Path) -> bool {
    let Ok(text) = fs::read_to_string(file) else { return false };
    let stat = fs::read_to_string(format!("/proc/{}/stat", text.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn a_hundred_starts_and_drops_leave_no_process_and_no_thread() {
    let _alone = alone();
    for count in 0..100 {
        let client = builder().spawn_command(server("while read -r line; do :; done")).unwrap();
        assert_eq!(children().len(), 1, "{count}");
        // A thread gives itself its name.
        eventually("threads are missing", || threads().len() == 4);
        drop(client);
        assert_eq!(children(), Vec::<String>::new(), "{count}: the drop waits for the process");
        eventually("threads are left", || threads().is_empty());
    }
}

#[test]
fn a_process_that_ends_in_the_middle_of_a_call_ends_it_with_its_status_and_what_it_wrote_to_stderr() {
    let _alone = alone();
    let client = builder().spawn_command(server("read -r call; echo 'no disk' >&2; exit 3")).unwrap();
    let reason = closed(&client);
    assert_eq!(reason, "`sh` ended with exit status: 3; it wrote to stderr: no disk");
    assert_eq!(client.end_reason(), Some(reason));
    nothing_is_left();
}

#[test]
fn a_process_that_was_written_to_after_its_end_says_why_it_ended_too() {
    let _alone = alone();
    for _ in 0..20 {
        // Its input is closed before its output is.
        let client = builder().spawn_command(server("exec <&-; echo 'no disk' >&2; sleep 0.05; exit 3")).unwrap();
        assert_eq!(closed(&client), "`sh` ended with exit status: 3; it wrote to stderr: no disk");
        nothing_is_left();
    }
}

#[test]
fn the_end_of_stderr_is_kept_and_no_more() {
    let _alone = alone();
    let much = "i=0; while [ $i -lt 3000 ]; do echo \"line $i of what it says\" >&2; i=$((i+1)); done; exit 4";
    let reason = closed(&builder().spawn_command(server(&format!("read -r call; {much}"))).unwrap());
    assert!(reason.ends_with("line 2999 of what it says"), "{reason}");
    assert!(reason.len() < 8 * 1024 + 100, "{}", reason.len());
    nothing_is_left();
}

#[test]
fn what_can_not_be_started_or_ends_at_once_says_so() {
    let _alone = alone();
    let error = builder().spawn("/no/such/program").unwrap_err();
    assert!(matches!(&error, ConnectError::Spawn { program, .. } if program == "/no/such/program"), "{error:?}");
    let error = builder().spawn_command(shell("echo 'bad configuration' >&2; exit 2")).unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with("`sh` ended with exit status: 2; it wrote to stderr: bad configuration"), "{text}");
    nothing_is_left();
}

#[test]
fn a_process_that_never_greets_is_given_up_and_ended() {
    let _alone = alone();
    let silent = builder().handshake_limit(Duration::from_millis(30)).spawn_command(shell("exec sleep 60"));
    assert!(matches!(silent, Err(ConnectError::TimedOut { .. })), "{silent:?}");
    nothing_is_left();
}

#[test]
fn a_stubborn_process_is_killed_with_all_that_it_started() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("started");
    let script = format!("trap '' TERM; sleep 60 & echo $! > '{}'; while :; do sleep 1; done", file.display());
    let client = builder().spawn_command(server(&script)).unwrap();
    eventually("it starts another", || runs(&file));
    drop(client);
    assert_eq!(children(), Vec::<String>::new());
    eventually("what it started runs", || !runs(&file));
    nothing_is_left();
}

#[test]
fn a_process_that_ends_by_itself_takes_what_it_started_with_it() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("started");
    let script = format!("sleep 60 <&- >&- 2>&- & echo $! > '{}'; read -r call; exit 3", file.display());
    let client = builder().spawn_command(server(&script)).unwrap();
    eventually("it starts another", || runs(&file));
    assert_eq!(closed(&client), "`sh` ended with exit status: 3");
    eventually("what it started runs", || !runs(&file));
    drop(client);
    nothing_is_left();
}

#[test]
fn a_process_that_reads_nothing_can_be_dropped_while_it_is_written_to() {
    let _alone = alone();
    let client = builder().write_queue(1).time_limit(Some(Duration::from_millis(20)));
    let client = client.spawn_command(server("exec sleep 60")).unwrap();
    for _ in 0..3 {
        let call = client.model_list(ModelListParams::new().cursor("x".repeat(1 << 20)));
        assert!(matches!(call, Err(CallError::TimedOut { .. })), "{call:?}");
    }
    drop(client);
    nothing_is_left();
}

#[test]
fn closing_lets_a_process_end_by_itself() {
    let _alone = alone();
    // It takes longer than a dropped one is given before it is asked to terminate.
    let client = builder().spawn_command(server("while read -r line; do :; done; sleep 0.8; exit 5")).unwrap();
    client.close();
    assert_eq!(client.end_reason().as_deref(), Some("`sh` ended with exit status: 5"));
    nothing_is_left();
}

/// What it started left its group and holds its output open.
#[test]
fn a_process_that_ends_while_another_holds_its_pipe_ends_its_calls_all_the_same() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("started");
    let script = format!("setsid sh -c 'echo $$ > {}; exec sleep 60' & read -r call; exit 3", file.display());
    let client = builder().spawn_command(server(&script)).unwrap();
    eventually("it starts another", || runs(&file));
    assert_eq!(closed(&client), "`sh` ended with exit status: 3");
    drop(client);
    assert_eq!(children(), Vec::<String>::new());
    let other = fs::read_to_string(&file).unwrap();
    assert!(Command::new("kill").arg(other.trim()).status().unwrap().success());
    nothing_is_left();
}

#[test]
fn what_a_process_said_before_its_end_is_all_delivered_to_a_slow_subscriber_that_is_waited_for() {
    let _alone = alone();
    let tell =
        r#"i=0; while [ $i -lt 200 ]; do echo "{\"method\":\"moon/risen\",\"params\":$i}"; i=$((i+1)); done; exit 3"#;
    let client = builder().spawn_command(server(&format!("read -r call; {tell}"))).unwrap();
    let mut told = client.subscribe_with(Buffer::waiting(1));
    thread::scope(|scope| {
        let called = scope.spawn(|| closed(&client));
        // Longer than a reader that is stuck is given.
        let pause = client.ended_timeout(Duration::from_millis(1_500));
        assert_eq!(pause, None, "it waits for the subscriber");
        for count in 0..200 {
            match told.next_timeout(PATIENCE) {
                Ok(Some(Delivery::Notification(message))) => {
                    assert!(format!("{:?}", message.payload).contains(&format!("({count})")), "{count}: {message:?}");
                }
                other @ (Ok(_) | Err(NotInTime { .. })) => panic!("{other:?}"),
            }
        }
        assert_eq!(called.join().unwrap(), "`sh` ended with exit status: 3");
    });
    drop((client, told));
    nothing_is_left();
}
