//! The thin dispatcher for `codex app-server`: bytes in, typed messages out.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod call;
mod connection;
#[cfg(any(feature = "blocking", feature = "tokio", test))]
mod defaults;
#[cfg(feature = "process")]
mod exit;
mod frame;
#[rustfmt::skip]
#[allow(
    clippy::all,
    clippy::pedantic,
    rustdoc::invalid_html_tags,
    rustdoc::bare_urls,
    reason = "upstream's names and texts"
)]
mod generated;
mod handshake;
mod malformed;
mod payload;
mod retry;
mod route;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use call::{Call, CallError};
pub use connection::{
    Answer, ClientConnection, ClientSide, Connection, Event, IncomingRequest, Limits, SendError, ServerConnection,
    ServerSide, Side, Ticket,
};
pub use handshake::{Handshake, HandshakeError, Progress};
pub use malformed::{Malformed, MalformedKind};
pub use payload::{TakeClientRequest, TakeServerNotification, TakeServerRequest};
pub use retry::Backoff;
pub use route::{Route, Routed};
