//! The members of a JSON object as they were written.

use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The members in their order, those of one name more than once included: codex writes
/// some twice.
pub(super) struct Members(Vec<(String, Value)>);

impl Members {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn push(&mut self, key: String, value: Value) {
        self.0.push((key, value));
    }

    /// The text of a member, if it is text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key)?.1.as_str()
    }

    /// Takes the second member of this name out.
    pub(super) fn take_second(&mut self, key: &str) -> Option<Value> {
        let mut places = self.0.iter().enumerate().filter(|(_, (name, _))| name == key).map(|(place, _)| place);
        let second = places.nth(1)?;
        Some(self.0.remove(second).1)
    }

    /// As a type that has no tag.
    pub(super) fn record<T: DeserializeOwned>(mut self, kind: &str) -> Result<T, String> {
        self.0.retain(|(key, _)| key != "type");
        T::deserialize(self.into_value()).map_err(|error| format!("{kind}: {error}"))
    }

    /// The last of each name counts, as everywhere in serde_json.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0.into_iter().collect::<Map<_, _>>())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::new();
                while let Some((key, value)) = map.next_entry()? {
                    members.push(key, value);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object)
    }
}
