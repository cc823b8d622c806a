//! An app-server that replays a transcript: for tests without codex, an account or a
//! network.
//!
//! A [`Replay`] walks through a recorded session. It writes the server's messages as
//! soon as all client messages that were recorded before them have come, and it checks
//! what the client sends: a request and a notification by its method, an answer by the
//! server request that it belongs to. [`Options`] say how strict it is about order and
//! contents.
//!
//! Messages are written as they were recorded, to the byte, but for ids: an answer
//! has the id that the client used, requests of the server count from 0, and
//! `serverRequest/resolved` names the request by its new id. Other ids, of threads and
//! items, are those of the recording.
//!
//! A line that is no message (blank, no JSON object, an id that is null) gets no
//! answer and is no mismatch, as with the real server; [`Replay::ignored`] counts them.
//! If the recorded client sent such a line, one is expected.
//!
//! # In memory
//!
//! The core does no I/O:
//!
//! ```
//! use codex_rpc_testkit::replay::Replay;
//!
//! let transcript = r#"{"transcript":1,"codex":"0.169.0","scenario":"archive"}
//! {"from":"client","message":{"method":"thread/archive","id":7,"params":{"threadId":"t1"}}}
//! {"from":"server","message":{"id":7,"result":{}}}
//! {"from":"server","message":{"method":"thread/archived","params":{"threadId":"t1"}}}
//! "#;
//! let mut replay = Replay::new("archive.jsonl", transcript.as_bytes())?;
//! assert!(replay.start().is_empty());
//!
//! let lines = replay.receive(r#"{"method":"thread/archive","id":"mine","params":{"threadId":"t2"}}"#)?;
//! assert_eq!(lines, [
//!     r#"{"id":"mine","result":{}}"#,
//!     r#"{"method":"thread/archived","params":{"threadId":"t1"}}"#,
//! ]);
//! replay.finish()?;
//!
//! let mismatch = replay.receive(r#"{"method":"thread/list","id":8}"#).unwrap_err();
//! assert_eq!(
//!     mismatch.to_string(),
//!     "archive.jsonl: the request `thread/list` (line 2 of the client) came after all that was recorded",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Over pipes
//!
//! [`serve`] plays over any reader and writer. The program `codex-rpc-replay` does so
//! over stdin and stdout, so that a program can start it instead of
//! `codex app-server`; with the environment variable `CODEX_RPC_REPLAY` it takes
//! any command line that was meant for codex. `codex-rpc-replay --help` says more.
//!
//! # Limits
//!
//! - A server message waits for *all* client messages that were recorded before it,
//!   under [`Order::Any`] too. If the recorded client sent two requests before the
//!   first was answered, a client that sends one at a time waits for ever: give it a
//!   time limit, or a recording of its own kind.
//! - What the client says in params changes nothing in what it gets.
//! - A client that does not read blocks the writer, as it stalls the real server.

mod mismatch;
mod options;
mod script;
mod serve;
mod wire;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io::BufRead;

use codex_rpc::RequestId;
use serde_json::Value;

pub use self::mismatch::{Difference, Expected, ExpectedKind, Mismatch, MismatchKind, TranscriptError, Unfinished};
pub use self::options::{Answers, Options, Order, Params};
pub use self::serve::{ServeError, serve};

use self::mismatch::Inner;
use self::script::{Came, ClientEntry, Entry, IdOf};
use self::wire::{Frame, Id, Kind, Outcome};
use crate::compare::compare_json;

/// A transcript that is being played.
pub struct Replay {
    file: String,
    options: Options,
    entries: Vec<Entry>,
    /// The first entry that is neither written nor matched. After [`Replay::release`]
    /// it is a client message, or all is over.
    position: usize,
    /// The entries of the server requests that were written; the index is the id.
    requests: Vec<usize>,
    /// What is released and was not handed out yet.
    outbox: VecDeque<String>,
    received: usize,
    ignored: usize,
}

