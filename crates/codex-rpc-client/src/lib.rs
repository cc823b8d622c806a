//! A client for OpenAI Codex: sessions, threads and turns over `codex app-server`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod account;
mod answers;
mod base64;
mod catalog;
mod command;
mod config;
mod configuration;
mod error;
mod executable;
mod files;
mod input;
mod mcp;
mod result;
mod retry;
mod session;
mod skills;
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
pub use command::{Chunk, CommandBuilder, CommandHandle, CommandOutput, CommandStream};
pub use configuration::Configuration;
pub use error::{Error, ExecutableNotFound, ProcessError};
pub use files::{Files, Watch};
pub use input::Input;
pub use mcp::{Mcp, McpLogin};
pub use result::{TurnFailed, TurnResult, final_response};
pub use retry::is_read_only;
pub use session::{CallSettings, Codex, CodexBuilder, Recovery, Restart};
pub use skills::Skills;
#[cfg(feature = "schemars")]
pub use structured::output_schema;
pub use thread::{Pages, Resume, Thread, Turning};
pub use tools::{Tool, ToolCall, ToolOutput, Tools};
pub use turn::{TurnEvent, TurnHandle, TurnStream};
