//! An app-server as a child process.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::builder::Builder;
use super::client::Client;
use super::queue::wait;
use super::threads::start;
use super::transport::{OnExit, Peer, Reader, Writer, read};
use crate::driver::ConnectError;
use crate::exit::{ProcessExit, STDERR_TAIL};

/// How long a process may take to end after its input was closed, and again after it was
/// asked to terminate. Together well under a second.
const GRACE: Duration = Duration::from_millis(350);

/// How long the rest of what it wrote is waited for after a process has ended: a process
/// that it started may hold the pipe open for ever.
const REST: Duration = Duration::from_millis(100);

/// How long a reader may have nothing to read after a process has ended before it counts
/// as stuck in a pipe that something else holds open.
const STUCK: Duration = Duration::from_millis(500);

impl Builder {
    /// Starts `program app-server` and connects to it. The process ends with the client.
    ///
    /// # Errors
    /// If the program can't be started, ends at once, or is no app-server; with the end
    /// of what it wrote to stderr.
    pub fn spawn(self, program: impl AsRef<OsStr>) -> Result<Client, ConnectError> {
        let mut command = Command::new(program);
        command.arg("app-server");
        self.spawn_command(command)
    }

    /// Starts a command and connects to its stdin and stdout. The process ends with the
    /// client: its input is closed, then it is asked to terminate, then killed with all
    /// that it started. Its stderr is read, and the end of it kept for errors.
    ///
    /// What it started and what left its process group is out of reach: while such a
    /// process holds the pipes, the threads that read them stay, and nothing else.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub fn spawn_command(self, mut command: Command) -> Result<Client, ConnectError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // So that a signal for the terminal does not take it away, and all that it
        // started can be ended with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let program = command.get_program().to_string_lossy().into_owned();
        let fail = |error: io::Error| ConnectError::Spawn { program: program.clone(), error };
        let mut child = command.spawn().map_err(fail)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Arc::new(Process::new(child));
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            let _ = process.finish();
            return Err(fail(io::ErrorKind::BrokenPipe.into()));
        };
        let name = program.rsplit(['/', '\\']).next().unwrap_or(&program).to_owned();
        let (draining, watching) = (Arc::clone(&process), Arc::clone(&process));
        let started = start("stderr", move || draining.drain(stderr))
            .and_then(|()| start("child", move || watching.watch(&name)));
        if let Err(error) = started {
            let _ = process.finish();
            return Err(fail(error));
        }
        let limit = self.handshake_time();
        self.start(move || Ok((Reader::new(stdout), Writer(stdin))), &(process as Arc<dyn Peer>), limit)
    }
}

/// A process that is watched by a thread.
struct Process {
    leader: Mutex<Leader>,
    state: Mutex<State>,
    changed: Condvar,
}

/// The process itself, which leads a group.
struct Leader {
    child: Child,
    /// Its number may be another's by now.
    reaped: bool,
}

#[derive(Default)]
struct State {
    /// The end of what it wrote to stderr.
    stderr: VecDeque<u8>,
    drained: bool,
    /// How it ended. Set when nothing of its group is left.
    reason: Option<String>,
    /// What wants to know.
    on_exit: Option<OnExit>,
    /// Nobody wants it any more.
    released: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    Terminate,
    Kill,
}

impl Leader {
    fn signal(&mut self, signal: Signal) {
        if self.reaped {
            return;
        }
        #[cfg(unix)]
        {
            let number = match signal {
                Signal::Terminate => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            if let Some(group) = pid(&self.child) {
                let _ = rustix::process::kill_process_group(group, number);
            }
        }
        if signal == Signal::Kill {
            let _ = self.child.kill();
        }
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.reaped = true;
        self.child.wait()
    }
}

#[cfg(unix)]
fn pid(child: &Child) -> Option<rustix::process::Pid> {
    i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)
}

impl Process {
    fn new(child: Child) -> Self {
        let leader = Mutex::new(Leader { child, reaped: false });
        Self { leader, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leader(&self) -> MutexGuard<'_, Leader> {
        self.leader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the end of what it writes to stderr.
    fn drain(&self, mut stderr: impl Read) {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = read(&mut stderr, &mut buffer) {
            let mut state = self.lock();
            state.stderr.extend(&buffer[..count]);
            let surplus = state.stderr.len().saturating_sub(STDERR_TAIL);
            state.stderr.drain(..surplus);
        }
        self.lock().drained = true;
        self.changed.notify_all();
    }

    /// Waits for its end, ends what it started, and tells.
    fn watch(&self, name: &str) {
        self.await_exit();
        let ended = self.finish();
        self.wait_for(REST, |state| state.drained);
        let mut state = self.lock();
        let stderr: Vec<u8> = state.stderr.iter().copied().collect();
        let reason = ProcessExit::new(name, &ended, String::from_utf8_lossy(&stderr).trim()).to_string();
        state.reason = Some(reason.clone());
        drop(state);
        self.changed.notify_all();
        while !self.wait_for(STUCK, |state| state.released) {
            let on_exit = self.lock().on_exit.take();
            if let Some(mut on_exit) = on_exit {
                if on_exit(&reason) {
                    return;
                }
                self.lock().on_exit = Some(on_exit);
            }
        }
    }

    /// Ends what is left of it.
    fn finish(&self) -> io::Result<ExitStatus> {
        let mut leader = self.leader();
        leader.signal(Signal::Kill);
        leader.reap()
    }

    /// Waits until it has ended, and leaves it to be reaped: until then its number is its
    /// own, and its group can be killed. A thread that waits so needs no handler of
    /// SIGCHLD, which would be the whole program's.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "freebsd"))]
    fn await_exit(&self) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let Some(pid) = pid(&self.leader().child) else { return };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
    }

    /// Waits until it has ended. There is nothing here to wait on without holding the
    /// process, so it is looked at now and then.
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "freebsd")))]
    fn await_exit(&self) {
        loop {
            let mut leader = self.leader();
            if !matches!(leader.child.try_wait(), Ok(None)) {
                leader.reaped = true;
                return;
            }
            drop(leader);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for a state; whether it came in time.
    fn wait_for(&self, limit: Duration, reached: impl Fn(&State) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        while !reached(&state) {
            state = match wait(&self.changed, state, Some(deadline)) {
                Some(state) => state,
                None => return false,
            };
        }
        true
    }

    fn ends(&self) -> bool {
        self.wait_for(GRACE, |state| state.reason.is_some())
    }
}

impl Peer for Process {
    /// Its input is closed by whoever writes to it.
    fn end(&self) {
        self.lock().released = true;
        self.changed.notify_all();
        for signal in [Signal::Terminate, Signal::Kill] {
            if self.ends() {
                return;
            }
            self.leader().signal(signal);
        }
        self.ends();
    }

    fn reason(&self) -> Option<String> {
        self.ends();
        self.lock().reason.clone()
    }

    fn on_exit(&self, call: OnExit) {
        self.lock().on_exit = Some(call);
    }
}
