//! Methods as types: what they are called, what they take, what they answer.

use std::fmt;

use serde_json::Value;

use crate::ProtocolType;
use crate::runtime::{Decode, Done, Encode, Input, Output, implement_serde, redact};

/// A request that a client sends to the app-server.
///
/// Implemented by the markers in [`requests`](crate::requests).
pub trait ClientRequestMethod {
    /// What the request takes.
    type Params: Params;
    /// What the server answers.
    type Response: ProtocolType;
    /// The method's name on the wire.
    const METHOD: &'static str;
    /// Whether the server accepts it only on a connection that was initialised
    /// with `experimentalApi`.
    const EXPERIMENTAL: bool;
}

/// A request that the app-server sends to a client.
///
/// Implemented by the markers in [`server_requests`](crate::server_requests).
pub trait ServerRequestMethod {
    /// What the request asks about.
    type Params: Params;
    /// What the client answers.
    type Response: ProtocolType;
    /// The method's name on the wire.
    const METHOD: &'static str;
    /// Whether the server sends it only on a connection that was initialised with
    /// `experimentalApi`.
    const EXPERIMENTAL: bool;
}

/// A notification of either side.
///
/// Implemented by the markers in [`notifications`](crate::notifications).
pub trait NotificationMethod {
    /// What the notification says.
    type Params: Params;
    /// The method's name on the wire.
    const METHOD: &'static str;
    /// Whether it belongs to the experimental part of the protocol.
    const EXPERIMENTAL: bool;
}

/// The `params` of a message.
pub trait Params: ProtocolType {
    /// Whether `params` may be left out of the message.
    const OPTIONAL: bool = false;

    /// Whether `params` is left out of the message.
    fn is_absent(&self) -> bool {
        false
    }
}

macro_rules! params {
    ($($params:ty),* $(,)?) => {
        $(impl $crate::Params for $params {})*
    };
}

pub(crate) use params;

impl<P: Params> Params for Option<P>
where
    Self: ProtocolType,
{
    const OPTIONAL: bool = true;

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// The `params` of a method that takes none.
///
/// Left out of the message; if a peer sends something all the same, an empty
/// object for one, it is kept.
#[derive(Clone, Default, PartialEq)]
pub struct NoParams(Option<Value>);

impl NoParams {
    /// No params.
    pub const fn new() -> Self {
        Self(None)
    }

    /// What a peer sent all the same.
    pub fn value(&self) -> Option<&Value> {
        self.0.as_ref()
    }
}

impl fmt::Debug for NoParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NoParams").field(&redact::json(&self.0)).finish()
    }
}

impl From<()> for NoParams {
    fn from((): ()) -> Self {
        Self::new()
    }
}

impl Params for NoParams {
    const OPTIONAL: bool = true;

    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl Encode for NoParams {
    fn encode(&self, output: &mut Output<'_>) {
        self.0.encode(output);
    }
}

impl Decode for NoParams {
    fn blank() -> Self {
        Self::new()
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        self.0.decode(input)
    }
}

implement_serde!(NoParams);

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum Direction {
    /// A client sends it to the app-server.
    ClientToServer,
    /// The app-server sends it to a client.
    ServerToClient,
}

/// What kind of message a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "JSON-RPC has two kinds of method")]
pub enum MethodKind {
    /// It has an id and is answered.
    Request,
    /// It has no id and is not answered.
    Notification,
}

/// A method of the protocol, to look at when the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodInfo {
    /// The method's name on the wire.
    pub method: &'static str,
    /// Who sends it.
    pub direction: Direction,
    /// Whether it is answered.
    pub kind: MethodKind,
    /// The definition of its params; none if it takes none.
    pub params: Option<&'static str>,
    /// Whether `params` may be left out.
    pub params_optional: bool,
    /// The definition of its response; none for a notification.
    pub response: Option<&'static str>,
    /// Whether it needs a connection that was initialised with `experimentalApi`.
    pub experimental: bool,
    /// Whether upstream calls it deprecated.
    pub deprecated: bool,
    /// What upstream says about it; empty if nothing.
    pub description: &'static str,
}

impl MethodInfo {
    #[expect(clippy::too_many_arguments, reason = "only the generated table calls it")]
    pub(crate) const fn new(
        method: &'static str,
        direction: Direction,
        kind: MethodKind,
        params: Option<&'static str>,
        params_optional: bool,
        response: Option<&'static str>,
        experimental: bool,
        deprecated: bool,
        description: &'static str,
    ) -> Self {
        Self { method, direction, kind, params, params_optional, response, experimental, deprecated, description }
    }

    /// Finds a method by its name and direction.
    ///
    /// ```
    /// use codex_rpc::{Direction, MethodInfo};
    ///
    /// let start = MethodInfo::find(Direction::ClientToServer, "thread/start").expect("a method");
    /// assert_eq!(start.response, Some("ThreadStartResponse"));
    /// ```
    pub fn find(direction: Direction, method: &str) -> Option<&'static Self> {
        crate::METHODS.iter().find(|info| info.direction == direction && info.method == method)
    }
}
