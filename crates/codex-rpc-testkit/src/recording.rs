//! What was said in a session, and its form as a transcript.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::transcript::From;

/// A message, as its text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Who sent it.
    pub from: From,
    /// Which process of the session it went to or came from, from 1.
    pub process: u32,
    /// The line.
    pub text: String,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// The codex release; none for a replay.
    pub codex: Option<String>,
    /// The scenario's name.
    pub scenario: String,
    /// What was said, in the order in which the recorder saw it.
    pub entries: Vec<Entry>,
    /// What was not as it should be, though the steps came to their end: a server
    /// request that the scenario has no answer to, a line that is no JSON.
    pub problems: Vec<String>,
}

impl Recording {
    /// The session as a transcript, see [`crate::transcript`].
    pub fn to_jsonl(&self) -> String {
        let (codex, scenario) = (json!(self.codex), json!(self.scenario));
        let mut text = format!("{{\"transcript\":1,\"codex\":{codex},\"scenario\":{scenario}}}\n");
        for Entry { from, process, text: message } in &self.entries {
            // A line that ends a process is where the next one's begin.
            let process = if *process > 1 { format!(r#""process":{process},"#) } else { String::new() };
            let _ = writeln!(text, r#"{{"from":"{from}",{process}"message":{message}}}"#);
        }
        text
    }
}

/// How two transcripts of a scenario differ: a line for each message that only one of
/// them has, `-` for the first, `+` for the second. The order in which messages of one
/// process came is no difference: answers and notifications race.
pub fn differences(before: &str, after: &str) -> Vec<String> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in before.lines().skip(1) {
        *counts.entry(line).or_default() -= 1;
    }
    for line in after.lines().skip(1) {
        *counts.entry(line).or_default() += 1;
    }
    let mut lines = Vec::new();
    for (line, count) in counts {
        let sign = if count < 0 { '-' } else { '+' };
        for _ in 0..count.unsigned_abs() {
            lines.push(format!("{sign} {line}"));
        }
    }
    lines
}
