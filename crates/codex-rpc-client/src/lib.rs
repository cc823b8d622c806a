//! A client for OpenAI Codex: sessions, threads and turns over `codex app-server`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod account;
mod answers;
mod config;
mod error;
mod executable;
mod input;
mod result;
mod retry;
mod session;
#[cfg(feature = "schemars")]
mod structured;
mod thread;
mod told;
mod tools;
mod turn;
mod version;

pub use account::{Account, ChatgptTokens, DeviceCodeLogin, Login};
pub use answers::{Asked, HookAnswer};
pub use codex_rpc as protocol;
pub use codex_rpc_dispatch as dispatch;
pub use error::{Error, ExecutableNotFound, ProcessError};
pub use input::Input;
pub use result::{TurnFailed, TurnResult, final_response};
pub use retry::is_read_only;
pub use session::{CallSettings, Codex, CodexBuilder, Recovery, Restart};
#[cfg(feature = "schemars")]
pub use structured::output_schema;
pub use thread::{Pages, Resume, Thread, Turning};
pub use tools::{Tool, ToolCall, ToolOutput, Tools};
pub use turn::{TurnEvent, TurnHandle, TurnStream};
