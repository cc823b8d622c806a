//! One codex process per tenant.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use codex_rpc::types::ThreadStartParams;

use super::{Codex, CodexBuilder, Runtime, Thread};
use crate::store::SessionStore;
use crate::{Error, MissingThread, Stats};

wrapper! {
    /// A pool of codex processes, one for each tenant that has something to do; see
    /// [`Tenants`](crate::Tenants).
    ///
    /// All processes share one thread of this program, on which hooks run, too. When the
    /// last handle of the pool and the last [`Lease`] are dropped, the processes are
    /// killed: [`close`](Self::close) ends them in order.
    ///
    /// ```no_run
    /// use codex_rpc_client::blocking::{Codex, Tenants};
    ///
    /// let tenants = Tenants::builder("/srv/tenants", |_tenant| Codex::builder().config("sandbox_mode", "read-only"))
    ///     .limit(8)
    ///     .build()?;
    /// let session = tenants.session("acme", "ticket-17")?;
    /// println!("{}", session.run("What did I ask before?")?.text());
    /// drop(session);
    /// tenants.close();
    /// # Ok::<(), codex_rpc_client::Error>(())
    /// ```
    #[derive(Clone)]
    Tenants(crate::Tenants)
}

impl Tenants {
    /// How a pool is made; see [`Tenants::builder`](crate::Tenants::builder).
    pub fn builder(
        root: impl Into<PathBuf>,
        template: impl Fn(&str) -> CodexBuilder + Send + Sync + 'static,
    ) -> TenantsBuilder {
        TenantsBuilder { inner: crate::Tenants::builder(root, move |tenant| template(tenant).inner) }
    }

    /// Waits for a future, for instance one of the [`store`](Self::store).
    #[track_caller]
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    handles! { Tenants:
        /// The tenant's process. If it does not run, it is started; if there is no room,
        /// this waits.
        acquire(tenant: &str) -> Lease;
        /// The thread of a tenant's session, resumed or new.
        session(tenant: &str, session: &str) -> Session;
    }

    /// A tenant's folder, its `CODEX_HOME`.
    ///
    /// # Errors
    /// As [`Tenants::home`](crate::Tenants::home).
    pub fn home(&self, tenant: &str) -> Result<PathBuf, Error> {
        self.inner.home(tenant)
    }

    /// How many processes there are, and how many wait for one.
    pub fn stats(&self) -> Stats {
        self.inner.stats()
    }

    /// Where the sessions' threads are kept. Its futures are waited for by
    /// [`block_on`](Self::block_on).
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        self.inner.store()
    }

    /// Ends all processes in order, also those in use, and waits until they are gone; see
    /// [`Tenants::close`](crate::Tenants::close).
    #[track_caller]
    pub fn close(&self) {
        self.runtime.block_on(self.inner.close());
    }
}

/// Makes pools: [`Tenants::builder`].
#[must_use]
#[derive(Debug)]
pub struct TenantsBuilder {
    inner: crate::TenantsBuilder,
}

impl TenantsBuilder {
    settings! { TenantsBuilder:
        limit(processes: usize);
        idle_timeout(timeout: Option<Duration>);
        wait_limit(limit: Option<Duration>);
        store(store: impl SessionStore + 'static);
        threads(params: impl Fn(&str, &str) -> ThreadStartParams + Send + Sync + 'static);
        missing_thread(missing: MissingThread);
    }

    /// Makes the pool. No process is started.
    ///
    /// # Errors
    /// [`Error::Io`] if its thread can't be started.
    pub fn build(self) -> Result<Tenants, Error> {
        Ok(Tenants::new(&Runtime::new()?, self.inner.build()))
    }
}

/// Opens the file of a store; see [`SqliteStore::open`](crate::store::SqliteStore::open).
///
/// # Errors
/// As [`SqliteStore::open`](crate::store::SqliteStore::open).
#[cfg(feature = "sqlite")]
#[track_caller]
pub fn open_store(path: impl Into<PathBuf>) -> Result<crate::store::SqliteStore, Error> {
    Ok(Runtime::new()?.block_on(crate::store::SqliteStore::open(path))?)
}

/// The use of a tenant's process; see [`Lease`](crate::Lease).
#[must_use = "the process is given back when this is dropped"]
pub struct Lease {
    // Before the runtime, so that it is dropped before.
    inner: crate::Lease,
    codex: Codex,
}

impl Lease {
    fn new(runtime: &Runtime, inner: crate::Lease) -> Self {
        let codex = Codex::new(runtime, crate::Codex::clone(&inner));
        Self { inner, codex }
    }

    /// Whose process it is.
    pub fn tenant(&self) -> &str {
        self.inner.tenant()
    }
}

impl Deref for Lease {
    type Target = Codex;

    fn deref(&self) -> &Codex {
        &self.codex
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("tenant", &self.tenant()).field("codex", &self.codex).finish_non_exhaustive()
    }
}

/// A session's thread, with the use of the tenant's process; see
/// [`Session`](crate::Session).
#[derive(Debug)]
#[must_use = "the process is given back when this is dropped"]
pub struct Session {
    // Before the lease, so that it is dropped before.
    thread: Thread,
    lease: Lease,
    id: String,
    new: bool,
}

impl Session {
    fn new(runtime: &Runtime, inner: crate::Session) -> Self {
        let (id, new) = (inner.session_id().to_owned(), inner.is_new());
        let (thread, lease) = inner.into_parts();
        Self { thread: Thread::new(runtime, thread), lease: Lease::new(runtime, lease), id, new }
    }

    /// The application's id of the session; that of the thread is [`Thread::id`].
    pub fn session_id(&self) -> &str {
        &self.id
    }

    /// Whether the thread is a new one: without a history.
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// The use of the tenant's process.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }
}

impl Deref for Session {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        &self.thread
    }
}
