//! Plays a transcript over a reader and a writer.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, Write};

use super::{Mismatch, Replay, Unfinished};

/// Why a transcript was not played to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The client sent what the transcript does not hold.
    Mismatch(Mismatch),
    /// The client stopped early.
    Unfinished(Unfinished),
    /// Reading or writing failed.
    Io(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(error) => error.fmt(f),
            Self::Unfinished(error) => error.fmt(f),
            Self::Io(error) => write!(f, "the connection to the client failed: {error}"),
        }
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Mismatch(_) | Self::Unfinished(_) => None,
        }
    }
}

impl From<io::Error> for ServeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Plays a transcript over a reader and a writer until the reader ends; flushes
/// whenever the client's turn comes.
///
/// At the first mismatch it answers the request with the mismatch, if it was one, and
/// stops. When the client no longer reads (a broken pipe), its messages are still
/// matched. A client that neither reads nor closes its end blocks the writer, and so
/// this function, as it would stall the real app-server.
///
/// # Errors
///
/// A mismatch, an early end of `input` unless [`partial`](super::Options::partial)
/// allows it, and failures of `input` and `output`.
pub fn serve(replay: &mut Replay, mut input: impl BufRead, output: impl Write) -> Result<(), ServeError> {
    let mut output = Output { writer: output, gone: false };
    output.write(&replay.start())?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return replay.finish().map_err(ServeError::Unfinished);
        }
        // What is not UTF-8 is no JSON: it is received as a line that is no message.
        let text = std::str::from_utf8(&line).unwrap_or_default();
        match replay.receive(text) {
            Ok(lines) => output.write(&lines)?,
            Err(mismatch) => {
                // The mismatch matters more than a client that is gone.
                let _ = mismatch.answer().map(|answer| output.write(&[answer]));
                return Err(ServeError::Mismatch(mismatch));
            }
        }
    }
}

struct Output<W> {
    writer: W,
    /// Whether the client no longer reads.
    gone: bool,
}

impl<W: Write> Output<W> {
    fn write(&mut self, lines: &[String]) -> io::Result<()> {
        if self.gone || lines.is_empty() {
            return Ok(());
        }
        match self.write_all(lines) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn write_all(&mut self, lines: &[String]) -> io::Result<()> {
        for line in lines {
            self.writer.write_all(line.as_bytes())?;
            self.writer.write_all(b"\n")?;
        }
        self.writer.flush()
    }
}
