//! Compares what was decoded with what was encoded.

use codex_rpc::registry::{Member, Members, Presence, Rest, Shape, Type, find};
use serde_json::{Map, Number, Value};

use crate::unknown::{arm, child};

/// What may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tolerance {
    /// Nothing but the form of a number.
    Exact,
    /// Null and absent where both mean the same, and absent and the default.
    Meaningless,
}

/// A place where two values differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) pointer: String,
    /// What stood there; none if nothing did.
    pub(crate) expected: Option<Value>,
    /// What stands there now; none if nothing does.
    pub(crate) got: Option<Value>,
}

/// Compares two values of a type.
pub(crate) fn compare(
    expected: &Value,
    got: &Value,
    ty: &Type,
    tolerance: Tolerance,
    pointer: &str,
) -> Vec<Difference> {
    let mut comparison = Comparison { tolerance, found: Vec::new() };
    comparison.values(expected, got, ty, pointer);
    comparison.found
}

/// Compares two values of which nothing is known.
pub(crate) fn compare_json(expected: &Value, got: &Value, pointer: &str) -> Vec<Difference> {
    compare(expected, got, &Type::Any, Tolerance::Exact, pointer)
}

fn same_number(left: &Number, right: &Number) -> bool {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left == right,
        _ => left.as_f64() == right.as_f64(),
    }
}

struct Comparison {
    tolerance: Tolerance,
    found: Vec<Difference>,
}

const ANY: Type = Type::Any;

impl Comparison {
    fn values(&mut self, expected: &Value, got: &Value, ty: &Type, pointer: &str) {
        match (expected, got) {
            (Value::Number(left), Value::Number(right)) if same_number(left, right) => {}
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                let item = match resolve(ty, expected) {
                    Resolved::Type(Type::List(item)) => *item,
                    _ => ANY,
                };
                for (index, (left, right)) in left.iter().zip(right).enumerate() {
                    self.values(left, right, &item, &format!("{pointer}/{index}"));
                }
            }
            (Value::Object(left), Value::Object(right)) => self.objects(left, right, &resolve(ty, expected), pointer),
            (left, right) if left == right => {}
            _ => self.differ(pointer, Some(expected), Some(got)),
        }
    }

    fn differ(&mut self, pointer: &str, expected: Option<&Value>, got: Option<&Value>) {
        self.found.push(Difference { pointer: pointer.to_owned(), expected: expected.cloned(), got: got.cloned() });
    }

    fn objects(&mut self, left: &Map<String, Value>, right: &Map<String, Value>, ty: &Resolved, pointer: &str) {
        let missing = right.iter().filter(|(name, _)| !left.contains_key(*name)).map(|(name, _)| name);
        for name in left.keys().chain(missing) {
            let member = ty.member(name);
            let pointer = child(pointer, name);
            match (left.get(name), right.get(name)) {
                (Some(left), Some(right)) => {
                    if !self.tolerated(member, Some(left), Some(right)) {
                        self.values(left, right, &ty.value(name), &pointer);
                    }
                }
                (left, right) => {
                    if !self.tolerated(member, left, right) {
                        self.differ(&pointer, left, right);
                    }
                }
            }
        }
    }

    /// Whether two forms of a member mean the same.
    fn tolerated(&self, member: Option<&Member>, left: Option<&Value>, right: Option<&Value>) -> bool {
        let Some(member) = member else { return false };
        if self.tolerance == Tolerance::Exact || member.presence == Presence::ThreeState {
            return false;
        }
        let default: Option<Value> = member.default.and_then(|text| serde_json::from_str(text).ok());
        let is_default =
            |value: &Value| default.as_ref().is_some_and(|default| compare_json(default, value, "").is_empty());
        // Null stands for absent; absent stands for the default.
        let nothing = |value: Option<&Value>| value.is_none() || (value.is_some_and(Value::is_null) && member.nullable);
        match (nothing(left), nothing(right)) {
            (true, true) => true,
            (true, false) => left.is_none() && right.is_some_and(is_default),
            (false, true) => right.is_none() && left.is_some_and(is_default),
            (false, false) => false,
        }
    }
}

/// What is known of a value: the members of an object, or its type.
enum Resolved {
    Members(Members, Option<&'static str>),
    Key(&'static [(&'static str, Type)]),
    Type(Type),
}

impl Resolved {
    fn member(&self, name: &str) -> Option<&Member> {
        match self {
            Self::Members(members, _) => members.known.iter().find(|member| member.name == name),
            Self::Key(_) | Self::Type(_) => None,
        }
    }

    fn value(&self, name: &str) -> Type {
        match self {
            Self::Members(members, tag) => match (self.member(name), &members.rest) {
                (Some(member), _) => member.ty,
                (None, Rest::Entries(ty)) if *tag != Some(name) => *ty,
                _ => ANY,
            },
            Self::Key(keys) => keys.iter().find(|(key, _)| *key == name).map_or(ANY, |(_, ty)| *ty),
            Self::Type(Type::Map(value)) => **value,
            Self::Type(_) => ANY,
        }
    }
}

fn resolve(ty: &Type, value: &Value) -> Resolved {
    match ty {
        Type::Nullable(inner) => resolve(inner, value),
        Type::Named(name) => match find(name).map(|definition| definition.shape) {
            Some(Shape::Record(members)) => Resolved::Members(members, None),
            Some(Shape::Tagged { tag, arms }) => {
                let found = value.get(tag).and_then(Value::as_str);
                match arms.iter().find(|(name, _)| Some(*name) == found) {
                    Some((_, members)) => Resolved::Members(*members, Some(tag)),
                    None => Resolved::Type(ANY),
                }
            }
            Some(Shape::External { keys, .. }) => Resolved::Key(keys),
            Some(Shape::Untagged(arms)) => {
                arm(value, arms, "").map_or(Resolved::Type(ANY), |(ty, _)| resolve(ty, value))
            }
            Some(Shape::Newtype(ty) | Shape::Nullable(ty)) => resolve(&ty, value),
            Some(Shape::StringEnum(_) | Shape::Methods) | None => Resolved::Type(ANY),
        },
        ty => Resolved::Type(*ty),
    }
}
