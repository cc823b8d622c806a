//! What the README says about the command line is what the program takes.

use std::process::Command;

#[test]
fn every_command_of_the_readme_is_one_that_the_program_takes() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("the README");
    let mut seen = 0;
    for line in readme.lines().filter_map(|line| line.trim().strip_prefix("cargo xtask ")) {
        let line = line.split(" #").next().unwrap_or(line);
        let mut words = line.split_whitespace();
        let verb = words.next().expect("a verb");
        seen += 1;
        if verb == "round-trip" {
            // It is handed over to the testkit, whose own tests know its flags.
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args([verb, "--help"]).output().expect("the program");
        assert!(output.status.success(), "there is no verb `{verb}`");
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        for flag in words.filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag), "`{verb}` takes no `{flag}`");
        }
    }
    assert_eq!(seen, 22, "commands in the README");
}
