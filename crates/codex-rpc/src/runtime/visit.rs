//! The visitors behind [`Input`]: the only code that is compiled for every kind of
//! input.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::external::ExternalFields;
use super::input::{Choice, Done, Entries, Envelope, Failed, Look, Slot, Waiting, carry};
use super::note::{self, Segment};
use super::record::{Fields, OTHER, Shape};
use super::tagged::{ReadArm, TaggedFields};
use crate::UnrecognizedVariant;

pub(super) struct StringVisitor<'a>(pub(super) &'a mut String);

impl Visitor<'_> for StringVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        *self.0 = String::from(value);
        Ok(())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<(), E> {
        *self.0 = value;
        Ok(())
    }
}

pub(super) struct TextVisitor<'a>(pub(super) &'a mut dyn Look);

impl Visitor<'_> for TextVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.0.look(value);
        Ok(())
    }
}

pub(super) struct BooleanVisitor<'a>(pub(super) &'a mut bool);

impl Visitor<'_> for BooleanVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        *self.0 = value;
        Ok(())
    }
}

pub(super) struct IntegerVisitor<'a>(pub(super) &'a mut i128);

impl Visitor<'_> for IntegerVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        *self.0 = value.into();
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        *self.0 = value.into();
        Ok(())
    }

    #[cold]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        // The widest integers of the wire have 64 bits.
        const WIDEST: std::ops::Range<f64> = -9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0;
        if value.fract() != 0.0 || !WIDEST.contains(&value) {
            return Err(E::invalid_type(de::Unexpected::Float(value), &self));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
        let value = value as i128;
        *self.0 = value;
        Ok(())
    }
}

pub(super) struct FloatVisitor<'a>(pub(super) &'a mut f64);

impl Visitor<'_> for FloatVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        *self.0 = value;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "the wire says that this is a double")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        *self.0 = value as f64;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "the wire says that this is a double")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        *self.0 = value as f64;
        Ok(())
    }
}

pub(super) struct OptionVisitor<'a>(pub(super) &'a mut dyn Slot);

impl<'de> Visitor<'de> for OptionVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Waiting::read(deserializer, |input| self.0.fill(input))
    }
}

struct Item<'a>(&'a mut dyn Slot);

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Waiting::read(deserializer, |input| self.0.fill(input))
    }
}

pub(super) struct ListVisitor<'a>(pub(super) &'a mut dyn Slot);

impl<'de> Visitor<'de> for ListVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            match sequence.next_element_seed(Item(self.0)) {
                Ok(Some(())) => index += 1,
                Ok(None) => return Ok(()),
                Err(error) => {
                    note::failed_below(Segment::Index(index));
                    return Err(error);
                }
            }
        }
    }
}

struct Entry<'a>(String, &'a mut dyn Entries);

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self(name, entries) = self;
        Waiting::read(deserializer, |input| entries.entry(&name, input))
    }
}

pub(super) struct MapVisitor<'a>(pub(super) &'a mut dyn Entries);

impl<'de> Visitor<'de> for MapVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(Entry(name, self.0))?;
        }
        Ok(())
    }
}

/// Finds a key in the table, starting from where the last one was found: the
/// server writes members in the table's order, so the first look mostly hits.
struct KeySeed {
    keys: &'static [&'static str],
    next: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Choice;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Choice, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Choice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Choice, E> {
        let (before, after) = self.keys.split_at_checked(self.next).unwrap_or((self.keys, &[]));
        let find = |keys: &[&str]| keys.iter().position(|key| *key == name);
        let index = find(after).map(|index| index + self.next).or_else(|| find(before));
        Ok(index.map_or_else(|| Choice::Other(name.to_owned()), Choice::Known))
    }
}

struct Field<'a> {
    fields: &'a mut dyn Fields,
    index: usize,
}

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Waiting::read(deserializer, |input| self.fields.read(self.index, "", input))
    }
}

struct Other<'a> {
    fields: &'a mut dyn Fields,
    name: String,
}

impl<'de> DeserializeSeed<'de> for Other<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Waiting::read(deserializer, |input| self.fields.read(OTHER, &self.name, input))
    }
}

pub(super) struct ObjectVisitor<'a> {
    pub(super) shape: &'static Shape,
    pub(super) fields: &'a mut dyn Fields,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object ({})", self.shape.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let seen = read_members(&mut map, self.shape.keys, None, self.fields)?;
        check_required(self.shape, seen)
    }
}

pub(super) struct MessageVisitor<'a>(pub(super) &'a mut dyn Envelope);

impl<'de> Visitor<'de> for MessageVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let seen = read_members(&mut map, crate::envelope::KEYS, None, self.0.fields())?;
        self.0.end(seen).map_err(A::Error::custom)
    }
}

fn check_required<E: de::Error>(shape: &Shape, seen: u128) -> Result<(), E> {
    if seen & shape.required == shape.required && shape.one_of.is_empty() {
        return Ok(());
    }
    shape.check_required(seen).map_err(E::custom)
}

