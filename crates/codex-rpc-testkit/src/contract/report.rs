//! The report as text, Markdown and JUnit XML.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::{Finding, Report, Step, Verdict};

/// Findings of a step that a person reads; more are counted.
const MOST: usize = 50;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fit => "fit",
            Self::Unfit => "unfit",
        })
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "codex {} against the bindings of {}", self.codex, self.bindings)?;
        write!(f, "{}", self.executable)?;
        if let Some(origin) = &self.origin {
            write!(f, ", from {origin}")?;
        }
        writeln!(f, "\n")?;
        writeln!(f, "{:<10} {:<36} {:>9} {:>9}", "step", "", "compared", "findings")?;
        for step in &self.steps {
            writeln!(f, "{:<10} {:<36} {:>9} {:>9}", step.name, step.title, step.compared, step.findings.len())?;
        }
        for step in &self.steps {
            let groups = grouped(step);
            if groups.is_empty() && step.notes.is_empty() {
                continue;
            }
            writeln!(f, "\n{}", step.name)?;
            for (place, message, count) in groups.iter().take(MOST) {
                let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
                writeln!(f, "  {place}: {message}{times}")?;
            }
            if groups.len() > MOST {
                writeln!(f, "  and {} more", groups.len() - MOST)?;
            }
            for note in &step.notes {
                writeln!(f, "  note: {note}")?;
            }
        }
        write!(f, "\nverdict: {}", self.verdict())
    }
}

/// The report as Markdown, for a pull request.
pub fn markdown(report: &Report) -> String {
    let mut text =
        format!("# codex {} against the bindings of {}: {}\n\n", report.codex, report.bindings, report.verdict());
    text.push_str("| step | | compared | findings |\n|---|---|---:|---:|\n");
    for step in &report.steps {
        let _ = writeln!(text, "| {} | {} | {} | {} |", step.name, step.title, step.compared, step.findings.len());
    }
    for step in report.steps.iter().filter(|step| !step.findings.is_empty()) {
        let _ = writeln!(text, "\n## {}\n", step.name);
        let groups = grouped(step);
        for (place, message, count) in groups.iter().take(MOST) {
            let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            let _ = writeln!(text, "- `{place}`: {}{times}", message.replace('\n', " "));
        }
        if groups.len() > MOST {
            let _ = writeln!(text, "- and {} more", groups.len() - MOST);
        }
    }
    text
}

/// The report as JUnit XML: a suite for each step, a failed case for each finding.
pub fn junit(report: &Report) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tests: usize = report.steps.iter().map(|step| step.findings.len().max(1)).sum();
    let _ = writeln!(xml, r#"<testsuites name="codex contract" tests="{tests}" failures="{}">"#, report.findings());
    for step in &report.steps {
        let (tests, failures) = (step.findings.len().max(1), step.findings.len());
        let _ = writeln!(xml, r#"  <testsuite name="{}" tests="{tests}" failures="{failures}">"#, escaped(step.name));
        if step.findings.is_empty() {
            let _ =
                writeln!(xml, r#"    <testcase classname="{}" name="{}"/>"#, escaped(step.name), escaped(step.title));
        }
        for Finding { place, message } in &step.findings {
            let _ = writeln!(
                xml,
                r#"    <testcase classname="{}" name="{}"><failure message="{}"/></testcase>"#,
                escaped(step.name),
                escaped(place),
                escaped(message)
            );
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Text in an attribute; characters that XML can't have are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => out.push(other),
        }
    }
    out
}
