//! The codex app-server protocol, typed.
//!
//! `codex app-server` is the JSON-RPC server inside the `codex` executable. This
//! crate is its protocol as Rust types: every request, response and notification
//! of one codex release ([`CODEX_VERSION`]), made by a generator from the schema
//! that the release itself exports. It is data only: no I/O, no runtime, and no
//! dependencies but serde and serde_json, without derive.
//!
//! | crate | what it is |
//! |---|---|
//! | `codex-rpc` | this one: the types |
//! | `codex-rpc-dispatch` | the connection: calls, handlers, subscriptions, drivers |
//! | `codex-rpc-client` | the SDK: sessions, threads and turns, approvals, `codex exec` |
//! | `codex-rpc-testkit` | transcripts and round trips, for tests of programs that use the protocol |
//!
//! # Example
//!
//! ```
//! use codex_rpc::requests::ThreadStart;
//! use codex_rpc::types::{ThreadItem, ThreadStartParams};
//! use codex_rpc::{
//!     ClientMessage, ClientRequest, ClientRequestMethod, Message, ProtocolType, Request, ServerMessage, ServerNotification,
//! };
//!
//! // A request, ready for the server's standard input.
//! let params = ThreadStartParams::new().model("gpt-5.5").cwd("/workspace").ephemeral(true);
//! let request = ClientMessage::Request(Request::new(1, ClientRequest::ThreadStart(params.into())));
//! assert_eq!(
//!     request.to_json()?,
//!     r#"{"method":"thread/start","id":1,"params":{"model":"gpt-5.5","cwd":"/workspace","ephemeral":true}}"#,
//! );
//!
//! // What the server says, line by line.
//! let line = r#"{"method":"item/completed","params":{"item":{"type":"agentMessage","id":"i1","text":"Done."},
//!     "threadId":"t1","turnId":"u1","completedAtMs":1763600000000},"emittedAtMs":1763600000001}"#;
//! let Message::Notification(notification) = ServerMessage::from_json(line)? else { panic!("a notification") };
//! match notification.payload {
//!     ServerNotification::ItemCompleted(completed) => match completed.item {
//!         ThreadItem::AgentMessage(message) => assert_eq!(message.text, "Done."),
//!         other => println!("another item: {}", other.tag()),
//!     },
//!     other => println!("another notification: {}", other.method()),
//! }
//!
//! // Which answer belongs to which request is known to the compiler.
//! fn answer_of<M: ClientRequestMethod>(result: &str) -> Result<M::Response, codex_rpc::DecodeError> {
//!     <M::Response>::from_json(result)
//! }
//! assert!(answer_of::<ThreadStart>("{}").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//!
//! - **Lossless.** Decoding and encoding gives the same JSON value. What this
//!   release does not know is kept: members in [`Extra`], values and variants in
//!   `Unrecognized`, methods in [`UnrecognizedMethod`].
//! - **Nothing invented.** A required member that is missing is an error, never a
//!   default. A known variant with a bad body is an error, never `Unrecognized`.
//! - **As the server writes it.** What the server always sends as null is written
//!   as null, what it leaves out is left out. Where absent, null and a value mean
//!   three things, the field is a [`Tristate`].
//! - **No secrets in logs.** `Debug` shows a placeholder for fields that are
//!   secrets by name: keys, tokens, passwords.
//! - **Knows its release.** [`check_release`] compares a server's `userAgent` with
//!   [`CODEX_VERSION`].
//!
//! # Where things are
//!
//! Messages: [`ServerMessage`] and [`ClientMessage`] are what a line of either
//! side is; [`ServerNotification`], [`ServerRequest`], [`ClientRequest`] and
//! [`ClientNotification`] list the methods. Methods as types, with their params
//! and answers: [`requests`], [`server_requests`], [`notifications`]; as a table to
//! look at when the program runs: [`METHODS`]. The types of the payloads are in one
//! module a family ([`thread`], [`turn`], …) and all together in [`types`]. Maps in them
//! are [`Map`]s, which are made of the standard library's.
//!
//! # Features
//!
//! - `registry`: the module `registry`, every definition by its name in the schema.
//!   For tests and tools; it costs build time.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod envelope;
mod error;
mod extra;
#[rustfmt::skip]
#[allow(
    clippy::all,
    clippy::pedantic,
    rustdoc::invalid_html_tags,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    rustdoc::redundant_explicit_links,
    reason = "upstream's names and texts"
)]
mod generated;
mod id;
mod map;
mod message;
mod method;
#[cfg(feature = "registry")]
pub mod registry;
mod runtime;
mod tristate;
mod unrecognized;
mod version;

pub use envelope::{AnyMessage, ErrorResponse, Message, Notification, RawJson, Request, Response, TraceContext};
pub use error::{DecodeError, ErrorCode, RpcError};
pub use extra::Extra;
#[doc(inline)]
pub use generated::*;
pub use id::RequestId;
pub use map::Map;
pub use message::{ClientMessage, ProtocolType, ServerMessage, append_json, from_json, from_slice, to_json};
pub use method::{
    ClientRequestMethod, Direction, MethodInfo, MethodKind, NoParams, NotificationMethod, Params, ServerRequestMethod,
};
pub use tristate::Tristate;
pub use unrecognized::{UnrecognizedMethod, UnrecognizedVariant};
pub use version::{ReleaseMatch, check_release, server_release};
