//! Valid messages for tests, and assertions about messages.
//!
//! A message needs only what the test is about: every other member that the protocol
//! requires is filled in, by the tables of the bindings. What is given is merged over,
//! at any depth; objects in lists are completed, too.
//!
//! ```
//! use codex_rpc_testkit::fixtures;
//! use serde_json::json;
//!
//! let message = fixtures::notification("item/completed", &json!({
//!     "threadId": "t1",
//!     "item": {"type": "agentMessage", "text": "Hello."},
//! }));
//! assert_eq!(message["params"]["item"]["text"], "Hello.");
//! assert_eq!(message["params"]["turnId"], "turnId");
//!
//! let line = message.to_string();
//! let message = codex_rpc::ServerMessage::from_json(&line)?;
//! # Ok::<(), codex_rpc::DecodeError>(())
//! ```

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use codex_rpc::registry::{Definition, Members, Presence, Shape, Type, find};
use codex_rpc::{Direction, MethodInfo, MethodKind};
use serde_json::{Map, Value, json};

use crate::report;
use crate::round_trip::RoundTrip;
use crate::transcript::From;

/// A value of a definition of the schema: what is required, with `over` merged over it,
/// unless it is null.
/// Strings are named after their member, numbers are 0, lists are empty, unions are
/// their first arm unless `over` says another.
///
/// # Panics
/// If there is no such definition, or the value is none of it.
#[track_caller]
pub fn value(definition: &str, over: &Value) -> Value {
    let Some(found) = find(definition) else { panic!("the bindings have no definition `{definition}`") };
    let value = shape(found, definition, (!over.is_null()).then_some(over), 0);
    assert_round_trip(definition, &value);
    value
}

/// A request, from either side.
///
/// # Panics
/// If the method is no request, or the params are none of it.
#[track_caller]
pub fn request(method: &str, id: impl Into<Value>, over: &Value) -> Value {
    let mut message = message(method, MethodKind::Request, over);
    message.insert("id".to_owned(), id.into());
    Value::Object(message)
}

/// A notification, from either side.
///
/// # Panics
/// If the method is no notification, or the params are none of it.
#[track_caller]
pub fn notification(method: &str, over: &Value) -> Value {
    Value::Object(message(method, MethodKind::Notification, over))
}

/// The answer to a request of this method, with a result.
///
/// # Panics
/// If the method is no request, or the result is none of it.
#[track_caller]
pub fn response(method: &str, id: impl Into<Value>, over: &Value) -> Value {
    let Some(response) = info(method, MethodKind::Request).response else { panic!("{method} has no response") };
    json!({"id": id.into(), "result": value(response, over)})
}

/// The answer to a request, with an error.
pub fn error_response(id: impl Into<Value>, code: i64, message: &str) -> Value {
    json!({"id": id.into(), "error": {"code": code, "message": message}})
}

/// Asserts that a value decodes as the definition and encodes to the same JSON.
///
/// # Panics
/// If not; says where, as JSON pointers.
#[track_caller]
pub fn assert_round_trip(definition: &str, value: &Value) {
    let mut trip = RoundTrip::new();
    let line = json!({"type": definition, "value": value}).to_string();
    trip.instances(definition, line.as_bytes());
    exact(trip, value);
}

/// Asserts that a message from this side, but for an answer, decodes as what it is, is
/// known in full, and encodes to the same JSON.
///
/// # Panics
/// If not; says where, as JSON pointers.
#[track_caller]
pub fn assert_message(from: From, message: &Value) {
    let mut trip = RoundTrip::new();
    let line = json!({"from": from, "message": message}).to_string();
    trip.transcript("message", line.as_bytes());
    exact(trip, message);
}

/// Asserts the same of every message of a transcript, answers too.
///
/// # Panics
/// If the file can't be read, or a message is not as it should be; says where, as line
/// and JSON pointer.
#[track_caller]
pub fn assert_transcript(path: impl AsRef<Path>) {
    let path = path.as_ref();
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut trip = RoundTrip::new();
    trip.transcript(&path.display().to_string(), BufReader::new(file));
    let outcome = trip.finish();
    assert!(outcome.is_exact(), "{}", report::text(&outcome));
}

#[track_caller]
fn exact(trip: RoundTrip, value: &Value) {
    let outcome = trip.finish();
    assert!(outcome.is_exact(), "{}in {value}", report::text(&outcome));
}

