//! Captures from requests, and the placeholders that stand for them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use regex::Regex;
use serde_json::Value;

use super::script::{Answer, Content, End, Item, Kind};

/// The captures of a script and what they have matched.
#[derive(Debug)]
pub(super) struct Captures(BTreeMap<String, Capture>);

#[derive(Debug)]
struct Capture {
    regex: Regex,
    latest: Option<String>,
}

impl Captures {
    /// # Errors
    /// A regular expression that is none, or that has not exactly one group.
    pub(super) fn new(captures: BTreeMap<String, String>) -> io::Result<Self> {
        let refuse = |name: &str, why: String| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("capture `{name}` of the script: {why}"))
        };
        let mut compiled = BTreeMap::new();
        for (name, regex) in captures {
            let regex = Regex::new(&regex).map_err(|error| refuse(&name, error.to_string()))?;
            if regex.captures_len() != 2 {
                let groups = regex.captures_len() - 1;
                return Err(refuse(&name, format!("`{regex}` has {groups} groups; it needs exactly one")));
            }
            compiled.insert(name, Capture { regex, latest: None });
        }
        Ok(Self(compiled))
    }

    /// Looks for matches; the last one of the last text stays.
    pub(super) fn search(&mut self, texts: &[&str]) {
        for capture in self.0.values_mut() {
            let groups = texts.iter().rev().find_map(|text| capture.regex.captures_iter(text).last());
            if let Some(group) = groups.and_then(|groups| groups.get(1)) {
                capture.latest = Some(group.as_str().to_owned());
            }
        }
    }

    /// Replaces the placeholders of an answer. Returns the placeholders that nothing
    /// has matched yet; they stay.
    pub(super) fn fill(&self, answer: &mut Answer) -> BTreeSet<String> {
        let mut filler = Filler { captures: self, missing: BTreeSet::new() };
        filler.answer(answer);
        filler.missing
    }
}

struct Filler<'c> {
    captures: &'c Captures,
    missing: BTreeSet<String>,
}

impl Filler<'_> {
    fn answer(&mut self, answer: &mut Answer) {
        answer.headers.values_mut().for_each(|value| self.text(value));
        match &mut answer.content {
            Content::Items { items, usage, response_id, end } => {
                for item in items {
                    self.item(item);
                }
                usage.values_mut().for_each(|value| self.value(value));
                self.optional(response_id);
                match end {
                    End::Completed | End::Nothing => {}
                    End::Failed { code, message } => {
                        self.text(code);
                        self.text(message);
                    }
                    End::Incomplete(reason) => self.text(reason),
                }
            }
            Content::Events(events) => events.iter_mut().for_each(|event| self.value(event)),
            Content::Http { body, .. } => self.value(body),
        }
    }

    fn item(&mut self, Item(kind): &mut Item) {
        match kind {
            Kind::Message(message) => {
                self.text(&mut message.text);
                self.optional(&mut message.id);
                self.optional(&mut message.phase);
            }
            Kind::Reasoning(reasoning) => {
                self.text(&mut reasoning.summary);
                self.text(&mut reasoning.text);
                self.optional(&mut reasoning.id);
            }
            Kind::Call(call) => {
                self.text(&mut call.name);
                self.value(&mut call.arguments);
                self.optional(&mut call.namespace);
                self.optional(&mut call.call_id);
            }
            Kind::Custom(custom) => {
                self.text(&mut custom.name);
                self.text(&mut custom.input);
                self.optional(&mut custom.call_id);
            }
            Kind::PatchStreamed(patch) => {
                self.text(&mut patch.input);
                self.optional(&mut patch.call_id);
            }
            Kind::Done(value) | Kind::Added(value) | Kind::Event(value) => self.value(value),
        }
    }

    fn optional(&mut self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// One pass, so that a placeholder within what was captured stays text.
    fn text(&mut self, text: &mut String) {
        let (mut filled, mut rest) = (String::new(), text.as_str());
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            rest = after;
            let named = after.split_once('}').and_then(|(name, end)| Some((name, end, self.captures.0.get(name)?)));
            match named {
                Some((_, end, Capture { latest: Some(latest), .. })) => {
                    filled.push_str(latest);
                    rest = end;
                }
                Some((name, _, Capture { latest: None, .. })) => {
                    self.missing.insert(format!("${{{name}}}"));
                    filled.push_str("${");
                }
                None => filled.push_str("${"),
            }
        }
        filled.push_str(rest);
        *text = filled;
    }

    /// Whether the text is one placeholder and nothing else.
    fn is_placeholder(&self, text: &str) -> bool {
        let name = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
        name.is_some_and(|name| self.captures.0.contains_key(name))
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let whole = self.is_placeholder(text);
                self.text(text);
                if whole && let Ok(number) = serde_json::from_str::<u64>(text) {
                    *value = number.into();
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.value(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// All strings of the `input` of a request, in order.
pub(super) fn input_texts(body: &Value) -> Vec<&str> {
    fn walk<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
        match value {
            Value::String(text) => texts.push(text),
            Value::Array(values) => values.iter().for_each(|value| walk(value, texts)),
            Value::Object(members) => members.values().for_each(|value| walk(value, texts)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut texts = Vec::new();
    if let Some(input) = body.get("input") {
        walk(input, &mut texts);
    }
    texts
}
