//! Lines of a limited length.

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How much of a line that is too long is kept: 1 KiB.
const KEPT: usize = 1024;

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    /// Only how it begins, and how long it is.
    TooLong(Vec<u8>, usize),
}

/// Reads lines. Nothing is lost when [`next`](Self::next) is dropped before its end.
pub(super) struct Lines<R> {
    source: R,
    limit: usize,
    buffer: Vec<u8>,
    /// How much of `buffer` has no newline.
    searched: usize,
    /// The length of what was thrown away of a line that is too long.
    skipped: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(source: R, limit: usize) -> Self {
        Self { source, limit, buffer: Vec::new(), searched: 0, skipped: 0, ended: false }
    }

    /// The next line; none at the end, or when the pipe can't be read.
    pub(super) async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(at) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let end = self.searched + at;
                let rest = self.buffer.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Some(self.finish(line));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > self.limit {
                let kept = KEPT.min(self.limit);
                self.skipped += self.buffer.len() - kept;
                self.buffer.truncate(kept);
                self.searched = kept;
            }
            if self.ended {
                let line = std::mem::take(&mut self.buffer);
                return (!line.is_empty()).then(|| self.finish(line));
            }
            self.buffer.reserve(8 * 1024);
            match self.source.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => self.ended = true,
                Ok(_) => {}
            }
        }
    }

    fn finish(&mut self, mut line: Vec<u8>) -> Line {
        self.searched = 0;
        let length = line.len() + std::mem::take(&mut self.skipped);
        if length > self.limit {
            line.truncate(KEPT.min(self.limit));
            return Line::TooLong(line, length);
        }
        Line::Whole(line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines};

    async fn lines(text: &str, limit: usize) -> Vec<Line> {
        let mut lines = Lines::new(text.as_bytes(), limit);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await {
            all.push(line);
        }
        all
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.into())
    }

    #[tokio::test]
    async fn lines_are_split_and_the_last_needs_no_newline() {
        assert_eq!(lines("a\n\nbc", 9).await, [whole("a"), whole(""), whole("bc")]);
        assert_eq!(lines("", 9).await, []);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_told_of_and_the_next_one_is_whole() {
        let long = "x".repeat(100_000);
        let text = format!("abcd\n{long}\nabcd\nabcde\n");
        let abcde = Line::TooLong("abcd".into(), 5);
        assert_eq!(lines(&text, 4).await, [whole("abcd"), Line::TooLong("xxxx".into(), 100_000), whole("abcd"), abcde]);
        assert_eq!(lines(&long, 4).await, [Line::TooLong("xxxx".into(), 100_000)]);
        assert_eq!(lines(&format!("{long}\n"), 100_000).await, [whole(&long)]);
    }
}
