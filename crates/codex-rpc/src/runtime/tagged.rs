//! Unions whose arms are told apart by a member, mostly `type`.

use serde::de;

use super::encode::Encode;
use super::output::Output;
use super::record::{Fields, Shape};
use crate::UnrecognizedVariant;

/// What the decoder must know of a union.
pub struct TaggedInfo {
    /// The definition's name, for errors.
    pub(crate) name: &'static str,
    /// The wire name of the member that tells the arms apart.
    pub(crate) tag: &'static str,
    /// The same as a table of one.
    pub(crate) tag_only: &'static [&'static str],
    /// The tag of each arm.
    pub(crate) tags: &'static [&'static str],
}

impl TaggedInfo {
    #[cold]
    pub(crate) fn missing_tag<E: de::Error>(&self) -> E {
        E::custom(format_args!("{}: missing field `{}`", self.name, self.tag))
    }
}

/// A union of objects that is being read. Only the generator implements it.
pub trait TaggedFields {
    fn info(&self) -> &'static TaggedInfo;

    /// Becomes the arm with this index in the tags, blank, to be read.
    fn select(&mut self, index: usize) -> (&'static Shape, &mut dyn Fields);

    fn set_unrecognized(&mut self, variant: UnrecognizedVariant);
}

/// The shape of a variant that has none: every member is an unknown one.
pub(crate) const NO_SHAPE: &Shape = &Shape { name: "an unrecognised variant", keys: &[], required: 0, one_of: &[] };

impl Fields for UnrecognizedVariant {
    fn read(&mut self, _: usize, input: &mut dyn super::Input) -> super::Done {
        super::no_such_member(input)
    }

    fn read_other(&mut self, name: String, input: &mut dyn super::Input) -> super::Done {
        let mut value = serde_json::Value::Null;
        input.any(&mut value)?;
        self.fields.insert(name, value);
        Ok(())
    }
}

/// Writes an arm: its tag, of which the key is `,"name":`, and its members.
pub(crate) fn encode_arm(key: &'static str, tag: &str, arm: &dyn Encode, output: &mut Output<'_>) {
    output.open_map(None);
    output.field(key, &tag);
    arm.write(output);
    output.close_map();
}

/// Its members but the tag.
impl Encode for UnrecognizedVariant {
    fn write(&self, output: &mut Output<'_>) {
        for (name, value) in &self.fields {
            output.entry(name, value);
        }
    }
}

/// Implements everything of a union but its definition. The index of an arm is
/// its place in the list.
macro_rules! tagged_union {
    ($union:ident by $tag:literal { $($index:literal: $variant:ident($arm:ident) = $value:literal),* $(,)? }) => {
        $(
            impl From<$arm> for $union {
                #[inline]
                fn from(arm: $arm) -> Self {
                    Self::$variant(arm.into())
                }
            }
        )*

        impl $union {
            /// The tag: the value of the member that tells the variants apart.
            pub fn tag(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $value,)*
                    Self::Unrecognized(variant) => &variant.tag,
                }
            }
        }

        impl $crate::runtime::TaggedFields for $union {
            fn info(&self) -> &'static $crate::runtime::TaggedInfo {
                &$crate::runtime::TaggedInfo {
                    name: stringify!($union),
                    tag: $tag,
                    tag_only: &[$tag],
                    tags: &[$($value),*],
                }
            }

            fn select(&mut self, index: usize) -> (&'static $crate::runtime::Shape, &mut dyn $crate::runtime::Fields) {
                *self = match index {
                    $($index => Self::$variant(<$arm as $crate::runtime::Record>::blank().into()),)*
                    _ => $crate::runtime::Decode::blank(),
                };
                match self {
                    $(Self::$variant(arm) => {
                        let arm: &mut $arm = arm;
                        (<$arm as $crate::runtime::Record>::SHAPE, arm)
                    })*
                    Self::Unrecognized(variant) => ($crate::runtime::NO_SHAPE, variant),
                }
            }

            fn set_unrecognized(&mut self, variant: $crate::UnrecognizedVariant) {
                *self = Self::Unrecognized(variant);
            }
        }

        impl $crate::runtime::Decode for $union {
            fn blank() -> Self {
                Self::Unrecognized($crate::UnrecognizedVariant::default())
            }

            fn decode(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                input.tagged(self)
            }
        }

        impl $crate::runtime::Encode for $union {
            fn encode(&self, output: &mut $crate::runtime::Output<'_>) {
                let (tag, arm): (&str, &dyn $crate::runtime::Encode) = match self {
                    $(Self::$variant(arm) => {
                        let arm: &$arm = arm;
                        ($value, arm)
                    })*
                    Self::Unrecognized(variant) => (&variant.tag, variant),
                };
                $crate::runtime::encode_arm(concat!(",\"", $tag, "\":"), tag, arm, output);
            }
        }

        $crate::runtime::implement_serde!($union);
    };
}

pub(crate) use tagged_union;
