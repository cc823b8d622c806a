//! Whether every name can stand in Rust, and stands for one thing only.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use crate::family;
use crate::model::{Definition, Protocol, Rest, Shape};
use crate::names::is_identifier;
use crate::problem::{Problem, Problems};

/// Names that a definition must not have, because the generated code uses them.
const RESERVED: [&str; 21] = [
    "Box",
    "Default",
    "Encode",
    "Extra",
    "From",
    "Into",
    "Map",
    "MapAccess",
    "None",
    "Option",
    "Output",
    "Record",
    "Result",
    "Shape",
    "Slot",
    "Some",
    "String",
    "Tristate",
    "Value",
    "Vec",
    "Self",
];

/// Modules that are no family's.
const MODULES: [&str; 8] =
    ["messages", "mod", "notifications", "registry", "requests", "server_requests", "table", "types"];

const NAMES: &str = "give one of them another Rust name in crates/codex-rpc-codegen/src/names.rs";

/// Checks a model before it is written.
pub(super) fn check(protocol: &Protocol, facts: &Facts) -> Result<(), Problems> {
    let mut problems = Vec::new();
    types(protocol, &mut problems);
    for definition in protocol.definitions.values().filter(|definition| !definition.by_hand) {
        variants(definition, &mut problems);
        fields(definition, &mut problems);
        keys(definition, &mut problems);
    }
    for method in protocol.methods.iter().filter(|method| !is_identifier(&method.rust)) {
        problems.push(no_name(&method.wire, &method.rust).at(format!("/definitions/{}", method.side.definition())));
    }
    modules(protocol, facts, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

fn no_name(wire: &str, rust: &str) -> Problem {
    Problem::new(format!("`{wire}` is no name in Rust, and neither is `{rust}`"))
        .help("teach crates/codex-rpc-codegen/src/names.rs how to call it")
}

/// Two types of one name, or a name that the generated code needs.
fn types(protocol: &Protocol, problems: &mut Vec<Problem>) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for definition in protocol.definitions.values().filter(|definition| !definition.by_hand) {
        let records = definition.records().into_iter().map(|(name, _)| name.to_owned());
        let mut all: BTreeSet<String> = records.collect();
        all.insert(definition.rust.clone());
        for name in all {
            if !is_identifier(&name) {
                problems.push(no_name(&definition.name, &name).at(&definition.pointer));
            }
            if RESERVED.contains(&name.as_str()) {
                problems.push(
                    Problem::new(format!("the generated code needs the name `{name}` for itself"))
                        .at(&definition.pointer)
                        .help("give the definition another Rust name in crates/codex-rpc-codegen/src/names.rs"),
                );
            }
            if let Some(other) = names.insert(name.clone(), definition.pointer.clone()) {
                problems.push(
                    Problem::new(format!("two types are called `{name}` in Rust; the other is {other}"))
                        .at(&definition.pointer)
                        .help(NAMES),
                );
            }
        }
    }
}

/// Two variants of one name. `Unrecognized` stands for what a union does not know.
fn variants(definition: &Definition, problems: &mut Vec<Problem>) {
    let by_name = "give one of them another Rust name: add it to `name` in protocol-schema/errata.toml";
    let (variants, help): (Vec<(&str, &str)>, _) = match &definition.shape {
        Shape::StringEnum(values) => {
            (values.iter().map(|value| (value.wire.as_str(), value.rust.as_str())).collect(), by_name)
        }
        Shape::Tagged { arms, .. } => {
            (arms.iter().map(|arm| (arm.wire.as_str(), arm.variant.as_str())).collect(), by_name)
        }
        Shape::External { units, keys, .. } => {
            let units = units.iter().map(|value| (value.wire.as_str(), value.rust.as_str()));
            (units.chain(keys.iter().map(|arm| (arm.wire.as_str(), arm.variant.as_str()))).collect(), by_name)
        }
        Shape::Untagged(arms) => {
            let help = "give one of them another name in `untagged` in protocol-schema/errata.toml";
            (arms.iter().map(|arm| (arm.variant.as_str(), arm.variant.as_str())).collect(), help)
        }
        Shape::Record(_) | Shape::Newtype(_) | Shape::Nullable(_) | Shape::Methods => return,
    };
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    if !matches!(definition.shape, Shape::Untagged(_)) {
        names.insert("Unrecognized", "what this release does not know");
    }
    for (wire, rust) in variants {
        if !is_identifier(rust) {
            let problem = Problem::new(format!("`{wire}` is no name in Rust, and neither is `{rust}`"));
            let help = "give it one: add it to `name` in protocol-schema/errata.toml";
            problems.push(problem.at(&definition.pointer).help(help));
        }
        if let Some(other) = names.insert(rust, wire) {
            problems.push(
                Problem::new(format!("`{other}` and `{wire}` are both `{rust}` in Rust"))
                    .at(&definition.pointer)
                    .help(help),
            );
        }
    }
}

/// Fields without a name, and a map that has a field's name.
fn fields(definition: &Definition, problems: &mut Vec<Problem>) {
    for (_, record) in definition.records() {
        for field in record.fields.iter().filter(|field| !is_identifier(&field.rust)) {
            problems.push(no_name(&field.wire, &field.rust).at(&definition.pointer));
        }
        if let Rest::Entries { rust, .. } = &record.rest
            && let Some(field) = record.fields.iter().find(|field| field.rust == *rust)
        {
            problems.push(
                Problem::new(format!("`{}` and the map beside it are both `{rust}` in Rust", field.wire))
                    .at(&definition.pointer)
                    .help("give the map another name in `flattened` in protocol-schema/errata.toml"),
            );
        }
    }
}

/// Names of members that are written into the generated code as they stand in JSON.
fn keys(definition: &Definition, problems: &mut Vec<Problem>) {
    let mut names: Vec<&str> =
        definition.records().into_iter().flat_map(|(_, record)| &record.fields).map(|field| &*field.wire).collect();
    match &definition.shape {
        Shape::Tagged { tag, .. } => names.push(tag),
        Shape::External { keys, .. } => names.extend(keys.iter().map(|arm| &*arm.wire)),
        _ => {}
    }
    for name in names {
        if name.contains(|character: char| character.is_ascii_control() || matches!(character, '"' | '\\')) {
            problems.push(
                Problem::new(format!("{name:?} would need escapes in JSON"))
                    .at(&definition.pointer)
                    .help("teach `field` in crates/codex-rpc/src/runtime/output.rs to escape the names of members"),
            );
        }
    }
}

/// A family whose module would have the place of another file.
fn modules(protocol: &Protocol, facts: &Facts, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for method in &protocol.methods {
        let module = family::of_method(&method.wire, &facts.families);
        let taken = MODULES.contains(&module.as_str());
        if (taken || !is_identifier(&module)) && seen.insert(module.clone()) {
            let what = if taken { "something else has its place" } else { "it is no name in Rust" };
            problems.push(
                Problem::new(format!("`{}` can't be in a module `{module}`: {what}", method.wire))
                    .at(format!("/definitions/{}", method.side.definition()))
                    .help("give its family another module in `families` in protocol-schema/errata.toml"),
            );
        }
    }
}
