//! What waits to be written.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Messages on their way to the writing thread, in order. What the client says waits for
/// room; an answer to the server never does, or a server that reads nothing until it is
/// read from would stop the connection.
pub(super) struct Queue {
    state: Mutex<State>,
    capacity: usize,
    /// There is something to write.
    filled: Condvar,
    /// There is room.
    freed: Condvar,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Vec<u8>>,
    /// How many places are taken by messages that are still being encoded.
    reserved: usize,
    /// The transport has something of its own to write.
    nudged: bool,
    /// Nothing more will come.
    finishing: bool,
    closed: bool,
}

impl State {
    fn is_open(&self) -> bool {
        !self.finishing && !self.closed
    }
}

/// Why there is no room in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    InTime,
    Ever,
}

/// What the writing thread does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Write what was taken.
    Write,
    /// Write what was taken, and nothing more.
    Finish,
    /// Nothing: the connection has ended.
    Stop,
}

/// A place in the queue.
pub(super) struct Room<'a>(&'a Queue);

impl Room<'_> {
    pub(super) fn send(self, frame: Vec<u8>) {
        self.0.push(frame);
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.lock().reserved -= 1;
        self.0.freed.notify_one();
        self.0.filled.notify_one();
    }
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), capacity, filled: Condvar::new(), freed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub(super) fn reserve(&self, deadline: Option<Instant>) -> Result<Room<'_>, NoRoom> {
        let mut state = self.lock();
        while state.is_open() && state.frames.len() + state.reserved >= self.capacity {
            state = wait(&self.freed, state, deadline).ok_or(NoRoom::InTime)?;
        }
        if !state.is_open() {
            return Err(NoRoom::Ever);
        }
        state.reserved += 1;
        Ok(Room(self))
    }

    /// Queues a message whether there is room or not.
    pub(super) fn push(&self, frame: Vec<u8>) {
        let mut state = self.lock();
        if !state.closed {
            state.frames.push_back(frame);
            self.filled.notify_one();
        }
    }

    /// Has the transport write what it has of its own.
    #[cfg(feature = "websocket")]
    pub(super) fn nudge(&self) {
        self.lock().nudged = true;
        self.filled.notify_one();
    }

    /// Has what is queued written, and nothing after it.
    pub(super) fn finish(&self) {
        self.lock().finishing = true;
        self.filled.notify_one();
        self.freed.notify_all();
    }

    /// Drops what is queued.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.frames.clear();
        self.filled.notify_one();
        self.freed.notify_all();
    }

    /// Waits for something to write and takes it.
    pub(super) fn take(&self, batch: &mut Vec<Vec<u8>>) -> Next {
        /// As many as are written with one call.
        const BATCH: usize = 64;
        let mut state = self.lock();
        loop {
            if state.closed {
                return Next::Stop;
            }
            let finished = state.finishing && state.reserved == 0;
            if !state.frames.is_empty() || state.nudged || finished {
                break;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.nudged = false;
        let count = state.frames.len().min(BATCH);
        batch.extend(state.frames.drain(..count));
        self.freed.notify_all();
        if state.finishing && state.frames.is_empty() && state.reserved == 0 { Next::Finish } else { Next::Write }
    }
}

/// Waits once; none if the time is over. It may have been for nothing.
pub(super) fn wait<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> Option<MutexGuard<'a, T>> {
    let Some(deadline) = deadline else {
        return Some(condition.wait(guard).unwrap_or_else(PoisonError::into_inner));
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return None;
    }
    Some(condition.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0)
}
