//! The events of an answer.

use std::num::NonZeroUsize;

use serde_json::{Map, Value, json};

use super::script::{Call, Custom, End, Item, Kind, Message, PatchStreamed, Reasoning};

/// The ids that were given out, by kind.
#[derive(Debug, Default)]
pub(super) struct Ids {
    responses: u64,
    messages: u64,
    reasonings: u64,
    calls: u64,
    custom_items: u64,
}

fn given_or_next(given: Option<String>, kind: &str, count: &mut u64) -> String {
    given.unwrap_or_else(|| {
        *count += 1;
        format!("{kind}-{count}")
    })
}

/// The events of a stream of items.
pub(super) fn stream(
    ids: &mut Ids,
    items: Vec<Item>,
    usage: Map<String, Value>,
    response_id: Option<String>,
    end: End,
) -> Vec<Value> {
    let id = given_or_next(response_id, "resp", &mut ids.responses);
    let mut events = vec![json!({"type": "response.created", "response": {"id": id}})];
    let mut writer = Writer { ids, index: 0, events: &mut events };
    for Item(kind) in items {
        writer.item(kind);
    }
    match end {
        End::Completed => {
            let mut all = default_usage();
            all.extend(usage);
            events.push(json!({"type": "response.completed", "response": {"id": id, "usage": all}}));
        }
        End::Nothing => {}
        End::Failed { code, message } => events.push(json!({
            "type": "response.failed",
            "response": {"id": id, "error": {"code": code, "message": message}},
        })),
        End::Incomplete(reason) => events.push(json!({
            "type": "response.incomplete",
            "response": {"id": id, "incomplete_details": {"reason": reason}},
        })),
    }
    events
}

fn default_usage() -> Map<String, Value> {
    [
        ("input_tokens", json!(120)),
        ("input_tokens_details", Value::Null),
        ("output_tokens", json!(30)),
        ("output_tokens_details", Value::Null),
        ("total_tokens", json!(150)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into_iter()
    .collect()
}

struct Writer<'w> {
    ids: &'w mut Ids,
    /// The index of the next item that is done.
    index: u64,
    events: &'w mut Vec<Value>,
}

impl Writer<'_> {
    fn item(&mut self, kind: Kind) {
        match kind {
            Kind::Message(message) => self.message(message),
            Kind::Reasoning(reasoning) => self.reasoning(reasoning),
            Kind::Call(call) => self.call(call),
            Kind::Custom(custom) => self.custom(custom),
            Kind::PatchStreamed(patch) => self.patch_streamed(patch),
            Kind::Done(item) => self.done(&item),
            Kind::Added(item) => self.added(&item),
            Kind::Event(event) => self.events.push(event),
        }
    }

    fn added(&mut self, item: &Value) {
        self.events.push(json!({"type": "response.output_item.added", "output_index": self.index, "item": item}));
    }

    fn done(&mut self, item: &Value) {
        self.events.push(json!({"type": "response.output_item.done", "output_index": self.index, "item": item}));
        self.index += 1;
    }

    fn message(&mut self, message: Message) {
        let Message { text, id, phase, deltas } = message;
        let id = given_or_next(id, "msg", &mut self.ids.messages);
        let mut item = json!({"type": "message", "role": "assistant", "id": id, "content": []});
        if let Some(phase) = phase {
            item["phase"] = phase.into();
        }
        if deltas > 0 {
            self.added(&item);
            for delta in parts(&text, deltas) {
                self.events.push(json!({
                    "type": "response.output_text.delta",
                    "item_id": id,
                    "output_index": self.index,
                    "content_index": 0,
                    "delta": delta,
                }));
            }
        }
        item["content"] = json!([{"type": "output_text", "text": text}]);
        self.done(&item);
    }

    fn reasoning(&mut self, reasoning: Reasoning) {
        let Reasoning { summary, text, id } = reasoning;
        let id = given_or_next(id, "rs", &mut self.ids.reasonings);
        let index = self.index;
        self.added(&json!({"type": "reasoning", "id": id, "summary": []}));
        self.events.push(json!({
            "type": "response.reasoning_summary_part.added",
            "item_id": id,
            "output_index": index,
            "summary_index": 0,
        }));
        for delta in parts(&summary, 2) {
            self.events.push(json!({
                "type": "response.reasoning_summary_text.delta",
                "item_id": id,
                "output_index": index,
                "summary_index": 0,
                "delta": delta,
            }));
        }
        self.events.push(json!({
            "type": "response.reasoning_text.delta",
            "item_id": id,
            "output_index": index,
            "content_index": 0,
            "delta": text,
        }));
        self.done(&json!({
            "type": "reasoning",
            "id": id,
            "summary": [{"type": "summary_text", "text": summary}],
            "content": [{"type": "reasoning_text", "text": text}],
        }));
    }

    fn call(&mut self, call: Call) {
        let Call { name, arguments, namespace, call_id } = call;
        let arguments = match arguments {
            Value::String(text) => text,
            value => value.to_string(),
        };
        let call_id = given_or_next(call_id, "call", &mut self.ids.calls);
        let mut item = json!({"type": "function_call", "name": name, "arguments": arguments, "call_id": call_id});
        if let Some(namespace) = namespace {
            item["namespace"] = namespace.into();
        }
        self.done(&item);
    }

    fn custom(&mut self, custom: Custom) {
        let Custom { name, input, call_id } = custom;
        let call_id = given_or_next(call_id, "call", &mut self.ids.calls);
        self.done(&json!({"type": "custom_tool_call", "name": name, "input": input, "call_id": call_id}));
    }

    fn patch_streamed(&mut self, patch: PatchStreamed) {
        let PatchStreamed { input, piece, call_id } = patch;
        let call_id = given_or_next(call_id, "call", &mut self.ids.calls);
        let id = given_or_next(None, "ct", &mut self.ids.custom_items);
        let mut item =
            json!({"type": "custom_tool_call", "id": id, "call_id": call_id, "name": "apply_patch", "input": ""});
        self.added(&item);
        for delta in pieces(&input, piece) {
            self.events.push(json!({
                "type": "response.custom_tool_call_input.delta",
                "item_id": id,
                "call_id": call_id,
                "output_index": self.index,
                "delta": delta,
            }));
        }
        item["input"] = input.into();
        self.done(&item);
    }
}

/// Cuts a text after every so many characters.
fn pieces(text: &str, size: NonZeroUsize) -> Vec<&str> {
    let mut cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).step_by(size.get()).collect();
    cuts.push(text.len());
    between(text, &cuts)
}

/// Cuts a text into so many parts of about the same number of characters. None is
/// empty, so there can be fewer.
fn parts(text: &str, count: usize) -> Vec<&str> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let chars = starts.len() - 1;
    let count = count.min(chars);
    let cuts: Vec<usize> = (0..=count).map(|part| starts[(part * chars).checked_div(count).unwrap_or(0)]).collect();
    between(text, &cuts)
}

fn between<'t>(text: &'t str, cuts: &[usize]) -> Vec<&'t str> {
    cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect()
}

/// An event as it is written to the stream. One without a `type` has no `event` line.
pub(super) fn frame(event: &Value) -> String {
    let kind = event.get("type").and_then(Value::as_str).filter(|kind| !kind.contains(['\r', '\n']));
    let line = kind.map(|kind| format!("event: {kind}\n")).unwrap_or_default();
    format!("{line}data: {event}\n\n")
}
