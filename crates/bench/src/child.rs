//! What a program takes, with all the programs that it starts.
//!
//! The system keeps one sum for all children of a process that have ended, and of their
//! memory only the peak of the largest. So each measurement is made by a process of its
//! own, this program again, which starts nothing else.

use std::error::Error;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{env, io};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};

/// What a program and its children took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds of all cores, of user and system.
    pub cpu_seconds: f64,
    /// Seconds from start to end.
    pub wall_seconds: f64,
    /// Most bytes that one of the processes held in memory.
    pub peak_bytes: u64,
}

const MEASURE: &str = "measure-a-program";

/// To be called first in `main`: does the measuring if this process is for that.
pub fn intercept() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != MEASURE {
        return None;
    }
    let program = arguments.next()?;
    match run(Command::new(program).args(arguments)) {
        Ok(usage) => {
            println!("{}", serde_json::json!(usage));
            Some(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}");
            Some(ExitCode::FAILURE)
        }
    }
}

fn run(command: &mut Command) -> Result<Usage, Box<dyn Error>> {
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let wall_seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{status}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = (usage.user_time() + usage.system_time()).num_microseconds();
    // In bytes on macOS, in KiB everywhere else.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok(Usage {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        cpu_seconds: microseconds as f64 / 1e6,
        wall_seconds,
        peak_bytes: u64::try_from(usage.max_rss())? * unit,
    })
}

/// Runs a program and says what it took. Its standard output goes nowhere, its standard
/// error is in the error if it fails.
///
/// # Errors
/// If it can't be started or fails.
pub fn measured<S: AsRef<OsStr>>(
    program: &OsStr,
    arguments: impl IntoIterator<Item = S>,
    folder: &Path,
    environment: &[(&str, &OsStr)],
) -> Result<Usage, Box<dyn Error>> {
    let output = Command::new(env::current_exe()?)
        .arg(MEASURE)
        .arg(program)
        .args(arguments)
        .current_dir(folder)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}", program.to_string_lossy(), said.trim_end()).into());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| io::Error::other(error).into())
}
