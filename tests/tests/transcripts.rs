//! Recorded sessions through the bindings.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

use codex_rpc::CODEX_VERSION;
use codex_rpc_testkit::coverage::{Coverage, markdown};
use codex_rpc_testkit::differences::Differences;
use codex_rpc_testkit::report;
use codex_rpc_testkit::round_trip::{FindingKind, Outcome, RoundTrip};
use codex_rpc_tests::{read, releases, transcripts};

fn round_trip(text: &str) -> Outcome {
    let mut trip = RoundTrip::new();
    trip.transcript("t", text.as_bytes());
    trip.finish()
}

fn outcome_of(release: &str) -> Outcome {
    let mut trip = RoundTrip::new();
    for path in transcripts(release) {
        let name = path.file_name().expect("a name").to_string_lossy();
        trip.transcript(&name, BufReader::new(File::open(&path).expect("a transcript")));
    }
    trip.finish()
}

#[test]
fn every_message_of_every_transcript_comes_back_exactly_and_nothing_is_unknown() {
    let outcome = outcome_of(CODEX_VERSION);
    assert!(outcome.is_exact(), "{}", report::text(&outcome));
    let total = outcome.total();
    assert_eq!(total.exact + total.refused, total.messages);
    assert!((outcome.files.len(), total.messages) >= (96, 4_600), "{total:?}");
}

