//! The driver on threads: a client that reads and writes by itself, without a runtime.
//!
//! ```no_run
//! use codex_rpc::types::{ClientInfo, InitializeParams, ThreadStartParams, TurnStartParams, TextUserInput, UserInput};
//! use codex_rpc::ServerNotification;
//! use codex_rpc_dispatch::blocking::{Builder, Delivery};
//!
//! # #[cfg(feature = "process")]
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let params = InitializeParams::new(ClientInfo::new("my-client", "1.0.0"));
//! let client = Builder::new(params).spawn("codex")?;
//!
//! let thread = client.thread_start(ThreadStartParams::new())?.thread;
//! // Before the request, so that nothing it causes is missed.
//! let told = client.subscribe_thread(&thread.id);
//! let input = vec![UserInput::from(TextUserInput::new("Say hello."))];
//! client.turn_start(TurnStartParams::new(&thread.id, input))?;
//! for delivery in told {
//!     if let Delivery::Notification(message) = delivery {
//!         match &message.payload {
//!             ServerNotification::ItemAgentMessageDelta(delta) => print!("{}", delta.delta),
//!             ServerNotification::TurnCompleted(_) => break,
//!             _ => {}
//!         }
//!     }
//! }
//! client.close();
//! # Ok(())
//! # }
//! ```
//!
//! # What runs
//! One thread reads, one writes, one runs notification handlers in order, and each request
//! of the server that is handled has a thread of its own: a handler may wait for a person,
//! call the client or panic, and nothing else waits for it. A child process has two more,
//! for its stderr and its end. When the last [`Client`] is dropped all of them end, and so
//! does the child process; a handler that still runs ends when it returns. See
//! [`Builder::connect`] for readers that can't be interrupted.
//!
//! # What is bounded
//! What waits to be written: [`Builder::write_queue`]. What a subscription holds:
//! [`Buffer`]. Requests and responses are never dropped.

mod builder;
#[cfg(feature = "process")]
mod child;
mod client;
mod handle;
mod queue;
mod router;
mod subscription;
mod threads;
mod transport;
#[cfg(feature = "websocket")]
mod websocket;

pub use crate::driver::{Buffer, CallOptions, ConnectError, Delivery, IncompleteRouter, Overflow};
pub use crate::generated::blocking_handler::Handler;
pub use builder::Builder;
pub use client::{Client, Context};
pub use router::{Router, RouterBuilder};
pub use subscription::{NotInTime, Subscription};
