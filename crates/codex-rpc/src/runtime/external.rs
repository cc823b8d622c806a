//! Unions of strings and objects with one member that names the variant.

use serde_json::Value;

use super::decode::Decode;
use super::input::{Done, Input};
use super::note;

/// What the decoder must know of a union.
pub struct ExternalInfo {
    /// The definition's name, for errors.
    pub(crate) name: &'static str,
    /// The strings that are variants without a value.
    pub(crate) units: &'static [&'static str],
    /// The member names that are variants with a value.
    pub(crate) keys: &'static [&'static str],
    /// Whether upstream itself allows any other string and object.
    pub(crate) open: bool,
}

/// A union of strings and one-member objects that is being read. Only the
/// generator implements it.
pub trait ExternalFields {
    fn info(&self) -> &'static ExternalInfo;

    /// Becomes the variant with this index in the units.
    fn set_unit(&mut self, index: usize);

    /// Becomes the variant with this index in the keys, blank.
    fn select(&mut self, index: usize);

    /// Reads the value of the variant that was selected.
    fn read(&mut self, input: &mut dyn Input) -> Done;

    fn set_unrecognized(&mut self, value: Value);

    fn to_value(&self) -> Result<Value, serde_json::Error>;

    /// Becomes a value that is no variant, and counts it as unknown unless
    /// upstream's own word allows it.
    fn set_unknown(&mut self, value: Value) {
        if !self.info().open {
            note::unknown();
        }
        self.set_unrecognized(value);
    }
}

/// Reads one of the strings without an input.
pub(crate) fn external_from_str<T: ExternalFields + Decode>(name: &str) -> T {
    let mut union = T::blank();
    match union.info().units.iter().position(|unit| *unit == name) {
        Some(index) => union.set_unit(index),
        None => union.set_unrecognized(name.into()),
    }
    union
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
        impl $crate::runtime::ExternalFields for $union {
            fn info(&self) -> &'static $crate::runtime::ExternalInfo {
                &$crate::runtime::ExternalInfo {
                    name: stringify!($union),
                    units: &[$($unit_name),*],
                    keys: &[$($key),*],
                    open: $open,
                }
            }

            fn set_unit(&mut self, index: usize) {
                *self = match index {
                    $($unit_index => Self::$unit,)*
                    _ => $crate::runtime::Decode::blank(),
                };
            }

            fn select(&mut self, index: usize) {
                *self = match index {
                    $($index => Self::$variant($crate::runtime::Decode::blank()),)*
                    _ => $crate::runtime::Decode::blank(),
                };
            }

            fn read(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                match self {
                    $(Self::$variant(value) => $crate::runtime::Decode::decode(value, input),)*
                    _ => $crate::runtime::no_such_member(input),
                }
            }

            fn set_unrecognized(&mut self, value: ::serde_json::Value) {
                *self = Self::Unrecognized(value);
            }

            fn to_value(&self) -> Result<::serde_json::Value, ::serde_json::Error> {
                $crate::envelope::json_value(self)
            }
        }

        impl $crate::runtime::Decode for $union {
            fn blank() -> Self {
                Self::Unrecognized(::serde_json::Value::Null)
            }

            fn decode(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                input.external(self)
            }
        }

        impl $crate::runtime::Encode for $union {
            fn encode(&self, output: &mut $crate::runtime::Output<'_>) {
                match self {
                    $(Self::$unit => output.string($unit_name),)*
                    $(Self::$variant(value) => output.one(concat!(",\"", $key, "\":"), value),)*
                    Self::Unrecognized(value) => output.any(value),
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

        $crate::runtime::implement_serde!($union);
    };
}

pub(crate) use external_union;
