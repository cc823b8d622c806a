//! The thin dispatcher for `codex app-server`: bytes in, typed messages out.
//!
//! The core has no I/O, no clock and no runtime: a [`Handshake`] becomes a
//! [`ClientConnection`], which takes bytes and gives [`Event`]s, and gives messages to
//! write. The drivers in front of it read and write by themselves.
//!
//! ```
//! use codex_rpc::requests::ThreadArchive;
//! use codex_rpc::types::{ClientInfo, InitializeParams, ThreadArchiveParams};
//! use codex_rpc_dispatch::{Event, Handshake, Limits, Progress};
//!
//! let params = InitializeParams::new(ClientInfo::new("my-client", "1.0.0"));
//! let mut handshake = Handshake::new(&params, Limits::default())?;
//! let _initialize = handshake.next_outgoing();
//! handshake.push(b"{\"id\":0,\"result\":{\"userAgent\":\"my-client/0.169.0 (Linux)\",\"codexHome\":\"/h\",\"platformFamily\":\"unix\",\"platformOs\":\"linux\"}}\n");
//! let Progress::Ready(mut connection, _server) = handshake.advance()? else { panic!("it is answered") };
//! let _initialized = connection.next_outgoing();
//!
//! let call = connection.request::<ThreadArchive>(&ThreadArchiveParams::new("t1"), "mine")?;
//! assert_eq!(connection.next_outgoing().as_deref(), Some(br#"{"method":"thread/archive","id":1,"params":{"threadId":"t1"}}"#.as_slice()));
//! connection.push(b"{\"id\":1,\"result\":{}}\n");
//! let Some(Event::Answer(answer)) = connection.next_event() else { panic!("an answer") };
//! assert_eq!((answer.id, answer.tag), (call.id(), "mine"));
//! let _response = answer.into_response::<ThreadArchive>()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! None is on by default; the core needs nothing beyond the protocol crate.
//!
//! | feature | what it brings |
//! |---|---|
//! | `tokio` | the driver on tokio, and a method for each request of the protocol |
//! | `blocking` | the same on threads |
//! | `process` | the app-server as a child process that ends with the client |
//! | `websocket` | WebSocket, on TCP and on Unix sockets |
//! | `tracing` | spans for calls and for requests of the server, without their content |
//!
//! # Companions
//! | crate | what it is |
//! |---|---|
//! | [`codex-rpc`](codex_rpc) | the protocol: types of all messages |
//! | `codex-rpc-testkit` | recorded sessions, a replaying app-server, a stand-in model |
//!
//! # Promises
//! - A line becomes exactly one event; one that is broken is an [`Event::Malformed`] with
//!   its raw text, and costs nothing else.
//! - A malformed or unknown request of the server can be answered, and by the drivers is.
//! - Only the response of a request's own method answers it: the compiler refuses others.
//! - A connection that is not initialised can't send anything else.
//! - Every call ends: answered, timed out, cancelled, or with the reason that the
//!   connection ended for.
//! - Requests and responses are never dropped; notifications only by a policy that says
//!   how many.
//! - Approvals are declined unless something handles them.
//! - Secrets are in no `Debug` and no error of this crate, but for the raw text of what
//!   was malformed, which `Debug` leaves out, too.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "blocking")]
pub mod blocking;
mod call;
mod connection;
#[cfg(any(feature = "blocking", feature = "tokio", test))]
mod defaults;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod driver;
#[cfg(all(feature = "process", any(feature = "blocking", feature = "tokio")))]
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
mod params;
mod payload;
mod retry;
mod route;
mod side;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use call::{Call, CallError};
pub use connection::{
    Answer, ClientConnection, Connection, Event, IncomingRequest, Limits, SendError, ServerConnection, Ticket,
};
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub use defaults::default_answer;
#[cfg(all(feature = "process", any(feature = "blocking", feature = "tokio")))]
pub use exit::ProcessExit;
pub use handshake::{Handshake, HandshakeError, Progress};
pub use malformed::{Malformed, MalformedKind};
pub use payload::{TakeClientRequest, TakeServerNotification, TakeServerRequest};
pub use retry::Backoff;
pub use route::{Route, Routed};
pub use side::{ClientSide, ServerSide, Side};
