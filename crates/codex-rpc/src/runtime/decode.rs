//! Decoding in place: what is decoded is filled where it will stay.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::note::{self, Segment};

/// A type that can be filled in place from any [`Deserializer`].
///
/// In place, because a struct of the protocol is some hundred bytes and would
/// otherwise be moved at every level of the message that holds it.
pub(crate) trait Decode: Sized {
    /// A value to fill. It never leaves the decoder unless it was filled.
    fn blank() -> Self;

    /// Fills a blank value. After an error the value is of no use.
    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;

    /// Fills an optional value; `null` is `None` unless the type has a use for it.
    fn decode_option<'de, D: Deserializer<'de>>(slot: &mut Option<Self>, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(OptionVisitor(slot))
    }
}

pub(crate) fn decode_option<'de, T: Decode, D: Deserializer<'de>>(
    slot: &mut Option<T>,
    deserializer: D,
) -> Result<(), D::Error> {
    T::decode_option(slot, deserializer)
}

/// What `Deserialize` of every type of this crate does.
pub(crate) fn from_deserializer<'de, T: Decode, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut value = T::blank();
    value.decode(deserializer)?;
    Ok(value)
}

/// Decodes JSON text. This is the one concrete input that everything is compiled
/// for inside this crate.
pub(crate) fn fill_from_text<T: Decode>(value: &mut T, text: &str) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    value.decode(&mut deserializer)?;
    deserializer.end()
}

/// Carries an error of the JSON parser into the error type of another input. The
/// position is left out, because it counts from the start of a buffer.
#[cold]
pub(crate) fn carry<E: de::Error>(error: &serde_json::Error) -> E {
    let text = error.to_string();
    E::custom(text.rfind(" at line ").map_or(&*text, |end| &text[..end]))
}

/// The place that a value is decoded into.
pub(crate) struct Slot<'a, T>(pub(crate) &'a mut T);

impl<'de, T: Decode> DeserializeSeed<'de> for Slot<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.decode(deserializer)
    }
}

struct OptionVisitor<'a, T>(&'a mut Option<T>);

impl<'de, T: Decode> Visitor<'de> for OptionVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        *self.0 = None;
        Ok(())
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.insert(T::blank()).decode(deserializer)
    }
}

impl<T: Decode> Decode for Option<T> {
    fn blank() -> Self {
        None
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        T::decode_option(self, deserializer)
    }
}

impl<T: Decode> Decode for Box<T> {
    fn blank() -> Self {
        Self::new(T::blank())
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        (**self).decode(deserializer)
    }
}

struct StringVisitor<'a>(&'a mut String);

impl Visitor<'_> for StringVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        value.clone_into(self.0);
        Ok(())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<(), E> {
        *self.0 = value;
        Ok(())
    }
}

impl Decode for String {
    fn blank() -> Self {
        Self::new()
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_string(StringVisitor(self))
    }
}

struct BoolVisitor<'a>(&'a mut bool);

impl Visitor<'_> for BoolVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        *self.0 = value;
        Ok(())
    }
}

impl Decode for bool {
    fn blank() -> Self {
        false
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_bool(BoolVisitor(self))
    }
}

struct IntegerVisitor<'a, T>(&'a mut T);

impl<T: TryFrom<i64> + TryFrom<u64>> Visitor<'_> for IntegerVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        *self.0 = T::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))?;
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        *self.0 = T::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))?;
        Ok(())
    }

    /// JSON Schema counts 3.0 among the integers.
    #[cold]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        const SIGNED: std::ops::Range<f64> = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
        const UNSIGNED: std::ops::Range<f64> = 0.0..18_446_744_073_709_551_616.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
        if value.fract() != 0.0 {
            Err(E::invalid_type(de::Unexpected::Float(value), &self))
        } else if SIGNED.contains(&value) {
            self.visit_i64(value as i64)
        } else if UNSIGNED.contains(&value) {
            self.visit_u64(value as u64)
        } else {
            Err(E::invalid_value(de::Unexpected::Float(value), &self))
        }
    }
}

macro_rules! integers {
    ($($name:ident by $method:ident),*) => {$(
        impl Decode for $name {
            fn blank() -> Self {
                0
            }

            fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                deserializer.$method(IntegerVisitor(self))
            }
        }
    )*};
}

integers! {
    i8 by deserialize_i64, i16 by deserialize_i64, i32 by deserialize_i64, i64 by deserialize_i64,
    u8 by deserialize_u64, u16 by deserialize_u64, u32 by deserialize_u64, u64 by deserialize_u64
}

struct FloatVisitor<'a>(&'a mut f64);

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

impl Decode for f64 {
    fn blank() -> Self {
        0.0
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_f64(FloatVisitor(self))
    }
}

impl Decode for Value {
    fn blank() -> Self {
        Self::Null
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        *self = de::Deserialize::deserialize(deserializer)?;
        Ok(())
    }

    /// Where any JSON may stand, `null` is a value.
    fn decode_option<'de, D: Deserializer<'de>>(slot: &mut Option<Self>, deserializer: D) -> Result<(), D::Error> {
        slot.insert(Self::Null).decode(deserializer)
    }
}

impl Decode for Map<String, Value> {
    fn blank() -> Self {
        Self::new()
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        *self = de::Deserialize::deserialize(deserializer)?;
        Ok(())
    }
}

struct ListVisitor<'a, T>(&'a mut Vec<T>);

struct Push<'a, T>(&'a mut Vec<T>);

impl<'de, T: Decode> DeserializeSeed<'de> for Push<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.push(T::blank());
        let index = self.0.len() - 1;
        self.0[index]
            .decode(deserializer)
            .inspect_err(|_| note::failed_below(Segment::Index(index)))
    }
}

impl<'de, T: Decode> Visitor<'de> for ListVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(Push(self.0))?.is_some() {}
        Ok(())
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn blank() -> Self {
        Self::new()
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.clear();
        deserializer.deserialize_seq(ListVisitor(self))
    }
}

struct MapVisitor<'a, T>(&'a mut BTreeMap<String, T>);

impl<'de, T: Decode> Visitor<'de> for MapVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            super::entry(name, &mut map, self.0)?;
        }
        Ok(())
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn blank() -> Self {
        Self::new()
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.clear();
        deserializer.deserialize_map(MapVisitor(self))
    }
}

/// Reads a string where it lies and keeps nothing: what a caller needs of it is
/// computed by `read`.
pub(crate) struct WithStr<F, T> {
    read: F,
    result: PhantomData<T>,
}

impl<F: FnOnce(&str) -> T, T> WithStr<F, T> {
    pub(crate) fn new(read: F) -> Self {
        Self { read, result: PhantomData }
    }
}

impl<'de, F: FnOnce(&str) -> T, T> DeserializeSeed<'de> for WithStr<F, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F: FnOnce(&str) -> T, T> Visitor<'_> for WithStr<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<T, E> {
        Ok((self.read)(value))
    }
}

pub(crate) fn blank<T: Decode>() -> T {
    T::blank()
}

/// A default of the schema that is no literal in Rust. A default that does not fit
/// its own type, which no release has, stays blank.
#[allow(dead_code, reason = "not every release has such a default")]
pub(crate) fn decoded<T: Decode>(text: &str) -> T {
    let mut value = T::blank();
    match fill_from_text(&mut value, text) {
        Ok(()) => value,
        Err(_) => T::blank(),
    }
}
