//! Laws that hold for any input, tried on inputs made at random.

use std::fmt::Debug;
use std::fs;

use codex_rpc::registry::find;
use codex_rpc::{AnyMessage, CODEX_VERSION, ClientMessage, ProtocolType, ServerMessage, to_json};
use codex_rpc_testkit::transcript::{From, Line, Reader};
use codex_rpc_tests::transcripts;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

/// Some hundred messages of recorded sessions.
fn messages() -> Vec<(From, String)> {
    let mut messages = Vec::new();
    for path in transcripts(CODEX_VERSION) {
        let bytes = fs::read(path).expect("a transcript");
        for (_, line) in Reader::new(bytes.as_slice()) {
            if let Line::Message { from, message, .. } = line {
                messages.push((from, message.get().to_owned()));
            }
        }
    }
    messages
}

/// The value as text, with the members of every object in an order that the seed
/// chooses.
fn shuffled(value: &Value, seed: &mut u64) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            for last in (1..members.len()).rev() {
                *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                members.swap(last, usize::try_from(*seed >> 33).unwrap_or(0) % (last + 1));
            }
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), shuffled(value, seed)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shuffled(item, seed)).collect();
            format!("[{}]", items.join(","))
        }
        value => value.to_string(),
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no infinity", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What a line may be damaged with: what JSON is made of, and what it is not.
const DAMAGE: [&str; 24] = [
    "",
    " ",
    "\n",
    "\u{1}",
    "\"",
    "\\",
    "\\n",
    "\\u00e9",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "-",
    ".5",
    "e3",
    "null",
    "true",
    "1e400",
    "\"type\":\"x\",",
    "é",
];

/// Decodes and encodes on the quick road and on that of serde.
fn both_roads<T: ProtocolType + PartialEq + Debug>(text: &str) -> Result<(), TestCaseError> {
    let quick = T::from_json(text).map_err(|error| error.is_syntax());
    let by_serde = serde_json::from_str::<T>(text).map_err(|error| error.is_syntax() || error.is_eof());
    prop_assert_eq!(&quick, &by_serde);
    if let Ok(message) = quick {
        prop_assert_eq!(to_json(&message).expect("JSON"), serde_json::to_string(&message).expect("JSON"));
        // None for the result of a response that is kept as text and holds half of a
        // surrogate pair.
        let written = serde_json::from_str::<Value>(&to_json(&message).expect("JSON")).ok();
        prop_assert_eq!(written, serde_json::to_value(&message).ok());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_line_is_read_and_written_as_serde_does_it(
        which in any::<Index>(),
        places in prop::collection::vec((any::<Index>(), 0..DAMAGE.len(), 0..3_usize), 0..4),
    ) {
        static MESSAGES: std::sync::LazyLock<Vec<(From, String)>> = std::sync::LazyLock::new(messages);
        let (from, text) = which.get(&MESSAGES);
        let mut characters: Vec<char> = text.chars().collect();
        for (place, damage, cut) in places {
            let place = place.index(characters.len());
            let end = characters.len().min(place + cut);
            characters.splice(place..end, DAMAGE[damage].chars());
        }
        let text: String = characters.into_iter().collect();
        match from {
            From::Client => both_roads::<ClientMessage>(&text)?,
            From::Server => both_roads::<ServerMessage>(&text)?,
        }
    }

    #[test]
    fn json_of_any_shape_is_written_as_serde_writes_it(value in json(), text in any::<String>()) {
        prop_assert_eq!(to_json(&value).expect("JSON"), serde_json::to_string(&value).expect("JSON"));
        prop_assert_eq!(to_json(&text).expect("JSON"), serde_json::to_string(&text).expect("JSON"));
    }

    #[test]
    fn a_message_means_the_same_in_any_order_of_its_members(which in any::<Index>(), mut seed in any::<u64>()) {
        static MESSAGES: std::sync::LazyLock<Vec<(From, String)>> = std::sync::LazyLock::new(messages);
        let (from, text) = which.get(&MESSAGES);
        let value: Value = serde_json::from_str(text).expect("JSON");
        let text = shuffled(&value, &mut seed);
        let encoded = |text: &str| -> Result<String, Box<dyn std::error::Error>> {
            Ok(match from {
                From::Client => ClientMessage::from_json(text)?.to_json()?,
                From::Server => ServerMessage::from_json(text)?.to_json()?,
            })
        };
        // A client that was recorded sending nonsense sends nonsense in any order.
        match (encoded(&text), encoded(&value.to_string())) {
            (Ok(shuffled), Ok(sorted)) => {
                let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
                prop_assert_eq!(parse(&shuffled), parse(&sorted));
            }
            (Err(_), Err(_)) => {}
            (shuffled, sorted) => prop_assert!(false, "{shuffled:?} {sorted:?}"),
        }
    }

    #[test]
    fn what_nobody_knows_is_preserved_whatever_it_is(name in "[a-z]{12}", value in json()) {
        let unknown = [
            ("Turn", serde_json::json!({"id": "u", "items": [], "itemsView": "full", "status": "completed", "error": null,
                "startedAt": 1, "completedAt": 2, "durationMs": 1, "rootTurnId": null, name.clone(): value.clone()})),
            ("ThreadItem", serde_json::json!({"type": name.clone(), "body": value.clone()})),
            ("ServerNotification", serde_json::json!({"method": name, "params": {"body": value}})),
        ];
        for (definition, value) in unknown {
            let recoded = find(definition).expect("a definition").recode(&value.to_string()).expect("a value");
            prop_assert_eq!((&recoded.value, recoded.unknown), (&value, 1), "{}", definition);
        }
    }

    #[test]
    fn no_text_makes_the_decoder_panic(text in ".{0,64}", cut in any::<Index>(), which in any::<Index>()) {
        static MESSAGES: std::sync::LazyLock<Vec<(From, String)>> = std::sync::LazyLock::new(messages);
        let (_, whole) = which.get(&MESSAGES);
        let mut at = cut.index(whole.len());
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        for text in [text.clone(), whole[..at].to_owned(), format!("{}{text}{}", &whole[..at], &whole[at..])] {
            let _ = (ServerMessage::from_json(&text).is_ok(), ClientMessage::from_json(&text).is_ok());
            let _ = (AnyMessage::from_json(&text).is_ok(), ServerMessage::from_slice(text.as_bytes()).is_ok());
        }
    }
}
