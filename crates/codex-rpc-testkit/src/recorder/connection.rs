//! One process and the two pipes to it; what passes is logged in order.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wait_timeout::ChildExt as _;

use crate::recording::Entry;
use crate::transcript::From;

/// How much of stderr is kept: 8 KiB.
const STDERR: usize = 8 * 1024;
/// How long a process may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(8);

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
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Event>,
    log: Log,
    process: u32,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Connection {
    /// Starts `command`, the `process`th of the recording.
    pub(super) fn start(mut command: Command, log: Log, process: u32) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (sender, events) = mpsc::channel();
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let log = log.clone();
            readers.push(thread::spawn(move || {
                for line in BufReader::new(stdout).split(b'\n') {
                    let Ok(bytes) = line else { break };
                    let event = match String::from_utf8(bytes) {
                        Ok(text) => {
                            log.lock().push(Entry { from: From::Server, process, text: text.clone() });
                            Event::Line(text)
                        }
                        Err(error) => Event::Garbage(error.to_string()),
                    };
                    if sender.send(event).is_err() {
                        break;
                    }
                }
                let _ = sender.send(Event::End);
            }));
        }
        if let Some(stderr) = child.stderr.take() {
            let tail = Arc::clone(&tail);
            readers.push(thread::spawn(move || keep_tail(stderr, &tail)));
        }
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, events, log, process, stderr: tail, readers })
    }

    /// Writes a line; `recorded` says whether the log has it.
    pub(super) fn write(&mut self, line: &str, recorded: bool) -> io::Result<()> {
        let Some(stdin) = &mut self.stdin else { return Err(io::ErrorKind::BrokenPipe.into()) };
        // The log is held while the line is written, so that no answer comes before it.
        let mut log = self.log.lock();
        if recorded {
            log.push(Entry { from: From::Client, process: self.process, text: line.to_owned() });
        }
        stdin.write_all(line.as_bytes())?;
        stdin.write_all(b"\n")?;
        stdin.flush()
    }

    /// What comes until `deadline`.
    pub(super) fn next(&self, deadline: Instant) -> Option<Event> {
        match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::End),
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
        match self.child.wait_timeout(PATIENCE) {
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
        end(&mut self.child);
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

/// Kills a process, with all that it started, and reaps it.
pub(crate) fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Ok(pid) = i32::try_from(child.id())
        && let Some(group) = rustix::process::Pid::from_raw(pid)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
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
