//! What the drivers have in common and needs no runtime.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use codex_rpc::{Notification, ServerNotification};

use crate::{Backoff, HandshakeError, Malformed};

/// What a subscription does when its buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// The oldest notification goes, and [`Delivery::Lagged`] says how many went.
    DropOldest,
    /// The connection is not read until there is room: everything behind waits, answers
    /// and approvals too. A subscriber that calls the client must not be the one that
    /// makes it wait.
    Wait,
}

/// How much a subscription holds. Default: 1,024 notifications, the oldest are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Buffer {
    /// How many notifications; at least one.
    pub capacity: usize,
    /// What happens when there are more.
    pub overflow: Overflow,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { capacity: 1_024, overflow: Overflow::DropOldest }
    }
}

impl Buffer {
    /// A buffer that drops the oldest when it is full.
    pub fn dropping(capacity: usize) -> Self {
        Self { capacity, overflow: Overflow::DropOldest }
    }

    /// A buffer that makes the connection wait when it is full.
    pub fn waiting(capacity: usize) -> Self {
        Self { capacity, overflow: Overflow::Wait }
    }
}

/// What a subscription gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// A notification.
    Notification(Arc<Notification<ServerNotification>>),
    /// So many notifications were dropped here.
    Lagged(u64),
    /// Something that was no message; only subscriptions to everything get it.
    Malformed(Arc<Malformed>),
}

/// How a call is made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long to wait for the answer; none is the client's default,
    /// `Builder::time_limit`.
    pub time_limit: Option<Duration>,
    /// How often and when to call again if the server is overloaded. Such a call was not
    /// executed, so it is safe to repeat. Default: not.
    pub retry: Option<Backoff>,
}

impl CallOptions {
    /// Sets how long to wait for the answer.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Calls again while the server is overloaded.
    #[must_use]
    pub fn with_retry(mut self, backoff: Backoff) -> Self {
        self.retry = Some(backoff);
        self
    }
}

/// Why there is no client.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The program can't be started.
    Spawn {
        /// The program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// The server can't be reached.
    Connect {
        /// Its address.
        address: String,
        /// Why.
        reason: String,
    },
    /// The server refused, or is no app-server.
    Handshake(HandshakeError),
    /// The connection ended before the server had answered.
    Closed {
        /// Why; with what the process wrote to stderr.
        reason: String,
    },
    /// The server did not answer in time.
    TimedOut {
        /// How long it was given.
        limit: Duration,
    },
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawn { program, error } => write!(f, "can't start `{program}`: {error}"),
            Self::Connect { address, reason } => write!(f, "can't connect to {address}: {reason}"),
            Self::Handshake(error) => write!(f, "{error}"),
            Self::Closed { reason } => write!(f, "the connection ended before `initialize` was answered: {reason}"),
            Self::TimedOut { limit } => write!(f, "`initialize` was not answered within {limit:?}"),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spawn { error, .. } => Some(error),
            Self::Handshake(error) => Some(error),
            _ => None,
        }
    }
}

/// A router that was to handle every request of the server, and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompleteRouter {
    /// The methods that nothing handles.
    pub unhandled: Vec<&'static str>,
}

impl fmt::Display for IncompleteRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing handles {}", self.unhandled.join(", "))
    }
}

impl std::error::Error for IncompleteRouter {}
