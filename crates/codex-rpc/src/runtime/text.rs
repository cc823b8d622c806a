//! The quick road for JSON text.
//!
//! What must always hold: it reads what serde_json reads, and to the same values,
//! or it fails. It does not say why: the text is then read again by serde_json,
//! whose word is the last on what is wrong and where. So there is little to know
//! here: how members follow one another, strings, natural numbers.
//! Other numbers, escaped code points and JSON of any shape are left to serde_json
//! at once.
//!
//! Why: a member's name is mostly the next one of the table, and is then compared
//! where it stands instead of being scanned, borrowed and looked up, and no value
//! needs a visitor. Over serde_json's own deserializer a message takes 1.6 times as
//! long.

mod input;
#[cfg(test)]
mod tests;

use serde::de::{DeserializeOwned, IgnoredAny};

use super::input::{Done, Failed, Read};
use super::record::{Fields, OTHER};

/// Most strings end before that many bytes.
pub(super) const NEAR: usize = 64;

/// As deep as serde_json goes.
const DEEPEST: usize = 127;

/// A place in a JSON text.
pub(super) struct Text<'a> {
    json: &'a str,
    at: usize,
    /// How many levels may still be opened.
    levels: usize,
    /// Whether it gave up on something that serde_json may still read.
    unsure: bool,
}

/// How reading a whole text went.
pub(super) enum Outcome {
    Read,
    /// The text is no JSON, or of another shape.
    Unfit,
    /// Serde_json must be asked.
    Unsure,
}

/// The tag of a union whose other members are being read.
struct Tag {
    name: &'static str,
    /// Whether it is still to come and to be skipped.
    ahead: bool,
}

/// A string as it stands in the text or without its escapes.
enum Chars<'a> {
    Plain(&'a str),
    Unescaped(String),
}

impl Chars<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(text) => text,
        }
    }

    fn into_string(self) -> String {
        match self {
            Self::Plain(text) => text.to_owned(),
            Self::Unescaped(text) => text,
        }
    }
}

impl<'a> Text<'a> {
    /// Reads a whole text.
    pub(super) fn read(text: &'a str, read: Read<'_>) -> Outcome {
        let mut input = Self { json: text, at: 0, levels: DEEPEST, unsure: false };
        match read(&mut input) {
            Ok(()) if input.peek().is_none() => Outcome::Read,
            _ if input.unsure => Outcome::Unsure,
            _ => Outcome::Unfit,
        }
    }

    #[cold]
    fn give_up(&mut self) -> Failed {
        self.unsure = true;
        Failed
    }

    fn bytes(&self) -> &'a [u8] {
        self.json.as_bytes()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Done {
        if self.peek() != Some(byte) {
            return Err(Failed);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Done {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(Failed);
        }
        self.at += word.len();
        Ok(())
    }

    fn open(&mut self, bracket: u8) -> Done {
        self.expect(bracket)?;
        if self.levels == 0 {
            return Err(self.give_up());
        }
        self.levels -= 1;
        Ok(())
    }

    fn close(&mut self) {
        self.at += 1;
        self.levels += 1;
    }

    /// Steps to the next item, if there is one. `first` says that none was before.
    #[inline]
    fn next(&mut self, first: bool, end: u8) -> Result<bool, Failed> {
        match self.peek() {
            Some(byte) if byte == end => {
                self.close();
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if first => Ok(true),
            _ => Err(Failed),
        }
    }

    fn chars(&mut self) -> Result<Chars<'a>, Failed> {
        self.expect(b'"')?;
        let start = self.at;
        let near = self.bytes().get(..start + NEAR).unwrap_or(self.bytes());
        let mut end = special(near, start);
        if end == start + NEAR {
            end = special_far(self.bytes(), end);
        }
        if self.bytes().get(end) != Some(&b'"') {
            return self.unescape(start);
        }
        self.at = end + 1;
        self.json.get(start..end).map(Chars::Plain).ok_or(Failed)
    }

    /// A string with escapes; those of code points are left to serde_json.
    fn unescape(&mut self, start: usize) -> Result<Chars<'a>, Failed> {
        // No longer than what is quoted, so that it need not grow.
        let mut text = String::with_capacity(quote(self.bytes(), start).ok_or(Failed)? - start);
        let mut from = start;
        loop {
            let at = special_far(self.bytes(), from);
            text.push_str(self.json.get(from..at).ok_or(Failed)?);
            if self.bytes().get(at) == Some(&b'"') {
                self.at = at + 1;
                return Ok(Chars::Unescaped(text));
            }
            text.push(match self.bytes().get(at..at + 2) {
                Some(br"\n") => '\n',
                Some(br"\t") => '\t',
                Some(br"\r") => '\r',
                Some(br"\b") => '\u{8}',
                Some(br"\f") => '\u{c}',
                Some([b'\\', same @ (b'"' | b'\\' | b'/')]) => char::from(*same),
                Some(br"\u") => return self.unescape_by_serde(start),
                _ => return Err(Failed),
            });
            from = at + 2;
        }
    }

