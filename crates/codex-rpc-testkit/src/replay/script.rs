//! A transcript, ready to be played.

use std::collections::HashMap;
use std::io::BufRead;
use std::ops::Range;

use codex_rpc::RequestId;
use serde_json::value::RawValue;

use super::mismatch::{Expected, ExpectedKind, TranscriptError};
use super::wire::{self, Kind, Outcome};
use crate::transcript::{From, Line, Reader};

/// The notification that names a server request outside of an `id`.
const RESOLVED: &str = "serverRequest/resolved";

/// A recorded message.
pub(super) enum Entry {
    Client(ClientEntry),
    Server(ServerEntry),
}

pub(super) struct ClientEntry {
    pub(super) expected: Expected,
    pub(super) message: Box<RawValue>,
    /// What came instead; none as long as nothing did.
    pub(super) came: Option<Came>,
}

/// A client message that was matched.
pub(super) struct Came {
    /// The id of a request, as it is written.
    pub(super) id: Option<String>,
}

pub(super) struct ServerEntry {
    pub(super) message: Box<RawValue>,
    pub(super) line: usize,
    /// The part that is not written as it was recorded.
    pub(super) id: Option<(Range<usize>, IdOf)>,
    /// The method of a request.
    pub(super) method: Option<String>,
    /// The id under which a request was written.
    pub(super) fresh: Option<usize>,
    /// The entry with the client's answer to a request.
    pub(super) answer: Option<usize>,
}

/// Whose id stands in a server message: entries of requests.
#[derive(Clone, Copy)]
pub(super) enum IdOf {
    /// Its own.
    Itself,
    Client(usize),
    Server(usize),
}

/// Requests that wait for an answer, by process and recorded id. Of several with the
/// same id the last is answered first: an earlier one was left by a process that is
/// gone.
type Pending = HashMap<(u32, RequestId), Vec<usize>>;

#[derive(Default)]
struct Builder {
    entries: Vec<Entry>,
    of_client: Pending,
    of_server: Pending,
    last_of_server: HashMap<(u32, RequestId), usize>,
}

/// Reads a transcript.
pub(super) fn read(file: &str, input: impl BufRead, process: Option<u32>) -> Result<Vec<Entry>, TranscriptError> {
    let mut builder = Builder::default();
    for (line, content) in Reader::new(input) {
        let fail = |reason: String| TranscriptError::new(file, line, reason);
        match content {
            Line::Header(header) if header.transcript != 1 => {
                let version = header.transcript;
                return Err(fail(format!("version {version} of the format; version 1 can be played")));
            }
            Line::Header(_) => {}
            Line::Unreadable(why) => return Err(fail(why)),
            Line::Message { process: other, .. } if process.is_some_and(|process| process != other) => {}
            Line::Message { from: From::Client, process, message } => builder.client(line, process, message),
            Line::Message { from: From::Server, process, message } => {
                builder.server(line, process, message).map_err(fail)?;
            }
        }
    }
    if builder.entries.is_empty() {
        let which = process.map_or(String::new(), |process| format!(" of process {process}"));
        return Err(TranscriptError::new(file, 0, format!("it holds no message{which}")));
    }
    Ok(builder.entries)
}

impl Builder {
    fn client(&mut self, line: usize, process: u32, message: Box<RawValue>) {
        let index = self.entries.len();
        let (kind, method) = match wire::read(message.get()).map(|frame| frame.kind) {
            Some(Kind::Request { method, id }) => {
                self.of_client.entry((process, id.value)).or_default().push(index);
                (ExpectedKind::Request, Some(method))
            }
            Some(Kind::Notification { method }) => (ExpectedKind::Notification, Some(method)),
            Some(Kind::Answer { id, outcome }) => {
                let kind = match outcome {
                    Outcome::Result => ExpectedKind::Result,
                    Outcome::Error => ExpectedKind::Error,
                };
                let request = self.of_server.get_mut(&(process, id.value)).and_then(Vec::pop);
                let method = request.and_then(|request| match self.entries.get_mut(request) {
                    Some(Entry::Server(entry)) => {
                        entry.answer = Some(index);
                        entry.method.clone()
                    }
                    _ => None,
                });
                (kind, method)
            }
            None => (ExpectedKind::Ignored, None),
        };
        self.entries.push(Entry::Client(ClientEntry {
            expected: Expected::new(line, kind, method),
            message,
            came: None,
        }));
    }

    fn server(&mut self, line: usize, process: u32, message: Box<RawValue>) -> Result<(), String> {
        let index = self.entries.len();
        let text = message.get();
        let mut request = None;
        let frame = wire::read(text);
        let id = match frame.as_ref().map(|frame| (&frame.kind, frame.body)) {
            Some((Kind::Request { method, id }, _)) => {
                let key = (process, id.value.clone());
                self.of_server.entry(key.clone()).or_default().push(index);
                self.last_of_server.insert(key, index);
                request = Some(method.clone());
                Some((wire::span(text, id.text), IdOf::Itself))
            }
            Some((Kind::Answer { id, .. }, _)) => {
                let request = self.of_client.get_mut(&(process, id.value.clone())).and_then(Vec::pop);
                let request = request.ok_or_else(|| {
                    let id = id.text;
                    format!("the server's answer with the id {id} belongs to no request of the client before it")
                })?;
                Some((wire::span(text, id.text), IdOf::Client(request)))
            }
            Some((Kind::Notification { method }, Some(params))) if method == RESOLVED => {
                wire::member(params, "requestId").and_then(|id| {
                    let key = (process, serde_json::from_str(id).ok()?);
                    Some((wire::span(text, id), IdOf::Server(*self.last_of_server.get(&key)?)))
                })
            }
            Some((Kind::Notification { .. }, _)) | None => None,
        };
        self.entries.push(Entry::Server(ServerEntry { message, line, id, method: request, fresh: None, answer: None }));
        Ok(())
    }
}
