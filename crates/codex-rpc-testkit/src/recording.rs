//! What was said in a session, and its form as a transcript.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

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
/// them has, `-` for the first, `+` for the second. The order of messages is no
/// difference, for answers and notifications race, and neither is the order of members.
pub fn differences(before: &str, after: &str) -> Vec<String> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for (text, sign) in [(before, -1), (after, 1)] {
        for line in text.lines().skip(1) {
            // With its members in the order of their names.
            let line = serde_json::from_str::<Value>(line).map_or_else(|_| line.to_owned(), |line| line.to_string());
            *counts.entry(line).or_default() += sign;
        }
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

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn order_is_no_difference_and_a_message_more_or_less_is() {
        let before = "{}\n{\"a\":1,\"b\":2}\n{\"c\":3}\n{\"c\":3}\n";
        assert_eq!(differences(before, "{}\n{\"c\":3}\n{\"b\":2,\"a\":1}\n{\"c\":3}\n"), [""; 0]);
        assert_eq!(
            differences(before, "{}\n{\"a\":1,\"b\":2}\n{\"c\":3}\n{\"c\":4}\n"),
            ["- {\"c\":3}", "+ {\"c\":4}"]
        );
    }
}
