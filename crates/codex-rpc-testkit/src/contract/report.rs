//! The outcome as text, Markdown, JSON and JUnit XML.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use codex_rpc::CODEX_VERSION;
use serde::Serialize;
use serde_json::Value;

use super::{CouldNotRun, Finding, Report, Step, Verdict};

mod junit;
#[cfg(test)]
mod tests;

pub use junit::junit;

/// Findings of a step that a person reads; more are counted.
const MOST: usize = 50;

/// What became of a run: a [`Report`], or why there is none. Made from a reference to
/// either.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome<'a> {
    verdict: &'static str,
    executable: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codex: Option<&'a str>,
    bindings: &'a str,
    steps: &'a [Step],
    #[serde(skip_serializing_if = "Option::is_none")]
    could_not_run: Option<Failure<'a>>,
}

/// Where and why a run ended without a verdict.
#[derive(Clone, Copy, Debug, Serialize)]
struct Failure<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'static str>,
    reason: &'a str,
}

impl<'a> From<&'a Report> for Outcome<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            verdict: match report.verdict() {
                Verdict::Fit => "fit",
                Verdict::Unfit => "unfit",
            },
            executable: &report.executable,
            origin: Some(&report.origin),
            codex: Some(&report.codex),
            bindings: &report.bindings,
            steps: &report.steps,
            could_not_run: None,
        }
    }
}

impl<'a> From<&'a CouldNotRun> for Outcome<'a> {
    fn from(error: &'a CouldNotRun) -> Self {
        Self {
            verdict: "couldNotRun",
            executable: error.executable(),
            origin: error.origin(),
            codex: error.codex(),
            bindings: CODEX_VERSION,
            steps: error.done(),
            could_not_run: Some(Failure { step: error.step(), reason: error.reason() }),
        }
    }
}

impl Outcome<'_> {
    /// For a person: `fit`, `unfit`, `could not run`.
    fn verdict(&self) -> &'static str {
        if self.could_not_run.is_some() { "could not run" } else { self.verdict }
    }

    fn codex(&self) -> &str {
        self.codex.unwrap_or("of an unknown release")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fit => "fit",
            Self::Unfit => "unfit",
        })
    }
}

/// As [`text`], without styles and without a line's end after the verdict.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text(self, false).trim_end())
    }
}

/// Findings that say the same of places that differ only in their scenario and line.
fn grouped(step: &Step) -> Vec<(String, &str, usize)> {
    let mut groups: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for Finding { place, message } in &step.findings {
        let place = place.split(" (").next().unwrap_or(place);
        *groups.entry((place.to_owned(), message)).or_default() += 1;
    }
    groups.into_iter().map(|((place, message), count)| (place, message, count)).collect()
}

fn times(count: usize) -> String {
    if count > 1 { format!(" ({count} times)") } else { String::new() }
}

/// What an executable wrote may hold what a terminal obeys.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// The outcome for a person: the verdict of each step, a table and the findings of each,
/// the verdict of all. Styles are ANSI escapes, for a stream that knows what to do with
/// them.
pub fn text<'a>(outcome: impl Into<Outcome<'a>>, styled: bool) -> String {
    let outcome = outcome.into();
    let style = |style: Style| if styled { style } else { Style::new() };
    let (bold, dim) = (style(Style::new().bold()), style(Style::new().dimmed()));
    let colour = |colour: AnsiColor| style(colour.on_default());
    let (good, bad, unsure) = (colour(AnsiColor::Green), colour(AnsiColor::Red), colour(AnsiColor::Yellow));
    let count = |findings: usize| if findings > 0 { bad } else { Style::new() };

    let mut text = String::new();
    let _ = writeln!(text, "{bold}codex {} against the bindings of {}{bold:#}", outcome.codex(), outcome.bindings);
    let _ = write!(text, "{}", outcome.executable);
    if let Some(origin) = outcome.origin {
        let _ = write!(text, ", from {}", harmless(origin));
    }
    text.push('\n');
    if !outcome.steps.is_empty() {
        let _ = writeln!(text, "\n{bold}{:<10} {:<36} {:>9} {:>9}{bold:#}", "step", "", "compared", "findings");
    }
    for step in outcome.steps {
        let (findings, Step { name, title, compared, .. }) = (step.findings.len(), step);
        let colour = count(findings);
        let _ = writeln!(text, "{name:<10} {title:<36} {compared:>9} {colour}{findings:>9}{colour:#}");
    }
    for step in outcome.steps {
        let _ = writeln!(text, "\n{bold}{:<47} {:>9} {:>9}{bold:#}", step.name, "count", "findings");
        for row in &step.rows {
            let colour = count(row.findings);
            let _ = writeln!(text, "  {:<45} {:>9} {colour}{:>9}{colour:#}", row.what, row.count, row.findings);
        }
        let groups = grouped(step);
        for (place, message, count) in groups.iter().take(MOST) {
            let (place, message) = (harmless(place), harmless(message).replace('\n', "\n    "));
            let _ = writeln!(text, "  {bad}{place}{bad:#}: {message}{}", times(*count));
        }
        if groups.len() > MOST {
            let _ = writeln!(text, "  and {} more", groups.len() - MOST);
        }
        for note in &step.notes {
            let _ = writeln!(text, "  {dim}note: {}{dim:#}", harmless(note));
        }
    }
    if let Some(Failure { step, reason }) = outcome.could_not_run {
        let step = step.map(|step| format!("step {step}: ")).unwrap_or_default();
        let _ = writeln!(text, "\n{step}{}", harmless(reason));
    }
    let colour = match outcome.verdict() {
        "fit" => good,
        "unfit" => bad,
        _ => unsure,
    };
    let _ = writeln!(text, "\nverdict: {colour}{}{colour:#}", outcome.verdict());
    text
}

