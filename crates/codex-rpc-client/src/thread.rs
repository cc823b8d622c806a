//! A thread: turns with a common history.

mod pages;
mod start;

pub use start::Resume;
pub(crate) use start::resuming;

use std::fmt;
use std::sync::Arc;

use codex_rpc::requests;
use codex_rpc::types::{
    ReviewStartParams, ReviewTarget, Thread as ThreadData, ThreadArchiveParams, ThreadCompactStartParams,
    ThreadDeleteParams, ThreadForkParams, ThreadGoal, ThreadGoalClearParams, ThreadGoalGetParams, ThreadGoalSetParams,
    ThreadReadParams, ThreadRevertParams, ThreadSetNameParams, ThreadUnsubscribeParams, TurnStartParams,
};
use codex_rpc_dispatch::tokio::Subscription;
use tokio::sync::mpsc;

use crate::session::{Codex, Turns};
use crate::turn::{TurnHandle, TurnState};
use crate::{Error, Input, TurnResult};

pub use pages::Pages;

/// A thread of a session. Clones are the same thread; as long as there is one, the
/// session lives.
#[derive(Clone)]
pub struct Thread {
    codex: Codex,
    turns: Arc<Turns>,
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Thread {
    pub(crate) fn new(codex: Codex, id: &str) -> Self {
        let turns = codex.inner.hub.turns(id, codex.inner.settings.turn_log);
        Self { codex, turns }
    }

    /// The thread's id.
    pub fn id(&self) -> &str {
        &self.turns.thread
    }

    /// The session.
    pub fn codex(&self) -> &Codex {
        &self.codex
    }

    /// Starts a turn and waits for its end.
    ///
    /// ```no_run
    /// # async fn run(thread: codex_rpc_client::Thread) -> Result<(), codex_rpc_client::Error> {
    /// let result = thread.run("Say hello.").await?;
    /// println!("{}", result.text());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`turn`](Self::turn) and [`TurnHandle::join`]: a turn that failed is
    /// [`Error::TurnFailed`].
    pub async fn run(&self, input: impl Into<Input>) -> Result<TurnResult, Error> {
        self.turn(input).await?.join().await
    }

    /// Starts a turn with certain params and waits for its end; see
    /// [`turn_with`](Self::turn_with).
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_with(
        &self,
        input: impl Into<Input>,
        with: impl FnOnce(TurnStartParams) -> TurnStartParams,
    ) -> Result<TurnResult, Error> {
        self.turn_with(input, with).await?.join().await
    }

    /// Starts a turn whose final response is JSON of a type, waits for its end, and
    /// decodes the response.
    ///
    /// ```no_run
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Verdict {
    ///     passed: bool,
    /// }
    ///
    /// # async fn run(thread: codex_rpc_client::Thread) -> Result<(), codex_rpc_client::Error> {
    /// let (verdict, _result) = thread.run_typed::<Verdict>("Do the tests pass?").await?;
    /// println!("{}", verdict.passed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::Invalid`], with the text, if the response is of
    /// another shape or there is none.
    #[cfg(feature = "schemars")]
    pub async fn run_typed<T>(&self, input: impl Into<Input>) -> Result<(T, TurnResult), Error>
    where
        T: schemars::JsonSchema + serde::de::DeserializeOwned,
    {
        let schema = crate::structured::output_schema::<T>();
        let result = self.run_with(input, |params| params.output_schema(schema)).await?;
        let value = crate::structured::decode(result.text())?;
        Ok((value, result))
    }

    /// Starts a turn.
    ///
    /// # Errors
    /// If the server refuses it; see [`Error`].
    pub async fn turn(&self, input: impl Into<Input>) -> Result<TurnHandle, Error> {
        self.turn_with(input, |params| params).await
    }

    /// Starts a turn with certain params.
    ///
    /// ```no_run
    /// use codex_rpc_client::protocol::types::ReasoningEffort;
    ///
    /// # async fn run(thread: codex_rpc_client::Thread) -> Result<(), codex_rpc_client::Error> {
    /// let turn = thread.turn_with("Say hello.", |params| params.effort(ReasoningEffort::from("low"))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the server refuses it; see [`Error`].
    pub async fn turn_with(
        &self,
        input: impl Into<Input>,
        with: impl FnOnce(TurnStartParams) -> TurnStartParams,
    ) -> Result<TurnHandle, Error> {
        let input = input.into();
        let mut params = TurnStartParams::new(self.id(), input.user);
        params.tool_output = input.external;
        // The turn may be told before the answer that names it.
        let starting = self.turns.starting();
        let turn = self.codex.call::<requests::TurnStart>(with(params)).await?.turn;
        let handle = self.follow(&turn.id);
        drop(starting);
        Ok(handle)
    }

    /// A handle of a turn that this session has not started, from now on: one that was
    /// running before, or another client's. Of a turn that has ended already nothing more
    /// is told: [`TurnHandle::join`] would wait for ever.
    pub fn follow(&self, turn: &str) -> TurnHandle {
        TurnHandle::new(self.clone(), self.turns.turn(turn))
    }

    /// The turns of the thread that run now and that this session knows of.
    pub fn running(&self) -> Vec<TurnHandle> {
        self.turns.running().into_iter().map(|turn| TurnHandle::new(self.clone(), turn)).collect()
    }

    /// Every turn of the thread from now on, whoever starts it: this program, a goal,
    /// another client.
    pub fn turns(&self) -> Turning {
        Turning { thread: self.clone(), turns: self.turns.observe() }
    }

    /// Has the changes of a working folder reviewed; the review is a turn of this thread.
    ///
    /// # Errors
    /// If the server refuses it; see [`Error`].
    pub async fn review(&self, target: impl Into<ReviewTarget>) -> Result<TurnHandle, Error> {
        let starting = self.turns.starting();
        let params = ReviewStartParams::new(self.id(), target);
        let started = self.codex.call::<requests::ReviewStart>(params).await?;
        let thread = if started.review_thread_id == self.id() {
            self.clone()
        } else {
            Self::new(self.codex.clone(), &started.review_thread_id)
        };
        let handle = thread.follow(&started.turn.id);
        drop(starting);
        Ok(handle)
    }

    /// All notifications about the thread from now on, until the process ends: those of
    /// its turns, and others.
    ///
    /// # Errors
    /// If the session has ended.
    pub async fn subscribe(&self) -> Result<Subscription, Error> {
        Ok(self.codex.client().await?.subscribe_thread(self.id()))
    }

    /// What the server knows about the thread.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read(&self) -> Result<ThreadData, Error> {
        self.codex.read_thread(ThreadReadParams::new(self.id())).await
    }

    /// What the server knows about the thread, with its turns and their items.
    ///
    /// # Errors
    /// See [`Error`]. Ephemeral threads have no history to read.
    pub async fn read_with_turns(&self) -> Result<ThreadData, Error> {
        self.codex.read_thread(ThreadReadParams::new(self.id()).include_turns(true)).await
    }

    /// A new thread with the history of this one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn fork(&self) -> Result<Self, Error> {
        self.codex.fork_thread(ThreadForkParams::new(self.id())).await
    }

