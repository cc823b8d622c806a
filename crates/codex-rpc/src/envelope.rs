//! Messages as they stand on the wire: requests, notifications and answers.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::runtime::{
    self, Decode, Done, Fields, Input, Members, Methods, Record, Shape, Slot, Waiting, carry, fill_from_text,
    method_index, note,
};
use crate::{DecodeError, Extra, RequestId, RpcError, UnrecognizedMethod};

/// W3C trace context, which a request may carry.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TraceContext {
    /// The `traceparent` header.
    pub traceparent: Option<String>,
    /// The `tracestate` header.
    pub tracestate: Option<String>,
    /// Members that this release does not know.
    pub extra: Extra,
}

impl Record for TraceContext {
    const SHAPE: &'static Shape =
        &Shape { name: "W3cTraceContext", keys: &["traceparent", "tracestate"], required: 0, one_of: &[] };

    fn blank() -> Self {
        Self::default()
    }

    fn write<M: SerializeMap>(&self, members: &mut Members<'_, M>) {
        members.omit("traceparent", &self.traceparent);
        members.omit("tracestate", &self.tracestate);
        members.extra(&self.extra);
    }
}

impl Fields for TraceContext {
    fn read(&mut self, index: usize, input: &mut dyn Input) -> Done {
        match index {
            0 => self.traceparent.decode(input),
            1 => self.tracestate.decode(input),
            _ => runtime::no_such_member(input),
        }
    }

    fn read_other(&mut self, name: String, input: &mut dyn Input) -> Done {
        runtime::unknown_member(name, input, &mut self.extra)
    }
}

runtime::records!(TraceContext);

/// JSON that is kept as text until its type is known, as the result of a response
/// is until the request it answers is found.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Decodes the text.
    ///
    /// # Errors
    /// When the text is of another shape than `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        crate::from_json(self.get())
    }

    /// Encodes a value.
    ///
    /// # Errors
    /// When the value's `Serialize` fails, which it does for no type of this crate.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }
}

/// Compares values, not texts.
impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        let parse = |raw: &Self| serde_json::from_str::<Value>(raw.get()).ok();
        self.get() == other.get() || (parse(self).is_some() && parse(self) == parse(other))
    }
}

/// Shows the length only: the text may hold secrets.
impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.get().len())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

/// A request: a method, its params, and the id that the answer will carry.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Request<M> {
    /// The id, unique among the requests of its sender that are not answered yet.
    pub id: RequestId,
    /// The method and its params.
    pub payload: M,
    /// W3C trace context.
    pub trace: Option<TraceContext>,
    /// Members that this release does not know, `jsonrpc` for one.
    pub extra: Extra,
}

impl<M> Request<M> {
    /// A request.
    pub fn new(id: impl Into<RequestId>, payload: M) -> Self {
        Self { id: id.into(), payload, trace: None, extra: Extra::new() }
    }

    /// Adds W3C trace context.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }
}

/// A notification: a method and its params, without an answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notification<M> {
    /// The method and its params.
    pub payload: M,
    /// When the server sent it, in milliseconds of Unix time. Clients leave it out.
    pub emitted_at_ms: Option<i64>,
    /// Members that this release does not know, `jsonrpc` for one.
    pub extra: Extra,
}

impl<M> Notification<M> {
    /// A notification.
    pub fn new(payload: M) -> Self {
        Self { payload, emitted_at_ms: None, extra: Extra::new() }
    }
}

/// The answer to a request that went well.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Response<T = RawJson> {
    /// The id of the request.
    pub id: RequestId,
    /// The result; its type follows from the request's method.
    pub result: T,
    /// Members that this release does not know, `jsonrpc` for one.
    pub extra: Extra,
}

impl<T> Response<T> {
    /// An answer.
    pub fn new(id: impl Into<RequestId>, result: T) -> Self {
        Self { id: id.into(), result, extra: Extra::new() }
    }
}

/// The answer to a request that failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ErrorResponse {
    /// The id of the request.
    pub id: RequestId,
    /// What went wrong.
    pub error: RpcError,
    /// Members that this release does not know, `jsonrpc` for one.
    pub extra: Extra,
}

impl ErrorResponse {
    /// An answer.
    pub fn new(id: impl Into<RequestId>, error: RpcError) -> Self {
        Self { id: id.into(), error, extra: Extra::new() }
    }
}

/// A message of one direction.
///
/// What it is follows from its members: a method and an id make a request, a
/// method alone a notification, an id alone an answer.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "JSON-RPC has these four")]
pub enum Message<R, N> {
    /// A request.
    Request(Request<R>),
    /// A notification.
    Notification(Notification<N>),
    /// The answer to a request that went well.
    Response(Response),
    /// The answer to a request that failed.
    Error(ErrorResponse),
}

/// A message whose methods and params are not looked at.
pub type AnyMessage = Message<UnrecognizedMethod, UnrecognizedMethod>;

fn encode_method<M: Methods, S: Serializer>(
    payload: &M,
    id: Option<&RequestId>,
    rest: impl FnOnce(&mut Members<'_, S::SerializeMap>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let mut members = Members::new(&mut map);
    members.field("method", payload.method());
    if let Some(id) = id {
        members.field("id", id);
    }
    payload.write_params(&mut members);
    rest(&mut members);
    members.finish()?;
    map.end()
}

impl<M: Methods> Serialize for Request<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = |members: &mut Members<'_, S::SerializeMap>| {
            members.omit("trace", &self.trace);
            members.extra(&self.extra);
        };
        encode_method(&self.payload, Some(&self.id), rest, serializer)
    }
}

impl<M: Methods> Serialize for Notification<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = |members: &mut Members<'_, S::SerializeMap>| {
            members.omit("emittedAtMs", &self.emitted_at_ms);
            members.extra(&self.extra);
        };
        encode_method(&self.payload, None, rest, serializer)
    }
}

fn encode_answer<T: Serialize, S: Serializer>(
    id: &RequestId,
    name: &'static str,
    answer: &T,
    extra: &Extra,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let mut members = Members::new(&mut map);
    members.field("id", id);
    members.field(name, answer);
    members.extra(extra);
    members.finish()?;
    map.end()
}

impl<T: Serialize> Serialize for Response<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encode_answer(&self.id, "result", &self.result, &self.extra, serializer)
    }
}

impl Serialize for ErrorResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encode_answer(&self.id, "error", &self.error, &self.extra, serializer)
    }
}

impl<R: Methods, N: Methods> Serialize for Message<R, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Request(message) => message.serialize(serializer),
            Self::Notification(message) => message.serialize(serializer),
            Self::Response(message) => message.serialize(serializer),
            Self::Error(message) => message.serialize(serializer),
        }
    }
}

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
                5 => map.next_value_seed(Slot(error.insert(RpcError::blank_error()))),
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

/// A value as JSON by way of text, because the encoder for text is compiled anyway
/// and one for [`Value`] would double it.
pub(crate) fn json_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&serde_json::to_string(value)?)
}

/// Keeps a member that has no place in this kind of message.
fn keep<T: Serialize, E: de::Error>(extra: &mut Extra, name: &str, value: Option<&T>) -> Result<(), E> {
    if let Some(value) = value {
        extra.insert(name, json_value(value).map_err(E::custom)?);
    }
    Ok(())
}

impl RpcError {
    fn blank_error() -> Self {
        <Self as Decode>::blank()
    }
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
