//! Reading messages in one pass, whatever order their members come in.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::{
    AnyMessage, ErrorResponse, Message, Method, Notification, Reading, Request, Response, blank_params, json_value,
    reinterpret, unrecognized,
};
use crate::runtime::note::{self, Segment};
use crate::runtime::{
    Decode, Done, Encode, Envelope, Fields, Input, Look, Methods, Record, Shape, carried_text, fill_from_text,
    from_deserializer, open_member,
};
use crate::{Extra, RequestId, RpcError, UnrecognizedMethod};

/// The members that messages have, in the order of [`Reading::read`].
pub(crate) const KEYS: &[&str] = &["method", "id", "params", "emittedAtMs", "result", "error", "trace"];

const PARAMS: u128 = 1 << 2;

impl<R: Methods, N: Methods> Message<R, N> {
    fn read_params(&mut self, input: &mut dyn Input) -> Done {
        match self {
            Self::Request(request) => request.payload.read_params(input),
            Self::Notification(notification) => notification.payload.read_params(input),
            Self::Response(_) | Self::Error(_) => Err(input.fail(format_args!("an answer has no params"))),
        }
    }

    /// Forgets the params but not the method.
    fn blank_params(&mut self) {
        match self {
            Self::Request(request) => blank_params(&mut request.payload),
            Self::Notification(notification) => blank_params(&mut notification.payload),
            Self::Response(_) | Self::Error(_) => {}
        }
    }

    fn params_optional(&self) -> bool {
        match self {
            Self::Request(request) => request.payload.params_optional(),
            Self::Notification(notification) => notification.payload.params_optional(),
            Self::Response(_) | Self::Error(_) => true,
        }
    }
}

impl<'a, R: Methods, N: Methods> Reading<'a, R, N> {
    /// Reads a message into a blank one.
    fn fill(message: &'a mut Message<R, N>, input: &mut dyn Input) -> Done {
        input.message(&mut Self {
            message,
            method: Method::Unread,
            id: None,
            emitted_at_ms: None,
            result: None,
            error: None,
            trace: None,
            extra: Extra::new(),
            unrecognized: UnrecognizedMethod::default(),
        })
    }

    /// Reads params that came before the method.
    #[cold]
    fn late_params(&mut self, params: &Value) -> Result<(), String> {
        let decode = &mut |input: &mut dyn Input| {
            self.message.blank_params();
            self.message.read_params(input)
        };
        fill_from_text(decode, &params.to_string()).map_err(|error| {
            note::failed_below(Segment::Key("params"));
            carried_text(&error)
        })
    }

    /// Makes an answer of what is no request and no notification.
    fn answer(&mut self) -> Result<(), String> {
        let Some(id) = self.id.take() else {
            return Err("a message has a `method` or an `id` or both".to_owned());
        };
        if let Some(params) = self.unrecognized.params.take() {
            self.extra.insert("params", params);
        }
        keep(&mut self.extra, "emittedAtMs", self.emitted_at_ms.as_ref())?;
        keep(&mut self.extra, "trace", self.trace.as_ref())?;
        let extra = std::mem::take(&mut self.extra);
        *self.message = match (self.result.take(), self.error.take()) {
            (Some(result), None) => Message::Response(Response { id, result, extra }),
            (None, Some(error)) => Message::Error(ErrorResponse { id, error, extra }),
            _ => return Err("an answer has either a `result` or an `error`".to_owned()),
        };
        Ok(())
    }

    /// A request's method without an id, a notification's with one, or a method
    /// that has no name here.
    #[cold]
    fn settle(&mut self) -> Result<(), String> {
        if matches!(self.method, Method::Unrecognized) {
            let method = std::mem::take(&mut self.unrecognized);
            *self.message = match self.id.take() {
                Some(id) => Message::Request(Request::new(id, unrecognized(method))),
                None => Message::Notification(Notification::new(unrecognized(method))),
            };
            return Ok(());
        }
        let settled = match (&*self.message, self.id.take()) {
            (Message::Notification(notification), Some(id)) => {
                Message::Request(Request::new(id, reinterpret(&notification.payload)?))
            }
            (Message::Request(request), None) => {
                Message::Notification(Notification::new(reinterpret(&request.payload)?))
            }
            _ => return Ok(()),
        };
        *self.message = settled;
        Ok(())
    }
}

/// What the method is called decides what the message is.
impl<R: Methods, N: Methods> Look for Reading<'_, R, N> {
    fn look(&mut self, method: &str) {
        let notification = if self.id.is_some() { None } else { N::find(method) };
        if let (Some(index), Message::Notification(notification)) = (notification, &mut *self.message) {
            notification.payload.select(index);
            self.method = Method::Known;
        } else if let Some(index) = R::find(method) {
            let mut payload = R::unrecognized(UnrecognizedMethod::default());
            payload.select(index);
            *self.message = Message::Request(Request::new(0, payload));
            self.method = Method::Known;
        } else {
            method.clone_into(&mut self.unrecognized.method);
            self.method = Method::Unrecognized;
        }
    }
}

impl<R: Methods, N: Methods> Fields for Reading<'_, R, N> {
    fn read(&mut self, index: usize, name: &str, input: &mut dyn Input) -> Done {
        match index {
            0 => input.text(self),
            1 => self.id.insert(RequestId::blank()).decode(input),
            2 => match self.method {
                Method::Known => self.message.read_params(input),
                Method::Unrecognized | Method::Unread => self.unrecognized.params.decode(input),
            },
            3 => self.emitted_at_ms.decode(input),
            4 => input.raw(&mut self.result),
            5 => self.error.insert(<RpcError as Decode>::blank()).decode(input),
            6 => self.trace.decode(input),
            _ => other_member(name, input, &mut self.extra),
        }
    }
}

