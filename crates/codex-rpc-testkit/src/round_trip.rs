//! Decodes every message as what it is, encodes it, compares.
//!
//! What a server sent must come back exactly. What a client sent, and instances,
//! may differ in two ways that mean nothing: null and absent where the schema
//! allows both and the field is no three-state input, and absent and the schema's
//! own default. Numbers compare by value.

use std::collections::HashMap;
use std::io::BufRead;

use codex_rpc::registry::{Type, find};
use codex_rpc::{AnyMessage, DecodeError, Direction, Message, MethodInfo, MethodKind, RequestId, UnrecognizedMethod};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::compare::{Tolerance, compare, compare_json};
pub use crate::outcome::{Counts, Finding, FindingKind, Outcome};
use crate::transcript::{From, LONGEST_LINE, Line, Reader};
use crate::unknown::{Kind, Unknown, walk};

/// Where a message is.
#[derive(Clone, Debug)]
struct Place {
    file: String,
    line: usize,
    method: Option<String>,
}

/// The members of a message of any kind.
const MEMBERS: [&str; 8] = ["jsonrpc", "method", "id", "params", "result", "error", "emittedAtMs", "trace"];

/// A request that waits for its answer. What was found in it is held back: if the
/// server refuses the request, it is no finding that the bindings do too.
struct Pending {
    method: String,
    known: bool,
    counts: Counts,
    findings: Vec<Finding>,
}

/// Takes transcripts and instances and keeps count.
#[derive(Default)]
pub struct RoundTrip {
    outcome: Outcome,
    counts: Counts,
}

struct Problem {
    pointer: String,
    message: String,
}

impl std::convert::From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Self {
        Self { pointer: error.pointer().to_owned(), message: error.to_string() }
    }
}

impl RoundTrip {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The outcome of all that was taken.
    pub fn finish(self) -> Outcome {
        self.outcome
    }

    /// Takes a file that can't be opened.
    pub fn unreadable(&mut self, file: &str, why: &str) {
        self.fail(&Place { file: file.to_owned(), line: 0, method: None }, FindingKind::Unreadable, "", why);
        self.close(file);
    }

    /// Takes a transcript. `file` is its name in findings.
    pub fn transcript(&mut self, file: &str, input: impl BufRead) {
        let mut pending: HashMap<(From, RequestId), Pending> = HashMap::new();
        let mut lines = 0;
        for (line, content) in Reader::new(input) {
            lines += 1;
            let place = Place { file: file.to_owned(), line, method: None };
            match content {
                Line::Header(_) => {}
                Line::Unreadable(why) => {
                    self.counts.messages += 1;
                    self.fail(&place, FindingKind::Unreadable, "", &why);
                }
                Line::Message { from, message, .. } => {
                    self.counts.messages += 1;
                    self.message(place, from, message.get(), &mut pending);
                }
            }
        }
        // What was never answered was not refused.
        for request in pending.into_values() {
            self.release(request);
        }
        if lines == 0 {
            self.fail(
                &Place { file: file.to_owned(), line: 0, method: None },
                FindingKind::Unreadable,
                "",
                "the file is empty",
            );
        }
        self.close(file);
    }

    fn close(&mut self, file: &str) {
        let counts = std::mem::take(&mut self.counts);
        self.outcome.findings.sort_by(|left, right| (&left.file, left.line).cmp(&(&right.file, right.line)));
        self.outcome.files.entry(file.to_owned()).or_default().add(&counts);
    }

    fn fail(&mut self, place: &Place, kind: FindingKind, pointer: &str, message: &str) {
        self.counts.failed += 1;
        self.outcome.findings.push(finding(place, kind, pointer, message));
    }

    /// Counts what was held back.
    fn release(&mut self, request: Pending) {
        self.counts.add(&request.counts);
        self.outcome.findings.extend(request.findings);
    }

    /// Runs `look` and keeps its counts and findings apart.
    fn apart(&mut self, look: impl FnOnce(&mut Self)) -> (Counts, Vec<Finding>) {
        let counts = std::mem::take(&mut self.counts);
        let findings = std::mem::take(&mut self.outcome.findings);
        look(self);
        (std::mem::replace(&mut self.counts, counts), std::mem::replace(&mut self.outcome.findings, findings))
    }

