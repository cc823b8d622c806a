//! Unions of strings and objects with one member that names the variant.

use serde_json::Value;

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

    /// Also after the variant that was selected has been read.
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
pub(crate) fn external_from_str(union: &mut dyn ExternalFields, name: &str) {
    match union.info().units.iter().position(|unit| *unit == name) {
        Some(index) => union.set_unit(index),
        None => union.set_unrecognized(name.into()),
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
        impl $crate::runtime::ExternalFields for &mut $union {
            fn info(&self) -> &'static $crate::runtime::ExternalInfo {
                &$crate::runtime::ExternalInfo {
                    name: stringify!($union),
                    units: &[$($unit_name),*],
                    keys: &[$($key),*],
                    open: $open,
                }
            }

            fn set_unit(&mut self, index: usize) {
                $crate::runtime::put(*self, match index {
                    $($unit_index => $union::$unit,)*
                    _ => $crate::runtime::Decode::blank(),
                });
            }

            fn select(&mut self, index: usize) {
                $crate::runtime::put(*self, match index {
                    $($index => $union::$variant($crate::runtime::Decode::blank()),)*
                    _ => $crate::runtime::Decode::blank(),
                });
            }

            fn read(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                match *self {
                    $($union::$variant(value) => $crate::runtime::Decode::decode(value, input),)*
                    _ => Err(input.fail(format_args!("no such member"))),
                }
            }

            fn set_unrecognized(&mut self, value: ::serde_json::Value) {
                **self = $union::Unrecognized(value);
            }

            fn to_value(&self) -> Result<::serde_json::Value, ::serde_json::Error> {
                $crate::envelope::json_value(*self)
            }
        }

        impl $crate::runtime::Decode for $union {
            fn blank() -> Self {
                Self::Unrecognized(::serde_json::Value::Null)
            }

            #[inline(never)]
            fn decode(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                let mut union = self;
                input.external(&mut union)
            }
        }

        impl $crate::runtime::Encode for $union {
            #[inline(never)]
            fn encode(&self, output: &mut $crate::runtime::Output<'_>) {
                match self {
                    $(Self::$unit => output.string($unit_name),)*
                    $(Self::$variant(value) => output.one(concat!(",\"", $key, "\":"), &value),)*
                    Self::Unrecognized(value) => output.any(value),
                }
            }
        }

        impl ::std::fmt::Debug for $union {
            #[inline]
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
            #[inline]
            fn from(name: &str) -> Self {
                let mut union = $crate::runtime::blank();
                $crate::runtime::external_from_str(&mut &mut union, name);
                union
            }
        }

        $crate::runtime::implement_serde!($union);
    };
}

pub(crate) use external_union;
