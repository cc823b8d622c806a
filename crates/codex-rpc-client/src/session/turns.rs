//! The turns of a thread that somebody has a handle of.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use codex_rpc::types::ThreadResumeParams;
use codex_rpc::{Notification, ServerNotification};
use tokio::sync::mpsc;

use super::hub::Hub;
use crate::turn::{Lost, TurnState};

pub(crate) struct Turns {
    pub(crate) thread: String,
    hub: Weak<Hub>,
    /// How many notifications of a turn are kept.
    log: usize,
    state: Mutex<State>,
    /// How the thread is resumed in a new process; none if it can't be.
    resume: Mutex<Option<ThreadResumeParams>>,
}

#[derive(Default)]
struct State {
    /// Turns that run, and while some are being started also those that ended since: a
    /// turn may be told, and even end, before the answer that names it.
    turns: HashMap<String, Arc<TurnState>>,
    starting: usize,
    /// The last that ended: what is told of them later makes no new ones.
    ended: VecDeque<String>,
    observers: Vec<mpsc::UnboundedSender<Arc<TurnState>>>,
}

/// How many turns that ended are remembered.
const REMEMBERED: usize = 16;

impl Turns {
    pub(super) fn new(thread: &str, hub: Weak<Hub>, log: usize) -> Arc<Self> {
        let resume = Mutex::new(Some(ThreadResumeParams::new(thread)));
        Arc::new(Self { thread: thread.to_owned(), hub, log, state: Mutex::default(), resume })
    }

    /// Sets how the thread is resumed in a new process; none if it can't be.
    pub(crate) fn set_resume(&self, params: Option<ThreadResumeParams>) {
        let params = params.map(|mut params| {
            params.thread_id.clone_from(&self.thread);
            params
        });
        *self.resume.lock().unwrap_or_else(PoisonError::into_inner) = params;
    }

    /// How the thread is resumed in a new process; none if it can't be.
    pub(super) fn resumable(&self) -> Option<ThreadResumeParams> {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self, turn: Option<&str>, message: Arc<Notification<ServerNotification>>) {
        let Some(turn) = turn else { return };
        let mut state = self.lock();
        let followed = match state.turns.get(turn) {
            Some(followed) => Arc::clone(followed),
            None if state.ended.iter().any(|ended| ended == turn) => return,
            None if matches!(message.payload, ServerNotification::TurnStarted(_)) || state.starting > 0 => {
                self.follow(&mut state, turn)
            }
            None => return,
        };
        drop(state);
        followed.take(message);
        if followed.has_ended() {
            let mut state = self.lock();
            if state.ended.len() == REMEMBERED {
                state.ended.pop_front();
            }
            state.ended.push_back(turn.to_owned());
            if state.starting == 0 {
                state.turns.remove(turn);
            }
        }
    }

    fn follow(&self, state: &mut State, turn: &str) -> Arc<TurnState> {
        let followed = TurnState::new(&self.thread, turn, self.log);
        state.turns.insert(turn.to_owned(), Arc::clone(&followed));
        state.observers.retain(|observer| observer.send(Arc::clone(&followed)).is_ok());
        followed
    }

    /// A turn will be started; until the guard is dropped, turns that end are kept.
    pub(crate) fn starting(self: &Arc<Self>) -> Starting {
        self.lock().starting += 1;
        Starting { turns: Arc::clone(self) }
    }

    /// A turn, from its first notification if it was told while it was being started,
    /// else from now on.
    pub(crate) fn turn(&self, id: &str) -> Arc<TurnState> {
        let mut state = self.lock();
        match state.turns.get(id) {
            Some(followed) => Arc::clone(followed),
            None => self.follow(&mut state, id),
        }
    }

    /// The turns that run now.
    pub(crate) fn running(&self) -> Vec<Arc<TurnState>> {
        self.lock().turns.values().filter(|turn| !turn.has_ended()).cloned().collect()
    }

    /// All turns from now on, whoever starts them.
    pub(crate) fn observe(&self) -> mpsc::UnboundedReceiver<Arc<TurnState>> {
        let (observer, turns) = mpsc::unbounded_channel();
        self.lock().observers.push(observer);
        turns
    }

    pub(super) fn lose(&self, lost: &Lost) {
        let turns = std::mem::take(&mut self.lock().turns);
        for turn in turns.values() {
            turn.lose(lost);
        }
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.forget(&self.thread);
        }
    }
}

/// A turn that is being started.
pub(crate) struct Starting {
    turns: Arc<Turns>,
}

impl Drop for Starting {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        state.starting -= 1;
        if state.starting == 0 {
            state.turns.retain(|_, turn| !turn.has_ended());
        }
    }
}
