//! What can go wrong, by what a caller can do about it.

mod text;

pub(crate) use text::is_unknown_method;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use codex_rpc::{ErrorCode, RpcError};
use codex_rpc_dispatch::tokio::ConnectError;
use codex_rpc_dispatch::{CallError, Malformed};

/// Why something failed.
///
/// The server's errors carry few codes, so some are told apart by their text: in one
/// module, held by tests over recorded sessions. What that does not know is
/// [`Refused`](Self::Refused).
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server has too much to do and did not execute the request: any request can be
    /// sent again, later.
    Overloaded(Box<RpcError>),
    /// The connection was not initialised.
    NotInitialized(Box<RpcError>),
    /// The method, or a member of its params, is experimental, and the session was made
    /// without [`experimental_api`](crate::CodexBuilder::experimental_api).
    ExperimentalApiNeeded {
        /// What is experimental: `thread/start.dynamicTools`.
        what: String,
    },
    /// The server knows no such thread, or has not loaded it.
    ThreadNotFound(Box<RpcError>),
    /// The server can't read the params, or refuses what they say.
    InvalidParams(Box<RpcError>),
    /// There is no login, or not the right one.
    Unauthorized(Box<RpcError>),
    /// The configuration was changed since the version that a write expected: read it
    /// again, and write again. Nothing was written.
    ConfigChanged(Box<RpcError>),
    /// The server refused for another reason.
    Refused(Box<RpcError>),
    /// A login ended without success: it was cancelled, took too long, or was refused.
    LoginFailed {
        /// Why, as the server says it.
        reason: String,
    },
    /// The turn failed.
    TurnFailed(Box<crate::TurnFailed>),
    /// A run of `codex exec` failed after it had begun.
    ExecFailed(Box<crate::exec::ExecFailed>),
    /// The server said something that is no answer; with its raw text.
    Malformed(Box<Malformed>),
    /// The request can't be written, or not within the limits; nothing was sent.
    Unsendable(String),
    /// There was no answer in time. It may have been executed.
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long, where that is known.
        limit: Option<Duration>,
    },
    /// There is no connection, or none any more.
    Closed {
        /// Why.
        reason: String,
    },
    /// The codex process can't be started, or ended.
    Process(Box<ProcessError>),
    /// There is no codex executable.
    ExecutableNotFound(ExecutableNotFound),
    /// The server can't be talked to, or is no app-server.
    Connect(Box<ConnectError>),
    /// The server is older than what was asked for.
    ServerTooOld {
        /// What was asked for.
        what: String,
        /// The release that has it.
        needed: String,
        /// The server's release.
        found: String,
    },
    /// There was no room for a tenant's process in time: come back later.
    NoRoom {
        /// How many processes there may be.
        limit: usize,
        /// How long was waited.
        waited: Duration,
    },
    /// A tenant's process can't be started. Shared by all who waited for it.
    TenantStart {
        /// The tenant.
        tenant: String,
        /// Why.
        error: Arc<Error>,
    },
    /// What sessions have which threads can't be read or written.
    Store(crate::store::StoreError),
    /// What the model, a tool or a file said is not of the shape that was asked for.
    Invalid {
        /// What.
        what: String,
        /// Why.
        reason: String,
        /// The text.
        text: String,
    },
    /// A file or another thing of the system.
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        error: std::io::Error,
    },
}

/// A codex process that could not be started, or that ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProcessError {
    /// The program.
    pub program: PathBuf,
    /// How it ended; none if it did not start or can't be asked.
    pub status: Option<ExitStatus>,
    /// The end of what it wrote to stderr, 8 KiB at most.
    pub stderr: String,
    /// Why it could not be started or waited for.
    pub error: Option<std::io::Error>,
}

/// No codex executable was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutableNotFound {
    /// Where it was looked for, in this order.
    pub looked: Vec<String>,
}

impl Error {
    /// Whether the server did not execute the request, so that any request can be sent
    /// again.
    pub fn is_overloaded(&self) -> bool {
        matches!(self, Self::Overloaded(_))
    }

    /// The server's error, if it is one.
    pub fn rpc(&self) -> Option<&RpcError> {
        match self {
            Self::Overloaded(error)
            | Self::NotInitialized(error)
            | Self::ThreadNotFound(error)
            | Self::InvalidParams(error)
            | Self::Unauthorized(error)
            | Self::ConfigChanged(error)
            | Self::Refused(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn invalid(what: impl Into<String>, reason: impl fmt::Display, text: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), reason: reason.to_string(), text: text.into() }
    }

    /// A login that ended so, with what the server says about it.
    pub(crate) fn login_failed(reason: Option<&str>) -> Self {
        Self::LoginFailed { reason: reason.unwrap_or("the server gave no reason").to_owned() }
    }

    pub(crate) fn closed(reason: impl Into<String>) -> Self {
        Self::Closed { reason: reason.into() }
    }
}

impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        if error.is_overloaded() {
            return Self::Overloaded(Box::new(error));
        }
        match config_write_code(&error) {
            Some("configVersionConflict") => return Self::ConfigChanged(Box::new(error)),
            Some("configValidationError") => return Self::InvalidParams(Box::new(error)),
            _ => {}
        }
        match text::classify(&error) {
            text::Class::NotInitialized => Self::NotInitialized(Box::new(error)),
            text::Class::Experimental(what) => Self::ExperimentalApiNeeded { what },
            text::Class::ThreadNotFound => Self::ThreadNotFound(Box::new(error)),
            text::Class::InvalidParams => Self::InvalidParams(Box::new(error)),
            text::Class::Unauthorized => Self::Unauthorized(Box::new(error)),
            text::Class::Other if error.code == ErrorCode::INVALID_PARAMS => Self::InvalidParams(Box::new(error)),
            text::Class::Other => Self::Refused(Box::new(error)),
        }
    }
}

