//! A client for OpenAI Codex: sessions, threads and turns over `codex app-server`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answers;
pub mod approval;
#[cfg(feature = "blocking")]
pub mod blocking;
mod config;
mod error;
pub mod exec;
mod executable;
mod input;
#[cfg(feature = "judge")]
mod judge;
#[cfg(feature = "policy")]
pub mod policy;
mod result;
mod retry;
mod session;
pub mod store;
#[cfg(feature = "schemars")]
mod structured;
mod tenants;
mod thread;
mod tools;
mod turn;
mod version;

pub use answers::{Asked, HookAnswer};
pub use codex_rpc as protocol;
pub use codex_rpc_dispatch as dispatch;
pub use error::{Error, ExecutableNotFound, ProcessError};
pub use input::Input;
#[cfg(feature = "judge")]
pub use judge::Judge;
pub use result::{TurnFailed, TurnResult, final_response};
pub use retry::is_read_only;
pub use session::{CallSettings, Codex, CodexBuilder, Recovery, Restart};
#[cfg(feature = "schemars")]
pub use structured::output_schema;
pub use tenants::{Lease, MissingThread, Session, Stats, Tenants, TenantsBuilder};
pub use thread::{Pages, Resume, Thread, Turning};
pub use tools::{Tool, ToolCall, ToolOutput, Tools};
pub use turn::{TurnEvent, TurnHandle, TurnStream};
