//! Values made from the schema through the bindings, and past a second judge.

use std::collections::{BTreeMap, BTreeSet};

use codex_rpc::registry::{definitions, find};
use codex_rpc_codegen::errata::Errata;
use codex_rpc_codegen::generate::{Input, Outcome, model};
use codex_rpc_codegen::harvest::Harvest;
use codex_rpc_codegen::instances::{Instance, InstanceMaker, Kind};
use codex_rpc_testkit::report;
use codex_rpc_testkit::round_trip::RoundTrip;
use codex_rpc_tests::read;
use serde_json::{Map, Value, json};

fn schema() -> Outcome {
    let harvest = Harvest::from_json(&read("protocol-schema/harvest.json")).expect("the harvest");
    let errata = Errata::parse(&read("protocol-schema/errata.toml"), "errata.toml").expect("the errata");
    model(&Input {
        release: codex_rpc::CODEX_VERSION,
        stable: &read("protocol-schema/stable.json"),
        experimental: &read("protocol-schema/experimental.json"),
        harvest: &harvest,
        errata: &errata,
        hashes: BTreeMap::new(),
    })
    .expect("the model")
}

fn published() -> Map<String, Value> {
    let definitions = schema().published;
    definitions.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).expect("JSON"))).collect()
}

fn instances(definitions: &Map<String, Value>) -> Vec<Instance> {
    InstanceMaker::new(definitions).all()
}

#[test]
fn every_definition_of_the_schema_is_in_the_registry_and_has_instances() {
    let schema = published();
    let registered: BTreeSet<&str> =
        definitions().iter().filter(|definition| !definition.inner).map(|definition| definition.name).collect();
    let published: BTreeSet<&str> = schema.keys().map(String::as_str).collect();
    assert_eq!(registered, published);
    assert_eq!(published.len(), 950);
    let all = instances(&schema);
    let valid: BTreeSet<&str> = all
        .iter()
        .filter(|instance| instance.kind == Kind::Valid)
        .map(|instance| instance.definition.as_str())
        .collect();
    assert_eq!(valid, published);
}

#[test]
fn valid_instances_come_back_equal_invalid_ones_are_rejected_tolerated_ones_preserved() {
    let all = instances(&published());
    let mut counts = BTreeMap::new();
    let mut lines = String::new();
    for instance in &all {
        *counts.entry(instance.kind.as_str()).or_insert(0) += 1;
        let line = json!({"type": instance.definition, "value": instance.value, "kind": instance.kind.as_str()});
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    let mut trip = RoundTrip::new();
    trip.instances("instances", lines.as_bytes());
    let outcome = trip.finish();
    assert!(outcome.is_exact(), "{}", report::text(&outcome));
    assert_eq!(outcome.total().exact, all.len());
    assert_eq!(counts, BTreeMap::from([("invalid", 8882), ("tolerated", 1675), ("valid", 14128)]));
}

#[test]
fn valid_instances_are_valid_to_jsonschema_before_and_after_the_round_trip() {
    let schema = published();
    let all = instances(&schema);
    // References of the bundle lead to `v2` or past it; here all stand in one place.
    let text = serde_json::to_string(&schema).expect("JSON").replace("#/definitions/v2/", "#/definitions/");
    let definitions: Value = serde_json::from_str(&text).expect("JSON");
    let one_each: Map<String, Value> =
        schema.keys().map(|name| (name.clone(), json!({"$ref": format!("#/definitions/{name}")}))).collect();
    let validator = jsonschema::draft7::new(&json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": one_each,
        "additionalProperties": false,
        "definitions": definitions,
    }))
    .expect("a schema");
    let judge = |name: &str, value: &Value| {
        let value = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
        validator.validate(&value).map_err(|error| error.to_string())
    };
    let mut judged = 0;
    for instance in all.iter().filter(|instance| instance.kind == Kind::Valid) {
        let what = || format!("{}: {} ({})", instance.definition, instance.value, instance.note);
        if let Err(error) = judge(&instance.definition, &instance.value) {
            panic!("{}: {error}", what());
        }
        let recoded = find(&instance.definition)
            .expect("a definition")
            .recode(&instance.value.to_string())
            .unwrap_or_else(|error| panic!("{}: {error}", what()));
        if let Err(error) = judge(&instance.definition, &recoded.value) {
            panic!("after the round trip: {} → {}: {error}", what(), recoded.value);
        }
        judged += 1;
    }
    assert_eq!(judged, 14128);
}
