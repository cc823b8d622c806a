//! What a turn came to.

use std::fmt;

use codex_rpc::ServerNotification;
use codex_rpc::types::{MessagePhase, ThreadItem, ThreadTokenUsage, Turn, TurnError, TurnStatus};

/// A turn that has ended, whole.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TurnResult {
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id.
    pub turn_id: String,
    /// How it ended.
    pub status: TurnStatus,
    /// What was done, in the order in which it was completed. The server's own list is
    /// at most the last message, so this is collected from `item/completed`.
    pub items: Vec<ThreadItem>,
    /// What the model said in the end; see [`final_response`].
    pub final_response: Option<String>,
    /// The tokens of the turn and of the thread, as last reported.
    pub usage: Option<ThreadTokenUsage>,
    /// Why the turn failed, with `codex_error_info`.
    pub error: Option<TurnError>,
    /// When it started, in seconds since 1970.
    pub started_at: Option<i64>,
    /// When it ended, in seconds since 1970.
    pub completed_at: Option<i64>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
}

impl TurnResult {
    /// The final response, or nothing said.
    pub fn text(&self) -> &str {
        self.final_response.as_deref().unwrap_or_default()
    }

    /// Whether it was interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.status == TurnStatus::Interrupted
    }

    /// Itself, unless the turn failed. One that was interrupted has not failed.
    pub(crate) fn checked(self) -> Result<Self, crate::Error> {
        if self.status == TurnStatus::Failed {
            return Err(crate::Error::TurnFailed(Box::new(TurnFailed { result: self })));
        }
        Ok(self)
    }
}

/// A turn that failed, with all that it did until then.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TurnFailed {
    /// The turn.
    pub result: TurnResult,
}

impl fmt::Display for TurnFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turn {} failed", self.result.turn_id)?;
        let Some(error) = &self.result.error else { return Ok(()) };
        write!(f, ": {}", error.message)?;
        if let Some(details) = &error.additional_details {
            write!(f, " ({details})")?;
        }
        Ok(())
    }
}

impl std::error::Error for TurnFailed {}

/// What the model said in the end: the last message that it calls its final answer, else
/// the last that it calls nothing. Commentary and partial answers never count.
pub fn final_response(items: &[ThreadItem]) -> Option<&str> {
    let messages = || {
        items.iter().rev().filter_map(|item| match item {
            ThreadItem::AgentMessage(message) => Some(message),
            _ => None,
        })
    };
    let last = messages()
        .find(|message| message.phase == Some(MessagePhase::FinalAnswer))
        .or_else(|| messages().find(|message| message.phase.is_none()))?;
    Some(&last.text)
}

/// A turn that is being collected from notifications.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    items: Vec<ThreadItem>,
    usage: Option<ThreadTokenUsage>,
    error: Option<TurnError>,
    turn: Option<Turn>,
    started_at: Option<i64>,
}

impl Collected {
    /// Takes a notification of the turn in; whether the turn has ended with it.
    pub(crate) fn take(&mut self, notification: &ServerNotification) -> bool {
        match notification {
            ServerNotification::TurnStarted(started) => self.started_at = started.turn.started_at,
            ServerNotification::ItemCompleted(completed) => self.items.push(completed.item.clone()),
            ServerNotification::ThreadTokenUsageUpdated(updated) => self.usage = Some(updated.token_usage.clone()),
            // One that will be tried again is no failure.
            ServerNotification::Error(error) if !error.will_retry => self.error = Some(error.error.clone()),
            ServerNotification::TurnCompleted(completed) => self.turn = Some(completed.turn.clone()),
            _ => {}
        }
        self.turn.is_some()
    }

    /// The items completed so far.
    pub(crate) fn items(&self) -> &[ThreadItem] {
        &self.items
    }

    /// The whole, if the turn has ended.
    pub(crate) fn result(&self, thread: &str) -> Option<TurnResult> {
        let turn = self.turn.as_ref()?;
        // Where no item was told, the turn's own may still be the last message.
        let items = if self.items.is_empty() { turn.items.clone() } else { self.items.clone() };
        let failed = turn.status == TurnStatus::Failed;
        Some(TurnResult {
            thread_id: thread.to_owned(),
            turn_id: turn.id.clone(),
            status: turn.status.clone(),
            final_response: final_response(&items).map(str::to_owned),
            items,
            usage: self.usage.clone(),
            error: turn.error.clone().or_else(|| self.error.clone().filter(|_| failed)),
            started_at: turn.started_at.or(self.started_at),
            completed_at: turn.completed_at,
            duration_ms: turn.duration_ms,
        })
    }
}
