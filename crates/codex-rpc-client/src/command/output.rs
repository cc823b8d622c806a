//! Output of a command that waits to be read.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use codex_rpc::types::CommandExecOutputStream;
use tokio::sync::Notify;

/// Where a command wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommandStream {
    /// Its stdout, or its terminal.
    Stdout,
    /// Its stderr.
    Stderr,
}

impl CommandStream {
    /// None for a stream that this release does not know.
    pub(super) fn new(stream: &CommandExecOutputStream) -> Option<Self> {
        match stream {
            CommandExecOutputStream::Stdout => Some(Self::Stdout),
            CommandExecOutputStream::Stderr => Some(Self::Stderr),
            CommandExecOutputStream::Unrecognized(_) => None,
        }
    }
}

/// A piece of what a command wrote. It ends anywhere, within a line or a character too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunk {
    /// Where the command wrote it.
    pub stream: CommandStream,
    /// What it wrote.
    pub bytes: Vec<u8>,
    /// Whether the server leaves out what this stream has beyond it, see
    /// [`CommandBuilder::output_limit`](crate::CommandBuilder::output_limit).
    pub cap_reached: bool,
    /// How many bytes were dropped right before it, of both streams, since nobody read
    /// them in time; see [`CommandBuilder::unread_limit`](crate::CommandBuilder::unread_limit).
    pub missed: u64,
}

/// Chunks that wait, up to so many bytes.
pub(super) struct Output {
    state: Mutex<State>,
    changed: Notify,
    limit: usize,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    missed: u64,
    ended: bool,
}

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a chunk in. The last one stays, even if it alone is above the limit.
    pub(super) fn push(&self, chunk: Chunk) {
        let mut state = self.lock();
        state.bytes += chunk.bytes.len();
        state.chunks.push_back(chunk);
        while state.bytes > self.limit && state.chunks.len() > 1 {
            if let Some(dropped) = state.chunks.pop_front() {
                state.bytes -= dropped.bytes.len();
                state.missed += dropped.bytes.len() as u64;
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// There will be no more.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_waiters();
    }

    /// A chunk that is there already.
    pub(super) fn try_next(&self) -> Option<Chunk> {
        let mut state = self.lock();
        let mut chunk = state.chunks.pop_front()?;
        state.bytes -= chunk.bytes.len();
        chunk.missed = std::mem::take(&mut state.missed);
        Some(chunk)
    }

    /// The next chunk; none at the end.
    pub(super) async fn next(&self) -> Option<Chunk> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // What comes from here on wakes it.
            changed.as_mut().enable();
            if let Some(chunk) = self.try_next() {
                return Some(chunk);
            }
            if self.lock().ended {
                return self.try_next();
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunk, CommandStream, Output};

    fn chunk(text: &str) -> Chunk {
        Chunk { stream: CommandStream::Stdout, bytes: text.into(), cap_reached: false, missed: 0 }
    }

    #[test]
    fn output_that_nobody_reads_is_dropped_oldest_first_and_counted() {
        let output = Output::new(10);
        for text in ["aaaa", "bbbb", "cccc", "dddd"] {
            output.push(chunk(text));
        }
        assert_eq!(output.try_next(), Some(Chunk { missed: 8, ..chunk("cccc") }));
        assert_eq!(output.try_next(), Some(chunk("dddd")));
        assert_eq!(output.try_next(), None);
        output.push(chunk("more than the limit"));
        assert_eq!(output.try_next(), Some(chunk("more than the limit")));
    }

    #[tokio::test]
    async fn every_reader_learns_of_the_end_and_what_came_before_is_read_first() {
        let output = Output::new(10);
        let read = async {
            let (first, second) = tokio::join!(output.next(), output.next());
            [first, second]
        };
        let write = async {
            tokio::task::yield_now().await;
            output.push(chunk("a"));
            output.end();
        };
        let (read, ()) = tokio::join!(read, write);
        assert_eq!(read.iter().flatten().collect::<Vec<_>>(), [&chunk("a")]);
        assert_eq!(output.next().await, None);
    }
}
