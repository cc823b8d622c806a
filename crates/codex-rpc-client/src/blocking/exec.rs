//! Exec mode without async.

use std::process::ExitStatus;

use super::Runtime;
use crate::Error;
use crate::exec::{Exec, ExecEvent, ExecResult};

/// Runs it and waits for the end.
///
/// ```no_run
/// use codex_rpc_client::blocking;
/// use codex_rpc_client::exec::Exec;
///
/// let result = blocking::run(&Exec::new().prompt("Say hello."))?;
/// println!("{}", result.text());
/// # Ok::<(), codex_rpc_client::Error>(())
/// ```
///
/// # Errors
/// As [`Exec::run`].
#[track_caller]
pub fn run(exec: &Exec) -> Result<ExecResult, Error> {
    Runtime::new()?.block_on(exec.run())
}

/// Runs it and tells what happens while it happens.
///
/// # Errors
/// As [`Exec::stream`].
#[track_caller]
pub fn stream(exec: &Exec) -> Result<ExecStream, Error> {
    let runtime = Runtime::new()?;
    let inner = runtime.block_on(exec.stream())?;
    Ok(ExecStream { inner, runtime })
}

/// The events of a `codex exec`, in order; ends with it. Dropping it ends the process.
#[must_use = "events do nothing unless they are read"]
pub struct ExecStream {
    // Before the runtime, so that it is dropped before.
    inner: crate::exec::ExecStream,
    runtime: Runtime,
}

impl ExecStream {
    /// As [`ExecStream::ended`](crate::exec::ExecStream::ended).
    pub fn ended(&self) -> Option<(ExitStatus, &str)> {
        self.inner.ended()
    }
}

impl std::fmt::Debug for ExecStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecStream").finish_non_exhaustive()
    }
}

/// Errors are those of [`ExecStream::next`](crate::exec::ExecStream::next).
impl Iterator for ExecStream {
    type Item = Result<ExecEvent, Error>;

    #[track_caller]
    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.block_on(self.inner.next())
    }
}
