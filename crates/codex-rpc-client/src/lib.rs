//! A client for OpenAI Codex: sessions, threads and turns over `codex app-server`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod approval;
mod error;
#[cfg(feature = "policy")]
pub mod policy;
mod result;

pub use codex_rpc as protocol;
pub use error::{Error, ExecutableNotFound, ProcessError};
pub use result::{TurnFailed, TurnResult, final_response};
