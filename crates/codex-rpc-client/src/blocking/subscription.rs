//! What is told about a session.

use codex_rpc_dispatch::tokio::Delivery;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Runtime;
use crate::Recovery;

/// Notifications of a connection or a thread, in the order in which they came; ends with
/// the connection. It does not keep the session open.
#[must_use = "it does nothing unless it is read"]
#[derive(Debug)]
pub struct Subscription {
    inner: codex_rpc_dispatch::tokio::Subscription,
    runtime: Runtime,
}

impl Subscription {
    pub(super) fn new(runtime: &Runtime, inner: codex_rpc_dispatch::tokio::Subscription) -> Self {
        Self { inner, runtime: runtime.without_session() }
    }

    /// A delivery that is there already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.inner.try_next()
    }

    /// From now on only what is about this turn, also of what waits already; see
    /// [`Subscription::only_turn`](codex_rpc_dispatch::tokio::Subscription::only_turn).
    pub fn only_turn(mut self, turn: impl Into<String>) -> Self {
        self.inner = self.inner.only_turn(turn);
        self
    }
}

impl Iterator for Subscription {
    type Item = Delivery;

    #[track_caller]
    fn next(&mut self) -> Option<Delivery> {
        self.runtime.block_on(self.inner.next())
    }
}

/// What became of a session each time when its process ended by itself; ends with the
/// session, and does not keep it open.
///
/// Of those that nobody reads the latest are kept; see
/// [`Codex::recoveries`](crate::Codex::recoveries).
#[must_use = "it does nothing unless it is read"]
#[derive(Debug)]
pub struct Recoveries {
    inner: broadcast::Receiver<Recovery>,
    runtime: Runtime,
}

impl Recoveries {
    pub(super) fn new(runtime: &Runtime, inner: broadcast::Receiver<Recovery>) -> Self {
        Self { inner, runtime: runtime.without_session() }
    }
}

impl Iterator for Recoveries {
    type Item = Recovery;

    #[track_caller]
    fn next(&mut self) -> Option<Recovery> {
        self.runtime.block_on(async {
            loop {
                match self.inner.recv().await {
                    Ok(recovery) => return Some(recovery),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        })
    }
}
