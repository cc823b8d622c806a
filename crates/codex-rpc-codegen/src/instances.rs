//! Values made from the definitions of an export, to try bindings with.
//!
//! This is a second reading of the schema: it works on draft-07 JSON directly
//! and knows nothing of the generator's model, so that a mistake in the model
//! is not repeated in the values that are to find it.
//!
//! What must always hold, and is checked by [`InstanceMaker::checked`]:
//!
//! - a [`Kind::Valid`] value is accepted by its definition, to the letter
//!   (`oneOf` is exactly one, closed objects are closed, integers fit their
//!   `format`);
//! - a [`Kind::Tolerated`] value is one that a decoder has to preserve: it is
//!   accepted by the lenient reading, in which enums, tagged unions, unions of
//!   strings and one-key objects, and objects are open;
//! - a [`Kind::Invalid`] value differs from a valid one by one mutation, and
//!   not even the lenient reading accepts it;
//! - every definition has at least one valid value;
//! - two runs over the same definitions give the same values in the same order.
//!
//! A valid value of an untagged union's arm never carries what an earlier arm
//! requires, unless its own arm requires it too: it could not be told from a
//! value of that arm.

mod generate;
mod mutate;
mod range;
mod shape;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::problem::{Problem, Problems};
use shape::{Alternative, Envelope, Schemas};
use validate::{Reading, accepts};

/// The unions that are whole messages. What surrounds their payload is the
/// same in every arm and is tried on the first arm only.
const ENVELOPES: [&str; 4] = ["ClientNotification", "ClientRequest", "ServerNotification", "ServerRequest"];

/// What a decoder has to do with an [`Instance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Decode it, and encode it to an equal value.
    Valid,
    /// Reject it.
    Invalid,
    /// Preserve it exactly, though it says something the schema does not know:
    /// a field, an enum value, a tag.
    Tolerated,
}

impl Kind {
    /// The word for it in a line of [`to_jsonl`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Tolerated => "tolerated",
        }
    }
}

/// A value made from a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// The name of the definition.
    pub definition: String,
    /// The value.
    pub value: Value,
    /// What a decoder has to do with it.
    pub kind: Kind,
    /// What is special about it, for example `enum value "never" at
    /// /approvalPolicy`. Paths are JSON pointers into the value.
    pub note: String,
}

/// Makes [`Instance`]s from the definitions of one export.
#[derive(Debug)]
pub struct InstanceMaker<'a> {
    schemas: Schemas<'a>,
}

impl<'a> InstanceMaker<'a> {
    /// A maker over one merged namespace of definitions. The last segment of a
    /// `$ref` is looked up in it. No definition may be an alternative of
    /// itself: between the two there has to be an object, a list or a map.
    pub fn new(definitions: &'a Map<String, Value>) -> Self {
        Self { schemas: Schemas(definitions) }
    }

    /// Every instance of every definition, ordered by the definition's name.
    pub fn all(&self) -> Vec<Instance> {
        let mut names: Vec<&str> = self.schemas.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.into_iter().flat_map(|name| self.for_definition(name)).collect()
    }

    /// The same, if the promises of this module hold.
    ///
    /// # Errors
    /// When one is broken: either a bug here or a schema that says something new.
    pub fn checked(&self) -> Result<Vec<Instance>, Problems> {
        let all = self.all();
        let lies = self.lies(&all);
        if lies.is_empty() {
            return Ok(all);
        }
        let problem =
            |lie| Problem::new(lie).help("teach crates/codex-rpc-codegen/src/instances/ what the schema says there");
        Err(Problems(lies.into_iter().map(problem).collect()))
    }

