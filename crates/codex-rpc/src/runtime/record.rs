//! Objects: a table of wire names and one method that reads the member with a
//! given index.

use std::collections::BTreeMap;

use super::decode::Decode;
use super::input::{Done, Failed, Input};
use super::note::{self, Segment};
use crate::Extra;

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

/// The members of an object that is being read.
pub trait Fields {
    /// Reads the value of the member with this index in the shape's keys.
    fn read(&mut self, index: usize, input: &mut dyn Input) -> Done;

    /// Reads the value of a member that is not among the shape's keys.
    fn read_other(&mut self, name: String, input: &mut dyn Input) -> Done;

    /// What is left to do for a message after its members, given a bit for every
    /// key that was there. Not called for records.
    fn end(&mut self, _seen: u128) -> Result<(), String> {
        Ok(())
    }
}

/// A type that is an object on the wire.
pub(crate) trait Record: Sized + Fields {
    const SHAPE: &'static Shape;

    /// A value with every member missing; those with a default have it.
    fn blank() -> Self;
}

/// Keeps a member that this release does not know.
#[cold]
pub(crate) fn unknown_member(name: String, input: &mut dyn Input, extra: &mut Extra) -> Done {
    note::unknown();
    open_member(name, input, extra)
}

/// Keeps a member of an object that is open by its schema.
pub(crate) fn open_member(name: String, input: &mut dyn Input, extra: &mut Extra) -> Done {
    if extra.get(&name).is_some() {
        return Err(input.fail(format_args!("duplicate field `{name}`")));
    }
    let mut value = serde_json::Value::Null;
    input.any(&mut value)?;
    extra.insert(name, value);
    Ok(())
}

/// Reads an entry of a typed map.
pub(crate) fn entry<T: Decode>(name: String, input: &mut dyn Input, entries: &mut BTreeMap<String, T>) -> Done {
    let mut value = T::blank();
    if value.decode(input).is_err() {
        input.failed_below(Segment::Name(name));
        return Err(Failed);
    }
    entries.insert(name, value);
    Ok(())
}

/// The answer to an index that is in no table; no caller has one.
#[cold]
pub(crate) fn no_such_member(input: &mut dyn Input) -> Done {
    Err(input.fail(format_args!("no such member")))
}
