//! Stage 1: a full bundle as typed draft-07, in one namespace.
//!
//! What must always hold: every `$ref` names a definition of the bundle, and a
//! name that stands both at the root and under `v2` means the same in both.

use std::collections::BTreeMap;

use schemars::schema::{Schema, SchemaObject};
use serde_json::{Map, Value};

use crate::problem::{Problem, Problems};

/// All definitions of one export.
pub type Definitions = BTreeMap<String, Schema>;

/// The name that a `$ref` of the bundle points to.
pub fn ref_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// Reads a bundle.
///
/// # Errors
/// When the text is no JSON, no bundle, or no draft-07 schema as schemars reads
/// it; when a name means two things; when a `$ref` points nowhere.
pub fn load(text: &str, file: &str) -> Result<Definitions, Problems> {
    let merged = merge(text, file)?;
    let mut problems = Vec::new();
    let mut definitions = Definitions::new();
    for (name, value) in merged {
        match serde_json::from_value::<Schema>(value) {
            Ok(mut schema) => {
                if let Schema::Object(object) = &mut schema {
                    object.extensions.remove("$schema");
                }
                definitions.insert(name, schema);
            }
            Err(error) => problems.push(
                Problem::new(format!("not a draft-07 schema: {error}")).in_file(file).at(format!("/definitions/{name}")),
            ),
        }
    }
    for (name, schema) in &definitions {
        let mut visit = |object: &SchemaObject, pointer: &str| {
            if let Some(reference) = &object.reference {
                let target = ref_name(reference);
                if !reference.starts_with("#/definitions/") || !definitions.contains_key(target) {
                    problems.push(
                        Problem::new(format!("the reference `{reference}` points to nothing"))
                            .in_file(file)
                            .at(pointer)
                            .help("the export is not complete: run `cargo xtask pull` again"),
                    );
                }
            }
            if let Some(keyword) = object.extensions.keys().next() {
                problems.push(
                    Problem::new(format!("the keyword `{keyword}` has no meaning here yet"))
                        .in_file(file)
                        .at(pointer)
                        .help("teach crates/codex-rpc-codegen/src/model.rs what it means"),
                );
            }
        };
        walk(schema, &format!("/definitions/{name}"), &mut visit);
    }
    if problems.is_empty() { Ok(definitions) } else { Err(Problems(problems)) }
}

/// The definitions of a bundle as JSON, in one namespace.
///
/// # Errors
/// When the text is no JSON or no bundle, or when a name means two things.
pub fn merge(text: &str, file: &str) -> Result<Map<String, Value>, Problems> {
    let again = "the export is torn or was edited: run `cargo xtask pull` again";
    let root: Value = serde_json::from_str(text)
        .map_err(|error| Problem::new(format!("not JSON: {error}")).in_file(file).help(again))?;
    let Some(Value::Object(definitions)) = root.get("definitions") else {
        return Err(Problem::new("there are no `definitions`").in_file(file).help(again).into());
    };
    let mut merged = definitions.clone();
    let mut problems = Vec::new();
    if let Some(Value::Object(nested)) = merged.remove("v2") {
        for (name, value) in nested {
            match merged.get(&name) {
                Some(other) if without_title(other) != without_title(&value) => problems.push(
                    Problem::new(format!("`{name}` stands at the root and under v2 and is not the same in both"))
                        .in_file(file)
                        .at(format!("/definitions/{name}"))
                        .help("two types need two names: teach crates/codex-rpc-codegen/src/load.rs which is which"),
                ),
                Some(_) => {}
                None => {
                    merged.insert(name, value);
                }
            }
        }
    }
    if problems.is_empty() { Ok(merged) } else { Err(Problems(problems)) }
}

fn without_title(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        map.remove("title");
        map.remove("$schema");
    }
    value
}

/// Visits every schema object below `schema`, itself included, with its pointer.
pub fn walk(schema: &Schema, pointer: &str, visit: &mut impl FnMut(&SchemaObject, &str)) {
    let Schema::Object(object) = schema else { return };
    visit(object, pointer);
    if let Some(subschemas) = &object.subschemas {
        for (keyword, arms) in
            [("allOf", &subschemas.all_of), ("anyOf", &subschemas.any_of), ("oneOf", &subschemas.one_of)]
        {
            for (index, arm) in arms.iter().flatten().enumerate() {
                walk(arm, &format!("{pointer}/{keyword}/{index}"), visit);
            }
        }
    }
    if let Some(validation) = &object.object {
        for (name, property) in &validation.properties {
            walk(property, &format!("{pointer}/properties/{name}"), visit);
        }
        if let Some(values) = &validation.additional_properties {
            walk(values, &format!("{pointer}/additionalProperties"), visit);
        }
    }
    if let Some(items) = object.array.as_ref().and_then(|array| array.items.as_ref()) {
        match items {
            schemars::schema::SingleOrVec::Single(item) => walk(item, &format!("{pointer}/items"), visit),
            schemars::schema::SingleOrVec::Vec(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{pointer}/items/{index}"), visit);
                }
            }
        }
    }
}
