//! Requests of ours: how they end.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use codex_rpc::{ClientRequestMethod, DecodeError, RawJson, RpcError, ServerRequestMethod};

use crate::{Answer, Malformed};

/// A request that was sent; its method's type says what answers it.
pub struct Call<M: ?Sized> {
    id: i64,
    method: PhantomData<fn() -> Box<M>>,
}

impl<M: ?Sized> Call<M> {
    pub(crate) fn new(id: i64) -> Self {
        Self { id, method: PhantomData }
    }

    /// The request's id.
    pub fn id(&self) -> i64 {
        self.id
    }
}

impl<M: ?Sized> fmt::Debug for Call<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("id", &self.id).finish()
    }
}

/// Why a request has no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The peer answered with an error.
    Rpc(Box<RpcError>),
    /// The peer answered with something that is no answer to this request.
    Malformed(Box<Malformed>),
    /// The method is experimental and the connection was initialised without
    /// `experimentalApi`; nothing was sent.
    ExperimentalApiNeeded {
        /// The method.
        method: &'static str,
    },
    /// The params can't be written as JSON, or are longer than the connection's limit;
    /// nothing was sent.
    Unsendable(String),
    /// There was no answer in time.
    TimedOut {
        /// The method.
        method: Cow<'static, str>,
    },
    /// The request was cancelled.
    Cancelled,
    /// The connection ended before the answer.
    Closed {
        /// Why.
        reason: String,
    },
}

impl CallError {
    /// Whether the peer has too much to do, so that the same request may be answered
    /// later.
    pub fn is_overloaded(&self) -> bool {
        matches!(self, Self::Rpc(error) if error.is_overloaded())
    }
}

impl CallError {
    /// What kind of failure it is, in a word, without anything that the peer said.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Rpc(error) if error.is_overloaded() => "overloaded",
            Self::Rpc(_) => "refused",
            Self::Malformed(_) => "malformed",
            Self::ExperimentalApiNeeded { .. } => "experimental API needed",
            Self::Unsendable(_) => "unsendable",
            Self::TimedOut { .. } => "timed out",
            Self::Cancelled => "cancelled",
            Self::Closed { .. } => "closed",
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rpc(error) => write!(f, "the peer refused: {error}"),
            Self::Malformed(malformed) => write!(f, "the answer can't be read: {malformed}"),
            Self::ExperimentalApiNeeded { method } => {
                write!(f, "{method} is experimental: initialize with capabilities whose `experimentalApi` is true")
            }
            Self::Unsendable(reason) => write!(f, "the request can't be sent: {reason}"),
            Self::TimedOut { method } => write!(f, "{method} was not answered in time"),
            Self::Cancelled => f.write_str("the request was cancelled"),
            Self::Closed { reason } => write!(f, "the connection ended: {reason}"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rpc(error) => Some(&**error),
            Self::Malformed(malformed) => Some(&**malformed),
            _ => None,
        }
    }
}

impl<T> Answer<T> {
    /// The answer to a client's request, typed.
    ///
    /// # Errors
    /// What the peer refused, or a result of another shape than the method's response.
    pub fn into_response<M: ClientRequestMethod>(self) -> Result<M::Response, CallError> {
        let id = self.id;
        let raw = self.outcome?;
        raw.decode_response().map_err(|error| CallError::Malformed(Box::new(bad_result(id, M::METHOD, &raw, &error))))
    }

    /// The answer to a server's request, typed.
    ///
    /// # Errors
    /// What the peer refused, or a result of another shape than the method's response.
    pub fn into_server_response<M: ServerRequestMethod>(self) -> Result<M::Response, CallError> {
        let id = self.id;
        let raw = self.outcome?;
        raw.decode_response().map_err(|error| CallError::Malformed(Box::new(bad_result(id, M::METHOD, &raw, &error))))
    }
}

pub(crate) fn bad_result(id: i64, method: &str, raw: &RawJson, error: &DecodeError) -> Malformed {
    Malformed {
        kind: crate::MalformedKind::Response,
        method: Some(method.to_owned()),
        id: Some(id.into()),
        raw: raw.get().to_owned(),
        reason: error.to_string(),
        pointer: format!("/result{}", error.pointer()),
    }
}
