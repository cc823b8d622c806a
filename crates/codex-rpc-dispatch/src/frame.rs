//! From bytes to lines.

use std::collections::VecDeque;

use memchr::memchr;

/// Cuts a stream of bytes into lines. A line that is longer than the limit is passed
/// over without being kept.
///
/// All lines that wait share one buffer: a burst of messages costs no allocation a line.
#[derive(Debug)]
pub(crate) struct LineSplitter {
    limit: usize,
    /// The lines that wait, without their breaks, and what came of the next one.
    bytes: Vec<u8>,
    /// How many bytes were given out.
    taken: usize,
    /// Where the line begins that has no end yet.
    partial: usize,
    /// How many bytes of a line that is too long were passed over.
    skipped: Option<usize>,
    lines: VecDeque<End>,
}

/// How a line ended that waits.
#[derive(Debug)]
enum End {
    /// Here in the buffer.
    At(usize),
    TooLong(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Text(&'a [u8]),
    /// A line of so many bytes.
    TooLong(usize),
}

impl<'a> Line<'a> {
    /// A frame of a transport that has frames.
    pub(crate) fn of_frame(frame: &'a [u8], limit: usize) -> Self {
        if frame.len() > limit { Self::TooLong(frame.len()) } else { Self::Text(frame) }
    }
}

/// A buffer that grew beyond this for a long line is given back after it.
const KEPT: usize = 256 * 1024;

impl LineSplitter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), taken: 0, partial: 0, skipped: None, lines: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        self.release();
        while let Some(end) = memchr(b'\n', bytes) {
            self.extend(&bytes[..end]);
            self.end_line();
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes);
    }

    pub(crate) fn next(&mut self) -> Option<Line<'_>> {
        match self.lines.pop_front()? {
            End::At(end) => {
                let start = std::mem::replace(&mut self.taken, end);
                Some(Line::Text(&self.bytes[start..end]))
            }
            End::TooLong(length) => Some(Line::TooLong(length)),
        }
    }

    /// What stands after the last line break, at the end of the stream.
    pub(crate) fn rest(&mut self) -> Option<Line<'_>> {
        if self.skipped.is_some() || self.bytes.len() > self.partial {
            self.end_line();
        }
        self.next()
    }

    /// Gives up what was given out, once no line waits before the one without an end: so
    /// each byte is moved once at most.
    fn release(&mut self) {
        if self.taken == 0 || !self.lines.is_empty() {
            return;
        }
        if self.bytes.capacity() > KEPT {
            self.bytes = self.bytes[self.taken..].to_vec();
        } else {
            self.bytes.drain(..self.taken);
        }
        self.partial -= self.taken;
        self.taken = 0;
    }

    fn extend(&mut self, bytes: &[u8]) {
        let length = self.bytes.len() - self.partial + bytes.len();
        if let Some(skipped) = &mut self.skipped {
            *skipped += bytes.len();
        } else if length > self.limit {
            self.skipped = Some(length);
            self.bytes.truncate(self.partial);
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) {
        let end = match self.skipped.take() {
            Some(skipped) => End::TooLong(skipped),
            None => End::At(self.bytes.len()),
        };
        self.partial = self.bytes.len();
        self.lines.push_back(end);
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, LineSplitter};

    /// The lines as text, or how long they were. Taken piece by piece, or all at the end.
    fn lines(limit: usize, pieces: &[&[u8]], at_once: bool) -> Vec<Result<String, usize>> {
        let owned = |line: Line<'_>| match line {
            Line::Text(text) => Ok(String::from_utf8_lossy(text).into_owned()),
            Line::TooLong(length) => Err(length),
        };
        let mut splitter = LineSplitter::new(limit);
        let mut lines = Vec::new();
        for piece in pieces {
            splitter.push(piece);
            if at_once {
                while let Some(line) = splitter.next() {
                    lines.push(owned(line));
                }
            }
        }
        while let Some(line) = splitter.rest() {
            lines.push(owned(line));
        }
        lines
    }

    #[expect(clippy::unnecessary_wraps, reason = "a line is one of both")]
    fn text(text: &str) -> Result<String, usize> {
        Ok(text.to_owned())
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_are_cut_and_whenever_they_are_taken() {
        let bytes = b"one\n\ntwo\r\nthree";
        let whole = lines(100, &[bytes], true);
        assert_eq!(whole, [text("one"), text(""), text("two\r"), text("three")]);
        for at_once in [false, true] {
            for size in 1..bytes.len() {
                let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
                assert_eq!(lines(100, &pieces, at_once), whole, "pieces of {size}");
            }
        }
    }

    #[test]
    fn a_line_over_the_limit_is_counted_and_the_next_one_is_read() {
        for at_once in [false, true] {
            let found = lines(4, &[b"1234\n12345678", b"9\nok\n", b"1234\n"], at_once);
            assert_eq!(found, [text("1234"), Err(9), text("ok"), text("1234")]);
            assert_eq!(lines(4, &[b"ab\n", b"123456"], at_once), [text("ab"), Err(6)]);
        }
    }

    #[test]
    fn memory_of_a_long_line_is_given_back() {
        let mut splitter = LineSplitter::new(1 << 24);
        splitter.push(&vec![b'a'; 1 << 22]);
        splitter.push(b"\nb");
        assert!(matches!(splitter.next(), Some(Line::Text(line)) if line.len() == 1 << 22));
        splitter.push(b"c\n");
        assert!(splitter.bytes.capacity() < 1 << 10, "{} bytes are held", splitter.bytes.capacity());
        assert_eq!(splitter.next(), Some(Line::Text(b"bc")));
    }
}
