//! Exec mode without async.

use super::Runtime;
use crate::Error;
use crate::exec::{Exec, ExecEvent, ExecResult, ExecStream};

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
pub fn run(exec: &Exec) -> Result<ExecResult, Error> {
    Runtime::new()?.block_on(exec.run())
}

/// Runs it and tells what happens while it happens.
///
/// # Errors
/// As [`Exec::stream`].
pub fn stream(exec: &Exec) -> Result<ExecEvents, Error> {
    let runtime = Runtime::new()?;
    let stream = runtime.block_on(exec.stream())?;
    Ok(ExecEvents { stream, runtime })
}

/// The events of a `codex exec`, in order; ends with it. Dropping it ends the process.
#[must_use = "events do nothing unless they are read"]
pub struct ExecEvents {
    stream: ExecStream,
    runtime: Runtime,
}

impl std::fmt::Debug for ExecEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecEvents").finish_non_exhaustive()
    }
}

impl Iterator for ExecEvents {
    type Item = Result<ExecEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.block_on(self.stream.next())
    }
}
