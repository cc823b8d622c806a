//! What a process's end says.

use std::io;
use std::process::ExitStatus;

/// How much of stderr is kept: 8 KiB.
pub(crate) const STDERR_TAIL: usize = 8 * 1024;

/// How a process ended, with the end of what it wrote to stderr.
pub(crate) fn describe(program: &str, ended: &io::Result<ExitStatus>, stderr: &str) -> String {
    let mut text = match ended {
        Ok(status) => format!("`{program}` ended with {status}"),
        Err(error) => format!("`{program}` can't be waited for: {error}"),
    };
    if !stderr.is_empty() {
        text.push_str("; it wrote to stderr: ");
        text.push_str(stderr);
    }
    text
}