    fn unescape_by_serde(&mut self, start: usize) -> Result<Chars<'a>, Failed> {
        let end = quote(self.bytes(), start).ok_or(Failed)?;
        self.at = end + 1;
        parse(self.json.get(start - 1..=end).ok_or(Failed)?).map(Chars::Unescaped)
    }

    fn key(&mut self) -> Result<Chars<'a>, Failed> {
        let key = self.chars()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Steps over a key and its colon if it is this one.
    #[inline]
    fn eat_key(&mut self, key: &str) -> bool {
        if self.peek() != Some(b'"') {
            return false;
        }
        let Some(after) = after_prefix(self.rest().get(1..).unwrap_or_default(), key.as_bytes()) else { return false };
        let [b'"', b':', ..] = after else { return false };
        self.at += key.len() + 3;
        true
    }

    /// Steps over a key and its colon: its place in the table, or else itself. It is
    /// looked for from where the one before was found.
    #[inline]
    fn member(&mut self, keys: &[&str], next: usize) -> Result<Result<usize, Chars<'a>>, Failed> {
        if keys.get(next).is_some_and(|key| self.eat_key(key)) {
            return Ok(Ok(next));
        }
        let key = self.key()?;
        let name = key.as_str();
        let (before, after) = keys.split_at_checked(next).unwrap_or((keys, &[]));
        let find = |keys: &[&str]| keys.iter().position(|key| *key == name);
        let index = find(after).map(|index| index + next).or_else(|| find(before));
        Ok(index.ok_or(key))
    }

    /// Reads members up to the end of the object; a bit tells for each whether it was
    /// there.
    fn members(
        &mut self,
        keys: &'static [&'static str],
        mut tag: Option<Tag>,
        fields: &mut dyn Fields,
    ) -> Result<u128, Failed> {
        let mut seen = 0_u128;
        let mut next = 0;
        let mut first = tag.as_ref().is_none_or(|tag| tag.ahead);
        while self.next(first, b'}')? {
            first = false;
            let index = match self.member(keys, next)? {
                Ok(index) => index,
                Err(name) => {
                    match &mut tag {
                        Some(tag) if tag.name == name.as_str() => self.skip_tag(tag)?,
                        _ => fields.read(OTHER, name.as_str(), self)?,
                    }
                    continue;
                }
            };
            let bit = 1 << index;
            if seen & bit != 0 {
                return Err(Failed);
            }
            seen |= bit;
            fields.read(index, "", self)?;
            next = index + 1;
        }
        Ok(seen)
    }

    fn skip_tag(&mut self, tag: &mut Tag) -> Done {
        if !tag.ahead {
            return Err(Failed);
        }
        tag.ahead = false;
        self.chars().map(|_| ())
    }

    /// The value of a tag that does not come first. Ends where it began.
    #[cold]
    fn find_tag(&mut self, name: &str) -> Result<Chars<'a>, Failed> {
        let start = self.at;
        let mut first = true;
        while self.next(first, b'}')? {
            first = false;
            if self.key()?.as_str() == name {
                let tag = self.chars()?;
                self.at = start;
                return Ok(tag);
            }
            self.peek();
            self.value::<IgnoredAny>()?;
        }
        Err(Failed)
    }

    /// A number's text, which may still be wrong.
    fn number(&mut self) -> Result<&'a str, Failed> {
        let start = self.at;
        let length =
            self.rest().iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        self.at = length.map_or(self.json.len(), |length| start + length);
        self.json.get(start..self.at).ok_or(Failed)
    }

    /// A natural number of the usual size, if that is what stands here.
    #[inline]
    fn natural(&mut self) -> Option<u64> {
        let (mut number, mut digits) = (0, 0);
        let mut rest = self.rest().iter();
        let end = loop {
            match rest.next() {
                Some(digit @ b'0'..=b'9') => number = number * 10 + u64::from(digit - b'0'),
                end => break end,
            }
            digits += 1;
            // More digits than that may not fit.
            if digits > 18 {
                return None;
            }
        };
        let zeros_first = digits > 1 && self.rest().first() == Some(&b'0');
        if digits == 0 || zeros_first || matches!(end, Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.at += digits;
        Some(number)
    }

    /// JSON of any shape, as serde_json reads it, and its text.
    fn value<T: DeserializeOwned>(&mut self) -> Result<(T, &'a [u8]), Failed> {
        let rest = self.json.get(self.at..).ok_or(Failed)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let Some(Ok(value)) = values.next() else { return Err(Failed) };
        let read = rest.as_bytes().get(..values.byte_offset()).ok_or(Failed)?;
        self.at += read.len();
        Ok((value, read))
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failed> {
    serde_json::from_str(text).map_err(|_| Failed)
}

/// What follows a prefix. Names are too short for a call to be worth its while.
#[inline]
fn after_prefix<'a>(mut bytes: &'a [u8], mut prefix: &[u8]) -> Option<&'a [u8]> {
    while let Some((word, others)) = prefix.split_first_chunk::<8>() {
        let (same, rest) = bytes.split_first_chunk::<8>()?;
        if same != word {
            return None;
        }
        (prefix, bytes) = (others, rest);
    }
    for byte in prefix {
        let (same, rest) = bytes.split_first()?;
        if same != byte {
            return None;
        }
        bytes = rest;
    }
    Some(bytes)
}

