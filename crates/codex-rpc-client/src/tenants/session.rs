//! Sessions of tenants: an application's own ids, and the threads that go with them.

use std::ops::Deref;
use std::sync::{Arc, PoisonError};

use codex_rpc::types::ThreadStartParams;
use tokio::sync::Mutex;

use super::{Lease, Tenants};
use crate::thread::resuming;
use crate::{Error, Thread};

/// What becomes of a session whose thread codex does not have any more: because it was
/// deleted, or the tenant's folder was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingThread {
    /// [`Tenants::session`] fails with [`Error::ThreadNotFound`]: a history that was lost
    /// is told and not papered over. Removing the session from
    /// [`Tenants::store`] lets it begin anew.
    #[default]
    Fail,
    /// The session goes on with a new thread, which [`Session::is_new`] tells.
    StartAnew,
}

/// A session's thread, with the use of the tenant's process.
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

    #[cfg(feature = "blocking")]
    pub(crate) fn into_parts(self) -> (Thread, Lease) {
        (self.thread, self.lease)
    }
}

impl Deref for Session {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        &self.thread
    }
}

impl Tenants {
    /// The thread of a tenant's session: the one that the
    /// [store](crate::TenantsBuilder::store) has, resumed where the process does not know
    /// it yet, or a new one, which is put there.
    ///
    /// Any number of calls for one session, here or in another program with the same
    /// store, lead to one thread. A new thread gets the session's id as its
    /// [name](Thread::set_name): codex keeps nothing of a thread that has neither a name
    /// nor a turn.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire); [`Error::ThreadNotFound`], see [`MissingThread`];
    /// [`Error::Store`]; [`Error::Invalid`] if the threads are to be ephemeral, since
    /// those can't be resumed; and what the server says.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn session(&self, tenant: &str, session: &str) -> Result<Session, Error> {
        // Boxed: params and answers are large.
        Box::pin(self.find(tenant, session)).await
    }

    async fn find(&self, tenant: &str, session: &str) -> Result<Session, Error> {
        let settings = &self.shared.settings;
        let params = (settings.threads)(tenant, session);
        if params.ephemeral == Some(true) {
            let reason = "they are ephemeral, and a session's thread must last";
            return Err(Error::invalid("the params of the threads of sessions", reason, ""));
        }
        let lease = self.acquire(tenant).await?;
        // Who comes first makes the thread; the others find it.
        let turnstile = Turnstile::new(self, tenant, session);
        let _turn = turnstile.lock.lock().await;
        let done = |thread, lease, new| Ok(Session { thread, lease, id: session.to_owned(), new });
        loop {
            let stored = settings.store.get(tenant, session).await?;
            if let Some(id) = &stored {
                match go_on(&lease, id, &params).await {
                    Err(Error::ThreadNotFound(_)) if settings.missing == MissingThread::StartAnew => {
                        tracing::warn!(tenant, session, thread = %id, "a session's thread is gone; it gets a new one");
                    }
                    outcome => return done(outcome?, lease, false),
                }
            }
            let thread = begin(&lease, session, params.clone()).await?;
            let kept = settings.store.put(tenant, session, stored.as_deref(), thread.id()).await;
            if kept.as_ref().is_ok_and(|kept| kept.as_deref() == Some(thread.id())) {
                return done(thread, lease, true);
            }
            // Another program was faster, or nothing was kept: nobody will find this one.
            if let Err(error) = thread.delete().await {
                tracing::warn!(tenant, thread = thread.id(), %error, "a thread that nobody needs can't be deleted");
            }
            kept?;
        }
    }
}

async fn begin(lease: &Lease, session: &str, params: ThreadStartParams) -> Result<Thread, Error> {
    let thread = lease.start_thread(params).await?;
    thread.set_name(session).await?;
    Ok(thread)
}

async fn go_on(lease: &Lease, id: &str, params: &ThreadStartParams) -> Result<Thread, Error> {
    // A handle of it means that this process has it.
    if lease.inner.hub.followed().iter().any(|turns| turns.thread == id) {
        return Ok(Thread::new((**lease).clone(), id));
    }
    let mut params = resuming(params);
    id.clone_into(&mut params.thread_id);
    params.exclude_turns = Some(true);
    lease.resume_thread(params).await
}

/// Lets one through at a time, for each session.
struct Turnstile<'a> {
    tenants: &'a Tenants,
    key: (String, String),
    lock: Arc<Mutex<()>>,
}

impl<'a> Turnstile<'a> {
    fn new(tenants: &'a Tenants, tenant: &str, session: &str) -> Self {
        let key = (tenant.to_owned(), session.to_owned());
        let mut all = tenants.shared.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = all.entry(key.clone()).or_default();
        Self { tenants, lock: Arc::clone(lock), key }
    }
}

impl Drop for Turnstile<'_> {
    fn drop(&mut self) {
        let mut all = self.tenants.shared.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's and this one: nobody else waits.
        if Arc::strong_count(&self.lock) == 2 {
            all.remove(&self.key);
        }
    }
}
