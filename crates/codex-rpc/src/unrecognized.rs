//! What a peer says that this release has no name for.

use std::fmt;

use serde_json::Value;

use crate::Extra;
use crate::runtime::redact;

/// A variant of a tagged union that this release does not know, kept as it came.
#[derive(Clone, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "an object is its tag and its other members, nothing else")]
pub struct UnrecognizedVariant {
    /// The value of the tag.
    pub tag: String,
    /// All members but the tag.
    pub fields: Extra,
}

impl fmt::Debug for UnrecognizedVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.iter().map(|(name, value)| (name, redact::named(name, value)));
        f.debug_map().entry(&"tag", &self.tag).entries(fields).finish()
    }
}

/// A method that this release does not know, with its params as they came.
#[derive(Clone, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "JSON-RPC defines these two members")]
pub struct UnrecognizedMethod {
    /// The method's name.
    pub method: String,
    /// The params; none if they are left out.
    pub params: Option<Value>,
}

impl fmt::Debug for UnrecognizedMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnrecognizedMethod")
            .field("method", &self.method)
            .field("params", &redact::json(&self.params))
            .finish()
    }
}
