//! The methods that a running server accepts: it lists them when it gets one that it
//! does not know.

use std::collections::BTreeSet;
use std::path::Path;

use codex_rpc::{Direction, METHODS, MethodKind};
use semver::Version;
use serde_json::Value;

use super::export::Export;
use super::{Finding, Row, Step};
use crate::recorder::{Answering, AppServer, Processes, record_among};
use crate::scenario::Scenario;

/// Notifications that upstream leaves out of its JSON Schema export; its TypeScript
/// export has them.
const LEFT_OUT: [&str; 2] = ["rawResponseItem/completed", "rawResponse/completed"];

const SCENARIO: &str = "
summary: A method that is none.
steps:
- request: codex-rpc/census
  params: {}
";

/// What a server said about itself.
pub(super) struct Census {
    pub(super) methods: BTreeSet<String>,
    pub(super) user_agent: String,
}

pub(super) fn ask(executable: &Path, among: &Processes) -> Result<Census, String> {
    let scenario = Scenario::parse(SCENARIO).map_err(|error| error.to_string())?;
    let server = AppServer::codex(executable, Version::new(0, 0, 0));
    let recording =
        record_among("census", &scenario, &server, among, Answering::Typed).map_err(|error| error.to_string())?;
    let (mut methods, mut user_agent) = (None, None);
    for entry in &recording.entries {
        let message: Value = serde_json::from_str(&entry.text).unwrap_or_default();
        if let Some(agent) = message.pointer("/result/userAgent").and_then(Value::as_str) {
            user_agent = Some(agent.to_owned());
        }
        if let Some(error) = message.pointer("/error/message").and_then(Value::as_str) {
            methods = listed(error).or(methods);
        }
    }
    Ok(Census {
        methods: methods.ok_or("its server does not list its methods when it gets one that it does not know")?,
        user_agent: user_agent.ok_or("its answer to `initialize` has no userAgent")?,
    })
}

/// The names between backquotes after "expected one of".
fn listed(error: &str) -> Option<BTreeSet<String>> {
    let (_, list) = error.split_once("expected one of ")?;
    let names = list.split('`').skip(1).step_by(2).map(str::to_owned);
    Some(names.collect())
}

pub(super) fn check(accepted: &BTreeSet<String>, export: &Export) -> Step {
    let requests =
        METHODS.iter().filter(|info| info.direction == Direction::ClientToServer && info.kind == MethodKind::Request);
    let known: BTreeSet<&str> = requests.map(|info| info.method).collect();
    let mut findings = Vec::new();
    let mut notes = Vec::new();
    for method in accepted.iter().filter(|method| !known.contains(method.as_str())) {
        let message = "the server accepts this method, and the bindings do not know it".to_owned();
        findings.push(Finding { place: method.clone(), message });
    }
    let unknown = findings.len();
    for method in &known {
        let exported =
            export.methods.contains_key(&(Direction::ClientToServer, MethodKind::Request, (*method).to_owned()));
        match (accepted.contains(*method), exported) {
            (false, _) => {
                let message = "the bindings have this method, and the server does not accept it".to_owned();
                findings.push(Finding { place: (*method).to_owned(), message });
            }
            (true, false) => notes.push(format!("{method}: accepted, though the export leaves it out")),
            (true, true) => {}
        }
    }
    let mut rows = vec![
        Row::new("methods that the server accepts", accepted.len(), unknown),
        Row::new("methods of the bindings", known.len(), findings.len() - unknown),
    ];
    notes.extend(LEFT_OUT.iter().map(|method| format!("{method}: the export leaves this notification out")));
    rows.push(Row::new("methods that the export leaves out", notes.len(), 0));
    let title = "the methods that its server accepts";
    Step { name: "census", title, compared: accepted.len(), rows, findings, notes }
}

/// Whether upstream leaves a method out of its export on purpose.
pub(super) fn is_left_out(method: &str) -> bool {
    LEFT_OUT.contains(&method)
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn the_methods_are_read_from_the_error() {
        let error = "Invalid request: unknown variant `codex-rpc/census`, expected one of `initialize`, `thread/start`";
        assert_eq!(listed(error).expect("a list").into_iter().collect::<Vec<_>>(), ["initialize", "thread/start"]);
        assert_eq!(listed("no"), None);
    }
}
