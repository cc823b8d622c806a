//! What the stand-in answers, as data.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::data::{AnswerData, ItemData, RouteData};

/// What a [`StandIn`](super::StandIn) answers. Unknown keys are errors.
///
/// Every member may be left out; without any, each model request is answered with
/// the message "Done.".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Script {
    /// The answers to `POST …/responses`. A request takes the first one left whose
    /// `match` accepts it.
    pub answers: Vec<Answer>,
    /// Names, each with a regular expression of exactly one group. It is searched in
    /// every string of the `input` of each request; the latest match is what
    /// `${name}` stands for in the answers from then on.
    pub captures: BTreeMap<String, String>,
    /// What other requests get, by `METHOD /path` (without the query). All others
    /// get status 404.
    pub routes: BTreeMap<String, Route>,
    /// The k-th list is sent in answer to the k-th text message on a WebSocket
    /// connection, counted for each connection. An empty `websocket` refuses such
    /// connections with status 404; `[[]]` accepts them and says nothing.
    pub websocket: Vec<Vec<Value>>,
}

impl From<Vec<Answer>> for Script {
    fn from(answers: Vec<Answer>) -> Self {
        Self { answers, ..Self::default() }
    }
}

/// An answer to a model request. As data, a list is short for `{"items": […]}`;
/// otherwise it is an object:
///
/// | key | what |
/// |---|---|
/// | `items` | the items of a stream ([`Item`]), between `response.created` and `response.completed` |
/// | `events` | or: raw events, sent as they are with nothing added |
/// | `status`, `body` | or: an HTTP answer with this status (200 to 599); a string is sent as text, else JSON |
/// | `headers` | further headers of the answer |
/// | `usage` | of `items`: members that replace those of the default (120 + 30 = 150 tokens) |
/// | `response_id` | of `items`: instead of `resp-1`, `resp-2`, … |
/// | `end` | of `items`: `"completed"`, or `"none"`: the stream ends without `response.completed` |
/// | `failed` | of `items`: `{code, message}`, ends with `response.failed` |
/// | `incomplete` | of `items`: the reason, ends with `response.incomplete` |
/// | `delay` | seconds between the headers and the body |
/// | `pause` | `{after, seconds}`: a pause after this many events |
/// | `match` | `{contains: […], lacks: […]}`: only for requests whose `input` has strings with all / none of these |
/// | `repeat` | `true`: the answer stays after its use |
///
/// ```
/// use codex_rpc_testkit::stand_in::Answer;
///
/// let answer: Answer = serde_json::from_str(
///     r#"{"items": [{"message": "Half a"}], "end": "none", "pause": {"after": 2, "seconds": 0.1}}"#,
/// )?;
/// let short: Answer = serde_json::from_str(r#"[{"message": "Hello"}]"#)?;
///
/// let fault = serde_json::from_str::<Answer>(r#"{"itmes": []}"#).unwrap_err();
/// assert!(fault.to_string().contains("`itmes`"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "AnswerData")]
pub struct Answer {
    pub(super) content: Content,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) delay: Duration,
    pub(super) pause: Option<Pause>,
    pub(super) pattern: Pattern,
    pub(super) repeat: bool,
}

/// What an answer consists of.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Items { items: Vec<Item>, usage: Map<String, Value>, response_id: Option<String>, end: End },
    Events(Vec<Value>),
    Http { status: u16, body: Value },
}

/// How a stream of items ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    Completed,
    Nothing,
    Failed { code: String, message: String },
    Incomplete(String),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    pub(super) after: usize,
    pub(super) length: Duration,
}

/// Which requests an answer is for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Pattern {
    pub(super) contains: Vec<String>,
    pub(super) lacks: Vec<String>,
}

impl Pattern {
    pub(super) fn accepts(&self, texts: &[&str]) -> bool {
        let has = |needle: &String| texts.iter().any(|text| text.contains(needle.as_str()));
        self.contains.iter().all(has) && !self.lacks.iter().any(has)
    }
}

impl Answer {
    pub(super) fn new(content: Content) -> Self {
        Self {
            content,
            headers: BTreeMap::new(),
            delay: Duration::ZERO,
            pause: None,
            pattern: Pattern::default(),
            repeat: false,
        }
    }

    /// These items, then `response.completed`.
    pub fn items(items: impl IntoIterator<Item = Item>) -> Self {
        Self::new(Content::Items {
            items: items.into_iter().collect(),
            usage: Map::new(),
            response_id: None,
            end: End::Completed,
        })
    }

    /// One agent message.
    pub fn message(text: impl Into<String>) -> Self {
        Self::items([Item::message(text)])
    }

    /// These events as they are, with nothing added.
    pub fn events(events: impl IntoIterator<Item = Value>) -> Self {
        Self::new(Content::Events(events.into_iter().collect()))
    }

    /// An HTTP answer: a failure, as a rule. A string is sent as text, all else as
    /// JSON. A status outside 200 to 599 is answered with 500 and noted as a problem.
    pub fn http(status: u16, body: impl Into<Value>) -> Self {
        Self::new(Content::Http { status, body: body.into() })
    }

