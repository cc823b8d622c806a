//! Stage 4: the small closed set of Rust shapes.
//!
//! What must always hold: a schema node is one of these shapes or an error with
//! its JSON pointer, never a silent `Value`; and a field keeps apart whether it
//! is required, nullable, has a default, and is always sent.

use std::collections::BTreeMap;

use serde_json::Value;

/// A definition, or an object inside one that needs a name of its own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub struct Definition {
    /// The name in the schema; for an inner object the name it was given.
    pub name: String,
    /// The name in Rust.
    pub rust: String,
    /// What upstream says about it.
    pub doc: Option<String>,
    /// Its shape.
    pub shape: Shape,
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// Whether it has no name in the schema.
    pub inner: bool,
    /// Whether the protocol crate writes the type by hand.
    pub by_hand: bool,
    /// Whether a client may send it, as a whole or as a part of something.
    pub input: bool,
    /// Whether only the experimental export has it.
    pub experimental: bool,
}

/// A shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// An object.
    Record(Record),
    /// A set of strings that may grow.
    StringEnum(Vec<EnumValue>),
    /// A union of objects that a member tells apart.
    Tagged {
        /// The wire name of that member.
        tag: String,
        /// The arms.
        arms: Vec<Arm>,
    },
    /// A union of strings and objects with one member that names the variant.
    External {
        /// The strings.
        units: Vec<EnumValue>,
        /// The objects.
        keys: Vec<KeyArm>,
        /// Whether upstream itself allows any other string and object.
        open: bool,
    },
    /// A union whose arms only their content tells apart.
    Untagged(Vec<UntaggedArm>),
    /// Another type with a name.
    Newtype(Type),
    /// A type or `null`.
    Nullable(Type),
    /// All messages of one direction and kind; the link stage has them.
    Methods,
}

/// A value of a string enum.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumValue {
    /// The value on the wire.
    pub wire: String,
    /// The variant's name.
    pub rust: String,
    /// What upstream says about it.
    pub doc: Option<String>,
    /// Whether only the experimental export has it.
    pub experimental: bool,
}

/// An arm of a tagged union.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// The tag's value.
    pub wire: String,
    /// The variant's name.
    pub variant: String,
    /// The name of the arm's struct.
    pub rust: String,
    /// What upstream says about it.
    pub doc: Option<String>,
    /// The members but the tag.
    pub record: Record,
    /// Whether only the experimental export has it.
    pub experimental: bool,
}

/// A variant that is an object with one member.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyArm {
    /// The member's name.
    pub wire: String,
    /// The variant's name.
    pub variant: String,
    /// What upstream says about it.
    pub doc: Option<String>,
    /// The member's type.
    pub ty: Type,
    /// Whether only the experimental export has it.
    pub experimental: bool,
}

/// An arm of an untagged union.
#[derive(Clone, Debug, PartialEq)]
pub struct UntaggedArm {
    /// The variant's name.
    pub variant: String,
    /// Its type.
    pub ty: Type,
    /// What upstream says about it.
    pub doc: Option<String>,
}

/// The members of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The known members, in the order that the server writes them where the
    /// harvest tells it.
    pub fields: Vec<Field>,
    /// What becomes of the others.
    pub rest: Rest,
    /// Where not empty: sets of wire names of which one must be there as a whole.
    pub one_of: Vec<Vec<String>>,
    /// Whether the schema forbids other members.
    pub closed: bool,
}

/// What becomes of members that are no fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Rest {
    /// They are unknown, and kept.
    #[default]
    Unknown,
    /// The schema allows any.
    Open,
    /// They are the entries of a map that lies flat in the object.
    Entries {
        /// The name of the map's field.
        rust: String,
        /// The type of the values.
        ty: Type,
    },
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub struct Field {
    /// The name on the wire.
    pub wire: String,
    /// The name in Rust.
    pub rust: String,
    /// What upstream says about it.
    pub doc: Option<String>,
    /// The type, without null.
    pub ty: Type,
    /// When it is there and when it is null.
    pub presence: Presence,
    /// Whether null is allowed by the schema.
    pub nullable: bool,
    /// The schema's own default.
    pub default: Option<Value>,
    /// Whether it is boxed, because the type contains itself.
    pub boxed: bool,
    /// Whether its name says that it is a secret.
    pub secret: bool,
    /// Whether only the experimental export has it.
    pub experimental: bool,
}

/// When a member is there and when it is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Always there, never null.
    Required,
    /// Always there; null is `None`.
    RequiredNullable,
    /// Always written; when it is missing, it is the schema's default.
    Always,
    /// Always written, null for `None`; may be missing.
    AlwaysNullable,
    /// Left out when it is `None`.
    Optional,
    /// Absent, null and a value mean three things.
    Tristate,
}

