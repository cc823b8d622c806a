//! From bytes to lines.

use std::collections::VecDeque;

use memchr::memchr;

/// Cuts a stream of bytes into lines. A line that is longer than the limit is passed
/// over without being kept.
#[derive(Debug)]
pub(crate) struct LineSplitter {
    limit: usize,
    partial: Vec<u8>,
    /// How many bytes of a line that is too long were passed over.
    skipped: Option<usize>,
    lines: VecDeque<Line>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Text(Vec<u8>),
    /// A line of so many bytes.
    TooLong(usize),
}

impl LineSplitter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, partial: Vec::new(), skipped: None, lines: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.extend(&bytes[..end]);
            self.end_line();
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes);
    }

    pub(crate) fn next(&mut self) -> Option<Line> {
        self.lines.pop_front()
    }

    /// What stands after the last line break, at the end of the stream.
    pub(crate) fn rest(&mut self) -> Option<Line> {
        if self.skipped.is_some() || !self.partial.is_empty() {
            self.end_line();
        }
        self.lines.pop_front()
    }

    fn extend(&mut self, bytes: &[u8]) {
        if let Some(skipped) = &mut self.skipped {
            *skipped += bytes.len();
        } else if self.partial.len() + bytes.len() > self.limit {
            self.skipped = Some(self.partial.len() + bytes.len());
            self.partial = Vec::new();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) {
        let line = match self.skipped.take() {
            Some(skipped) => Line::TooLong(skipped),
            None => Line::Text(std::mem::take(&mut self.partial)),
        };
        self.lines.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, LineSplitter};

    fn lines(limit: usize, pieces: &[&[u8]]) -> Vec<Line> {
        let mut splitter = LineSplitter::new(limit);
        let mut lines = Vec::new();
        for piece in pieces {
            splitter.push(piece);
            lines.extend(std::iter::from_fn(|| splitter.next()));
        }
        lines.extend(std::iter::from_fn(|| splitter.rest()));
        lines
    }

    fn text(text: &str) -> Line {
        Line::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_are_cut() {
        let bytes = b"one\n\ntwo\r\nthree";
        let whole = lines(100, &[bytes]);
        assert_eq!(whole, [text("one"), text(""), text("two\r"), text("three")]);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(lines(100, &single), whole);
    }

    #[test]
    fn a_line_over_the_limit_is_counted_and_the_next_one_is_read() {
        assert_eq!(lines(4, &[b"12345678", b"9\nok\n", b"1234\n"]), [Line::TooLong(9), text("ok"), text("1234")]);
        assert_eq!(lines(4, &[b"ab\n", b"123456"]), [text("ab"), Line::TooLong(6)]);
    }
}
