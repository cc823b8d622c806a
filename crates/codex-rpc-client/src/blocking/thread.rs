//! A thread: turns with a common history.

use codex_rpc::types::{ReviewTarget, Thread as ThreadData, ThreadGoal, Turn as TurnData, TurnStartParams};

use super::{Codex, Pages, Runtime, Subscription, TurnHandle};
use crate::{Error, Input, Tools, TurnResult};

wrapper! {
    /// A thread of a session; see [`Thread`](crate::Thread).
    #[derive(Clone)]
    Thread(crate::Thread)
}

impl Thread {
    /// The thread's id.
    pub fn id(&self) -> &str {
        self.inner.id()
    }

    /// The session.
    pub fn codex(&self) -> Codex {
        Codex::new(&self.runtime, self.inner.codex().clone())
    }

    same! { Thread:
        /// Starts a turn and waits for its end.
        run(input: impl Into<Input>) -> TurnResult;
        /// Starts a turn with certain params and waits for its end.
        run_with(input: impl Into<Input>, with: impl FnOnce(TurnStartParams) -> TurnStartParams) -> TurnResult;
        /// What the server knows about the thread.
        read() -> ThreadData;
        /// What the server knows about the thread, with its turns and their items.
        read_with_turns() -> ThreadData;
        /// Names the thread.
        set_name(name: impl Into<String>) -> ();
        /// Has the history made shorter.
        compact() -> ();
        /// Takes back a turn and what came after it.
        revert(before_turn: impl Into<String>) -> ();
        /// Archives the thread: lists leave it out.
        archive() -> ();
        /// Deletes the thread with its history.
        delete() -> ();
        /// Has the server tell this session nothing more about the thread.
        unsubscribe() -> ();
        /// Sets the thread's goal: the server starts turns by itself until it is reached.
        set_goal(objective: impl Into<String>) -> ThreadGoal;
        /// The thread's goal, if it has one.
        goal() -> Option<ThreadGoal>;
        /// Clears the thread's goal; whether there was one.
        clear_goal() -> bool;
    }

    /// Starts a turn whose final response is JSON of a type, waits for its end, and
    /// decodes the response.
    ///
    /// # Errors
    /// As [`Thread::run_typed`](crate::Thread::run_typed).
    #[cfg(feature = "schemars")]
    #[track_caller]
    pub fn run_typed<T>(&self, input: impl Into<Input>) -> Result<(T, TurnResult), Error>
    where
        T: schemars::JsonSchema + serde::de::DeserializeOwned,
    {
        self.runtime.block_on(self.inner.run_typed(input))
    }

    handles! { Thread:
        /// Starts a turn.
        turn(input: impl Into<Input>) -> TurnHandle;
        /// Starts a turn with certain params.
        turn_with(input: impl Into<Input>, with: impl FnOnce(TurnStartParams) -> TurnStartParams) -> TurnHandle;
        /// Has the changes of a working folder reviewed.
        review(target: impl Into<ReviewTarget>) -> TurnHandle;
        /// A new thread with the history of this one.
        fork() -> Thread;
        /// All notifications about the thread from now on, until the process ends.
        subscribe() -> Subscription;
    }

    /// A handle of a turn that this session has not started, from now on.
    #[track_caller]
    pub fn follow(&self, turn: &str) -> TurnHandle {
        // It may start a task.
        TurnHandle::new(&self.runtime, self.runtime.block_on(async { self.inner.follow(turn) }))
    }

    /// The turns of the thread that run now and that this session knows of.
    #[track_caller]
    pub fn running(&self) -> Vec<TurnHandle> {
        let running = self.runtime.block_on(async { self.inner.running() });
        running.into_iter().map(|turn| TurnHandle::new(&self.runtime, turn)).collect()
    }

    /// Every turn of the thread from now on, whoever starts it.
    pub fn turns(&self) -> Turning {
        Turning { turns: self.inner.turns(), thread: self.clone() }
    }

    pages! {
        /// The thread's turns as the server keeps them, page by page.
        history() -> TurnData;
    }

    /// Sets the tools that calls of this thread's model go to.
    pub fn set_tools(&self, tools: impl Into<Tools>) {
        self.inner.set_tools(tools);
    }
}

/// The turns of a thread, as they begin; ends with the session.
#[derive(Debug)]
#[must_use = "it does nothing unless it is read"]
pub struct Turning {
    turns: crate::Turning,
    thread: Thread,
}

impl Iterator for Turning {
    type Item = TurnHandle;

    #[track_caller]
    fn next(&mut self) -> Option<TurnHandle> {
        let runtime = &self.thread.runtime;
        let next = runtime.block_on(async {
            tokio::select! {
                // What was told before the end is given before it.
                biased;
                turn = self.turns.next() => Some(turn),
                _ = self.thread.inner.codex().ended() => None,
            }
        });
        next.map(|turn| TurnHandle::new(runtime, turn))
    }
}
