//! Places that can't be written, and files that are not up to date.

use std::fs;

use crate::bench::Bench;

#[test]
fn bindings_can_not_be_written_below_a_file() {
    let bench = Bench::new();
    bench.write("file", "a file");
    for place in ["file", "file/deeper/bindings"] {
        let place = bench.at(place);
        bench.refuses(&["generate", "--schema", &bench.at("schema"), "--out", &place]).says(&[
            &format!("can't replace {place}"),
            "writable",
            "nothing was changed",
        ]);
    }
}

#[test]
fn a_schema_can_not_be_pulled_below_a_file() {
    let bench = Bench::new();
    bench.write("file", "a file");
    for place in ["file", "file/schema"] {
        let place = bench.at(place);
        bench.refuses(&["pull", &bench.at("schema"), "--schema", &place]).says(&[
            &format!("can't replace {place}"),
            "writable",
            "nothing was changed",
        ]);
    }
}

#[test]
fn a_regeneration_that_can_write_only_one_of_its_folders_writes_neither() {
    let bench = Bench::new();
    bench.write("file", "a file");
    bench.schema("source");
    bench.edit("source/experimental.json", |text| text + "\n");
    bench.pin("source");
    let source = bench.at("source");
    for (schema, out) in [("schema", "file/bindings"), ("file/schema", "out")] {
        let (schema, out) = (bench.at(schema), bench.at(out));
        let wrong = if schema.contains("file") { &schema } else { &out };
        bench.refuses(&["regenerate", &source, "--schema", &schema, "--out", &out]).says(&[
            &format!("can't replace {wrong}"),
            "writable",
            "nothing was changed",
        ]);
    }
}

/// No one waits for a download that can't be kept.
#[cfg(unix)]
#[test]
fn where_the_bindings_can_not_be_written_nothing_is_fetched() {
    let bench = Bench::new();
    bench.write("file", "a file");
    bench.script("bin/npm", "#!/bin/sh\necho 'npm was asked' >&2\nexit 1\n");
    let arguments = ["regenerate", "0.169.0", "--schema", &bench.at("schema"), "--out", &bench.at("file/bindings")];
    bench.refuses(&arguments).says(&[&bench.at("file/bindings"), "nothing was changed"]).never_says(&["npm was asked"]);
}

const DISPATCHER: &str = "[package]\nname = \"codex-rpc-dispatch\"\n";

/// `refuses` demands that nothing is another than before.
#[test]
fn a_protocol_crate_or_dispatcher_that_can_not_be_written_leaves_the_other_as_it_was() {
    for (name, wrong) in [("codex-rpc-dispatch", "codex-rpc-dispatch/src"), ("out", "out/src")] {
        let bench = Bench::new();
        bench.write("codex-rpc-dispatch/Cargo.toml", DISPATCHER);
        if name == "out" {
            fs::remove_dir_all(bench.path("out/src")).unwrap();
            bench.write("codex-rpc-dispatch/src/generated/older.rs", "// older\n");
        }
        bench.write(wrong, "a file");
        let what = format!("can't replace {}", bench.at(name));
        bench.refuses_to_generate().says(&[&what, "nothing was changed"]);
        bench.schema("source");
        bench.edit("source/experimental.json", |text| text + "\n");
        bench.pin("source");
        bench.refuses_to_regenerate(&bench.at("source")).says(&[&what, "nothing was changed"]);
    }
}