    fn message(&mut self, mut place: Place, from: From, text: &str, pending: &mut HashMap<(From, RequestId), Pending>) {
        let any = match AnyMessage::from_json(text) {
            Ok(any) => any,
            Err(error) => {
                let problem = Problem::from(error);
                return self.fail(&place, FindingKind::Undecodable, &problem.pointer, &problem.message);
            }
        };
        let other = match from {
            From::Client => From::Server,
            From::Server => From::Client,
        };
        match &any {
            Message::Request(request) => {
                let UnrecognizedMethod { method, .. } = &request.payload;
                place.method = Some(method.clone());
                *self.outcome.methods.entry(method.clone()).or_default() += 1;
                let definition = match from {
                    From::Client => "ClientRequest",
                    From::Server => "ServerRequest",
                };
                let known = info(from, method, MethodKind::Request).is_some();
                let (counts, findings) =
                    self.apart(|trip| trip.method_message(&place, from, definition, method, known, text));
                let waiting = Pending { method: method.clone(), known, counts, findings };
                if let Some(lost) = pending.insert((from, request.id.clone()), waiting) {
                    self.release(lost);
                }
            }
            Message::Notification(notification) => {
                let UnrecognizedMethod { method, .. } = &notification.payload;
                place.method = Some(method.clone());
                *self.outcome.methods.entry(method.clone()).or_default() += 1;
                let definition = match from {
                    From::Client => "ClientNotification",
                    From::Server => "ServerNotification",
                };
                let known = info(from, method, MethodKind::Notification).is_some();
                self.method_message(&place, from, definition, method, known, text);
            }
            Message::Response(response) => {
                let Some(request) = pending.remove(&(other, response.id.clone())) else {
                    return self.fail(&place, FindingKind::Unattributed, "/id", "the response answers no request");
                };
                place.method = Some(request.method.clone());
                self.response(&place, from, text, response.result.get(), &request);
                self.release(request);
            }
            Message::Error(error) => {
                let Some(request) = pending.remove(&(other, error.id.clone())) else {
                    return self.fail(&place, FindingKind::Unattributed, "/id", "the error answers no request");
                };
                place.method = Some(request.method.clone());
                let clean = request.findings.is_empty();
                if from == From::Server && !clean && is_refusal(&error.error.message) {
                    self.counts.refused += 1;
                } else {
                    self.release(request);
                }
                self.recode(&place, from, "JSONRPCError", text, "");
            }
        }
    }

    fn method_message(&mut self, place: &Place, from: From, definition: &str, method: &str, known: bool, text: &str) {
        if known {
            return self.recode(place, from, definition, text, method);
        }
        self.counts.unknown_methods += 1;
        let unknown = "the bindings do not know the method";
        self.outcome.findings.push(finding(place, FindingKind::UnknownMethod, "/method", unknown));
        self.recode_untyped(place, definition, text);
    }

    /// A method without a type: still, nothing may be lost.
    fn recode_untyped(&mut self, place: &Place, definition: &str, text: &str) {
        match find(definition).map(|definition| definition.recode(text)) {
            Some(Ok(recoded)) => self.differences(place, text, &recoded.value, &Type::Any, Tolerance::Exact, ""),
            Some(Err(error)) => {
                self.fail(place, FindingKind::Undecodable, error.pointer(), &error.to_string());
            }
            None => self.fail(place, FindingKind::Undecodable, "", "the bindings have no such kind of message"),
        }
    }

    fn response(&mut self, place: &Place, from: From, text: &str, result: &str, request: &Pending) {
        let other = match from {
            From::Client => From::Server,
            From::Server => From::Client,
        };
        let Some(response) = info(other, &request.method, MethodKind::Request).and_then(|info| info.response) else {
            if !request.known {
                // The method was counted; its answer has no type either.
                return self.recode(place, from, "JSONRPCResponse", text, "");
            }
            return self.fail(place, FindingKind::Unattributed, "/result", "the method has no answer");
        };
        let before = self.counts.clone();
        self.recode(place, from, "JSONRPCResponse", text, "");
        if self.counts.exact > before.exact {
            self.counts.exact -= 1;
            self.instance(place, response, result, tolerance(from), "/result", Expectation::Valid);
        }
    }