#[track_caller]
fn info(method: &str, kind: MethodKind) -> &'static MethodInfo {
    let directions = [Direction::ClientToServer, Direction::ServerToClient];
    let mut infos = directions.into_iter().filter_map(|direction| MethodInfo::find(direction, method));
    let found = infos.find(|found| found.kind == kind);
    let what = match kind {
        MethodKind::Request => "request",
        MethodKind::Notification => "notification",
    };
    found.unwrap_or_else(|| panic!("the bindings have no {what} `{method}`"))
}

#[track_caller]
fn message(method: &str, kind: MethodKind, over: &Value) -> Map<String, Value> {
    let info = info(method, kind);
    let mut message = Map::new();
    message.insert("method".to_owned(), method.into());
    match info.params {
        Some(params) => {
            message.insert("params".to_owned(), value(params, over));
        }
        None => assert!(over.is_null() || over == &json!({}), "{method} takes no params"),
    }
    message
}

/// Deeper than any value that a definition requires.
const DEPTH: usize = 32;

fn shape(definition: &Definition, name: &str, over: Option<&Value>, depth: usize) -> Value {
    assert!(depth < DEPTH, "`{name}` requires itself");
    let object = match over {
        Some(Value::Object(object)) => Some(object),
        Some(other) if !matches!(definition.shape, Shape::Newtype(_)) => return other.clone(),
        _ => None,
    };
    match &definition.shape {
        Shape::Record(members) => record(members, object, Map::new(), depth),
        Shape::StringEnum(values) => json!(values.first()),
        Shape::Tagged { tag, arms } => {
            let wanted = object.and_then(|object| object.get(*tag)).and_then(Value::as_str);
            let arm = arms.iter().find(|(value, _)| wanted.is_none_or(|wanted| wanted == *value));
            match arm {
                Some((value, members)) => {
                    record(members, object, Map::from_iter([(tag.to_string(), json!(value))]), depth)
                }
                None => over.cloned().unwrap_or_default(),
            }
        }
        Shape::External { units, keys, .. } => match (over, units.first(), keys.first()) {
            (Some(over), _, _) => over.clone(),
            (None, Some(unit), _) => json!(unit),
            (None, None, Some((key, ty))) => json!({*key: fill(ty, key, None, depth)}),
            (None, None, None) => Value::Null,
        },
        Shape::Untagged(arms) => match (over, arms.first()) {
            (Some(over), _) => over.clone(),
            (None, Some(ty)) => fill(ty, name, None, depth),
            (None, None) => Value::Null,
        },
        Shape::Newtype(ty) => fill(ty, name, over, depth),
        Shape::Nullable(ty) if over.is_some() => fill(ty, name, over, depth),
        Shape::Nullable(_) | Shape::Methods => over.cloned().unwrap_or_default(),
    }
}

fn record(members: &Members, over: Option<&Map<String, Value>>, mut object: Map<String, Value>, depth: usize) -> Value {
    for member in members.known {
        let given = over.and_then(|over| over.get(member.name));
        let value = match (member.presence, given) {
            (_, Some(Value::Null)) => Value::Null,
            (_, Some(given)) => fill(&member.ty, member.name, Some(given), depth),
            (Presence::Optional | Presence::ThreeState, None) => continue,
            (Presence::Required | Presence::AlwaysWritten, None) if member.nullable => Value::Null,
            (Presence::Required | Presence::AlwaysWritten, None) => match member.default {
                Some(default) => serde_json::from_str(default).unwrap_or_default(),
                None => fill(&member.ty, member.name, None, depth),
            },
        };
        object.insert(member.name.to_owned(), value);
    }
    for (name, value) in over.into_iter().flatten() {
        object.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(object)
}

/// A value of the type: `over`, completed, or the least that there is.
fn fill(ty: &Type, name: &str, over: Option<&Value>, depth: usize) -> Value {
    match (ty, over) {
        (Type::Named(definition), _) => match find(definition) {
            Some(found) => shape(found, name, over, depth + 1),
            None => over.cloned().unwrap_or_default(),
        },
        (Type::Nullable(inner), Some(over)) if !over.is_null() => fill(inner, name, Some(over), depth),
        (Type::List(item), Some(Value::Array(items))) => {
            items.iter().map(|over| fill(item, name, Some(over), depth)).collect()
        }
        (Type::Map(entry), Some(Value::Object(entries))) => {
            entries.iter().map(|(key, over)| (key.clone(), fill(entry, key, Some(over), depth))).collect()
        }
        (_, Some(over)) => over.clone(),
        (Type::Bool, None) => false.into(),
        (Type::Integer | Type::Double, None) => 0.into(),
        (Type::String, None) => name.into(),
        (Type::Any | Type::Nullable(_), None) => Value::Null,
        (Type::List(_), None) => json!([]),
        (Type::Map(_), None) => json!({}),
    }
}
