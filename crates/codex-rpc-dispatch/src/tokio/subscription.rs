//! Notifications for those who asked for them.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codex_rpc::{Notification, ServerNotification};
use tokio::sync::Notify;

use crate::driver::{Buffer, Delivery, Overflow};
use crate::{Malformed, Routed as _};

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
    thread: Option<String>,
    turn: Option<String>,
    subscriptions: Subscriptions,
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
        self.subscriptions.forget(self.thread.as_deref(), &self.sink);
        // A reader that waits for room must not wait for ever.
        self.sink.close();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("buffer", &self.sink.buffer)
            .field("thread", &self.thread)
            .field("turn", &self.turn)
            .field("waiting", &self.sink.lock().deliveries.len())
            .finish_non_exhaustive()
    }
}

/// All subscriptions of a connection.
#[derive(Clone, Default)]
pub(super) struct Subscriptions {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    closed: bool,
    all: Vec<Arc<Sink>>,
    threads: HashMap<String, Vec<Arc<Sink>>>,
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
        sinks.push(Arc::clone(&sink));
        Subscription { sink, thread: thread.map(str::to_owned), turn: None, subscriptions: self.clone() }
    }

    fn forget(&self, thread: Option<&str>, sink: &Arc<Sink>) {
        let mut state = self.lock();
        let Some(thread) = thread else {
            state.all.retain(|other| !Arc::ptr_eq(other, sink));
            return;
        };
        if let Some(sinks) = state.threads.get_mut(thread) {
            sinks.retain(|other| !Arc::ptr_eq(other, sink));
            if sinks.is_empty() {
                state.threads.remove(thread);
            }
        }
    }

    /// Gives a notification to those who asked; waits for those that want to be waited
    /// for.
    pub(super) async fn deliver(&self, message: Notification<ServerNotification>) {
        let mut sinks = {
            let state = self.lock();
            let thread = message.payload.route().thread;
            let of_thread = thread.and_then(|thread| state.threads.get(thread));
            let sinks: Vec<Arc<Sink>> = state.all.iter().chain(of_thread.into_iter().flatten()).cloned().collect();
            sinks
        };
        let Some(last) = sinks.pop() else { return };
        let message = Arc::new(message);
        for sink in sinks {
            offer(&sink, Delivery::Notification(Arc::clone(&message))).await;
        }
        // Whoever alone has it need not copy it.
        offer(&last, Delivery::Notification(message)).await;
    }

    /// Tells those who asked for everything about what was no message.
    pub(super) async fn deliver_malformed(&self, malformed: Malformed) {
        let sinks = self.lock().all.clone();
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
        for sink in all.iter().chain(threads.values().flatten()) {
            sink.close();
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{Buffer, Subscriptions};

    #[test]
    fn subscriptions_that_were_dropped_are_forgotten() {
        let subscriptions = Subscriptions::default();
        let held =
            (subscriptions.subscribe(None, Buffer::default()), subscriptions.subscribe(Some("0"), Buffer::default()));
        for n in 0..10_000 {
            drop(subscriptions.subscribe(None, Buffer::default()));
            drop(subscriptions.subscribe(Some(&n.to_string()), Buffer::default()));
        }
        let state = subscriptions.lock();
        assert_eq!((state.all.len(), state.threads.len()), (1, 1), "those that are held");
        drop(state);
        drop(held);
        let state = subscriptions.lock();
        assert_eq!((state.all.len(), state.threads.len()), (0, 0));
    }
}
