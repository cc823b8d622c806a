//! A real mismatch is caught and named: bindings made from a schema that was changed
//! in three places, over the same recorded sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use codex_rpc::CODEX_VERSION;
use codex_rpc_codegen::errata::Errata;
use codex_rpc_codegen::generate::{Input, model, source};
use codex_rpc_codegen::harvest::Harvest;
use codex_rpc_tests::{read, root, transcripts};
use serde_json::{Value, json};

/// A field's type, a value of an enum, and a method's name, changed.
fn changed(schema: &str) -> String {
    let renamed = schema.replace("thread/tokenUsage/updated", "thread/tokenUsage/renewed");
    assert_ne!(renamed, schema, "the method is there");
    let mut schema: Value = serde_json::from_str(&renamed).expect("JSON");
    let delta = schema.pointer_mut("/definitions/v2/AgentMessageDeltaNotification/properties/delta/type");
    *delta.expect("the field is there") = json!("integer");
    let status = schema.pointer_mut("/definitions/v2/TurnStatus/enum").expect("the enum is there");
    status.as_array_mut().expect("values").retain(|value| value != "interrupted");
    schema.to_string()
}

fn generated() -> BTreeMap<String, String> {
    let harvest =
        read("protocol-schema/harvest.json").replace("thread/tokenUsage/updated", "thread/tokenUsage/renewed");
    let errata = read("protocol-schema/errata.toml");
    let input = Input {
        release: CODEX_VERSION,
        stable: &changed(&read("protocol-schema/stable.json")),
        experimental: &changed(&read("protocol-schema/experimental.json")),
        harvest: &Harvest::from_json(&harvest).expect("a harvest"),
        errata: &Errata::parse(&errata, "errata.toml").expect("errata"),
        hashes: BTreeMap::new(),
    };
    let outcome = model(&input).expect("a model");
    source(&outcome.protocol, &input).expect("sources")
}

/// Copies what is below a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("a copy");
        }
    }
}

/// A workspace of the protocol crate, with these generated files, and the testkit.
fn workspace(at: &Path, generated: &BTreeMap<String, String>) {
    for package in ["crates/codex-rpc", "crates/codex-rpc-testkit"] {
        for part in ["src", "scenarios"] {
            if root().join(package).join(part).exists() {
                copy(&root().join(package).join(part), &at.join(package).join(part));
            }
        }
        fs::copy(root().join(package).join("Cargo.toml"), at.join(package).join("Cargo.toml")).expect("a manifest");
    }
    for (name, text) in generated {
        fs::write(at.join("crates/codex-rpc/src/generated").join(name), text).expect("a source");
    }
    for file in ["Cargo.lock", "README.md"] {
        fs::copy(root().join(file), at.join(file)).expect("a copy");
    }
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let mut manifest = manifest;
    manifest["workspace"]["members"] =
        toml::Value::try_from(["crates/codex-rpc", "crates/codex-rpc-testkit"]).expect("TOML");
    fs::write(at.join("Cargo.toml"), manifest.to_string()).expect("a manifest");
}

#[test]
fn a_changed_type_a_dropped_value_and_a_renamed_method_are_named_and_nothing_else() {
    // Below the build folder, so that what is compiled is kept for the next run.
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mismatch");
    let _ = fs::remove_dir_all(at.join("workspace"));
    workspace(&at.join("workspace"), &generated());
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--package", "codex-rpc-testkit", "--no-default-features"])
        .args(["--features", "cli", "--bin", "codex-rpc-testkit", "--", "round-trip", "--format", "json"])
        .args(transcripts(CODEX_VERSION))
        .current_dir(at.join("workspace"))
        .env("CARGO_TARGET_DIR", at.join("target"))
        .output()
        .expect("cargo runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.code(), Some(1));

    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("findings");
    let mut places = BTreeSet::new();
    for finding in findings {
        // Which turn or item it is in is no matter.
        let pointer: String = text(finding, "pointer").chars().filter(|c| !c.is_ascii_digit()).collect();
        let end = pointer.rsplit('/').next().unwrap_or_default().to_owned();
        places.insert((text(finding, "kind"), end, text(finding, "method")));
    }
    let kinds: BTreeSet<(&str, &str)> = places.iter().map(|(kind, end, _)| (kind.as_str(), end.as_str())).collect();
    assert_eq!(
        kinds,
        BTreeSet::from([("undecodable", "delta"), ("unknownMethod", "method"), ("unrecognizedValue", "status")]),
        "{places:?}"
    );
    let methods = |wanted: &str| -> BTreeSet<&str> {
        places.iter().filter(|(kind, ..)| kind == wanted).map(|(.., method)| method.as_str()).collect()
    };
    assert_eq!(methods("undecodable"), BTreeSet::from(["item/agentMessage/delta"]));
    assert_eq!(methods("unknownMethod"), BTreeSet::from(["thread/tokenUsage/updated"]));
    assert!(methods("unrecognizedValue").contains("turn/completed"), "{places:?}");
}
