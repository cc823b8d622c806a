mod beyond;
mod bundles;

use serde_json::json;

use super::*;

/// A schema of everything upstream writes, by hand.
fn sample() -> Map<String, Value> {
    let sample = json!({
        "Name": { "type": "string", "minLength": 1 },
        "Mode": { "oneOf": [
            { "type": "string", "enum": ["fast", "slow"] },
            { "type": "string", "enum": ["off"], "description": "not at all" },
        ] },
        "Shape": {
            "properties": { "id": { "type": "string" } },
            "required": ["id"],
            "type": "object",
            "oneOf": [
                {
                    "type": "object",
                    "properties": {
                        "type": { "type": "string", "enum": ["circle"] },
                        "radius": { "type": "integer", "format": "uint8", "minimum": 1.0 },
                    },
                    "required": ["type", "radius"],
                },
                {
                    "type": "object",
                    "properties": {
                        "type": { "type": "string", "enum": ["picture"] },
                        "detail": { "anyOf": [{ "$ref": "#/definitions/v2/Mode" }, { "type": "null" }] },
                    },
                    "required": ["type"],
                    "anyOf": [
                        { "type": "object", "properties": { "url": { "type": "string" } }, "required": ["url"] },
                        { "type": "object", "properties": { "file": { "type": "string" } }, "required": ["file"] },
                    ],
                },
                {
                    "type": "object",
                    "properties": {
                        "type": { "type": "string", "enum": ["group"] },
                        "of": { "type": "array", "items": { "$ref": "#/definitions/Shape" } },
                        "best": { "$ref": "#/definitions/Shape" },
                    },
                    "required": ["type", "of"],
                },
            ],
        },
        "Trouble": { "anyOf": [
            { "type": "string", "enum": ["full", "other"] },
            {
                "type": "object", "additionalProperties": false, "required": ["failed"],
                "properties": { "failed": { "type": "object", "properties": {
                    "status": { "type": ["integer", "null"], "format": "uint16", "minimum": 0.0 },
                } } },
            },
            { "type": ["string", "object"] },
        ] },
        "Policy": { "oneOf": [
            { "type": "string", "enum": ["never"] },
            {
                "type": "object", "additionalProperties": false, "required": ["custom"],
                "properties": { "custom": { "type": "string" } },
            },
        ] },
        "Untagged": { "anyOf": [
            { "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] },
            {
                "type": "object", "required": ["blob"],
                "properties": { "blob": { "type": "string" }, "text": { "type": "string" } },
            },
        ] },
        "Open": {
            "type": "object", "additionalProperties": true,
            "properties": { "count": { "type": "integer", "format": "int64", "default": 42 } },
        },
        "One": { "oneOf": [
            { "type": "object", "properties": { "a": true }, "required": ["a"] },
            { "type": "object", "properties": { "b": true }, "required": ["b"] },
        ] },
        "Closed": {
            "type": "object", "additionalProperties": false,
            "properties": { "on": { "type": "boolean" } },
        },
        "Options": {
            "type": "object",
            "required": ["name", "ratio", "meta", "limit"],
            "properties": {
                "name": { "$ref": "#/definitions/v2/Name" },
                "mode": { "allOf": [{ "$ref": "#/definitions/v2/Mode" }], "default": "off" },
                "ratio": { "type": ["number", "null"], "format": "double" },
                "count": { "type": "integer", "format": "int64" },
                "limit": { "type": "integer", "format": "int32" },
                "size": { "type": ["integer", "null"], "format": "uint" },
                "meta": true,
                "env": { "type": "object", "additionalProperties": { "type": ["string", "null"] } },
                "inner": { "type": "object", "required": ["on"], "properties": { "on": { "type": "boolean" } } },
            },
        },
    });
    match sample {
        Value::Object(sample) => sample,
        _ => unreachable!(),
    }
}

fn of<'i>(all: &'i [Instance], definition: &str, kind: Kind) -> Vec<&'i Instance> {
    let chosen = |i: &&Instance| i.definition == definition && i.kind == kind;
    all.iter().filter(chosen).collect()
}