/// Where the quote stands that ends a string.
fn quote(bytes: &[u8], start: usize) -> Option<usize> {
    let mut from = start;
    loop {
        let end = from + memchr::memchr(b'"', bytes.get(from..)?)?;
        let backslashes = bytes.get(start..end)?.iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(end);
        }
        from = end + 1;
    }
}

/// Where the next quote, backslash or control character stands, or the end.
#[inline]
pub(super) fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        if let Some(place) = special_in(u64::from_le_bytes(*chunk)) {
            return at + place;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.is_empty() {
        return at;
    }
    let Some(chunk) = bytes.last_chunk() else {
        return at + rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')).unwrap_or(rest.len());
    };
    // What is shifted in is zeros, and those are control characters.
    let word = u64::from_le_bytes(*chunk) >> (8 * (8 - rest.len()));
    at + special_in(word).unwrap_or(rest.len())
}

/// The same, for long text: block by block up to one with such a byte, of which the
/// compiler makes vector instructions.
#[inline(never)]
pub(super) fn special_far(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        let hits = block.iter().map(|byte| u8::from(*byte < 0x20) | u8::from(*byte == b'"') | u8::from(*byte == b'\\'));
        if hits.fold(0, |all, hit| all | hit) != 0 {
            break;
        }
        at += 32;
    }
    special(bytes, at)
}

/// The first such byte in a word.
#[inline]
fn special_in(word: u64) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    // Mycroft's test for a byte below another one. A byte above a hit may be wrongly
    // hit, too; the first one never is.
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let equals = |byte: u8| {
        let difference = word ^ (ONES * u64::from(byte));
        difference.wrapping_sub(ONES) & !difference
    };
    let hits = (control | equals(b'"') | equals(b'\\')) & (ONES << 7);
    (hits != 0).then(|| hits.trailing_zeros() as usize / 8)
}
