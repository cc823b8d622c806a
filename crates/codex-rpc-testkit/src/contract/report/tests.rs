use super::{Outcome, json, junit, markdown, text};
use crate::contract::{CouldNotRun, Finding, Report, Row, Step, Stopped};

fn finding(place: &str, message: &str) -> Finding {
    Finding { place: place.to_owned(), message: message.to_owned() }
}

fn schema(findings: Vec<Finding>) -> Step {
    let rows = vec![Row::new("methods", 12, 0), Row::new("members", 30, findings.len())];
    Step { name: "schema", title: "the schema that it exports", compared: 42, rows, findings, notes: Vec::new() }
}

/// One with all that a report may hold, what an executable makes up included.
fn unfit() -> Report {
    let unknown = |line: u32| {
        finding(
            &format!("turn/completed /params/turn/status (interrupt, line {line})"),
            "the value is not known: `rest<ing>`",
        )
    };
    let live = Step {
        name: "live",
        title: "what its server says in scenarios",
        compared: 7,
        rows: vec![Row::new("messages, decoded and encoded", 7, 1), Row::new("unknown values", 2, 2)],
        findings: vec![
            unknown(3),
            unknown(9),
            finding("hooks", "codex wrote to stderr:\n\u{1b}[2J\u{0}\u{7}\u{fffe}\r\ta & \"b\" 'c' ]]> `d`"),
        ],
        notes: vec!["git_diff: left out: `git` is not on PATH".to_owned()],
    };
    Report {
        executable: "/opt/codex".to_owned(),
        origin: "npm <latest>".to_owned(),
        codex: "0.170.0".to_owned(),
        bindings: "0.169.0".to_owned(),
        steps: vec![
            schema(vec![
                finding("Thread", "the member `mood` is new"),
                finding("Thread", "the member `preview` is gone"),
            ]),
            live,
        ],
    }
}

fn could_not_run() -> CouldNotRun {
    CouldNotRun(Box::new(Stopped {
        executable: "/opt/codex".to_owned(),
        origin: Some("PATH".to_owned()),
        codex: Some("0.169.0".to_owned()),
        step: Some("census"),
        reason: "the time limit of 300s passed".to_owned(),
        done: vec![schema(Vec::new())],
    }))
}

/// Escapes that a person can see.
fn visible(text: &str) -> String {
    text.replace('\u{1b}', "ESC")
}

#[test]
fn the_text_has_a_table_for_each_step_its_findings_and_the_verdict() {
    insta::assert_snapshot!("text", text(&unfit(), false));
    insta::assert_snapshot!("text_styled", visible(&text(&unfit(), true)));
    insta::assert_snapshot!("text_could_not_run_styled", visible(&text(&could_not_run(), true)));
}

#[test]
fn without_styles_there_is_no_escape_and_else_the_text_is_the_same() {
    let plain = text(&unfit(), false);
    assert!(!plain.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&text(&unfit(), true)).to_string(), plain);
}

#[test]
fn the_markdown_has_the_same() {
    insta::assert_snapshot!("markdown", markdown(&unfit()));
    insta::assert_snapshot!("markdown_could_not_run", markdown(&could_not_run()));
}

#[test]
fn the_json_has_the_same() {
    insta::assert_snapshot!("json_could_not_run", format!("{:#}", json(&could_not_run())));
    assert_eq!(json(&unfit())["verdict"], "unfit");
    assert_eq!(json(&unfit()), serde_json::json!(unfit()));
}

#[test]
fn the_junit_is_well_formed_whatever_an_executable_says() {
    let xml = junit(&unfit());
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    let root = parsed.root_element();
    let cases: Vec<_> = parsed.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let failed = cases.iter().filter(|case| case.children().any(|node| node.has_tag_name("failure"))).count();
    assert_eq!(root.attribute("tests"), Some(cases.len().to_string().as_str()));
    assert_eq!(root.attribute("failures"), Some(failed.to_string().as_str()));
    let messages: Vec<_> = parsed.descendants().filter_map(|node| node.attribute("message")).collect();
    assert_eq!(
        messages.last(),
        Some(&"codex wrote to stderr:\n\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}\r\ta & \"b\" 'c' ]]> `d`")
    );
    let mut names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "no two cases have the same name");
    insta::assert_snapshot!("junit", xml);
}

#[test]
fn a_run_without_a_verdict_is_an_error_in_junit() {
    let xml = junit(&could_not_run());
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    assert_eq!(parsed.root_element().attribute("errors"), Some("1"));
    assert_eq!(parsed.descendants().filter(|node| node.has_tag_name("testcase")).count(), 2);
    assert_eq!(Outcome::from(&could_not_run()).verdict(), "could not run");
}
