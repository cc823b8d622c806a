//! What a verb says when it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use codex_rpc_codegen::generate::Outcome;
use codex_rpc_codegen::model::{Definition, Protocol, Side};
use miette::miette;
use serde_json::{Map, Value};

/// Which folders were written and which were right already.
pub fn written(folders: &[(PathBuf, bool)]) -> String {
    let said = |(folder, changed): &(PathBuf, bool)| {
        format!("{} {}", folder.display(), if *changed { "written" } else { "unchanged" })
    };
    folders.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// How much there is of everything.
pub fn counts(protocol: &Protocol) -> String {
    let of = |side: Side| protocol.of(side).count();
    format!(
        "{} client requests, {} server requests, {} notifications, {} definitions",
        of(Side::ClientRequest),
        of(Side::ServerRequest),
        of(Side::ServerNotification) + of(Side::ClientNotification),
        protocol.definitions.values().filter(|definition| !definition.inner).count()
    )
}

/// The definitions as upstream wrote them, corrected, as JSON.
///
/// # Errors
/// Never for what the generator read.
pub fn definitions_json(outcome: &Outcome) -> miette::Result<Map<String, Value>> {
    let value = |schema| {
        serde_json::to_value(schema)
            .map_err(|error| miette!(help = "this is a fault of xtask", "a schema is no JSON: {error}"))
    };
    outcome.published.iter().map(|(name, schema)| Ok((name.clone(), value(schema)?))).collect()
}

/// What was added, removed and changed.
pub fn changes(before: Option<&Protocol>, after: &Protocol) -> String {
    let Some(before) = before else {
        return "Nothing to compare with: everything is new.\n".to_owned();
    };
    let mut text = String::new();
    let methods = |protocol: &Protocol| -> BTreeMap<String, String> {
        protocol.methods.iter().map(|method| (method.wire.clone(), format!("{method:?}"))).collect()
    };
    let types = |protocol: &Protocol| -> BTreeMap<String, String> {
        let named = protocol.definitions.values().filter(|definition| !definition.inner);
        named.map(|definition| (definition.name.clone(), content(protocol, definition))).collect()
    };
    section(&mut text, "methods", &methods(before), &methods(after));
    section(&mut text, "types", &types(before), &types(after));
    if text.is_empty() {
        format!("No method or type differs from {}.\n", before.release)
    } else {
        format!("Changes from {} to {}:\n{text}", before.release, after.release)
    }
}

/// A definition without where it stands, with the objects inside it that have no name
/// of their own in the schema.
fn content(protocol: &Protocol, definition: &Definition) -> String {
    let mut text = String::new();
    let (mut seen, mut left) = (BTreeSet::new(), vec![definition]);
    while let Some(definition) = left.pop() {
        if seen.insert(&definition.name) {
            let _ = writeln!(text, "{:?} {:?} {}", definition.shape, definition.doc, definition.experimental);
            let named = definition.types().into_iter().filter_map(|ty| protocol.definitions.get(ty.named()?));
            left.extend(named.filter(|definition| definition.inner));
        }
    }
    text
}

fn section(text: &mut String, what: &str, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let old: BTreeSet<&String> = before.keys().collect();
    let new: BTreeSet<&String> = after.keys().collect();
    let changed: Vec<&String> =
        old.intersection(&new).filter(|name| before[**name] != after[**name]).copied().collect();
    for (how, names) in [
        ("added", new.difference(&old).copied().collect::<Vec<_>>()),
        ("removed", old.difference(&new).copied().collect()),
        ("changed", changed),
    ] {
        if !names.is_empty() {
            let _ = writeln!(text, "  {what} {how} ({}):", names.len());
            for name in names {
                let _ = writeln!(text, "    {name}");
            }
        }
    }
}
