//! Recordings that are torn, garbled or too long: each is named with file and line, and
//! the others are still checked.
#![cfg(feature = "cli")]

use std::fs;
use std::process::Command;

use serde_json::Value;

const GOOD: &str = r#"{"from":"client","message":{"method":"initialized"}}"#;

/// What the program says about a folder with these files: exit status and findings as
/// file, line and message.
fn round_trip(files: &[(&str, Vec<u8>)]) -> (Option<i32>, Vec<(String, u64, String)>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_codex-rpc-testkit"))
        .args(["round-trip", "--format", "json"])
        .arg(folder.path())
        .output()
        .expect("the program");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let findings = report["findings"].as_array().expect("findings").iter().map(|finding| {
        let file = finding["file"].as_str().expect("a file").rsplit('/').next().expect("a name").to_owned();
        (file, finding["line"].as_u64().expect("a line"), finding["message"].as_str().expect("a message").to_owned())
    });
    (output.status.code(), findings.collect(), report["total"].clone())
}

#[test]
fn each_bad_line_is_named_and_the_good_ones_around_it_count() {
    let with = |bad: &[u8]| [GOOD.as_bytes(), b"\n", bad, b"\n", GOOD.as_bytes(), b"\n"].concat();
    let torn = [GOOD.as_bytes(), b"\n", br#"{"from":"server","mess"#].concat();
    let long =
        [br#"{"from":"server","message":{"method":"x","params":""#.to_vec(), vec![b'x'; 64 << 20], b"\"}}".to_vec()];
    let (status, findings, total) = round_trip(&[
        ("empty.jsonl", Vec::new()),
        ("good.jsonl", GOOD.into()),
        ("long.jsonl", with(&long.concat())),
        ("no_json.jsonl", with(b"not json")),
        ("no_message.jsonl", with(br#"{"from":"nobody","message":{}}"#)),
        ("no_utf8.jsonl", with(b"{\"from\":\"client\",\"message\":{\"method\":\"\xff\"}}")),
        ("torn.jsonl", torn),
    ]);
    assert_eq!(status, Some(1));
    let places: Vec<(&str, u64)> = findings.iter().map(|(file, line, _)| (file.as_str(), *line)).collect();
    let expected = [
        ("empty.jsonl", 0),
        ("long.jsonl", 2),
        ("no_json.jsonl", 2),
        ("no_message.jsonl", 2),
        ("no_utf8.jsonl", 2),
        ("torn.jsonl", 2),
    ];
    assert_eq!(places, expected);
    let says = |file: &str, what: &str| {
        let (.., message) = findings.iter().find(|(name, ..)| name == file).expect("a finding");
        assert!(message.contains(what), "{file}: {message}");
    };
    says("empty.jsonl", "empty");
    says("long.jsonl", "bytes");
    says("no_json.jsonl", "not a line of a transcript");
    says("no_utf8.jsonl", "UTF-8");
    says("torn.jsonl", "torn");
    // Two good lines around each of four bad ones, one before the torn one, one alone.
    assert_eq!(total["exact"], 10, "{total}");
}
