//! What this program and codex expect of each other.
//!
//! The first tests need no codex: they play a recorded session. The rest need the real
//! executable, which `CODEX_BIN` names; without it they say that they did nothing.

use std::fs;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use codex_rpc::CODEX_VERSION;
use codex_rpc_testkit::contract::{Contract, Verdict};
use codex_rpc_testkit::recorder::{AppServer, record};
use codex_rpc_testkit::recording::differences;
use codex_rpc_testkit::replay::{Options, Params, Replay, serve};
use codex_rpc_testkit::round_trip::RoundTrip;
use codex_rpc_testkit::scenario::Scenario;
use codex_rpc_testkit::stand_in::{Script, StandIn};

const QUESTION: &str = "What is the answer?";
const ANSWER: &str = "Forty-two.";

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The session that was recorded with the codex release of the bindings.
fn recorded() -> String {
    let path = tests().join("transcripts").join(CODEX_VERSION).join("ask.jsonl");
    fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; record it: codex-rpc-testkit record tests/scenarios/ask.yaml \
             --executable path/to/codex --out tests/transcripts",
            path.display()
        )
    })
}

#[test]
fn the_program_says_what_was_recorded_and_understands_what_was_answered() {
    // All that the program says must be what was recorded.
    let options = Options::new().params(Params::Same);
    let mut replay = Replay::with_options("ask.jsonl", recorded().as_bytes(), options).expect("a transcript");
    let (from_server, to_client) = io::pipe().expect("a pipe");
    let (from_client, to_server) = io::pipe().expect("a pipe");
    let server = thread::spawn(move || serve(&mut replay, BufReader::new(from_client), to_client));

    let client = ask::builder().connect(from_server, to_server).expect("a connection");
    let answer = ask::ask(&client, QUESTION);
    client.close();
    let served = server.join().expect("the server does not panic");
    assert!(served.is_ok(), "{}", served.unwrap_err());
    assert_eq!(answer.expect("an answer"), ANSWER);
}

#[test]
fn the_bindings_know_all_that_was_recorded() {
    let mut trip = RoundTrip::new();
    trip.transcript("ask.jsonl", recorded().as_bytes());
    let outcome = trip.finish();
    assert!(outcome.is_exact(), "{:#?}", outcome.findings);
}

/// The real executable; if there is none, says that `test` did nothing.
fn codex(test: &str) -> Option<PathBuf> {
    let codex = std::env::var_os("CODEX_BIN").map(PathBuf::from);
    if codex.is_none() {
        // Not by `eprintln!`, which is shown only for tests that fail.
        let _ = writeln!(io::stderr(), "SKIPPED {test}: CODEX_BIN does not name a codex executable");
    }
    codex
}

#[test]
fn the_real_codex_fits_the_bindings() {
    let Some(codex) = codex("the_real_codex_fits_the_bindings") else { return };
    // Of the testkit's scenarios those that are like this program; all of them without this.
    let contract = Contract::new(codex).origin("CODEX_BIN").scenarios(["conversation"]);
    let report = contract.run().expect("a verdict");
    assert_eq!(report.verdict(), Verdict::Fit, "{report}");
}

#[test]
fn the_real_codex_says_what_was_recorded() {
    let Some(codex) = codex("the_real_codex_says_what_was_recorded") else { return };
    let text = fs::read_to_string(tests().join("scenarios/ask.yaml")).expect("the scenario");
    let scenario = Scenario::parse(&text).expect("a scenario");
    let release = CODEX_VERSION.parse().expect("a version");
    let recording = record("ask", &scenario, &AppServer::codex(codex, release)).expect("a recording");
    assert!(recording.problems.is_empty(), "{:#?}", recording.problems);
    let differences = differences(&recorded(), &recording.to_jsonl());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_program_prints_the_answer_of_the_real_codex() {
    let Some(codex) = codex("the_program_prints_the_answer_of_the_real_codex") else { return };
    let script = serde_json::json!({"answers": [[{"message": ANSWER}]]});
    let script: Script = serde_json::from_value(script).expect("a script");
    let model = StandIn::start(script).expect("a stand-in for the model");
    let home = tempfile::tempdir().expect("a folder");
    let config = format!(
        r#"model = "gpt-5.5"
model_provider = "stand_in"
[model_providers.stand_in]
name = "Stand-in"
base_url = "{}/v1"
wire_api = "responses"
[features]
plugins = false
"#,
        model.url()
    );
    fs::write(home.path().join("config.toml"), config).expect("a configuration");
    let output = Command::new(env!("CARGO_BIN_EXE_ask"))
        .arg(QUESTION)
        .current_dir(home.path())
        .env("CODEX_BIN", codex)
        .env("CODEX_HOME", home.path())
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .expect("the program starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{ANSWER}\n"), "{output:?}");
}
