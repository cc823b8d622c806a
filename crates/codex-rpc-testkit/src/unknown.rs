//! Names what the bindings do not know: walks a JSON value along the registry's
//! tables, independently of the decoder, which only counts.

use codex_rpc::registry::{Members, Rest, Shape, Type, find};
use serde_json::{Map, Value};

/// What is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Value,
    Field,
}

/// Something unknown and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) kind: Kind,
    pub(crate) pointer: String,
    pub(crate) what: String,
}

/// The unknown parts of a value; none if the value is no such type.
pub(crate) fn walk(value: &Value, ty: &Type, pointer: &str) -> Option<Vec<Unknown>> {
    let fits = |is: bool| is.then(Vec::new);
    match ty {
        Type::Any => Some(Vec::new()),
        Type::Bool => fits(value.is_boolean()),
        Type::Integer => {
            fits(value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0))
        }
        Type::Double => fits(value.is_number()),
        Type::String => fits(value.is_string()),
        Type::Nullable(inner) => {
            if value.is_null() {
                Some(Vec::new())
            } else {
                walk(value, inner, pointer)
            }
        }
        Type::List(item) => {
            let items = value.as_array()?.iter().enumerate();
            collect(items.map(|(index, value)| walk(value, item, &format!("{pointer}/{index}"))))
        }
        Type::Map(entry) => {
            let entries = value.as_object()?.iter();
            collect(entries.map(|(name, value)| walk(value, entry, &child(pointer, name))))
        }
        Type::Named(name) => shape(value, &find(name)?.shape, pointer),
    }
}

fn collect(parts: impl Iterator<Item = Option<Vec<Unknown>>>) -> Option<Vec<Unknown>> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    Some(all)
}

/// The pointer of a member.
pub(crate) fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn shape(value: &Value, shape: &Shape, pointer: &str) -> Option<Vec<Unknown>> {
    let unknown = |what: String| Some(vec![Unknown { kind: Kind::Value, pointer: pointer.to_owned(), what }]);
    match shape {
        Shape::Record(members) => record(value.as_object()?, members, None, pointer),
        Shape::StringEnum(values) => {
            let text = value.as_str()?;
            if values.contains(&text) { Some(Vec::new()) } else { unknown(text.to_owned()) }
        }
        Shape::Tagged { tag, arms } => {
            let object = value.as_object()?;
            let found = object.get(*tag)?.as_str()?;
            if let Some((_, members)) = arms.iter().find(|(name, _)| *name == found) {
                return record(object, members, Some(tag), pointer);
            }
            let pointer = child(pointer, tag);
            Some(vec![Unknown { kind: Kind::Value, pointer, what: found.to_owned() }])
        }
        Shape::External { units, keys, open } => {
            if let Some(text) = value.as_str() {
                return if *open || units.contains(&text) { Some(Vec::new()) } else { unknown(text.to_owned()) };
            }
            let object = value.as_object()?;
            let only = (object.len() == 1).then(|| object.iter().next()).flatten();
            match only.and_then(|(name, value)| Some((keys.iter().find(|(key, _)| key == name)?, name, value))) {
                Some(((_, ty), name, value)) => walk(value, ty, &child(pointer, name)),
                None if *open => Some(Vec::new()),
                None => unknown(object.keys().cloned().collect::<Vec<_>>().join(", ")),
            }
        }
        Shape::Untagged(arms) => arm(value, arms, pointer).map(|(_, unknown)| unknown),
        Shape::Newtype(ty) => walk(value, ty, pointer),
        Shape::Nullable(ty) => {
            if value.is_null() {
                Some(Vec::new())
            } else {
                walk(value, ty, pointer)
            }
        }
        Shape::Methods => None,
    }
}

/// The arm of an untagged union that a value is: the first that knows all of it,
/// else the one that knows most.
pub(crate) fn arm<'a>(value: &Value, arms: &'a [Type], pointer: &str) -> Option<(&'a Type, Vec<Unknown>)> {
    arms.iter().filter_map(|ty| Some((ty, walk(value, ty, pointer)?))).min_by_key(|(_, unknown)| unknown.len())
}

fn record(object: &Map<String, Value>, members: &Members, tag: Option<&str>, pointer: &str) -> Option<Vec<Unknown>> {
    use codex_rpc::registry::Presence;

    let mut all = Vec::new();
    for member in members.known {
        if member.presence == Presence::Required && !object.contains_key(member.name) {
            return None;
        }
    }
    for (name, value) in object {
        if Some(name.as_str()) == tag {
            continue;
        }
        let pointer = child(pointer, name);
        match members.known.iter().find(|member| member.name == name) {
            Some(member) if value.is_null() && member.nullable => {}
            Some(member) if value.is_null() && member.presence != Presence::Required => {}
            Some(member) => all.extend(walk(value, &member.ty, &pointer)?),
            None => match &members.rest {
                Rest::Open => {}
                Rest::Entries(ty) => all.extend(walk(value, ty, &pointer)?),
                Rest::Unknown => all.push(Unknown { kind: Kind::Field, pointer, what: name.clone() }),
            },
        }
    }
    Some(all)
}
