//! Unions of strings and objects with one member that names the variant.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::decode::{Decode, WithStr};
use super::note::{self, Segment};

/// A union of strings and one-member objects. Only the generator implements it.
pub(crate) trait External: Decode + serde::Serialize {
    /// The definition's name, for errors.
    const NAME: &'static str;
    /// The strings that are variants without a value.
    const UNITS: &'static [&'static str];
    /// The member names that are variants with a value.
    const KEYS: &'static [&'static str];

    /// Whether upstream itself allows any other string and object.
    const OPEN: bool;

    /// The variant with this index in `UNITS`.
    fn unit(index: usize) -> Self;

    /// The variant with this index in `KEYS`, blank.
    fn select(index: usize) -> Self;

    /// Reads the value of the variant that was selected.
    fn read<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error>;

    fn unrecognized(value: Value) -> Self;
}

struct ExternalVisitor<'a, T>(&'a mut T);

impl<'de, T: External> Visitor<'de> for ExternalVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string or an object with one member ({})", T::NAME)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<(), E> {
        *self.0 = match T::UNITS.iter().position(|unit| *unit == name) {
            Some(index) => T::unit(index),
            None => {
                unknown::<T>();
                T::unrecognized(name.into())
            }
        };
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let find = |name: &str| T::KEYS.iter().position(|key| *key == name).ok_or_else(|| name.to_owned());
        let mut members = Map::new();
        match map.next_key_seed(WithStr::new(find))? {
            None => return Err(A::Error::custom(format_args!("{}: an object without a member", T::NAME))),
            Some(Ok(index)) => {
                *self.0 = T::select(index);
                self.0
                    .read(&mut map)
                    .inspect_err(|_| note::failed_below(Segment::Key(T::KEYS[index])))?;
                let Some(second) = map.next_key::<String>()? else {
                    return Ok(());
                };
                // More than one member is no variant that we know, whatever the first says.
                let known = crate::envelope::json_value(&*self.0).map_err(A::Error::custom)?;
                if let Value::Object(known) = known {
                    members = known;
                }
                members.insert(second, map.next_value()?);
            }
            Some(Err(name)) => {
                members.insert(name, map.next_value()?);
            }
        }
        while let Some((name, value)) = map.next_entry()? {
            members.insert(name, value);
        }
        unknown::<T>();
        *self.0 = T::unrecognized(Value::Object(members));
        Ok(())
    }
}

/// Counts an unknown value, unless it is none by upstream's own word.
fn unknown<T: External>() {
    if !T::OPEN {
        note::unknown();
    }
}

pub(crate) fn decode_external<'de, T: External, D: Deserializer<'de>>(
    union: &mut T,
    deserializer: D,
) -> Result<(), D::Error> {
    deserializer.deserialize_any(ExternalVisitor(union))
}

/// Reads one of the strings without a deserializer.
pub(crate) fn external_from_str<T: External>(name: &str) -> T {
    let mut union = T::blank();
    let string: StrDeserializer<'_, de::value::Error> = de::IntoDeserializer::into_deserializer(name);
    match decode_external(&mut union, string) {
        Ok(()) => union,
        Err(_) => T::unrecognized(name.into()),
    }
}

/// Implements everything of a union but its definition. The index of a variant is
/// its place in its list.
macro_rules! external_union {
    (
        $union:ident open $open:literal {
            units { $($unit_index:literal: $unit:ident = $unit_name:literal),* $(,)? }
            keys { $($index:literal: $variant:ident($value:ty) = $key:literal),* $(,)? }
        }
    ) => {
        impl $crate::runtime::External for $union {
            const NAME: &'static str = stringify!($union);
            const UNITS: &'static [&'static str] = &[$($unit_name),*];
            const KEYS: &'static [&'static str] = &[$($key),*];
            const OPEN: bool = $open;

            fn unit(index: usize) -> Self {
                match index {
                    $($unit_index => Self::$unit,)*
                    _ => $crate::runtime::Decode::blank(),
                }
            }

            fn select(index: usize) -> Self {
                match index {
                    $($index => Self::$variant($crate::runtime::Decode::blank()),)*
                    _ => $crate::runtime::Decode::blank(),
                }
            }

            #[allow(unused_variables, reason = "a union may have no variant with a value")]
            fn read<'de, A: ::serde::de::MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
                match self {
                    $(Self::$variant(value) => $crate::runtime::value(map, value),)*
                    _ => Ok(()),
                }
            }

            fn unrecognized(value: ::serde_json::Value) -> Self {
                Self::Unrecognized(value)
            }
        }

        impl $crate::runtime::Decode for $union {
            fn blank() -> Self {
                Self::Unrecognized(::serde_json::Value::Null)
            }

            fn decode<'de, D: ::serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                $crate::runtime::decode_external(self, deserializer)
            }
        }

        impl ::serde::Serialize for $union {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$unit => serializer.serialize_str($unit_name),)*
                    $(Self::$variant(value) => $crate::runtime::encode_one($key, value, serializer),)*
                    Self::Unrecognized(value) => ::serde::Serialize::serialize(value, serializer),
                }
            }
        }

        impl ::std::fmt::Debug for $union {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$unit => f.write_str(stringify!($unit)),)*
                    $(Self::$variant(value) => f.debug_tuple(stringify!($variant)).field(value).finish(),)*
                    Self::Unrecognized(value) => {
                        f.debug_tuple("Unrecognized").field(&$crate::runtime::redact::json(value)).finish()
                    }
                }
            }
        }

        impl From<&str> for $union {
            fn from(name: &str) -> Self {
                $crate::runtime::external_from_str(name)
            }
        }

        $crate::runtime::serde_via_decode!($union);
    };
}

pub(crate) use external_union;
