//! What ends a run before its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::recorder::Processes;

/// Ends a run from elsewhere: another thread, a signal handler. A clone is the same token.
///
/// ```
/// use codex_rpc_testkit::contract::{CancelToken, Contract};
///
/// let token = CancelToken::new();
/// token.cancel();
/// let error = Contract::new(std::env::current_exe()?).cancel_token(token).run().unwrap_err();
/// assert_eq!(error.reason(), "the run was cancelled");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

/// How often a token is looked at.
const LOOK: Duration = Duration::from_millis(50);

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the runs that have this token, and those that get it later: their processes
    /// are killed, their files removed, and they return with
    /// [`CouldNotRun`](super::CouldNotRun).
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Runs `run`; when the token is cancelled or the time is over, stops its processes. Gives
/// the reason, too, if it stopped them.
pub(super) fn watch<T>(
    processes: &Processes,
    token: &CancelToken,
    limit: Duration,
    run: impl FnOnce() -> T,
) -> (T, Option<String>) {
    let cancelled = || "the run was cancelled".to_owned();
    if token.is_cancelled() {
        processes.stop();
        return (run(), Some(cancelled()));
    }
    let deadline = Instant::now().checked_add(limit);
    thread::scope(|scope| {
        let (running, over) = mpsc::channel::<()>();
        let watcher = scope.spawn(move || {
            loop {
                let left = deadline.map_or(LOOK, |deadline| deadline.saturating_duration_since(Instant::now()));
                match over.recv_timeout(left.min(LOOK)) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return None,
                }
                let reason = if token.is_cancelled() {
                    cancelled()
                } else if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    format!("the time limit of {limit:?} passed")
                } else {
                    continue;
                };
                processes.stop();
                return Some(reason);
            }
        });
        let result = run();
        drop(running);
        (result, watcher.join().unwrap_or_default())
    })
}