impl From<crate::store::StoreError> for Error {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a write of the configuration was refused for: these errors have a code of their
/// own in their data.
fn config_write_code(error: &RpcError) -> Option<&str> {
    error.data.as_ref()?.get("config_write_error_code")?.as_str()
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rpc(error) => (*error).into(),
            CallError::Malformed(malformed) => Self::Malformed(malformed),
            CallError::ExperimentalApiNeeded { method } => Self::ExperimentalApiNeeded { what: method.to_owned() },
            CallError::Unsendable(reason) => Self::Unsendable(reason),
            CallError::TimedOut { method } => Self::TimedOut { what: method.into_owned(), limit: None },
            CallError::Closed { reason } => Self::Closed { reason },
            other => Self::closed(other.to_string()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded(error) => write!(f, "the server is overloaded: {error}"),
            Self::NotInitialized(error) => write!(f, "the connection is not initialised: {error}"),
            Self::ExperimentalApiNeeded { what } => {
                write!(f, "{what} is experimental: make the session with `experimental_api(true)`")
            }
            Self::ThreadNotFound(error) => write!(f, "no such thread: {error}"),
            Self::InvalidParams(error) => write!(f, "the server refuses the params: {error}"),
            Self::Unauthorized(error) => write!(f, "there is no suitable login: {error}"),
            Self::ConfigChanged(error) => {
                write!(f, "the configuration was changed since it was read: read it again, and write again: {error}")
            }
            Self::Refused(error) => write!(f, "the server refused: {error}"),
            Self::LoginFailed { reason } => write!(f, "the login failed: {reason}"),
            Self::TurnFailed(failed) => write!(f, "{failed}"),
            Self::ExecFailed(failed) => write!(f, "{failed}"),
            Self::Malformed(malformed) => write!(f, "the server's answer can't be read: {malformed}"),
            Self::Unsendable(reason) => write!(f, "the request can't be sent: {reason}"),
            Self::TimedOut { what, limit: Some(limit) } => write!(f, "{what}: not within {limit:?}"),
            Self::TimedOut { what, limit: None } => write!(f, "{what}: no answer in time"),
            Self::Closed { reason } => write!(f, "the connection ended: {reason}"),
            Self::Process(error) => write!(f, "{error}"),
            Self::ExecutableNotFound(error) => write!(f, "{error}"),
            Self::Connect(error) => write!(f, "{error}"),
            Self::ServerTooOld { what, needed, found } => {
                write!(f, "{what} needs codex {needed}, and this server is {found}: install a newer codex")
            }
            Self::NoRoom { limit, waited } => {
                write!(f, "no room for another codex process within {waited:?}: all {limit} are in use")
            }
            Self::TenantStart { tenant, error } => write!(f, "the codex process of tenant {tenant:?}: {error}"),
            Self::Store(error) => write!(f, "{error}"),
            Self::Invalid { what, reason, .. } => write!(f, "{what}: {reason}"),
            Self::Io { what, error } => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect(error) => Some(&**error),
            Self::Malformed(malformed) => Some(&**malformed),
            Self::Process(error) => Some(&**error),
            Self::ExecutableNotFound(error) => Some(error),
            Self::TurnFailed(failed) => Some(&**failed),
            Self::ExecFailed(failed) => Some(&**failed),
            Self::Io { error, .. } => Some(error),
            Self::TenantStart { error, .. } => Some(&**error),
            Self::Store(error) => Some(error),
            other => other.rpc().map(|error| error as _),
        }
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.program.display())?;
        match (&self.error, &self.status) {
            (Some(error), _) => write!(f, "can't be started or waited for: {error}")?,
            (None, Some(status)) => write!(f, "ended with {status}")?,
            (None, None) => f.write_str("ended")?,
        }
        if !self.stderr.is_empty() {
            write!(f, "; it wrote to stderr: {}", self.stderr)?;
        }
        Ok(())
    }
}

impl std::error::Error for ProcessError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.as_ref().map(|error| error as _)
    }
}

impl fmt::Display for ExecutableNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no codex executable; looked in {}. Install it with `npm install --global @openai/codex`, or name it \
             with `CODEX_BIN` or `CodexBuilder::executable`",
            self.looked.join(", ")
        )
    }
}

impl std::error::Error for ExecutableNotFound {}

impl From<codex_rpc_dispatch::ProcessExit> for ProcessError {
    fn from(exit: codex_rpc_dispatch::ProcessExit) -> Self {
        Self { program: exit.program.into(), status: exit.status, stderr: exit.stderr, error: None }
    }
}
