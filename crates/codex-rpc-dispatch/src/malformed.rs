//! What came in and is no message, or none that was expected.

use std::fmt;

use codex_rpc::{AnyMessage, DecodeError, Message, RequestId};

/// What a malformed line seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MalformedKind {
    /// A request of a known method with params of another shape. It can be answered.
    Request,
    /// A notification of a known method with params of another shape.
    Notification,
    /// An answer that is neither a result nor an error.
    Response,
    /// An answer to a request that was never sent, or was answered before.
    UnexpectedAnswer,
    /// No message at all: no JSON, no UTF-8, no object, no method and no id.
    Garbage,
    /// A line over the limit; it was not kept.
    TooLong,
}

/// Something that came in and could not be taken. It costs no other message.
#[derive(Clone)]
#[non_exhaustive]
pub struct Malformed {
    /// What it seems to be.
    pub kind: MalformedKind,
    /// The method, if there is one.
    pub method: Option<String>,
    /// The id, if there is one.
    pub id: Option<RequestId>,
    /// The raw line; bytes that are no UTF-8 are replaced. Empty for a line over the
    /// limit. It may hold secrets: `Debug` shows its length only.
    pub raw: String,
    /// What is wrong.
    pub reason: String,
    /// Where, as a JSON pointer into the message; empty for the message as a whole.
    pub pointer: String,
}

impl fmt::Debug for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Malformed")
            .field("kind", &self.kind)
            .field("method", &self.method)
            .field("id", &self.id)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .field("reason", &self.reason)
            .field("pointer", &self.pointer)
            .finish()
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            MalformedKind::Request => "a malformed request",
            MalformedKind::Notification => "a malformed notification",
            MalformedKind::Response => "a malformed response",
            MalformedKind::UnexpectedAnswer => "an answer to nothing",
            MalformedKind::Garbage => "a line that is no message",
            MalformedKind::TooLong => "a line that is too long",
        };
        f.write_str(what)?;
        if let Some(method) = &self.method {
            write!(f, " `{method}`")?;
        }
        if let Some(id) = &self.id {
            write!(f, " with id {id}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Malformed {}

impl Malformed {
    /// What a line is that does not decode.
    pub(crate) fn undecodable(line: &[u8], error: &DecodeError) -> Self {
        let raw = String::from_utf8_lossy(line).into_owned();
        // Without a look at the params, there may still be a method and an id.
        let (kind, method, id) = match AnyMessage::from_slice(line) {
            Ok(Message::Request(request)) => (MalformedKind::Request, Some(request.payload.method), Some(request.id)),
            Ok(Message::Notification(message)) => (MalformedKind::Notification, Some(message.payload.method), None),
            Ok(Message::Response(response)) => (MalformedKind::Response, None, Some(response.id)),
            Ok(Message::Error(response)) => (MalformedKind::Response, None, Some(response.id)),
            Err(_) => match id_alone(line) {
                Some(id) => (MalformedKind::Response, None, Some(id)),
                None => (MalformedKind::Garbage, None, None),
            },
        };
        Self { kind, method, id, raw, reason: error.to_string(), pointer: error.pointer().to_owned() }
    }

    pub(crate) fn too_long(length: usize, limit: usize) -> Self {
        Self {
            kind: MalformedKind::TooLong,
            method: None,
            id: None,
            raw: String::new(),
            reason: format!("{length} bytes; {limit} are the most"),
            pointer: String::new(),
        }
    }

    pub(crate) fn unexpected(id: RequestId, raw: String) -> Self {
        Self {
            kind: MalformedKind::UnexpectedAnswer,
            method: None,
            reason: "no request with this id waits for an answer".to_owned(),
            id: Some(id),
            raw,
            pointer: String::new(),
        }
    }
}

/// The id of an object that has an id and no method: an answer, though a broken one.
fn id_alone(line: &[u8]) -> Option<RequestId> {
    let message: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).ok()?;
    if message.contains_key("method") {
        return None;
    }
    serde_json::from_value(message.get("id")?.clone()).ok()
}
