//! Each rule of the table, on a pair of releases small enough to read.

mod fields;
mod methods;
mod shown;
mod types;
mod whole;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::errata::Errata;
use crate::generate::{Input, model};
use crate::harvest::Harvest;
use crate::model::Side;

const C: Option<Verdict> = Some(Verdict::BreaksCompilation);
const R: Option<Verdict> = Some(Verdict::BreaksAtRuntime);
const T: Option<Verdict> = Some(Verdict::Tolerated);
const A: Option<Verdict> = Some(Verdict::Additive);

/// A release with one method of each side, whose types are `Sent`, `Received` and
/// `Both` by the way that they travel, and whatever else the definitions say.
fn bundle(definitions: &Value) -> Value {
    let at = |name: &str| json!({"$ref": format!("#/definitions/v2/{name}")});
    let list = |method: &str, params: Option<&str>| {
        let mut arm = json!({"type": "object", "required": ["method"],
            "properties": {"method": {"type": "string", "enum": [method]}}});
        if let Some(params) = params {
            arm["properties"]["params"] = at(params);
            arm["required"] = json!(["method", "params"]);
        }
        json!({"oneOf": [arm]})
    };
    let object = |fields: &[(&str, &str)]| {
        let properties: serde_json::Map<String, Value> =
            fields.iter().map(|(field, ty)| ((*field).to_owned(), at(ty))).collect();
        json!({"type": "object", "properties": properties})
    };
    let mut bundle = json!({"definitions": {
        "ClientRequest": list("moon/read", Some("MoonReadParams")),
        "ServerRequest": list("moon/ask", Some("MoonAskParams")),
        "ServerNotification": list("moon/risen", Some("MoonRisenNotification")),
        "ClientNotification": list("initialized", None),
        "v2": {
            "MoonReadParams": object(&[("sent", "Sent"), ("both", "Both")]),
            "MoonReadResponse": object(&[("received", "Received")]),
            "MoonAskParams": object(&[("both", "Both")]),
            "MoonAskResponse": object(&[]),
            "MoonRisenNotification": object(&[]),
            "Sent": {"type": "object"}, "Received": {"type": "object"}, "Both": {"type": "object"},
        },
    }});
    for (name, definition) in definitions.as_object().unwrap() {
        let place = if Side::ALL.iter().any(|side| side.definition() == name) {
            &mut bundle["definitions"][name]
        } else {
            &mut bundle["definitions"]["v2"][name]
        };
        *place = definition.clone();
    }
    bundle
}

/// Errata that no release was reviewed with.
const UNREVIEWED: &str = "reviewed = \"9.0.0\"\n";

/// The release of these bundles, experimental and stable, with a harvest.
fn release_of(release: &str, experimental: &Value, stable: &Value, harvest: &Harvest, errata: &str) -> Protocol {
    let review = "why = \"A test.\"\nevidence = \"None.\"\nreleases = \"*\"\n";
    let errata = errata.replace("REVIEW", review);
    let errata = Errata::parse(&errata, "errata.toml").unwrap();
    let (experimental, stable) = (experimental.to_string(), stable.to_string());
    let input = Input {
        release,
        stable: &stable,
        experimental: &experimental,
        harvest,
        errata: &errata,
        hashes: BTreeMap::new(),
    };
    model(&input).unwrap_or_else(|problems| panic!("{problems}")).protocol
}

/// The release with these definitions, all stable.
fn release(definitions: &Value) -> Protocol {
    let bundle = bundle(definitions);
    release_of("1.0.0", &bundle, &bundle, &Harvest::default(), UNREVIEWED)
}

/// The difference of two releases with these definitions.
fn between(old: &Value, new: &Value) -> Difference {
    diff(&release(old), &release(new))
}

/// The one change between two releases.
#[track_caller]
fn only(old: &Value, new: &Value) -> Change {
    let difference = between(old, new);
    let [change] = difference.changes.as_slice() else { panic!("not one change: {:#?}", difference.changes) };
    change.clone()
}

/// What a change is, in short: kind, place, direction, verdicts of old and new bindings.
type Short = (Kind, String, Direction, Option<Verdict>, Option<Verdict>);

fn short(change: &Change) -> Short {
    let verdict = |effect: &Option<Effect>| effect.as_ref().map(|effect| effect.verdict);
    let worst = verdict(&change.old_bindings).max(verdict(&change.new_bindings));
    assert!(worst.is_none_or(|worst| worst == change.verdict), "the verdict is the worse of both: {change:#?}");
    (change.kind, change.place.clone(), change.direction, verdict(&change.old_bindings), verdict(&change.new_bindings))
}

/// Demands one change for each direction of a type: `Sent`, `Received`, `Both` with
/// these verdicts of old and new bindings.
#[track_caller]
fn each_way(old: &Value, new: &Value, kind: Kind, below: &str, expected: [(Option<Verdict>, Option<Verdict>); 3]) {
    let directions = [("Sent", Direction::Sent), ("Received", Direction::Received), ("Both", Direction::Both)];
    for ((name, direction), (old_bindings, new_bindings)) in directions.into_iter().zip(expected) {
        let change = only(&json!({name: old}), &json!({name: new}));
        assert_eq!(short(&change), (kind, format!("{name}{below}"), direction, old_bindings, new_bindings));
    }
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

fn string() -> Value {
    json!({"type": "string"})
}

/// The list of a side's methods with one more or with other marks.
fn methods(arms: &[(&str, Value)]) -> Value {
    let arms = arms.iter().map(|(method, more)| {
        let mut arm = json!({"type": "object", "required": ["method"],
            "properties": {"method": {"type": "string", "enum": [method]}}});
        for (key, value) in more.as_object().unwrap() {
            match key.as_str() {
                "params" => arm["properties"]["params"] = value.clone(),
                key => arm[key] = value.clone(),
            }
        }
        arm
    });
    json!({"oneOf": arms.collect::<Vec<_>>()})
}

fn named(name: &str) -> Value {
    json!({"$ref": format!("#/definitions/v2/{name}")})
}

fn shorts(difference: &Difference) -> Vec<Short> {
    difference.changes.iter().map(short).collect()
}

fn tagged(tag: &str, arms: &[(&str, Value)]) -> Value {
    let arms = arms.iter().map(|(value, properties)| {
        let mut arm = object(properties, &[tag]);
        arm["properties"][tag] = json!({"type": "string", "enum": [value]});
        arm
    });
    json!({"oneOf": arms.collect::<Vec<_>>()})
}