impl Presence {
    /// Whether decoding fails without it.
    pub fn is_required(self) -> bool {
        matches!(self, Self::Required | Self::RequiredNullable)
    }
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// An integer, by the name of Rust's type.
    Integer(&'static str),
    /// A double.
    Double,
    /// A string.
    String,
    /// Any JSON.
    Any,
    /// A list.
    List(Box<Type>),
    /// A map by string.
    Map(Box<Type>),
    /// A list item or map value that may be null.
    Nullable(Box<Type>),
    /// Another definition, by its schema name.
    Named(String),
}

/// Which part of the protocol a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Requests of the client.
    ClientRequest,
    /// Requests of the server.
    ServerRequest,
    /// Notifications of the server.
    ServerNotification,
    /// Notifications of the client.
    ClientNotification,
}

impl Side {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::ClientRequest, Self::ServerRequest, Self::ServerNotification, Self::ClientNotification];

    /// The definition that lists its methods.
    pub fn definition(self) -> &'static str {
        match self {
            Self::ClientRequest => "ClientRequest",
            Self::ServerRequest => "ServerRequest",
            Self::ServerNotification => "ServerNotification",
            Self::ClientNotification => "ClientNotification",
        }
    }

    /// Whether its methods are answered.
    pub fn is_request(self) -> bool {
        matches!(self, Self::ClientRequest | Self::ServerRequest)
    }
}

/// A method.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub struct Method {
    /// Who sends it, and as what.
    pub side: Side,
    /// The name on the wire.
    pub wire: String,
    /// The name in Rust.
    pub rust: String,
    /// The definition of its params; none if it takes none.
    pub params: Option<String>,
    /// Whether params may be null or absent.
    pub params_optional: bool,
    /// The definition of the answer.
    pub response: Option<String>,
    /// What upstream says about it.
    pub doc: Option<String>,
    /// Whether only the experimental export has it.
    pub experimental: bool,
    /// Whether upstream calls it deprecated.
    pub deprecated: bool,
    /// Whether only the TypeScript export names it.
    pub typescript_only: bool,
}

/// A release, ready to be emitted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Protocol {
    /// The release.
    pub release: String,
    /// All definitions by schema name.
    pub definitions: BTreeMap<String, Definition>,
    /// All methods by side and name.
    pub methods: Vec<Method>,
    /// Definitions that are not emitted, and why.
    pub skipped: BTreeMap<String, String>,
}

impl Protocol {
    /// The methods of a side.
    pub fn of(&self, side: Side) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| method.side == side)
    }
}

impl Definition {
    /// Every type that its shape names, with the records that hold it.
    pub fn types(&self) -> Vec<&Type> {
        fn record(record: &Record) -> impl Iterator<Item = &Type> {
            let rest = match &record.rest {
                Rest::Entries { ty, .. } => Some(ty),
                Rest::Unknown | Rest::Open => None,
            };
            record.fields.iter().map(|field| &field.ty).chain(rest)
        }
        match &self.shape {
            Shape::Record(own) => record(own).collect(),
            Shape::Tagged { arms, .. } => arms.iter().flat_map(|arm| record(&arm.record)).collect(),
            Shape::External { keys, .. } => keys.iter().map(|arm| &arm.ty).collect(),
            Shape::Untagged(arms) => arms.iter().map(|arm| &arm.ty).collect(),
            Shape::Newtype(ty) | Shape::Nullable(ty) => vec![ty],
            Shape::StringEnum(_) | Shape::Methods => Vec::new(),
        }
    }

    /// Every record of its shape, with the name of its struct.
    pub fn records(&self) -> Vec<(&str, &Record)> {
        match &self.shape {
            Shape::Record(record) => vec![(&self.rust, record)],
            Shape::Tagged { arms, .. } => arms.iter().map(|arm| (arm.rust.as_str(), &arm.record)).collect(),
            _ => Vec::new(),
        }
    }

    /// The same, to change.
    pub fn records_mut(&mut self) -> Vec<&mut Record> {
        match &mut self.shape {
            Shape::Record(record) => vec![record],
            Shape::Tagged { arms, .. } => arms.iter_mut().map(|arm| &mut arm.record).collect(),
            _ => Vec::new(),
        }
    }
}

impl Type {
    /// The definition that it names, at any depth.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) => inner.named(),
            _ => None,
        }
    }

    /// Whether it is or holds free-form JSON.
    pub fn holds_any(&self) -> bool {
        match self {
            Self::Any => true,
            Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) => inner.holds_any(),
            _ => false,
        }
    }
}
