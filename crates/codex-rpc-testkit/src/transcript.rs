//! Recorded sessions: JSON Lines.
//!
//! The first line may be a header, `{"transcript": 1, "codex": "0.169.0",
//! "scenario": "…"}`; then comes a line a message, in the order that the recorder
//! saw them: `{"from": "client" | "server", "message": {…}}`. A recording of several
//! processes numbers them: `"process": 2`, 1 where it is left out. Other members are
//! ignored.

use std::fmt;
use std::io::{self, BufRead, Read as _};

use serde::Deserialize;
use serde_json::value::RawValue;

/// A longer line is reported and passed over: 32 MiB.
pub const LONGEST_LINE: u64 = 32 * 1024 * 1024;

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum From {
    /// The client.
    Client,
    /// The app-server.
    Server,
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// The first line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Header {
    /// The version of the format: 1.
    pub transcript: u32,
    /// The codex release that was recorded.
    pub codex: Option<String>,
    /// What was recorded.
    pub scenario: Option<String>,
}

/// What a line holds.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the format has these")]
pub enum Line {
    /// The header.
    Header(Header),
    /// A message.
    Message {
        /// Who sent it.
        from: From,
        /// Which process of the app-server it was, from 1; 1 if the line doesn't say.
        process: u32,
        /// The message's text, as it was recorded.
        message: Box<RawValue>,
    },
    /// Nothing that can be read: the reason.
    Unreadable(String),
}

#[derive(Deserialize)]
struct Entry {
    from: From,
    #[serde(default = "first")]
    process: u32,
    message: Box<RawValue>,
}

fn first() -> u32 {
    1
}

enum Next {
    End,
    Blank,
    Line(Line),
}

/// Reads a transcript; yields line numbers, from 1, and what the lines hold. Blank
/// lines are passed over.
pub struct Reader<R> {
    input: R,
    number: usize,
    messages: usize,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self { input, number: 0, messages: 0, ended: false }
    }

    /// The next line.
    fn line(&mut self) -> io::Result<Next> {
        let mut bytes = Vec::new();
        (&mut self.input).take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(Next::End);
        }
        self.number += 1;
        if bytes.last() != Some(&b'\n') && bytes.len() as u64 == LONGEST_LINE {
            let more = self.skip_line()?;
            let length = bytes.len() as u64 + more;
            return Ok(Next::Line(Line::Unreadable(format!(
                "the line has {length} bytes; {LONGEST_LINE} are the most"
            ))));
        }
        if bytes.trim_ascii().is_empty() {
            return Ok(Next::Blank);
        }
        Ok(Next::Line(self.parse(&bytes)))
    }

    /// Passes over the rest of a line without keeping it.
    fn skip_line(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            skipped += used as u64;
            let done = end.is_some() || buffer.is_empty();
            self.input.consume(used);
            if done {
                return Ok(skipped);
            }
        }
    }

    fn parse(&mut self, bytes: &[u8]) -> Line {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return Line::Unreadable(format!("not UTF-8: {error}")),
        };
        if self.messages == 0
            && let Ok(header) = serde_json::from_str::<Header>(text)
        {
            return Line::Header(header);
        }
        match serde_json::from_str::<Entry>(text) {
            Ok(entry) => {
                self.messages += 1;
                Line::Message { from: entry.from, process: entry.process, message: entry.message }
            }
            Err(error) => {
                let torn = if error.is_eof() && !bytes.ends_with(b"\n") { "; the line is torn off" } else { "" };
                Line::Unreadable(format!("not a line of a transcript: {error}{torn}"))
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = (usize, Line);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.line() {
                Ok(Next::End) => self.ended = true,
                Ok(Next::Blank) => {}
                Ok(Next::Line(line)) => return Some((self.number, line)),
                Err(error) => {
                    self.ended = true;
                    return Some((self.number + 1, Line::Unreadable(format!("can't be read: {error}"))));
                }
            }
        }
        None
    }
}