/// Reads the members of an object up to its end; a bit tells for each whether it was
/// there.
///
/// `tag` is a name that was read before, if any: it must not come again.
fn read_members<'de, A: MapAccess<'de>>(
    map: &mut A,
    keys: &'static [&'static str],
    tag: Option<&'static str>,
    fields: &mut dyn Fields,
) -> Result<u128, A::Error> {
    let mut seen = 0_u128;
    let mut next = 0;
    while let Some(key) = map.next_key_seed(KeySeed { keys, next })? {
        match key {
            Choice::Known(index) => {
                let bit = 1 << index;
                if seen & bit != 0 {
                    return Err(A::Error::duplicate_field(keys[index]));
                }
                seen |= bit;
                next = index + 1;
                map.next_value_seed(Field { fields: &mut *fields, index })
                    .inspect_err(|_| note::failed_below(Segment::Key(keys[index])))?;
            }
            Choice::Other(name) => match tag {
                Some(tag) if tag == name => return Err(A::Error::duplicate_field(tag)),
                _ => map.next_value_seed(Other { fields: &mut *fields, name })?,
            },
        }
    }
    Ok(seen)
}

/// Whether a string is one of some names, and which.
pub(super) struct NameSeed(pub(super) &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Choice;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Choice, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = Choice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string that names the variant")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Choice, E> {
        Ok(Choice::of(self.0, name))
    }
}

pub(super) struct TaggedVisitor<'a>(pub(super) &'a mut dyn TaggedFields);

impl<'de> Visitor<'de> for TaggedVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.0.info();
        write!(f, "an object with `{}` ({})", info.tag, info.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let info = self.0.info();
        match map.next_key_seed(NameSeed(info.tag_only))? {
            Some(Choice::Known(_)) => {}
            Some(Choice::Other(name)) => return buffered(self.0, name, map),
            None => return Err(info.missing_tag()),
        }
        match map.next_value_seed(NameSeed(info.tags))? {
            Choice::Known(index) => {
                let mut arm = Arm { map: &mut map, tag: info.tag, error: None };
                match self.0.read_arm(index, &mut arm) {
                    Ok(()) => Ok(()),
                    Err(Failed) => Err(arm.error.unwrap_or_else(|| A::Error::custom("no such variant"))),
                }
            }
            Choice::Other(tag) => {
                let mut fields = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if name == info.tag {
                        return Err(A::Error::duplicate_field(info.tag));
                    }
                    fields.insert(name, value);
                }
                note::unknown();
                self.0.set_unrecognized(UnrecognizedVariant { tag, fields: fields.into() });
                Ok(())
            }
        }
    }
}

/// An arm whose tag was read.
struct Arm<'a, A, E> {
    map: &'a mut A,
    tag: &'static str,
    error: Option<E>,
}

impl<'de, A: MapAccess<'de>> ReadArm for Arm<'_, A, A::Error> {
    fn read(&mut self, shape: &'static Shape, fields: &mut dyn Fields) -> Done {
        let seen = read_members(self.map, shape.keys, Some(self.tag), fields);
        seen.and_then(|seen| check_required(shape, seen)).map_err(|error| {
            self.error = Some(error);
            Failed
        })
    }
}

/// Reads an object whose tag does not come first, as in unions whose members
/// upstream flattens: the members are put behind the tag and read again as text,
/// so that this road too ends in the one decoder that is compiled anyway.
#[cold]
fn buffered<'de, A: MapAccess<'de>>(union: &mut dyn TaggedFields, first: String, mut map: A) -> Result<(), A::Error> {
    let info = union.info();
    let mut members = Map::new();
    members.insert(first, map.next_value()?);
    while let Some((name, value)) = map.next_entry::<String, Value>()? {
        if members.insert(name, value).is_some() {
            return Err(A::Error::custom(format_args!("{}: a field is there twice", info.name)));
        }
    }
    let Some(tag) = members.remove(info.tag) else {
        return Err(info.missing_tag());
    };
    let mut text = format!("{{{}:{tag}", Value::from(info.tag));
    if members.is_empty() {
        text.push('}');
    } else {
        text.push(',');
        text.push_str(&Value::Object(members).to_string()[1..]);
    }
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    deserializer.deserialize_map(TaggedVisitor(union)).map_err(|error| carry(&error))
}

pub(super) struct ExternalVisitor<'a>(pub(super) &'a mut dyn ExternalFields);

struct Selected<'a>(&'a mut dyn ExternalFields);

impl<'de> DeserializeSeed<'de> for Selected<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Waiting::read(deserializer, |input| self.0.read(input))
    }
}

impl<'de> Visitor<'de> for ExternalVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string or an object with one member ({})", self.0.info().name)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<(), E> {
        let info = self.0.info();
        match info.units.iter().position(|unit| *unit == name) {
            Some(index) => self.0.set_unit(index),
            None => self.0.set_unknown(name.into()),
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let info = self.0.info();
        let mut members = Map::new();
        match map.next_key_seed(NameSeed(info.keys))? {
            None => return Err(A::Error::custom(format_args!("{}: an object without a member", info.name))),
            Some(Choice::Known(index)) => {
                self.0.select(index);
                map.next_value_seed(Selected(&mut *self.0))
                    .inspect_err(|_| note::failed_below(Segment::Key(info.keys[index])))?;
                let Some(second) = map.next_key::<String>()? else {
                    return Ok(());
                };
                // More than one member is no variant that we know, whatever the first says.
                if let Value::Object(known) = self.0.to_value().map_err(A::Error::custom)? {
                    members = known;
                }
                members.insert(second, map.next_value()?);
            }
            Some(Choice::Other(name)) => {
                members.insert(name, map.next_value()?);
            }
        }
        while let Some((name, value)) = map.next_entry()? {
            members.insert(name, value);
        }
        self.0.set_unknown(Value::Object(members));
        Ok(())
    }
}