    /// Names the thread.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_name(&self, name: impl Into<String>) -> Result<(), Error> {
        self.codex.call::<requests::ThreadNameSet>(ThreadSetNameParams::new(self.id(), name)).await?;
        Ok(())
    }

    /// Has the history made shorter. That is a turn, which [`turns`](Self::turns) tells.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn compact(&self) -> Result<(), Error> {
        self.codex.call::<requests::ThreadCompactStart>(ThreadCompactStartParams::new(self.id())).await?;
        Ok(())
    }

    /// Takes back a turn and what came after it. Files stay as they are.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn revert(&self, before_turn: impl Into<String>) -> Result<(), Error> {
        self.codex.call::<requests::ThreadRevert>(ThreadRevertParams::new(self.id(), before_turn)).await?;
        Ok(())
    }

    /// Archives the thread: lists leave it out.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn archive(&self) -> Result<(), Error> {
        self.codex.call::<requests::ThreadArchive>(ThreadArchiveParams::new(self.id())).await?;
        Ok(())
    }

    /// Deletes the thread with its history.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete(&self) -> Result<(), Error> {
        self.codex.call::<requests::ThreadDelete>(ThreadDeleteParams::new(self.id())).await?;
        Ok(())
    }

    /// Has the server tell this session nothing more about the thread; it is resumed with
    /// [`Codex::resume_thread`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn unsubscribe(&self) -> Result<(), Error> {
        self.codex.call::<requests::ThreadUnsubscribe>(ThreadUnsubscribeParams::new(self.id())).await?;
        Ok(())
    }

    /// Sets the thread's goal. From then on the server starts turns by itself, which
    /// [`turns`](Self::turns) tells, until the goal is reached or cleared.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_goal(&self, objective: impl Into<String>) -> Result<ThreadGoal, Error> {
        let params = ThreadGoalSetParams::new(self.id()).objective(objective);
        Ok(self.codex.call::<requests::ThreadGoalSet>(params).await?.goal)
    }

    /// The thread's goal, if it has one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn goal(&self) -> Result<Option<ThreadGoal>, Error> {
        Ok(self.codex.call::<requests::ThreadGoalGet>(ThreadGoalGetParams::new(self.id())).await?.goal)
    }

    /// Clears the thread's goal; whether there was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn clear_goal(&self) -> Result<bool, Error> {
        Ok(self.codex.call::<requests::ThreadGoalClear>(ThreadGoalClearParams::new(self.id())).await?.cleared)
    }
}

/// The turns of a thread, as they begin.
#[derive(Debug)]
#[must_use = "it does nothing unless it is read"]
pub struct Turning {
    thread: Thread,
    turns: mpsc::UnboundedReceiver<Arc<TurnState>>,
}

impl Turning {
    /// The next turn.
    ///
    /// Cancel safe: a turn is not lost if the future is dropped.
    pub async fn next(&mut self) -> TurnHandle {
        match self.turns.recv().await {
            Some(turn) => TurnHandle::new(self.thread.clone(), turn),
            // The thread is held here, and with it the other end.
            None => std::future::pending().await,
        }
    }
}
