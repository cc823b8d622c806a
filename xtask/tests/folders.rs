//! What `generate` and `regenerate` do to the folders they write, and what they say.

#[path = "bad_input/bench.rs"]
#[allow(dead_code, reason = "the tests of bad input use the rest of it")]
mod bench;

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bench::{Bench, Said};

#[track_caller]
fn well(said: Said) -> Said {
    assert_eq!(said.status, Some(0), "{said}");
    said
}

fn generate(bench: &Bench, out: &str) -> Said {
    well(bench.run(&["generate", "--schema", &bench.at("schema"), "--out", &bench.at(out)]))
}

#[test]
fn a_second_run_keeps_what_is_not_ours_and_removes_what_is_stale() {
    const THEIRS: [&str; 5] =
        ["notes.txt", "target/debug/library", ".git/HEAD", "src/theirs.rs", "examples/deep/one.rs"];
    let bench = Bench::new();
    generate(&bench, "crate").says(&["written", "client requests, "]);
    let lib = fs::read(bench.path("crate/src/lib.rs")).unwrap();
    for name in THEIRS {
        bench.write(&format!("crate/{name}"), name);
    }
    fs::create_dir(bench.path("crate/empty")).unwrap();
    #[cfg(unix)]
    bench.executable("crate/notes.txt");
    let theirs = |name: &str| {
        let metadata = fs::metadata(bench.path(&format!("crate/{name}"))).unwrap();
        (metadata.modified().unwrap(), metadata.permissions(), fs::read(bench.path(&format!("crate/{name}"))).unwrap())
    };
    let before = THEIRS.map(theirs);
    let untouched = fs::metadata(bench.path("crate/src/error.rs")).unwrap().modified().unwrap();
    bench.write("crate/src/generated/stray.rs", "// of an older release\n");
    bench.write("crate/src/generated/deep/stray.rs", "// of an older release\n");
    bench.write("crate/src/lib.rs", "// of an older release\n");

    generate(&bench, "crate").says(&["written"]);
    assert_eq!(THEIRS.map(theirs), before);
    assert!(bench.path("crate/empty").is_dir());
    assert!(!bench.path("crate/src/generated/stray.rs").exists());
    assert!(!bench.path("crate/src/generated/deep").exists());
    assert_eq!(fs::read(bench.path("crate/src/lib.rs")).unwrap(), lib);
    // What is right already is not written again.
    assert_eq!(fs::metadata(bench.path("crate/src/error.rs")).unwrap().modified().unwrap(), untouched);
    let entries = fs::read_dir(bench.path("crate")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(entries.into_iter().all(|name| !name.to_string_lossy().starts_with(".xtask")));

    generate(&bench, "crate").says(&["unchanged"]);
}

#[test]
fn a_folder_that_is_no_such_crate_is_refused_at_once() {
    let bench = Bench::new();
    bench.write("other/notes.txt", "somebody's own\n");
    bench.write("cargo/Cargo.toml", "[package]\nname = \"serde\"\n");
    bench.write("torn/Cargo.toml", "[package\n");
    for folder in ["other", "cargo", "torn"] {
        let out = bench.at(folder);
        let what = [out.as_str(), "is not empty and has no Cargo.toml of a package `codex-rpc`", "nothing was written"];
        bench.refuses(&["generate", "--schema", &bench.at("schema"), "--out", &out]).says(&what);
        bench.refuses(&["generate", "--check", "--schema", &bench.at("schema"), "--out", &out]).says(&what);
        // Before npm is asked, which is missing.
        bench.refuses(&["regenerate", "0.169.0", "--schema", &bench.at("schema"), "--out", &out]).says(&what);
    }
}

#[test]
fn an_empty_folder_and_a_new_repository_become_a_crate() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    bench.write("repository/.git/HEAD", "ref: refs/heads/main\n");
    for folder in ["empty", "repository"] {
        generate(&bench, folder).says(&["written"]);
        generate(&bench, folder).says(&["unchanged"]);
        assert!(bench.path(folder).join("src/runtime").is_dir());
    }
    assert!(bench.path("repository/.git/HEAD").exists());
}

/// As the protocol crate of another repository is.
#[test]
fn of_a_hand_written_crate_only_the_generated_folder_is_replaced() {
    let bench = Bench::new();
    let manifest = "[package]\nname = \"codex-rpc\"\nversion.workspace = true\n";
    bench.write("out/Cargo.toml", manifest);
    bench.write("out/src/lib.rs", "// by hand\n");
    generate(&bench, "out").says(&["written"]);
    assert_eq!(fs::read_to_string(bench.path("out/Cargo.toml")).unwrap(), manifest);
    assert_eq!(fs::read_to_string(bench.path("out/src/lib.rs")).unwrap(), "// by hand\n");
    assert!(!bench.path("out/src/runtime").exists());
    assert!(!bench.path("out/src/generated/older.rs").exists());
    assert!(bench.path("out/src/generated/thread.rs").exists());
}

