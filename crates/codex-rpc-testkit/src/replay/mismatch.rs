//! What can go wrong while a transcript is played, in words.

use std::error::Error;
use std::fmt;

use serde_json::Value;

/// How many messages an error lists.
const LISTED: usize = 10;

/// The transcript can't be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptError {
    file: String,
    line: usize,
    reason: String,
}

impl TranscriptError {
    /// `line` is 0 if it is about the whole file.
    pub(super) fn new(file: &str, line: usize, reason: String) -> Self {
        Self { file: file.to_owned(), line, reason }
    }

    /// The name of the transcript.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, from 1; none if it is about the whole file.
    pub fn line(&self) -> Option<usize> {
        (self.line > 0).then_some(self.line)
    }
}

impl fmt::Display for TranscriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": the transcript can't be played: {}", self.reason)
    }
}

impl Error for TranscriptError {}

/// What a recorded client message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedKind {
    /// A request.
    Request,
    /// A notification.
    Notification,
    /// The answer to a server request that went well.
    Result,
    /// The answer to a server request that failed.
    Error,
    /// What the app-server passes over: a batch, an id that is null.
    Ignored,
}

/// A client message of the transcript that did not come yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    line: usize,
    kind: ExpectedKind,
    method: Option<String>,
}

impl Expected {
    pub(super) fn new(line: usize, kind: ExpectedKind, method: Option<String>) -> Self {
        Self { line, kind, method }
    }

    /// Its line in the transcript, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What it is.
    pub fn kind(&self) -> ExpectedKind {
        self.kind
    }

    /// The method; for an answer, that of the server's request. None for an answer to
    /// nothing that the server asked, and for what is no message.
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// What it is, without the line.
    pub(super) fn name(&self) -> String {
        let method = self.method.as_deref().map(short);
        match (self.kind, method) {
            (ExpectedKind::Request, method) => format!("the request `{}`", method.unwrap_or_default()),
            (ExpectedKind::Notification, method) => format!("the notification `{}`", method.unwrap_or_default()),
            (ExpectedKind::Result, Some(method)) => format!("a result for the server's request `{method}`"),
            (ExpectedKind::Error, Some(method)) => format!("an error for the server's request `{method}`"),
            (ExpectedKind::Result, None) => "a result for no request of the server".to_owned(),
            (ExpectedKind::Error, None) => "an error for no request of the server".to_owned(),
            (ExpectedKind::Ignored, _) => "a line that is no message".to_owned(),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.name())
    }
}

/// A place where a message is not the recorded one. Values of members whose names
/// look like secrets are not kept, and long ones are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pointer: String,
    expected: Option<String>,
    got: Option<String>,
}

impl Difference {
    pub(super) fn new(pointer: String, expected: Option<&Value>, got: Option<&Value>) -> Self {
        let hidden = pointer.split('/').any(is_secret);
        let show = |value: &Value| if hidden { HIDDEN.to_owned() } else { shown(value) };
        Self { expected: expected.map(show), got: got.map(show), pointer }
    }

    /// A JSON pointer into the message.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What was recorded, as JSON; none if nothing was.
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

    /// What came, as JSON; none if nothing did.
    pub fn got(&self) -> Option<&str> {
        self.got.as_deref()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: expected {}, got {}", self.pointer, show(&self.expected), show(&self.got))
    }
}

const HIDDEN: &str = "(not shown: it may be a secret)";

/// Whether a name says that its value is a secret.
fn is_secret(name: &str) -> bool {
    const SUFFIXES: [&str; 17] = [
        "token",
        "tokens",
        "key",
        "keys",
        "secret",
        "secrets",
        "password",
        "passwd",
        "passphrase",
        "credential",
        "credentials",
        "authorization",
        "cookie",
        "jwt",
        "signature",
        "usercode",
        "pairingcode",
    ];
    let flat: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SUFFIXES.iter().any(|suffix| flat.ends_with(suffix))
}