/// Shows how far it is: messages may hold secrets.
impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("file", &self.file)
            .field("options", &self.options)
            .field("position", &self.position)
            .field("messages", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl Replay {
    /// Reads a transcript, to be played with the default options. `file` is its name
    /// in errors.
    ///
    /// # Errors
    ///
    /// A line of it can't be read, it holds no message, or an answer of the server
    /// belongs to no request.
    pub fn new(file: &str, input: impl BufRead) -> Result<Self, TranscriptError> {
        Self::with_options(file, input, Options::new())
    }

    /// Reads a transcript, to be played with other options.
    ///
    /// # Errors
    ///
    /// As [`Replay::new`].
    pub fn with_options(file: &str, input: impl BufRead, options: Options) -> Result<Self, TranscriptError> {
        let entries = script::read(file, input, options.process)?;
        Ok(Self {
            file: file.to_owned(),
            options,
            entries,
            position: 0,
            requests: Vec::new(),
            outbox: VecDeque::new(),
            received: 0,
            ignored: 0,
        })
    }

    /// The lines to write before the client said anything, without line ends. Calling
    /// it is no duty: [`receive`](Self::receive) hands out what was not taken.
    pub fn start(&mut self) -> Vec<String> {
        self.release();
        self.outbox.drain(..).collect()
    }

    /// Takes a line of the client and returns the lines to write, without line ends.
    ///
    /// # Errors
    ///
    /// The transcript holds no such message at this point. Nothing is changed by it:
    /// the client may try again.
    pub fn receive(&mut self, line: &str) -> Result<Vec<String>, Mismatch> {
        self.received += 1;
        self.release();
        let Some(frame) = wire::read(line) else {
            self.ignore();
            return Ok(self.start());
        };
        let (index, came) = match &frame.kind {
            Kind::Request { method, id } => {
                (self.find(&frame, ExpectedKind::Request, method, Some(id.text))?, Some(id.text.to_owned()))
            }
            Kind::Notification { method } => (self.find(&frame, ExpectedKind::Notification, method, None)?, None),
            Kind::Answer { id, outcome } => (self.find_answer(id, *outcome, frame.body)?, None),
        };
        self.settle(index, came);
        Ok(self.start())
    }

    /// Whether everything that was recorded has come and was written.
    pub fn is_finished(&self) -> bool {
        self.position == self.entries.len()
    }

    /// How many lines of the client were passed over because they are no messages.
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    /// To be called at the end of what the client says.
    ///
    /// # Errors
    ///
    /// The recorded client said more, and [`Options::partial`] does not allow for it.
    pub fn finish(&mut self) -> Result<(), Unfinished> {
        self.release();
        let missing: Vec<Expected> = self.waiting().map(|(_, entry)| entry.expected.clone()).collect();
        if missing.is_empty() || self.options.partial {
            return Ok(());
        }
        let rest = self.entries.get(self.position..).unwrap_or_default();
        let unwritten = rest.iter().filter(|entry| matches!(entry, Entry::Server(_))).count();
        Err(Unfinished { file: self.file.clone(), missing, unwritten })
    }

    /// Moves the position on and puts what it passes into the outbox.
    fn release(&mut self) {
        while let Some(entry) = self.entries.get(self.position) {
            match entry {
                Entry::Client(entry) if entry.came.is_none() => return,
                Entry::Client(_) => {}
                Entry::Server(_) => self.write(self.position),
            }
            self.position += 1;
        }
    }

    fn write(&mut self, index: usize) {
        let fresh = self.requests.len();
        let Some(Entry::Server(entry)) = self.entries.get_mut(index) else { return };
        if entry.method.is_some() {
            entry.fresh = Some(fresh);
            self.requests.push(index);
        }
        let Some(Entry::Server(entry)) = self.entries.get(index) else { return };
        let text = entry.message.get();
        let id = entry.id.as_ref().and_then(|(place, whose)| {
            let id = match whose {
                IdOf::Itself => fresh.to_string(),
                IdOf::Client(request) => match self.entries.get(*request) {
                    Some(Entry::Client(ClientEntry { came: Some(Came { id: Some(id) }), .. })) => id.clone(),
                    _ => return None,
                },
                IdOf::Server(request) => match self.entries.get(*request) {
                    Some(Entry::Server(request)) => request.fresh?.to_string(),
                    _ => return None,
                },
            };
            Some((place, id))
        });
        let line = match id {
            Some((place, id)) => [&text[..place.start], &id, &text[place.end..]].concat(),
            None => text.to_owned(),
        };
        self.outbox.push_back(line);
    }

    /// The client messages that did not come, in recorded order.
    fn waiting(&self) -> impl Iterator<Item = (usize, &ClientEntry)> {
        self.entries.iter().enumerate().skip(self.position).filter_map(|(index, entry)| match entry {
            Entry::Client(entry) if entry.came.is_none() => Some((index, entry)),
            _ => None,
        })
    }

    /// Those of them that may come now.
    fn candidates(&self) -> impl Iterator<Item = (usize, &ClientEntry)> {
        let server = |entry: &Entry| matches!(entry, Entry::Server(_));
        let end = match self.options.order {
            Order::Recorded => self.entries.iter().skip(self.position).position(server),
            Order::Any => None,
        };
        let end = end.map_or(self.entries.len(), |run| self.position + run);
        self.waiting().take_while(move |(index, _)| *index < end)
    }

    fn settle(&mut self, index: usize, id: Option<String>) {
        if let Some(Entry::Client(entry)) = self.entries.get_mut(index) {
            entry.came = Some(Came { id });
        }
        self.release();
    }

    /// A line that is no message.
    fn ignore(&mut self) {
        self.ignored += 1;
        let index =
            self.candidates().find(|(_, entry)| entry.expected.kind() == ExpectedKind::Ignored).map(|(index, _)| index);
        if let Some(index) = index {
            self.settle(index, None);
        }
    }

    /// The entry that a request or notification belongs to.
    fn find(&self, frame: &Frame<'_>, kind: ExpectedKind, method: &str, id: Option<&str>) -> Result<usize, Mismatch> {
        let fits = |entry: &ClientEntry| entry.expected.kind() == kind && entry.expected.method() == Some(method);
        let mut nearest: Option<(&ClientEntry, Vec<Difference>)> = None;
        for (index, entry) in self.candidates().filter(|(_, entry)| fits(entry)) {
            let differences = match self.options.params {
                Params::Ignore => Vec::new(),
                Params::Same => self.differences(entry, frame.body, "/params"),
            };
            if differences.is_empty() {
                return Ok(index);
            }
            if nearest.as_ref().is_none_or(|(_, fewest)| differences.len() < fewest.len()) {
                nearest = Some((entry, differences));
            }
        }
        let got = Expected::new(0, kind, Some(method.to_owned())).name();
        let id = id.map(str::to_owned);
        if let Some((entry, differences)) = nearest {
            return Err(Mismatch::new(Inner {
                line: Some(entry.expected.line()),
                reason: "does not have the recorded params".to_owned(),
                expected: vec![entry.expected.clone()],
                differences,
                hint: Some("places that may differ are named with `--except` or `Options::except`".to_owned()),
                id,
                ..self.mismatch(MismatchKind::Params, got)
            }));
        }
        let later = self.waiting().find(|(_, entry)| fits(entry)).map(|(_, entry)| entry.expected.line());
        let hint = later.map(|line| {
            format!("line {line} of the transcript has it; `--order any` or `Order::Any` lets it come early")
        });
        let (reason, expected) = self.unexpected();
        Err(Mismatch::new(Inner { reason, expected, hint, id, ..self.mismatch(MismatchKind::Unexpected, got) }))
    }

    /// The entry that an answer to a server request belongs to.
    fn find_answer(&self, id: &Id<'_>, outcome: Outcome, body: Option<&str>) -> Result<usize, Mismatch> {
        let (kind, what, pointer) = match outcome {
            Outcome::Result => (ExpectedKind::Result, "a result", "/result"),
            Outcome::Error => (ExpectedKind::Error, "an error", "/error"),
        };
        let written = match &id.value {
            RequestId::Integer(id) => usize::try_from(*id).ok().and_then(|id| self.requests.get(id)),
            RequestId::String(_) => None,
        };
        let Some(Entry::Server(request)) = written.and_then(|index| self.entries.get(*index)) else {
            let nothing = |entry: &ClientEntry| entry.expected.kind() == kind && entry.expected.method().is_none();
            if let Some((index, _)) = self.candidates().find(|(_, entry)| nothing(entry)) {
                return Ok(index);
            }
            let id = mismatch::short(id.text);
            let got = format!("{what} with the id {id}");
            return Err(self.no_answer(got, format!("answers nothing: the server asked nothing with the id {id}")));
        };
        let got = Expected::new(0, kind, request.method.clone()).name();
        let asked = request.line;
        let Some((index, Entry::Client(entry))) =
            request.answer.and_then(|index| Some((index, self.entries.get(index)?)))
        else {
            return Err(self.no_answer(got, format!("was not recorded: that client never answered line {asked}")));
        };
        if entry.came.is_some() {
            return Err(self.no_answer(got, format!("answers line {asked} of the transcript a second time")));
        }
        let wrong = |kind, reason: &str, differences: Vec<Difference>| {
            let hint = "places that may differ are named with `--except` or `Options::except`";
            Mismatch::new(Inner {
                line: Some(entry.expected.line()),
                reason: reason.to_owned(),
                expected: vec![entry.expected.clone()],
                hint: (!differences.is_empty()).then(|| hint.to_owned()),
                differences,
                ..self.mismatch(kind, got.clone())
            })
        };
        if entry.expected.kind() != kind {
            return Err(wrong(MismatchKind::Outcome, "is not what was recorded", Vec::new()));
        }
        let differences = match self.options.answers {
            Answers::Ignore => Vec::new(),
            Answers::Same => self.differences(entry, body, pointer),
        };
        if differences.is_empty() {
            return Ok(index);
        }
        Err(wrong(MismatchKind::Answer, "does not have the recorded contents", differences))
    }

    /// An answer that has no entry.
    fn no_answer(&self, got: String, reason: String) -> Mismatch {
        let (_, expected) = self.unexpected();
        Mismatch::new(Inner { reason, expected, ..self.mismatch(MismatchKind::UnexpectedAnswer, got) })
    }

    /// Why a message is not expected, and what is.
    fn unexpected(&self) -> (String, Vec<Expected>) {
        let answer = |index: &usize| match self.entries.get(*index) {
            Some(Entry::Server(request)) => request.answer,
            _ => None,
        };
        let answers: BTreeSet<usize> = self.requests.iter().filter_map(answer).collect();
        let candidates: BTreeSet<usize> = self.candidates().map(|(index, _)| index).collect();
        let may_come = |index: &usize| candidates.contains(index) || answers.contains(index);
        let expected: Vec<Expected> =
            self.waiting().filter(|(index, _)| may_come(index)).map(|(_, entry)| entry.expected.clone()).collect();
        let reason = if expected.is_empty() { "came after all that was recorded" } else { "is not expected here" };
        (reason.to_owned(), expected)
    }

    fn mismatch(&self, kind: MismatchKind, got: String) -> Inner {
        Inner {
            kind,
            file: self.file.clone(),
            line: None,
            number: self.received,
            got,
            reason: String::new(),
            expected: Vec::new(),
            differences: Vec::new(),
            hint: None,
            id: None,
        }
    }

    /// Where params, a result or an error are not the recorded ones.
    fn differences(&self, entry: &ClientEntry, got: Option<&str>, pointer: &str) -> Vec<Difference> {
        let recorded = wire::read(entry.message.get()).and_then(|frame| frame.body);
        let value = |text: Option<&str>| match text {
            Some(text) => serde_json::from_str(text),
            None => Ok(Value::Null),
        };
        let found = match (value(recorded), value(got)) {
            // Absent and null are the same for the whole.
            (Ok(Value::Null), Ok(Value::Null)) => Vec::new(),
            (Ok(Value::Null), Ok(got)) => vec![Difference::new(pointer.to_owned(), None, Some(&got))],
            (Ok(recorded), Ok(Value::Null)) => vec![Difference::new(pointer.to_owned(), Some(&recorded), None)],
            (Ok(recorded), Ok(got)) => compare_json(&recorded, &got, pointer)
                .into_iter()
                .map(|found| Difference::new(found.pointer, found.expected.as_ref(), found.got.as_ref()))
                .collect(),
            // JSON that a reader of values refuses, because it is too deep.
            _ if recorded == got => Vec::new(),
            _ => {
                let deep = Value::from("(nested too deeply to be compared)");
                vec![Difference::new(pointer.to_owned(), Some(&deep), Some(&deep))]
            }
        };
        found.into_iter().filter(|found| !self.options.excepts(found.pointer())).collect()
    }
}
