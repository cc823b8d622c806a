//! Unions whose arms are told apart by a member, mostly `type`.

use serde::de;

use super::encode::Encode;
use super::input::Done;
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

    /// Becomes the arm with this index in the tags and has it read.
    fn read_arm(&mut self, index: usize, reader: &mut dyn ReadArm) -> Done;

    fn set_unrecognized(&mut self, variant: UnrecognizedVariant);
}

/// Reads the members of an arm, which is blank.
pub trait ReadArm {
    fn read(&mut self, shape: &'static Shape, fields: &mut dyn Fields) -> Done;
}

/// Its members but the tag.
impl Encode for UnrecognizedVariant {
    fn encode(&self, output: &mut Output<'_>) {
        self.fields.encode(output);
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
            #[inline]
            pub fn tag(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $value,)*
                    Self::Unrecognized(variant) => &variant.tag,
                }
            }
        }

        impl $crate::runtime::TaggedFields for &mut $union {
            fn info(&self) -> &'static $crate::runtime::TaggedInfo {
                &$crate::runtime::TaggedInfo {
                    name: stringify!($union),
                    tag: $tag,
                    tag_only: &[$tag],
                    tags: &[$($value),*],
                }
            }

            fn read_arm(
                &mut self,
                index: usize,
                reader: &mut dyn $crate::runtime::ReadArm,
            ) -> $crate::runtime::Done {
                $crate::runtime::put(*self, match index {
                    $($index => $union::$variant(<$arm as $crate::runtime::Record>::blank().into()),)*
                    _ => $crate::runtime::Decode::blank(),
                });
                match *self {
                    $($union::$variant(arm) => {
                        let mut arm: &mut $arm = arm;
                        reader.read(<$arm as $crate::runtime::Record>::SHAPE, &mut arm)
                    })*
                    // There is no such index.
                    $union::Unrecognized(_) => Err($crate::runtime::Failed),
                }
            }

            fn set_unrecognized(&mut self, variant: $crate::UnrecognizedVariant) {
                $crate::runtime::put(*self, $union::Unrecognized(variant));
            }
        }

        impl $crate::runtime::Decode for $union {
            fn blank() -> Self {
                Self::Unrecognized($crate::UnrecognizedVariant::default())
            }

            #[inline(never)]
            fn decode(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                let mut union = self;
                input.tagged(&mut union)
            }
        }

        impl $crate::runtime::Encode for $union {
            #[inline(never)]
            fn encode(&self, output: &mut $crate::runtime::Output<'_>) {
                let (tag, arm): (&str, &dyn $crate::runtime::Encode) = match self {
                    $(Self::$variant(arm) => {
                        let arm: &$arm = arm;
                        ($value, arm)
                    })*
                    Self::Unrecognized(variant) => (&variant.tag, variant),
                };
                output.arm(concat!(",\"", $tag, "\":"), tag, arm);
            }
        }

        $crate::runtime::implement_serde!($union);
    };
}

pub(crate) use tagged_union;