/// A value as JSON, without secrets, and cut if it is long.
fn shown(value: &Value) -> String {
    fn hide(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if is_secret(name) {
                        *value = HIDDEN.into();
                    } else {
                        hide(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(hide),
            Value::String(text) if text.starts_with("sk-") || text.starts_with("Bearer ") => *value = HIDDEN.into(),
            _ => {}
        }
    }

    let mut value = value.clone();
    hide(&mut value);
    short(&value.to_string())
}

/// The start of a text, without control characters.
pub(super) fn short(text: &str) -> String {
    const LONGEST: usize = 160;
    let mut start: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if start.len() < text.len() && text.chars().nth(LONGEST).is_some() {
        start.push('…');
    }
    start
}

/// What kind of mismatch it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MismatchKind {
    /// A request or a notification that is not expected at this point.
    Unexpected,
    /// An answer that belongs to no server request, or to one that was answered
    /// already or that the recorded client never answered.
    UnexpectedAnswer,
    /// The params of a request or notification are not the recorded ones.
    Params,
    /// An error where a result was recorded, or a result where an error was.
    Outcome,
    /// The contents of an answer are not the recorded ones.
    Answer,
}

/// The client sent what the transcript does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) kind: MismatchKind,
    pub(super) file: String,
    /// The line that the message was compared with.
    pub(super) line: Option<usize>,
    /// Which line of the client it is, from 1.
    pub(super) number: usize,
    pub(super) got: String,
    /// Why it does not fit, as the end of a sentence that starts with what came.
    pub(super) reason: String,
    pub(super) expected: Vec<Expected>,
    pub(super) differences: Vec<Difference>,
    pub(super) hint: Option<String>,
    /// The id of the request that is left without an answer, as it is written.
    pub(super) id: Option<String>,
}

impl Mismatch {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Box::new(inner))
    }

    /// What kind of mismatch it is.
    pub fn kind(&self) -> MismatchKind {
        self.0.kind
    }

    /// The name of the transcript.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// The line of the transcript that the message was compared with, from 1. None if
    /// it was not expected at all: then see [`expected`](Self::expected).
    pub fn line(&self) -> Option<usize> {
        self.0.line
    }

    /// Which line of the client it was, from 1.
    pub fn client_line(&self) -> usize {
        self.0.number
    }

    /// What was expected at this point. Nothing if the transcript is over.
    pub fn expected(&self) -> &[Expected] {
        &self.0.expected
    }

    /// What came, in words: "the request `thread/list`".
    pub fn got(&self) -> &str {
        &self.0.got
    }

    /// The places that are not as recorded.
    pub fn differences(&self) -> &[Difference] {
        &self.0.differences
    }

    /// The JSON-RPC error that answers a request, so that the client is not left
    /// waiting; code -32600. None if it was no request.
    pub fn answer(&self) -> Option<String> {
        let id = self.0.id.as_deref()?;
        let message = Value::String(format!("codex-rpc-replay: {self}"));
        Some(format!(r#"{{"error":{{"code":-32600,"message":{message}}},"id":{id}}}"#))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.write_str(&inner.file)?;
        if let Some(line) = inner.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} (line {} of the client) {}", inner.got, inner.number, inner.reason)?;
        for difference in inner.differences.iter().take(LISTED) {
            write!(f, "\n  {difference}")?;
        }
        more(f, inner.differences.len())?;
        if inner.differences.is_empty() {
            list(f, "expected", &inner.expected)?;
        }
        match &inner.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Error for Mismatch {}

/// The client stopped before it said everything that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub(super) file: String,
    pub(super) missing: Vec<Expected>,
    pub(super) unwritten: usize,
}

impl Unfinished {
    /// The name of the transcript.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The client messages that did not come, in recorded order. Never empty.
    pub fn missing(&self) -> &[Expected] {
        &self.missing
    }

    /// How many messages of the server waited for them and were not written.
    pub fn unwritten(&self) -> usize {
        self.unwritten
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the client stopped early; {} of its messages did not come", self.file, self.missing.len())?;
        if self.unwritten > 0 {
            write!(f, ", so {} of the server were not written", self.unwritten)?;
        }
        list(f, "missing", &self.missing)
    }
}

impl Error for Unfinished {}

fn list(f: &mut fmt::Formatter<'_>, title: &str, messages: &[Expected]) -> fmt::Result {
    for message in messages.iter().take(LISTED) {
        write!(f, "\n  {title}: {message}")?;
    }
    more(f, messages.len())
}

fn more(f: &mut fmt::Formatter<'_>, all: usize) -> fmt::Result {
    match all.saturating_sub(LISTED) {
        0 => Ok(()),
        more => write!(f, "\n  and {more} more"),
    }
}
