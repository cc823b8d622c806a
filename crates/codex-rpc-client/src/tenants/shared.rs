//! How it is done what the pool decides.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::lease::Lease;
use super::pool::{Place, Pool, Stats, Step};
use super::{Settings, Turnstiles, closed, folder};
use crate::{Codex, Error};

type Reply = Result<Lease, Error>;

pub(super) struct Shared {
    pub(super) settings: Arc<Settings>,
    pub(super) turnstiles: Turnstiles,
    state: Mutex<State>,
    /// How many processes there are.
    processes: watch::Sender<usize>,
    /// Leases may be dropped outside of it.
    runtime: OnceLock<Handle>,
}

struct State {
    pool: Pool<Codex>,
    /// Where the waiters listen.
    replies: HashMap<u64, oneshot::Sender<Reply>>,
    /// What starts, watches or ends a process.
    tasks: HashMap<Place, Task>,
    /// What waits for the end of the idle time: nothing is awake where nothing is idle.
    timers: HashMap<Place, Task>,
}

/// A task that ends with this.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let pool = Pool::new(settings.limit);
        Self {
            settings: Arc::new(settings),
            turnstiles: Turnstiles::default(),
            state: Mutex::new(State { pool, replies: HashMap::new(), tasks: HashMap::new(), timers: HashMap::new() }),
            processes: watch::Sender::new(0),
            runtime: OnceLock::new(),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).pool.stats()
    }

    /// Waits in the queue: the number of the waiter, and where the answer comes.
    pub(super) fn wait(self: &Arc<Self>, tenant: &str) -> (u64, oneshot::Receiver<Reply>) {
        self.runtime.get_or_init(Handle::current);
        let (reply, replied) = oneshot::channel();
        let mut waiter = 0;
        let enter = |state: &mut State| {
            // Its watcher may not have told yet.
            let mut steps = match state.pool.running(tenant) {
                Some((place, codex)) if codex.has_ended() => state.pool.died(&place),
                _ => Vec::new(),
            };
            let (id, more) = state.pool.acquire(tenant);
            waiter = id;
            state.replies.insert(id, reply);
            steps.extend(more);
            steps
        };
        self.act(enter, closed);
        (waiter, replied)
    }

    /// Does what the pool decides.
    pub(super) fn take(self: &Arc<Self>, decide: impl FnOnce(&mut Pool<Codex>) -> Vec<Step<Codex>>) {
        self.act(|state| decide(&mut state.pool), closed);
    }

    /// Does what the pool decides; those it refuses get this error.
    fn act(self: &Arc<Self>, decide: impl FnOnce(&mut State) -> Vec<Step<Codex>>, refusal: impl Fn() -> Error) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = decide(&mut state);
        let replies = self.perform(&mut state, steps, &refusal);
        let processes = state.pool.len();
        self.processes.send_if_modified(|count| std::mem::replace(count, processes) != processes);
        drop(state);
        // Not under the lock: a lease that nobody takes comes back here.
        for (reply, outcome) in replies {
            let _ = reply.map(|reply| reply.send(outcome));
        }
    }

    /// The replies that are to be sent.
    fn perform(
        self: &Arc<Self>,
        state: &mut State,
        steps: Vec<Step<Codex>>,
        refusal: &dyn Fn() -> Error,
    ) -> Vec<(Option<oneshot::Sender<Reply>>, Reply)> {
        let mut replies = Vec::new();
        for step in steps {
            match step {
                Step::Grant { waiter, place, process } => {
                    state.timers.remove(&place);
                    let lease = Lease::new(process, place, Arc::downgrade(self));
                    replies.push((state.replies.remove(&waiter), Ok(lease)));
                }
                Step::Refuse { waiter } => replies.push((state.replies.remove(&waiter), Err(refusal()))),
                Step::Start(place) => {
                    let starting = Starting { shared: Arc::downgrade(self), place: place.clone(), told: false };
                    let task = self.spawn(starting.run(Arc::clone(&self.settings)));
                    state.tasks.insert(place, task);
                }
                Step::Idle { place, used } => {
                    let Some(timeout) = self.settings.idle_timeout else { continue };
                    let deadline = Instant::now() + timeout;
                    let timer = self.spawn(expire(Arc::downgrade(self), place.clone(), used, deadline));
                    state.timers.insert(place, timer);
                }
                Step::End { place, process } => {
                    state.timers.remove(&place);
                    let task = self.spawn(end(Arc::downgrade(self), place.clone(), process));
                    state.tasks.insert(place, task);
                }
            }
        }
        replies
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Task {
        Task(self.runtime.get_or_init(Handle::current).spawn(future))
    }

    pub(super) async fn close(self: &Arc<Self>) {
        self.take(Pool::close);
        // The sender is held here.
        let _ = self.processes.subscribe().wait_for(|processes| *processes == 0).await;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Outside of the lock, and before the processes: nothing reports any more.
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.timers.clear();
        state.tasks.clear();
    }
}