#[test]
fn beside_a_hand_written_crate_the_dispatcher_is_written_too() {
    let bench = Bench::new();
    let manifest = "[package]\nname = \"codex-rpc-dispatch\"\nversion.workspace = true\n";
    bench.write("codex-rpc-dispatch/Cargo.toml", manifest);
    bench.write("codex-rpc-dispatch/src/lib.rs", "// by hand\n");
    bench.write("codex-rpc-dispatch/src/generated/older.rs", "// older\n");
    let [protocol, dispatcher] = [bench.at("out"), bench.at("codex-rpc-dispatch")];
    let says = |said: &Said, protocol_is: &str, dispatcher_is: &str| {
        said.says(&[&format!("{protocol} {protocol_is}, {dispatcher} {dispatcher_is}: 187 client requests, ")]);
    };
    says(&generate(&bench, "out"), "written", "written");
    let read = |name: &str| fs::read_to_string(bench.path("codex-rpc-dispatch").join(name)).unwrap();
    assert_eq!((read("Cargo.toml").as_str(), read("src/lib.rs").as_str()), (manifest, "// by hand\n"));
    let entries = fs::read_dir(bench.path("codex-rpc-dispatch/src/generated")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "blocking_calls.rs",
            "blocking_handler.rs",
            "defaults.rs",
            "mod.rs",
            "payload.rs",
            "route.rs",
            "tokio_calls.rs",
            "tokio_handler.rs"
        ]
    );
    assert!(read("src/generated/mod.rs").starts_with("// @generated by `cargo xtask generate`."));
    says(&generate(&bench, "out"), "unchanged", "unchanged");

    bench.write("codex-rpc-dispatch/src/generated/route.rs", "// older\n");
    says(&generate(&bench, "out"), "unchanged", "written");
    // By a relative path, and through a link.
    fs::create_dir(bench.path("here/links")).unwrap();
    let check = ["generate", "--check", "--schema", &bench.at("schema"), "--out"];
    bench.write("codex-rpc-dispatch/src/generated/route.rs", "// older\n");
    bench.refuses(&[&check[..], &["../out"]].concat()).says(&["../codex-rpc-dispatch", "route.rs is different"]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(bench.path("out"), bench.path("here/links/out")).unwrap();
        bench.refuses(&[&check[..], &["links/out"]].concat()).says(&["codex-rpc-dispatch", "route.rs is different"]);
    }
}

#[test]
fn a_crate_that_is_made_elsewhere_gets_no_dispatcher() {
    let bench = Bench::new();
    let manifest = "[package]\nname = \"codex-rpc-dispatch\"\n";
    bench.write("elsewhere/codex-rpc-dispatch/Cargo.toml", manifest);
    for how in ["made", "made again"] {
        generate(&bench, "elsewhere/crate").never_says(&["codex-rpc-dispatch"]);
        assert!(!bench.path("elsewhere/codex-rpc-dispatch/src").exists(), "{how}");
        bench.write("elsewhere/crate/src/generated/mod.rs", "// older\n");
    }
}

#[test]
fn a_folder_that_is_another_package_is_no_dispatcher() {
    for manifest in ["[package]\nname = \"another\"\n", "[package\n", "[workspace]\n"] {
        let bench = Bench::new();
        bench.write("codex-rpc-dispatch/Cargo.toml", manifest);
        generate(&bench, "out").never_says(&["codex-rpc-dispatch"]);
        assert!(!bench.path("codex-rpc-dispatch/src").exists(), "{manifest}");
    }
    let bench = Bench::new();
    bench.write("codex-rpc-dispatch/src/lib.rs", "// no crate\n");
    generate(&bench, "out").never_says(&["codex-rpc-dispatch"]);
    assert!(!bench.path("codex-rpc-dispatch/src/generated").exists());
}

#[test]
fn a_regeneration_says_of_every_folder_whether_it_was_written() {
    let bench = Bench::new();
    bench.write("codex-rpc-dispatch/Cargo.toml", "[package]\nname = \"codex-rpc-dispatch\"\n");
    bench.schema("source");
    let arguments = ["regenerate", &bench.at("source"), "--schema", &bench.at("schema"), "--out", &bench.at("out")];
    let [protocol, dispatcher, schema] = ["out", "codex-rpc-dispatch", "schema"].map(|name| bench.at(name));
    well(bench.run(&arguments))
        .says(&["codex 0.169.0 written: ", &format!("{protocol} written, {dispatcher} written, {schema} unchanged")]);
    assert!(bench.path("codex-rpc-dispatch/src/generated/mod.rs").exists());
    well(bench.run(&arguments)).says(&[
        "codex 0.169.0 unchanged: ",
        &format!("{protocol} unchanged, {dispatcher} unchanged, {schema} unchanged"),
    ]);
}

