//! Processes that misbehave. Each is a shell script in the place of codex.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use codex_rpc_client::Error;
use codex_rpc_client::exec::{Exec, ExecEvent, ExecStream};
use futures_util::StreamExt as _;
use serde_json::json;
use tempfile::TempDir;

const BEGIN: &str = r#"echo '{"type":"thread.started","thread_id":"t1"}'; echo '{"type":"turn.started"}'"#;
const END: &str = r#"echo '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"Done."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":1,"cached_input_tokens":0,"output_tokens":2}}'"#;

/// A script in a folder of its own.
struct Fake {
    folder: TempDir,
}

impl Fake {
    fn new(body: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = format!("#!/bin/sh\ncd '{}'\n{body}\n", folder.path().display());
        let path = folder.path().join("codex");
        // Not by this process: a child that another test starts meanwhile would keep it
        // open for writing, and it could not be started.
        fs::write(folder.path().join("script"), script).unwrap();
        fs::set_permissions(folder.path().join("script"), fs::Permissions::from_mode(0o755)).unwrap();
        let copied = std::process::Command::new("cp").arg(folder.path().join("script")).arg(&path).status().unwrap();
        assert!(copied.success());
        Self { folder }
    }

    fn exec(&self) -> Exec {
        Exec::new().executable(self.folder.path().join("codex")).env("FAKE", self.folder.path()).prompt("hello")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until all that the script started is gone: all of it has the folder's name
    /// in its environment.
    #[cfg(target_os = "linux")]
    async fn is_gone(&self) {
        let mark = format!("FAKE={}\0", self.folder.path().display());
        let is_running = || {
            fs::read_dir("/proc").unwrap().any(|entry| {
                let environment = fs::read(entry.unwrap().path().join("environ")).unwrap_or_default();
                String::from_utf8_lossy(&environment).contains(&mark)
            })
        };
        while is_running() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[cfg(not(target_os = "linux"))]
    async fn is_gone(&self) {}
}

async fn all(stream: ExecStream) -> Vec<Result<ExecEvent, Error>> {
    stream.collect().await
}

#[tokio::test]
async fn a_process_that_hangs_is_killed_at_its_time_limit_with_all_that_it_started() {
    // What it starts is in sessions of its own, as codex does it, and ignores signals.
    let fake = Fake::new(&format!(
        "{BEGIN}\ntrap '' TERM INT HUP\nsetsid sh -c 'trap \"\" TERM; sleep 1000; sleep 1000' &\nsleep 1000 &\nsleep 1000"
    ));
    let limit = Duration::from_millis(300);
    let error = fake.exec().time_limit(limit).run().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { limit: Some(found), .. } if found == limit), "{error}");
    fake.is_gone().await;

