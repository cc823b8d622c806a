//! What `diff` says, how it ends, and what it refuses.

#[path = "bad_input/bench.rs"]
#[allow(dead_code, reason = "the tests of bad input use the rest of it")]
mod bench;

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bench::{Bench, Said};

/// A schema folder of a release that is the pinned one but for a change.
fn release(bench: &Bench, folder: &str, release: &str, change: impl FnOnce(&mut Value)) -> String {
    bench.schema(folder);
    bench.bundle(folder, change);
    bench.edit(&format!("{folder}/pin.toml"), |pin| pin.replace("0.169.0", release));
    bench.at(folder)
}

fn more(definitions: &mut Value) {
    definitions["v2"]["ConfigLayer"]["properties"]["moonPhase"] = json!({"type": "string"});
}

fn less(definitions: &mut Value) {
    let values = definitions["v2"]["PlanType"]["enum"].as_array_mut().unwrap();
    values.retain(|value| value != "team");
    assert!(!values.is_empty());
}

fn text(definitions: &mut Value) {
    definitions["v2"]["ConfigLayer"]["description"] = json!("Said otherwise.");
}

#[track_caller]
fn ends(said: &Said, status: i32) -> &str {
    assert_eq!(said.status, Some(status), "{said}");
    &said.stdout
}

#[test]
fn a_release_does_not_differ_from_itself() {
    let bench = Bench::new();
    let schema = bench.at("schema");
    for (old, new) in [("pinned", "pinned"), ("pinned", schema.as_str()), (schema.as_str(), schema.as_str())] {
        for format in ["text", "markdown"] {
            let said = bench.run(&["diff", old, new, "--format", format, "--all"]);
            assert_eq!(ends(&said, 0), "No method or type differs from 0.169.0.\n");
            assert_eq!(said.stderr, "", "{said}");
        }
    }
    let said = bench.run(&["diff", "pinned", &schema, "--format", "json"]);
    let value: Value = serde_json::from_str(ends(&said, 0)).unwrap();
    assert_eq!(value["changes"], json!([]));
}

#[test]
fn the_exit_status_tells_nothing_additive_and_breaking_apart() {
    let bench = Bench::new();
    let [more, less, text] = [
        release(&bench, "more", "0.169.5", more),
        release(&bench, "less", "0.169.6", less),
        release(&bench, "text", "0.169.7", text),
    ];
    let diff = |old: &str, new: &str| bench.run(&["diff", old, new]);
    let said = diff("pinned", &more);
    assert_eq!(
        ends(&said, 3),
        "Changes from 0.169.0 to 0.169.5\n\n\
         Tolerated (1)\n  \
         field added ConfigLayer.moonPhase: Option<String>, experimental (received) — \
         old bindings: it is kept in extra; new bindings: there is a field more\n\n\
         1 change: 1 tolerated.\n"
    );
    let said = diff("pinned", &less);
    assert!(
        ends(&said, 4).contains("\nBreaks compilation (1)\n  value removed PlanType[team] (received) — "),
        "{said}"
    );
    let said = diff(&less, "pinned");
    assert!(ends(&said, 3).contains("\nTolerated (1)\n  value added PlanType[team] (received) — "), "{said}");
    let said = diff("pinned", &text);
    assert_eq!(ends(&said, 0), "Changes from 0.169.0 to 0.169.7\n\n1 change: 1 only documentation.\n");
    let said = bench.run(&["diff", "pinned", &text, "--all"]);
    assert!(ends(&said, 0).contains("\nDocumentation (1)\n  text ConfigLayer: added (received)\n"), "{said}");
}

#[test]
fn every_format_says_the_same() {
    let bench = Bench::new();
    let less = release(&bench, "less", "0.169.6", less);
    let said = bench.run(&["diff", "pinned", &less, "--format", "markdown"]);
    let expected = "## Changes from codex 0.169.0 to 0.169.6\n\n1 change: 1 breaks compilation.\n\n\
                    ### Breaks compilation (1)\n\n- value removed `PlanType[team]` (received) — ";
    assert!(ends(&said, 4).starts_with(expected), "{}", said.stdout);
    let said = bench.run(&["diff", "pinned", &less, "--format", "json"]);
    let value: Value = serde_json::from_str(ends(&said, 4)).unwrap();
    assert_eq!((&value["old"], &value["new"]), (&json!("0.169.0"), &json!("0.169.6")));
    assert_eq!(value["counts"]["breaksCompilation"], 1);
    assert_eq!(value["changes"][0]["place"], "PlanType[team]");
    let text = release(&bench, "text", "0.169.7", text);
    for (all, listed) in [(&["--all"][..], 1), (&[], 0)] {
        let said = bench.run(&[&["diff", "pinned", &text, "--format", "json"], all].concat());
        let value: Value = serde_json::from_str(ends(&said, 0)).unwrap();
        assert_eq!(
            (&value["counts"]["documentation"], value["changes"].as_array().unwrap().len()),
            (&json!(1), listed)
        );
    }
}

#[test]
fn a_folder_with_an_export_says_its_release_or_is_told() {
    let bench = Bench::new();
    let bundle = fs::read(bench.path("schema/experimental.json")).unwrap();
    bench.write("export/codex_app_server_protocol.schemas.json", bundle);
    let export = bench.at("export");
    bench.refuses(&["diff", "pinned", &export]).says(&[&export, "which release", "`--old-as`, `--new-as`"]);
    // Without the TypeScript export and the stable one much is not the same.
    let said = bench.run(&["diff", &export, "pinned", "--old-as", "0.169.5"]);
    assert!(ends(&said, 4).starts_with("Changes from 0.169.5 to 0.169.0\n"), "{}", said.stdout);
    let said = bench.run(&["diff", "pinned", &export, "--new-as", "0.169.5"]);
    assert!(ends(&said, 4).starts_with("Changes from 0.169.0 to 0.169.5\n"), "{}", said.stdout);
    said.says(&["places of 0.169.5 were not reviewed"]);
}

