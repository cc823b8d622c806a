//! The events of a run while it runs.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitStatus;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tempfile::TempPath;
use tokio::process::{ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::event::ExecEvent;
use super::lines::{Line, Lines};
use super::process::{Leader, Pipes, Process, Tail};
use super::result::MalformedLine;
use crate::{Error, ProcessError};

/// How many events wait for a reader before codex has to.
const WAITING: usize = 64;
/// How long a process may run on after it closed its stdout.
const GRACE: Duration = Duration::from_secs(10);
/// How long the pipe of a process that has ended may be silent before nothing more is
/// expected: someone else can hold it.
const SILENCE: Duration = Duration::from_millis(250);

/// The events of a run. [`next`](Self::next) gives them; it is a [`Stream`], too.
///
/// A line that can't be read is an error among the events and does not end the stream. A
/// process that fails, or takes longer than its time limit, is the last error. Dropping
/// the stream kills the process and all that it started.
///
/// ```no_run
/// # async fn run() -> Result<(), codex_rpc_client::Error> {
/// use codex_rpc_client::exec::{Exec, ExecEvent};
///
/// let mut stream = Exec::new().prompt("What is in this folder?").stream().await?;
/// while let Some(event) = stream.next().await {
///     if let ExecEvent::ItemCompleted(completed) = event? {
///         println!("{:?}", completed.item);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct ExecStream {
    messages: mpsc::Receiver<Message>,
    leader: Leader,
    task: JoinHandle<()>,
    end: Option<End>,
    /// The output schema, for as long as it may be read.
    _schema: Option<TempPath>,
}

/// What comes from the process.
pub(super) enum Message {
    Event(Box<ExecEvent>),
    Malformed(MalformedLine),
    Ended(End),
    Failed(Error),
}

/// How a process ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) program: PathBuf,
    pub(super) status: ExitStatus,
    pub(super) stderr: String,
}

impl End {
    pub(super) fn into_error(self) -> Error {
        let Self { program, status, stderr } = self;
        Error::Process(Box::new(ProcessError { program, status: Some(status), stderr, error: None }))
    }
}

/// A process that is to be started.
pub(super) struct Start {
    pub(super) program: PathBuf,
    pub(super) command: Command,
    pub(super) prompt: String,
    pub(super) schema: Option<TempPath>,
    pub(super) limit: Option<Duration>,
    pub(super) line: usize,
}

impl ExecStream {
    pub(super) fn start(start: Start) -> Result<Self, Error> {
        let Start { program, mut command, prompt, schema, limit, line } = start;
        let (process, Pipes { mut stdin, stdout, stderr }) = Process::start(&mut command).map_err(|error| {
            let program = program.clone();
            Error::Process(Box::new(ProcessError { program, status: None, stderr: String::new(), error: Some(error) }))
        })?;
        let leader = process.leader();
        let tail = Tail::default();
        // They end with the task.
        let mut helpers = JoinSet::new();
        helpers.spawn(tail.clone().drain(stderr));
        helpers.spawn(async move {
            // A process that does not read its prompt says why when it ends.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, prompt.as_bytes()).await;
        });
        let (sender, messages) = mpsc::channel(WAITING);
        let mut run = Run { program, process, lines: Lines::new(stdout, line), number: 0, tail, sender };
        let task = tokio::spawn(async move {
            let outcome = match limit {
                None => Ok(run.play(&mut helpers).await),
                Some(limit) => timeout(limit, run.play(&mut helpers)).await.map_err(|_| limit),
            };
            run.process.end().await;
            let last = match outcome {
                Ok(Some(last)) => last,
                Ok(None) => return,
                Err(limit) => {
                    Message::Failed(Error::TimedOut { what: "the run of `codex exec`".to_owned(), limit: Some(limit) })
                }
            };
            let _ = run.sender.send(last).await;
        });
        Ok(Self { messages, leader, task, end: None, _schema: schema })
    }

