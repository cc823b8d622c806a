//! Reading messages in one pass, whatever order their members come in.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{AnyMessage, ErrorResponse, Message, Notification, RawJson, Request, Response, TraceContext, json_value};
use crate::runtime::{Decode, Members, Methods, Slot, Waiting, carry, fill_from_text, method_index, note};
use crate::{Extra, RequestId, RpcError, UnrecognizedMethod};

enum Payload<R, N> {
    None,
    Request(R),
    Notification(N),
    Unrecognized(UnrecognizedMethod),
}

impl<R: Methods, N: Methods> Payload<R, N> {
    /// The method's name tells whether it is a request or a notification before
    /// the id is seen, so `params` can be read where they stand.
    fn of(method: &str, is_request: bool) -> Self {
        let notification = if is_request { None } else { method_index(N::NAMES, method) };
        if let Some(index) = notification {
            return Self::Notification(N::select(index));
        }
        match method_index(R::NAMES, method) {
            Some(index) => Self::Request(R::select(index)),
            None => Self::Unrecognized(UnrecognizedMethod { method: method.to_owned(), params: None }),
        }
    }

    fn into_request(self) -> Result<R, serde_json::Error> {
        match self {
            Self::Request(payload) => Ok(payload),
            Self::Notification(payload) => reinterpret(&payload),
            Self::Unrecognized(method) => Ok(unrecognized(method)),
            Self::None => Ok(unrecognized(UnrecognizedMethod::default())),
        }
    }

    fn into_notification(self) -> Result<N, serde_json::Error> {
        match self {
            Self::Request(payload) => reinterpret(&payload),
            Self::Notification(payload) => Ok(payload),
            Self::Unrecognized(method) => Ok(unrecognized(method)),
            Self::None => Ok(unrecognized(UnrecognizedMethod::default())),
        }
    }
}

#[cold]
fn unrecognized<M: Methods>(method: UnrecognizedMethod) -> M {
    // The set that knows no method at all misses none.
    if !M::NAMES.is_empty() {
        note::unknown();
    }
    M::unrecognized(method)
}

/// A method in the place of the other kind, a request's name without an id for
/// one: it goes through JSON.
#[cold]
fn reinterpret<A: Methods, B: Methods>(payload: &A) -> Result<B, serde_json::Error> {
    struct OnlyParams<'a, M>(&'a M);

    impl<M: Methods> Serialize for OnlyParams<'_, M> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            let mut members = Members::new(&mut map);
            self.0.write_params(&mut members);
            members.finish()?;
            map.end()
        }
    }

    let params = json_value(&OnlyParams(payload))?.get_mut("params").map(Value::take);
    let method = payload.method().to_owned();
    match (method_index(B::NAMES, &method), params) {
        (Some(index), Some(params)) => {
            let mut other = B::select(index);
            fill_from_text(&mut |input| other.read_params(input), &params.to_string())?;
            Ok(other)
        }
        (Some(index), None) => Ok(B::select(index)),
        (None, params) => Ok(unrecognized(UnrecognizedMethod { method, params })),
    }
}

const KEYS: [&str; 7] = ["method", "id", "params", "emittedAtMs", "result", "error", "trace"];

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Result<usize, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Result<usize, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(KEYS.iter().position(|key| *key == name).ok_or_else(|| name.to_owned()))
    }
}

struct MethodSeed<R, N> {
    is_request: bool,
    sets: PhantomData<(R, N)>,
}

impl<'de, R: Methods, N: Methods> DeserializeSeed<'de> for MethodSeed<R, N> {
    type Value = Payload<R, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<R: Methods, N: Methods> Visitor<'_> for MethodSeed<R, N> {
    type Value = Payload<R, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a method")
    }

    fn visit_str<E: de::Error>(self, method: &str) -> Result<Self::Value, E> {
        Ok(Payload::of(method, self.is_request))
    }
}

struct Params<'a, M>(&'a mut M);

impl<'de, M: Methods> DeserializeSeed<'de> for Params<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Waiting::read(deserializer, |input| self.0.read_params(input))
    }
}

/// Keeps a member that no message has.
fn keep_member<'de, A: MapAccess<'de>>(name: String, map: &mut A, extra: &mut Extra) -> Result<(), A::Error> {
    if extra.get(&name).is_some() {
        return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
    }
    extra.insert(name, map.next_value::<Value>()?);
    Ok(())
}

struct MessageVisitor<R, N>(PhantomData<(R, N)>);

impl<'de, R: Methods, N: Methods> Visitor<'de> for MessageVisitor<R, N> {
    type Value = Message<R, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut payload = Payload::<R, N>::None;
        let mut id: Option<RequestId> = None;
        let mut early_params: Option<Value> = None;
        let mut emitted_at_ms: Option<i64> = None;
        let mut result: Option<RawJson> = None;
        let mut error: Option<RpcError> = None;
        let mut trace: Option<TraceContext> = None;
        let mut extra = Extra::new();
        let mut seen = 0_u8;

