//! Which thread, turn and item a message of the server is about, found by the
//! dispatcher and found in the JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use codex_rpc::{CODEX_VERSION, Direction, METHODS, Message, MethodKind, ServerMessage};
use codex_rpc_codegen::instances::{InstanceMaker, Kind};
use codex_rpc_dispatch::{Route, Routed as _};
use codex_rpc_tests::{read, transcripts};
use serde_json::{Map, Value, json};

/// Their items are the model's own, not the thread's: they may have an id, of another
/// kind.
const RAW: [&str; 2] = ["rawResponseItem/completed", "thread/realtime/itemAdded"];

/// The ids, by the names they have on the wire.
fn found(message: &Value) -> [Option<&str>; 3] {
    let text = |pointer: &str| message["params"].pointer(pointer)?.as_str();
    [
        text("/threadId").or_else(|| text("/conversationId")).or_else(|| text("/thread/id")),
        text("/turnId").or_else(|| text("/turn/id")),
        text("/itemId").or_else(|| text("/item/id")).filter(|_| !RAW.iter().any(|method| message["method"] == *method)),
    ]
}

/// The route of a message beside what its JSON says; none if it is another kind.
#[track_caller]
fn compare(message: &Value) -> Option<[bool; 3]> {
    let line = message.to_string();
    let decoded = ServerMessage::from_json(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let route = match &decoded {
        Message::Notification(notification) => notification.payload.route(),
        Message::Request(request) => request.payload.route(),
        Message::Response(_) | Message::Error(_) => return None,
    };
    let [thread, turn, item] = found(message);
    assert_eq!(route, Route::new(thread, turn, item), "{line}");
    Some([thread, turn, item].map(|id| id.is_some()))
}

#[test]
fn every_message_of_the_recorded_sessions_is_routed_by_the_ids_in_its_params() {
    let mut seen = [0; 3];
    for path in transcripts(CODEX_VERSION) {
        let text = fs::read_to_string(&path).expect("a transcript");
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            if line["from"] == "server"
                && let Some(ids) = compare(&line["message"])
            {
                for (count, id) in seen.iter_mut().zip(ids) {
                    *count += usize::from(id);
                }
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

/// The definitions of the export as upstream wrote them.
fn definitions() -> Map<String, Value> {
    let bundle: Value = serde_json::from_str(&read("protocol-schema/experimental.json")).expect("the bundle");
    let mut definitions = bundle["definitions"].as_object().expect("definitions").clone();
    let inner = definitions.remove("v2").expect("definitions of the second version");
    definitions.extend(inner.as_object().expect("definitions").clone());
    let text = Value::Object(definitions).to_string().replace("#/definitions/v2/", "#/definitions/");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_method_of_the_server_is_routed_by_the_ids_that_its_schema_names() {
    let definitions = definitions();
    let maker = InstanceMaker::new(&definitions);
    // How many methods have each id in at least one of their instances.
    let mut methods: BTreeMap<&str, [bool; 3]> = BTreeMap::new();
    let mut without = BTreeSet::new();
    for info in METHODS.iter().filter(|info| info.direction == Direction::ServerToClient) {
        let mut tried = 0;
        for instance in info.params.map(|name| maker.for_definition(name)).unwrap_or_default() {
            let mut message = json!({"method": info.method, "params": instance.value});
            if info.kind == MethodKind::Request {
                message["id"] = json!(1);
            }
            if instance.kind != Kind::Valid || ServerMessage::from_json(&message.to_string()).is_err() {
                continue;
            }
            tried += 1;
            let ids = compare(&message).expect("a request or notification");
            let known = methods.entry(info.method).or_default();
            *known = [0, 1, 2].map(|place| known[place] || ids[place]);
        }
        if tried == 0 {
            without.insert(info.method);
        }
    }
    assert_eq!(without, BTreeSet::new(), "methods without an instance");
    let count = |place: usize| methods.values().filter(|ids| ids[place]).count();
    assert_eq!([count(0), count(1), count(2)], [76, 39, 19], "methods with a thread, a turn, an item");
}