    /// The instances of one definition: valid ones first, then tolerated, then
    /// invalid ones. None if there is no such definition.
    pub fn for_definition(&self, name: &str) -> Vec<Instance> {
        let Some(schema) = self.schemas.0.get(name) else {
            return Vec::new();
        };
        let arms = self.arms(name, schema);
        let valid = self.schemas.specials_of(&arms, "");
        let tolerated = self.schemas.unknowns_of(&arms, schema, "");
        let mut invalid = self.schemas.mutations_of(&arms, schema, "");
        // Some arm, or upstream's own open arm, may have room for it.
        invalid.retain(|made| !accepts(self.schemas, Reading::Lenient, schema, &made.value));

        let mut instances = Vec::new();
        for (kind, made) in [(Kind::Valid, valid), (Kind::Tolerated, tolerated), (Kind::Invalid, invalid)] {
            let mut seen = HashSet::new();
            for Made { value, note } in made {
                // The same value reached twice, such as the minimal and the
                // full value of an object without optional fields.
                if seen.insert(value.to_string()) {
                    instances.push(Instance { definition: name.to_owned(), value, kind, note });
                }
            }
        }
        instances
    }

    /// Whether a definition accepts a value by the letter of the schema.
    pub fn accepts(&self, definition: &str, value: &Value) -> bool {
        let schema = self.schemas.0.get(definition);
        schema.is_some_and(|schema| accepts(self.schemas, Reading::Strict, schema, value))
    }

    /// Whether a definition accepts a value if all that can be open is: enums,
    /// tagged unions, unions of strings and one-key objects, and objects. What
    /// this refuses, a tolerant decoder has to refuse too.
    pub fn tolerates(&self, definition: &str, value: &Value) -> bool {
        let schema = self.schemas.0.get(definition);
        schema.is_some_and(|schema| accepts(self.schemas, Reading::Lenient, schema, value))
    }

    /// The instances that break a promise of this module, and the definitions
    /// without a valid one, each as a sentence. Empty if all is well.
    ///
    /// Expects what [`all`](Self::all) gave.
    pub fn lies(&self, instances: &[Instance]) -> Vec<String> {
        let mut lies = Vec::new();
        let mut inhabited = HashSet::new();
        for instance in instances {
            let (name, value) = (&instance.definition, &instance.value);
            let problem = match instance.kind {
                Kind::Valid => {
                    inhabited.insert(name.as_str());
                    (!self.accepts(name, value)).then_some("is not valid")
                }
                Kind::Tolerated => (!self.tolerates(name, value)).then_some("can't be tolerated"),
                Kind::Invalid => self.tolerates(name, value).then_some("is acceptable"),
            };
            if let Some(problem) = problem {
                let kind = instance.kind;
                let note = &instance.note;
                lies.push(format!("{name}: {kind:?} ({note}) {problem}: {value}"));
            }
        }
        let mut barren: Vec<&String> =
            self.schemas.0.keys().filter(|name| !inhabited.contains(name.as_str())).collect();
        barren.sort_unstable();
        lies.extend(barren.into_iter().map(|name| format!("{name}: no valid value could be made")));
        lies
    }

    /// The alternatives of a definition, those of an envelope quietened.
    fn arms(&self, name: &str, schema: &'a Value) -> Vec<Alternative<'a>> {
        let mut arms = self.schemas.alternatives(schema);
        if ENVELOPES.contains(&name) {
            for (index, arm) in arms.iter_mut().enumerate() {
                if let Alternative::Object(object) = arm {
                    object.envelope = match index {
                        0 => Envelope::First,
                        _ => Envelope::Other,
                    };
                }
            }
        }
        arms
    }
}

/// A value on its way to become an [`Instance`].
#[derive(Clone, Debug)]
struct Made {
    value: Value,
    note: String,
}

impl Made {
    fn new(value: Value, note: impl Into<String>) -> Self {
        Self { value, note: note.into() }
    }
}

/// A step of a JSON pointer appended to it.
fn step(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The pointer as a note says it; the root has a name.
fn place(at: &str) -> &str {
    if at.is_empty() { "the root" } else { at }
}

/// One line of JSON an instance: `{"type": …, "value": …, "kind":
/// "valid|invalid|tolerated", "note": …}`.
pub fn to_jsonl(instances: &[Instance]) -> String {
    let mut lines = String::new();
    for instance in instances {
        let line = json!({
            "type": instance.definition,
            "value": instance.value,
            "kind": instance.kind.as_str(),
            "note": instance.note,
        });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines
}
