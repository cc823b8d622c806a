//! Unions whose arms are told apart by a member, mostly `type`.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::decode::{Decode, WithStr, carry, fill_from_text};
use super::note;
use super::record::{Fields, Shape, read_members};
use crate::UnrecognizedVariant;

/// A union of objects. Only the generator implements it.
pub(crate) trait Tagged: Decode {
    /// The definition's name, for errors.
    const NAME: &'static str;
    /// The wire name of the member that tells the arms apart.
    const TAG: &'static str;
    /// The tag of each arm.
    const TAGS: &'static [&'static str];

    /// The arm with this index in `TAGS`, blank.
    fn select(index: usize) -> Self;

    /// The arm that was selected; none for an unrecognised one.
    fn arm<'de, A: MapAccess<'de>>(&mut self) -> Option<(&'static Shape, &mut dyn Fields<'de, A>)>;

    fn unrecognized(variant: UnrecognizedVariant) -> Self;
}

enum Tag {
    Known(usize),
    Unknown(String),
}

struct TagSeed(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for TagSeed {
    type Value = Tag;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tag, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for TagSeed {
    type Value = Tag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string that names the variant")
    }

    fn visit_str<E: de::Error>(self, tag: &str) -> Result<Tag, E> {
        let index = self.0.iter().position(|known| *known == tag);
        Ok(index.map_or_else(|| Tag::Unknown(tag.to_owned()), Tag::Known))
    }
}

struct TaggedVisitor<'a, T>(&'a mut T);

impl<'de, T: Tagged> Visitor<'de> for TaggedVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}` ({})", T::TAG, T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let first = map.next_key_seed(WithStr::new(|name| if name == T::TAG { None } else { Some(name.to_owned()) }))?;
        match first {
            Some(None) => {}
            Some(Some(name)) => return buffered(self.0, name, map),
            None => return Err(missing_tag::<T, _>()),
        }
        match map.next_value_seed(TagSeed(T::TAGS))? {
            Tag::Known(index) => {
                *self.0 = T::select(index);
                match self.0.arm::<A>() {
                    Some((shape, fields)) => read_members(&mut map, shape, Some(T::TAG), fields),
                    None => Err(missing_tag::<T, _>()),
                }
            }
            Tag::Unknown(tag) => {
                let mut fields = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if name == T::TAG {
                        return Err(A::Error::duplicate_field(T::TAG));
                    }
                    fields.insert(name, value);
                }
                note::unknown();
                *self.0 = T::unrecognized(UnrecognizedVariant { tag, fields });
                Ok(())
            }
        }
    }
}

#[cold]
fn missing_tag<T: Tagged, E: de::Error>() -> E {
    E::custom(format_args!("{}: missing field `{}`", T::NAME, T::TAG))
}

/// Reads an object whose tag does not come first: the members are put behind the
/// tag and read again as text, so that this road too ends in the one concrete
/// decoder that is compiled anyway.
#[cold]
fn buffered<'de, T: Tagged, A: MapAccess<'de>>(union: &mut T, first: String, mut map: A) -> Result<(), A::Error> {
    let mut members = Map::new();
    members.insert(first, map.next_value()?);
    while let Some((name, value)) = map.next_entry::<String, Value>()? {
        if members.insert(name, value).is_some() {
            return Err(A::Error::custom(format_args!("{}: a field is there twice", T::NAME)));
        }
    }
    let Some(tag) = members.remove(T::TAG) else {
        return Err(missing_tag::<T, _>());
    };
    let mut text = format!("{{{}:{tag}", Value::from(T::TAG));
    if members.is_empty() {
        text.push('}');
    } else {
        text.push(',');
        text.push_str(&Value::Object(members).to_string()[1..]);
    }
    fill_from_text(union, &text).map_err(|error| carry(&error))
}

pub(crate) fn decode_tagged<'de, T: Tagged, D: Deserializer<'de>>(
    union: &mut T,
    deserializer: D,
) -> Result<(), D::Error> {
    deserializer.deserialize_map(TaggedVisitor(union))
}

pub(crate) fn encode_unrecognized<S: Serializer>(
    tag: &'static str,
    variant: &UnrecognizedVariant,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry(tag, &variant.tag)?;
    for (name, value) in &variant.fields {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

pub(crate) fn encode_arm<R: super::Record, S: Serializer>(
    tag: &'static str,
    value: &'static str,
    arm: &R,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let mut members = super::Members::new(&mut map);
    members.field(tag, value);
    arm.write(&mut members);
    members.finish()?;
    map.end()
}

/// Implements everything of a union but its definition. The index of an arm is
/// its place in the list.
macro_rules! tagged_union {
    ($union:ident by $tag:literal { $($index:literal: $variant:ident($arm:ident) = $value:literal),* $(,)? }) => {
        $(
            impl From<$arm> for $union {
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

        impl $crate::runtime::Tagged for $union {
            const NAME: &'static str = stringify!($union);
            const TAG: &'static str = $tag;
            const TAGS: &'static [&'static str] = &[$($value),*];

            fn select(index: usize) -> Self {
                match index {
                    $($index => Self::$variant(<$arm as $crate::runtime::Record>::blank().into()),)*
                    _ => $crate::runtime::Decode::blank(),
                }
            }

            fn arm<'de, A: ::serde::de::MapAccess<'de>>(
                &mut self,
            ) -> Option<(&'static $crate::runtime::Shape, &mut dyn $crate::runtime::Fields<'de, A>)> {
                match self {
                    $(Self::$variant(arm) => {
                        let arm: &mut $arm = arm;
                        Some((<$arm as $crate::runtime::Record>::SHAPE, arm))
                    })*
                    Self::Unrecognized(_) => None,
                }
            }

            fn unrecognized(variant: $crate::UnrecognizedVariant) -> Self {
                Self::Unrecognized(variant)
            }
        }

        impl $crate::runtime::Decode for $union {
            fn blank() -> Self {
                Self::Unrecognized($crate::UnrecognizedVariant::default())
            }

            fn decode<'de, D: ::serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                $crate::runtime::decode_tagged(self, deserializer)
            }
        }

        impl ::serde::Serialize for $union {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(arm) => $crate::runtime::encode_arm::<$arm, S>($tag, $value, arm, serializer),)*
                    Self::Unrecognized(variant) => $crate::runtime::encode_unrecognized($tag, variant, serializer),
                }
            }
        }

        $crate::runtime::serde_via_decode!($union);
    };
}

pub(crate) use tagged_union;
