//! What a run found, as data, and as JSON.

use std::path::PathBuf;
use std::time::Duration;

use codex_rpc_codegen::diff::Difference;
use serde::Serialize;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Nothing to change.
    Unchanged,
    /// Something changes.
    Changed,
    /// A check holds.
    Passed,
    /// It does not, or could not be made.
    Failed,
    /// It was not asked for, or what it needs is missing.
    LeftOut,
}

/// A step of the road.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What it is about.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// In one line.
    pub summary: String,
    /// More, line by line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Step {
    /// A step of no length worth telling.
    pub fn new(name: impl Into<String>, outcome: Outcome, summary: impl Into<String>) -> Self {
        Self { name: name.into(), outcome, summary: summary.into(), details: Vec::new(), seconds: 0.0 }
    }

    /// With more to tell.
    pub fn with(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// That took this long.
    pub fn took(mut self, took: Duration) -> Self {
        self.seconds = (took.as_secs_f64() * 10.0).round() / 10.0;
        self
    }
}

/// Something that only a person can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The file or program that it is about.
    pub place: String,
    /// What there is to do, and why.
    pub what: String,
    /// A command that helps, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// How a file changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Edit {
    /// It is new.
    New,
    /// Its content is another.
    Changed,
    /// It goes.
    Removed,
}

/// What a run found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether everything is ready to be published: nothing failed, was left out or is
    /// left to do or to write.
    pub ready: bool,
    /// Whether the changes were written.
    pub written: bool,
    /// The codex release that was pinned.
    pub pinned: String,
    /// The codex release that the crates shall speak.
    pub release: String,
    /// The version that the crates had.
    pub version_before: String,
    /// The version that they get.
    pub version: String,
    /// What is compared with.
    pub baseline: Option<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The files that change, or were changed.
    pub files: Vec<(PathBuf, Edit)>,
    /// What only a person can do.
    pub tasks: Vec<Task>,
    /// What changed in the protocol since the codex release of the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// What publishes it, to be run by a person when all is ready.
    pub publish: Vec<String>,
}

impl Report {
    /// Finds out whether everything is ready.
    pub fn judge(&mut self) {
        let bad = self.steps.iter().any(|step| matches!(step.outcome, Outcome::Failed | Outcome::LeftOut));
        self.ready = !bad && self.tasks.is_empty() && (self.written || self.files.is_empty());
    }

    /// In one line.
    pub fn verdict(&self) -> String {
        let count = |outcome| self.steps.iter().filter(|step| step.outcome == outcome).count();
        let what = [
            (count(Outcome::Failed), "failed", "failed"),
            (count(Outcome::LeftOut), "left out", "left out"),
            (self.tasks.len(), "task for a person", "tasks for a person"),
            (if self.written { 0 } else { self.files.len() }, "file to write", "files to write"),
        ];
        let what: Vec<String> = what
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
            .collect();
        if what.is_empty() { "ready to be published".to_owned() } else { format!("not ready: {}", what.join(", ")) }
    }
}
