//! A client for OpenAI Codex: sessions, threads and turns over `codex app-server`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
pub mod exec;
mod executable;
mod result;

pub use codex_rpc as protocol;
pub use error::{Error, ExecutableNotFound, ProcessError};
pub use result::{TurnFailed, TurnResult, final_response};
