//! Running a program that may be missing, may fail and may hang.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use wait_timeout::ChildExt as _;

/// What a program said before it ended.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// Why there is nothing that a program said.
#[derive(Debug)]
pub enum Failure {
    /// It could not be started.
    Start(io::Error),
    /// It was still running at the end of its time, and was killed.
    Late { limit: Duration, stderr: String },
    /// The operating system failed.
    Io(io::Error),
}

/// Whether Ctrl-C should reach the program, or a kill all that it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Ends with us: for programs that we trust to end.
    Ours,
    /// Its own process group, killed as a whole: for programs that may be
    /// anything.
    Own,
}

/// Runs a program to its end, at most `limit` long, without input; `tick` is
/// called a few times a second.
///
/// Output goes through files: no pipe fills up, and a grandchild that outlives
/// its parent keeps nobody waiting.
pub fn run(command: &mut Command, group: Group, limit: Duration, tick: &mut dyn FnMut()) -> Result<Finished, Failure> {
    let stdout = tempfile::tempfile().map_err(Failure::Io)?;
    let stderr = tempfile::tempfile().map_err(Failure::Io)?;
    command.stdout(stdout.try_clone().map_err(Failure::Io)?).stderr(stderr.try_clone().map_err(Failure::Io)?);
    match wait(command, group, limit, tick)? {
        Some(status) => Ok(Finished {
            status,
            stdout: text(stdout).map_err(Failure::Io)?,
            stderr: text(stderr).map_err(Failure::Io)?,
        }),
        None => Err(Failure::Late { limit, stderr: text(stderr).map_err(Failure::Io)? }),
    }
}

/// As [`run()`], with standard output and standard error as one text, in the order in
/// which they were written; both are in `stdout`.
///
/// # Errors
/// As [`run()`].
pub fn run_merged(command: &mut Command, group: Group, limit: Duration) -> Result<Finished, Failure> {
    let output = tempfile::tempfile().map_err(Failure::Io)?;
    command.stdout(output.try_clone().map_err(Failure::Io)?).stderr(output.try_clone().map_err(Failure::Io)?);
    let status = wait(command, group, limit, &mut || ())?;
    let said = text(output).map_err(Failure::Io)?;
    match status {
        Some(status) => Ok(Finished { status, stdout: said, stderr: String::new() }),
        None => Err(Failure::Late { limit, stderr: said }),
    }
}

/// Starts a program without input and waits for its end; none if it was late and was
/// killed.
fn wait(
    command: &mut Command,
    group: Group,
    limit: Duration,
    tick: &mut dyn FnMut(),
) -> Result<Option<ExitStatus>, Failure> {
    command.stdin(Stdio::null());
    #[cfg(unix)]
    if group == Group::Own {
        std::os::unix::process::CommandExt::process_group(command, 0);
    }
    let mut child = command.spawn().map_err(Failure::Start)?;
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let pause = left.min(Duration::from_millis(150));
        match child.wait_timeout(pause) {
            Ok(Some(status)) => return Ok(Some(status)),
            Ok(None) if !left.is_zero() => tick(),
            Ok(None) => {
                kill(&mut child, group);
                return Ok(None);
            }
            Err(error) => {
                kill(&mut child, group);
                return Err(Failure::Io(error));
            }
        }
    }
}

/// Both may fail only because the program is gone already.
fn kill(child: &mut Child, group: Group) {
    #[cfg(unix)]
    if group == Group::Own
        && let Ok(id) = i32::try_from(child.id())
        && let Some(id) = rustix::process::Pid::from_raw(id)
    {
        let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = group;
    let _ = child.kill();
    let _ = child.wait();
}

fn text(mut file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The command line as a person would type it.
pub fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(line, " {}", argument.to_string_lossy());
    }
    line
}

/// The last lines of what a program wrote, indented, or words for nothing.
pub fn tail(text: &str) -> String {
    const LINES: usize = 12;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return "it wrote nothing to standard error".into();
    }
    let mut shown = String::from("the end of its standard error:");
    for line in &lines[lines.len().saturating_sub(LINES)..] {
        let line: String = line.chars().take(300).collect();
        let _ = write!(shown, "\n    {line}");
    }
    shown
}