/// The outcome as Markdown, for a pull request or a job's summary.
pub fn markdown<'a>(outcome: impl Into<Outcome<'a>>) -> String {
    let outcome = outcome.into();
    let mut text = format!(
        "# codex {} against the bindings of {}: {}\n\n{}",
        outcome.codex(),
        outcome.bindings,
        outcome.verdict(),
        code(outcome.executable)
    );
    if let Some(origin) = outcome.origin {
        let _ = write!(text, ", from {}", prose(origin));
    }
    text.push('\n');
    if let Some(Failure { step, reason }) = outcome.could_not_run {
        let step = step.map(|step| format!("Step {step}: ")).unwrap_or_default();
        let _ = writeln!(text, "\n{step}{}", prose(reason));
    }
    if !outcome.steps.is_empty() {
        text.push_str("\n| step | | compared | findings |\n|---|---|---:|---:|\n");
    }
    for step in outcome.steps {
        let _ = writeln!(text, "| {} | {} | {} | {} |", step.name, step.title, step.compared, step.findings.len());
    }
    for step in outcome.steps {
        let _ = writeln!(text, "\n## {}\n\n| | count | findings |\n|---|---:|---:|", step.name);
        for row in &step.rows {
            let _ = writeln!(text, "| {} | {} | {} |", row.what, row.count, row.findings);
        }
        let groups = grouped(step);
        if !(groups.is_empty() && step.notes.is_empty()) {
            text.push('\n');
        }
        for (place, message, count) in groups.iter().take(MOST) {
            let _ = writeln!(text, "- {}: {}{}", code(place), prose(message), times(*count));
        }
        if groups.len() > MOST {
            let _ = writeln!(text, "- and {} more", groups.len() - MOST);
        }
        for note in &step.notes {
            let _ = writeln!(text, "- note: {}", prose(note));
        }
    }
    text
}

/// One line of Markdown that starts no tag of HTML.
fn prose(text: &str) -> String {
    harmless(&text.replace('\n', " ")).replace('&', "&amp;").replace('<', "&lt;")
}

/// A span of code.
fn code(text: &str) -> String {
    format!("`{}`", harmless(&text.replace('\n', " ")).replace('`', "'"))
}

/// The outcome as JSON:
///
/// | member | |
/// |---|---|
/// | `verdict` | `fit`, `unfit` or `couldNotRun` |
/// | `executable`, `origin` | what was run, and where it came from |
/// | `codex`, `bindings` | the release that the executable says it is, if it does, and that of the bindings |
/// | `steps` | those that were done: `name`, `title`, `compared`, `rows` (`what`, `count`, `findings`), `findings` (`place`, `message`), `notes` |
/// | `couldNotRun` | only without a verdict: `reason`, and the `step` that could not run |
pub fn json<'a>(outcome: impl Into<Outcome<'a>>) -> Value {
    serde_json::json!(outcome.into())
}