    /// `response.created`, then `response.failed` with this code.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Content::Items {
            items: Vec::new(),
            usage: Map::new(),
            response_id: None,
            end: End::Failed { code: code.into(), message: message.into() },
        })
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// The time between the headers and the body.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// A pause after this many events of the stream.
    #[must_use]
    pub fn pause(mut self, after: usize, length: Duration) -> Self {
        self.pause = Some(Pause { after, length });
        self
    }

    /// Only for requests that have this text in a string of their `input`. Texts add
    /// up.
    #[must_use]
    pub fn contains(mut self, text: impl Into<String>) -> Self {
        self.pattern.contains.push(text.into());
        self
    }

    /// Only for requests that have this text in no string of their `input`. Texts add
    /// up.
    #[must_use]
    pub fn lacks(mut self, text: impl Into<String>) -> Self {
        self.pattern.lacks.push(text.into());
        self
    }

    /// The answer stays after its use.
    #[must_use]
    pub fn repeat(mut self) -> Self {
        self.repeat = true;
        self
    }
}

/// A part of an answer. As data it is an object of one key:
///
/// | key | value | events |
/// |---|---|---|
/// | `message` | text, or `{text, id, phase, deltas}` | `output_item.added`, `output_text.delta` (`deltas` of them: 3, or `true`, `false`, a number), `output_item.done`; without deltas the last only |
/// | `reasoning` | `{summary, text, id}` | `output_item.added`, `reasoning_summary_part.added`, two `reasoning_summary_text.delta`, `reasoning_text.delta`, `output_item.done` |
/// | `call` | `{name, arguments, namespace, call_id}` | a `function_call`; `arguments` that are no string are written as JSON text |
/// | `custom` | `{name, input, call_id}` | a `custom_tool_call` |
/// | `patch` | the patch | a `custom_tool_call` of `apply_patch` |
/// | `patch_streamed` | `{input, piece, call_id}` | the same with `custom_tool_call_input.delta` of `piece` characters (12) |
/// | `item` | a raw item | `output_item.done` |
/// | `added` | a raw item | `output_item.added`, with the index of the item that follows |
/// | `event` | a raw event | the event |
///
/// What has no id gets `msg-1`, `rs-1`, `call-1`, `ct-1`, …, counted by the stand-in
/// for each kind in the order of serving.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ItemData")]
pub struct Item(pub(super) Kind);

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Message(Message),
    Reasoning(Reasoning),
    Call(Call),
    Custom(Custom),
    PatchStreamed(PatchStreamed),
    Done(Value),
    Added(Value),
    Event(Value),
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) id: Option<String>,
    pub(super) phase: Option<String>,
    pub(super) deltas: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reasoning {
    pub(super) summary: String,
    pub(super) text: String,
    pub(super) id: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub(super) struct Call {
    pub(super) name: String,
    #[serde(default = "no_arguments")]
    pub(super) arguments: Value,
    pub(super) namespace: Option<String>,
    pub(super) call_id: Option<String>,
}

fn no_arguments() -> Value {
    Value::Object(Map::new())
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Custom {
    pub(super) name: String,
    pub(super) input: String,
    pub(super) call_id: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchStreamed {
    pub(super) input: String,
    #[serde(default = "usual_piece")]
    pub(super) piece: std::num::NonZeroUsize,
    pub(super) call_id: Option<String>,
}

fn usual_piece() -> std::num::NonZeroUsize {
    const { std::num::NonZeroUsize::new(12).unwrap() }
}

/// How many deltas a message has if its script does not say.
pub(super) const DELTAS: usize = 3;

impl Message {
    pub(super) fn new(text: String) -> Self {
        Self { text, id: None, phase: None, deltas: DELTAS }
    }
}

impl Custom {
    pub(super) fn patch(input: String) -> Self {
        Self { name: "apply_patch".to_owned(), input, call_id: None }
    }
}

impl Item {
    /// An agent message with three deltas.
    pub fn message(text: impl Into<String>) -> Self {
        Self(Kind::Message(Message::new(text.into())))
    }

    /// Reasoning with a summary and its full text.
    pub fn reasoning(summary: impl Into<String>, text: impl Into<String>) -> Self {
        Self(Kind::Reasoning(Reasoning { summary: summary.into(), text: text.into(), id: None }))
    }

    /// A call of a function tool. Arguments that are no string are written as JSON
    /// text.
    pub fn call(name: impl Into<String>, arguments: impl Into<Value>) -> Self {
        Self(Kind::Call(Call { name: name.into(), arguments: arguments.into(), namespace: None, call_id: None }))
    }

    /// A call of a custom tool, which takes text.
    pub fn custom(name: impl Into<String>, input: impl Into<String>) -> Self {
        Self(Kind::Custom(Custom { name: name.into(), input: input.into(), call_id: None }))
    }

    /// A call of `apply_patch`.
    pub fn patch(patch: impl Into<String>) -> Self {
        Self(Kind::Custom(Custom::patch(patch.into())))
    }

    /// A raw item, in `response.output_item.done`.
    pub fn raw(item: impl Into<Value>) -> Self {
        Self(Kind::Done(item.into()))
    }
}

/// What a request outside the model's protocol gets. As data: an object of `status`
/// with `body` and nothing else, or any other JSON, which is a body with status 200.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "RouteData")]
pub struct Route {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Route {
    /// A route that answers with this status (200 to 599) and JSON.
    pub fn new(status: u16, body: impl Into<Value>) -> Self {
        Self { status, body: body.into() }
    }
}

/// Whether an answer can have this status: an informational one needs another after
/// it.
pub(super) fn is_final(status: u16) -> bool {
    (200..600).contains(&status)
}
