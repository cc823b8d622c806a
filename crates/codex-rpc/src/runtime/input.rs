//! One value of an input, whatever the input is.
//!
//! What must always hold: a type's decoding is compiled once, not once for every
//! kind of [`Deserializer`] that it is read from. So the types see an [`Input`],
//! a trait object, and only the few functions of this module know the
//! deserializer behind it. A virtual call costs a nanosecond or two; compiling
//! every type for every input cost half of the build.
//!
//! An error stays in the input where it happened, because only the input knows
//! its type; what goes up through the types is [`Failed`].

use std::fmt;

use serde::de::{self, DeserializeSeed as _, Deserializer, Error as _};
use serde_json::Value;

use super::external::ExternalFields;
use super::note::{self, Segment};
use super::record::{Fields, Shape};
use super::tagged::TaggedFields;
use super::visit::{
    BooleanVisitor, ExternalVisitor, FloatVisitor, IntegerVisitor, ListVisitor, MapVisitor, MessageVisitor, NameSeed,
    ObjectVisitor, OptionVisitor, StringVisitor, TaggedVisitor, TextVisitor,
};
use crate::RawJson;

/// Decoding failed; the error waits in the input.
#[derive(Debug)]
pub struct Failed;

/// How decoding went.
pub type Done = Result<(), Failed>;

/// One value that waits to be read. It can be read once.
pub trait Input {
    fn string(&mut self, slot: &mut String) -> Done;

    /// A string that is looked at and not kept.
    fn text(&mut self, look: &mut dyn Look) -> Done;

    /// A string that should be one of these; one that is not counts as unknown.
    fn choice(&mut self, known: &'static [&'static str]) -> Result<Choice, Failed>;

    fn boolean(&mut self, slot: &mut bool) -> Done;

    /// A number without a fraction; 3.0 is one, too, as JSON Schema has it.
    fn integer(&mut self, slot: &mut i128) -> Done;

    fn float(&mut self, slot: &mut f64) -> Done;

    /// Any JSON, as text.
    fn raw(&mut self, slot: &mut Option<RawJson>) -> Done;

    /// Any JSON.
    fn any(&mut self, slot: &mut Value) -> Done;

    /// Fills the slot unless the value is null.
    fn option(&mut self, some: &mut dyn Slot) -> Done;

    /// Adds every item of a list to the slot.
    fn list(&mut self, items: &mut dyn Slot) -> Done;

    fn map(&mut self, entries: &mut dyn Entries) -> Done;

    fn object(&mut self, shape: &'static Shape, fields: &mut dyn Fields) -> Done;

    /// A message, whose members depend on one another.
    fn message(&mut self, message: &mut dyn Envelope) -> Done;

    fn tagged(&mut self, union: &mut dyn TaggedFields) -> Done;

    fn external(&mut self, union: &mut dyn ExternalFields) -> Done;

    /// Makes an error with a message.
    fn fail(&mut self, message: fmt::Arguments<'_>) -> Failed;

    /// Records that the error on its way out happened below `segment`.
    fn failed_below(&mut self, segment: Segment);
}

/// The value that a deserializer is about to give.
pub(crate) struct Waiting<'de, D: Deserializer<'de>> {
    deserializer: Option<D>,
    error: Option<D::Error>,
}

/// Where a value, or one more of them, goes to. A closure would do, but the vtable of
/// one has three functions, and there are hundreds of them.
pub trait Slot {
    fn fill(&mut self, input: &mut dyn Input) -> Done;
}

/// Where the entries of a map go to.
pub trait Entries {
    fn entry(&mut self, name: &str, input: &mut dyn Input) -> Done;
}

/// What becomes of a string that is not kept.
pub trait Look {
    fn look(&mut self, text: &str);
}

/// The members of a message.
pub trait Envelope {
    fn fields(&mut self) -> &mut dyn Fields;

    /// What is left to do after the members, given a bit for every key that was there.
    fn end(&mut self, seen: u128) -> Result<(), String>;
}

/// Which of some names a string is.
pub enum Choice {
    /// The one with this index.
    Known(usize),
    /// None of them.
    Other(String),
}

impl Choice {
    pub(crate) fn of(known: &[&str], name: &str) -> Self {
        let index = known.iter().position(|known| *known == name);
        index.map_or_else(|| Self::Other(name.to_owned()), Self::Known)
    }

    /// Counts another name as unknown.
    pub(super) fn noted(self) -> Self {
        if matches!(self, Self::Other(_)) {
            note::unknown();
        }
        self
    }
}

/// Reads one value.
pub(super) type Read<'a> = &'a mut dyn FnMut(&mut dyn Input) -> Done;

impl<'de, D: Deserializer<'de>> Waiting<'de, D> {
    /// Reads the value with `read`.
    pub(crate) fn read(deserializer: D, read: impl FnOnce(&mut dyn Input) -> Done) -> Result<(), D::Error> {
        let mut waiting = Waiting { deserializer: Some(deserializer), error: None };
        match read(&mut waiting) {
            Ok(()) => Ok(()),
            Err(Failed) => Err(waiting.error.unwrap_or_else(|| D::Error::custom("the error was lost"))),
        }
    }

    fn with(&mut self, visit: impl FnOnce(D) -> Result<(), D::Error>) -> Done {
        let result = match self.deserializer.take() {
            Some(deserializer) => visit(deserializer),
            None => Err(D::Error::custom("a value was read twice")),
        };
        result.map_err(|error| {
            self.error = Some(error);
            Failed
        })
    }
}

