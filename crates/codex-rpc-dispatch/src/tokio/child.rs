//! An app-server as a child process.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};

use super::builder::Builder;
use super::client::Client;
use super::exit::Exit;
use super::transport::{Reader, Writer};
use crate::driver::ConnectError;
use crate::exit::{ProcessExit, STDERR_TAIL};

/// How long a process may take to end after its input was closed, and again after it was
/// asked to terminate. Together well under a second.
const GRACE: Duration = Duration::from_millis(350);

impl Builder {
    /// Starts `program app-server` and connects to it. The process ends with the client.
    ///
    /// # Errors
    /// If the program can't be started, ends at once, or is no app-server; with the end
    /// of what it wrote to stderr.
    pub async fn spawn(self, program: impl AsRef<OsStr>) -> Result<Client, ConnectError> {
        let mut command = Command::new(program);
        command.arg("app-server");
        self.spawn_command(command).await
    }

    /// Starts a command and connects to its stdin and stdout. The process ends with the
    /// client: its input is closed, then it is asked to terminate, then killed with all
    /// that it started. Its stderr is read, and the end of it kept for errors.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub async fn spawn_command(self, mut command: Command) -> Result<Client, ConnectError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // So that a signal for the terminal does not take it away, and all that it
        // started can be ended with it.
        #[cfg(unix)]
        command.process_group(0);
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let spawn = |error: std::io::Error| ConnectError::Spawn { program: program.clone(), error };
        let mut child = command.spawn().map_err(spawn)?;
        let no_pipe = || spawn(std::io::ErrorKind::BrokenPipe.into());
        let stdin = child.stdin.take().ok_or_else(no_pipe)?;
        let stdout = child.stdout.take().ok_or_else(no_pipe)?;
        let stderr = child.stderr.take().ok_or_else(no_pipe)?;
        let tail = Tail::default();
        let mut draining = tokio::spawn(drain(stderr, tail.clone()));

        // Dropped with the client's tasks, and that ends the process.
        let (alive, released) = watch::channel(());
        let (status, exited) = oneshot::channel();
        let (gone, exit) = watch::channel(None);
        let supervised = supervise(Group { leader: child.id(), child }, released);
        tokio::spawn(async move {
            let ended = supervised.await;
            // What it wrote last may still be in the pipe; a process that it started may
            // hold the pipe open for ever.
            let _ = tokio::time::timeout(Duration::from_millis(100), &mut draining).await;
            draining.abort();
            let exit = ProcessExit::new(&program_name(&program), &ended, &tail.text());
            let reason = exit.to_string();
            gone.send_replace(Some(exit));
            let _ = status.send(reason);
        });
        let reason = async move {
            let _alive = alive;
            exited.await.ok()
        };
        self.start(Reader::new(stdout), Writer(stdin), Exit::of(reason, exit)).await
    }
}

fn program_name(program: &str) -> String {
    program.rsplit(['/', '\\']).next().unwrap_or(program).to_owned()
}

/// A process and what it started. Dropping it kills what is left of them.
struct Group {
    child: Child,
    leader: Option<u32>,
}

impl Drop for Group {
    fn drop(&mut self) {
        // What it started may have outlived it.
        kill_group(self.leader, Signal::Kill);
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

/// How many milliseconds a process that was killed is waited for where nothing else can
/// be done.
const REAPED_WITHIN: u32 = 100;

/// Waits for the end of a process, and brings it about when the client is gone.
async fn supervise(mut group: Group, mut released: watch::Receiver<()>) -> std::io::Result<std::process::ExitStatus> {
    let Group { child, leader } = &mut group;
    tokio::select! {
        status = child.wait() => status,
        _ = released.changed() => end(child, *leader).await,
    }
}

async fn end(child: &mut Child, group: Option<u32>) -> std::io::Result<std::process::ExitStatus> {
    // Its input is closed when the writing task ends, which it does at the same time.
    if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
        return status;
    }
    kill_group(group, Signal::Terminate);
    if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
        return status;
    }
    kill_group(group, Signal::Kill);
    child.start_kill()?;
    child.wait().await
}

#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
}

#[cfg(unix)]
fn kill_group(group: Option<u32>, signal: Signal) {
    let signal = match signal {
        Signal::Terminate => rustix::process::Signal::TERM,
        Signal::Kill => rustix::process::Signal::KILL,
    };
    let group = group.and_then(|group| i32::try_from(group).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

#[cfg(not(unix))]
fn kill_group(_: Option<u32>, _: Signal) {}

/// The end of what a process wrote to stderr.
#[derive(Clone, Default)]
struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(bytes);
        let surplus = tail.len().saturating_sub(STDERR_TAIL);
        tail.drain(..surplus);
    }

    fn text(&self) -> String {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail.iter().copied().collect::<Vec<u8>>()).trim().to_owned()
    }
}

async fn drain(mut stderr: impl AsyncRead + Unpin, tail: Tail) {
    let mut buffer = [0; 4096];
    while let Ok(read) = stderr.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        tail.push(&buffer[..read]);
    }
}
