//! What recorded sessions cover: which methods were asked and answered, which
//! notifications, server requests and kinds of item were seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::BufRead;

use codex_rpc::{Direction, METHODS, MethodKind};
use serde_json::Value;

use crate::transcript::{From, Line, Reader};

/// What the recordings of one codex release cover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Recordings.
    pub transcripts: usize,
    /// Messages in them.
    pub messages: usize,
    /// Requests of clients that were answered with a result, by method: how often.
    pub answered: BTreeMap<String, usize>,
    /// Requests of clients that were answered with an error, by method: how often.
    pub refused: BTreeMap<String, usize>,
    /// Requests of the server, by method: how often.
    pub server_requests: BTreeMap<String, usize>,
    /// Notifications of either side, by method: how often.
    pub notifications: BTreeMap<String, usize>,
    /// Kinds of item in `item/started` and `item/completed`: how often.
    pub items: BTreeMap<String, usize>,
    /// Lines that can't be read.
    pub unreadable: usize,
}

type Sum = fn(&Coverage) -> usize;

fn count(counts: &mut BTreeMap<String, usize>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

impl Coverage {
    /// Takes a transcript.
    pub fn transcript(&mut self, input: impl BufRead) {
        self.transcripts += 1;
        let mut pending = HashMap::new();
        for (_, line) in Reader::new(input) {
            let (from, message) = match line {
                Line::Header(_) => continue,
                Line::Unreadable(_) => {
                    self.unreadable += 1;
                    continue;
                }
                Line::Message { from, message, .. } => (from, message),
            };
            let Ok(message) = serde_json::from_str::<Value>(message.get()) else {
                self.unreadable += 1;
                continue;
            };
            self.messages += 1;
            let method = message.get("method").and_then(Value::as_str);
            let id = message.get("id").map(Value::to_string);
            match (method, id, from) {
                (Some(method), Some(id), From::Client) => {
                    pending.insert(id, method.to_owned());
                }
                (Some(method), Some(_), From::Server) => count(&mut self.server_requests, method),
                (Some(method), None, _) => {
                    count(&mut self.notifications, method);
                    if let Some(kind) = message.pointer("/params/item/type").and_then(Value::as_str) {
                        count(&mut self.items, kind);
                    }
                }
                (None, Some(id), From::Server) => {
                    if let Some(method) = pending.remove(&id) {
                        let answered = message.get("result").is_some();
                        count(if answered { &mut self.answered } else { &mut self.refused }, &method);
                    }
                }
                (None, ..) => {}
            }
        }
    }
}

/// The coverage of several releases as Markdown: what was recorded, method by release.
/// `reasons` says of the first release's methods why they were not.
///
/// # Errors
/// The problems, a line each: a method of the bindings that was not recorded and has no
/// reason, a reason that is not needed.
pub fn markdown(releases: &[(String, Coverage)], reasons: &BTreeMap<String, String>) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let mut text = String::from(
        "# Coverage of the recorded sessions\n\nMade by `cargo xtask coverage`; a test holds it. Numbers are how often \
         a method was answered with a result or a message was seen; `error` is a method that was asked and refused.\n\n",
    );
    let heads: String = releases.iter().fold(String::new(), |heads, (release, _)| heads + " " + release + " |");
    let rule = "---|".repeat(releases.len());
    let _ = writeln!(text, "| |{heads}\n|---|{rule}");
    let sums: [(&str, Sum); 7] = [
        ("sessions", |coverage| coverage.transcripts),
        ("messages", |coverage| coverage.messages),
        ("methods answered with a result", |coverage| coverage.answered.len()),
        ("methods answered with an error only", |coverage| {
            coverage.refused.keys().filter(|method| !coverage.answered.contains_key(*method)).count()
        }),
        ("server requests", |coverage| coverage.server_requests.len()),
        ("notifications", |coverage| coverage.notifications.len()),
        ("kinds of item", |coverage| coverage.items.len()),
    ];
    for (name, sum) in sums {
        let cells = releases.iter().map(|(_, coverage)| sum(coverage).to_string());
        row(&mut text, name, cells, None);
    }
    let mut needless: BTreeSet<&str> = reasons.keys().map(String::as_str).collect();
    let sections: [(&str, Direction, MethodKind); 4] = [
        ("Requests", Direction::ClientToServer, MethodKind::Request),
        ("Server requests", Direction::ServerToClient, MethodKind::Request),
        ("Notifications", Direction::ServerToClient, MethodKind::Notification),
        ("Client notifications", Direction::ClientToServer, MethodKind::Notification),
    ];
    for (title, direction, kind) in sections {
        let _ = writeln!(text, "\n## {title}\n\n| method |{heads} why not |\n|---|{rule}---|");
        for method in METHODS.iter().filter(|method| method.direction == direction && method.kind == kind) {
            let cell = |coverage: &Coverage| cell(coverage, method.method, direction, kind);
            let recorded = releases.first().is_some_and(|(_, coverage)| cell(coverage).parse::<usize>().is_ok());
            let reason = reasons.get(method.method);
            if recorded == reason.is_some() {
                if recorded {
                    problems.push(format!("{}: was recorded, so it needs no reason", method.method));
                } else {
                    problems.push(format!("{}: was not recorded, and no reason says why", method.method));
                }
            }
            needless.remove(method.method);
            let name = format!("`{}`", method.method);
            let cells = releases.iter().map(|(_, coverage)| cell(coverage));
            row(&mut text, &name, cells, Some(reason.map_or("", String::as_str)));
        }
    }
    problems.extend(needless.into_iter().map(|method| format!("{method}: a reason for a method that is none")));
    let kinds: BTreeSet<&String> = releases.iter().flat_map(|(_, coverage)| coverage.items.keys()).collect();
    let _ = writeln!(text, "\n## Kinds of item\n\n| type |{heads}\n|---|{rule}");
    for kind in kinds {
        let cells = releases.iter().map(|(_, coverage)| number(coverage.items.get(kind)));
        row(&mut text, &format!("`{kind}`"), cells, None);
    }
    if problems.is_empty() { Ok(text) } else { Err(problems) }
}

fn cell(coverage: &Coverage, method: &str, direction: Direction, kind: MethodKind) -> String {
    match (direction, kind) {
        (Direction::ClientToServer, MethodKind::Request) => match coverage.answered.get(method) {
            Some(count) => count.to_string(),
            None if coverage.refused.contains_key(method) => "error".to_owned(),
            None => String::new(),
        },
        (_, MethodKind::Request) => number(coverage.server_requests.get(method)),
        (_, MethodKind::Notification) => number(coverage.notifications.get(method)),
    }
}

fn number(count: Option<&usize>) -> String {
    count.map(usize::to_string).unwrap_or_default()
}

fn row(text: &mut String, name: &str, cells: impl Iterator<Item = String>, last: Option<&str>) {
    let _ = write!(text, "| {name} |");
    for cell in cells.chain(last.map(str::to_owned)) {
        let _ = if cell.is_empty() { write!(text, " |") } else { write!(text, " {cell} |") };
    }
    text.push('\n');
}
