//! Runs a program for what it writes.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wait_timeout::ChildExt as _;

use super::processes::{Processes, end_strays};

/// As much of each pipe as is kept: 1 MiB.
const MOST: u64 = 1 << 20;
/// How long what was written may take to be read after the end.
const DRAIN: Duration = Duration::from_secs(2);

/// How a program ended.
pub(crate) struct Output {
    /// None if it did not end in time; it was killed then.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end, `limit` at most. Nothing that it started is left; what has
/// left its process group is known by `codex_home`, the value that the command gives to
/// `CODEX_HOME`.
pub(crate) fn of(
    command: &mut Command,
    limit: Duration,
    codex_home: Option<&Path>,
    among: &Processes,
) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = among.spawn(command)?;
    let stdout = drain(process.child.stdout.take());
    let stderr = drain(process.child.stderr.take());
    let ended = process.child.wait_timeout(limit);
    // All that it started, too, so that the pipes end.
    process.end();
    if let Some(home) = codex_home {
        end_strays(home);
    }
    let text = |pipe: mpsc::Receiver<Vec<u8>>| {
        let bytes = pipe.recv_timeout(DRAIN).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Output { status: ended?, stdout: text(stdout), stderr: text(stderr) })
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(MOST).read_to_end(&mut bytes);
            // Read on, so that a talkative program is not stopped by a full pipe.
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        let _ = sender.send(bytes);
    });
    receiver
}
