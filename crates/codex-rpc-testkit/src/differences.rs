//! What round trips of another release's recordings may not give back, reviewed.
//!
//! An older server leaves out what a newer one always writes, and says things that the
//! bindings no longer know. A file lists such differences, a line each: the kind, the
//! method and the JSON pointer, apart by tabs; `*` stands for any index of a list. A
//! difference that is not listed is a mismatch that nobody looked at, and one that is
//! listed but does not occur is stale.
//!
//! ```
//! use codex_rpc_testkit::differences::Differences;
//! use codex_rpc_testkit::round_trip::RoundTrip;
//!
//! let mut trip = RoundTrip::new();
//! let line = r#"{"from":"server","message":{"method":"thread/archived","params":{"threadId":"t","mood":"good"}}}"#;
//! trip.transcript("t", line.as_bytes());
//! let found = Differences::found(&trip.finish());
//!
//! let reviewed = Differences::parse("unknownField\tthread/archived\t/params/mood\n")?;
//! assert!(reviewed.compare(&found).is_empty());
//! # Ok::<(), String>(())
//! ```

use std::collections::BTreeSet;
use std::fmt;

use crate::round_trip::{Finding, FindingKind, Outcome};

/// Differences, each with its kind, its method and its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences(BTreeSet<(FindingKind, String, String)>);

impl Differences {
    /// What an outcome holds.
    pub fn found(outcome: &Outcome) -> Self {
        Self(outcome.findings.iter().map(entry).collect())
    }

    /// Reads a list. Blank lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    /// A line that is none, with its number.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut entries = BTreeSet::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut parts = line.split('\t');
            let kind = parts.next().and_then(|kind| serde_json::from_value(kind.into()).ok());
            match (kind, parts.next(), parts.next(), parts.next()) {
                (Some(kind), Some(method), Some(pointer), None) => {
                    entries.insert((kind, method.to_owned(), pointer.to_owned()));
                }
                _ => return Err(format!("line {}: not `kind<tab>method<tab>pointer`: {line:?}", index + 1)),
            }
        }
        Ok(Self(entries))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with `found` by this list, a line each: what is not listed, and
    /// what is listed and was not found.
    pub fn compare(&self, found: &Self) -> Vec<String> {
        let unlisted = found.0.difference(&self.0).map(|entry| format!("not reviewed: {}", Line(entry)));
        let stale = self.0.difference(&found.0).map(|entry| format!("reviewed, but no longer found: {}", Line(entry)));
        unlisted.chain(stale).collect()
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|entry| writeln!(f, "{}", Line(entry)))
    }
}

struct Line<'a>(&'a (FindingKind, String, String));

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, method, pointer) = self.0;
        write!(f, "{kind}\t{method}\t{pointer}")
    }
}

fn entry(finding: &Finding) -> (FindingKind, String, String) {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = finding.pointer.split('/').map(|part| if is_index(part) { "*" } else { part });
    (finding.kind, finding.method.clone().unwrap_or_default(), parts.collect::<Vec<_>>().join("/"))
}
