//! Transcripts that are played: in memory, and by the executable.

#[path = "replay/arbitrary.rs"]
mod arbitrary;
#[cfg(feature = "cli")]
#[path = "replay/executable.rs"]
mod executable;
#[path = "replay/mismatches.rs"]
mod mismatches;
#[path = "replay/recorded.rs"]
mod recorded;

use codex_rpc_testkit::replay::{Expected, Options, Order, Replay, ServeError, serve};

/// A transcript: `>` starts what the client says, `<` what the server says. The line
/// numbers count from 1.
fn transcript(lines: &str) -> String {
    let mut text = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (from, message) = line.split_at(1);
        let from = if from == ">" { "client" } else { "server" };
        text.extend([r#"{"from":""#, from, r#"","message":"#, message.trim(), "}\n"]);
    }
    text
}

fn replay(lines: &str, options: Options) -> Replay {
    Replay::with_options("test.jsonl", transcript(lines).as_bytes(), options).expect("a transcript")
}

/// Two approvals; the first is answered, the second is not and the turn ends.
const APPROVALS: &str = r#"
    > {"id":1,"method":"turn/start","params":{}}
    < {"method":"item/commandExecution/requestApproval","id":40,"params":{"threadId":"t"}}
    < {"id":1,"result":{}}
    > {"id":40,"result":{"decision":"accept"}}
    < {"method":"serverRequest/resolved","params":{"threadId":"t","requestId":40},"emittedAtMs":5}
    < {"method":"item/fileChange/requestApproval","id":"x-41","params":{}}
    > {"id":2,"method":"turn/interrupt","params":{}}
    < {"method":"serverRequest/resolved","params":{"requestId":"x-41"}}
    < {"error":{"code":-32600,"message":"no"},"id":2}
"#;

#[test]
fn server_requests_count_from_zero_and_what_names_them_follows() {
    let mut replay = replay(APPROVALS, Options::new());
    assert!(replay.start().is_empty());
    assert_eq!(
        replay.receive(r#"{"id":"first","method":"turn/start"}"#).expect("expected"),
        [
            r#"{"method":"item/commandExecution/requestApproval","id":0,"params":{"threadId":"t"}}"#,
            r#"{"id":"first","result":{}}"#,
        ]
    );
    assert_eq!(
        replay.receive(r#"{"id":0,"result":{"decision":"decline"}}"#).expect("expected"),
        [
            r#"{"method":"serverRequest/resolved","params":{"threadId":"t","requestId":0},"emittedAtMs":5}"#,
            r#"{"method":"item/fileChange/requestApproval","id":1,"params":{}}"#,
        ]
    );
    assert!(!replay.is_finished());
    assert_eq!(
        replay.receive(r#"{"jsonrpc":"2.0","method":"turn/interrupt","id": 9007199254740993 }"#).expect("expected"),
        [
            r#"{"method":"serverRequest/resolved","params":{"requestId":1}}"#,
            r#"{"error":{"code":-32600,"message":"no"},"id":9007199254740993}"#,
        ]
    );
    assert!(replay.is_finished());
    replay.finish().expect("all was said");
}

#[test]
fn an_id_that_two_processes_used_belongs_to_the_later_request() {
    let mut replay = replay(
        r#"
        > {"id":1,"method":"initialize"}
        < {"id":0,"method":"item/tool/call","params":{}}
        > {"id":1,"method":"initialize"}
        < {"id":0,"method":"item/tool/call","params":{}}
        < {"id":1,"result":{"second":true}}
        > {"id":0,"result":{}}
        < {"method":"serverRequest/resolved","params":{"requestId":0}}
        "#,
        Options::new(),
    );
    replay.receive(r#"{"id":"a","method":"initialize"}"#).expect("the first process");
    let lines = replay.receive(r#"{"id":"b","method":"initialize"}"#).expect("the second process");
    assert_eq!(lines, [r#"{"id":1,"method":"item/tool/call","params":{}}"#, r#"{"id":"b","result":{"second":true}}"#,]);
    replay.receive(r#"{"id":0,"result":{}}"#).expect_err("nobody answered the first process");
    let lines = replay.receive(r#"{"id":1,"result":{}}"#).expect("the answer");
    assert_eq!(lines, [r#"{"method":"serverRequest/resolved","params":{"requestId":1}}"#]);
}

#[test]
fn every_byte_but_the_id_stays_as_it_was_recorded() {
    let text = r#"{ "z":1.50,"result" : {"a":1e30,"id":7,"b":123456789012345678901234567890,"c":-0.0, "\u0061d":"\u00e9\/"},"id" : 7 , "q":null}"#;
    let mut replay = replay(
        &format!("> {{\"id\":7,\"method\":\"m\"}}\n< {text}\n< {{\"method\":\"n\", \"params\":1.0e-7}}"),
        Options::new(),
    );
    let lines = replay.receive(r#"{"method":"m","id":"\u0041\/"}"#).expect("expected");
    assert_eq!(
        lines,
        [text.replace("\"id\" : 7 ", "\"id\" : \"\\u0041\\/\" "), r#"{"method":"n", "params":1.0e-7}"#.into()]
    );
}

#[test]
fn what_follows_nothing_is_written_at_the_start() {
    let lines = "< {\"method\":\"hello\"}\n> {\"method\":\"initialized\"}\n< {\"method\":\"bye\"}";
    let mut played = replay(lines, Options::new());
    assert_eq!(played.start(), [r#"{"method":"hello"}"#]);
    assert_eq!(played.start(), [""; 0]);
    assert_eq!(played.receive(r#"{"method":"initialized"}"#).expect("expected"), [r#"{"method":"bye"}"#]);

    let mut played = replay(lines, Options::new());
    played.receive(r#"{"method":"other"}"#).expect_err("not expected");
    let both = played.receive(r#"{"method":"initialized"}"#).expect("expected");
    assert_eq!(both.len(), 2, "nothing is lost if start is not called");
}

const CONCURRENT: &str = r#"
    > {"id":1,"method":"thread/read"}
    < {"method":"between"}
    > {"id":2,"method":"thread/list"}
    < {"id":2,"result":"list"}
    < {"id":1,"result":"read"}
"#;

#[test]
fn any_order_accepts_swapped_requests_that_the_recorded_order_refuses() {
    let swapped = [r#"{"id":10,"method":"thread/list"}"#, r#"{"id":20,"method":"thread/read"}"#];
    let mut strict = replay(CONCURRENT, Options::new());
    strict.receive(swapped[0]).expect_err("recorded later");
    let mut lenient = replay(CONCURRENT, Options::new().order(Order::Any));
    assert_eq!(lenient.receive(swapped[0]).expect("may come early"), [""; 0]);
    assert_eq!(
        lenient.receive(swapped[1]).expect("may come late"),
        [r#"{"method":"between"}"#, r#"{"id":10,"result":"list"}"#, r#"{"id":20,"result":"read"}"#,]
    );
    assert!(lenient.is_finished());
}

#[test]
fn the_recorded_order_is_free_between_two_server_messages_and_for_answers() {
    let mut replay = replay(
        r#"
        < {"id":0,"method":"item/tool/call"}
        > {"id":1,"method":"a"}
        > {"method":"b"}
        < {"method":"later"}
        > {"id":0,"result":{}}
        < {"id":1,"result":{}}
        "#,
        Options::new(),
    );
    assert_eq!(replay.start().len(), 1);
    let expected = replay.receive(r#"{"method":"later"}"#).expect_err("not expected").expected().to_vec();
    assert_eq!(expected.iter().map(Expected::line).collect::<Vec<_>>(), [2, 3, 5]);
    assert_eq!(replay.receive(r#"{"id":0,"result":{}}"#).expect("an answer to what was asked"), [""; 0]);
    assert_eq!(replay.receive(r#"{"method":"b"}"#).expect("back to back with a"), [""; 0]);
    assert_eq!(
        replay.receive(r#"{"id":5,"method":"a"}"#).expect("expected"),
        [r#"{"method":"later"}"#, r#"{"id":5,"result":{}}"#]
    );
}

#[test]
fn one_of_several_processes_can_be_played() {
    let text = r#"{"transcript":1}
{"from":"client","message":{"id":1,"method":"initialize"}}
{"from":"server","message":{"id":1,"result":"first"}}
{"from":"client","message":{"id":1,"method":"initialize"},"process":2}
{"from":"client","process":1,"message":{"id":2,"method":"thread/read"}}
{"from":"server","process":2,"message":{"id":1,"result":"second"}}
{"from":"server","message":{"id":2,"result":"read"}}
"#;
    let play = |process, methods: &[&str]| {
        let options = Options::new().process(process);
        let mut replay = Replay::with_options("two.jsonl", text.as_bytes(), options).expect("a transcript");
        let mut lines = Vec::new();
        for method in methods {
            lines.extend(replay.receive(&format!(r#"{{"id":7,"method":"{method}"}}"#)).expect("expected"));
        }
        replay.finish().expect("finished");
        lines
    };
    assert_eq!(
        play(1, &["initialize", "thread/read"]),
        [r#"{"id":7,"result":"first"}"#, r#"{"id":7,"result":"read"}"#]
    );
    assert_eq!(play(2, &["initialize"]), [r#"{"id":7,"result":"second"}"#]);
    let error = Replay::with_options("two.jsonl", text.as_bytes(), Options::new().process(3)).expect_err("no such");
    assert_eq!(error.to_string(), "two.jsonl: the transcript can't be played: it holds no message of process 3");
}

#[test]
fn lines_that_are_no_messages_are_counted_and_nothing_else() {
    let mut played = replay("> {\"method\":\"a\"}\n< {\"method\":\"b\"}", Options::new());
    let garbage = [
        "",
        " \n",
        "{",
        "null",
        "7",
        "[]",
        r#"[{"method":"a"}]"#,
        "{}",
        r#"{"id":1}"#,
        r#"{"id":null,"method":"a"}"#,
        r#"{"id":1.5,"method":"a"}"#,
        r#"{"id":9223372036854775808,"method":"a"}"#,
        r#"{"method":1}"#,
        r#"{"result":{}}"#,
        r#"{"method":"a"} {"method":"a"}"#,
        r#"{"id":true,"result":1}"#,
    ];
    for line in garbage {
        assert_eq!(played.receive(line).expect(line), [""; 0], "{line}");
    }
    assert_eq!(played.ignored(), garbage.len());
    assert_eq!(played.receive("{\"method\":\"a\"}\r\n").expect("expected").len(), 1);

    // The recorded client itself sent one.
    let mut played = replay("> []\n< {\"method\":\"b\"}", Options::new());
    assert!(played.finish().is_err());
    assert_eq!(played.receive("[1]").expect("expected"), [r#"{"method":"b"}"#]);
    assert_eq!(played.receive("[2]").expect("ignored"), [""; 0]);
}

#[test]
fn a_client_that_closed_its_reading_end_is_still_listened_to() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = "> {\"id\":1,\"method\":\"a\"}\n< {\"id\":1,\"result\":{}}\n> {\"method\":\"b\"}";
    let input = "{\"id\":1,\"method\":\"a\"}\n{\"method\":\"b\"}";
    serve(&mut replay(lines, Options::new()), input.as_bytes(), Closed).expect("all was said");
    let outcome = serve(&mut replay(lines, Options::new()), &b"\xff\xfe\n"[..], Closed);
    assert!(matches!(outcome, Err(ServeError::Unfinished(_))), "{outcome:?}");
}
