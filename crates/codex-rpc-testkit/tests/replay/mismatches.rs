//! What is told when client and transcript do not agree.

use codex_rpc_testkit::replay::{Answers, Expected, ExpectedKind, MismatchKind, Options, Order, Params, Replay};
use insta::assert_snapshot;

use crate::{APPROVALS, replay, transcript};

const SESSION: &str = r#"
    > {"id":1,"method":"initialize","params":{"clientInfo":{"name":"n"}}}
    < {"id":1,"result":{}}
    > {"method":"initialized"}
    > {"id":2,"method":"thread/start","params":{"cwd":"/workspace","sandbox":null,"list":[1,2.50],"apiKey":"k-1","env":{"OPENAI_API_KEY":"k-2","A":"b"}}}
    < {"id":2,"result":{}}
    > {"id":3,"method":"thread/list","params":null}
    < {"id":3,"result":{}}
"#;

#[track_caller]
fn mismatch(replay: &mut Replay, kind: MismatchKind, line: &str) -> String {
    let before = format!("{replay:?}");
    let mismatch = replay.receive(line).expect_err("a mismatch");
    assert_eq!(mismatch.kind(), kind);
    assert_eq!(mismatch.file(), "test.jsonl");
    assert_eq!(format!("{replay:?}"), before, "a mismatch moves nothing");
    mismatch.to_string()
}

fn started(options: Options) -> Replay {
    let mut replay = replay(SESSION, options);
    let initialize = r#"{"id":"i","method":"initialize","params":{"clientInfo":{"name":"n"}}}"#;
    assert_eq!(replay.receive(initialize).expect("expected").len(), 1);
    replay
}

