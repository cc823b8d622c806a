//! How a pool is made.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use codex_rpc::types::ThreadStartParams;

use super::session::MissingThread;
use super::shared::Shared;
use super::{Settings, Template, Tenants};
use crate::store::{MemoryStore, SessionStore};

/// Makes pools: [`Tenants::builder`].
#[must_use]
pub struct TenantsBuilder {
    settings: Settings,
}

impl fmt::Debug for TenantsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantsBuilder")
            .field("root", &self.settings.root)
            .field("limit", &self.settings.limit)
            .field("idle_timeout", &self.settings.idle_timeout)
            .field("wait_limit", &self.settings.wait_limit)
            .finish_non_exhaustive()
    }
}

impl TenantsBuilder {
    pub(super) fn new(root: PathBuf, template: Template) -> Self {
        let settings = Settings {
            template,
            root,
            limit: 16,
            idle_timeout: Some(Duration::from_secs(600)),
            wait_limit: Some(Duration::from_secs(30)),
            store: Arc::new(MemoryStore::new()),
            threads: Box::new(|_, _| ThreadStartParams::new()),
            missing: MissingThread::default(),
        };
        Self { settings }
    }

    /// How many processes there may be at a time, those included that are being started
    /// and ended; at least one. Default: 16.
    pub fn limit(mut self, processes: usize) -> Self {
        self.settings.limit = processes.max(1);
        self
    }

    /// How long a process is kept that nobody uses; none is until its room is needed.
    /// Default: 10 minutes.
    pub fn idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// How long [`Tenants::acquire`] waits for room; none is for ever. The time in which
    /// the process is started does not count: see
    /// [`CodexBuilder::start_limit`](crate::CodexBuilder::start_limit). Default: 30 s.
    pub fn wait_limit(mut self, limit: Option<Duration>) -> Self {
        self.settings.wait_limit = limit;
        self
    }

    /// Where it is kept which thread a session has. Default: a [`MemoryStore`], which
    /// forgets it with this program.
    pub fn store(mut self, store: impl SessionStore + 'static) -> Self {
        self.settings.store = Arc::new(store);
        self
    }

    /// What the thread of a session is started with, and resumed with: by tenant and
    /// session. Default: nothing but codex's configuration.
    pub fn threads(mut self, params: impl Fn(&str, &str) -> ThreadStartParams + Send + Sync + 'static) -> Self {
        self.settings.threads = Box::new(params);
        self
    }

    /// What becomes of a session whose thread codex does not have any more. Default:
    /// [`MissingThread::Fail`].
    pub fn missing_thread(mut self, missing: MissingThread) -> Self {
        self.settings.missing = missing;
        self
    }

    /// Makes the pool. Nothing is started.
    pub fn build(self) -> Tenants {
        Tenants { shared: Arc::new(Shared::new(self.settings)) }
    }
}
