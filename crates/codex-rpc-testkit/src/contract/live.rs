//! What a server says in the scenarios, through the bindings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use semver::Version;

use super::{Finding, Progress, Step};
use crate::recorder::{AppServer, RecordError, record};
use crate::recording::Recording;
use crate::round_trip::RoundTrip;
use crate::scenario::{builtin, builtins};

pub(super) fn check(
    executable: &Path,
    version: &Version,
    names: Option<&[String]>,
    jobs: usize,
    progress: &(impl Fn(Progress<'_>) + Sync),
) -> Result<Step, String> {
    let names: Vec<String> = names.map_or_else(|| builtins().map(str::to_owned).collect(), <[String]>::to_vec);
    let mut scenarios = BTreeMap::new();
    for name in &names {
        scenarios.insert(name.as_str(), builtin(name).map_err(|error| error.to_string())?);
    }
    progress(Progress::Step("live", scenarios.len()));
    let server = AppServer::codex(executable, version.clone());
    let queue = Mutex::new(scenarios.iter());
    let outcomes = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some((name, scenario)) = next else { break };
                    let outcome = record(name, scenario, &server);
                    progress(Progress::Scenario(name));
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.insert(*name, outcome);
                    }
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().map_err(|_| "a recording thread panicked".to_owned())?;
    Ok(judge(outcomes))
}

fn judge(outcomes: BTreeMap<&str, Result<Recording, RecordError>>) -> Step {
    let (mut findings, mut notes, mut trip) = (Vec::new(), Vec::new(), RoundTrip::new());
    for (name, outcome) in outcomes {
        match outcome {
            Ok(recording) => {
                trip.transcript(name, recording.to_jsonl().as_bytes());
                let problems = recording.problems.into_iter();
                findings.extend(problems.map(|message| Finding { place: name.to_owned(), message }));
            }
            Err(RecordError::Unsuited(reason)) => notes.push(format!("{name}: left out: {reason}")),
            Err(error) => {
                if let RecordError::Step { recording, .. } = &error {
                    trip.transcript(name, recording.to_jsonl().as_bytes());
                }
                findings.push(Finding { place: name.to_owned(), message: error.to_string() });
            }
        }
    }
    let outcome = trip.finish();
    let compared = outcome.total().messages;
    for found in outcome.findings {
        let method = found.method.unwrap_or_default();
        let place = format!("{method} {} ({}, line {})", found.pointer, found.file, found.line);
        findings.push(Finding { place, message: found.message });
    }
    Step { name: "live", title: "what its server says in scenarios", compared, findings, notes }
}
