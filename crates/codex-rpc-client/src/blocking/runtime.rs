//! The threads of sessions.

use std::future::{Future, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::{Codex, Error};

/// How long a session may take to be closed when it is dropped. It is more than a server
/// is given until it is killed.
const CLOSED_WITHIN: Duration = Duration::from_secs(3);

/// How long the runtime's thread may take to end, which kills the processes that are left.
const ENDED_WITHIN: Duration = Duration::from_secs(1);

/// The runtime of a session, on a thread of its own, and what keeps the session open.
#[derive(Clone, Debug)]
pub(super) struct Runtime {
    // Before the threads, which closing needs.
    _session: Option<Arc<Open>>,
    threads: Arc<Threads>,
}

/// Closes a session when nobody has a handle of it any more.
#[derive(Debug)]
struct Open {
    codex: Codex,
    threads: Arc<Threads>,
}

#[derive(Debug)]
struct Threads(Option<tokio::runtime::Runtime>);

/// Whether this thread is certainly none of an async runtime. On those that belong to one,
/// waiting may be forbidden.
fn may_wait() -> bool {
    // What is no longer known at the end of a thread counts as if it were one.
    matches!(Handle::try_current(), Err(error) if error.is_missing_context())
}

impl Drop for Open {
    fn drop(&mut self) {
        if may_wait() {
            let closing = async { tokio::time::timeout(CLOSED_WITHIN, self.codex.close()).await };
            // What is not gone by then is killed with the runtime.
            let _ = self.threads.get().block_on(closing);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(runtime) = self.0.take() else { return };
        if may_wait() {
            runtime.shutdown_timeout(ENDED_WITHIN);
        } else {
            runtime.shutdown_background();
        }
    }
}

impl Threads {
    fn get(&self) -> &tokio::runtime::Runtime {
        let Some(runtime) = &self.0 else { unreachable!("it is taken when it is dropped") };
        runtime
    }
}

impl Runtime {
    pub(super) fn new() -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("codex-rpc")
            .enable_all()
            .build()
            .map_err(|error| Error::Io { what: "a thread for the session".to_owned(), error })?;
        Ok(Self { _session: None, threads: Arc::new(Threads(Some(runtime))) })
    }

    /// The same, of a session that is closed with its last clone.
    pub(super) fn of(&self, codex: &Codex) -> Self {
        let open = Open { codex: codex.clone(), threads: Arc::clone(&self.threads) };
        Self { _session: Some(Arc::new(open)), threads: Arc::clone(&self.threads) }
    }

    /// The same for what does not keep the session open.
    pub(super) fn without_session(&self) -> Self {
        Self { _session: None, threads: Arc::clone(&self.threads) }
    }

    /// Waits for a future.
    #[track_caller]
    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let runtime = self.threads.get();
        // Threads of a runtime may block or not, and only a panic tells which. It says
        // nothing of this crate.
        let probe = || catch_unwind(AssertUnwindSafe(|| runtime.block_on(ready(())))).is_ok();
        assert!(
            Handle::try_current().is_err() || probe(),
            "a call of codex_rpc_client::blocking on a thread of an async runtime, which must not block: use the types \
             of codex_rpc_client's root there, or make the call in tokio::task::spawn_blocking"
        );
        runtime.block_on(future)
    }
}
