//! What round trips found: counts, findings, the outcome.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Sums over one file or all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counts {
    /// Messages or instances that were read.
    pub messages: usize,
    /// Those that came back as they were.
    pub exact: usize,
    /// Those that came back different.
    pub different: usize,
    /// Those that could not be decoded, attributed or read.
    pub failed: usize,
    /// Requests that do not decode or hold unknowns, and that the server refused to
    /// read, too.
    pub refused: usize,
    /// Methods that the bindings do not know.
    pub unknown_methods: usize,
    /// Values and variants that the bindings do not know.
    pub unrecognized_values: usize,
    /// Members that the bindings do not know.
    pub unknown_fields: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.exact += other.exact;
        self.different += other.different;
        self.failed += other.failed;
        self.refused += other.refused;
        self.unknown_methods += other.unknown_methods;
        self.unrecognized_values += other.unrecognized_values;
        self.unknown_fields += other.unknown_fields;
    }

    /// How much the bindings do not know.
    pub fn unknown(&self) -> usize {
        self.unknown_methods + self.unrecognized_values + self.unknown_fields
    }
}

/// What kind of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum FindingKind {
    /// The line can't be read.
    Unreadable,
    /// The message does not decode.
    Undecodable,
    /// The message answers nothing.
    Unattributed,
    /// The message came back different.
    Different,
    /// What must be rejected was accepted.
    Accepted,
    /// The method is not known.
    UnknownMethod,
    /// A value or variant is not known.
    UnrecognizedValue,
    /// A member is not known.
    UnknownField,
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Something that is not as it should be, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// What kind of finding it is.
    pub kind: FindingKind,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The method, or the definition of an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The JSON pointer in the message or instance.
    pub pointer: String,
    /// What stood there; none if nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What stands there after the round trip; none if nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<Value>,
    /// What is the matter, for a person.
    pub message: String,
}

/// The outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Sums by file.
    pub files: BTreeMap<String, Counts>,
    /// How often each method was met.
    pub methods: BTreeMap<String, usize>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

impl Outcome {
    /// Sums over all files.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.files.values() {
            total.add(counts);
        }
        total
    }

    /// Whether everything came back as it was and nothing is unknown. Nothing read
    /// is nothing shown: then it is not exact.
    pub fn is_exact(&self) -> bool {
        self.is_lossless() && self.total().unknown() == 0
    }

    /// Whether everything came back as it was, known or not.
    pub fn is_lossless(&self) -> bool {
        let total = self.total();
        total.messages > 0 && total.exact + total.refused == total.messages && total.failed == 0
    }
}
