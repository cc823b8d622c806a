//! A thread: turns with a common history.

use codex_rpc::types::{ReviewTarget, Thread as ThreadData, ThreadGoal, Turn as TurnData, TurnStartParams};

use super::{Pages, Runtime, TurnHandle};
use crate::{Error, Input, Tools, TurnResult};

/// A thread of a session; see [`Thread`](crate::Thread).
#[derive(Clone, Debug)]
pub struct Thread {
    pub(super) runtime: Runtime,
    pub(super) thread: crate::Thread,
}

/// Methods that do what the async ones of the same name do.
macro_rules! same {
    ($($(#[doc = $doc:literal])* $name:ident($($argument:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            $(#[doc = $doc])*
            ///
            /// # Errors
            #[doc = concat!("As [`Thread::", stringify!($name), "`](crate::Thread::", stringify!($name), ").")]
            pub fn $name(&self, $($argument: $type),*) -> Result<$output, Error> {
                self.runtime.block_on(self.thread.$name($($argument),*))
            }
        )*
    };
}

impl Thread {
    /// The thread's id.
    pub fn id(&self) -> &str {
        self.thread.id()
    }

    fn handle(&self, turn: crate::TurnHandle) -> TurnHandle {
        TurnHandle { runtime: self.runtime.clone(), turn }
    }

    same! {
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
    pub fn run_typed<T>(&self, input: impl Into<Input>) -> Result<(T, TurnResult), Error>
    where
        T: schemars::JsonSchema + serde::de::DeserializeOwned,
    {
        self.runtime.block_on(self.thread.run_typed(input))
    }

    /// Starts a turn.
    ///
    /// # Errors
    /// As [`Thread::turn`](crate::Thread::turn).
    pub fn turn(&self, input: impl Into<Input>) -> Result<TurnHandle, Error> {
        Ok(self.handle(self.runtime.block_on(self.thread.turn(input))?))
    }

    /// Starts a turn with certain params.
    ///
    /// # Errors
    /// As [`Thread::turn_with`](crate::Thread::turn_with).
    pub fn turn_with(
        &self,
        input: impl Into<Input>,
        with: impl FnOnce(TurnStartParams) -> TurnStartParams,
    ) -> Result<TurnHandle, Error> {
        Ok(self.handle(self.runtime.block_on(self.thread.turn_with(input, with))?))
    }

    /// Has the changes of a working folder reviewed.
    ///
    /// # Errors
    /// As [`Thread::review`](crate::Thread::review).
    pub fn review(&self, target: impl Into<ReviewTarget>) -> Result<TurnHandle, Error> {
        Ok(self.handle(self.runtime.block_on(self.thread.review(target))?))
    }

    /// A handle of a turn that this session has not started, from now on.
    pub fn follow(&self, turn: &str) -> TurnHandle {
        // It may start a task.
        self.handle(self.runtime.block_on(async { self.thread.follow(turn) }))
    }

    /// The turns of the thread that run now and that this session knows of.
    pub fn running(&self) -> Vec<TurnHandle> {
        let running = self.runtime.block_on(async { self.thread.running() });
        running.into_iter().map(|turn| self.handle(turn)).collect()
    }

    /// Every turn of the thread from now on, whoever starts it.
    pub fn turns(&self) -> Turning {
        Turning { thread: self.clone(), turns: self.thread.turns() }
    }

    /// A new thread with the history of this one.
    ///
    /// # Errors
    /// As [`Thread::fork`](crate::Thread::fork).
    pub fn fork(&self) -> Result<Self, Error> {
        let thread = self.runtime.block_on(self.thread.fork())?;
        Ok(Self { runtime: self.runtime.clone(), thread })
    }

    /// The thread's turns as the server keeps them, page by page.
    pub fn history(&self) -> Pages<TurnData> {
        Pages::new(&self.runtime, self.thread.history())
    }

    /// Sets the tools that calls of this thread's model go to.
    pub fn set_tools(&self, tools: impl Into<Tools>) {
        self.thread.set_tools(tools);
    }
}

/// The turns of a thread, as they begin.
#[derive(Debug)]
#[must_use = "it does nothing unless it is read"]
pub struct Turning {
    thread: Thread,
    turns: crate::Turning,
}

/// Never ends: it waits for the next turn.
impl Iterator for Turning {
    type Item = TurnHandle;

    fn next(&mut self) -> Option<TurnHandle> {
        let turn = self.thread.runtime.block_on(self.turns.next());
        Some(self.thread.handle(turn))
    }
}
