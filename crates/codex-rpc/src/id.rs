//! Ids of requests.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use serde_json::Value;

use crate::runtime::{Decode, Done, Encode, Input, Output, to_serializer};

/// The id of a request: a string or an integer.
///
/// Each side counts its own: the server's ids start at 0 and collide with a
/// client's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the server accepts these two and nothing else")]
pub enum RequestId {
    /// A string.
    String(String),
    /// An integer.
    Integer(i64),
}

impl From<i64> for RequestId {
    fn from(id: i64) -> Self {
        Self::Integer(id)
    }
}

impl From<&str> for RequestId {
    fn from(id: &str) -> Self {
        Self::String(id.to_owned())
    }
}

impl From<String> for RequestId {
    fn from(id: String) -> Self {
        Self::String(id)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(id) => id.fmt(f),
            Self::Integer(id) => id.fmt(f),
        }
    }
}

impl Encode for RequestId {
    fn encode(&self, output: &mut Output<'_>) {
        match self {
            Self::String(id) => output.string(id),
            Self::Integer(id) => output.signed(*id),
        }
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_serializer(self, serializer)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = RequestId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an integer")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<RequestId, E> {
        Ok(RequestId::String(id.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, id: i64) -> Result<RequestId, E> {
        Ok(RequestId::Integer(id))
    }

    fn visit_u64<E: de::Error>(self, id: u64) -> Result<RequestId, E> {
        let signed = i64::try_from(id).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(id), &self))?;
        self.visit_i64(signed)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

impl Decode for RequestId {
    fn blank() -> Self {
        Self::Integer(0)
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut value = Value::Null;
        input.any(&mut value)?;
        *self = Self::deserialize(value).map_err(|error| input.fail(format_args!("{error}")))?;
        Ok(())
    }
}
