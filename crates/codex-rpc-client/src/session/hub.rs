//! What the server tells, to those whom it concerns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use codex_rpc::types::{FileUpdateChange, ThreadItem};
use codex_rpc::{Notification, ServerNotification};
use codex_rpc_dispatch::Routed as _;
use codex_rpc_dispatch::tokio::{Delivery, Subscription};
use tokio::sync::{mpsc, oneshot};

use super::turns::Turns;
use crate::tools::Tools;
use crate::turn::Lost;

/// Threads that this session has handles of, and what is known about all.
#[derive(Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    threads: HashMap<String, Weak<Turns>>,
    tools: HashMap<String, Arc<Tools>>,
    /// What running file changes would change, by thread and item: the request for
    /// approval does not say it.
    changes: HashMap<String, HashMap<String, Vec<FileUpdateChange>>>,
    /// How many requests of the server wait for their answers, by thread.
    asking: HashMap<String, usize>,
}

/// Asks that everything which came before is taken in.
pub(crate) type Flush = oneshot::Sender<()>;

impl Hub {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes notifications in until the connection ends.
    pub(crate) async fn pump(&self, mut told: Subscription, mut flushes: mpsc::Receiver<Flush>) {
        loop {
            tokio::select! {
                biased;
                Some(done) = flushes.recv() => {
                    while let Some(delivery) = told.try_next() {
                        self.deliver(delivery);
                    }
                    let _ = done.send(());
                }
                delivery = told.next() => match delivery {
                    Some(delivery) => self.deliver(delivery),
                    None => return,
                },
            }
        }
    }

    fn deliver(&self, delivery: Delivery) {
        match delivery {
            Delivery::Notification(message) => self.take(message),
            Delivery::Malformed(malformed) => {
                tracing::warn!(method = malformed.method.as_deref(), reason = %malformed.reason, "a malformed message");
            }
            // Its buffer makes the connection wait, so this one does not lag.
            _ => {}
        }
    }

    fn take(&self, message: Arc<Notification<ServerNotification>>) {
        self.remember(&message.payload);
        let route = message.payload.route();
        let Some(thread) = route.thread else { return };
        let turns = self.lock().threads.get(thread).and_then(Weak::upgrade);
        if let Some(turns) = turns {
            let turn = route.turn.map(str::to_owned);
            turns.take(turn.as_deref(), message);
        }
    }

    /// Keeps what a later request will be about.
    fn remember(&self, notification: &ServerNotification) {
        match notification {
            ServerNotification::ItemStarted(started) => {
                if let ThreadItem::FileChange(change) = &started.item {
                    let mut state = self.lock();
                    let items = state.changes.entry(started.thread_id.clone()).or_default();
                    items.insert(change.id.clone(), change.changes.clone());
                }
            }
            ServerNotification::ItemFileChangePatchUpdated(updated) => {
                let mut state = self.lock();
                let items = state.changes.entry(updated.thread_id.clone()).or_default();
                items.insert(updated.item_id.clone(), updated.changes.clone());
            }
            ServerNotification::ItemCompleted(completed) => {
                if let ThreadItem::FileChange(change) = &completed.item {
                    if let Some(items) = self.lock().changes.get_mut(&completed.thread_id) {
                        items.remove(&change.id);
                    }
                }
            }
            ServerNotification::TurnCompleted(completed) => {
                self.lock().changes.remove(&completed.thread_id);
            }
            ServerNotification::ThreadClosed(closed) => {
                self.lock().changes.remove(&closed.thread_id);
            }
            _ => {}
        }
    }

    /// What a file change that waits for approval would change.
    pub(crate) fn changes(&self, thread: &str, item: &str) -> Option<Vec<FileUpdateChange>> {
        self.lock().changes.get(thread)?.get(item).cloned()
    }

    /// The turns of a thread: those that are followed already, or new.
    pub(crate) fn turns(self: &Arc<Self>, thread: &str, log: usize) -> Arc<Turns> {
        let mut state = self.lock();
        if let Some(turns) = state.threads.get(thread).and_then(Weak::upgrade) {
            return turns;
        }
        let turns = Turns::new(thread, Arc::downgrade(self), log);
        state.threads.insert(thread.to_owned(), Arc::downgrade(&turns));
        turns
    }

    /// Forgets a thread that nobody has a handle of any more.
    pub(super) fn forget(&self, thread: &str) {
        let mut state = self.lock();
        // It may be followed anew already.
        if state.threads.get(thread).is_some_and(|turns| turns.strong_count() == 0) {
            state.threads.remove(thread);
            state.tools.remove(thread);
        }
    }

    /// The threads that somebody has a handle of.
    pub(crate) fn followed(&self) -> Vec<Arc<Turns>> {
        self.lock().threads.values().filter_map(Weak::upgrade).collect()
    }

    /// The connection has ended: so have its turns.
    pub(crate) fn lose(&self, lost: &Lost) {
        let followed = self.followed();
        let mut state = self.lock();
        state.changes.clear();
        state.asking.clear();
        drop(state);
        for turns in followed {
            turns.lose(lost);
        }
    }

    pub(crate) fn set_tools(&self, thread: &str, tools: Arc<Tools>) {
        self.lock().tools.insert(thread.to_owned(), tools);
    }

    pub(crate) fn tools(&self, thread: &str) -> Option<Arc<Tools>> {
        self.lock().tools.get(thread).cloned()
    }

    /// The server asks something about a thread; until the guard is dropped.
    pub(crate) fn asking(self: &Arc<Self>, thread: Option<&str>) -> Asking {
        if let Some(thread) = thread {
            *self.lock().asking.entry(thread.to_owned()).or_default() += 1;
        }
        Asking { hub: Arc::clone(self), thread: thread.map(str::to_owned) }
    }

    /// Whether the server waits for an answer about a thread.
    pub(crate) fn is_asking(&self, thread: &str) -> bool {
        self.lock().asking.contains_key(thread)
    }
}

/// A request of the server that is being answered.
pub(crate) struct Asking {
    hub: Arc<Hub>,
    thread: Option<String>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let Some(thread) = &self.thread else { return };
        let mut state = self.hub.lock();
        if let Some(count) = state.asking.get_mut(thread) {
            *count -= 1;
            if *count == 0 {
                state.asking.remove(thread);
            }
        }
    }
}