fn values(all: &[Instance], definition: &str, kind: Kind) -> Vec<Value> {
    let found = of(all, definition, kind).into_iter();
    found.map(|instance| instance.value.clone()).collect()
}

#[track_caller]
fn assert_has(values: &[Value], wanted: &[Value]) {
    for value in wanted {
        assert!(values.contains(value), "no {value} among {values:#?}");
    }
}

#[test]
fn nothing_lies() {
    let sample = sample();
    let maker = InstanceMaker::new(&sample);
    assert_eq!(maker.lies(&maker.all()), Vec::<String>::new());
}

#[test]
fn lies_are_found() {
    let sample = sample();
    let maker = InstanceMaker::new(&sample);
    let liar = |kind, value| Instance { definition: "Closed".to_owned(), value, kind, note: String::new() };
    let lies = maker.lies(&[
        liar(Kind::Valid, json!({ "off": 1 })),
        liar(Kind::Tolerated, json!({ "on": 1 })),
        liar(Kind::Invalid, json!({ "on": true, "off": 1 })),
    ]);
    let count = |what: &str| lies.iter().filter(|lie| lie.contains(what)).count();
    assert_eq!(count("Closed: Valid () is not valid"), 1);
    assert_eq!(count("Closed: Tolerated () can't be tolerated"), 1);
    assert_eq!(count("Closed: Invalid () is acceptable"), 1);
    assert_eq!(count("no valid value"), sample.len() - 1);
}

