//! Objects: a table of wire names and one method that reads the member with a
//! given index.

use super::decode::Decode;
use super::input::{Done, Failed, Input};
use super::note::{self, Segment};
use crate::{Extra, Map};

/// What the loop over an object's members must know of its type.
pub struct Shape {
    /// The definition's name, for errors.
    pub(crate) name: &'static str,
    /// The wire names, in the order that the server writes them.
    pub(crate) keys: &'static [&'static str],
    /// A bit for every key that must be there.
    pub(crate) required: u128,
    /// Where not empty: sets of keys of which one must be there as a whole.
    pub(crate) one_of: &'static [u128],
}

impl Shape {
    /// Whether all is there that must be.
    pub(crate) fn is_complete(&self, seen: u128) -> bool {
        seen & self.required == self.required
            && (self.one_of.is_empty() || self.one_of.iter().any(|set| seen & set == *set))
    }

    /// Whether all is there that must be, else what is missing.
    #[cold]
    pub(crate) fn check_required(&self, seen: u128) -> Result<(), String> {
        let names = |mask: u128| (0..self.keys.len()).filter(move |index| mask >> index & 1 == 1);
        if let Some(index) = names(self.required & !seen).next() {
            return Err(format!("{}: missing field `{}`", self.name, self.keys[index]));
        }
        if self.one_of.is_empty() || self.one_of.iter().any(|set| seen & set == *set) {
            return Ok(());
        }
        let sets: Vec<String> = self
            .one_of
            .iter()
            .map(|set| names(*set).map(|index| format!("`{}`", self.keys[index])).collect::<Vec<_>>().join(" and "))
            .collect();
        Err(format!("{}: missing field {}", self.name, sets.join(" or ")))
    }
}

/// A type that is an object on the wire.
pub(crate) trait Record: Sized {
    const SHAPE: &'static Shape;

    /// A value with every member missing; those with a default have it.
    fn blank() -> Self;

    /// Reads a member: see [`Fields::read`].
    fn read(&mut self, index: usize, name: &str, input: &mut dyn Input) -> Done;
}

/// The members of an object that is being read.
pub trait Fields {
    /// Reads the value of the member with this index in the shape's keys, or of one
    /// that is not among them: its index is [`OTHER`], and only then its name is told.
    fn read(&mut self, index: usize, name: &str, input: &mut dyn Input) -> Done;
}

/// The index of a member that is not among a shape's keys.
pub(super) const OTHER: usize = usize::MAX;

impl<R: Record> Fields for &mut R {
    fn read(&mut self, index: usize, name: &str, input: &mut dyn Input) -> Done {
        Record::read(*self, index, name, input)
    }
}

/// Keeps a member that this release does not know.
#[cold]
pub(crate) fn unknown_member(name: &str, input: &mut dyn Input, extra: &mut Extra) -> Done {
    note::unknown();
    open_member(name, input, extra)
}

/// Keeps a member of an object that is open by its schema.
pub(crate) fn open_member(name: &str, input: &mut dyn Input, extra: &mut Extra) -> Done {
    if extra.get(name).is_some() {
        return Err(input.fail(format_args!("duplicate field `{name}`")));
    }
    let mut value = serde_json::Value::Null;
    input.any(&mut value)?;
    extra.insert(name, value);
    Ok(())
}

/// Reads an entry of a typed map.
pub(crate) fn entry<T: Decode>(name: &str, input: &mut dyn Input, entries: &mut Map<T>) -> Done {
    let mut value = T::blank();
    if value.decode(input).is_err() {
        input.failed_below(Segment::Name(name.to_owned()));
        return Err(Failed);
    }
    entries.insert(name, value);
    Ok(())
}
