//! What a run came to.

use std::fmt;
use std::process::ExitStatus;

use super::event::{ExecEvent, ExecUsage};
use super::item::{ExecError, ExecItem};
use super::stream::{ExecStream, Message};
use crate::Error;

/// A run whose turn is done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExecResult {
    /// The thread's id, for [`Exec::resume`](super::Exec::resume). An ephemeral thread
    /// can't be resumed.
    pub thread_id: String,
    /// What was done, in the order in which it was completed. The plan comes last.
    pub items: Vec<ExecItem>,
    /// What the model said in the end: the last message.
    pub final_response: Option<String>,
    /// The tokens of the whole thread, the turns before included.
    pub usage: ExecUsage,
    /// What went wrong and was tried again.
    pub errors: Vec<String>,
    /// Lines that were no events.
    pub malformed: Vec<MalformedLine>,
}

impl ExecResult {
    /// The final response, or nothing said.
    pub fn text(&self) -> &str {
        self.final_response.as_deref().unwrap_or_default()
    }
}

/// A run that failed after it had begun, with all that it did until then.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecFailed {
    /// Why the turn failed. None if codex ended without saying so.
    pub error: Option<ExecError>,
    /// The thread's id, if it got one. It can be resumed.
    pub thread_id: Option<String>,
    /// What was done, in the order in which it was completed.
    pub items: Vec<ExecItem>,
    /// What went wrong on the way, the last failure included.
    pub errors: Vec<String>,
    /// Lines that were no events.
    pub malformed: Vec<MalformedLine>,
    /// How the process ended.
    pub status: ExitStatus,
    /// The end of what it wrote to stderr, 8 KiB at most.
    pub stderr: String,
}

impl fmt::Display for ExecFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.error, self.errors.last()) {
            (Some(error), _) => write!(f, "the turn failed: {}", error.message)?,
            (None, Some(error)) => write!(f, "`codex exec` ended before its turn, after the error: {error}")?,
            (None, None) => f.write_str("`codex exec` ended before its turn")?,
        }
        write!(f, " ({})", self.status)?;
        if let Some(line) = self.malformed.first() {
            write!(f, "; {line}")?;
        }
        if !self.stderr.is_empty() {
            write!(f, "; it wrote to stderr: {}", self.stderr)?;
        }
        Ok(())
    }
}

impl std::error::Error for ExecFailed {}

/// A line of `codex exec --json` that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MalformedLine {
    /// Its number, from 1.
    pub line: u64,
    /// Why it can't be read.
    pub reason: String,
    /// The line, or how it begins if it is too long.
    pub text: String,
}

impl fmt::Display for MalformedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of `codex exec --json` is no event: {}", self.line, self.reason)
    }
}

impl From<MalformedLine> for Error {
    fn from(MalformedLine { line, reason, text }: MalformedLine) -> Self {
        Self::invalid(format!("line {line} of `codex exec --json` is no event"), reason, text)
    }
}

/// A run that is being collected.
#[derive(Default)]
struct Collected {
    thread_id: Option<String>,
    items: Vec<ExecItem>,
    usage: Option<ExecUsage>,
    errors: Vec<String>,
    failure: Option<ExecError>,
    malformed: Vec<MalformedLine>,
    events: usize,
}

impl Collected {
    fn take(&mut self, event: ExecEvent) {
        self.events += 1;
        match event {
            ExecEvent::ThreadStarted(started) => self.thread_id = Some(started.thread_id),
            ExecEvent::ItemCompleted(completed) => self.items.push(completed.item),
            ExecEvent::TurnCompleted(completed) => self.usage = Some(completed.usage),
            ExecEvent::TurnFailed(failed) => self.failure = Some(failed.error),
            ExecEvent::Error(error) => self.errors.push(error.message),
            _ => {}
        }
    }
}

/// Reads a run to its end.
pub(super) async fn collect(mut stream: ExecStream) -> Result<ExecResult, Error> {
    let mut collected = Collected::default();
    let end = loop {
        match stream.message().await {
            Some(Message::Event(event)) => collected.take(*event),
            Some(Message::Malformed(line)) => collected.malformed.push(line),
            Some(Message::Failed(error)) => return Err(error),
            Some(Message::Ended(end)) => break end,
            None => return Err(Error::closed("the runtime was shut down")),
        }
    };
    let Collected { thread_id, items, usage, errors, failure, malformed, events } = collected;
    match (thread_id, usage, failure) {
        (Some(thread_id), Some(usage), None) if end.status.success() => {
            let final_response = items.iter().rev().find_map(|item| match item {
                ExecItem::AgentMessage(message) => Some(message.text.clone()),
                _ => None,
            });
            Ok(ExecResult { thread_id, items, final_response, usage, errors, malformed })
        }
        _ if events == 0 && malformed.is_empty() => Err(end.into_error()),
        (thread_id, _, error) => Err(Error::ExecFailed(Box::new(ExecFailed {
            error,
            thread_id,
            items,
            errors,
            malformed,
            status: end.status,
            stderr: end.stderr,
        }))),
    }
}
