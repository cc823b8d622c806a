//! A turn as it is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use codex_rpc::types::ThreadItem;
use codex_rpc::{Notification, ServerNotification};
use codex_rpc_dispatch::ProcessExit;
use tokio::sync::watch;
use tokio::time::Instant;

use super::log::{Log, TurnEvent};
use crate::Error;
use crate::result::{Collected, TurnResult};

/// Why a turn is told no further.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) reason: String,
    /// The process that told it, if it ended.
    pub(crate) exit: Option<ProcessExit>,
}

impl Lost {
    pub(crate) fn error(&self) -> Error {
        match &self.exit {
            Some(exit) => Error::Process(Box::new(exit.clone().into())),
            None => Error::closed(self.reason.clone()),
        }
    }
}

/// How far a turn is.
#[derive(Clone, Debug)]
enum Stage {
    Running,
    Ended,
    Lost(Lost),
    /// Nothing was told for too long.
    Stalled(std::time::Duration),
}

pub(crate) struct TurnState {
    pub(crate) thread: String,
    pub(crate) id: String,
    log: Log,
    collected: Mutex<Collected>,
    stage: watch::Sender<Stage>,
    told: watch::Sender<Instant>,
    watched: AtomicBool,
}

impl TurnState {
    pub(crate) fn new(thread: &str, id: &str, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            thread: thread.to_owned(),
            id: id.to_owned(),
            log: Log::new(capacity),
            collected: Mutex::default(),
            stage: watch::Sender::new(Stage::Running),
            told: watch::Sender::new(Instant::now()),
            watched: AtomicBool::new(false),
        })
    }

    fn collected(&self) -> MutexGuard<'_, Collected> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a notification of the turn in.
    pub(crate) fn take(&self, message: Arc<Notification<ServerNotification>>) {
        if self.has_ended() {
            return;
        }
        self.told.send_replace(Instant::now());
        let ended = self.collected().take(&message.payload);
        self.log.push(message);
        if ended {
            self.end(Stage::Ended);
        }
    }

    /// The connection that told it has ended.
    pub(crate) fn lose(&self, lost: &Lost) {
        if !self.has_ended() {
            self.end(Stage::Lost(lost.clone()));
        }
    }

    /// Nothing was told for so long that it is given up.
    pub(crate) fn stall(&self, limit: std::time::Duration) {
        if !self.has_ended() {
            self.end(Stage::Stalled(limit));
        }
    }

    fn end(&self, stage: Stage) {
        self.stage.send_replace(stage);
        self.log.close();
    }

    pub(crate) fn has_ended(&self) -> bool {
        !matches!(*self.stage.borrow(), Stage::Running)
    }

    /// Whether nobody watches it yet; from now on somebody does.
    pub(super) fn be_watched(&self) -> bool {
        !self.watched.swap(true, Ordering::Relaxed)
    }

    /// When something was told last.
    pub(crate) fn told(&self) -> Instant {
        *self.told.borrow()
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) {
        // The sender is in `self`.
        let _ = self.stage.subscribe().wait_for(|stage| !matches!(stage, Stage::Running)).await;
    }

    /// The result; none while it runs.
    pub(crate) fn result(&self) -> Option<Result<TurnResult, Error>> {
        let stage = self.stage.borrow().clone();
        match stage {
            Stage::Running => None,
            Stage::Lost(lost) => Some(Err(lost.error())),
            Stage::Stalled(limit) => {
                Some(Err(Error::TimedOut { what: format!("the next event of turn {}", self.id), limit: Some(limit) }))
            }
            Stage::Ended => self.collected().result(&self.thread).map(TurnResult::checked),
        }
    }

    /// The items completed so far.
    pub(crate) fn items(&self) -> Vec<ThreadItem> {
        self.collected().items().to_vec()
    }

    pub(crate) fn poll(&self, place: &mut u64, context: &Context<'_>) -> Poll<Option<TurnEvent>> {
        self.log.poll(place, context)
    }
}
