//! The notifications of a turn, for any number of readers.
//!
//! Each reader has a place of its own in one log, so that whoever comes late reads from
//! the beginning, and whoever is slow keeps nobody waiting. The log is bounded; what a
//! reader was too slow for is told as a number.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use codex_rpc::{Notification, ServerNotification};

/// What a turn's stream gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TurnEvent {
    /// A notification of the turn.
    Notification(Arc<Notification<ServerNotification>>),
    /// So many notifications were missed here, because more came than are kept. The
    /// result misses nothing.
    Lagged(u64),
}

impl TurnEvent {
    /// The notification, if it is one.
    pub fn notification(&self) -> Option<&ServerNotification> {
        match self {
            Self::Notification(message) => Some(&message.payload),
            Self::Lagged(_) => None,
        }
    }

    /// A piece of what the model says, if it is one.
    pub fn text_delta(&self) -> Option<&str> {
        match self.notification()? {
            ServerNotification::ItemAgentMessageDelta(delta) => Some(&delta.delta),
            _ => None,
        }
    }

    /// The item that was completed, if it tells one.
    pub fn completed_item(&self) -> Option<&codex_rpc::types::ThreadItem> {
        match self.notification()? {
            ServerNotification::ItemCompleted(completed) => Some(&completed.item),
            _ => None,
        }
    }
}

pub(super) struct Log {
    state: Mutex<State>,
    capacity: usize,
}

struct State {
    kept: VecDeque<Arc<Notification<ServerNotification>>>,
    /// How many came before what is kept.
    gone: u64,
    closed: bool,
    waiting: Vec<Waker>,
}

impl Log {
    /// A log that keeps so many notifications; at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { kept: VecDeque::new(), gone: 0, closed: false, waiting: Vec::new() };
        Self { state: Mutex::new(state), capacity: capacity.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, message: Arc<Notification<ServerNotification>>) {
        let mut state = self.lock();
        if state.kept.len() == self.capacity {
            state.kept.pop_front();
            state.gone += 1;
        }
        state.kept.push_back(message);
        wake(state);
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        wake(state);
    }

    /// What is at the reader's place, from 0; none at the end of a log that was closed.
    pub(super) fn poll(&self, place: &mut u64, context: &Context<'_>) -> Poll<Option<TurnEvent>> {
        let mut state = self.lock();
        if *place < state.gone {
            let missed = state.gone - *place;
            *place = state.gone;
            return Poll::Ready(Some(TurnEvent::Lagged(missed)));
        }
        let index = usize::try_from(*place - state.gone).unwrap_or(usize::MAX);
        if let Some(message) = state.kept.get(index) {
            *place += 1;
            return Poll::Ready(Some(TurnEvent::Notification(Arc::clone(message))));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

/// Wakes readers, without the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waiting = std::mem::take(&mut state.waiting);
    drop(state);
    waiting.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use codex_rpc::{Notification, ServerNotification};

    use super::{Log, TurnEvent};

    fn delta(text: &str) -> Arc<Notification<ServerNotification>> {
        let delta = codex_rpc::types::AgentMessageDeltaNotification::new("t", "u", "i", text);
        Arc::new(Notification::new(ServerNotification::ItemAgentMessageDelta(delta)))
    }

    fn read(log: &Log, place: &mut u64) -> Vec<String> {
        let context = Context::from_waker(Waker::noop());
        let mut all = Vec::new();
        loop {
            match log.poll(place, &context) {
                Poll::Ready(Some(TurnEvent::Lagged(missed))) => all.push(format!("-{missed}")),
                Poll::Ready(Some(event)) => all.push(event.text_delta().unwrap_or_default().to_owned()),
                Poll::Ready(None) => {
                    all.push("end".to_owned());
                    return all;
                }
                Poll::Pending => return all,
            }
        }
    }

    #[test]
    fn every_reader_reads_from_the_beginning_at_its_own_pace() {
        let log = Log::new(10);
        log.push(delta("a"));
        let (mut first, mut second) = (0, 0);
        assert_eq!(read(&log, &mut first), ["a"]);
        log.push(delta("b"));
        assert_eq!(read(&log, &mut first), ["b"]);
        log.close();
        assert_eq!(read(&log, &mut second), ["a", "b", "end"]);
        assert_eq!(read(&log, &mut first), ["end"]);
        assert_eq!(read(&log, &mut first), ["end"], "the end stays the end");
    }

    #[test]
    fn a_reader_that_is_too_slow_learns_how_much_it_missed() {
        let log = Log::new(2);
        let mut place = 0;
        for text in ["a", "b", "c"] {
            log.push(delta(text));
        }
        assert_eq!(read(&log, &mut place), ["-1", "b", "c"]);
        for text in ["d", "e", "f", "g"] {
            log.push(delta(text));
        }
        log.close();
        assert_eq!(read(&log, &mut place), ["-2", "f", "g", "end"]);
    }
}