/// A place in the queue, which is left when this is dropped.
pub(super) struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    waiter: u64,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>, waiter: u64) -> Self {
        Self { shared, waiter }
    }

    /// Whether there is no room yet.
    pub(super) fn wants_room(&self) -> bool {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).pool.wants_room(self.waiter)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.act(
            |state| {
                // One that was answered has left the queue already.
                match state.replies.remove(&self.waiter) {
                    Some(_) => state.pool.give_up(self.waiter),
                    None => Vec::new(),
                }
            },
            closed,
        );
    }
}

async fn expire(shared: Weak<Shared>, place: Place, used: u64, deadline: Instant) {
    tokio::time::sleep_until(deadline).await;
    if let Some(shared) = shared.upgrade() {
        shared.take(|pool| pool.expired(&place, used));
    }
}

async fn end(shared: Weak<Shared>, place: Place, process: Codex) {
    process.close().await;
    drop(process);
    let Some(shared) = shared.upgrade() else { return };
    let gone = |state: &mut State| {
        state.tasks.remove(&place);
        state.pool.gone(&place)
    };
    shared.act(gone, closed);
}

/// A process that is being started.
struct Starting {
    shared: Weak<Shared>,
    place: Place,
    told: bool,
}

impl Starting {
    /// Starts the process, and waits for its end.
    async fn run(mut self, settings: Arc<Settings>) {
        let started = start_process(&settings, &self.place.tenant).await;
        drop(settings);
        let codex = match started {
            Ok(codex) => codex,
            Err(error) => return self.fail(error),
        };
        self.told = true;
        let Some(shared) = self.shared.upgrade() else { return };
        shared.take(|pool| pool.started(&self.place, codex.clone()));
        drop(shared);
        codex.ended().await;
        drop(codex);
        if let Some(shared) = self.shared.upgrade() {
            shared.take(|pool| pool.died(&self.place));
        }
    }

    fn fail(&mut self, error: Error) {
        self.told = true;
        let Some(shared) = self.shared.upgrade() else { return };
        let error = Arc::new(error);
        let failed = |state: &mut State| {
            state.tasks.remove(&self.place);
            state.pool.failed(&self.place)
        };
        shared.act(failed, || Error::TenantStart { tenant: self.place.tenant.clone(), error: Arc::clone(&error) });
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if !self.told {
            self.fail(Error::closed("the start was given up: the template panicked, or the runtime was shut down"));
        }
    }
}

async fn start_process(settings: &Settings, tenant: &str) -> Result<Codex, Error> {
    let home = folder::path(&settings.root, tenant)?;
    let made = home.clone();
    let outcome = tokio::task::spawn_blocking(move || folder::make(&made)).await;
    outcome
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|error| Error::Io { what: format!("the tenant's folder `{}`", home.display()), error })?;
    (settings.template)(tenant).home(home).start().await
}
