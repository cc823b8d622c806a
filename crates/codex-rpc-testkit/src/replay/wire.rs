//! What a message is, without decoding it: the texts of its members.

use std::fmt;
use std::ops::Range;

use codex_rpc::RequestId;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The id of a request.
pub(super) struct Id<'a> {
    /// As it is written.
    pub(super) text: &'a str,
    pub(super) value: RequestId,
}

/// Whether an answer says that the request went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Result,
    Error,
}

pub(super) enum Kind<'a> {
    Request { method: String, id: Id<'a> },
    Notification { method: String },
    Answer { id: Id<'a>, outcome: Outcome },
}

pub(super) struct Frame<'a> {
    pub(super) kind: Kind<'a>,
    /// The params, the result or the error.
    pub(super) body: Option<&'a str>,
}

/// Reads a message. None if it is no message: not an object, an id that is neither a
/// string nor an integer of 64 bits, a method that is no string. The app-server
/// passes over such lines without an answer.
pub(super) fn read(text: &str) -> Option<Frame<'_>> {
    let members = Members::read(text)?;
    let id = match members.get("id") {
        Some(text) => Some(Id { text, value: serde_json::from_str(text).ok()? }),
        None => None,
    };
    if let Some(method) = members.get("method") {
        let method = serde_json::from_str(method).ok()?;
        let kind = match id {
            Some(id) => Kind::Request { method, id },
            None => Kind::Notification { method },
        };
        return Some(Frame { kind, body: members.get("params") });
    }
    let (outcome, body) = match (members.get("result"), members.get("error")) {
        (Some(result), _) => (Outcome::Result, result),
        (None, Some(error)) => (Outcome::Error, error),
        (None, None) => return None,
    };
    Some(Frame { kind: Kind::Answer { id: id?, outcome }, body: Some(body) })
}

/// The text of a member of a JSON object.
pub(super) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    Members::read(object)?.get(name)
}

/// Where `part`, a slice of `whole`, stands in it.
pub(super) fn span(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

/// The members of an object with their texts. A map of the library would read null
/// as absent.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The last member of a name, which is the one that parsers keep.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value.get())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}
