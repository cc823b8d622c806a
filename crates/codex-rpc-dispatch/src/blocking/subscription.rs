//! Notifications for those who asked for them.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::iter::FusedIterator;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use codex_rpc::{Notification, ServerNotification};

use super::queue::wait;
use crate::driver::{Buffer, Delivery, Overflow};
use crate::{Malformed, Routed as _};

struct Queue {
    deliveries: VecDeque<Delivery>,
    lagged: u64,
    closed: bool,
}

/// A subscription's end in the connection.
struct Sink {
    thread: Option<String>,
    buffer: Buffer,
    queue: Mutex<Queue>,
    filled: Condvar,
    freed: Condvar,
}

impl Sink {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a delivery in; waits for room if the subscription wants to be waited for.
    fn offer(&self, delivery: Delivery) {
        let mut queue = self.lock();
        while !queue.closed && queue.deliveries.len() >= self.buffer.capacity.max(1) {
            match self.buffer.overflow {
                Overflow::Wait => queue = self.freed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Overflow::DropOldest => {
                    queue.deliveries.pop_front();
                    queue.lagged += 1;
                }
            }
        }
        if !queue.closed {
            queue.deliveries.push_back(delivery);
            self.filled.notify_one();
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
        self.freed.notify_one();
    }
}

/// Notifications of a connection, a thread or a turn, in the order in which they came.
///
/// As an iterator it waits for each, and ends when the connection has ended and
/// everything was given.
pub struct Subscription {
    sink: Arc<Sink>,
    turn: Option<String>,
    table: Weak<Mutex<State>>,
}

/// Nothing was delivered in time; something may be later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotInTime;

impl fmt::Display for NotInTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was delivered in time")
    }
}

impl std::error::Error for NotInTime {}

impl Subscription {
    /// The next delivery, waited for so long; none when the connection has ended and
    /// everything was given.
    ///
    /// # Errors
    /// If there was none in time.
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<Delivery>, NotInTime> {
        self.next_until(Instant::now().checked_add(limit))
    }

    /// A delivery that is there already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.pop(&mut self.sink.lock())
    }

    /// From now on only what is about this turn, also of what waits already. So a turn
    /// can be followed whose id is known only after it was started: subscribe to its
    /// thread first.
    #[must_use]
    pub fn only_turn(mut self, turn: impl Into<String>) -> Self {
        self.turn = Some(turn.into());
        self
    }

    fn next_until(&self, deadline: Option<Instant>) -> Result<Option<Delivery>, NotInTime> {
        let mut queue = self.sink.lock();
        loop {
            if let Some(delivery) = self.pop(&mut queue) {
                return Ok(Some(delivery));
            }
            if queue.closed {
                return Ok(None);
            }
            queue = wait(&self.sink.filled, queue, deadline).ok_or(NotInTime)?;
        }
    }

    fn pop(&self, queue: &mut Queue) -> Option<Delivery> {
        loop {
            if queue.lagged > 0 {
                return Some(Delivery::Lagged(std::mem::take(&mut queue.lagged)));
            }
            let delivery = queue.deliveries.pop_front()?;
            self.sink.freed.notify_one();
            match (&delivery, &self.turn) {
                (Delivery::Notification(message), Some(turn)) if message.payload.route().turn != Some(turn) => {}
                _ => return Some(delivery),
            }
        }
    }
}

impl Iterator for Subscription {
    type Item = Delivery;

    /// The next delivery; none when the connection has ended and everything was given.
    fn next(&mut self) -> Option<Delivery> {
        self.next_until(None).unwrap_or_default()
    }
}

impl FusedIterator for Subscription {}

impl Drop for Subscription {
    fn drop(&mut self) {
        // A reader that waits for room must not wait for ever.
        self.sink.close();
        if let Some(table) = self.table.upgrade() {
            lock(&table).forget(&self.sink);
        }
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
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    closed: bool,
    all: Vec<Arc<Sink>>,
    threads: HashMap<String, Vec<Arc<Sink>>>,
}

impl State {
    fn forget(&mut self, sink: &Arc<Sink>) {
        let Some(thread) = &sink.thread else {
            self.all.retain(|other| !Arc::ptr_eq(other, sink));
            return;
        };
        if let Some(sinks) = self.threads.get_mut(thread) {
            sinks.retain(|other| !Arc::ptr_eq(other, sink));
            if sinks.is_empty() {
                self.threads.remove(thread);
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Subscriptions {
    /// Subscribes to everything, or to a thread.
    pub(super) fn subscribe(&self, thread: Option<&str>, buffer: Buffer) -> Subscription {
        let mut state = lock(&self.state);
        let queue = Queue { deliveries: VecDeque::new(), lagged: 0, closed: state.closed };
        let sink = Arc::new(Sink {
            thread: thread.map(str::to_owned),
            buffer,
            queue: Mutex::new(queue),
            filled: Condvar::new(),
            freed: Condvar::new(),
        });
        let sinks = match thread {
            Some(thread) => state.threads.entry(thread.to_owned()).or_default(),
            None => &mut state.all,
        };
        sinks.push(Arc::clone(&sink));
        Subscription { sink, turn: None, table: Arc::downgrade(&self.state) }
    }

    /// Gives a notification to those who asked; waits for those that want to be waited
    /// for.
    pub(super) fn deliver(&self, message: Notification<ServerNotification>) {
        let mut sinks = {
            let state = lock(&self.state);
            let of_thread = message.payload.route().thread.and_then(|thread| state.threads.get(thread));
            let mut sinks = state.all.clone();
            sinks.extend(of_thread.into_iter().flatten().cloned());
            sinks
        };
        let Some(last) = sinks.pop() else { return };
        let message = Arc::new(message);
        for sink in sinks {
            sink.offer(Delivery::Notification(Arc::clone(&message)));
        }
        // Whoever alone has it need not copy it.
        last.offer(Delivery::Notification(message));
    }

    /// Tells those who asked for everything about what was no message.
    pub(super) fn deliver_malformed(&self, malformed: Malformed) {
        let sinks = lock(&self.state).all.clone();
        let malformed = Arc::new(malformed);
        for sink in sinks {
            sink.offer(Delivery::Malformed(Arc::clone(&malformed)));
        }
    }

    /// Ends all subscriptions; what waits in them can still be taken.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        for sink in state.all.iter().chain(state.threads.values().flatten()) {
            sink.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_that_is_dropped_leaves_nothing_behind() {
        let subscriptions = Subscriptions::default();
        let subscribe = |thread| subscriptions.subscribe(thread, Buffer::default());
        let (all, one, two) = (subscribe(None), subscribe(Some("t")), subscribe(Some("t")));
        let sizes = || {
            let state = lock(&subscriptions.state);
            (state.all.len(), state.threads.len(), state.threads.values().flatten().count())
        };
        assert_eq!(sizes(), (1, 1, 2));
        drop(one);
        assert_eq!(sizes(), (1, 1, 1));
        drop((two, all));
        assert_eq!(sizes(), (0, 0, 0));
    }
}
