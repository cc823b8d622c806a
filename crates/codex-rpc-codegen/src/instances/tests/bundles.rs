//! Real exports.

use std::path::Path;

use super::*;

/// One namespace of what a bundle holds under `definitions` and
/// `definitions.v2`.
fn merged(bundle: &Path) -> Map<String, Value> {
    let text = std::fs::read_to_string(bundle).unwrap();
    let mut bundle: Value = serde_json::from_str(&text).unwrap();
    let Value::Object(mut definitions) = bundle["definitions"].take() else {
        panic!("no definitions");
    };
    if let Some(Value::Object(v2)) = definitions.remove("v2") {
        definitions.extend(v2);
    }
    definitions
}

/// All promises over a real export. `CODEX_RPC_BUNDLES` names more of them,
/// separated by colons.
#[test]
fn real_bundles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut bundles = vec![root.join("protocol-schema/experimental.json")];
    bundles.retain(|bundle| bundle.exists());
    let more = std::env::var_os("CODEX_RPC_BUNDLES").unwrap_or_default();
    bundles.extend(std::env::split_paths(&more).filter(|bundle| bundle.is_file()));
    for bundle in bundles {
        let definitions = merged(&bundle);
        let maker = InstanceMaker::new(&definitions);
        let started = std::time::Instant::now();
        let all = maker.all();
        let took = started.elapsed();
        let count = |kind| all.iter().filter(|i| i.kind == kind).count();
        let counts = [Kind::Valid, Kind::Tolerated, Kind::Invalid].map(count);
        let bytes = to_jsonl(&all).len();
        println!("{}: {counts:?} {bytes} bytes in {took:?}", bundle.display());
        let [valid, tolerated, invalid] = counts;
        let fewest = definitions.len();
        assert!(valid > 4 * fewest, "{valid} valid");
        assert!(tolerated > fewest, "{tolerated} tolerated");
        assert!(invalid > 2 * fewest, "{invalid} invalid");
        assert!(all.len() < 40 * fewest, "{}", all.len());
        assert_eq!(maker.lies(&all), Vec::<String>::new());
    }
}
