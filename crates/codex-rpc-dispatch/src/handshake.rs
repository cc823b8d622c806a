//! The first step of a client: `initialize`.

use std::collections::VecDeque;
use std::fmt;

use codex_rpc::notifications::Initialized;
use codex_rpc::requests::Initialize;
use codex_rpc::types::{InitializeParams, InitializeResponse};
use codex_rpc::{NoParams, RpcError};

use crate::{CallError, ClientConnection, ClientSide, Event, Limits, Malformed};

/// A connection before it is initialised: it can do nothing else.
///
/// ```
/// use codex_rpc::types::{ClientInfo, InitializeParams};
/// use codex_rpc_dispatch::{Handshake, Limits, Progress};
///
/// let params = InitializeParams::new(ClientInfo::new("my-client", "1.0.0"));
/// let mut handshake = Handshake::<()>::new(&params, Limits::default())?;
/// let line = handshake.next_outgoing().expect("the request");
/// assert!(line.starts_with(br#"{"method":"initialize","id":0"#));
///
/// // What the server answers:
/// handshake.push(br#"{"id":0,"result":{"userAgent":"my-client/0.169.0 (Linux)","codexHome":"/home/me/.codex","platformFamily":"unix","platformOs":"linux"}}
/// "#);
/// let Progress::Ready(mut connection, response) = handshake.advance()? else { panic!("answered") };
/// assert_eq!(codex_rpc::server_release(&response.user_agent), Some("0.169.0"));
/// assert_eq!(connection.next_outgoing().expect("a line"), br#"{"method":"initialized"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail,E0599
/// use codex_rpc::requests::ModelList;
/// use codex_rpc::types::ModelListParams;
/// use codex_rpc_dispatch::Handshake;
///
/// fn too_soon(handshake: &mut Handshake) {
///     let _ = handshake.request::<ModelList>(&ModelListParams::new(), ());
/// }
/// ```
pub struct Handshake<T = ()> {
    connection: ClientConnection<Option<T>>,
    experimental: bool,
    /// What came before the answer.
    early: VecDeque<Event<ClientSide, T>>,
}

/// How far a handshake is.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is an answer, or none yet")]
pub enum Progress<T = ()> {
    /// There is no answer yet: more bytes are needed.
    Waiting(Handshake<T>),
    /// The connection is initialised. What came after the answer is in it; so is
    /// `initialized`, to be written.
    Ready(ClientConnection<T>, Box<InitializeResponse>),
}

/// Why a connection is not initialised.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The params can't be sent.
    Unsendable(String),
    /// The server refused.
    Refused(Box<RpcError>),
    /// The server's answer is none to `initialize`: it may be no app-server.
    Malformed(Box<Malformed>),
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsendable(reason) => write!(f, "initialize can't be sent: {reason}"),
            Self::Refused(error) => write!(f, "the server refused to initialize: {error}"),
            Self::Malformed(malformed) => write!(f, "the answer to initialize can't be read: {malformed}"),
        }
    }
}

impl std::error::Error for HandshakeError {}

impl<T> fmt::Debug for Handshake<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl<T> Handshake<T> {
    /// Begins with `initialize`.
    ///
    /// # Errors
    /// If the params can't be sent.
    pub fn new(params: &InitializeParams, limits: Limits) -> Result<Self, HandshakeError> {
        let mut connection = ClientConnection::with_limits(limits);
        let experimental = params.capabilities.as_ref().is_some_and(|capabilities| capabilities.experimental_api);
        connection
            .request::<Initialize>(params, None)
            .map_err(|error| HandshakeError::Unsendable(error.to_string()))?;
        Ok(Self { connection, experimental, early: VecDeque::new() })
    }

    /// The next message to write, without a line break.
    pub fn next_outgoing(&mut self) -> Option<Vec<u8>> {
        self.connection.next_outgoing()
    }

    /// Takes bytes of a stream of lines. Then [`advance`](Self::advance).
    pub fn push(&mut self, bytes: &[u8]) {
        self.connection.push(bytes);
    }

    /// Takes a frame and looks whether it is the answer.
    ///
    /// # Errors
    /// If the server refuses, or answers something else.
    pub fn frame(mut self, frame: &[u8]) -> Result<Progress<T>, HandshakeError> {
        match self.connection.frame(frame) {
            Some(event) => self.take(event),
            None => Ok(Progress::Waiting(self)),
        }
    }

    /// Looks whether the answer has come.
    ///
    /// # Errors
    /// If the server refuses, or answers something else.
    pub fn advance(mut self) -> Result<Progress<T>, HandshakeError> {
        while let Some(event) = self.connection.next_event() {
            match self.take(event)? {
                Progress::Waiting(handshake) => self = handshake,
                ready @ Progress::Ready(..) => return Ok(ready),
            }
        }
        Ok(Progress::Waiting(self))
    }

    fn take(mut self, event: Event<ClientSide, Option<T>>) -> Result<Progress<T>, HandshakeError> {
        match event {
            Event::Answer(answer) => {
                let response = answer.into_response::<Initialize>().map_err(|error| match error {
                    CallError::Rpc(error) => HandshakeError::Refused(error),
                    CallError::Malformed(malformed) => HandshakeError::Malformed(malformed),
                    other => HandshakeError::Unsendable(other.to_string()),
                })?;
                let mut connection = self.connection.initialised(self.experimental, self.early);
                connection
                    .notify::<Initialized>(&NoParams::new())
                    .map_err(|error| HandshakeError::Unsendable(error.to_string()))?;
                return Ok(Progress::Ready(connection, Box::new(response)));
            }
            Event::Request(request) => self.early.push_back(Event::Request(request)),
            Event::Notification(notification) => self.early.push_back(Event::Notification(notification)),
            Event::Malformed(malformed) => self.early.push_back(Event::Malformed(malformed)),
        }
        Ok(Progress::Waiting(self))
    }
}
