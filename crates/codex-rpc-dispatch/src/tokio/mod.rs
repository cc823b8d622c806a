//! The tokio driver: a client that reads and writes by itself.
//!
//! ```no_run
//! use codex_rpc::types::{ClientInfo, InitializeParams, ThreadStartParams, TurnStartParams, TextUserInput, UserInput};
//! use codex_rpc::ServerNotification;
//! use codex_rpc_dispatch::tokio::{Builder, Delivery};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let params = InitializeParams::new(ClientInfo::new("my-client", "1.0.0"));
//! let client = Builder::new(params).spawn("codex").await?;
//!
//! let thread = client.thread_start(ThreadStartParams::new()).await?.thread;
//! // Before the request, so that nothing it causes is missed.
//! let mut told = client.subscribe_thread(&thread.id);
//! let input = vec![UserInput::from(TextUserInput::new("Say hello."))];
//! client.turn_start(TurnStartParams::new(&thread.id, input)).await?;
//! while let Some(delivery) = told.next().await {
//!     if let Delivery::Notification(message) = delivery {
//!         match &message.payload {
//!             ServerNotification::ItemAgentMessageDelta(delta) => print!("{}", delta.delta),
//!             ServerNotification::TurnCompleted(_) => break,
//!             _ => {}
//!         }
//!     }
//! }
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What runs
//! One task reads, one writes, one runs notification handlers in order, and each request
//! of the server has a task of its own: a handler may wait for a person, call the client
//! or panic, and nothing else waits for it. When the last [`Client`] is dropped all of
//! them end, and so does the child process.
//!
//! They run on the runtime that the client was made on, which needs its clock and its I/O
//! enabled. A handler that blocks its thread blocks what else would run there.
//!
//! # What is bounded
//! What waits to be written: [`Builder::write_queue`]. What a subscription holds:
//! [`Buffer`]. Requests and responses are never dropped.

mod builder;
#[cfg(feature = "process")]
mod child;
mod client;
mod exit;
mod handle;
mod router;
mod subscription;
mod tasks;
mod transport;
#[cfg(feature = "websocket")]
mod websocket;

pub use crate::driver::{Buffer, CallOptions, ConnectError, Delivery, IncompleteRouter, Overflow};
pub use crate::generated::tokio_handler::Handler;
pub use builder::Builder;
pub use client::{Client, Context};
pub use router::{Router, RouterBuilder};
pub use subscription::Subscription;
