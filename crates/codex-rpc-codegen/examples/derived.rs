//! Writes the pinned release's types with serde derive to standard output, for
//! measuring: `cargo run -p codex-rpc-codegen --example derived > lib.rs`.
//! With `--flatten` it keeps unknown members, as our types do.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use codex_rpc_codegen::emit::derived::derived;
use codex_rpc_codegen::errata::Errata;
use codex_rpc_codegen::generate::{Input, model};
use codex_rpc_codegen::harvest::Harvest;

fn main() -> Result<(), Box<dyn Error>> {
    let flatten = std::env::args().any(|argument| argument == "--flatten");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol-schema");
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let harvest = Harvest::from_json(&read("harvest.json")?)?;
    let errata = Errata::parse(&read("errata.toml")?, "errata.toml")?;
    let release = errata.reviewed.to_string();
    let outcome = model(&Input {
        release: &release,
        stable: &read("stable.json")?,
        experimental: &read("experimental.json")?,
        harvest: &harvest,
        errata: &errata,
        hashes: BTreeMap::new(),
    })?;
    print!("{}", derived(&outcome.protocol, flatten).map_err(|problem| problem.to_string())?);
    Ok(())
}
