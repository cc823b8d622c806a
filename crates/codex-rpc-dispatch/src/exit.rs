//! What a process's end says.

use std::fmt;
use std::io;
use std::process::ExitStatus;

/// How much of stderr is kept: 8 KiB.
pub(crate) const STDERR_TAIL: usize = 8 * 1024;

/// How the process of a server ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessExit {
    /// The name of its program.
    pub program: String,
    /// Its status; none if it can't be asked.
    pub status: Option<ExitStatus>,
    /// The end of what it wrote to stderr, 8 KiB at most.
    pub stderr: String,
    /// Why it can't be asked.
    problem: Option<String>,
}

impl ProcessExit {
    pub(crate) fn new(program: &str, ended: &io::Result<ExitStatus>, stderr: &str) -> Self {
        Self {
            program: program.to_owned(),
            status: ended.as_ref().ok().copied(),
            stderr: stderr.to_owned(),
            problem: ended.as_ref().err().map(ToString::to_string),
        }
    }
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.status, &self.problem) {
            (Some(status), _) => write!(f, "`{}` ended with {status}", self.program)?,
            (None, Some(problem)) => write!(f, "`{}` can't be waited for: {problem}", self.program)?,
            (None, None) => write!(f, "`{}` ended", self.program)?,
        }
        if !self.stderr.is_empty() {
            write!(f, "; it wrote to stderr: {}", self.stderr)?;
        }
        Ok(())
    }
}
