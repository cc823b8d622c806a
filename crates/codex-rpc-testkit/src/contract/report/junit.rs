//! The outcome as JUnit XML.

use std::fmt::Write as _;

use super::{Failure, Outcome};
use crate::contract::{Finding, Step};

/// The outcome as JUnit XML: a suite for each step, a failed case for each finding; a
/// step that could not run has a case with an error.
pub fn junit<'a>(outcome: impl Into<Outcome<'a>>) -> String {
    let outcome = outcome.into();
    let failures: usize = outcome.steps.iter().map(|step| step.findings.len()).sum();
    let errors = usize::from(outcome.could_not_run.is_some());
    let tests: usize = outcome.steps.iter().map(|step| step.findings.len().max(1)).sum::<usize>() + errors;

    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ =
        writeln!(xml, r#"<testsuites name="codex contract" tests="{tests}" failures="{failures}" errors="{errors}">"#);
    for step in outcome.steps {
        suite(&mut xml, &outcome, step);
    }
    if let Some(Failure { step, reason }) = outcome.could_not_run {
        let name = escaped(step.unwrap_or("executable"));
        let _ = writeln!(xml, r#"  <testsuite name="{name}" tests="1" failures="0" errors="1">"#);
        properties(&mut xml, &outcome);
        let _ = writeln!(
            xml,
            r#"    <testcase classname="{name}" name="could not run"><error message="{}"/></testcase>"#,
            escaped(reason)
        );
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, outcome: &Outcome<'_>, step: &Step) {
    let (name, failures) = (escaped(step.name), step.findings.len());
    let tests = failures.max(1);
    let _ = writeln!(xml, r#"  <testsuite name="{name}" tests="{tests}" failures="{failures}">"#);
    properties(xml, outcome);
    if step.findings.is_empty() {
        let _ = writeln!(xml, r#"    <testcase classname="{name}" name="{}"/>"#, escaped(step.title));
    }
    for Finding { place, message } in &step.findings {
        // Many readers take cases of one name for one case.
        let case = format!("{place}: {}", message.lines().next().unwrap_or_default());
        let _ = writeln!(
            xml,
            r#"    <testcase classname="{name}" name="{}"><failure message="{}"/></testcase>"#,
            escaped(&case),
            escaped(message)
        );
    }
    if !step.notes.is_empty() {
        let _ = writeln!(xml, "    <system-out>{}</system-out>", escaped(&step.notes.join("\n")));
    }
    xml.push_str("  </testsuite>\n");
}

fn properties(xml: &mut String, outcome: &Outcome<'_>) {
    xml.push_str("    <properties>\n");
    let all = [
        ("executable", Some(outcome.executable)),
        ("origin", outcome.origin),
        ("codex", outcome.codex),
        ("bindings", Some(outcome.bindings)),
    ];
    for (name, value) in all {
        if let Some(value) = value {
            let _ = writeln!(xml, r#"      <property name="{name}" value="{}"/>"#, escaped(value));
        }
    }
    xml.push_str("    </properties>\n");
}

/// Text in an attribute or an element. XML can't have most control characters, not even
/// escaped: they become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
