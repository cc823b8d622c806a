//! A turn that runs.

use codex_rpc::types::ThreadItem;

use super::{Runtime, Thread};
use crate::{Error, Input, TurnEvent, TurnResult};

/// A turn. Clones, and other handles of the same turn, see the same.
#[derive(Clone, Debug)]
pub struct TurnHandle {
    pub(super) runtime: Runtime,
    pub(super) turn: crate::TurnHandle,
}

impl TurnHandle {
    /// The turn's id.
    pub fn id(&self) -> &str {
        self.turn.id()
    }

    /// The thread that it is a turn of.
    pub fn thread(&self) -> Thread {
        Thread { runtime: self.runtime.clone(), thread: self.turn.thread().clone() }
    }

    /// What is told about the turn, from its beginning; see
    /// [`TurnHandle::stream`](crate::TurnHandle::stream).
    pub fn stream(&self) -> TurnStream {
        TurnStream { runtime: self.runtime.clone(), stream: self.turn.stream() }
    }

    /// Gives the turn more input while it runs.
    ///
    /// # Errors
    /// As [`TurnHandle::steer`](crate::TurnHandle::steer).
    pub fn steer(&self, input: impl Into<Input>) -> Result<(), Error> {
        self.runtime.block_on(self.turn.steer(input))
    }

    /// Asks the server to interrupt the turn.
    ///
    /// # Errors
    /// As [`TurnHandle::interrupt`](crate::TurnHandle::interrupt).
    pub fn interrupt(&self) -> Result<(), Error> {
        self.runtime.block_on(self.turn.interrupt())
    }

    /// Waits for the end of the turn; its result.
    ///
    /// # Errors
    /// As [`TurnHandle::join`](crate::TurnHandle::join).
    pub fn join(&self) -> Result<TurnResult, Error> {
        self.runtime.block_on(self.turn.join())
    }

    /// The result, if the turn has ended.
    pub fn result(&self) -> Option<Result<TurnResult, Error>> {
        self.turn.result()
    }

    /// The items completed so far, in order.
    pub fn items(&self) -> Vec<ThreadItem> {
        self.turn.items()
    }

    /// Whether the turn has ended.
    pub fn has_ended(&self) -> bool {
        self.turn.has_ended()
    }
}

/// What is told about a turn, in order; ends with it.
#[derive(Debug)]
#[must_use = "streams do nothing unless they are read"]
pub struct TurnStream {
    runtime: Runtime,
    stream: crate::TurnStream,
}

impl TurnStream {
    /// The next piece of what the model says; none at the end.
    pub fn next_text(&mut self) -> Option<String> {
        self.runtime.block_on(self.stream.next_text())
    }
}

impl Iterator for TurnStream {
    type Item = TurnEvent;

    fn next(&mut self) -> Option<TurnEvent> {
        self.runtime.block_on(self.stream.next())
    }
}
