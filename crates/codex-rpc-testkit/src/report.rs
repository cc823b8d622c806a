//! The outcome of round trips as text or JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::round_trip::{Counts, Finding, Outcome};

/// The columns of the table, in order.
const COLUMNS: [&str; 8] =
    ["messages", "exact", "different", "failed", "refused", "unknown methods", "unrecognised values", "unknown fields"];

fn cells(counts: &Counts) -> [usize; 8] {
    [
        counts.messages,
        counts.exact,
        counts.different,
        counts.failed,
        counts.refused,
        counts.unknown_methods,
        counts.unrecognized_values,
        counts.unknown_fields,
    ]
}

/// The outcome for a person: a table by file, the sum, the findings.
pub fn text(outcome: &Outcome) -> String {
    let mut out = String::new();
    let width = outcome.files.keys().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
    let mut row = |name: &str, cells: [String; 8]| {
        let _ = write!(out, "{name:<width$}");
        for (column, cell) in COLUMNS.iter().zip(cells) {
            let _ = write!(out, "  {cell:>0$}", column.len());
        }
        out.push('\n');
    };
    row("file", COLUMNS.map(str::to_owned));
    for (file, counts) in &outcome.files {
        row(file, cells(counts).map(|count| count.to_string()));
    }
    if outcome.files.len() != 1 {
        row("total", cells(&outcome.total()).map(|count| count.to_string()));
    }
    for finding in &outcome.findings {
        out.push('\n');
        out.push_str(&describe(finding));
    }
    out
}

fn describe(finding: &Finding) -> String {
    let mut out = format!("{}:{}", finding.file, finding.line);
    if let Some(method) = &finding.method {
        let _ = write!(out, ": {method}");
    }
    if !finding.pointer.is_empty() {
        let _ = write!(out, " {}", finding.pointer);
    }
    let _ = writeln!(out, ": {}", finding.message);
    if finding.expected.is_some() || finding.got.is_some() {
        let _ = writeln!(out, "  expected {}", shown(finding.expected.as_ref()));
        let _ = writeln!(out, "  got      {}", shown(finding.got.as_ref()));
    }
    out
}

fn shown(value: Option<&Value>) -> String {
    const LONGEST: usize = 200;
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// The outcome for a program: `{"exact", "total", "files", "methods", "findings"}`.
pub fn json(outcome: &Outcome) -> Value {
    json!({
        "exact": outcome.is_exact(),
        "lossless": outcome.is_lossless(),
        "total": outcome.total(),
        "files": outcome.files,
        "methods": outcome.methods,
        "findings": outcome.findings,
    })
}
