//! Cargo and git.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use miette::miette;

use crate::command::{self, Failure, Group};

/// How long one step may take: a cold build of everything is the longest.
const LIMIT: Duration = Duration::from_hours(1);

/// Cargo, for the workspace in a folder.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What is said is read, and goes into a report.
    command
        .current_dir(root)
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        .env("NO_COLOR", "1");
    command
}

/// Git, for the repository in a folder.
pub fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root);
    command
}

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Said {
    /// Whether it ended well.
    pub well: bool,
    /// Standard output and standard error, in the order in which they were written.
    pub text: String,
    /// How long it took.
    pub took: Duration,
}

impl Said {
    /// The last lines, of which there are at most as many.
    pub fn tail(&self, most: usize) -> Vec<String> {
        let lines: Vec<&str> = self.text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(most)..].iter().map(|line| (*line).to_owned()).collect()
    }
}

/// Runs a program to its end, whatever that is.
///
/// # Errors
/// If it can't be started.
pub fn said(command: &mut Command) -> miette::Result<Said> {
    let start = Instant::now();
    let ended = command::run_merged(command, Group::Ours, LIMIT);
    let took = start.elapsed();
    match ended {
        Ok(finished) => Ok(Said { well: finished.status.success(), text: finished.stdout, took }),
        Err(Failure::Late { limit, stderr }) => {
            let text = format!("{stderr}\nit was still running after {} s and was stopped\n", limit.as_secs());
            Ok(Said { well: false, text, took })
        }
        Err(Failure::Start(error) | Failure::Io(error)) => Err(cant(command, &error.to_string())),
    }
}

/// Runs a program that must end well; its standard output.
///
/// # Errors
/// If it does not.
pub fn output(command: &mut Command) -> miette::Result<Vec<u8>> {
    let output = command.output().map_err(|error| cant(command, &error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(cant(command, String::from_utf8_lossy(&output.stderr).trim()))
}

fn cant(command: &Command, why: &str) -> miette::Report {
    miette!(
        code = "release::program",
        help = "put right what it complains about; the repository is as it was",
        "`{}`: {why}",
        command::shown(command)
    )
}
