//! What a message is about: which thread, turn and item.

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
