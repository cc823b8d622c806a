//! All stages in a row: from what a release published to the source of its
//! bindings.

use std::collections::{BTreeMap, BTreeSet};

use crate::emit::{self, Facts, Files};
use crate::errata::{self, Errata};
use crate::harvest::Harvest;
use crate::load::{self, Definitions};
use crate::model::{Definition, Method, Protocol, Shape, Side};
use crate::normalise::{self, Rewrite};
use crate::problem::{Problem, Problems};
use crate::{layout, link, shape, typescript_only};

/// What `protocol-schema/` holds of a release.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the caller fills it")]
pub struct Input<'a> {
    /// The release.
    pub release: &'a str,
    /// The text of `stable.json`.
    pub stable: &'a str,
    /// The text of `experimental.json`.
    pub experimental: &'a str,
    /// What the TypeScript export says.
    pub harvest: &'a Harvest,
    /// The reviewed corrections.
    pub errata: &'a Errata,
    /// SHA-256 of the bundles by file name, hexadecimal.
    pub hashes: BTreeMap<String, String>,
}

/// A release as a model, and what there is to say about the way there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The model.
    pub protocol: Protocol,
    /// The corrected, normalised definitions that the model was read from.
    pub definitions: Definitions,
    /// The corrected definitions as upstream wrote them, for those who judge the
    /// model by them.
    pub published: Definitions,
    /// What was rewritten.
    pub rewrites: Vec<Rewrite>,
    /// What a person should look at; nothing for the release that was reviewed.
    pub notes: Vec<Problem>,
}

/// Reads a release: stages 1 to 6.
///
/// # Errors
/// Everything that is wrong with the input, with its place and what to do.
pub fn model(input: &Input<'_>) -> Result<Outcome, Problems> {
    let applicable = input.errata.applicable(input.release)?;
    let mut definitions = load::load(input.experimental, "experimental.json")?;
    let mut stable_definitions = load::load(input.stable, "stable.json")?;
    let mut problems = Vec::new();
    let mut notes = Vec::new();

    let mut raw = link::methods(&definitions, &mut problems);
    let stable_raw = link::methods(&stable_definitions, &mut problems);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    raw.extend(typescript_only::add(&mut definitions, input.harvest, &raw));
    let mut stable: BTreeSet<(Side, String)> = stable_raw.into_iter().map(|method| (method.side, method.wire)).collect();
    for side in Side::ALL {
        let listed = input.harvest.stable_methods.get(side.definition());
        stable.extend(listed.into_iter().flatten().map(|method| (side, method.clone())));
    }

    let mut published = definitions.clone();
    let rewrites = normalise::normalise(&mut definitions);
    normalise::normalise(&mut stable_definitions);
    errata::correct(&mut definitions, input.harvest, &applicable, &mut problems, &mut notes);
    // The stable export has the same faults; what it lacks is no stale erratum.
    let lenient = errata::Applicable { strict: false, complete: false, ..applicable.clone() };
    for other in [&mut stable_definitions, &mut published] {
        errata::correct(other, input.harvest, &lenient, &mut Vec::new(), &mut Vec::new());
    }

    let mut shapes = shape::read(&definitions, input.harvest, &applicable);
    let stable_shapes = shape::read(&stable_definitions, input.harvest, &lenient);
    let typescript_types: BTreeSet<String> = definitions
        .keys()
        .filter(|name| !stable_definitions.contains_key(*name) && !input.experimental.contains(&format!("\"{name}\"")))
        .cloned()
        .collect();
    for definition in shapes.definitions.values_mut() {
        let other = stable_shapes.definitions.get(&definition.name);
        mark_experimental(definition, other, typescript_types.contains(&definition.name));
    }
    let methods = link::link(raw, &mut shapes, &stable, &applicable);
    let outputs = reachable(&shapes.definitions, methods.iter().flat_map(sent_by_server));
    let inputs = reachable(&shapes.definitions, methods.iter().flat_map(sent_by_client));
    for (name, definition) in &mut shapes.definitions {
        definition.input = inputs.contains(name);
        if outputs.contains(name) {
            shape::defaults_are_written(definition);
        }
    }
    shape::presence(&mut shapes, &applicable);
    problems.append(&mut shapes.problems);
    notes.append(&mut shapes.notes);

    let skipped = applicable.errata.skip.iter().map(|skip| (skip.definition.clone(), skip.why.clone())).collect();
    let mut protocol =
        Protocol { release: input.release.to_owned(), definitions: shapes.definitions, methods, skipped };
    layout::box_cycles(&mut protocol);
    check_complete(&definitions, &protocol, &mut problems);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok(Outcome { protocol, definitions, published, rewrites, notes })
}

