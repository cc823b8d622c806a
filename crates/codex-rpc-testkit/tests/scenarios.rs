//! The scenarios that come with the crate: each is played by the recorder's client
//! against the replaying app-server.
#![cfg(feature = "record")]

use std::collections::BTreeSet;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use codex_rpc_testkit::recorder::{AppServer, record};
use codex_rpc_testkit::scenario::{Scenario, builtin, builtins};
use codex_rpc_testkit::transcript::{From, Line, Reader};

fn folder() -> PathBuf {
    let release = codex_rpc::CODEX_VERSION;
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts").join(release)
}

fn messages(path: &Path, from: From) -> Vec<String> {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Reader::new(BufReader::new(file))
        .filter_map(|(_, line)| match line {
            Line::Message { from: side, message, .. } if side == from => Some(message.get().to_owned()),
            _ => None,
        })
        .collect()
}

/// Plays a scenario over its recording; says what is not as it was recorded.
fn replay(name: &str) -> Result<(), String> {
    let path = folder().join(format!("{name}.jsonl"));
    let scenario = builtin(name).map_err(|error| error.to_string())?;
    let server = AppServer::replay(env!("CARGO_BIN_EXE_codex-rpc-replay"), &path);
    let recording = record(name, &scenario, &server).map_err(|error| error.to_string())?;
    if !recording.problems.is_empty() {
        return Err(recording.problems.join("; "));
    }
    for side in [From::Client, From::Server] {
        let recorded = messages(&path, side);
        let said = recording.entries.iter().filter(|entry| entry.from == side);
        let said: Vec<String> = said.map(|entry| entry.text.clone()).collect();
        if let Some(index) = (0..recorded.len().max(said.len())).find(|index| recorded.get(*index) != said.get(*index))
        {
            return Err(format!(
                "message {index} of the {side}: recorded {:?}, said {:?}",
                recorded.get(index),
                said.get(index)
            ));
        }
    }
    Ok(())
}

#[test]
fn every_scenario_is_played_against_its_recording_and_both_sides_say_what_was_recorded() {
    let names: Vec<&str> = builtins().collect();
    let queue = Mutex::new(names.iter());
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("a lock").next();
                    let Some(name) = next else { break };
                    if let Err(error) = replay(name) {
                        failed.lock().expect("a lock").push(format!("{name}: {error}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("a lock");
    assert!(failed.is_empty(), "{} of {}\n{}", failed.len(), names.len(), failed.join("\n"));
}

#[test]
fn the_list_of_scenarios_is_the_folder_and_each_has_a_recording() {
    let stems = |folder: &Path, extension: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let files = entries.filter(|path| path.extension().is_some_and(|found| found == extension));
        files.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect()
    };
    let names: Vec<String> = builtins().map(str::to_owned).collect();
    assert!(names.is_sorted(), "{names:?}");
    let names: BTreeSet<String> = names.into_iter().collect();
    assert_eq!(names, stems(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"), "yaml"));
    assert_eq!(names, stems(&folder(), "jsonl"));
}

#[test]
fn a_mistyped_key_and_two_actions_in_a_step_are_named() {
    let error = |text: &str| Scenario::parse(text).expect_err("an error").to_string();
    let unknown = error("summary: x\nsteps: []\nmodle: []\n");
    assert!(unknown.contains("modle") && unknown.contains("model"), "{unknown}");
    let two = error("summary: x\nsteps:\n- {request: a, wait: b}\n");
    assert_eq!(two, r#"step 1: says two things to do: Request("a") and Wait("b")"#);
    let none = error("summary: x\nsteps:\n- {params: {}}\n");
    assert_eq!(none, "step 1: says nothing to do");
    let answer = error("summary: x\nsteps: []\nanswers: {m: [{}]}\n");
    assert!(answer.contains("exactly one of"), "{answer}");
}
