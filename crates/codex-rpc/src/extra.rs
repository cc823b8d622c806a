//! Members that this release of the protocol does not know.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::runtime::{Encode, Output, redact, to_serializer};

/// Members of a JSON object that this release of the protocol does not know.
///
/// Every struct of this crate has one, so that what a newer server says is kept
/// and written back unchanged. An empty `Extra` is one pointer and allocates
/// nothing. Its `Debug` hides values whose names look like secrets.
///
/// A name that the struct has a field for does not belong here: it would be
/// written twice.
///
/// Clones share the members until one of them is changed. That is so for a reason
/// that nobody sees: letting go of an `Arc` is little code, and every type does it.
#[derive(Clone, Default, PartialEq)]
pub struct Extra(Option<Arc<Map<String, Value>>>);

impl Extra {
    /// No members.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Whether there are no members, which is so for everything a server of this
    /// release sends.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |map| map.len())
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Adds a member and returns the value that it replaced.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        Arc::make_mut(self.0.get_or_insert_default()).insert(name.into(), value.into())
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        Arc::make_mut(self.0.as_mut()?).remove(name)
    }

    /// Names and values of all members.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().flat_map(|map| map.iter())
    }
}

impl From<Map<String, Value>> for Extra {
    fn from(map: Map<String, Value>) -> Self {
        Self((!map.is_empty()).then(|| Arc::new(map)))
    }
}

impl From<Extra> for Map<String, Value> {
    fn from(extra: Extra) -> Self {
        extra.0.map(Arc::unwrap_or_clone).unwrap_or_default()
    }
}

impl Encode for Extra {
    fn encode(&self, output: &mut Output<'_>) {
        output.begin();
        output.end(self);
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_serializer(self, serializer)
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, redact::named(name, value)))).finish()
    }
}
