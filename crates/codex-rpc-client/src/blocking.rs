//! The same for programs without async: the names and shapes are those of the crate's
//! root.
//!
//! A session has a thread of its own that reads and writes; calls block the thread that
//! makes them. Hooks and tools are futures here, too, and run on the session's thread:
//! what blocks for long belongs into a thread of its own, for instance by
//! `tokio::task::spawn_blocking`, where these types can be used, too.
//!
//! ```no_run
//! use codex_rpc_client::blocking::Codex;
//! use codex_rpc_client::protocol::types::ThreadStartParams;
//!
//! let codex = Codex::start()?;
//! let thread = codex.start_thread(ThreadStartParams::new())?;
//! println!("{}", thread.run("Say hello.")?.text());
//! # Ok::<(), codex_rpc_client::Error>(())
//! ```
//!
//! # What is different
//! | in the crate's root | here |
//! |---|---|
//! | streams and lists with a `next` | iterators; [`Pages`] ends after an error, [`Turning`] with the session |
//! | [`Codex::subscribe`](crate::Codex::subscribe), [`Codex::recoveries`](crate::Codex::recoveries) | [`Subscription`] and [`Recoveries`], which are iterators |
//! | [`Exec::run`](crate::exec::Exec::run), [`Exec::stream`](crate::exec::Exec::stream) | [`run`] and [`stream`] |
//! | `SqliteStore::open` | `open_store` |
//! | [`Codex::client`](crate::Codex::client), stores of [`Tenants`] and all else that is a future | [`Codex::block_on`], [`Tenants::block_on`] |
//! | [`Thread::codex`](crate::Thread::codex), [`TurnHandle::thread`](crate::TurnHandle::thread) give references | clones |
//! | [`TenantsBuilder::build`](crate::TenantsBuilder::build) can't fail | it starts a thread, which can |
//! | a dropped future stops waiting | nothing stops a call that waits but its time limit, [`TurnHandle::interrupt`] and [`Codex::close`] from another thread |
//!
//! # What is dropped
//! With the last [`Codex`], [`Thread`] and other handle of a session, the session is
//! closed as [`Codex::close`] does it, and the process is gone when the drop returns; a
//! server that does not end by itself is killed after a second or two. On a thread of an
//! async runtime, which must not wait, the process is killed instead: close it before.
//!
//! # Panics
//! Every call that waits panics if it is made on a thread of an async runtime that must
//! not block, as those of futures and hooks are: use the types of the crate's root there.

#[macro_use]
mod macros;

mod account;
mod builder;
mod command;
mod exec;
mod files;
mod mcp;
mod pages;
mod runtime;
mod services;
mod session;
mod subscription;
mod tenants;
mod thread;
mod turn;

pub use account::{Account, DeviceCodeLogin, Login};
pub use builder::CodexBuilder;
pub use command::{CommandBuilder, CommandHandle};
pub use exec::{ExecStream, run, stream};
pub use files::{Files, Watch};
pub use mcp::{Mcp, McpLogin};
pub use pages::Pages;
use runtime::Runtime;
pub use services::{Configuration, Skills};
pub use session::Codex;
pub use subscription::{Recoveries, Subscription};
#[cfg(feature = "sqlite")]
pub use tenants::open_store;
pub use tenants::{Lease, Session, Tenants, TenantsBuilder};
pub use thread::{Thread, Turning};
pub use turn::{TurnHandle, TurnStream};
