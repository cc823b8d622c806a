//! Every line that the real executable said, in each of three releases.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use codex_rpc_client::exec::{ExecEvent, ExecItem};
use serde_json::Value;

/// The lines, by release and scenario.
fn recordings() -> Vec<(String, String, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exec");
    let sorted = |folder: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut all = Vec::new();
    for release in sorted(&folder).into_iter().filter(|path| path.is_dir()) {
        for file in sorted(&release) {
            let lines = fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
            all.push((release.file_name().unwrap().to_str().unwrap().to_owned(), name(&file), lines));
        }
    }
    all
}

/// The members in order, with their names: what is written twice counts twice. Lines
/// have no spaces between tokens, so sorted members of two lines compare.
fn members(line: &str) -> Vec<String> {
    let mut members: Vec<String> = line.split([',', '{', '}']).map(str::to_owned).collect();
    members.sort();
    members
}

#[test]
fn every_line_is_given_back_as_it_was() {
    let mut lines_by_release = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    for (release, scenario, lines) in recordings() {
        for line in lines {
            let event: ExecEvent =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{release} {scenario}: {error}: {line}"));
            let again = serde_json::to_string(&event).unwrap();
            let values = [&line, &again].map(|text| serde_json::from_str::<Value>(text).unwrap());
            assert_eq!(values[0], values[1], "{release} {scenario}");
            // Codex writes some members twice, which a value does not show.
            assert_eq!(members(&line), members(&again), "{release} {scenario}");
            let value = serde_json::to_value(&event).unwrap();
            let kind =
                [&value["type"], &value["item"]["type"]].map(|kind| kind.as_str().unwrap_or_default().to_owned());
            *kinds.entry(kind.join(" ").trim().to_owned()).or_insert(0) += 1;
            *lines_by_release.entry(release.clone()).or_insert(0) += 1;
            let item = match &event {
                ExecEvent::ItemStarted(event) | ExecEvent::ItemUpdated(event) | ExecEvent::ItemCompleted(event) => {
                    Some(&event.item)
                }
                ExecEvent::Unrecognized(_) => panic!("{release} {scenario}: {line}"),
                _ => None,
            };
            assert!(!matches!(item, Some(ExecItem::Unrecognized(_))), "{release} {scenario}: {line}");
        }
    }
    println!("{lines_by_release:?}\n{kinds:#?}");
    assert_eq!(lines_by_release.keys().collect::<Vec<_>>(), ["0.150.1", "0.160.1", "0.169.0"]);
    for kind in [
        "thread.started",
        "turn.started",
        "turn.completed",
        "turn.failed",
        "error",
        "item.updated todo_list",
        "item.completed agent_message",
        "item.completed reasoning",
        "item.completed command_execution",
        "item.completed file_change",
        "item.completed mcp_tool_call",
        "item.completed collab_tool_call",
        "item.completed web_search",
        "item.completed todo_list",
        "item.completed error",
    ] {
        assert!(kinds.contains_key(kind), "{kind} was not recorded");
    }
}

#[test]
fn a_recording_has_no_member_and_no_value_that_the_types_do_not_know() {
    let mut values = 0;
    for (release, scenario, lines) in recordings() {
        for line in lines {
            let text = format!("{:?}", serde_json::from_str::<ExecEvent>(&line).unwrap());
            // Whatever is unknown shows in `Debug`: members in an `extra` that is not
            // empty, texts as `Unrecognized`.
            assert!(!text.contains("Unrecognized"), "{release} {scenario}: {text}");
            let extras =
                text.match_indices("extra: {").filter(|(at, found)| !text[at + found.len()..].starts_with('}'));
            assert_eq!(extras.count(), 0, "{release} {scenario}: {text}");
            values += 1;
        }
    }
    assert!(values > 100, "{values}");
}

#[test]
fn without_one_of_its_members_no_line_can_be_read() {
    /// Members that may be missing.
    const OPTIONAL: [&str; 7] =
        ["action", "cache_write_input_tokens", "reasoning_output_tokens", "query", "queries", "url", "pattern"];
    let mut tried = 0;
    for (release, scenario, lines) in recordings() {
        for line in lines {
            let value: Value = serde_json::from_str(&line).unwrap();
            for pointer in ["", "/item", "/usage", "/error", "/item/changes/0", "/item/items/0", "/item/result"] {
                let Some(Value::Object(object)) = value.pointer(pointer) else { continue };
                for key in object.keys() {
                    // A search's query is required, its action's is not.
                    if OPTIONAL.contains(&key.as_str()) {
                        continue;
                    }
                    let mut less = value.clone();
                    less.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key);
                    let read = serde_json::from_value::<ExecEvent>(less);
                    assert!(read.is_err(), "{release} {scenario}: without {pointer}/{key}: {read:?}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

#[test]
fn a_web_search_has_both_of_its_ids() {
    let line = r#"{"type":"item.completed","item":{"id":"item_5","type":"web_search","id":"ws-1","query":"q","action":{"type":"new","x":1},"y":2}}"#;
    let event: ExecEvent = serde_json::from_str(line).unwrap();
    let ExecEvent::ItemCompleted(completed) = &event else { panic!("{event:?}") };
    let ExecItem::WebSearch(search) = &completed.item else { panic!("{event:?}") };
    assert_eq!((search.id.as_str(), search.search_id.as_deref()), ("item_5", Some("ws-1")));
    let again = serde_json::to_string(&event).unwrap();
    assert_eq!(members(line), members(&again));
    assert_eq!(event, serde_json::from_str(&again).unwrap());
}

#[test]
fn what_is_unknown_is_kept() {
    for line in [
        r#"{"type":"thread.paused","item":{"type":"x","id":1},"n":[1.5]}"#,
        r#"{"type":"thread.paused","item":3}"#,
        r#"{"type":"item.completed","item":{"id":"item_0","type":"image","path":"x"},"at":1}"#,
        r#"{"type":"item.started","item":{"id":"item_0","type":"agent_message","text":"x","phase":null}}"#,
        r#"{"type":"item.started","item":{"id":"item_0","type":"file_change","changes":[{"path":"x","kind":"copy","to":"y"}],"status":"paused"}}"#,
        r#"{"type":"error","message":"x","code":7}"#,
    ] {
        let event: ExecEvent = serde_json::from_str(line).unwrap();
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), value);
    }
    let event: ExecEvent =
        serde_json::from_str(r#"{"type":"item.completed","item":{"id":"i","type":"image"}}"#).unwrap();
    let ExecEvent::ItemCompleted(completed) = &event else { panic!("{event:?}") };
    assert_eq!((completed.item.id(), completed.item.kind()), (Some("i"), Some("image")));
}

#[test]
fn an_error_says_which_event_and_which_item() {
    let error = |line| serde_json::from_str::<ExecEvent>(line).unwrap_err().to_string();
    let said = error(r#"{"type":"item.completed","item":{"id":"i","type":"agent_message"}}"#);
    assert!(said.starts_with("item.completed: agent_message: missing field `text`"), "{said}");
    assert!(error(r#"{"type":"item.completed"}"#).starts_with("item.completed: missing field `item`"));
    assert!(error(r#"{"type":"item.completed","item":[]}"#).starts_with("item.completed: `item` is no object"));
    assert!(error(r#"{"kind":"x"}"#).starts_with("missing field `type`"));
    assert!(error("[]").contains("expected an event"), "{}", error("[]"));
}