impl<'de, D: Deserializer<'de>> Input for Waiting<'de, D> {
    fn string(&mut self, slot: &mut String) -> Done {
        self.with(|deserializer| deserializer.deserialize_string(StringVisitor(slot)))
    }

    fn text(&mut self, look: &mut dyn Look) -> Done {
        self.with(|deserializer| deserializer.deserialize_str(TextVisitor(look)))
    }

    fn choice(&mut self, known: &'static [&'static str]) -> Result<Choice, Failed> {
        let mut choice = Choice::Known(0);
        self.with(|deserializer| {
            choice = NameSeed(known).deserialize(deserializer)?;
            Ok(())
        })?;
        Ok(choice.noted())
    }

    fn boolean(&mut self, slot: &mut bool) -> Done {
        self.with(|deserializer| deserializer.deserialize_bool(BooleanVisitor(slot)))
    }

    fn integer(&mut self, slot: &mut i128) -> Done {
        self.with(|deserializer| deserializer.deserialize_i64(IntegerVisitor(slot)))
    }

    fn float(&mut self, slot: &mut f64) -> Done {
        self.with(|deserializer| deserializer.deserialize_f64(FloatVisitor(slot)))
    }

    fn raw(&mut self, slot: &mut Option<RawJson>) -> Done {
        self.with(|deserializer| {
            *slot = Some(de::Deserialize::deserialize(deserializer)?);
            Ok(())
        })
    }

    fn any(&mut self, slot: &mut Value) -> Done {
        self.with(|deserializer| {
            *slot = de::Deserialize::deserialize(deserializer)?;
            Ok(())
        })
    }

    fn option(&mut self, some: &mut dyn Slot) -> Done {
        self.with(|deserializer| deserializer.deserialize_option(OptionVisitor(some)))
    }

    fn list(&mut self, items: &mut dyn Slot) -> Done {
        self.with(|deserializer| deserializer.deserialize_seq(ListVisitor(items)))
    }

    fn map(&mut self, entries: &mut dyn Entries) -> Done {
        self.with(|deserializer| deserializer.deserialize_map(MapVisitor(entries)))
    }

    fn object(&mut self, shape: &'static Shape, fields: &mut dyn Fields) -> Done {
        self.with(|deserializer| deserializer.deserialize_map(ObjectVisitor { shape, fields }))
    }

    fn message(&mut self, message: &mut dyn Envelope) -> Done {
        self.with(|deserializer| deserializer.deserialize_map(MessageVisitor(message)))
    }

    fn tagged(&mut self, union: &mut dyn TaggedFields) -> Done {
        self.with(|deserializer| deserializer.deserialize_map(TaggedVisitor(union)))
    }

    fn external(&mut self, union: &mut dyn ExternalFields) -> Done {
        self.with(|deserializer| deserializer.deserialize_any(ExternalVisitor(union)))
    }

    #[cold]
    fn fail(&mut self, message: fmt::Arguments<'_>) -> Failed {
        self.error = Some(D::Error::custom(message));
        Failed
    }

    fn failed_below(&mut self, segment: Segment) {
        note::failed_below(segment);
    }
}

/// Carries an error of the JSON parser into the error type of another input.
#[cold]
pub(super) fn carry<E: de::Error>(error: &serde_json::Error) -> E {
    E::custom(carried_text(error))
}

/// What an error of the JSON parser says without the position, which counts from
/// the start of a buffer.
#[cold]
pub(crate) fn carried_text(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    text.truncate(text.rfind(" at line ").unwrap_or(text.len()));
    text
}
