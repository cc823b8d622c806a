//! Messages as they stand on the wire: requests, notifications and answers.

mod decode;

pub(crate) use decode::KEYS;

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::runtime::{
    self, Decode, Done, Encode, Input, Methods, Output, Record, Shape, carried_text, fill_from_text, note,
    to_serializer,
};
use crate::{DecodeError, Extra, ProtocolType, RequestId, RpcError, UnrecognizedMethod};

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

    fn read(&mut self, index: usize, name: &str, input: &mut dyn Input) -> Done {
        match index {
            0 => self.traceparent.decode(input),
            1 => self.tracestate.decode(input),
            _ => runtime::unknown_member(name, input, &mut self.extra),
        }
    }
}

impl Encode for TraceContext {
    fn encode(&self, output: &mut Output<'_>) {
        output.begin();
        output.omit(",\"traceparent\":", &self.traceparent);
        output.omit(",\"tracestate\":", &self.tracestate);
        output.end(&self.extra);
    }
}

runtime::implement_serde!(TraceContext);

/// JSON that is kept as text until its type is known, as the result of a response
/// is until the request it answers is found.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    pub(crate) fn as_raw_value(&self) -> &RawValue {
        &self.0
    }

    /// Decodes the text.
    ///
    /// # Errors
    /// When the text is of another shape than `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        crate::from_json(self.get())
    }

    /// Decodes the text as a type of the protocol, a method's response for one: what
    /// [`decode`](Self::decode) does, but quicker.
    ///
    /// # Errors
    /// When the text is of another shape than `T`.
    pub fn decode_response<T: ProtocolType>(&self) -> Result<T, DecodeError> {
        T::from_json(self.get())
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

impl Encode for RawJson {
    fn encode(&self, output: &mut Output<'_>) {
        output.raw(self);
    }
}

impl Decode for RawJson {
    fn blank() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut raw = None;
        input.raw(&mut raw)?;
        raw.map(|raw| *self = raw).ok_or_else(|| input.fail(format_args!("no value")))
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

/// What is known of a message's method so far.
enum Method {
    Unread,
    /// It has a name here, and the message holds its params.
    Known,
    /// It is in [`Reading::unrecognized`].
    Unrecognized,
}

/// A message that is being read.
///
/// It stands in this module, and what reads it in another, because the compiler puts the
/// functions of a type where the type is: so only one module has what drops a message.
///
/// It is filled where it will stay: a method's name tells whether it is a request
/// or a notification before the id is seen. What stands elsewhere, or in the wrong
/// place, waits in the other fields until all members were read.
struct Reading<'a, R, N> {
    message: &'a mut Message<R, N>,
    method: Method,
    id: Option<RequestId>,
    emitted_at_ms: Option<i64>,
    result: Option<RawJson>,
    error: Option<RpcError>,
    trace: Option<TraceContext>,
    extra: Extra,
    /// Its params are also those that come before a method.
    unrecognized: UnrecognizedMethod,
}

/// Forgets the params but not the method.
fn blank_params<M: Methods>(payload: &mut M) {
    if let Some(index) = M::find(payload.method()) {
        *payload = M::unrecognized(UnrecognizedMethod::default());
        payload.select(index);
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
fn reinterpret<A: Methods, B: Methods>(payload: &A) -> Result<B, String> {
    let mut output = Output::new(String::new());
    output.begin();
    payload.write_params(&mut output);
    output.end(&Extra::new());
    let mut members: Map<String, Value> =
        serde_json::from_str(&output.into_text()).map_err(|error| carried_text(&error))?;
    let params = members.remove("params");
    let method = payload.method().to_owned();
    let Some(index) = B::find(&method) else {
        return Ok(unrecognized(UnrecognizedMethod { method, params }));
    };
    let mut other = B::unrecognized(UnrecognizedMethod::default());
    other.select(index);
    if let Some(params) = params {
        let decode = &mut |input: &mut dyn Input| {
            blank_params(&mut other);
            other.read_params(input)
        };
        fill_from_text(decode, &params.to_string()).map_err(|error| carried_text(&error))?;
    }
    Ok(other)
}

fn write_method<M: Methods>(payload: &M, id: Option<&RequestId>, output: &mut Output<'_>) {
    output.field(",\"method\":", &payload.method());
    if let Some(id) = id {
        output.field(",\"id\":", id);
    }
    payload.write_params(output);
}

impl<M: Methods> Encode for Request<M> {
    fn encode(&self, output: &mut Output<'_>) {
        output.begin();
        write_method(&self.payload, Some(&self.id), output);
        output.omit(",\"trace\":", &self.trace);
        output.end(&self.extra);
    }
}

impl<M: Methods> Encode for Notification<M> {
    fn encode(&self, output: &mut Output<'_>) {
        output.begin();
        write_method(&self.payload, None, output);
        output.omit(",\"emittedAtMs\":", &self.emitted_at_ms);
        output.end(&self.extra);
    }
}

impl<T: Encode> Encode for Response<T> {
    fn encode(&self, output: &mut Output<'_>) {
        output.begin();
        output.field(",\"id\":", &self.id);
        output.field(",\"result\":", &self.result);
        output.end(&self.extra);
    }
}

impl Encode for ErrorResponse {
    fn encode(&self, output: &mut Output<'_>) {
        output.begin();
        output.field(",\"id\":", &self.id);
        output.field(",\"error\":", &self.error);
        output.end(&self.extra);
    }
}

impl<R: Methods, N: Methods> Encode for Message<R, N> {
    fn encode(&self, output: &mut Output<'_>) {
        match self {
            Self::Request(message) => message.encode(output),
            Self::Notification(message) => message.encode(output),
            Self::Response(message) => message.encode(output),
            Self::Error(message) => message.encode(output),
        }
    }
}

impl<M: Methods> Serialize for Request<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_serializer(self, serializer)
    }
}

impl<M: Methods> Serialize for Notification<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_serializer(self, serializer)
    }
}

// Not by way of `Encode`, because the result may be of any type.
impl<T: Serialize> Serialize for Response<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("result", &self.result)?;
        for (name, value) in self.extra.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for ErrorResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_serializer(self, serializer)
    }
}

impl<R: Methods, N: Methods> Serialize for Message<R, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_serializer(self, serializer)
    }
}

/// A value as JSON, by way of text, because that road is compiled anyway.
pub(crate) fn json_value(value: &dyn Encode) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&runtime::to_text(value, 0))
}
