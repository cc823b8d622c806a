//! The processes of a run: all of them end with it, also those of a run that is stopped.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The processes that are running. A clone is the same set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processes(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    /// Process groups, by the id of their first process.
    groups: BTreeSet<u32>,
}

impl Processes {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills all, and keeps others from being started.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        for group in &state.groups {
            kill_group(*group);
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Starts a process in a group of its own.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Process> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        // Locked, so that nothing starts behind the back of `stop`.
        let mut state = self.lock();
        if state.stopped {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the run was stopped"));
        }
        let child = command.spawn()?;
        state.groups.insert(child.id());
        Ok(Process { child, among: self.clone() })
    }
}

/// A process; it ends, with its group, when this is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    among: Processes,
}

impl Process {
    /// Whether its run was stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.among.is_stopped()
    }

    /// Kills the process, with all of its group, and reaps it.
    pub(crate) fn end(&mut self) {
        kill_group(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        self.among.lock().groups.remove(&self.child.id());
    }
}

#[cfg(unix)]
fn kill_group(id: u32) {
    if let Some(group) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_: u32) {}

/// Kills the processes that left their group and still have this folder as the value of
/// `CODEX_HOME`, and waits until they are gone, so that the folder can be removed. On
/// Linux; elsewhere there is no way to know them.
pub(crate) fn end_strays(codex_home: &Path) {
    #[cfg(target_os = "linux")]
    {
        use std::time::Duration;

        // 2 s: a killed process is gone as soon as the system gets to it.
        for _ in 0..400 {
            if !linux::kill_those_with(codex_home) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = codex_home;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    /// Whether there were any.
    pub(super) fn kill_those_with(codex_home: &Path) -> bool {
        let variable = [b"CODEX_HOME=", codex_home.as_os_str().as_bytes()].concat();
        let mut any = false;
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
            let has = || {
                let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|found| found == variable)
            };
            // The first look is cheap; the second, with the process held, is sure that the
            // id was not given to another.
            if !has() {
                continue;
            }
            let Some(Ok(held)) = Pid::from_raw(id).map(|id| pidfd_open(id, PidfdFlags::empty())) else { continue };
            if has() {
                any = true;
                let _ = pidfd_send_signal(&held, Signal::KILL);
            }
        }
        any
    }
}