#[test]
fn a_check_names_the_crate_of_every_file_that_is_not_up_to_date() {
    let bench = Bench::new();
    bench.write("codex-rpc-dispatch/Cargo.toml", DISPATCHER);
    let (schema, out, dispatcher) = (bench.at("schema"), bench.at("out"), bench.at("codex-rpc-dispatch"));
    let made = bench.run(&["generate", "--schema", &schema, "--out", &out]);
    assert_eq!(made.status, Some(0), "{made}");
    let check = ["generate", "--check", "--schema", &schema, "--out", &out];
    let checked = bench.run(&check);
    assert_eq!(checked.status, Some(0), "{checked}");

    bench.edit("codex-rpc-dispatch/src/generated/tokio_calls.rs", |text| text.replacen('a', "b", 1));
    fs::remove_file(bench.path("codex-rpc-dispatch/src/generated/mod.rs")).unwrap();
    bench.write("codex-rpc-dispatch/src/generated/stray.rs", "// of an older release\n");
    let command = format!("run `cargo xtask generate --schema {schema} --out {out}` and commit the result");
    let of_dispatcher = format!("3 of 8 files in {dispatcher} are not up to date");
    let stale = [
        &of_dispatcher,
        "src/generated/tokio_calls.rs is different",
        "src/generated/mod.rs is missing",
        "src/generated/stray.rs should not be there",
        &command,
    ];
    bench.refuses(&check).says(&stale).never_says(&[&format!("files in {out} are")]);

    bench.edit("out/src/generated/thread.rs", |text| text.replacen('a', "b", 1));
    let of_protocol = format!("files in {out} are not up to date src/generated/thread.rs is different");
    bench.refuses(&check).says(&stale).says(&[&format!("{of_protocol} {of_dispatcher}")]);
}

#[test]
fn instances_can_not_be_written_below_a_file() {
    let bench = Bench::new();
    bench.write("file", "a file");
    let place = bench.at("file/instances.jsonl");
    bench.refuses(&["instances", "--schema", &bench.at("schema"), "--out", &place]).says(&["can't write", &place]);
}

#[test]
fn a_check_lists_what_is_not_up_to_date_and_the_command_that_makes_it_so() {
    let bench = Bench::new();
    let (schema, out) = (bench.at("schema"), bench.at("bindings"));
    let made = bench.run(&["generate", "--schema", &schema, "--out", &out]);
    assert_eq!(made.status, Some(0), "{made}");
    let check = ["generate", "--check", "--schema", &schema, "--out", &out];
    let checked = bench.run(&check);
    assert_eq!(checked.status, Some(0), "{checked}");

    let changed = "src/generated/thread.rs";
    let path = bench.path("bindings").join(changed);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen('a', "b", 1)).unwrap();
    fs::remove_file(bench.path("bindings/src/generated/mod.rs")).unwrap();
    let said = bench.refuses(&check);
    said.says(&[
        "2 of ",
        "files in",
        &out,
        &format!("{changed} is different"),
        "src/generated/mod.rs is missing",
        "run `cargo xtask generate",
    ]);
    said.says(&[&format!("run `cargo xtask generate --schema {schema} --out {out}`")]);
}

#[test]
fn a_check_finds_a_generated_file_that_should_not_be_there() {
    let bench = Bench::new();
    let (schema, out) = (bench.at("schema"), bench.at("bindings"));
    let made = bench.run(&["generate", "--schema", &schema, "--out", &out]);
    assert_eq!(made.status, Some(0), "{made}");
    // A person's own file is no matter; one among the generated ones would be
    // removed by a run.
    bench.write("bindings/notes.txt", "somebody's own\n");
    bench.write("bindings/src/generated/stray.rs", "// of an older release\n");
    bench
        .refuses(&["generate", "--check", "--schema", &schema, "--out", &out])
        .says(&["src/generated/stray.rs should not be there", "run `cargo xtask generate"])
        .never_says(&["notes.txt"]);
}

#[test]
fn a_check_of_a_folder_that_does_not_exist_makes_none() {
    let bench = Bench::new();
    bench
        .refuses(&["generate", "--check", "--schema", &bench.at("schema"), "--out", &bench.at("nowhere/bindings")])
        .says(&[&bench.at("nowhere/bindings"), "is missing", "run `cargo xtask generate"]);
}

#[test]
fn a_path_stands_in_an_error_in_one_piece() {
    let bench = Bench::new();
    bench.write("file", "a file");
    let place = bench.at("file/a-folder-with-a-long-name/and-another-that-is-longer/schema-of-codex");
    bench.refuses(&["pull", &bench.at("schema"), "--schema", &place]).says_in_one_piece(&[&place]);
}