/// Writes the source of a model: stage 7.
///
/// # Errors
/// When two names collide, or something can't be written in Rust.
pub fn source(protocol: &Protocol, input: &Input<'_>) -> Result<Files, Problems> {
    emit::emit(protocol, &Facts::new(input.hashes.clone(), input.errata.families.clone()))
}

fn mark_experimental(definition: &mut Definition, stable: Option<&Definition>, typescript_only: bool) {
    let Some(stable) = stable else {
        definition.experimental = !typescript_only;
        return;
    };
    let known: Vec<BTreeSet<String>> = stable
        .records()
        .iter()
        .map(|(_, record)| record.fields.iter().map(|field| field.wire.clone()).collect())
        .collect();
    let names: Vec<String> = stable.records().iter().map(|(name, _)| (*name).to_owned()).collect();
    let own: Vec<String> = definition.records().iter().map(|(name, _)| (*name).to_owned()).collect();
    for (record, name) in definition.records_mut().into_iter().zip(own) {
        if let Some(place) = names.iter().position(|other| *other == name) {
            for field in &mut record.fields {
                field.experimental = !known[place].contains(&field.wire);
            }
        }
    }
    match (&mut definition.shape, &stable.shape) {
        (Shape::StringEnum(values), Shape::StringEnum(stable)) => {
            for value in values {
                value.experimental = !stable.iter().any(|other| other.wire == value.wire);
            }
        }
        (Shape::Tagged { arms, .. }, Shape::Tagged { arms: stable, .. }) => {
            for arm in arms {
                arm.experimental = !stable.iter().any(|other| other.wire == arm.wire);
            }
        }
        (Shape::External { units, keys, .. }, Shape::External { units: stable_units, keys: stable_keys, .. }) => {
            for unit in units {
                unit.experimental = !stable_units.iter().any(|other| other.wire == unit.wire);
            }
            for arm in keys {
                arm.experimental = !stable_keys.iter().any(|other| other.wire == arm.wire);
            }
        }
        _ => {}
    }
}

/// What a client sends: params of its requests and notifications, and its answers.
fn sent_by_client(method: &Method) -> Option<String> {
    match method.side {
        Side::ClientRequest | Side::ClientNotification => method.params.clone(),
        Side::ServerRequest => method.response.clone(),
        Side::ServerNotification => None,
    }
}

/// What the server sends.
fn sent_by_server(method: &Method) -> Option<String> {
    match method.side {
        Side::ServerRequest | Side::ServerNotification => method.params.clone(),
        Side::ClientRequest => method.response.clone(),
        Side::ClientNotification => None,
    }
}

/// The definitions that some name, as a whole or as a part.
fn reachable(definitions: &BTreeMap<String, Definition>, from: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut stack: Vec<String> = from.collect();
    while let Some(name) = stack.pop() {
        if let Some(definition) = definitions.get(&name)
            && reached.insert(name)
        {
            stack.extend(definition.types().into_iter().filter_map(|ty| ty.named()).map(str::to_owned));
        }
    }
    reached
}

/// Every definition is in the model or skipped with a reason.
fn check_complete(definitions: &Definitions, protocol: &Protocol, problems: &mut Vec<Problem>) {
    if !problems.is_empty() {
        return;
    }
    for name in definitions.keys() {
        if !protocol.definitions.contains_key(name) && !protocol.skipped.contains_key(name) {
            problems.push(Problem::new(format!("`{name}` was lost on the way")).at(format!("/definitions/{name}")));
        }
    }
    for name in protocol.skipped.keys() {
        if !definitions.contains_key(name) {
            problems.push(Problem::new(format!("`{name}` is skipped but there is no such definition")).in_file("errata.toml"));
        }
    }
    for method in &protocol.methods {
        for name in method.params.iter().chain(&method.response) {
            if protocol.skipped.contains_key(name) {
                problems.push(Problem::new(format!("`{name}` is skipped but `{}` needs it", method.wire)).in_file("errata.toml"));
            }
        }
    }
}