#[test]
fn a_second_regeneration_changes_nothing_and_says_so() {
    let bench = Bench::new();
    bench.schema("source");
    bench.edit("source/experimental.json", |text| text + "\n");
    bench.pin("source");
    let arguments = ["regenerate", &bench.at("source"), "--schema", &bench.at("new"), "--out", &bench.at("new-crate")];
    let said = well(bench.run(&arguments));
    said.says(&["Generating the bindings of codex 0.169.0", "codex 0.169.0 written"]).never_says(&[&bench.at("tmp")]);
    assert_eq!(said.stdout, "Nothing to compare with: everything is new.\n");
    let said = well(bench.run(&arguments));
    said.says(&["codex 0.169.0 unchanged"]);
    assert_eq!(said.stdout, "No method or type differs from 0.169.0.\n");
}

/// Adds a request with its types.
fn request(definitions: &mut Value, wire: &str, name: &str) {
    let arms = definitions["ClientRequest"]["oneOf"].as_array_mut().unwrap();
    let mut arm = arms.iter().find(|arm| arm["properties"]["method"]["enum"][0] == "turn/steer").unwrap().clone();
    arm["title"] = json!(format!("{name}Request"));
    arm["properties"]["method"]["enum"][0] = json!(wire);
    arm["properties"]["method"]["title"] = json!(format!("{name}RequestMethod"));
    arm["properties"]["params"]["$ref"] = json!(format!("#/definitions/v2/{name}Params"));
    arms.push(arm);
    let object = json!({"type": "object", "properties": {"where": {"type": "string"}}});
    definitions["v2"][format!("{name}Params")] = object.clone();
    definitions["v2"][format!("{name}Response")] = object;
}

#[test]
fn the_summary_lists_what_breaks_and_counts_the_rest() {
    let bench = Bench::new();
    bench.schema("source");
    bench.bundle("source", |definitions| {
        request(definitions, "moon/phase", "MoonPhase");
        definitions["v2"]["ConfigLayer"]["properties"]["moonPhase"] = json!({"type": "string"});
    });
    bench.edit("source/pin.toml", |pin| pin.replace("0.169.0", "0.169.9"));
    bench.bundle("schema", |definitions| {
        request(definitions, "sun/rise", "SunRise");
        let arms = definitions["ClientRequest"]["oneOf"].as_array_mut().unwrap();
        let steer = arms.iter_mut().find(|arm| arm["properties"]["method"]["enum"][0] == "turn/steer").unwrap();
        steer["description"] = json!("DEPRECATED");
    });
    bench.edit("schema/pin.toml", |pin| pin.replace("0.169.0", "0.169.5"));

    let said = well(bench.run(&[
        "regenerate",
        &bench.at("source"),
        "--schema",
        &bench.at("schema"),
        "--out",
        &bench.at("new"),
    ]));
    assert_eq!(
        said.stdout,
        "Changes from 0.169.5 to 0.169.9\n\n\
         Breaks compilation (3)\n  \
         method removed sun/rise: a request of the client (sent) — \
         new bindings: its marker, its variant and its call are gone; \
         old bindings: the server no longer knows it and answers with an error\n  \
         type removed SunRiseParams: an object (sent) — new bindings: the type is gone\n  \
         type removed SunRiseResponse: an object (received) — new bindings: the type is gone\n\n\
         9 changes: 3 break compilation, 1 tolerated, 4 additive, 1 only documentation. \
         1 of them breaks old bindings at run time.\n",
        "{said}"
    );
    assert!(fs::read_to_string(bench.path("schema/pin.toml")).unwrap().contains("0.169.9"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let bench = Bench::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["instances", "--schema", &bench.at("schema")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn the_executable_of_a_release_is_printed_for_scripts() {
    let bench = Bench::new();
    // Of any platform. The PATH is empty: nothing can be fetched.
    for platform in ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] {
        bench.script(&format!("cache/0.169.0-{platform}/package/vendor/target/bin/codex"), "#!/bin/sh\n");
    }
    let schema = bench.at("schema");
    for arguments in [&["executable", "--schema", &schema][..], &["executable", "0.169.0"]] {
        let said = well(bench.run(arguments));
        let path = said.stdout.strip_suffix('\n').unwrap();
        assert!(path.starts_with(&bench.at("cache/0.169.0-")) && path.ends_with("/bin/codex"), "{path}");
        assert!(fs::metadata(path).unwrap().is_file());
    }
    bench.refuses(&["executable", "0.1.0"]).says(&["npm can't be started", "install Node.js with npm"]);
    bench.refuses(&["executable", &schema]).says(&[&schema, "is a folder, not an executable"]);
    bench.refuses(&["executable", "--schema", &bench.at("nowhere")]).says(&[
        &bench.at("nowhere/pin.toml"),
        "can't read",
        "cargo xtask executable 0.169.0",
    ]);
}
