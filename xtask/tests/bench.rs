//! The benchmarks' tables.

use std::process::Command;

#[test]
fn the_tables_of_the_readmes_are_those_that_the_results_give() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["bench", "--check"]).output().expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn checking_measures_nothing_so_it_takes_no_parts() {
    for arguments in [["bench", "--check", "decode"], ["bench", "--check", "--quick"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().expect("the program");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
