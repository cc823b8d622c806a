//! A turn that runs.

mod log;
mod state;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use codex_rpc::requests;
use codex_rpc::types::{ThreadItem, TurnInterruptParams, TurnStartParams, TurnSteerParams};
use futures_core::Stream;

use crate::session::Codex;
use crate::{Error, Input, Thread, TurnResult};

pub use log::TurnEvent;
pub(crate) use state::{Lost, TurnState};

/// How long an interrupted turn may take to end before it is given up.
const GRACE: Duration = Duration::from_secs(10);

/// A turn. Clones, and other handles of the same turn, see the same.
#[derive(Clone)]
pub struct TurnHandle {
    thread: Thread,
    state: Arc<TurnState>,
}

impl fmt::Debug for TurnHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnHandle")
            .field("thread", &self.state.thread)
            .field("id", &self.state.id)
            .field("ended", &self.has_ended())
            .finish_non_exhaustive()
    }
}

impl TurnHandle {
    pub(crate) fn new(thread: Thread, state: Arc<TurnState>) -> Self {
        if let Some(limit) = thread.codex().inner.settings.watchdog {
            watch(&thread, &state, limit);
        }
        Self { thread, state }
    }

    /// The turn's id.
    pub fn id(&self) -> &str {
        &self.state.id
    }

    /// The thread that it is a turn of.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// What is told about the turn, from its beginning, however late this is called; see
    /// [`CodexBuilder::turn_log`](crate::CodexBuilder::turn_log) for what is kept. Any
    /// number of streams can be read, each at its own pace.
    pub fn stream(&self) -> TurnStream {
        TurnStream { turn: self.clone(), place: 0 }
    }

    /// Gives the turn more input while it runs.
    ///
    /// # Errors
    /// If it has ended, or can't be steered, as a review can't; see [`Error`].
    pub async fn steer(&self, input: impl Into<Input>) -> Result<(), Error> {
        let input = input.into();
        if let Some(external) = input.external {
            // A message from outside joins the turn that runs.
            let params = TurnStartParams::new(&self.state.thread, input.user).tool_output(external);
            self.thread.codex().call::<requests::TurnStart>(params).await?;
        } else {
            let params = TurnSteerParams::new(&self.state.thread, input.user, &self.state.id);
            self.thread.codex().call::<requests::TurnSteer>(params).await?;
        }
        Ok(())
    }

    /// Asks the server to interrupt the turn. It ends a little later, as
    /// [`TurnStatus::Interrupted`](codex_rpc::types::TurnStatus::Interrupted).
    ///
    /// # Errors
    /// If the turn has ended already; see [`Error`].
    pub async fn interrupt(&self) -> Result<(), Error> {
        interrupt(self.thread.codex(), &self.state).await
    }

    /// Waits for the end of the turn; its result. May be called any number of times.
    ///
    /// # Errors
    /// [`Error::TurnFailed`], which has the whole result; [`Error::Process`] or
    /// [`Error::Closed`] if the connection ended first; [`Error::TimedOut`] if the
    /// watchdog gave it up. A turn that was interrupted is no error.
    pub async fn join(&self) -> Result<TurnResult, Error> {
        self.state.ended().await;
        self.state.result().unwrap_or_else(|| Err(Error::closed("the turn has no end")))
    }

    /// The result, if the turn has ended; see [`join`](Self::join).
    pub fn result(&self) -> Option<Result<TurnResult, Error>> {
        self.state.result()
    }

    /// The items completed so far, in order.
    pub fn items(&self) -> Vec<ThreadItem> {
        self.state.items()
    }

    /// Whether the turn has ended.
    pub fn has_ended(&self) -> bool {
        self.state.has_ended()
    }
}

async fn interrupt(codex: &Codex, turn: &TurnState) -> Result<(), Error> {
    let call = codex.call::<requests::TurnInterrupt>(TurnInterruptParams::new(&turn.thread, &turn.id));
    tokio::select! {
        answer = call => answer.map(drop),
        // Servers before 0.169 leave the question unanswered if the turn has ended.
        () = turn.ended() => Ok(()),
    }
}

/// Interrupts the turn when nothing is told for too long.
fn watch(thread: &Thread, turn: &Arc<TurnState>, limit: Duration) {
    if !turn.be_watched() {
        return;
    }
    let (turn, codex) = (Arc::clone(turn), Arc::downgrade(&thread.codex().inner));
    tokio::spawn(async move {
        let mut since = turn.told();
        loop {
            tokio::select! {
                () = turn.ended() => return,
                () = tokio::time::sleep_until(since + limit) => {}
            }
            let Some(inner) = codex.upgrade() else { return };
            if inner.hub.is_asking(&turn.thread) {
                since = tokio::time::Instant::now();
            } else if turn.told() > since {
                since = turn.told();
            } else {
                tracing::warn!(thread = %turn.thread, turn = %turn.id, ?limit, "nothing is told about a turn: it is interrupted");
                let codex = Codex { inner };
                let grace = async {
                    let _ = interrupt(&codex, &turn).await;
                    turn.ended().await;
                };
                let _ = tokio::time::timeout(GRACE, grace).await;
                turn.stall(limit);
                return;
            }
        }
    });
}

/// What is told about a turn, in order; ends with it.
#[must_use = "streams do nothing unless they are read"]
pub struct TurnStream {
    turn: TurnHandle,
    place: u64,
}

impl fmt::Debug for TurnStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnStream").field("turn", &self.turn.id()).field("place", &self.place).finish_non_exhaustive()
    }
}

impl TurnStream {
    /// The next event; none at the end of the turn, or when the connection has ended:
    /// [`TurnHandle::join`] tells which.
    ///
    /// Cancel safe: an event is not lost if the future is dropped.
    pub async fn next(&mut self) -> Option<TurnEvent> {
        poll_fn(|context| self.turn.state.poll(&mut self.place, context)).await
    }

    /// The next piece of what the model says; none at the end. What else is told is
    /// passed over.
    pub async fn next_text(&mut self) -> Option<String> {
        loop {
            if let Some(text) = self.next().await?.text_delta() {
                return Some(text.to_owned());
            }
        }
    }
}

impl Stream for TurnStream {
    type Item = TurnEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<TurnEvent>> {
        let this = &mut *self;
        this.turn.state.poll(&mut this.place, context)
    }
}