    /// The next event; none after the last.
    ///
    /// # Errors
    /// - [`Error::Invalid`] for a line that is no event, with its text. The stream goes on.
    /// - [`Error::Process`] at the end if codex ends with another exit status than 0.
    ///   That is so after a [`TurnFailed`](ExecEvent::TurnFailed), too.
    /// - [`Error::TimedOut`] at the end if the time limit is over.
    pub async fn next(&mut self) -> Option<Result<ExecEvent, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// How the process ended: its exit status and the end of its stderr, 8 KiB at most.
    /// None before the stream is at its end, and if the process was killed.
    pub fn ended(&self) -> Option<(ExitStatus, &str)> {
        self.end.as_ref().map(|end| (end.status, end.stderr.as_str()))
    }

    pub(super) async fn message(&mut self) -> Option<Message> {
        self.messages.recv().await
    }
}

impl Stream for ExecStream {
    type Item = Result<ExecEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.messages.poll_recv(context).map(|message| match message? {
            Message::Event(event) => Some(Ok(*event)),
            Message::Malformed(line) => Some(Err(line.into())),
            Message::Failed(error) => Some(Err(error)),
            Message::Ended(end) => {
                self.end = Some(end.clone());
                (!end.status.success()).then(|| Err(end.into_error()))
            }
        })
    }
}

impl Drop for ExecStream {
    fn drop(&mut self) {
        // At once: nobody may run the task any more.
        self.leader.kill();
        self.task.abort();
    }
}

impl fmt::Debug for ExecStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecStream").field("ended", &self.end).finish_non_exhaustive()
    }
}

struct Run {
    program: PathBuf,
    process: Process,
    lines: Lines<ChildStdout>,
    number: u64,
    tail: Tail,
    sender: mpsc::Sender<Message>,
}

impl Run {
    /// Until the process has ended and all that it said is sent; the last message. None
    /// if nobody listens.
    async fn play(&mut self, helpers: &mut JoinSet<()>) -> Option<Message> {
        let mut status = None;
        loop {
            let line = if status.is_some() {
                // What it wrote is in the pipe already.
                timeout(SILENCE, self.lines.next()).await.unwrap_or(None)
            } else {
                tokio::select! {
                    line = self.lines.next() => line,
                    ended = self.process.wait() => {
                        status = Some(ended);
                        continue;
                    }
                }
            };
            let Some(line) = line else { break };
            if let Some(message) = self.read(line) {
                self.sender.send(message).await.ok()?;
            }
        }
        let status = match status {
            Some(status) => status,
            None => {
                if let Ok(status) = timeout(GRACE, self.process.wait()).await {
                    status
                } else {
                    self.process.end().await;
                    self.process.wait().await
                }
            }
        };
        // What it wrote last may still be in the pipe.
        let _ = timeout(SILENCE, async { while helpers.join_next().await.is_some() {} }).await;
        let (program, stderr) = (self.program.clone(), self.tail.text());
        Some(match status {
            Ok(status) => Message::Ended(End { program, status, stderr }),
            Err(error) => Message::Failed(Error::Process(Box::new(ProcessError {
                program,
                status: None,
                stderr,
                error: Some(error),
            }))),
        })
    }

    fn read(&mut self, line: Line) -> Option<Message> {
        self.number += 1;
        let malformed = |reason: String, text: &[u8]| {
            let text = String::from_utf8_lossy(text).into_owned();
            Message::Malformed(MalformedLine { line: self.number, reason, text })
        };
        let text = match line {
            Line::Whole(text) => text,
            Line::TooLong(text, length) => return Some(malformed(format!("it has {length} bytes, too many"), &text)),
        };
        if text.trim_ascii().is_empty() {
            return None;
        }
        Some(match serde_json::from_slice(&text) {
            Ok(event) => Message::Event(Box::new(event)),
            Err(error) => malformed(error.to_string(), &text),
        })
    }
}
