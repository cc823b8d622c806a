//! What a server says in the scenarios, through the bindings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use semver::Version;
use serde_json::Value;

use super::{Finding, Progress, Row, Step};
use crate::recorder::{Answering, AppServer, Processes, RecordError, record_among};
use crate::recording::Recording;
use crate::round_trip::{FindingKind, RoundTrip};
use crate::scenario::{builtin, builtins};
use crate::transcript::From;

pub(super) fn check(
    executable: &Path,
    version: &Version,
    names: Option<&[String]>,
    jobs: usize,
    processes: &Processes,
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
    // What was under way when the run was stopped.
    let cut = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    if processes.is_stopped() {
                        break;
                    }
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some((name, scenario)) = next else { break };
                    let outcome = record_among(name, scenario, &server, processes, Answering::Typed);
                    if processes.is_stopped() {
                        cut.lock().unwrap_or_else(PoisonError::into_inner).push(*name);
                        break;
                    }
                    progress(Progress::Scenario(name));
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.insert(*name, outcome);
                    }
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().map_err(|_| "a recording thread panicked".to_owned())?;
    let mut cut = cut.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !cut.is_empty() || outcomes.len() < scenarios.len() {
        cut.sort_unstable();
        let under_way = if cut.is_empty() { "none".to_owned() } else { cut.join(", ") };
        return Err(format!("{} of {} scenarios were played, under way: {under_way}", outcomes.len(), scenarios.len()));
    }
    Ok(judge(outcomes))
}

fn judge(outcomes: BTreeMap<&str, Result<Recording, RecordError>>) -> Step {
    let (mut findings, mut notes, mut trip) = (Vec::new(), Vec::new(), RoundTrip::new());
    let (mut played, mut asked, mut answered) = (0, 0, 0);
    for (name, outcome) in outcomes {
        let recording = match outcome {
            Ok(recording) => {
                let problems = recording.problems.iter();
                findings.extend(problems.map(|message| Finding { place: name.to_owned(), message: message.clone() }));
                Some(recording)
            }
            Err(RecordError::Unsuited(reason)) => {
                notes.push(format!("{name}: left out: {reason}"));
                continue;
            }
            Err(error) => {
                findings.push(Finding { place: name.to_owned(), message: error.to_string() });
                match error {
                    RecordError::Step { recording, .. } => Some(*recording),
                    _ => None,
                }
            }
        };
        played += 1;
        if let Some(recording) = recording {
            trip.transcript(name, recording.to_jsonl().as_bytes());
            let (requests, open) = server_requests(&recording);
            (asked, answered) = (asked + requests, answered + requests - open.len());
            notes.extend(open.into_iter().map(|method| format!("{name}: {method} was not answered")));
        }
    }
    let of_scenarios = findings.len();
    let outcome = trip.finish();
    let total = outcome.total();
    let unknown = |kind| outcome.findings.iter().filter(|found| found.kind == kind).count();
    let unknown = [
        ("unknown methods", total.unknown_methods, unknown(FindingKind::UnknownMethod)),
        ("unknown values", total.unrecognized_values, unknown(FindingKind::UnrecognizedValue)),
        ("unknown members", total.unknown_fields, unknown(FindingKind::UnknownField)),
    ];
    let of_unknown: usize = unknown.iter().map(|(_, _, findings)| findings).sum();
    let mut rows = vec![
        Row::new("scenarios", played, of_scenarios),
        Row::new("messages, decoded and encoded", total.messages, outcome.findings.len() - of_unknown),
    ];
    rows.extend(unknown.map(|(what, count, findings)| Row::new(what, count, findings)));
    rows.push(Row::new("requests of the server", asked, 0));
    rows.push(Row::new("answered as the bindings' types", answered, 0));
    for found in outcome.findings {
        let method = found.method.unwrap_or_default();
        let place = format!("{method} {} ({}, line {})", found.pointer, found.file, found.line);
        findings.push(Finding { place, message: found.message });
    }
    let title = "what its server says in scenarios";
    Step { name: "live", title, compared: total.messages, rows, findings, notes }
}

/// How many requests the server made, and the methods of those that were not answered:
/// what a scenario leaves open. All answers go through the bindings' types.
fn server_requests(recording: &Recording) -> (usize, Vec<String>) {
    let (mut requests, mut answers) = (BTreeMap::new(), BTreeSet::new());
    for entry in &recording.entries {
        let message: Value = serde_json::from_str(&entry.text).unwrap_or_default();
        let Some(id) = message.get("id").map(|id| (entry.process, id.to_string())) else { continue };
        match (entry.from, message.get("method").and_then(Value::as_str)) {
            (From::Server, Some(method)) => {
                requests.insert(id, method.to_owned());
            }
            (From::Client, None) => {
                answers.insert(id);
            }
            _ => {}
        }
    }
    let asked = requests.len();
    let open = requests.into_iter().filter(|(id, _)| !answers.contains(id)).map(|(_, method)| method);
    (asked, open.collect())
}
