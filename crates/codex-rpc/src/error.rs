//! Errors: the protocol's, and those of decoding it.

use std::fmt;

use serde_json::Value;

use crate::Extra;
use crate::runtime::{self, Decode as _, Done, Encode, Input, Output, Record, Shape, redact};

/// The code of a JSON-RPC error. The set is open: codes without a name here are
/// as good as those with one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a code is a number")]
pub struct ErrorCode(pub i64);

impl ErrorCode {
    /// What is sent is no JSON.
    pub const PARSE_ERROR: Self = Self(-32700);
    /// The request can't be served. The app-server uses it for nearly everything:
    /// an unknown method, bad params, an unknown thread, a missing capability.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// There is no such method. The app-server uses it for store operations that
    /// are not supported; a client answers requests with it that it does not handle.
    pub const METHOD_NOT_FOUND: Self = Self(-32601);
    /// The params do not fit. The app-server puts a code of its own under
    /// `input_error_code` in `data`.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// Something failed inside the server.
    pub const INTERNAL_ERROR: Self = Self(-32603);
    /// The server has too much to do; retry later, with growing pauses.
    pub const OVERLOADED: Self = Self(-32001);

    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::PARSE_ERROR => "parse error",
            Self::INVALID_REQUEST => "invalid request",
            Self::METHOD_NOT_FOUND => "method not found",
            Self::INVALID_PARAMS => "invalid params",
            Self::INTERNAL_ERROR => "internal error",
            Self::OVERLOADED => "overloaded",
            _ => return None,
        })
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl From<i64> for ErrorCode {
    fn from(code: i64) -> Self {
        Self(code)
    }
}

/// The error of a JSON-RPC answer.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct RpcError {
    /// What kind of error it is.
    pub code: ErrorCode,
    /// What happened, for a person.
    pub message: String,
    /// More about it, for a program; what it holds depends on the method.
    pub data: Option<Value>,
    /// Members that this release does not know.
    pub extra: Extra,
}

impl RpcError {
    /// An error with a code and a message.
    pub fn new(code: impl Into<ErrorCode>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), data: None, extra: Extra::new() }
    }

    /// Adds data.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Whether the server has too much to do, so that the same request may be
    /// answered later.
    pub fn is_overloaded(&self) -> bool {
        self.code == ErrorCode::OVERLOADED
    }
}

impl fmt::Debug for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcError")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("data", &redact::json(&self.data))
            .field("extra", &self.extra)
            .finish()
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for RpcError {}

impl Record for RpcError {
    const SHAPE: &'static Shape =
        &Shape { name: "JSONRPCErrorError", keys: &["code", "message", "data"], required: 0b011, one_of: &[] };

    fn blank() -> Self {
        Self::new(0, String::new())
    }

    fn read(&mut self, index: usize, name: &str, input: &mut dyn Input) -> Done {
        match index {
            0 => self.code.0.decode(input),
            1 => self.message.decode(input),
            2 => self.data.decode(input),
            _ => runtime::unknown_member(name, input, &mut self.extra),
        }
    }
}

impl Encode for RpcError {
    fn encode(&self, output: &mut Output<'_>) {
        output.begin();
        output.field(",\"code\":", &self.code.0);
        output.field(",\"message\":", &self.message);
        output.omit(",\"data\":", &self.data);
        output.end(&self.extra);
    }
}

runtime::implement_serde!(RpcError);

/// Why a text could not be decoded.
#[derive(Debug)]
pub struct DecodeError {
    pointer: String,
    source: serde_json::Error,
}

impl DecodeError {
    /// Takes the path that the failed decoding left behind.
    #[cold]
    pub(crate) fn new(source: serde_json::Error) -> Self {
        Self { pointer: runtime::note::take_pointer(), source }
    }

    /// Where it happened, as a JSON pointer from the value that was to be decoded.
    /// Empty if it is the value itself.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Whether the text is no JSON at all, as opposed to JSON of another shape.
    pub fn is_syntax(&self) -> bool {
        self.source.is_syntax() || self.source.is_eof()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() { self.source.fmt(f) } else { write!(f, "{} at {}", self.source, self.pointer) }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}
