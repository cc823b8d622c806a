//! The events that `codex exec --json` writes, one a line.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::item::{ExecError, ExecItem};
use super::members::Members;

/// What `codex exec --json` says.
///
/// There is no schema for these events; the types are held by tests over recordings of
/// the real executable. What this release doesn't know is kept: members in `extra`,
/// events and items as `Unrecognized`, texts of enums as they are. A known event that
/// lacks a member is an error.
///
/// ```
/// use codex_rpc_client::exec::ExecEvent;
///
/// let line = r#"{"type":"thread.started","thread_id":"t1","new":true}"#;
/// let event: ExecEvent = serde_json::from_str(line)?;
/// let ExecEvent::ThreadStarted(started) = &event else { panic!() };
/// assert_eq!(started.thread_id, "t1");
/// assert_eq!(started.extra["new"], true);
/// assert_eq!(serde_json::to_string(&event)?, line);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum ExecEvent {
    /// The thread is there. A resumed one says so, too, with the id it has.
    #[serde(rename = "thread.started")]
    ThreadStarted(ThreadStarted),
    /// The turn has begun. Warnings can come before this.
    #[serde(rename = "turn.started")]
    TurnStarted(TurnStarted),
    /// The turn is done.
    #[serde(rename = "turn.completed")]
    TurnCompleted(TurnCompleted),
    /// The turn failed.
    #[serde(rename = "turn.failed")]
    TurnFailed(ExecTurnFailed),
    /// An item has begun.
    #[serde(rename = "item.started")]
    ItemStarted(ItemEvent),
    /// An item has changed.
    #[serde(rename = "item.updated")]
    ItemUpdated(ItemEvent),
    /// An item is done. Most kinds are told of only then.
    #[serde(rename = "item.completed")]
    ItemCompleted(ItemEvent),
    /// Something went wrong. It may be tried again: what fails for good is a
    /// [`TurnFailed`](Self::TurnFailed).
    #[serde(rename = "error")]
    Error(ErrorEvent),
    /// An event that this release doesn't know.
    #[serde(untagged)]
    Unrecognized(Value),
}

/// The thread is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadStarted {
    /// The thread's id, for [`Exec::resume`](super::Exec::resume).
    pub thread_id: String,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The turn has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TurnStarted {
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The turn is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TurnCompleted {
    /// The tokens of the whole thread.
    pub usage: ExecUsage,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Tokens. They add up over the thread: a resumed one begins with those of the turns
/// before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecUsage {
    /// What the model read.
    pub input_tokens: i64,
    /// How much of that it had read before.
    pub cached_input_tokens: i64,
    /// How much of that it kept for the next time. Older releases don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_input_tokens: Option<i64>,
    /// What the model wrote.
    pub output_tokens: i64,
    /// How much of that it thought. Older releases don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_output_tokens: Option<i64>,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The turn failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecTurnFailed {
    /// Why.
    pub error: ExecError,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Something that happened to an item.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ItemEvent {
    /// The item, whole.
    pub item: ExecItem,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Something went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorEvent {
    /// What.
    pub message: String,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The member `item`: an object, whose members can stand in it twice, or what an event
/// that isn't known has there.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Members(Members),
    Other(Value),
}

impl ExecEvent {
    fn from_members(mut members: Members, item: Option<Item>) -> Result<Self, String> {
        let Some(kind) = members.text("type") else { return Err("missing field `type`".to_owned()) };
        let kind = kind.to_owned();
        let of_item = |members: Members, item: Option<Item>| {
            let item = match item {
                Some(Item::Members(item)) => {
                    ExecItem::from_members(item).map_err(|error| format!("{kind}: {error}"))?
                }
                Some(Item::Other(_)) => return Err(format!("{kind}: `item` is no object")),
                None => return Err(format!("{kind}: missing field `item`")),
            };
            Ok(ItemEvent { item, extra: members.record(&kind)? })
        };
        match kind.as_str() {
            "item.started" => return of_item(members, item).map(Self::ItemStarted),
            "item.updated" => return of_item(members, item).map(Self::ItemUpdated),
            "item.completed" => return of_item(members, item).map(Self::ItemCompleted),
            _ => {}
        }
        match item {
            Some(Item::Members(item)) => members.push("item".to_owned(), item.into_value()),
            Some(Item::Other(item)) => members.push("item".to_owned(), item),
            None => {}
        }
        match kind.as_str() {
            "thread.started" => members.record(&kind).map(Self::ThreadStarted),
            "turn.started" => members.record(&kind).map(Self::TurnStarted),
            "turn.completed" => members.record(&kind).map(Self::TurnCompleted),
            "turn.failed" => members.record(&kind).map(Self::TurnFailed),
            "error" => members.record(&kind).map(Self::Error),
            _ => Ok(Self::Unrecognized(members.into_value())),
        }
    }
}

impl<'de> Deserialize<'de> for ExecEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Event;
        impl<'de> Visitor<'de> for Event {
            type Value = ExecEvent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event: an object with a `type`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExecEvent, A::Error> {
                let (mut members, mut item) = (Members::new(), None);
                while let Some(key) = map.next_key::<String>()? {
                    if key == "item" {
                        item = Some(map.next_value()?);
                    } else {
                        members.push(key, map.next_value()?);
                    }
                }
                ExecEvent::from_members(members, item).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_map(Event)
    }
}
