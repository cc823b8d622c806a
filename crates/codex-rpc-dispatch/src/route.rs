//! What a message is about: which thread, turn and item.

use codex_rpc::UnrecognizedMethod;

/// The ids that a message carries, as the schema places them. Empty for what concerns
/// no thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Route<'a> {
    /// The thread's id.
    pub thread: Option<&'a str>,
    /// The turn's id.
    pub turn: Option<&'a str>,
    /// The item's id.
    pub item: Option<&'a str>,
}

impl<'a> Route<'a> {
    /// A route with these ids.
    pub const fn new(thread: Option<&'a str>, turn: Option<&'a str>, item: Option<&'a str>) -> Self {
        Self { thread, turn, item }
    }
}

/// A message that may be about a thread, a turn, an item.
pub trait Routed {
    /// Which.
    fn route(&self) -> Route<'_>;
}

/// The route of a message that this release does not know, by the names that those it
/// knows have for the ids.
pub(crate) fn unrecognized(method: &UnrecognizedMethod) -> Route<'_> {
    let id = |name: &str| method.params.as_ref()?.get(name)?.as_str();
    Route::new(id("threadId"), id("turnId"), id("itemId"))
}

#[cfg(test)]
mod tests {
    use codex_rpc::ServerNotification;
    use serde_json::{Value, json};

    use super::*;

    fn message(params: Option<Value>) -> ServerNotification {
        ServerNotification::Unrecognized(UnrecognizedMethod { method: "moon/risen".to_owned(), params })
    }

    #[test]
    fn a_message_that_is_not_known_is_routed_by_the_usual_names() {
        let whole = message(Some(json!({"threadId": "t", "turnId": "u", "itemId": "i"})));
        assert_eq!(whole.route(), Route::new(Some("t"), Some("u"), Some("i")));
        let part = message(Some(json!({"threadId": null, "turnId": 7, "itemId": "i"})));
        assert_eq!(part.route(), Route::new(None, None, Some("i")));
    }

    #[test]
    fn params_that_are_no_object_lead_nowhere() {
        for params in [None, Some(json!("threadId")), Some(json!(["threadId"])), Some(Value::Null)] {
            assert_eq!(message(params).route(), Route::default());
        }
    }
}