#[test]
fn a_message_that_is_not_expected_is_shown_with_what_is() {
    let mut played = started(Options::new());
    assert_snapshot!(mismatch(&mut played, MismatchKind::Unexpected, r#"{"id":1,"method":"thread/read"}"#), @"
    test.jsonl: the request `thread/read` (line 2 of the client) is not expected here
      expected: line 3: the notification `initialized`
      expected: line 4: the request `thread/start`
    ");
    assert_snapshot!(mismatch(&mut played, MismatchKind::Unexpected, r#"{"id":1,"method":"thread/list"}"#), @"
    test.jsonl: the request `thread/list` (line 3 of the client) is not expected here
      expected: line 3: the notification `initialized`
      expected: line 4: the request `thread/start`
      hint: line 6 of the transcript has it; `--order any` or `Order::Any` lets it come early
    ");
    // A notification is no request of the same name.
    assert_snapshot!(mismatch(&mut played, MismatchKind::Unexpected, r#"{"method":"thread/start"}"#), @"
    test.jsonl: the notification `thread/start` (line 4 of the client) is not expected here
      expected: line 3: the notification `initialized`
      expected: line 4: the request `thread/start`
    ");
    let many = "> {\"method\":\"a\"}\n".repeat(13);
    assert_snapshot!(mismatch(&mut replay(&many, Options::new()), MismatchKind::Unexpected, "{\"method\":\"\\n\"}"), @"
    test.jsonl: the notification `�` (line 1 of the client) is not expected here
      expected: line 1: the notification `a`
      expected: line 2: the notification `a`
      expected: line 3: the notification `a`
      expected: line 4: the notification `a`
      expected: line 5: the notification `a`
      expected: line 6: the notification `a`
      expected: line 7: the notification `a`
      expected: line 8: the notification `a`
      expected: line 9: the notification `a`
      expected: line 10: the notification `a`
      and 3 more
    ");
}

#[test]
fn a_request_that_does_not_match_has_an_answer() {
    let mut played = started(Options::new());
    let answer = |played: &mut Replay, line: &str| played.receive(line).expect_err("a mismatch").answer();
    assert_snapshot!(answer(&mut played, r#"{"id":"\u0061","method":"nope"}"#).expect("an answer"), @r#"{"error":{"code":-32600,"message":"codex-rpc-replay: test.jsonl: the request `nope` (line 2 of the client) is not expected here\n  expected: line 3: the notification `initialized`\n  expected: line 4: the request `thread/start`"},"id":"\u0061"}"#);
    assert_eq!(answer(&mut played, r#"{"method":"nope"}"#), None);
    assert_eq!(answer(&mut played, r#"{"id":5,"result":{}}"#), None);
}

#[test]
fn nothing_may_come_after_the_end() {
    let mut played = replay("> {\"method\":\"a\"}", Options::new());
    played.receive(r#"{"method":"a"}"#).expect("expected");
    assert_snapshot!(mismatch(&mut played, MismatchKind::Unexpected, r#"{"method":"a"}"#), @"test.jsonl: the notification `a` (line 2 of the client) came after all that was recorded");
}

#[test]
fn params_are_compared_when_asked_for_and_secrets_are_not_shown() {
    let same = Options::new().params(Params::Same);
    let other = r#"{"id":1,"method":"thread/start","params":{"cwd":"/tmp","more":{"password":"k-3","x":"sk-k-4"},"list":[1,2.51],"apiKey":"k-5","env":{"OPENAI_API_KEY":"k-6","A":"b"}}}"#;
    started(Options::new()).receive(other).expect("params are not looked at");
    let shown = mismatch(&mut started(same.clone()), MismatchKind::Params, other);
    assert!(!shown.contains("k-"), "{shown}");
    assert_snapshot!(shown, @r#"
    test.jsonl:4: the request `thread/start` (line 2 of the client) does not have the recorded params
      /params/apiKey: expected (not shown: it may be a secret), got (not shown: it may be a secret)
      /params/cwd: expected "/workspace", got "/tmp"
      /params/env/OPENAI_API_KEY: expected (not shown: it may be a secret), got (not shown: it may be a secret)
      /params/list/1: expected 2.5, got 2.51
      /params/sandbox: expected null, got nothing
      /params/more: expected nothing, got {"password":"(not shown: it may be a secret)","x":"(not shown: it may be a secret)"}
      hint: places that may differ are named with `--except` or `Options::except`
    "#);
    let mut played = started(same.clone());
    let error = played.receive(other).expect_err("a mismatch");
    assert!(!format!("{error:?}{played:?}{:?}", error.answer()).contains("k-"), "secrets in Debug");
    assert_eq!(error.line(), Some(4));
    assert_eq!(error.differences()[0].pointer(), "/params/apiKey");

    let except = ["/params/cwd", "/params/more", "/params/list/1", "/params/apiKey", "/params/env", "/params/sandbox"];
    let options = except.iter().fold(same.clone(), |options, pointer| options.except(*pointer));
    started(options).receive(other).expect("all that differs may");
    let options =
        except.iter().skip(1).fold(same.clone(), |options, pointer| options.except(*pointer)).except("/params/cw");
    assert_snapshot!(mismatch(&mut started(options), MismatchKind::Params, other), @r#"
    test.jsonl:4: the request `thread/start` (line 2 of the client) does not have the recorded params
      /params/cwd: expected "/workspace", got "/tmp"
      hint: places that may differ are named with `--except` or `Options::except`
    "#);

    assert_snapshot!(mismatch(&mut started(same), MismatchKind::Params, r#"{"id":1,"method":"thread/start"}"#), @r#"
    test.jsonl:4: the request `thread/start` (line 2 of the client) does not have the recorded params
      /params: expected {"apiKey":"(not shown: it may be a secret)","cwd":"/workspace","env":{"A":"b","OPENAI_API_KEY":"(not shown: it may be a secret)"},"list":[1,2.5],"sandbox":null}, got nothing
      hint: places that may differ are named with `--except` or `Options::except`
    "#);
}

#[test]
fn the_same_params_may_be_written_differently() {
    let same = Options::new().params(Params::Same);
    let mut played = started(same.clone());
    played.receive(r#"{"method":"initialized","params":null}"#).expect("null params are no params");
    let text = r#"{"params":{"env":{"A":"b","OPENAI_API_KEY":"k-2"},"apiKey":"k-1","list":[1.0,25e-1],"sandbox":null,"cwd":"\/workspace"},"method":"thread/start","id":9}"#;
    played.receive(text).expect("the same value");
    played.receive(r#"{"id":3,"method":"thread/list"}"#).expect("no params are null params");
    let deep = format!("> {{\"method\":\"m\",\"params\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    replay(&deep, same.clone()).receive(&deep[2..]).expect("the same text");
    let other = deep[2..].replace('1', "2");
    assert_snapshot!(mismatch(&mut replay(&deep, same), MismatchKind::Params, &other), @r#"
    test.jsonl:1: the notification `m` (line 1 of the client) does not have the recorded params
      /params: expected "(nested too deeply to be compared)", got "(nested too deeply to be compared)"
      hint: places that may differ are named with `--except` or `Options::except`
    "#);
}

#[test]
fn of_several_calls_the_one_with_the_same_params_is_taken() {
    let calls = r#"
        > {"id":1,"method":"thread/read","params":{"threadId":"one"}}
        > {"id":2,"method":"thread/read","params":{"threadId":"two"}}
        < {"id":1,"result":"one"}
        < {"id":2,"result":"two"}
    "#;
    for options in [Options::new(), Options::new().order(Order::Any)] {
        let mut played = replay(calls, options.params(Params::Same));
        played.receive(r#"{"id":"b","method":"thread/read","params":{"threadId":"two"}}"#).expect("expected");
        let lines = played.receive(r#"{"id":"a","method":"thread/read","params":{"threadId":"one"}}"#);
        assert_eq!(lines.expect("expected"), [r#"{"id":"a","result":"one"}"#, r#"{"id":"b","result":"two"}"#]);
    }
}

#[test]
fn answers_must_answer_something_once_and_in_kind() {
    let mut played = replay(APPROVALS, Options::new());
    assert_snapshot!(mismatch(&mut played, MismatchKind::UnexpectedAnswer, r#"{"id":0,"result":{}}"#), @"
    test.jsonl: a result with the id 0 (line 1 of the client) answers nothing: the server asked nothing with the id 0
      expected: line 1: the request `turn/start`
    ");
    played.receive(r#"{"id":1,"method":"turn/start"}"#).expect("expected");
    assert_snapshot!(mismatch(&mut played, MismatchKind::UnexpectedAnswer, r#"{"id":"0","result":{}}"#), @r#"
    test.jsonl: a result with the id "0" (line 3 of the client) answers nothing: the server asked nothing with the id "0"
      expected: line 4: a result for the server's request `item/commandExecution/requestApproval`
    "#);
    // The id that was recorded is not the one that was written.
    assert_snapshot!(mismatch(&mut played, MismatchKind::UnexpectedAnswer, r#"{"id":40,"result":{}}"#), @"
    test.jsonl: a result with the id 40 (line 4 of the client) answers nothing: the server asked nothing with the id 40
      expected: line 4: a result for the server's request `item/commandExecution/requestApproval`
    ");
    let error = r#"{"id":0,"error":{"code":-32000,"message":"no"}}"#;
    assert_snapshot!(mismatch(&mut played, MismatchKind::Outcome, error), @"
    test.jsonl:4: an error for the server's request `item/commandExecution/requestApproval` (line 5 of the client) is not what was recorded
      expected: line 4: a result for the server's request `item/commandExecution/requestApproval`
    ");
    played.receive(r#"{"id":0,"result":{"decision":"cancel"}}"#).expect("expected");
    assert_snapshot!(mismatch(&mut played, MismatchKind::UnexpectedAnswer, r#"{"id":0,"result":{}}"#), @"
    test.jsonl: a result for the server's request `item/commandExecution/requestApproval` (line 7 of the client) answers line 2 of the transcript a second time
      expected: line 7: the request `turn/interrupt`
    ");
    assert_snapshot!(mismatch(&mut played, MismatchKind::UnexpectedAnswer, r#"{"id":1,"result":{}}"#), @"
    test.jsonl: a result for the server's request `item/fileChange/requestApproval` (line 8 of the client) was not recorded: that client never answered line 6
      expected: line 7: the request `turn/interrupt`
    ");
}

#[test]
fn answers_are_compared_when_asked_for() {
    let same = Options::new().answers(Answers::Same);
    let mut played = replay(APPROVALS, same.clone());
    played.receive(r#"{"id":1,"method":"turn/start","params":"any"}"#).expect("params are not looked at");
    let decline = r#"{"id":0,"result":{"decision":"decline"}}"#;
    assert_snapshot!(mismatch(&mut played, MismatchKind::Answer, decline), @r#"
    test.jsonl:4: a result for the server's request `item/commandExecution/requestApproval` (line 2 of the client) does not have the recorded contents
      /result/decision: expected "accept", got "decline"
      hint: places that may differ are named with `--except` or `Options::except`
    "#);
    played.receive(r#"{"id":0,"result":{"decision":"accept"}}"#).expect("as recorded");
    let mut played = replay(APPROVALS, same.except("/result/decision"));
    played.receive(r#"{"id":1,"method":"turn/start"}"#).expect("expected");
    played.receive(decline).expect("excepted");
}

#[test]
fn an_error_and_an_answer_to_nothing_can_be_expected() {
    let mut played = replay(
        r#"
        < {"id":3,"method":"currentTime/read"}
        > {"id":3,"error":{"code":-1,"message":"m"}}
        > {"id":99,"result":{}}
        "#,
        Options::new(),
    );
    assert_eq!(played.start().len(), 1);
    assert_snapshot!(mismatch(&mut played, MismatchKind::Outcome, r#"{"id":0,"result":{}}"#), @"
    test.jsonl:2: a result for the server's request `currentTime/read` (line 1 of the client) is not what was recorded
      expected: line 2: an error for the server's request `currentTime/read`
    ");
    played.receive(r#"{"id":0,"error":{"code":-7,"message":"other"}}"#).expect("an error");
    played.receive(r#"{"id":"none","result":{}}"#).expect("an answer to nothing");
    played.finish().expect("all was said");
}

#[test]
fn an_early_end_lists_what_is_missing() {
    let mut played = started(Options::new());
    let unfinished = played.finish().expect_err("more was recorded");
    assert_snapshot!(unfinished, @"
    test.jsonl: the client stopped early; 3 of its messages did not come, so 2 of the server were not written
      missing: line 3: the notification `initialized`
      missing: line 4: the request `thread/start`
      missing: line 6: the request `thread/list`
    ");
    assert_eq!(unfinished.missing().iter().map(Expected::line).collect::<Vec<_>>(), [3, 4, 6]);
    assert_eq!(unfinished.missing()[0].kind(), ExpectedKind::Notification);
    assert_eq!(unfinished.unwritten(), 2);
    assert!(!played.is_finished());
    started(Options::new().partial(true)).finish().expect("an early end is fine");
    assert_snapshot!(replay(APPROVALS, Options::new()).finish().expect_err("more was recorded"), @"
    test.jsonl: the client stopped early; 3 of its messages did not come, so 6 of the server were not written
      missing: line 1: the request `turn/start`
      missing: line 4: a result for the server's request `item/commandExecution/requestApproval`
      missing: line 7: the request `turn/interrupt`
    ");
}

#[test]
fn a_transcript_that_cannot_be_played_is_named_with_its_line() {
    let error = |text: &str| {
        let error = Replay::new("bad.jsonl", text.as_bytes()).expect_err("can't be played");
        assert_eq!(error.file(), "bad.jsonl");
        error.to_string()
    };
    assert_snapshot!(error(""), @"bad.jsonl: the transcript can't be played: it holds no message");
    assert_snapshot!(error("{\"transcript\":1}\n\n"), @"bad.jsonl: the transcript can't be played: it holds no message");
    assert_snapshot!(error("{\"transcript\":2}\n"), @"bad.jsonl:1: the transcript can't be played: version 2 of the format; version 1 can be played");
    assert_snapshot!(error("{\"transcript\":1}\n\n{\"from\":\"clie"), @"bad.jsonl:3: the transcript can't be played: not a line of a transcript: EOF while parsing a string at line 1 column 13; the line is torn off");
    assert_snapshot!(error("{\"from\":\"client\",\"process\":\"two\",\"message\":{}}\n"), @r#"bad.jsonl:1: the transcript can't be played: not a line of a transcript: invalid type: string "two", expected u32 at line 1 column 32"#);
    assert_snapshot!(error(&transcript("> {\"id\":1,\"method\":\"a\"}\n< {\"id\":2,\"result\":{}}")), @"bad.jsonl:2: the transcript can't be played: the server's answer with the id 2 belongs to no request of the client before it");
}
