//! The written form of a script, checked and turned into its types.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::script::{
    Answer, Call, Content, Custom, DELTAS, End, Item, Kind, Message, PatchStreamed, Pattern, Pause, Reasoning, Route,
    is_final,
};

/// An answer: a list of items, or an object.
pub(super) enum AnswerData {
    List(Vec<Item>),
    Object(Box<AnswerObject>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerObject {
    items: Option<Vec<Item>>,
    events: Option<Vec<Value>>,
    status: Option<u16>,
    body: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    usage: Option<Map<String, Value>>,
    response_id: Option<String>,
    delay: Option<f64>,
    pause: Option<PauseData>,
    end: Option<EndData>,
    failed: Option<FailedData>,
    incomplete: Option<String>,
    #[serde(default, rename = "match")]
    pattern: Pattern,
    #[serde(default)]
    repeat: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PauseData {
    after: usize,
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndData {
    Completed,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailedData {
    code: String,
    message: String,
}

impl<'de> Deserialize<'de> for AnswerData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrObject;
        impl<'de> Visitor<'de> for ListOrObject {
            type Value = AnswerData;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an answer: a list of items or an object")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<AnswerData, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(AnswerData::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnswerData, A::Error> {
                Box::deserialize(MapAccessDeserializer::new(map)).map(AnswerData::Object)
            }
        }
        deserializer.deserialize_any(ListOrObject)
    }
}

impl TryFrom<AnswerData> for Answer {
    type Error = String;

    fn try_from(data: AnswerData) -> Result<Self, String> {
        let object = match data {
            AnswerData::List(items) => return Ok(Self::items(items)),
            AnswerData::Object(object) => *object,
        };
        let pause = match &object.pause {
            None => None,
            Some(pause) => Some(Pause { after: pause.after, length: seconds("pause.seconds", pause.seconds)? }),
        };
        let delay = object.delay.map_or(Ok(Duration::ZERO), |delay| seconds("delay", delay))?;
        let (headers, pattern, repeat) = (object.headers.clone(), object.pattern.clone(), object.repeat);
        Ok(Self { headers, delay, pause, pattern, repeat, ..Self::new(content(object)?) })
    }
}

fn content(object: AnswerObject) -> Result<Content, String> {
    let of_items = [
        ("items", object.items.is_some()),
        ("usage", object.usage.is_some()),
        ("response_id", object.response_id.is_some()),
        ("end", object.end.is_some()),
        ("failed", object.failed.is_some()),
        ("incomplete", object.incomplete.is_some()),
    ];
    let of_http = [("body", object.body.is_some())];
    let of_streams = [("pause", object.pause.is_some())];
    let refuse = |kind: &str, keys: &[(&str, bool)]| match keys.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(format!("`{key}` can't go with `{kind}` in an answer")),
        None => Ok(()),
    };
    if let Some(status) = object.status {
        refuse("status", &[("events", object.events.is_some())])?;
        refuse("status", &of_items)?;
        refuse("status", &of_streams)?;
        if !is_final(status) {
            return Err(format!("status {status} is not between 200 and 599"));
        }
        return Ok(Content::Http { status, body: object.body.unwrap_or_default() });
    }
    if object.body.is_some() {
        return Err("`body` needs `status` in an answer".to_owned());
    }
    if let Some(events) = object.events {
        refuse("events", &of_items)?;
        refuse("events", &of_http)?;
        return Ok(Content::Events(events));
    }
    let end = match (object.end, object.failed, object.incomplete) {
        (None, None, None) if object.items.is_none() => {
            return Err("an answer needs `items`, `events`, `status`, `end`, `failed` or `incomplete`".to_owned());
        }
        (None | Some(EndData::Completed), None, None) => End::Completed,
        (Some(EndData::None), None, None) => End::Nothing,
        (None, Some(FailedData { code, message }), None) => End::Failed { code, message },
        (None, None, Some(reason)) => End::Incomplete(reason),
        _ => return Err("only one of `end`, `failed` and `incomplete` can be in an answer".to_owned()),
    };
    Ok(Content::Items {
        items: object.items.unwrap_or_default(),
        usage: object.usage.unwrap_or_default(),
        response_id: object.response_id,
        end,
    })
}

fn seconds(key: &str, seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("`{key}`: {seconds} seconds: {error}"))
}

/// An item: an object of one key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemData {
    message: Option<Message>,
    reasoning: Option<Reasoning>,
    call: Option<Call>,
    custom: Option<Custom>,
    patch: Option<String>,
    patch_streamed: Option<PatchStreamed>,
    item: Option<Value>,
    added: Option<Value>,
    event: Option<Value>,
}

impl TryFrom<ItemData> for Item {
    type Error = &'static str;

    fn try_from(data: ItemData) -> Result<Self, Self::Error> {
        let mut kinds = [
            data.message.map(Kind::Message),
            data.reasoning.map(Kind::Reasoning),
            data.call.map(Kind::Call),
            data.custom.map(Kind::Custom),
            data.patch.map(|patch| Kind::Custom(Custom::patch(patch))),
            data.patch_streamed.map(Kind::PatchStreamed),
            data.item.map(Kind::Done),
            data.added.map(Kind::Added),
            data.event.map(Kind::Event),
        ]
        .into_iter()
        .flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(Self(kind)),
            _ => Err("an item is an object of exactly one key: `message`, `reasoning`, `call`, `custom`, `patch`, \
                      `patch_streamed`, `item`, `added` or `event`"),
        }
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Object {
            text: String,
            id: Option<String>,
            phase: Option<String>,
            deltas: Option<Deltas>,
        }
        struct TextOrObject;
        impl<'de> Visitor<'de> for TextOrObject {
            type Value = Message;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message: text or an object")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Message, E> {
                Ok(Message::new(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Message, A::Error> {
                let Object { text, id, phase, deltas } = Object::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Message { text, id, phase, deltas: deltas.map_or(DELTAS, |deltas| deltas.0) })
            }
        }
        deserializer.deserialize_any(TextOrObject)
    }
}

/// How many deltas: a flag or a number.
struct Deltas(usize);

impl<'de> Deserialize<'de> for Deltas {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagOrNumber;
        impl Visitor<'_> for FlagOrNumber {
            type Value = Deltas;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a number of deltas")
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Deltas, E> {
                Ok(Deltas(if flag { DELTAS } else { 0 }))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Deltas, E> {
                usize::try_from(number).map(Deltas).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Deltas, E> {
                usize::try_from(number).map(Deltas).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(FlagOrNumber)
    }
}

/// A route: `{status, body}`, or the body.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct RouteData(Value);

impl From<RouteData> for Route {
    fn from(RouteData(data): RouteData) -> Self {
        if let Value::Object(object) = &data
            && object.keys().all(|key| key == "status" || key == "body")
            && let Some(status) = object.get("status").and_then(Value::as_u64)
            && let Ok(status) = u16::try_from(status)
            && is_final(status)
        {
            return Self { status, body: object.get("body").cloned().unwrap_or_default() };
        }
        Self { status: 200, body: data }
    }
}
