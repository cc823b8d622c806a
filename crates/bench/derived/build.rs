//! Writes the types of the pinned release with serde derive.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

use codex_rpc_codegen::emit::derived::derived;
use codex_rpc_codegen::errata::Errata;
use codex_rpc_codegen::generate::{Input, model};
use codex_rpc_codegen::harvest::Harvest;

fn main() -> Result<(), Box<dyn Error>> {
    let flatten = env::var_os("CARGO_FEATURE_FLATTEN").is_some();
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../../protocol-schema");
    println!("cargo::rerun-if-changed={}", folder.display());
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
    let source = derived(&outcome.protocol, flatten).map_err(|problem| problem.to_string())?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("derived.rs"), source)?;
    Ok(())
}