#[test]
fn small_definitions_are_made_completely() {
    let sample = sample();
    let all = InstanceMaker::new(&sample).all();
    let text = |instances: Vec<&Instance>| -> Vec<String> {
        let lines = instances.into_iter();
        lines.map(|i| format!("{} | {}", i.value, i.note)).collect()
    };
    assert_eq!(
        text(of(&all, "Closed", Kind::Valid)),
        ["{} | minimal", r#"{"on":true} | full"#, r#"{"on":false} | false at /on"#,]
    );
    assert_eq!(
        text(of(&all, "Mode", Kind::Valid)),
        [
            r#""fast" | enum value "fast" at the root"#,
            r#""slow" | enum value "slow" at the root"#,
            r#""off" | enum value "off" at the root"#,
        ]
    );
    let made = text(of(&all, "Closed", Kind::Tolerated));
    assert_eq!(made.len(), 1);
    assert!(made[0].ends_with("| unknown field at the root, closed object"));
    assert_eq!(text(of(&all, "Mode", Kind::Tolerated)), [r#""xUnknown" | unknown enum value at the root"#]);
    assert_eq!(text(of(&all, "Mode", Kind::Invalid)), ["5 | wrong type at the root: 5"]);
    assert_eq!(
        text(of(&all, "Closed", Kind::Invalid)),
        ["[] | wrong type at the root: []", r#"{"on":"x"} | wrong type at /on: "x""#,]
    );
}

#[test]
fn strings_are_awkward() {
    let sample = sample();
    let names = values(&InstanceMaker::new(&sample).all(), "Name", Kind::Valid);
    assert!(!names.contains(&json!("")), "minLength");
    for part in ["\"", "\\", "\n", "\u{1}", "ключ", "🦀"] {
        let found = names.iter().any(|name| name.as_str().is_some_and(|n| n.contains(part)));
        assert!(found, "{part:?}");
    }
}

#[test]
fn every_arm_and_enum_value_appears() {
    let sample = sample();
    let all = InstanceMaker::new(&sample).all();
    assert_has(
        &values(&all, "Shape", Kind::Valid),
        &[
            json!({ "type": "circle", "id": "text", "radius": 1 }),
            json!({ "type": "circle", "id": "text", "radius": 255 }),
            json!({ "type": "picture", "id": "text", "url": "text" }),
            json!({ "type": "picture", "id": "text", "file": "text" }),
            json!({ "type": "picture", "id": "text", "url": "text", "detail": null }),
            json!({ "type": "picture", "id": "text", "url": "text", "detail": "slow" }),
            json!({ "type": "group", "id": "text", "of": [] }),
            json!({ "type": "group", "id": "text", "of": [
                { "type": "picture", "id": "text", "file": "text" },
            ] }),
        ],
    );
    assert_has(
        &values(&all, "Trouble", Kind::Valid),
        &[
            json!("full"),
            json!("other"),
            json!({ "failed": {} }),
            json!({ "failed": { "status": null } }),
            json!({ "failed": { "status": 65535 } }),
        ],
    );
    let open = of(&all, "Trouble", Kind::Valid);
    let open = open.iter().filter(|i| i.note.contains("open arm"));
    let open: Vec<bool> = open.map(|i| i.value.is_object()).collect();
    assert_eq!(open, [true, false], "one object, one string");
    assert_has(&values(&all, "Policy", Kind::Valid), &[json!("never"), json!({ "custom": "text" })]);
}

#[test]
fn an_untagged_value_is_of_one_arm() {
    let sample = sample();
    let made = values(&InstanceMaker::new(&sample).all(), "Untagged", Kind::Valid);
    assert_has(&made, &[json!({ "text": "text" }), json!({ "blob": "text" })]);
    let both = |value: &Value| value.get("text").is_some() && value.get("blob").is_some();
    assert!(!made.iter().any(both), "{made:#?}");
}

#[test]
fn properties_are_tried_one_by_one() {
    let sample = sample();
    let made = values(&InstanceMaker::new(&sample).all(), "Options", Kind::Valid);
    let base = json!({ "name": "text", "ratio": 0.5, "meta": "anything", "limit": 1 });
    let with = |name: &str, value: Value| {
        let mut base = base.clone();
        base[name] = value;
        base
    };
    assert_has(
        &made,
        &[
            base.clone(),
            with("count", json!(i64::MIN)),
            with("count", json!(i64::MAX)),
            with("limit", json!(i32::MIN)),
            with("size", json!(0)),
            with("size", json!(u64::MAX)),
            with("size", Value::Null),
            with("ratio", json!(0.1)),
            with("ratio", json!(-1.5e300)),
            with("ratio", json!(3.0)),
            with("ratio", Value::Null),
            with("meta", Value::Null),
            with("mode", json!("slow")),
            with("mode", json!("off")),
            with("env", json!({})),
            with("env", json!({ "key": null })),
            with("inner", json!({ "on": true })),
        ],
    );
    let odd = made.iter().find(|value| value["env"].get("").is_some());
    assert!(odd.is_some_and(|value| value["env"].get("a b").is_some()));
    // Absent where everything else is there.
    let whole = |value: &&Value| value.get("count").is_some() && value.get("env").is_some();
    assert!(made.iter().filter(whole).any(|value| value.get("size").is_none()));
}

#[test]
fn defaults_and_declared_fields_are_written_out() {
    let sample = sample();
    let all = InstanceMaker::new(&sample).all();
    let made = values(&all, "Open", Kind::Valid);
    let additional = json!({ "an additional 🦀 field": "anything" });
    assert_has(&made, &[json!({ "count": 42 }), additional]);
    // Where any field is declared, none is unknown.
    assert!(of(&all, "Open", Kind::Tolerated).is_empty());
}

#[test]
fn envelopes_are_tried_once() {
    let arm = |method: &str| {
        json!({
            "type": "object", "required": ["id", "method", "params"],
            "properties": {
                "id": { "type": "integer", "format": "int64" },
                "method": { "type": "string", "enum": [method] },
                "params": { "$ref": "#/definitions/v2/Params" },
            },
        })
    };
    let mut definitions = Map::new();
    definitions.insert("ClientRequest".to_owned(), json!({ "oneOf": [arm("a"), arm("b")] }));
    definitions.insert("Params".to_owned(), json!({ "type": "object", "properties": { "on": { "type": "boolean" } } }));
    let all = InstanceMaker::new(&definitions).all();
    let valid = values(&all, "ClientRequest", Kind::Valid);
    let ids = |method: &str| {
        let of_method = valid.iter().filter(|value| value["method"] == method);
        of_method.filter(|value| value["id"] == json!(i64::MAX)).count()
    };
    assert_eq!((ids("a"), ids("b")), (1, 0));
    assert_has(&valid, &[json!({ "id": 1, "method": "b", "params": { "on": true } })]);
    let tolerated = of(&all, "ClientRequest", Kind::Tolerated);
    assert_eq!(tolerated.len(), 1);
    assert_eq!(tolerated[0].value["method"], "x/unknown");
    assert_eq!(tolerated[0].value["id"], 1);
    let invalid = values(&all, "ClientRequest", Kind::Invalid);
    assert_has(&invalid, &[json!({ "id": 1, "method": "b" })]);
    assert!(!invalid.contains(&json!({ "method": "b", "params": {} })));
}

#[test]
fn recursion_ends_and_what_has_no_value_is_told() {
    let Value::Object(definitions) = json!({
        "Tree": { "type": "object", "required": ["children"], "properties": {
            "children": { "type": "array", "items": { "$ref": "#/definitions/Tree" } },
            "parent": { "anyOf": [{ "$ref": "#/definitions/Tree" }, { "type": "null" }] },
        } },
        "Json": { "anyOf": [
            { "type": "object", "additionalProperties": { "$ref": "#/definitions/Json" } },
            { "type": "array", "items": { "$ref": "#/definitions/Json" } },
            { "type": "boolean" },
        ] },
        "Endless": { "type": "object", "required": ["next"], "properties": {
            "next": { "$ref": "#/definitions/Endless" },
        } },
        "Dangling": { "$ref": "#/definitions/Nowhere" },
    }) else {
        unreachable!()
    };
    let maker = InstanceMaker::new(&definitions);
    let all: Vec<Instance> =
        ["Dangling", "Endless", "Json", "Tree"].into_iter().flat_map(|name| maker.for_definition(name)).collect();
    assert_eq!(maker.lies(&all), ["Dangling: no valid value could be made", "Endless: no valid value could be made"]);
    assert_has(&values(&all, "Tree", Kind::Valid), &[json!({ "children": [] })]);
    assert!(all.len() < 10_000, "{}", all.len());
}

#[test]
fn the_validator_reads_the_letter() {
    let sample = sample();
    let maker = InstanceMaker::new(&sample);
    let cases = [
        ("Name", json!(""), false, true),
        ("Mode", json!("later"), false, true),
        ("Mode", json!(null), false, false),
        ("Shape", json!({ "type": "circle", "id": "", "radius": 0 }), false, true),
        ("Shape", json!({ "type": "circle", "id": "", "radius": 256 }), false, false),
        ("Shape", json!({ "type": "circle", "id": "", "radius": 2.0 }), true, true),
        ("Shape", json!({ "type": "circle", "radius": 2 }), false, false),
        ("Shape", json!({ "type": "square" }), false, true),
        ("Shape", json!({ "type": 1, "id": "" }), false, false),
        ("Shape", json!({ "type": "picture", "id": "" }), false, false),
        ("Trouble", json!({ "failed": 5 }), true, true),
        ("Trouble", json!(5), false, false),
        ("Policy", json!({ "custom": 5 }), false, false),
        ("Policy", json!({ "more": 5 }), false, true),
        ("Policy", json!({ "more": 5, "custom": 5 }), false, false),
        ("Closed", json!({ "on": true, "off": 1 }), false, true),
        ("Closed", json!({ "on": null }), false, true),
        ("One", json!({ "a": 1 }), true, true),
        ("One", json!({ "a": 1, "b": 1 }), false, true),
        ("Nowhere", json!({}), false, false),
    ];
    for (name, value, strict, lenient) in cases {
        assert_eq!(maker.accepts(name, &value), strict, "{name} {value}");
        assert_eq!(maker.tolerates(name, &value), lenient, "{name} {value}");
    }
}

#[test]
fn lines_are_json() {
    let sample = sample();
    let maker = InstanceMaker::new(&sample);
    let all = maker.all();
    let lines = to_jsonl(&all);
    assert_eq!(lines.lines().count(), all.len());
    for (line, instance) in lines.lines().zip(&all) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["type"], instance.definition);
        assert_eq!(line["value"], instance.value);
        assert_eq!(line["kind"], format!("{:?}", instance.kind).to_lowercase());
        assert_eq!(line["note"], instance.note);
        assert_eq!(line.as_object().unwrap().len(), 4);
    }
    assert_eq!(to_jsonl(&maker.all()), lines, "the same twice");
}
