//! One codex process per tenant, for servers with many users.

mod builder;
mod folder;
mod lease;
mod pool;
mod session;
mod shared;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::store::SessionStore;
use crate::{CodexBuilder, Error};

pub use builder::TenantsBuilder;
pub use lease::Lease;
pub use pool::Stats;
pub use session::{MissingThread, Session};
use shared::{Shared, Waiting};

/// A pool of codex processes, one for each tenant that has something to do.
///
/// Each tenant has a folder of its own as `CODEX_HOME`: its own configuration, login,
/// history and threads. There are never more processes than the limit allows. One that
/// nobody uses is kept for the idle time-out, or until its room is needed for another
/// tenant: the least recently used goes first. Whoever finds no room waits.
///
/// Clones are the same pool. When the last is dropped, the processes end that nobody has
/// a [`Lease`] of, and the others with their leases; [`close`](Self::close) ends all and
/// waits for it.
///
/// **What it separates is state, not rights.** All processes run as the same user of the
/// system, with what this program's environment holds, unless the template's
/// [`env_clear`](CodexBuilder::env_clear) says otherwise. A model that may read files can
/// read those of other tenants. Where tenants don't trust each other, let the template's
/// [`executable`](CodexBuilder::executable) be one that puts codex into a container or
/// under another user.
///
/// Two programs must not share a root folder: a thread has one writer.
///
/// ```no_run
/// use codex_rpc_client::{Codex, Tenants};
///
/// # async fn run() -> Result<(), codex_rpc_client::Error> {
/// let tenants = Tenants::builder("/srv/tenants", |_tenant| Codex::builder().config("sandbox_mode", "read-only"))
///     .limit(8)
///     .build();
/// let session = tenants.session("acme", "ticket-17").await?;
/// let result = session.run("What did I ask before?").await?;
/// println!("{}", result.text());
/// drop(session);
/// tenants.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tenants {
    shared: Arc<Shared>,
}

type Template = Box<dyn Fn(&str) -> CodexBuilder + Send + Sync>;
type Threads = Box<dyn Fn(&str, &str) -> codex_rpc::types::ThreadStartParams + Send + Sync>;

/// Locks of the sessions whose threads are being looked for: by tenant and session.
type Turnstiles = Mutex<HashMap<(String, String), Arc<tokio::sync::Mutex<()>>>>;

/// What the pool is made with.
struct Settings {
    template: Template,
    root: PathBuf,
    limit: usize,
    idle_timeout: Option<Duration>,
    wait_limit: Option<Duration>,
    store: Arc<dyn SessionStore>,
    threads: Threads,
    missing: MissingThread,
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants")
            .field("root", &self.shared.settings.root)
            .field("limit", &self.shared.settings.limit)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Tenants {
    /// How a pool is made: the folder in which the tenants' folders are, and what makes
    /// the builder of a tenant's process. Its [`home`](CodexBuilder::home) is replaced by
    /// the tenant's folder.
    pub fn builder(
        root: impl Into<PathBuf>,
        template: impl Fn(&str) -> CodexBuilder + Send + Sync + 'static,
    ) -> TenantsBuilder {
        TenantsBuilder::new(root.into(), Box::new(template))
    }

    /// The tenant's process. If it does not run, it is started; those who ask for the same
    /// tenant meanwhile get the same process.
    ///
    /// If there is no room, this waits: first come, first served. Only those whose tenant
    /// has a process pass the others, since they need no room. A process that ended by
    /// itself is replaced, once it is gone.
    ///
    /// Cancel safe: who stops waiting loses the place, nothing else.
    ///
    /// # Errors
    /// - [`Error::NoRoom`] if there was none within the
    ///   [`wait_limit`](TenantsBuilder::wait_limit): tell the user to come back later.
    /// - [`Error::TenantStart`] if the process can't be started. All who waited for it get
    ///   this; the next one tries anew.
    /// - [`Error::Invalid`] if the name is empty, or too long for a folder.
    /// - [`Error::Closed`] if the pool was closed.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn acquire(&self, tenant: &str) -> Result<Lease, Error> {
        folder::name(tenant)?;
        let (waiter, mut reply) = self.shared.wait(tenant);
        // Ends the waiting when this future is dropped.
        let waiting = Waiting::new(&self.shared, waiter);
        let reply = match self.shared.settings.wait_limit {
            None => reply.await,
            Some(limit) => match tokio::time::timeout(limit, &mut reply).await {
                Ok(reply) => reply,
                Err(_) if waiting.wants_room() => {
                    return Err(Error::NoRoom { limit: self.shared.settings.limit, waited: limit });
                }
                // What is left is the start, which has a limit of its own.
                Err(_) => reply.await,
            },
        };
        reply.unwrap_or_else(|_| Err(closed()))
    }

    /// A tenant's folder, its `CODEX_HOME`. It is made when the tenant's process is first
    /// started; a program may make it before, to put a `config.toml` in.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the tenant's name is empty, or too long for a folder.
    pub fn home(&self, tenant: &str) -> Result<PathBuf, Error> {
        folder::path(&self.shared.settings.root, tenant)
    }

    /// How many processes there are, and how many wait for one.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Where the sessions' threads are kept.
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        &self.shared.settings.store
    }

    /// Ends all processes in order, also those in use, and waits until they are gone. From
    /// now on nobody gets one; those who wait get an error. Processes that are just being
    /// started are ended once they have been. May be called any number of times.
    pub async fn close(&self) {
        self.shared.close().await;
    }
}

fn closed() -> Error {
    Error::closed("the pool of tenants was closed")
}
