//! Every definition of the schema by its name.
//!
//! For tests and tools that get a definition's name as data: what the definition
//! looks like, and a way to decode a value as it and encode it again.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::runtime::note;
use crate::{DecodeError, ProtocolType};

/// A definition of the schema, or an object inside one that has a name in Rust.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Definition {
    /// The name in the schema.
    pub name: &'static str,
    /// What it looks like.
    pub shape: Shape,
    /// Whether only the experimental export has it.
    pub experimental: bool,
    /// Whether it has no name in the schema.
    pub inner: bool,
    recode: fn(&str) -> Result<Recoded, DecodeError>,
    debug: fn(&str) -> Result<String, DecodeError>,
}

/// What became of a value that was decoded and encoded again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recoded {
    /// The value.
    pub value: Value,
    /// How many members, values and variants were kept without being known.
    pub unknown: u32,
}

/// What a definition looks like.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the generator has no other shapes")]
pub enum Shape {
    /// An object.
    Record(Members),
    /// A set of strings that may grow.
    StringEnum(&'static [&'static str]),
    /// A union of objects that a member tells apart.
    Tagged {
        /// That member.
        tag: &'static str,
        /// Tags and the other members.
        arms: &'static [(&'static str, Members)],
    },
    /// A union of strings and objects with one member.
    External {
        /// The strings.
        units: &'static [&'static str],
        /// The members and their types.
        keys: &'static [(&'static str, Type)],
        /// Whether upstream itself allows any other string and object.
        open: bool,
    },
    /// A union whose arms only their content tells apart.
    Untagged(&'static [Type]),
    /// Another type.
    Newtype(Type),
    /// A type or null.
    Nullable(Type),
    /// A message with one of the methods of a side.
    Methods,
}

/// The members of an object.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Members {
    /// The known ones.
    pub known: &'static [Member],
    /// The others.
    pub rest: Rest,
}

impl Members {
    pub(crate) const fn new(known: &'static [Member], rest: Rest) -> Self {
        Self { known, rest }
    }
}

/// What the other members of an object are.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the generator has no others")]
pub enum Rest {
    /// Unknown.
    Unknown,
    /// Any, by the schema.
    Open,
    /// Entries of a map.
    Entries(Type),
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Member {
    /// The name on the wire.
    pub name: &'static str,
    /// The type, without null.
    pub ty: Type,
    /// Whether null is allowed.
    pub nullable: bool,
    /// When it is there.
    pub presence: Presence,
    /// The schema's default, as JSON text.
    pub default: Option<&'static str>,
    /// Whether only the experimental export has it.
    pub experimental: bool,
}

impl Member {
    pub(crate) const fn new(
        name: &'static str,
        ty: Type,
        nullable: bool,
        presence: Presence,
        default: Option<&'static str>,
        experimental: bool,
    ) -> Self {
        Self { name, ty, nullable, presence, default, experimental }
    }
}

/// When a member is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the generator has no others")]
pub enum Presence {
    /// Always.
    Required,
    /// Always written, may be missing when read.
    AlwaysWritten,
    /// When it has a value.
    Optional,
    /// Absent, null and a value mean three things.
    ThreeState,
}

/// A type.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the generator has no others")]
pub enum Type {
    /// A boolean.
    Bool,
    /// An integer.
    Integer,
    /// A number.
    Double,
    /// A string.
    String,
    /// Any JSON.
    Any,
    /// A list.
    List(&'static Type),
    /// A map by string.
    Map(&'static Type),
    /// A type or null.
    Nullable(&'static Type),
    /// Another definition.
    Named(&'static str),
}

impl Definition {
    pub(crate) const fn new(
        name: &'static str,
        shape: Shape,
        experimental: bool,
        inner: bool,
        recode: fn(&str) -> Result<Recoded, DecodeError>,
        debug: fn(&str) -> Result<String, DecodeError>,
    ) -> Self {
        Self { name, shape, experimental, inner, recode, debug }
    }

    /// Decodes a value as this definition's type and formats it with `Debug`.
    ///
    /// # Errors
    /// When the text is no JSON or no value of the type.
    pub fn debug(&self, text: &str) -> Result<String, DecodeError> {
        (self.debug)(text)
    }

    /// Decodes a value as this definition's type and encodes it again.
    ///
    /// ```
    /// let status = codex_rpc::registry::find("TurnStatus").expect("a definition");
    /// let recoded = status.recode(r#""resting""#)?;
    /// assert_eq!((recoded.value, recoded.unknown), ("resting".into(), 1));
    /// # Ok::<(), codex_rpc::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no JSON or no value of the type.
    ///
    /// # Panics
    /// When serde and the quick road for JSON text, both of which are tried, disagree.
    pub fn recode(&self, text: &str) -> Result<Recoded, DecodeError> {
        (self.recode)(text)
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("name", &self.name).field("shape", &self.shape).finish_non_exhaustive()
    }
}

/// Decodes and encodes on both roads, the quick one and that of serde.
pub(crate) fn recode<T: ProtocolType>(text: &str) -> Result<Recoded, DecodeError> {
    let (quick, quick_unknown) = note::count_unknown(|| T::try_from_text(text));
    let (decoded, unknown) = note::count_unknown(|| crate::from_json::<T>(text));
    let agree = match (&quick, &decoded) {
        (Some(quick), Ok(decoded)) => encoded(quick)? == encoded(decoded)? && quick_unknown == unknown,
        (quick, decoded) => quick.is_none() && decoded.is_err(),
    };
    assert!(agree, "the two roads of decoding disagree on {text}");
    Ok(Recoded { value: crate::from_json(&encoded(&decoded?)?)?, unknown })
}

fn encoded<T: ProtocolType>(value: &T) -> Result<String, DecodeError> {
    let by_serde = serde_json::to_string(value).map_err(DecodeError::new)?;
    let quick = crate::to_json(value).map_err(DecodeError::new)?;
    assert_eq!(quick, by_serde, "the two roads of encoding disagree");
    Ok(quick)
}

pub(crate) fn debug<T: DeserializeOwned + fmt::Debug>(text: &str) -> Result<String, DecodeError> {
    Ok(format!("{:?}", crate::from_json::<T>(text)?))
}

/// All definitions, sorted by name.
pub fn definitions() -> &'static [Definition] {
    crate::generated::registry::DEFINITIONS
}

/// A definition by its name in the schema.
pub fn find(name: &str) -> Option<&'static Definition> {
    let all = definitions();
    all.binary_search_by(|definition| definition.name.cmp(name)).ok().map(|index| &all[index])
}