#[test]
fn a_folder_has_its_own_errata() {
    let bench = Bench::new();
    release(&bench, "own", "0.169.5", less);
    bench.edit("own/errata.toml", |errata| format!("{errata}\n[[name]]\ndefinition = \"PlanType\"\nwire = \"free\"\nrust = \"Gratis\"\nwhy = \"A test.\"\nevidence = \"None.\"\nreleases = \"*\"\n"));
    let said = bench.run(&["diff", "pinned", &bench.at("own")]);
    assert!(ends(&said, 4).contains("renamed in Rust PlanType[free]: Free → Gratis (received)"), "{}", said.stdout);
}

#[test]
fn what_is_no_release_is_refused() {
    let bench = Bench::new();
    bench.write("notes/notes.txt", "no export\n");
    let notes = bench.at("notes");
    bench.refuses(&["diff", "pinned", &notes]).says(&[&notes, "codex_app_server_protocol.schemas.json"]);
    bench.refuses(&["diff", &notes, "pinned"]).says(&[&notes, "codex_app_server_protocol.schemas.json"]);
    bench.refuses(&["diff", "newest", "pinned"]).says(&["`newest` is no version", "`latest`"]);
    let nowhere = bench.at("nowhere");
    bench.refuses(&["diff", "pinned", &nowhere]).says(&[&nowhere, "does not exist"]);
    bench.schema("torn");
    bench.cut("torn/stable.json");
    bench.refuses(&["diff", "pinned", &bench.at("torn")]).says(&["stable.json", "is not the file that pin.toml lists"]);
    bench.refuses(&["diff", "pinned", "0.1.0"]).says(&["npm can't be started"]);
    bench.refuses(&["diff", "pinned", "pinned", "--schema", &nowhere]).says(&[&bench.at("nowhere/pin.toml")]);
}

#[test]
fn a_command_line_that_is_none_has_a_status_of_its_own() {
    let bench = Bench::new();
    bench.refuses_command_line(&["diff", "pinned"]).says(&["<NEW>", "--help"]);
    bench.refuses_command_line(&["diff", "pinned", "pinned", "pinned"]).says(&["unexpected argument 'pinned'"]);
    bench
        .refuses_command_line(&["diff", "pinned", "pinned", "--format", "yaml"])
        .says(&["invalid value 'yaml'", "text, markdown, json"]);
}

#[test]
fn the_help_tells_every_exit_status() {
    let said = Bench::new().run(&["diff", "--help"]);
    let text = ends(&said, 0);
    for status in ["0 no difference", "3 additive", "4 some break", "1 failure", "2 wrong command line"] {
        assert!(text.replace('\n', " ").contains(status), "{status}: {text}");
    }
}

#[test]
fn colour_is_for_those_who_want_it() {
    let bench = Bench::new();
    let less = release(&bench, "less", "0.169.6", less);
    let run = |set: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["diff", "pinned", &less]).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        let output = command.envs(set.iter().copied()).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let plain = run(&[]);
    assert!(!plain.contains('\u{1b}') && plain.contains("\nBreaks compilation (1)\n"), "{plain:?}");
    let coloured = run(&[("CLICOLOR_FORCE", "1")]);
    assert!(coloured.contains("\u{1b}[31mBreaks compilation"), "{coloured:?}");
    assert_eq!(run(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), plain);
}

#[cfg(unix)]
#[test]
fn an_executable_and_a_version_are_exported() {
    let bench = Bench::new();
    // A codex that exports the pinned bundles, and TypeScript without much in it.
    let script = |release: &str| {
        let bundle = |name: &str| bench.at(&format!("schema/{name}.json"));
        format!(
            "#!/bin/sh\nPATH=/bin:/usr/bin\n[ \"$1\" = --version ] && {{ echo 'codex-cli {release}'; exit 0; }}\n\
             case $2 in generate-ts) echo 'export type ClientRequest = {{ \"method\": \"a\" }};' > \"$4/ClientRequest.ts\";;\n\
             *) if [ \"$5\" = --experimental ]; then cp '{}' \"$4/codex_app_server_protocol.schemas.json\"; \
             else cp '{}' \"$4/codex_app_server_protocol.schemas.json\"; fi;; esac\n",
            bundle("experimental"),
            bundle("stable")
        )
    };
    let executable = bench.script("codex", &script("0.169.5"));
    for platform in ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] {
        bench.script(&format!("cache/0.169.6-{platform}/package/vendor/target/bin/codex"), &script("0.169.6"));
    }
    let said = bench.run(&["diff", &executable, "0.169.6"]);
    assert_eq!(ends(&said, 0), "No method or type differs between 0.169.5 and 0.169.6.\n");
    said.says(&["Exporting the protocol of codex 0.169.5", "Exporting the protocol of codex 0.169.6"]);
    let said = bench.run(&["--quiet", "diff", &executable, "0.169.6"]);
    assert_eq!(
        (ends(&said, 0), said.stderr.as_str()),
        ("No method or type differs between 0.169.5 and 0.169.6.\n", "")
    );
}
