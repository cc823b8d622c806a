//! Which thread an application's session has.
//!
//! An application has ids of its own: of a chat, a ticket, a user. A [`SessionStore`] maps
//! them to the threads of codex, so that [`Tenants::session`](crate::Tenants::session)
//! goes on where the user left off. [`MemoryStore`] forgets them with the program,
//! `SqliteStore` (feature `sqlite`) keeps them in a file, and an application with a
//! database can implement the trait for it.

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// What the methods of a [`SessionStore`] return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Maps the sessions of tenants to threads.
///
/// Tenants and sessions are texts of any kind, compared byte by byte. All methods may be
/// called at the same time, and from several programs where the store is shared.
///
/// The methods are async, since the databases of applications mostly are; the futures are
/// boxed, so that `dyn SessionStore` can be used.
///
/// ```
/// use codex_rpc_client::store::{MemoryStore, SessionStore, StoreError};
///
/// # async fn run() -> Result<(), StoreError> {
/// let store = MemoryStore::new();
/// assert_eq!(store.put("acme", "ticket-17", None, "thread-a").await?.as_deref(), Some("thread-a"));
/// // It has one already, which stays.
/// assert_eq!(store.put("acme", "ticket-17", None, "thread-b").await?.as_deref(), Some("thread-a"));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(run())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SessionStore: Send + Sync {
    /// The thread of a session.
    ///
    /// # Errors
    /// If the store can't be read.
    fn get<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>>;

    /// Stores a session's thread if what is stored is what is expected: `None` if the
    /// session is to have none yet, else the thread that is to be replaced. Returns the
    /// thread that is stored in the end. All in one step: of several who put at the same
    /// time one wins, and all learn which.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was changed.
    fn put<'a>(
        &'a self,
        tenant: &'a str,
        session: &'a str,
        expected: Option<&'a str>,
        thread: &'a str,
    ) -> StoreFuture<'a, Option<String>>;

    /// Forgets a session; the thread that it had. The thread itself stays.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was changed.
    fn remove<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>>;

    /// The sessions of a tenant and their threads, ordered by the sessions' bytes.
    ///
    /// # Errors
    /// If the store can't be read.
    fn list<'a>(&'a self, tenant: &'a str) -> StoreFuture<'a, Vec<(String, String)>>;
}

impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn get<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>> {
        (**self).get(tenant, session)
    }

    fn put<'a>(
        &'a self,
        tenant: &'a str,
        session: &'a str,
        expected: Option<&'a str>,
        thread: &'a str,
    ) -> StoreFuture<'a, Option<String>> {
        (**self).put(tenant, session, expected, thread)
    }

    fn remove<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>> {
        (**self).remove(tenant, session)
    }

    fn list<'a>(&'a self, tenant: &'a str) -> StoreFuture<'a, Vec<(String, String)>> {
        (**self).list(tenant)
    }
}

/// Why a store can't be read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is damaged, or is none of this crate's.
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file was written by a later version of this crate.
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// Others wrote for longer than the time limit: try again.
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Something else.
    Failed {
        /// What was tried.
        what: String,
        /// Why not.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// An error of another kind of store: what was tried, and why not.
    pub fn failed(what: impl Into<String>, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed { what: what.into(), error: error.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAStore { path, reason } => {
                write!(
                    f,
                    "`{}` is no store of sessions, or is damaged: {reason}; move it away or restore it",
                    path.display()
                )
            }
            Self::TooNew { path, found, known } => write!(
                f,
                "`{}` has schema {found}, and this version knows {known} at most: use a later codex-rpc-client",
                path.display()
            ),
            Self::Busy { path } => write!(f, "`{}` is being written by others: try again", path.display()),
            Self::Failed { what, error } => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(&**error),
            _ => None,
        }
    }
}
