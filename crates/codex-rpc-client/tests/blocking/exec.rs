//! Exec mode.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use codex_rpc_client::exec::{Exec, ExecEvent};
use codex_rpc_client::{Error, blocking};
use tempfile::TempDir;

use super::server::soon;

const TURN: &str = r#"echo '{"type":"thread.started","thread_id":"t1"}'; echo '{"type":"turn.started"}'
echo '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"Done."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":1,"cached_input_tokens":0,"output_tokens":2}}'"#;

fn exec(body: &str) -> (Exec, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (script, path) = (folder.path().join("script"), folder.path().join("codex"));
    fs::write(&script, format!("#!/bin/sh\ncd '{}'\n{body}\n", folder.path().display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    // Not by this process: a child that another test starts meanwhile would keep it open
    // for writing, and it could not be started.
    assert!(std::process::Command::new("cp").arg(&script).arg(&path).status().unwrap().success());
    (Exec::new().executable(&path).prompt("hello"), folder)
}

#[test]
fn exec_mode_runs_to_its_end_and_tells_what_happens() {
    soon(|| {
        let (exec, _folder) = exec(TURN);
        assert_eq!(blocking::run(&exec).unwrap().text(), "Done.");
        let mut stream = blocking::stream(&exec).unwrap();
        let events: Vec<_> = stream.by_ref().map(Result::unwrap).collect();
        assert!(
            matches!(events.as_slice(), [ExecEvent::ThreadStarted(_), _, _, ExecEvent::TurnCompleted(_)]),
            "{events:?}"
        );
        assert!(stream.ended().is_some_and(|(status, _)| status.success()));
    });
}

#[test]
fn exec_mode_that_fails_says_what_was_written() {
    soon(|| {
        let (exec, _folder) = exec("echo 'no such model' >&2; exit 3");
        let error = blocking::run(&exec).unwrap_err();
        assert!(matches!(&error, Error::Process(process) if process.stderr == "no such model"), "{error:?}");
    });
}

#[test]
fn an_exec_stream_that_is_dropped_ends_its_process() {
    soon(|| {
        let (exec, folder) =
            exec("echo $$ > pid; echo '{\"type\":\"thread.started\",\"thread_id\":\"t1\"}'; exec sleep 1000");
        let mut stream = blocking::stream(&exec).unwrap();
        assert!(stream.next().unwrap().is_ok());
        let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
        let runs = || std::process::Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success();
        assert!(runs());
        drop(stream);
        while runs() {
            // It is reaped a little later, and nothing else tells.
            std::thread::yield_now();
        }
    });
}
