//! The same for programs without async: the names and shapes are those of the crate's
//! root.
//!
//! A session has a thread of its own that reads and writes; calls block the thread that
//! makes them. Hooks and tools are futures here, too, and run on the session's thread:
//! what blocks for long belongs into a thread of its own.
//!
//! ```no_run
//! use codex_rpc_client::blocking::Codex;
//! use codex_rpc_client::protocol::types::ThreadStartParams;
//!
//! let codex = Codex::start()?;
//! let thread = codex.start_thread(ThreadStartParams::new())?;
//! println!("{}", thread.run("Say hello.")?.text());
//! # Ok::<(), codex_rpc_client::Error>(())
//! ```
//!
//! # Panics
//! Every call panics that is made on a thread of an async runtime, which must not block:
//! use the types of the crate's root there.

mod exec;
mod pages;
mod session;
mod thread;
mod turn;

use std::future::Future;
use std::sync::Arc;

use crate::Error;

pub use exec::{ExecEvents, run, stream};
pub use pages::Pages;
pub use session::{Codex, CodexBuilder};
pub use thread::{Thread, Turning};
pub use turn::{TurnHandle, TurnStream};

/// The runtime of a session, on a thread of its own.
#[derive(Clone, Debug)]
struct Runtime(Arc<Owned>);

#[derive(Debug)]
struct Owned(Option<tokio::runtime::Runtime>);

impl Drop for Owned {
    fn drop(&mut self) {
        // Not by waiting, which is forbidden where the last handle may be dropped.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Runtime {
    fn new() -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("codex-rpc")
            .enable_all()
            .build()
            .map_err(|error| Error::Io { what: "a thread for the session".to_owned(), error })?;
        Ok(Self(Arc::new(Owned(Some(runtime)))))
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let Some(runtime) = &self.0.0 else { unreachable!("it is taken when it is dropped") };
        runtime.block_on(future)
    }
}
