//! Notifications for those who asked for them.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use codex_rpc::{Notification, ServerNotification};
use tokio::sync::Notify;

use crate::{Malformed, Routed as _};

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

struct Queue {
    deliveries: VecDeque<Delivery>,
    lagged: u64,
    closed: bool,
}

/// A subscription's end in the connection.
struct Sink {
    buffer: Buffer,
    queue: Mutex<Queue>,
    filled: Notify,
    freed: Notify,
}

impl Sink {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a delivery in; gives it back if there is no room and the sender must wait.
    fn offer(&self, delivery: Delivery) -> Result<(), Delivery> {
        let mut queue = self.lock();
        if queue.deliveries.len() >= self.buffer.capacity.max(1) {
            match self.buffer.overflow {
                Overflow::Wait => return Err(delivery),
                Overflow::DropOldest => {
                    queue.deliveries.pop_front();
                    queue.lagged += 1;
                }
            }
        }
        queue.deliveries.push_back(delivery);
        drop(queue);
        self.filled.notify_one();
        Ok(())
    }

    fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
        self.freed.notify_one();
    }
}

/// Notifications of a connection, a thread or a turn, in the order in which they came.
pub struct Subscription {
    sink: Arc<Sink>,
    turn: Option<String>,
}

impl Subscription {
    /// The next delivery; none when the connection has ended and everything was given.
    ///
    /// Cancel safe: a delivery is not lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Delivery> {
        let sink = Arc::clone(&self.sink);
        loop {
            let filled = sink.filled.notified();
            if let Some(delivery) = self.try_next() {
                return Some(delivery);
            }
            if sink.lock().closed {
                return self.try_next();
            }
            filled.await;
        }
    }

    /// A delivery that is there already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        loop {
            let mut queue = self.sink.lock();
            if queue.lagged > 0 {
                return Some(Delivery::Lagged(std::mem::take(&mut queue.lagged)));
            }
            let delivery = queue.deliveries.pop_front()?;
            drop(queue);
            self.sink.freed.notify_one();
            match (&delivery, &self.turn) {
                (Delivery::Notification(message), Some(turn)) if message.payload.route().turn != Some(turn) => {}
                _ => return Some(delivery),
            }
        }
    }

    /// From now on only what is about this turn, also of what waits already. So a turn
    /// can be followed whose id is known only after it was started: subscribe to its
    /// thread first.
    #[must_use]
    pub fn only_turn(mut self, turn: impl Into<String>) -> Self {
        self.turn = Some(turn.into());
        self
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // A reader that waits for room must not wait for ever.
        self.sink.close();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("buffer", &self.sink.buffer)
            .field("turn", &self.turn)
            .field("waiting", &self.sink.lock().deliveries.len())
            .finish_non_exhaustive()
    }
}

/// All subscriptions of a connection.
#[derive(Default)]
pub(super) struct Subscriptions {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    all: Vec<Weak<Sink>>,
    threads: HashMap<String, Vec<Weak<Sink>>>,
}

impl Subscriptions {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes to everything, or to a thread.
    pub(super) fn subscribe(&self, thread: Option<&str>, buffer: Buffer) -> Subscription {
        let mut state = self.lock();
        let queue = Queue { deliveries: VecDeque::new(), lagged: 0, closed: state.closed };
        let sink = Arc::new(Sink { buffer, queue: Mutex::new(queue), filled: Notify::new(), freed: Notify::new() });
        let sinks = match thread {
            Some(thread) => state.threads.entry(thread.to_owned()).or_default(),
            None => &mut state.all,
        };
        sinks.retain(|sink| sink.strong_count() > 0);
        sinks.push(Arc::downgrade(&sink));
        Subscription { sink, turn: None }
    }

    /// Gives a notification to those who asked; waits for those that want to be waited
    /// for.
    pub(super) async fn deliver(&self, message: Notification<ServerNotification>) {
        let sinks = {
            let mut state = self.lock();
            let thread = message.payload.route().thread;
            let of_thread = match thread {
                Some(thread) if state.threads.contains_key(thread) => {
                    let alive = state.threads.get_mut(thread).map(living).unwrap_or_default();
                    if alive.is_empty() {
                        state.threads.remove(thread);
                    }
                    alive
                }
                _ => Vec::new(),
            };
            let mut sinks = living(&mut state.all);
            sinks.extend(of_thread);
            sinks
        };
        if sinks.is_empty() {
            return;
        }
        let message = Arc::new(message);
        for sink in sinks {
            offer(&sink, Delivery::Notification(Arc::clone(&message))).await;
        }
    }

    /// Tells those who asked for everything about what was no message.
    pub(super) async fn deliver_malformed(&self, malformed: Malformed) {
        let sinks = living(&mut self.lock().all);
        let malformed = Arc::new(malformed);
        for sink in sinks {
            offer(&sink, Delivery::Malformed(Arc::clone(&malformed))).await;
        }
    }

    /// Ends all subscriptions; what waits in them can still be taken.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let State { all, threads, .. } = &mut *state;
        for sink in all.iter().chain(threads.values().flatten()).filter_map(Weak::upgrade) {
            sink.close();
        }
    }
}

fn living(sinks: &mut Vec<Weak<Sink>>) -> Vec<Arc<Sink>> {
    let living: Vec<Arc<Sink>> = sinks.iter().filter_map(Weak::upgrade).collect();
    if living.len() < sinks.len() {
        sinks.retain(|sink| sink.strong_count() > 0);
    }
    living
}

async fn offer(sink: &Sink, mut delivery: Delivery) {
    loop {
        let freed = sink.freed.notified();
        match sink.offer(delivery) {
            Ok(()) => return,
            Err(back) => delivery = back,
        }
        if sink.lock().closed {
            return;
        }
        freed.await;
    }
}
