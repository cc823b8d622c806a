//! What a verb says when it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use codex_rpc_codegen::generate::Outcome;
use codex_rpc_codegen::model::{Definition, Protocol, Side};
use miette::IntoDiagnostic;
use serde_json::{Map, Value};

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
    outcome.published.iter().map(|(name, schema)| Ok((name.clone(), serde_json::to_value(schema).into_diagnostic()?))).collect()
}

/// What was added, removed and changed.
pub fn changes(before: Option<&Protocol>, after: &Protocol) -> String {
    let mut text = String::new();
    let Some(before) = before else {
        return "Nothing to compare with: everything is new.\n".to_owned();
    };
    let methods = |protocol: &Protocol| -> BTreeMap<String, String> {
        protocol.methods.iter().map(|method| (method.wire.clone(), format!("{method:?}"))).collect()
    };
    let types = |protocol: &Protocol| -> BTreeMap<String, String> {
        protocol.definitions.values().filter(|definition| !definition.inner).map(|definition| (definition.name.clone(), content(definition))).collect()
    };
    section(&mut text, "methods", &methods(before), &methods(after));
    section(&mut text, "types", &types(before), &types(after));
    if text.is_empty() {
        format!("No method or type differs from {}.\n", before.release)
    } else {
        format!("Changes from {} to {}:\n{text}", before.release, after.release)
    }
}

/// A definition without where it stands.
fn content(definition: &Definition) -> String {
    format!("{:?} {:?} {}", definition.shape, definition.doc, definition.experimental)
}

fn section(text: &mut String, what: &str, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let old: BTreeSet<&String> = before.keys().collect();
    let new: BTreeSet<&String> = after.keys().collect();
    let changed: Vec<&String> = old.intersection(&new).filter(|name| before[**name] != after[**name]).copied().collect();
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
