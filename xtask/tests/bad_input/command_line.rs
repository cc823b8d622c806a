//! Slips of the fingers.

use crate::bench::Bench;

#[test]
fn a_verb_that_does_not_exist_is_answered_with_one_that_does() {
    Bench::new().refuses_command_line(&["regenrate"]).says(&[
        "unrecognized subcommand 'regenrate'",
        "'regenerate'",
        "--help",
    ]);
}

#[test]
fn a_flag_that_does_not_exist_is_answered_with_one_that_does() {
    Bench::new().refuses_command_line(&["generate", "--chekc"]).says(&[
        "unexpected argument '--chekc'",
        "'--check'",
        "--help",
    ]);
    Bench::new().refuses_command_line(&["pull", "--shcema", "x"]).says(&[
        "unexpected argument '--shcema'",
        "'--schema'",
        "--help",
    ]);
}

#[test]
fn a_value_that_is_missing_or_too_many_is_named() {
    Bench::new().refuses_command_line(&["generate", "--out"]).says(&["--out <DIR>", "a value is required", "--help"]);
    Bench::new().refuses_command_line(&["pull", "0.1.0", "0.2.0"]).says(&[
        "unexpected argument '0.2.0'",
        "pull",
        "--help",
    ]);
}

#[test]
fn no_verb_is_answered_with_all_of_them() {
    Bench::new().refuses_command_line(&[]).says(&[
        "Usage: cargo xtask",
        "pull",
        "generate",
        "regenerate",
        "round-trip",
    ]);
}

/// Without a release, `pull` takes the one of the folder.
#[test]
fn a_pull_of_nothing_in_particular_needs_a_pin() {
    let bench = Bench::new();
    let folder = bench.at("empty");
    bench.write("empty/notes.txt", "no pin here\n");
    bench.refuses(&["pull", "--schema", &folder]).says(&[
        &bench.at("empty/pin.toml"),
        "can't read",
        "cargo xtask pull 0.169.0",
    ]);
    bench.refuses(&["regenerate", "--schema", &folder, "--out", &bench.at("out")]).says(&[
        &bench.at("empty/pin.toml"),
        "can't read",
        "cargo xtask",
        "0.169.0",
    ]);
}
