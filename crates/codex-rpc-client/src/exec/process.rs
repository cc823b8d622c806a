//! The codex process: its pipes, the end of its stderr, and its end with all that it
//! started.

use std::collections::VecDeque;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::tree;

/// How much of stderr is kept: 8 KiB.
const STDERR: usize = 8 * 1024;
/// How many milliseconds a process that was killed is waited for where nothing else can
/// be done.
const REAPED_WITHIN: u32 = 100;

/// A child, the leader of a process group of its own. Dropping it kills it and all that
/// it started.
pub(super) struct Process {
    child: Child,
    leader: Leader,
}

/// The id of a process, as long as it may be used. It can be shared, to kill the process
/// from elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Leader(Arc<Mutex<Option<u32>>>);

impl Leader {
    /// Kills the process and all that it started, once.
    pub(super) fn kill(&self) {
        let mut leader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leader) = leader.take() {
            tree::kill(leader);
        }
    }
}

/// The pipes of a process.
pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl Process {
    pub(super) fn start(command: &mut Command) -> io::Result<(Self, Pipes)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let leader = Leader(Arc::new(Mutex::new(child.id())));
        let process = Self { child, leader };
        match pipes {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok((process, Pipes { stdin, stdout, stderr })),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    pub(super) fn leader(&self) -> Leader {
        self.leader.clone()
    }

    /// Waits for its end. What it left behind in its group is killed then.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.leader.kill();
        status
    }

    /// Kills it and all that it started, and reaps it.
    pub(super) async fn end(&mut self) {
        self.leader.kill();
        let _ = self.child.kill().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.leader.kill();
        // It was not waited for if the runtime is shut down, and nobody else will.
        if self.child.id().is_some() && self.child.start_kill().is_ok() {
            for _ in 0..REAPED_WITHIN {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// The end of what a process wrote to stderr.
#[derive(Clone, Default)]
pub(super) struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(bytes);
        let surplus = tail.len().saturating_sub(STDERR);
        tail.drain(..surplus);
    }

    pub(super) fn text(&self) -> String {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail.iter().copied().collect::<Vec<u8>>()).trim().to_owned()
    }

    /// Reads until the end.
    pub(super) async fn drain(self, mut stderr: impl AsyncRead + Unpin) {
        let mut buffer = [0; 4096];
        while let Ok(read) = stderr.read(&mut buffer).await {
            if read == 0 {
                break;
            }
            self.push(&buffer[..read]);
        }
    }
}
