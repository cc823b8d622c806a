//! The program, as a client starts it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use insta::assert_snapshot;
use tempfile::NamedTempFile;

use crate::{APPROVALS, transcript};

/// A transcript on the disk.
struct File(NamedTempFile);

impl File {
    fn new(text: &str) -> Self {
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("it is written");
        Self(file)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().expect("a path of text")
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codex-rpc-replay"));
    command.args(arguments).env_remove("CODEX_RPC_REPLAY");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Says all at once and closes. The program ends with its input.
fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("stdin");
    // The program may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

fn stderr(output: &Output, file: &File) -> String {
    String::from_utf8_lossy(&output.stderr).replace(file.path(), "FILE")
}

fn lines(output: &Output) -> usize {
    String::from_utf8_lossy(&output.stdout).lines().count()
}

const CLIENT: &str = r#"{"id":"a","method":"turn/start","params":{}}
{"id":0,"result":{"decision":"accept"}}
{"id":"b","method":"turn/interrupt","params":{}}
"#;

#[test]
fn it_answers_while_the_client_waits_and_ends_with_its_input() {
    struct Killed(Child);
    impl Drop for Killed {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let file = File::new(&transcript(APPROVALS));
    let mut child = Killed(command(&[file.path()]).spawn().expect("the program starts"));
    let stdout = BufReader::new(child.0.stdout.take().expect("stdout"));
    let mut stdin = child.0.stdin.take().expect("stdin");
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let mut seen = Vec::new();
    for (line, answers) in CLIENT.lines().zip([2, 2, 2]) {
        writeln!(stdin, "{line}").expect("the program reads");
        for _ in 0..answers {
            seen.push(lines.recv_timeout(Duration::from_secs(60)).expect("an answer while stdin is open"));
        }
    }
    drop(stdin);
    assert!(lines.recv_timeout(Duration::from_secs(60)).is_err(), "nothing more comes");
    assert_eq!(child.0.wait().expect("the program ends").code(), Some(0));
    assert_snapshot!(seen.join("\n"), @r#"
    {"method":"item/commandExecution/requestApproval","id":0,"params":{"threadId":"t"}}
    {"id":"a","result":{}}
    {"method":"serverRequest/resolved","params":{"threadId":"t","requestId":0},"emittedAtMs":5}
    {"method":"item/fileChange/requestApproval","id":1,"params":{}}
    {"method":"serverRequest/resolved","params":{"requestId":1}}
    {"error":{"code":-32600,"message":"no"},"id":"b"}
    "#);
}

#[test]
fn a_mismatch_is_answered_printed_and_status_1() {
    let file = File::new(&transcript(APPROVALS));
    let output = run(&mut command(&[file.path()]), "\n{\"id\":\"x\",\"method\":\"thread/list\"}\n");
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(stderr(&output, &file), @"
    codex-rpc-replay: FILE: the request `thread/list` (line 2 of the client) is not expected here
      expected: line 1: the request `turn/start`
    ");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one answer");
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&"x".into(), &(-32600).into()));
    assert!(answer["error"]["message"].as_str().is_some_and(|text| text.contains("the request `thread/list`")));
}

#[test]
fn an_early_end_is_status_1_unless_it_is_allowed() {
    let file = File::new(&transcript(APPROVALS));
    let early = CLIENT.lines().next().expect("a line");
    let output = run(&mut command(&[file.path()]), early);
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(stderr(&output, &file), @"
    codex-rpc-replay: FILE: the client stopped early; 2 of its messages did not come, so 4 of the server were not written
      missing: line 4: a result for the server's request `item/commandExecution/requestApproval`
      missing: line 7: the request `turn/interrupt`
    ");
    assert_eq!(lines(&output), 2, "a last line needs no end");
    assert_eq!(run(&mut command(&[file.path(), "--partial"]), early).status.code(), Some(0));
}

#[test]
fn options_are_passed_on() {
    let file = File::new(&transcript(APPROVALS));
    let client = CLIENT.replace("accept", "decline").replacen("{}", r#"{"cwd":"/"}"#, 1);
    let code = |arguments: &[&str]| {
        let arguments = [&[file.path()], arguments].concat();
        run(&mut command(&arguments), &client).status.code()
    };
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--params", "same"]), Some(1));
    assert_eq!(code(&["--params", "same", "--except", "/params/cwd"]), Some(0));
    assert_eq!(code(&["--answers", "same"]), Some(1));
    assert_eq!(code(&["--answers=same", "--except", "/result", "--except", "/x", "--order=any"]), Some(0));
    assert_eq!(code(&["--process", "1"]), Some(0));
    assert_eq!(code(&["--process", "2"]), Some(2));
    // What is meant for codex is passed over.
    assert_eq!(code(&["app-server", "--listen", "stdio://", "--params", "same"]), Some(0));
    assert_eq!(code(&["--", "--params", "same"]), Some(0));
    let [start, _, interrupt] = CLIENT.lines().collect::<Vec<_>>()[..] else { panic!("three lines") };
    let swapped = [interrupt, start, r#"{"id":0,"result":{}}"#].join("\n");
    assert_eq!(run(&mut command(&[file.path()]), &swapped).status.code(), Some(1));
    assert_eq!(run(&mut command(&[file.path(), "--order", "any"]), &swapped).status.code(), Some(0));
}

#[test]
fn with_the_environment_variable_it_takes_any_command_line() {
    let file = File::new(&transcript(APPROVALS));
    let with = |value: &str, arguments: &[&str]| run(command(arguments).env("CODEX_RPC_REPLAY", value), CLIENT);
    for arguments in [&[][..], &["app-server"], &["--params", "same", "-c", "x=y", "app-server"], &["--help"]] {
        let output = with(file.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(lines(&output), 6);
    }
    assert_eq!(with("", &[]).status.code(), Some(2), "an empty variable is none");
    assert_eq!(with("", &[file.path()]).status.code(), Some(0));
}

#[test]
fn a_wrong_command_line_and_a_transcript_that_cannot_be_read_are_status_2() {
    let file = File::new("{\"transcript\":1}\n{\"from\":\"server\",\"mess");
    let output = run(&mut command(&[file.path()]), "");
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!(stderr(&output, &file), @"codex-rpc-replay: FILE:2: the transcript can't be played: not a line of a transcript: EOF while parsing a string at line 1 column 22; the line is torn off");
    for arguments in [
        &[][..],
        &["/does/not/exist.jsonl"],
        &[file.path(), "--order", "none"],
        &[file.path(), "--oder", "any"],
        &[file.path(), "--except", "params"],
    ] {
        let output = run(&mut command(arguments), "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_help_names_the_exit_statuses_and_the_variable() {
    let output = run(&mut command(&["--help"]), "");
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8_lossy(&output.stdout);
    for needed in ["CODEX_RPC_REPLAY", "Exit status:", "\n  0  ", "\n  1  ", "\n  2  "] {
        assert!(help.contains(needed), "{needed:?}");
    }
}
