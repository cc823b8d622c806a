//! Commands, step by step.

use std::time::Duration;

use codex_rpc_client::{Codex, CommandHandle, CommandStream, Error};
use serde_json::{Value, json};

use crate::peer::{Peer, pair, soon};

fn delta(id: &Value, stream: &str, base64: &str) -> Value {
    let params = json!({"processId": id, "stream": stream, "deltaBase64": base64, "capReached": false});
    json!({"method": "command/exec/outputDelta", "params": params})
}

fn exit(code: i32) -> Value {
    json!({"exitCode": code, "stdout": "", "stderr": ""})
}

/// A command that runs, its id, and its request.
async fn spawned(codex: &Codex, peer: &mut Peer) -> (CommandHandle, Value, Value) {
    let command = soon(codex.command(["cat"]).stdin().spawn()).await.expect("a command");
    let request = peer.asked("command/exec").await;
    let id = request["params"]["processId"].clone();
    assert_eq!(id, command.process_id());
    (command, id, request)
}

#[tokio::test]
async fn output_that_comes_right_before_the_answer_is_read_before_the_end() {
    let (codex, mut peer) = pair().await;
    let (command, id, request) = spawned(&codex, &mut peer).await;
    peer.say(delta(&id, "stdout", "YQ==")).await;
    peer.say(delta(&json!("another"), "stdout", "eA==")).await;
    peer.say(delta(&id, "stderr", "/w==")).await;
    peer.say(delta(&id, "moon", "eA==")).await;
    peer.say(delta(&id, "stdout", "not base64")).await;
    peer.answer(&request, exit(3)).await;
    let mut chunks = Vec::new();
    while let Some(chunk) = soon(command.next()).await {
        assert_eq!((chunk.missed, chunk.cap_reached), (0, false));
        chunks.push((chunk.stream, chunk.bytes));
    }
    assert_eq!(chunks, [(CommandStream::Stdout, b"a".to_vec()), (CommandStream::Stderr, vec![0xff])]);
    assert_eq!(soon(command.wait()).await.expect("an exit code"), 3);
}

#[tokio::test]
async fn what_was_not_read_is_in_the_output() {
    let (codex, mut peer) = pair().await;
    let (command, id, request) = spawned(&codex, &mut peer).await;
    for (stream, text) in [("stdout", "YQ=="), ("stderr", "/w=="), ("stdout", "Yg==")] {
        peer.say(delta(&id, stream, text)).await;
    }
    assert_eq!(soon(command.next()).await.expect("output").bytes, b"a");
    peer.answer(&request, exit(0)).await;
    let output = soon(command.wait_with_output()).await.expect("an output");
    assert!(output.success());
    assert_eq!((output.stdout_text(), output.stderr_text()), ("b".into(), "\u{fffd}".into()));
}

#[tokio::test]
async fn what_is_written_right_after_the_start_comes_after_it() {
    let (codex, mut peer) = pair().await;
    let command = soon(codex.command(["cat"]).stdin().spawn()).await.expect("a command");
    let write = async { soon(command.write(b"a")).await };
    let (written, ()) = tokio::join!(write, async {
        let first = peer.asked("command/exec").await;
        assert_eq!(first["params"]["streamStdin"], true);
        let second = peer.asked("command/exec/write").await;
        assert_eq!(second["params"], json!({"processId": first["params"]["processId"], "deltaBase64": "YQ=="}));
        peer.answer(&second, json!({})).await;
    });
    written.expect("an answer");
}

#[tokio::test]
async fn a_command_that_is_dropped_is_terminated() {
    let (codex, mut peer) = pair().await;
    let (command, id, _) = spawned(&codex, &mut peer).await;
    drop(command);
    assert_eq!(peer.asked("command/exec/terminate").await["params"], json!({"processId": id}));
    let (command, id, _) = spawned(&codex, &mut peer).await;
    let waiting = tokio::time::timeout(Duration::ZERO, command.wait());
    waiting.await.expect_err("it runs");
    assert_eq!(peer.asked("command/exec/terminate").await["params"], json!({"processId": id}));
}

#[tokio::test]
async fn a_run_that_is_given_up_is_terminated() {
    let (codex, mut peer) = pair().await;
    let run = tokio::spawn(codex.command(["sleep", "9"]).run());
    let request = peer.asked("command/exec").await;
    assert_eq!(request["params"].get("streamStdoutStderr"), None);
    run.abort();
    let terminate = peer.asked("command/exec/terminate").await;
    assert_eq!(terminate["params"]["processId"], request["params"]["processId"]);
}

#[tokio::test]
async fn a_command_that_has_ended_is_not_terminated() {
    let (codex, mut peer) = pair().await;
    let (command, _, request) = spawned(&codex, &mut peer).await;
    peer.answer(&request, exit(0)).await;
    assert_eq!(soon(command.wait()).await.expect("an exit code"), 0);
    // The next thing that is said is this.
    peer.flood(&codex, &delta(&json!("another"), "stdout", "eA==")).await;
}

#[tokio::test]
async fn a_command_that_nobody_reads_does_not_hold_up_the_connection() {
    let (codex, mut peer) = pair().await;
    let command = soon(codex.command(["yes"]).unread_limit(2).spawn()).await.expect("a command");
    let request = peer.asked("command/exec").await;
    peer.flood(&codex, &delta(&json!(command.process_id()), "stdout", "eQ==")).await;
    peer.answer(&request, exit(0)).await;
    let (mut read, mut missed) = (0, 0);
    while let Some(chunk) = soon(command.next()).await {
        read += chunk.bytes.len() as u64;
        missed += chunk.missed;
    }
    assert_eq!(read + missed, 3_000, "every byte is read or counted");
}

#[tokio::test]
async fn the_end_of_the_connection_is_the_end_of_the_command() {
    let (codex, mut peer) = pair().await;
    let (command, id, _) = spawned(&codex, &mut peer).await;
    peer.say(delta(&id, "stdout", "YQ==")).await;
    drop(peer);
    assert_eq!(soon(command.next()).await.expect("what came before").bytes, b"a");
    assert_eq!(soon(command.next()).await, None);
    assert!(matches!(soon(command.wait()).await, Err(Error::Closed { .. })));
}

#[tokio::test]
async fn every_setting_is_sent_as_the_protocol_has_it() {
    let (codex, mut peer) = pair().await;
    let command =
        codex.command(["vi", "x"]).cwd("/w").env("A", "s3cret").env_remove("B").tty(80, 24).output_limit(None);
    let command = command.time_limit(Some(Duration::from_millis(1_500))).with(|params| params.timeout_ms(7));
    let shown = format!("{command:?}");
    assert!(!shown.contains("s3cret") && shown.contains("vi"), "{shown}");
    let _command = soon(command.spawn()).await.expect("a command");
    let mut params = peer.asked("command/exec").await["params"].take();
    params.as_object_mut().expect("an object").remove("processId");
    assert_eq!(
        params,
        json!({
            "command": ["vi", "x"], "cwd": "/w", "env": {"A": "s3cret", "B": null}, "tty": true, "streamStdin": true,
            "streamStdoutStderr": true, "size": {"cols": 80, "rows": 24}, "disableOutputCap": true, "timeoutMs": 7,
        })
    );
    let _unlimited =
        soon(codex.command(["x"]).time_limit(None).output_limit(Some(9)).spawn()).await.expect("a command");
    let params = peer.asked("command/exec").await["params"].take();
    assert_eq!((&params["disableTimeout"], &params["outputBytesCap"]), (&json!(true), &json!(9)));
    assert_eq!((params.get("timeoutMs"), params.get("disableOutputCap")), (None, None));
}
