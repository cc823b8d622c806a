//! What the generated code stands on.
//!
//! What must always hold: decoding fills a value in place and in one pass; what
//! it does not know it keeps; what is missing is an error; and the cost of a
//! type, in source, in build time and in machine code, is one match over its
//! fields.
//!
//! How: a [`Record`] is a table of wire names and one method that reads the
//! member with a given index; the loop over the members is compiled once per
//! input, not once per type. A [`Tagged`] union reads its tag first when it
//! comes first, as it mostly does on the wire, and looks for it otherwise. The
//! types see an [`Input`]: a deserializer of serde, or JSON text on the quick road
//! of [`text`]. They write to an [`Output`]: a serializer of serde, or JSON text.
//!
//! What is written once here is compiled some thousand times, and half of that was code
//! that drops the types. So: what is filled is blank and is not dropped
//! ([`put`]); trait objects are made of references to what they stand for, because the
//! table of an object made of the type itself has what drops it, in every module anew;
//! and what all types call is `#[inline(never)]`, where a call costs less than copies.
//! What it brought is in the benchmarks' README.

mod decode;
mod encode;
mod external;
mod input;
mod methods;
mod names;
pub(crate) mod note;
mod open_enum;
mod output;
mod record;
pub(crate) mod redact;
mod sink;
mod tagged;
mod text;
mod untagged;
mod visit;

#[cfg(feature = "registry")]
pub(crate) use decode::try_from_json;
pub(crate) use decode::{Decode, blank, fill_from_text, from_deserializer, put};
#[allow(unused_imports, reason = "not every release has a type that holds itself or a default that is no literal")]
pub(crate) use decode::{boxed_option, boxed_some, boxed_tristate, decoded};
pub(crate) use encode::{Encode, append_text, to_serializer, to_text};
pub(crate) use external::{ExternalFields, ExternalInfo, external_from_str, external_union};
pub(crate) use input::{Choice, Done, Envelope, Failed, Input, Look, Slot, carried_text};
pub use methods::Methods;
pub(crate) use methods::{PARAMS, methods};
pub(crate) use names::NameTable;
pub(crate) use open_enum::{named_strings, newtypes, open_enum};
pub(crate) use output::Output;
pub(crate) use record::{Fields, Record, Shape, entry, open_member, unknown_member};
pub(crate) use tagged::{ReadArm, TaggedFields, TaggedInfo, tagged_union};
pub(crate) use untagged::{decode_untagged, try_arm, untagged_union};

/// Implements serde for types that implement [`Encode`] and [`Decode`].
macro_rules! implement_serde {
    ($($name:ty),* $(,)?) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::runtime::to_serializer(self, serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::runtime::from_deserializer(deserializer)
            }
        }
    )*};
}

pub(crate) use implement_serde;
