//! What is beyond the schema: unknowns and mutations.

use serde_json::json;

use super::*;

#[test]
fn mutations_are_made() {
    let sample = sample();
    let all = InstanceMaker::new(&sample).all();
    let base = json!({ "name": "text", "ratio": 0.5, "meta": "anything", "limit": 1 });
    let with = |name: &str, value: Value| {
        let mut base = base.clone();
        base[name] = value;
        base
    };
    let made = values(&all, "Options", Kind::Invalid);
    assert_has(
        &made,
        &[
            json!([]),
            json!({ "ratio": 0.5, "meta": "anything", "limit": 1 }),
            json!({ "name": "text", "meta": "anything", "limit": 1 }),
            json!({ "name": "text", "ratio": 0.5, "limit": 1 }),
            with("name", json!(5)),
            with("name", Value::Null),
            with("mode", json!(5)),
            with("ratio", json!("x")),
            with("count", json!(1.5)),
            with("limit", json!(2_147_483_648_i64)),
            with("limit", json!(-2_147_483_649_i64)),
            with("size", json!(-1)),
            with("env", json!([])),
            with("env", json!({ "key": 5 })),
            with("inner", json!({})),
            with("inner", json!({ "on": "x" })),
        ],
    );
    for never in
        [with("meta", Value::Null), with("ratio", Value::Null), with("count", Value::Null), with("mode", json!("x"))]
    {
        assert!(!made.contains(&never), "{never}");
    }
    let shape = of(&all, "Shape", Kind::Invalid);
    let noted = |note: &str| shape.iter().filter(|i| i.note.contains(note)).count();
    // Two for the picture, which has two forms.
    assert_eq!(noted("missing tag /type"), 4);
    assert_eq!(noted("(type=circle), known tag with a bad body"), 5);
    assert_has(
        &values(&all, "Shape", Kind::Invalid),
        &[
            json!({ "type": "circle", "id": "text", "radius": 256 }),
            json!({ "type": "picture", "id": "text" }),
            json!({ "type": "picture", "id": "text", "url": 5 }),
            json!({ "type": "group", "id": "text", "of": [[]] }),
        ],
    );
    // Upstream's open arm takes any object; a known key does not save a union
    // without one.
    assert_eq!(values(&all, "Trouble", Kind::Invalid), [json!(5)]);
    let made = values(&all, "Policy", Kind::Invalid);
    assert_has(&made, &[json!({ "custom": 5 }), json!({ "custom": null })]);
}

#[test]
fn unknowns_are_made() {
    let sample = sample();
    let all = InstanceMaker::new(&sample).all();
    let has = |name: &str, noted: &[&str]| {
        let made = of(&all, name, Kind::Tolerated);
        for note in noted {
            let found = made.iter().any(|i| i.note == *note);
            assert!(found, "no {note} among {made:#?}");
        }
    };
    has(
        "Shape",
        &[
            "unknown tag at the root, with content",
            "unknown field at the root (type=circle)",
            "unknown field at the root (type=picture with url)",
            "unknown enum value at /detail (type=picture with url)",
            "unknown tag at /best, with content (type=group)",
            "unknown tag at /of/0, with content (type=group)",
        ],
    );
    has("Policy", &["unknown string at the root", "unknown one-key object at the root"]);
    has("Options", &["unknown enum value at /mode", "unknown field at /inner"]);
    // What all arms share stays with an unknown tag.
    let made = values(&all, "Shape", Kind::Tolerated);
    let unknown = |value: &&Value| value["type"] == "xUnknown";
    assert!(made.iter().filter(unknown).all(|value| value["id"] == "text"));
    // The note tells the truth.
    for instance in all.iter().filter(|i| i.note.starts_with("unknown field at the root")) {
        assert!(instance.value.get("xUnknownField").is_some(), "{instance:?}");
    }
    // A one-key object has one key.
    let made = values(&all, "Policy", Kind::Tolerated);
    assert!(made.iter().filter_map(Value::as_object).all(|object| object.len() == 1));
}
