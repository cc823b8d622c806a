//! The two sides of a connection.

use std::fmt;

use codex_rpc::{
    ClientMessage, ClientNotification, ClientRequest, DecodeError, Direction, Message, ServerMessage,
    ServerNotification, ServerRequest,
};

/// A side of a connection: what comes in there. Implemented by [`ClientSide`] and
/// [`ServerSide`] only.
pub trait Side: sealed::Sealed + fmt::Debug + 'static {
    /// The requests that come in.
    type Request: Send + fmt::Debug + 'static;
    /// The notifications that come in.
    type Notification: Send + fmt::Debug + 'static;
    /// The direction of what goes out.
    const SENDS: Direction;

    #[doc(hidden)]
    fn decode(line: &[u8]) -> Result<Message<Self::Request, Self::Notification>, DecodeError>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ClientSide {}
    impl Sealed for super::ServerSide {}
}

/// The side of a client of an app-server.
#[derive(Clone, Copy, Debug)]
pub enum ClientSide {}

/// The side of an app-server.
#[derive(Clone, Copy, Debug)]
pub enum ServerSide {}

impl Side for ClientSide {
    type Request = ServerRequest;
    type Notification = ServerNotification;
    const SENDS: Direction = Direction::ClientToServer;

    fn decode(line: &[u8]) -> Result<ServerMessage, DecodeError> {
        ServerMessage::from_slice(line)
    }
}

impl Side for ServerSide {
    type Request = ClientRequest;
    type Notification = ClientNotification;
    const SENDS: Direction = Direction::ServerToClient;

    fn decode(line: &[u8]) -> Result<ClientMessage, DecodeError> {
        ClientMessage::from_slice(line)
    }
}