    let events = all(fake.exec().time_limit(limit).stream().await.unwrap()).await;
    assert_eq!(events.len(), 3, "{events:?}");
    assert!(matches!(events[2], Err(Error::TimedOut { .. })), "{events:?}");
    fake.is_gone().await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_takes_all_with_it_and_the_schema_is_removed() {
    let fake = Fake::new(&format!(
        "for argument; do case $argument in --output-schema=*) echo \"${{argument#*=}}\" > schema;; esac; done\n\
         setsid sh -c 'sleep 1000; sleep 1000' &\n{BEGIN}\nsleep 1000"
    ));
    let mut stream = fake.exec().output_schema(json!({"type": "object"})).stream().await.unwrap();
    assert!(matches!(stream.next().await, Some(Ok(ExecEvent::ThreadStarted(_)))));
    let schema = PathBuf::from(fs::read_to_string(fake.path("schema")).unwrap().trim());
    assert_eq!(fs::read_to_string(&schema).unwrap(), r#"{"type":"object"}"#);
    drop(stream);
    assert!(!schema.exists());
    fake.is_gone().await;
}

#[tokio::test]
async fn a_run_that_is_dropped_takes_all_with_it() {
    let fake = Fake::new(": > started\nsleep 1000");
    let exec = fake.exec();
    tokio::select! {
        result = exec.run() => panic!("{result:?}"),
        () = async { while !fake.path("started").exists() { tokio::time::sleep(Duration::from_millis(5)).await; } } => {}
    }
    fake.is_gone().await;
}

#[test]
fn a_stream_that_outlives_its_runtime_takes_all_with_it() {
    let fake = Fake::new(&format!("{BEGIN}\nsleep 1000"));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let stream = first.block_on(async { fake.exec().stream().await.unwrap() });
    // Nothing runs the tasks any more.
    drop(stream);
    runtime().block_on(fake.is_gone());
    drop(first);
}

#[tokio::test]
async fn a_process_that_says_nothing_but_on_stderr_is_an_error_with_the_end_of_it() {
    let fake = Fake::new("i=0; while [ $i -lt 2000 ]; do echo \"line $i\" >&2; i=$((i+1)); done; exit 1");
    let error = fake.exec().run().await.unwrap_err();
    let Error::Process(error) = error else { panic!("{error}") };
    assert_eq!(error.status.unwrap().code(), Some(1));
    assert!(error.stderr.len() <= 8 * 1024 && error.stderr.ends_with("line 1999"), "{}", error.stderr);

    let mut stream = fake.exec().stream().await.unwrap();
    assert!(matches!(stream.next().await, Some(Err(Error::Process(_)))));
    assert!(stream.next().await.is_none());
    let (status, stderr) = stream.ended().unwrap();
    assert_eq!((status.code(), stderr.ends_with("line 1999")), (Some(1), true));
}

#[tokio::test]
async fn garbage_between_events_costs_nothing_else() {
    let fake = Fake::new(&format!(
        "{BEGIN}\necho 'no json'; echo; echo '[1]'; printf '\\377\\n'; echo '{{\"type\":\"turn.completed\"}}'\n{END}"
    ));
    let events = all(fake.exec().stream().await.unwrap()).await;
    let kinds: Vec<bool> = events.iter().map(Result::is_ok).collect();
    assert_eq!(kinds, [true, true, false, false, false, false, true, true], "{events:?}");
    let Err(Error::Invalid { what, reason, text }) = &events[2] else { panic!("{events:?}") };
    assert!(what.starts_with("line 3 ") && !reason.is_empty() && text == "no json", "{what}: {reason}: {text}");

    let result = fake.exec().run().await.unwrap();
    assert_eq!(result.text(), "Done.");
    let lines: Vec<_> = result.malformed.iter().map(|line| (line.line, line.text.as_str())).collect();
    assert_eq!(lines, [(3, "no json"), (5, "[1]"), (6, "\u{fffd}"), (7, r#"{"type":"turn.completed"}"#)]);
    assert!(result.malformed[3].reason.contains("missing field `usage`"), "{:?}", result.malformed);
}

#[tokio::test]
async fn a_huge_line_is_read_and_one_beyond_the_limit_is_told_of() {
    let fake = Fake::new(&format!(
        "{BEGIN}\nprintf '{{\"type\":\"item.completed\",\"item\":{{\"id\":\"i\",\"type\":\"reasoning\",\"text\":\"'\n\
         head -c 3000000 /dev/zero | tr '\\0' x\nprintf '\"}}}}\\n'\n{END}"
    ));
    let result = fake.exec().run().await.unwrap();
    assert_eq!((result.items.len(), result.malformed.len()), (2, 0));

    let result = fake.exec().max_line(1_000_000).run().await.unwrap();
    assert_eq!((result.items.len(), result.text()), (1, "Done."));
    let [line] = result.malformed.as_slice() else { panic!("{:?}", result.malformed.len()) };
    assert!(line.text.len() <= 1024 && line.reason.contains("bytes, too many"), "{}", line.reason);
}

#[tokio::test]
async fn a_turn_that_is_never_completed_is_a_failure_with_what_was_said() {
    for (status, script) in [(0, "exit 0"), (3, "echo why >&2; exit 3")] {
        let fake = Fake::new(&format!("{BEGIN}\necho '{{\"type\":\"error\",\"message\":\"oh\"}}'\n{script}"));
        let error = fake.exec().run().await.unwrap_err();
        let Error::ExecFailed(failed) = &error else { panic!("{error}") };
        assert_eq!((failed.thread_id.as_deref(), failed.status.code()), (Some("t1"), Some(status)));
        assert!(error.to_string().contains("oh"), "{error}");
        assert_eq!(failed.stderr, if status == 3 { "why" } else { "" });
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_closes_its_stdout_and_stays_is_ended() {
    let fake = Fake::new(&format!("{BEGIN}\n{END}\nexec >&-\nsleep 1000"));
    let error = fake.exec().run().await.unwrap_err();
    let Error::ExecFailed(failed) = error else { panic!("{error}") };
    assert_eq!((failed.status.code(), failed.items.len()), (None, 1), "{failed}");
    fake.is_gone().await;
}

#[tokio::test]
async fn a_grandchild_that_keeps_the_pipes_open_does_not_keep_the_run() {
    // One that can be killed with the group, and one that can't be found any more.
    for start in ["sleep 1000 &", "setsid sleep 5 &"] {
        let fake = Fake::new(&format!("{start}\n{BEGIN}\n{END}\nexit 0"));
        let result = fake.exec().run().await.unwrap();
        assert_eq!(result.text(), "Done.");
        fake.is_gone().await;
    }
}

#[tokio::test]
async fn the_prompt_goes_to_stdin_whole_and_one_that_is_not_read_is_no_error() {
    let prompt = "ü\n".repeat(500_000);
    let fake = Fake::new(&format!("echo \"$@\" > arguments; cat > prompt\n{BEGIN}\n{END}"));
    fake.exec().prompt(&prompt).run().await.unwrap();
    assert!(fs::read_to_string(fake.path("prompt")).unwrap() == prompt);
    assert_eq!(fs::read_to_string(fake.path("arguments")).unwrap(), "exec --json -\n");

    let fake = Fake::new(&format!("{BEGIN}\n{END}"));
    assert_eq!(fake.exec().prompt(&prompt).run().await.unwrap().text(), "Done.");
}

#[tokio::test]
async fn a_reader_that_is_slow_loses_nothing() {
    let fake = Fake::new(&format!(
        "{BEGIN}\ni=0; while [ $i -lt 5000 ]; do echo \"{{\\\"type\\\":\\\"error\\\",\\\"message\\\":\\\"$i\\\"}}\"; i=$((i+1)); done\n{END}"
    ));
    let mut stream = fake.exec().stream().await.unwrap();
    let mut next = 0;
    while let Some(event) = stream.next().await {
        tokio::task::yield_now().await;
        if let ExecEvent::Error(error) = event.unwrap() {
            assert_eq!(error.message, next.to_string());
            next += 1;
        }
    }
    assert_eq!(next, 5000);
}

#[tokio::test]
async fn the_environment_is_the_programs_own_but_for_what_was_said() {
    let fake =
        Fake::new(&format!("echo \"$CODEX_HOME $ADDED ${{HOME-none}} ${{PATH:+some}}\" > environment\n{BEGIN}\n{END}"));
    fake.exec().home("/h").env("ADDED", "a").env_remove("HOME").run().await.unwrap();
    assert_eq!(fs::read_to_string(fake.path("environment")).unwrap(), "/h a none some\n");
}

#[tokio::test]
async fn a_program_that_can_not_be_started_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("codex");
    fs::write(&path, "\u{0}").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let error = Exec::new().executable(&path).run().await.unwrap_err();
    let Error::Process(process) = &error else { panic!("{error}") };
    assert!(process.error.is_some() && error.to_string().contains(&path.display().to_string()), "{error}");

    let error = Exec::new().executable(folder.path().join("none")).run().await.unwrap_err();
    assert!(matches!(error, Error::ExecutableNotFound(_)), "{error}");
}