impl<R: Methods, N: Methods> Envelope for Reading<'_, R, N> {
    fn fields(&mut self) -> &mut dyn Fields {
        self
    }

    fn end(&mut self, seen: u128) -> Result<(), String> {
        if matches!(self.method, Method::Unread) {
            return self.answer();
        }
        if matches!(self.method, Method::Known) {
            if let Some(params) = self.unrecognized.params.take() {
                self.late_params(&params)?;
            }
            if seen & PARAMS == 0 && !self.message.params_optional() {
                return Err("missing field `params`".to_owned());
            }
        }
        if self.result.is_some() || self.error.is_some() {
            keep(&mut self.extra, "result", self.result.as_ref())?;
            keep(&mut self.extra, "error", self.error.as_ref())?;
        }
        match (&mut *self.message, &self.id) {
            (Message::Notification(_), None) | (Message::Request(_), Some(_))
                if matches!(self.method, Method::Known) => {}
            _ => self.settle()?,
        }
        match &mut *self.message {
            Message::Notification(notification) => {
                keep(&mut self.extra, "trace", self.trace.as_ref())?;
                notification.emitted_at_ms = self.emitted_at_ms;
                notification.extra = std::mem::take(&mut self.extra);
            }
            Message::Request(request) => {
                keep(&mut self.extra, "emittedAtMs", self.emitted_at_ms.as_ref())?;
                if let Some(id) = self.id.take() {
                    request.id = id;
                }
                request.trace = self.trace.take();
                request.extra = std::mem::take(&mut self.extra);
            }
            Message::Response(_) | Message::Error(_) => {}
        }
        Ok(())
    }
}

/// Keeps a member that has no name here.
fn other_member(name: &str, input: &mut dyn Input, extra: &mut Extra) -> Done {
    note_unknown(name);
    open_member(name, input, extra)
}

fn note_unknown(name: &str) {
    // Left out in both directions, and no surprise if it is there.
    if name != "jsonrpc" {
        note::unknown();
    }
}

/// Keeps a member that has no place in this kind of message.
fn keep<T: Encode>(extra: &mut Extra, name: &str, value: Option<&T>) -> Result<(), String> {
    if let Some(value) = value {
        extra.insert(name, json_value(value).map_err(|error| error.to_string())?);
    }
    Ok(())
}

/// Keeps a member that no answer has.
fn keep_member<'de, A: MapAccess<'de>>(name: String, map: &mut A, extra: &mut Extra) -> Result<(), A::Error> {
    if extra.get(&name).is_some() {
        return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
    }
    note_unknown(&name);
    extra.insert(name, map.next_value::<Value>()?);
    Ok(())
}

impl<R: Methods, N: Methods> Decode for Message<R, N> {
    fn blank() -> Self {
        Self::Notification(Notification::new(N::unrecognized(UnrecognizedMethod::default())))
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        Reading::fill(self, input)
    }
}

impl<M: Methods> Decode for Request<M> {
    fn blank() -> Self {
        Self::new(0, M::unrecognized(UnrecognizedMethod::default()))
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut message = Message::<M, UnrecognizedMethod>::blank();
        message.decode(input)?;
        let Message::Request(request) = message else {
            return Err(input.fail(format_args!("a request has a `method` and an `id`")));
        };
        *self = request;
        Ok(())
    }
}

impl<M: Methods> Decode for Notification<M> {
    fn blank() -> Self {
        Self::new(M::unrecognized(UnrecognizedMethod::default()))
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut message = Message::<UnrecognizedMethod, M>::blank();
        message.decode(input)?;
        let Message::Notification(notification) = message else {
            return Err(input.fail(format_args!("a notification has a `method` and no `id`")));
        };
        *self = notification;
        Ok(())
    }
}

impl Decode for ErrorResponse {
    fn blank() -> Self {
        Self::new(0, Decode::blank())
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut message = AnyMessage::blank();
        message.decode(input)?;
        let Message::Error(error) = message else {
            return Err(input.fail(format_args!("an error response has an `id` and an `error`")));
        };
        *self = error;
        Ok(())
    }
}

impl<T: Decode> Record for Response<T> {
    const SHAPE: &'static Shape =
        &Shape { name: "a JSON-RPC response", keys: &["id", "result"], required: 0b11, one_of: &[] };

    fn blank() -> Self {
        Self::new(0, T::blank())
    }

    fn read(&mut self, index: usize, name: &str, input: &mut dyn Input) -> Done {
        match index {
            0 => self.id.decode(input),
            1 => self.result.decode(input),
            _ => other_member(name, input, &mut self.extra),
        }
    }
}

impl<'de, R: Methods, N: Methods> Deserialize<'de> for Message<R, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_deserializer(deserializer)
    }
}

impl<'de, M: Methods> Deserialize<'de> for Request<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_deserializer(deserializer)
    }
}

impl<'de, M: Methods> Deserialize<'de> for Notification<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_deserializer(deserializer)
    }
}

impl<'de> Deserialize<'de> for ErrorResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_deserializer(deserializer)
    }
}

// Not by way of `Decode`, because the result may be of any type.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Response<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Answer<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Answer<T> {
            type Value = Response<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
