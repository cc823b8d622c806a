//! Where a value is written to.
//!
//! What must always hold: what is written is the same JSON as what the type's
//! `Serialize` gives to serde_json, which is this same code with a serializer at its
//! end.
//!
//! Why: a `String` that only strings are put into needs no check for UTF-8; a
//! member's name needs no look for what must be escaped; and a type's encoding is
//! compiled once, not once for every serializer.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::encode::Encode;
use super::sink::Sink;
use super::text::{NEAR, special, special_far};
use crate::{Extra, Map, RawJson, Tristate};

/// One value that waits to be written: as JSON text, or to a serializer.
pub struct Output<'a> {
    text: String,
    sink: Option<&'a mut dyn Sink>,
    /// Whether the next object has begun, with the tag of a union.
    begun: bool,
}

/// The name in a member's key, which is `,"name":`.
fn name(key: &'static str) -> &'static str {
    key.get(2..key.len() - 2).unwrap_or_default()
}

impl<'a> Output<'a> {
    /// Appends JSON to a text.
    pub(crate) fn new(text: String) -> Self {
        Self { text, sink: None, begun: false }
    }

    /// Writes to a serializer.
    pub(super) fn to(sink: &'a mut dyn Sink) -> Self {
        Self { text: String::new(), sink: Some(sink), begun: false }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Separates from what comes before in the same list or object. No value ends
    /// with an opening bracket, for strings end with a quote.
    fn comma(&mut self) {
        if !matches!(self.text.as_bytes().last(), Some(b'{' | b'[')) {
            self.text.push(',');
        }
    }

    #[inline(never)]
    pub(crate) fn null(&mut self) {
        match &mut self.sink {
            None => self.text.push_str("null"),
            Some(sink) => sink.null(),
        }
    }

    /// Writes a value that might have been null.
    #[inline(never)]
    pub(crate) fn some(&mut self, value: &dyn Encode) {
        match &mut self.sink {
            None => value.encode(self),
            Some(sink) => sink.some(value),
        }
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        match &mut self.sink {
            None => self.text.push_str(if value { "true" } else { "false" }),
            Some(sink) => sink.boolean(value),
        }
    }

    pub(crate) fn signed(&mut self, value: i64) {
        match &mut self.sink {
            None => self.text.push_str(itoa::Buffer::new().format(value)),
            Some(sink) => sink.signed(value),
        }
    }

    pub(crate) fn unsigned(&mut self, value: u64) {
        match &mut self.sink {
            None => self.text.push_str(itoa::Buffer::new().format(value)),
            Some(sink) => sink.unsigned(value),
        }
    }

    pub(crate) fn float(&mut self, value: f64) {
        match &mut self.sink {
            None => match Number::from_f64(value) {
                Some(number) => self.number(&number),
                // As serde_json writes what JSON has no number for.
                None => self.text.push_str("null"),
            },
            Some(sink) => sink.float(value),
        }
    }

    fn number(&mut self, number: &Number) {
        // Writing to a String does not fail.
        let _ = write!(self.text, "{number}");
    }

    #[inline(never)]
    pub(crate) fn string(&mut self, value: &str) {
        match &mut self.sink {
            None => quote(&mut self.text, value),
            Some(sink) => sink.string(value),
        }
    }

    pub(crate) fn any(&mut self, value: &Value) {
        if let Some(sink) = &mut self.sink {
            return sink.any(value);
        }
        match value {
            Value::Null => self.text.push_str("null"),
            Value::Bool(value) => self.boolean(*value),
            Value::Number(number) => self.number(number),
            Value::String(value) => quote(&mut self.text, value),
            Value::Array(items) => items.encode(self),
            Value::Object(members) => members.encode(self),
        }
    }

    pub(crate) fn raw(&mut self, value: &RawJson) {
        match &mut self.sink {
            None => self.text.push_str(value.get()),
            Some(sink) => sink.raw(value),
        }
    }

    #[inline(never)]
    pub(crate) fn open_list(&mut self, length: usize) {
        match &mut self.sink {
            None => self.text.push('['),
            Some(sink) => sink.open_list(length),
        }
    }

    #[inline(never)]
    pub(crate) fn item(&mut self, value: &dyn Encode) {
        if let Some(sink) = &mut self.sink {
            return sink.item(value);
        }
        self.comma();
        value.encode(self);
    }

    #[inline(never)]
    pub(crate) fn close_list(&mut self) {
        match &mut self.sink {
            None => self.text.push(']'),
            Some(sink) => sink.close(),
        }
    }

    #[inline(never)]
    pub(crate) fn open_map(&mut self, length: Option<usize>) {
        match &mut self.sink {
            None => self.text.push('{'),
            Some(sink) => sink.open_map(length),
        }
    }

    /// Writes an entry of a map.
    #[inline(never)]
    pub(crate) fn entry(&mut self, name: &str, value: &dyn Encode) {
        if let Some(sink) = &mut self.sink {
            return sink.entry(name, value);
        }
        self.comma();
        quote(&mut self.text, name);
        self.text.push(':');
        value.encode(self);
    }

    #[inline(never)]
    pub(crate) fn close_map(&mut self) {
        match &mut self.sink {
            None => self.text.push('}'),
            Some(sink) => sink.close(),
        }
    }

    /// Writes a member. The key is `,"name":`, in which nothing may need an escape.
    #[inline]
    pub(crate) fn field<T: Encode>(&mut self, key: &'static str, value: &T) {
        self.member(key, &value);
    }

    #[inline(never)]
    fn member(&mut self, key: &'static str, value: &dyn Encode) {
        if let Some(sink) = &mut self.sink {
            return sink.entry(name(key), value);
        }
        let first = self.text.as_bytes().last() == Some(&b'{');
        self.text.push_str(if first { &key[1..] } else { key });
        value.encode(self);
    }

    /// Writes a member if there is a value.
    #[expect(clippy::ref_option, reason = "the generated calls pass fields as they are")]
    pub(crate) fn omit<T: Encode>(&mut self, key: &'static str, value: &Option<T>) {
        if let Some(value) = value {
            self.member(key, &value);
        }
    }

    /// Writes a member unless it is absent.
    pub(crate) fn tristate<T: Encode>(&mut self, key: &'static str, value: &Tristate<T>) {
        if !value.is_absent() {
            self.member(key, &value);
        }
    }

    /// Begins an object, unless the tag that it is an arm by has done so.
    #[inline(never)]
    pub(crate) fn begin(&mut self) {
        if !std::mem::take(&mut self.begun) {
            self.open_map(None);
        }
    }

    /// Ends an object with the members that this release does not know.
    #[inline(never)]
    pub(crate) fn end(&mut self, extra: &Extra) {
        for (name, value) in extra.iter() {
            self.entry(name, value);
        }
        self.close_map();
    }

    /// Writes an arm of a union, of which the tag is the first member. The key is
    /// `,"name":`.
    #[inline(never)]
    pub(crate) fn arm(&mut self, key: &'static str, tag: &str, arm: &dyn Encode) {
        self.open_map(None);
        self.field(key, &tag);
        self.begun = true;
        arm.encode(self);
    }

    /// Writes the entries of a map, which may lie flat in an object.
    pub(crate) fn entries<T: Encode>(&mut self, entries: &Map<T>) {
        for (name, value) in entries {
            self.entry(name, &value);
        }
    }

    /// Writes an object with one member.
    pub(crate) fn one(&mut self, key: &'static str, value: &dyn Encode) {
        self.open_map(Some(1));
        self.member(key, value);
        self.close_map();
    }
}

/// Appends a string with quotes around it and with the escapes that serde_json
/// writes.
fn quote(text: &mut String, value: &str) {
    text.reserve(value.len() + 2);
    text.push('"');
    let bytes = value.as_bytes();
    let mut from = 0;
    loop {
        let at = if bytes.len() - from < NEAR { special(bytes, from) } else { special_far(bytes, from) };
        let (Some(run), Some(byte)) = (value.get(from..at), bytes.get(at)) else { break };
        text.push_str(run);
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\r' => text.push_str("\\r"),
            0x08 => text.push_str("\\b"),
            0x0c => text.push_str("\\f"),
            control => control_character(text, *control),
        }
        from = at + 1;
    }
    text.push_str(value.get(from..).unwrap_or_default());
    text.push('"');
}

#[cold]
fn control_character(text: &mut String, byte: u8) {
    let digit = |digit: u8| char::from_digit(digit.into(), 16).unwrap_or('0');
    text.push_str("\\u00");
    text.push(digit(byte >> 4));
    text.push(digit(byte & 0xf));
}
