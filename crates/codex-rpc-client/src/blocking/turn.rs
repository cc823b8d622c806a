//! A turn that runs.

use codex_rpc::types::ThreadItem;

use super::{Runtime, Thread};
use crate::{Error, Input, TurnEvent, TurnResult};

wrapper! {
    /// A turn. Clones, and other handles of the same turn, see the same.
    #[derive(Clone)]
    TurnHandle(crate::TurnHandle)
}

impl TurnHandle {
    /// The turn's id.
    pub fn id(&self) -> &str {
        self.inner.id()
    }

    /// The thread that it is a turn of.
    pub fn thread(&self) -> Thread {
        Thread::new(&self.runtime, self.inner.thread().clone())
    }

    /// What is told about the turn, from its beginning; see
    /// [`TurnHandle::stream`](crate::TurnHandle::stream).
    pub fn stream(&self) -> TurnStream {
        TurnStream::new(&self.runtime, self.inner.stream())
    }

    same! { TurnHandle:
        /// Gives the turn more input while it runs.
        steer(input: impl Into<Input>) -> ();
        /// Asks the server to interrupt the turn; also while other threads wait for its end.
        interrupt() -> ();
        /// Waits for the end of the turn; its result.
        join() -> TurnResult;
    }

    /// The result, if the turn has ended.
    pub fn result(&self) -> Option<Result<TurnResult, Error>> {
        self.inner.result()
    }

    /// The items completed so far, in order.
    pub fn items(&self) -> Vec<ThreadItem> {
        self.inner.items()
    }

    /// Whether the turn has ended.
    pub fn has_ended(&self) -> bool {
        self.inner.has_ended()
    }
}

wrapper! {
    /// What is told about a turn, in order; ends with it.
    #[must_use = "streams do nothing unless they are read"]
    TurnStream(crate::TurnStream)
}

impl TurnStream {
    /// The next piece of what the model says; none at the end.
    #[track_caller]
    pub fn next_text(&mut self) -> Option<String> {
        self.runtime.block_on(self.inner.next_text())
    }
}

impl Iterator for TurnStream {
    type Item = TurnEvent;

    #[track_caller]
    fn next(&mut self) -> Option<TurnEvent> {
        self.runtime.block_on(self.inner.next())
    }
}