#[test]
fn recordings_of_older_releases_decode_and_differ_only_where_it_was_reviewed() {
    let releases = releases();
    assert!(releases.len() >= 4, "{releases:?}");
    for release in releases.iter().filter(|release| *release != CODEX_VERSION) {
        let outcome = outcome_of(release);
        assert_eq!(outcome.total().failed, 0, "{release}: {}", report::text(&outcome));
        let file = format!("tests/transcripts/{release}/differences.tsv");
        let reviewed = Differences::parse(&read(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let problems = reviewed.compare(&Differences::found(&outcome));
        assert!(problems.is_empty(), "{file}\n{}", problems.join("\n"));
        assert!(!reviewed.is_empty(), "{file} lists nothing");
    }
}

#[test]
fn a_difference_that_nobody_reviewed_and_one_that_no_longer_occurs_are_named() {
    let outcome =
        round_trip(r#"{"from":"server","message":{"method":"thread/archived","params":{"threadId":"t","mood":1}}}"#);
    let reviewed = Differences::parse("# reviewed\nunknownMethod\tmoon/rose\t/method\n").expect("a list");
    assert_eq!(
        reviewed.compare(&Differences::found(&outcome)),
        [
            "not reviewed: unknownField\tthread/archived\t/params/mood",
            "reviewed, but no longer found: unknownMethod\tmoon/rose\t/method"
        ]
    );
    assert!(Differences::parse("unknownField thread/archived").expect_err("no list").starts_with("line 1: "));
}

#[test]
fn the_coverage_table_is_what_the_recordings_hold_and_does_not_shrink() {
    let releases: Vec<(String, Coverage)> = releases()
        .into_iter()
        .map(|release| {
            let mut coverage = Coverage::default();
            for path in transcripts(&release) {
                coverage.transcript(BufReader::new(File::open(path).expect("a transcript")));
            }
            (release, coverage)
        })
        .collect();
    let reasons: BTreeMap<String, String> =
        serde_json::from_str(&read("tests/transcripts/not-recorded.json")).expect("reasons by method");
    let table = markdown(&releases, &reasons).unwrap_or_else(|problems| panic!("{}", problems.join("\n")));
    let committed = read("tests/transcripts/COVERAGE.md");
    let first = table.lines().zip(committed.lines()).find(|(ours, theirs)| ours != theirs);
    assert!(table == committed, "run `cargo xtask coverage`: {first:?}");

    let (release, newest) = &releases[0];
    assert_eq!(release, CODEX_VERSION);
    let reached = [newest.answered.len(), newest.notifications.len(), newest.server_requests.len(), newest.items.len()];
    assert!(reached.iter().zip([165, 74, 9, 23]).all(|(reached, least)| *reached >= least), "{reached:?}");
}

#[test]
fn a_session_from_the_handshake_to_the_end_of_a_turn_is_among_them() {
    let path = transcripts(CODEX_VERSION).into_iter().find(|path| path.ends_with("conversation.jsonl")).expect("it");
    let mut trip = RoundTrip::new();
    trip.transcript("conversation", BufReader::new(File::open(path).expect("a transcript")));
    let outcome = trip.finish();
    for method in
        ["initialize", "initialized", "thread/start", "turn/start", "turn/started", "item/completed", "turn/completed"]
    {
        assert!(outcome.methods.contains_key(method), "{method} is missing: {:?}", outcome.methods);
    }
}

#[test]
fn what_the_server_always_sends_as_null_must_be_there() {
    // The harvest says that a command's exit code is written even as null.
    let item = r#"{"type":"commandExecution","id":"i","command":"ls","cwd":"/w","processId":null,"source":"agent","status":"inProgress","commandActions":[],"aggregatedOutput":null,"exitCode":null,"durationMs":null,"pluginId":null,"scriptPath":null,"startedAtMs":1,"completedAtMs":null}"#;
    let line = |item: &str| {
        format!(
            r#"{{"from":"server","message":{{"method":"item/started","params":{{"item":{item},"threadId":"t","turnId":"u","startedAtMs":1}},"emittedAtMs":1}}}}"#
        )
    };
    let exact = round_trip(&line(item));
    assert!(exact.is_exact(), "{}", report::text(&exact));
    let without = round_trip(&line(&item.replace(r#""exitCode":null,"#, "")));
    assert_eq!(without.total().different, 1);
    assert_eq!(without.findings[0].pointer, "/params/item/exitCode");
}

#[test]
fn what_is_unknown_is_preserved_named_and_not_forgiven() {
    let outcome = round_trip(concat!(
        r#"{"from":"server","message":{"method":"turn/started","params":{"threadId":"t","turn":{"id":"u","items":[],"itemsView":"full","status":"resting","error":null,"startedAt":null,"completedAt":null,"durationMs":null,"rootTurnId":null,"mood":"good"}}}}"#,
        "\n",
        r#"{"from":"server","message":{"method":"item/completed","params":{"item":{"type":"dream","id":"i","about":[1]},"threadId":"t","turnId":"u","completedAtMs":1,"contentTokenCount":null}}}"#,
        "\n",
        r#"{"from":"server","message":{"method":"moon/rose","params":{"phase":3.0}}}"#,
        "\n",
    ));
    assert!(outcome.is_lossless() && !outcome.is_exact(), "{}", report::text(&outcome));
    let found: Vec<(FindingKind, &str)> =
        outcome.findings.iter().map(|finding| (finding.kind, finding.pointer.as_str())).collect();
    assert_eq!(
        found,
        [
            (FindingKind::UnknownField, "/params/turn/mood"),
            (FindingKind::UnrecognizedValue, "/params/turn/status"),
            (FindingKind::UnrecognizedValue, "/params/item/type"),
            (FindingKind::UnknownMethod, "/method"),
        ]
    );
}

#[test]
fn a_client_may_leave_out_what_means_nothing_but_not_a_three_state_field() {
    let line = |params: &str| {
        format!(
            r#"{{"from":"client","message":{{"method":"turn/start","id":1,"params":{{"threadId":"t","input":[{{"type":"text","text":"x"}}]{params}}}}}}}"#
        )
    };
    for same in ["", r#","model":null"#, r#","serviceTier":null"#, r#","serviceTier":"fast""#] {
        let outcome = round_trip(&line(same));
        assert!(outcome.is_exact(), "{same}: {}", report::text(&outcome));
    }
}

#[test]
fn a_line_that_can_not_be_read_is_named_and_the_others_still_count() {
    let good = r#"{"from":"client","message":{"method":"initialized"}}"#;
    let mut bytes = format!("{good}\nnot json\n\n{good}\n").into_bytes();
    bytes.extend(b"{\"from\":\"client\",\"message\":{\"method\":\"\xff\"}}\n");
    bytes.extend(br#"{"from":"client","mess"#);
    let mut trip = RoundTrip::new();
    trip.transcript("t", bytes.as_slice());
    let outcome = trip.finish();
    let lines: Vec<usize> = outcome.findings.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [2, 5, 6], "{}", report::text(&outcome));
    assert_eq!((outcome.total().messages, outcome.total().exact), (5, 2));
}

#[test]
fn an_answer_to_nothing_and_an_empty_file_are_findings() {
    let outcome = round_trip(r#"{"from":"server","message":{"id":9,"result":{}}}"#);
    assert_eq!(outcome.findings[0].kind, FindingKind::Unattributed);
    assert_eq!(round_trip("").findings[0].kind, FindingKind::Unreadable);
    assert!(!round_trip("").is_lossless());
}

#[test]
fn a_request_that_the_server_refuses_to_read_is_no_fault_of_the_bindings() {
    let request = r#"{"from":"client","message":{"method":"turn/interrupt","id":1,"params":{}}}"#;
    let refused = r#"{"from":"server","message":{"id":1,"error":{"code":-32600,"message":"Invalid request: missing field `threadId`"}}}"#;
    let answered = r#"{"from":"server","message":{"id":1,"result":{}}}"#;
    assert_eq!(round_trip(&format!("{request}\n{refused}")).total().refused, 1);
    assert_eq!(round_trip(&format!("{request}\n{answered}")).total().failed, 1);
    assert_eq!(round_trip(request).total().failed, 1);
}