        while let Some(key) = map.next_key_seed(Key)? {
            let index = match key {
                Ok(index) => index,
                Err(name) => {
                    // Left out in both directions, and no surprise if it is there.
                    if name != "jsonrpc" {
                        note::unknown();
                    }
                    keep_member(name, &mut map, &mut extra)?;
                    continue;
                }
            };
            if seen >> index & 1 == 1 {
                return Err(A::Error::duplicate_field(KEYS[index]));
            }
            seen |= 1 << index;
            let read = match index {
                0 => map
                    .next_value_seed(MethodSeed { is_request: id.is_some(), sets: PhantomData })
                    .map(|method| payload = method),
                1 => map.next_value().map(|value| id = Some(value)),
                2 => match &mut payload {
                    Payload::None => map.next_value().map(|params| early_params = Some(params)),
                    Payload::Request(payload) => map.next_value_seed(Params(payload)),
                    Payload::Notification(payload) => map.next_value_seed(Params(payload)),
                    Payload::Unrecognized(method) => map.next_value_seed(Params(method)),
                },
                3 => map.next_value_seed(Slot(&mut emitted_at_ms)),
                4 => map.next_value().map(|raw| result = Some(raw)),
                5 => map.next_value_seed(Slot(error.insert(<RpcError as Decode>::blank()))),
                _ => map.next_value_seed(Slot(&mut trace)),
            };
            read.inspect_err(|_| note::failed_below(note::Segment::Key(KEYS[index])))?;
        }

        if let Some(params) = early_params {
            let text = params.to_string();
            match &mut payload {
                Payload::None => {
                    extra.insert("params", params);
                    Ok(())
                }
                Payload::Request(payload) => fill_from_text(&mut |input| payload.read_params(input), &text),
                Payload::Notification(payload) => fill_from_text(&mut |input| payload.read_params(input), &text),
                Payload::Unrecognized(method) => {
                    method.params = Some(params);
                    Ok(())
                }
            }
            .map_err(|error| {
                note::failed_below(note::Segment::Key("params"));
                carry::<A::Error>(&error)
            })?;
        }
        let missing_params = seen >> 2 & 1 == 0
            && match &payload {
                Payload::Request(payload) => !payload.params_optional(),
                Payload::Notification(payload) => !payload.params_optional(),
                Payload::Unrecognized(_) | Payload::None => false,
            };
        if missing_params {
            return Err(A::Error::missing_field("params"));
        }

        match (payload, id) {
            (Payload::None, Some(id)) => {
                keep(&mut extra, "emittedAtMs", emitted_at_ms.as_ref())?;
                keep(&mut extra, "trace", trace.as_ref())?;
                match (result, error) {
                    (Some(result), None) => Ok(Message::Response(Response { id, result, extra })),
                    (None, Some(error)) => Ok(Message::Error(ErrorResponse { id, error, extra })),
                    _ => Err(A::Error::custom("an answer has either a `result` or an `error`")),
                }
            }
            (Payload::None, None) => Err(A::Error::custom("a message has a `method` or an `id` or both")),
            (payload, id) => {
                keep(&mut extra, "result", result.as_ref())?;
                keep(&mut extra, "error", error.as_ref())?;
                if let Some(id) = id {
                    keep(&mut extra, "emittedAtMs", emitted_at_ms.as_ref())?;
                    let payload = payload.into_request().map_err(|error| carry::<A::Error>(&error))?;
                    Ok(Message::Request(Request { id, payload, trace, extra }))
                } else {
                    keep(&mut extra, "trace", trace.as_ref())?;
                    let payload = payload.into_notification().map_err(|error| carry::<A::Error>(&error))?;
                    Ok(Message::Notification(Notification { payload, emitted_at_ms, extra }))
                }
            }
        }
    }
}

/// Keeps a member that has no place in this kind of message.
fn keep<T: Serialize, E: de::Error>(extra: &mut Extra, name: &str, value: Option<&T>) -> Result<(), E> {
    if let Some(value) = value {
        extra.insert(name, json_value(value).map_err(E::custom)?);
    }
    Ok(())
}

impl<'de, R: Methods, N: Methods> Deserialize<'de> for Message<R, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MessageVisitor(PhantomData))
    }
}

impl<'de, M: Methods> Deserialize<'de> for Request<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Message::<M, UnrecognizedMethod>::deserialize(deserializer)? {
            Message::Request(request) => Ok(request),
            _ => Err(de::Error::custom("a request has a `method` and an `id`")),
        }
    }
}

impl<'de, M: Methods> Deserialize<'de> for Notification<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Message::<UnrecognizedMethod, M>::deserialize(deserializer)? {
            Message::Notification(notification) => Ok(notification),
            _ => Err(de::Error::custom("a notification has a `method` and no `id`")),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Response<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Answer<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Answer<T> {
            type Value = Response<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON-RPC response")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut id, mut result, mut extra) = (None, None, Extra::new());
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "id" if id.is_none() => id = Some(map.next_value()?),
                        "result" if result.is_none() => result = Some(map.next_value()?),
                        "id" | "result" => return Err(A::Error::custom("a field is there twice")),
                        _ => keep_member(name, &mut map, &mut extra)?,
                    }
                }
                Ok(Response {
                    id: id.ok_or_else(|| A::Error::missing_field("id"))?,
                    result: result.ok_or_else(|| A::Error::missing_field("result"))?,
                    extra,
                })
            }
        }

        deserializer.deserialize_map(Answer(PhantomData))
    }
}

impl<'de> Deserialize<'de> for ErrorResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match AnyMessage::deserialize(deserializer)? {
            Message::Error(error) => Ok(error),
            _ => Err(de::Error::custom("an error response has an `id` and an `error`")),
        }
    }
}
