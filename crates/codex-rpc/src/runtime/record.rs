//! Objects: a table of wire names and one method that reads the member with a
//! given index.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::decode::{Decode, Slot};
use super::encode::Members;
use super::note::{self, Segment};
use crate::Extra;

/// What the loop over an object's members must know of its type.
pub(crate) struct Shape {
    /// The definition's name, for errors.
    pub(crate) name: &'static str,
    /// The wire names, in the order that the server writes them.
    pub(crate) keys: &'static [&'static str],
    /// A bit for every key that must be there.
    pub(crate) required: u128,
    /// Where not empty: sets of keys of which one must be there as a whole.
    pub(crate) one_of: &'static [u128],
}

/// A type that is an object on the wire. Only the generator implements it.
pub(crate) trait Record: Sized {
    const SHAPE: &'static Shape;

    /// A value with every member missing; those with a default have it.
    fn blank() -> Self;

    /// Reads the value of the member with this index in `SHAPE.keys`.
    fn read<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error>;

    /// Reads the value of a member that is not in `SHAPE.keys`.
    fn read_other<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error>;

    /// Writes the members.
    fn write<M: serde::ser::SerializeMap>(&self, members: &mut Members<'_, M>);
}

/// [`Record`] without its type, so that the loop is compiled once per input.
pub(crate) trait Fields<'de, A: MapAccess<'de>> {
    fn read(&mut self, index: usize, map: &mut A) -> Result<(), A::Error>;
    fn read_other(&mut self, name: String, map: &mut A) -> Result<(), A::Error>;
}

impl<'de, A: MapAccess<'de>, R: Record> Fields<'de, A> for R {
    fn read(&mut self, index: usize, map: &mut A) -> Result<(), A::Error> {
        Record::read(self, index, map)
    }

    fn read_other(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        Record::read_other(self, name, map)
    }
}

enum Key {
    Known(usize),
    Other(String),
}

/// Finds a key in the table, starting from where the last one was found: the
/// server writes members in the table's order, so the first look mostly hits.
struct KeySeed {
    keys: &'static [&'static str],
    next: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
        let (before, after) = self.keys.split_at_checked(self.next).unwrap_or((self.keys, &[]));
        let find = |keys: &[&str]| keys.iter().position(|key| *key == name);
        let index = find(after).map(|index| index + self.next).or_else(|| find(before));
        Ok(index.map_or_else(|| Key::Other(name.to_owned()), Key::Known))
    }
}

/// Reads the members of an object up to its end and checks that none is missing.
///
/// `tag` is a name that was read before, if any: it must not come again.
pub(crate) fn read_members<'de, A: MapAccess<'de>>(
    map: &mut A,
    shape: &'static Shape,
    tag: Option<&'static str>,
    fields: &mut dyn Fields<'de, A>,
) -> Result<(), A::Error> {
    let mut seen = 0_u128;
    let mut next = 0;
    while let Some(key) = map.next_key_seed(KeySeed { keys: shape.keys, next })? {
        match key {
            Key::Known(index) => {
                let bit = 1 << index;
                if seen & bit != 0 {
                    return Err(A::Error::duplicate_field(shape.keys[index]));
                }
                seen |= bit;
                next = index + 1;
                fields
                    .read(index, map)
                    .inspect_err(|_| note::failed_below(Segment::Key(shape.keys[index])))?;
            }
            Key::Other(name) => match tag {
                Some(tag) if tag == name => return Err(A::Error::duplicate_field(tag)),
                _ => fields.read_other(name, map)?,
            },
        }
    }
    if seen & shape.required == shape.required && shape.one_of.is_empty() {
        return Ok(());
    }
    check_required(shape, seen)
}

#[cold]
fn check_required<E: de::Error>(shape: &'static Shape, seen: u128) -> Result<(), E> {
    let names = |mask: u128| (0..shape.keys.len()).filter(move |index| mask >> index & 1 == 1);
    if let Some(index) = names(shape.required & !seen).next() {
        return Err(E::custom(format_args!("{}: missing field `{}`", shape.name, shape.keys[index])));
    }
    if shape.one_of.is_empty() || shape.one_of.iter().any(|set| seen & set == *set) {
        return Ok(());
    }
    let sets: Vec<String> = shape
        .one_of
        .iter()
        .map(|set| names(*set).map(|index| format!("`{}`", shape.keys[index])).collect::<Vec<_>>().join(" and "))
        .collect();
    Err(E::custom(format_args!("{}: missing field {}", shape.name, sets.join(" or "))))
}

/// Reads the value of a member into its field.
pub(crate) fn value<'de, A: MapAccess<'de>, T: Decode>(map: &mut A, field: &mut T) -> Result<(), A::Error> {
    map.next_value_seed(Slot(field))
}

/// Reads the value of a member that may be missing but is never null.
pub(crate) fn some<'de, A: MapAccess<'de>, T: Decode>(map: &mut A, field: &mut Option<T>) -> Result<(), A::Error> {
    map.next_value_seed(Slot(field.insert(T::blank())))
}

/// Keeps a member that this release does not know.
#[cold]
pub(crate) fn unknown_member<'de, A: MapAccess<'de>>(
    name: String,
    map: &mut A,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    note::unknown();
    open_member(name, map, extra)
}

/// Keeps a member of an object that is open by its schema.
pub(crate) fn open_member<'de, A: MapAccess<'de>>(
    name: String,
    map: &mut A,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    if extra.get(&name).is_some() {
        return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
    }
    extra.insert(name, map.next_value::<Value>()?);
    Ok(())
}

/// Reads an entry of a typed map.
pub(crate) fn entry<'de, A: MapAccess<'de>, T: Decode>(
    name: String,
    map: &mut A,
    entries: &mut BTreeMap<String, T>,
) -> Result<(), A::Error> {
    let mut value = T::blank();
    if let Err(error) = map.next_value_seed(Slot(&mut value)) {
        note::failed_below(Segment::Name(name));
        return Err(error);
    }
    entries.insert(name, value);
    Ok(())
}

struct RecordVisitor<'a, R>(&'a mut R);

impl<'de, R: Record> Visitor<'de> for RecordVisitor<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object ({})", R::SHAPE.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        read_members(&mut map, R::SHAPE, None, self.0)
    }
}

pub(crate) fn decode_record<'de, R: Record, D: Deserializer<'de>>(
    record: &mut R,
    deserializer: D,
) -> Result<(), D::Error> {
    deserializer.deserialize_map(RecordVisitor(record))
}

/// The answer to an index that is in no table; no caller has one.
#[cold]
pub(crate) fn no_such_member<E: de::Error>() -> E {
    E::custom("no such member")
}
