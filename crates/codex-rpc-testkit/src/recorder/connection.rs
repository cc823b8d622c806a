//! One process and the two pipes to it; what passes is logged in order.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wait_timeout::ChildExt as _;

use super::processes::{Process, Processes, end_strays};
use crate::recording::Entry;
use crate::transcript::From;

/// How much of stderr is kept: 8 KiB.
const STDERR: usize = 8 * 1024;
/// How long a process may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often it is looked whether the run was stopped.
const LOOK: Duration = Duration::from_millis(50);
/// How long what a process wrote may take to be read after its end. Only a process that
/// is out of reach, and holds the pipes, makes it longer than no time.
const DRAIN: Duration = Duration::from_secs(2);

/// What was said, in the order in which it was seen.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Entry>>>);

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what came since there were `length` entries, but for what `keep` says.
    pub(super) fn retain_since(&self, length: usize, keep: impl Fn(&Entry) -> bool) {
        let mut log = self.lock();
        let length = length.min(log.len());
        let since = log.split_off(length);
        log.extend(since.into_iter().filter(keep));
    }

    /// Adds an entry.
    pub(super) fn push(&self, entry: Entry) {
        self.lock().push(entry);
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }
}

/// What came from a process.
pub(super) enum Event {
    Line(String),
    /// A line that is no UTF-8.
    Garbage(String),
    End,
}

pub(super) struct Connection {
    process: Process,
    /// The `CODEX_HOME` of the process.
    home: Option<PathBuf>,
    stdin: Option<ChildStdin>,
    events: Receiver<Event>,
    log: Log,
    number: u32,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    /// Ends when both pipes have been read to their end.
    readers: Receiver<()>,
}

impl Connection {
    /// Starts `command`, the `number`th process of the recording; `home` is its
    /// `CODEX_HOME`.
    pub(super) fn start(
        mut command: Command,
        home: Option<PathBuf>,
        log: Log,
        number: u32,
        among: &Processes,
    ) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = among.spawn(&mut command)?;
        let (sender, events) = mpsc::channel();
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let (reading, readers): (Sender<()>, _) = mpsc::channel();
        if let Some(stdout) = process.child.stdout.take() {
            let (log, reading) = (log.clone(), reading.clone());
            thread::spawn(move || {
                let _reading = reading;
                for line in BufReader::new(stdout).split(b'\n') {
                    let Ok(bytes) = line else { break };
                    let event = match String::from_utf8(bytes) {
                        Ok(text) => {
                            log.lock().push(Entry { from: From::Server, process: number, text: text.clone() });
                            Event::Line(text)
                        }
                        Err(error) => Event::Garbage(error.to_string()),
                    };
                    if sender.send(event).is_err() {
                        break;
                    }
                }
                let _ = sender.send(Event::End);
            });
        }
        if let Some(stderr) = process.child.stderr.take() {
            let tail = Arc::clone(&tail);
            thread::spawn(move || {
                let _reading = reading;
                keep_tail(stderr, &tail);
            });
        }
        let stdin = process.child.stdin.take();
        Ok(Self { process, home, stdin, events, log, number, stderr: tail, readers })
    }

    /// Writes a line; `recorded` says whether the log has it.
    pub(super) fn write(&mut self, line: &str, recorded: bool) -> io::Result<()> {
        let Some(stdin) = &mut self.stdin else { return Err(io::ErrorKind::BrokenPipe.into()) };
        // The log is held while the line is written, so that no answer comes before it.
        let mut log = self.log.lock();
        if recorded {
            log.push(Entry { from: From::Client, process: self.number, text: line.to_owned() });
        }
        stdin.write_all(line.as_bytes())?;
        stdin.write_all(b"\n")?;
        stdin.flush()
    }

    /// What comes until `deadline`. A run that is stopped is an end: what left the process
    /// group lives on until this is dropped, and may keep the pipe open.
    pub(super) fn next(&self, deadline: Instant) -> Option<Event> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left.min(LOOK)) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Disconnected) => return Some(Event::End),
                Err(RecvTimeoutError::Timeout) if self.process.is_stopped() => return Some(Event::End),
                Err(RecvTimeoutError::Timeout) if left <= LOOK => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// The end of what the process wrote to stderr.
    pub(super) fn stderr(&self) -> String {
        let tail = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail.iter().copied().collect::<Vec<u8>>()).trim().to_owned()
    }

    /// Closes stdin and waits for the end; says how the process ended if not well.
    pub(super) fn stop(mut self) -> Result<(), String> {
        self.stdin = None;
        match self.process.child.wait_timeout(PATIENCE) {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(format!("the app-server ended with {status} after its stdin was closed")),
            Ok(None) => Err(format!("the app-server did not end within {PATIENCE:?} after its stdin was closed")),
            Err(error) => Err(format!("the app-server can't be waited for: {error}")),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stdin = None;
        self.process.end();
        if let Some(home) = &self.home {
            end_strays(home);
        }
        // Nothing is ever sent: it ends when the readers do.
        let _ = self.readers.recv_timeout(DRAIN);
    }
}

fn keep_tail(mut stderr: impl Read, tail: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(read) = stderr.read(&mut buffer) {
        if read == 0 {
            break;
        }
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(&buffer[..read]);
        let surplus = tail.len().saturating_sub(STDERR);
        tail.drain(..surplus);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::{Connection, Event, Log};
    use crate::recorder::Processes;

    #[test]
    fn a_run_that_is_stopped_does_not_wait_for_one_that_left_its_group_and_holds_the_pipe() {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", "setsid sh -c 'echo here; sleep 1000' & wait"]).env("CODEX_HOME", home.path());
        let processes = Processes::default();
        let connection = Connection::start(command, Some(home.path().to_owned()), Log::default(), 1, &processes);
        let connection = connection.expect("it starts");
        // Long enough for any machine.
        let later = || Instant::now() + Duration::from_secs(60);
        assert!(matches!(connection.next(later()), Some(Event::Line(line)) if line == "here"));
        processes.stop();
        assert!(matches!(connection.next(later()), Some(Event::End)));
    }
}