    /// Decodes and encodes a whole message and compares; the params have the type
    /// that the method names.
    fn recode(&mut self, place: &Place, from: From, definition: &str, text: &str, method: &str) {
        let recoded = match find(definition).map(|definition| definition.recode(text)) {
            Some(Ok(recoded)) => recoded,
            Some(Err(error)) => return self.fail(place, FindingKind::Undecodable, error.pointer(), &error.to_string()),
            None => return self.fail(place, FindingKind::Undecodable, "", "the bindings have no such kind of message"),
        };
        let Ok(original) = serde_json::from_str::<Value>(text) else {
            return self.fail(place, FindingKind::Undecodable, "", "not JSON");
        };
        let kind = if definition.ends_with("Request") { MethodKind::Request } else { MethodKind::Notification };
        let params = info(from, method, kind).and_then(|info| info.params);
        let mut unknown: Vec<Unknown> = Vec::new();
        if let (Some(params), Some(value)) = (params, original.get("params").filter(|value| !value.is_null())) {
            unknown.extend(walk(value, &Type::Named(params), "/params").unwrap_or_default());
        }
        if let Some(error) = original.get("error") {
            unknown.extend(walk(error, &Type::Named("JSONRPCErrorError"), "/error").unwrap_or_default());
        }
        if let Some(trace) = original.get("trace") {
            unknown.extend(walk(trace, &Type::Named("W3cTraceContext"), "/trace").unwrap_or_default());
        }
        for name in original.as_object().into_iter().flat_map(serde_json::Map::keys) {
            if !MEMBERS.contains(&name.as_str()) {
                unknown.push(Unknown { kind: Kind::Field, pointer: format!("/{name}"), what: name.clone() });
            }
        }
        self.unknown(place, unknown, recoded.unknown);
        self.message_differences(place, &original, &recoded.value, params, tolerance(from));
    }

    fn message_differences(
        &mut self,
        place: &Place,
        original: &Value,
        recoded: &Value,
        params: Option<&'static str>,
        tolerance: Tolerance,
    ) {
        let mut differences = Vec::new();
        let (mut left, mut right) = (original.clone(), recoded.clone());
        let typed = [
            ("params", params.map_or(Type::Any, Type::Named)),
            ("trace", Type::Named("W3cTraceContext")),
            ("error", Type::Named("JSONRPCErrorError")),
        ];
        for (name, ty) in typed {
            let take = |value: &mut Value| value.as_object_mut().and_then(|object| object.remove(name));
            let pointer = format!("/{name}");
            match (take(&mut left), take(&mut right)) {
                (Some(left), Some(right)) => differences.extend(compare(&left, &right, &ty, tolerance, &pointer)),
                (None, None) => {}
                // Null and absent mean the same here, and the server reads them so.
                (Some(Value::Null), None) if tolerance == Tolerance::Meaningless => {}
                (expected, got) => differences.push(crate::compare::Difference { pointer, expected, got }),
            }
        }
        differences.extend(compare_json(&left, &right, ""));
        self.settle(place, differences);
    }

    fn differences(&mut self, place: &Place, text: &str, recoded: &Value, ty: &Type, tolerance: Tolerance, at: &str) {
        let Ok(original) = serde_json::from_str::<Value>(text) else {
            return self.fail(place, FindingKind::Undecodable, at, "not JSON");
        };
        self.settle(place, compare(&original, recoded, ty, tolerance, at));
    }

    fn settle(&mut self, place: &Place, differences: Vec<crate::compare::Difference>) {
        if differences.is_empty() {
            self.counts.exact += 1;
            return;
        }
        self.counts.different += 1;
        for difference in differences {
            let message = match (&difference.expected, &difference.got) {
                (Some(_), None) => "is lost",
                (None, _) => "was not there",
                (Some(_), Some(_)) => "is another",
            };
            self.outcome.findings.push(Finding {
                expected: difference.expected,
                got: difference.got,
                ..finding(place, FindingKind::Different, &difference.pointer, message)
            });
        }
    }

    fn unknown(&mut self, place: &Place, unknown: Vec<Unknown>, counted: u32) {
        if unknown.len() != counted as usize {
            let message = format!(
                "the decoder met {counted} unknowns, the tables name {}: the bindings contradict themselves",
                unknown.len()
            );
            self.outcome.findings.push(finding(place, FindingKind::Undecodable, "", &message));
            self.counts.unknown_fields += (counted as usize).saturating_sub(unknown.len());
        }
        for unknown in unknown {
            let (kind, message) = match unknown.kind {
                Kind::Value => (FindingKind::UnrecognizedValue, "the value is not known"),
                Kind::Field => (FindingKind::UnknownField, "the member is not known"),
            };
            match unknown.kind {
                Kind::Value => self.counts.unrecognized_values += 1,
                Kind::Field => self.counts.unknown_fields += 1,
            }
            let what = format!("{message}: `{}`", unknown.what);
            self.outcome.findings.push(finding(place, kind, &unknown.pointer, &what));
        }
    }

