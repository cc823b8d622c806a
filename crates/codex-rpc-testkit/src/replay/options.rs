//! How strictly a transcript is played.

/// Which of the recorded client messages may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Those that were recorded next, up to the next message of the server, in any
    /// order among themselves; and the answer to any server request that was written.
    #[default]
    Recorded,
    /// All that did not come yet, the earliest first: for clients with concurrent
    /// calls. The server's messages keep the recorded order all the same, and each
    /// waits for all client messages that were recorded before it.
    Any,
}

/// Whether the params of requests and notifications matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Params {
    /// The method is enough.
    #[default]
    Ignore,
    /// They must be the recorded JSON value. Numbers compare by value, the order of
    /// members does not matter, and params that are null are no params. Further down
    /// null and absent differ, because a few fields of the protocol tell them apart.
    Same,
}

/// Whether the contents of answers to server requests matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answers {
    /// A result must be answered where a result was recorded, and an error where an
    /// error was.
    #[default]
    Ignore,
    /// And it must be the recorded JSON value.
    Same,
}

/// How a transcript is played. The default is lenient in contents and strict in order.
///
/// ```
/// use codex_rpc_testkit::replay::{Options, Order, Params};
///
/// let options = Options::new().order(Order::Any).params(Params::Same).except("/params/cwd");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    pub(super) order: Order,
    pub(super) params: Params,
    pub(super) answers: Answers,
    pub(super) except: Vec<String>,
    pub(super) process: Option<u32>,
    pub(super) partial: bool,
}

impl Options {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which client messages may come next; [`Order::Recorded`] if it isn't said.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Whether params matter; [`Params::Ignore`] if it isn't said.
    #[must_use]
    pub fn params(mut self, params: Params) -> Self {
        self.params = params;
        self
    }

    /// Whether the contents of answers matter; [`Answers::Ignore`] if it isn't said.
    #[must_use]
    pub fn answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }

    /// A place that may differ, and all below it: a JSON pointer into the message, as
    /// mismatches show them, `/params/cwd` or `/result/decision`. Can be said several
    /// times.
    #[must_use]
    pub fn except(mut self, pointer: impl Into<String>) -> Self {
        self.except.push(pointer.into());
        self
    }

    /// Plays one of several recorded processes; all of them as one if it isn't said.
    #[must_use]
    pub fn process(mut self, process: u32) -> Self {
        self.process = Some(process);
        self
    }

    /// Whether the client may stop before it said everything that was recorded; no if
    /// it isn't said.
    #[must_use]
    pub fn partial(mut self, partial: bool) -> Self {
        self.partial = partial;
        self
    }

    /// Whether a place may differ.
    pub(super) fn excepts(&self, pointer: &str) -> bool {
        self.except.iter().any(|except| {
            pointer.strip_prefix(except.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}
