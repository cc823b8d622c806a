//! What a verb says when it is done.

use std::path::PathBuf;

use codex_rpc_codegen::diff::{Detail, diff};
use codex_rpc_codegen::generate::Outcome;
use codex_rpc_codegen::model::{Protocol, Side};
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

/// What breaks, and how much else changed.
pub fn changes(before: Option<&Protocol>, after: &Protocol) -> String {
    let Some(before) = before else {
        return "Nothing to compare with: everything is new.\n".to_owned();
    };
    diff(before, after).text(Detail::Breaking, true)
}