    /// Takes lines of `{"type": "<definition>", "value": …}`. A line may have a
    /// `kind`: `valid` is the default, `tolerated` may hold unknowns that are
    /// preserved, `invalid` must be rejected.
    pub fn instances(&mut self, file: &str, input: impl BufRead) {
        #[derive(Deserialize)]
        struct Instance {
            r#type: String,
            value: Box<RawValue>,
            #[serde(default)]
            kind: Expectation,
        }

        let mut lines = 0;
        for (number, line) in input.split(b'\n').enumerate() {
            let mut place = Place { file: file.to_owned(), line: number + 1, method: None };
            let line = match line {
                Ok(line) if line.trim_ascii().is_empty() => continue,
                Ok(line) => line,
                Err(error) => {
                    self.fail(&place, FindingKind::Unreadable, "", &format!("can't be read: {error}"));
                    break;
                }
            };
            lines += 1;
            self.counts.messages += 1;
            if line.len() as u64 > LONGEST_LINE {
                self.fail(
                    &place,
                    FindingKind::Unreadable,
                    "",
                    &format!("the line has {} bytes; {LONGEST_LINE} are the most", line.len()),
                );
                continue;
            }
            match serde_json::from_slice::<Instance>(&line) {
                Ok(instance) => {
                    place.method = Some(instance.r#type.clone());
                    let text = instance.value.get();
                    self.instance(&place, &instance.r#type, text, Tolerance::Meaningless, "", instance.kind);
                }
                Err(error) => self.fail(&place, FindingKind::Unreadable, "", &format!("not an instance: {error}")),
            }
        }
        if lines == 0 {
            self.fail(
                &Place { file: file.to_owned(), line: 0, method: None },
                FindingKind::Unreadable,
                "",
                "the file is empty",
            );
        }
        self.close(file);
    }

    fn instance(
        &mut self,
        place: &Place,
        definition: &str,
        text: &str,
        tolerance: Tolerance,
        at: &str,
        expectation: Expectation,
    ) {
        let Some(definition) = find(definition) else {
            return self.fail(place, FindingKind::Undecodable, at, &format!("there is no definition `{definition}`"));
        };
        let from = match definition.name {
            "ClientRequest" | "ClientNotification" => Some(From::Client),
            "ServerRequest" | "ServerNotification" => Some(From::Server),
            _ => None,
        };
        let recoded = match (definition.recode(text), expectation) {
            (Err(_), Expectation::Invalid) => {
                self.counts.exact += 1;
                return;
            }
            (Ok(_), Expectation::Invalid) => {
                return self.fail(place, FindingKind::Accepted, at, "an invalid value was accepted");
            }
            (Ok(recoded), _) => recoded,
            (Err(error), _) => {
                let pointer = format!("{at}{}", error.pointer());
                return self.fail(place, FindingKind::Undecodable, &pointer, &error.to_string());
            }
        };
        let Ok(original) = serde_json::from_str::<Value>(text) else {
            return self.fail(place, FindingKind::Undecodable, at, "not JSON");
        };
        let forgiven = expectation == Expectation::Tolerated;
        if let Some(from) = from {
            let method = original.get("method").and_then(Value::as_str).unwrap_or_default();
            let kind =
                if definition.name.ends_with("Request") { MethodKind::Request } else { MethodKind::Notification };
            let info = info(from, method, kind);
            if info.is_none() && !forgiven {
                self.counts.unknown_methods += 1;
                self.outcome.findings.push(finding(
                    place,
                    FindingKind::UnknownMethod,
                    "/method",
                    "the bindings do not know the method",
                ));
            }
            return self.message_differences(
                place,
                &original,
                &recoded.value,
                info.and_then(|info| info.params),
                tolerance,
            );
        }
        let ty = Type::Named(definition.name);
        match walk(&original, &ty, at) {
            _ if forgiven => {}
            Some(unknown) => self.unknown(place, unknown, recoded.unknown),
            None => self.unknown(place, Vec::new(), recoded.unknown),
        }
        self.settle(place, compare(&original, &recoded.value, &ty, tolerance, at));
    }
}

/// What should become of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expectation {
    #[default]
    Valid,
    Invalid,
    Tolerated,
}

fn tolerance(from: From) -> Tolerance {
    match from {
        From::Client => Tolerance::Meaningless,
        From::Server => Tolerance::Exact,
    }
}

fn finding(place: &Place, kind: FindingKind, pointer: &str, message: &str) -> Finding {
    Finding {
        kind,
        file: place.file.clone(),
        line: place.line,
        method: place.method.clone(),
        pointer: pointer.to_owned(),
        expected: None,
        got: None,
        message: message.to_owned(),
    }
}

/// The bindings' entry for a method.
fn info(from: From, method: &str, kind: MethodKind) -> Option<&'static MethodInfo> {
    let direction = match from {
        From::Client => Direction::ClientToServer,
        From::Server => Direction::ServerToClient,
    };
    MethodInfo::find(direction, method).filter(|info| info.kind == kind)
}

/// Whether an error says that the request itself could not be read. The app-server
/// has no code for it: it is -32600 for nearly everything.
fn is_refusal(message: &str) -> bool {
    message.starts_with("Invalid request")
}
