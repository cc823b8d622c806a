//! `release` on a small repository: what a dry run leaves alone, what `--write` writes,
//! and that a second run writes nothing.

#[path = "bad_input/bench.rs"]
#[allow(dead_code, reason = "the tests of bad input use the rest of it")]
mod bench;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::bench::Bench;

const MANIFEST: &str = r#"[workspace]
members = ["crates/*"]
resolver = "3"

[workspace.package]
version = "0.169.0" # that of codex

[workspace.dependencies]
codex-rpc = { path = "crates/codex-rpc", version = "0.169.0" }
"#;
const README: &str = "```toml\ncodex-rpc = \"0.169\"\ncodex-rpc-client = { version = \"0.169\" }\n```\n\n\
                      cargo xtask round-trip tests/transcripts/0.169.0\n\nIt says 0.169.0.\n";
const CHANGELOG: &str = "# Changelog\n\n## 0.169.0 (unreleased)\n\n- Written by hand.\n";

struct Repository {
    bench: Bench,
}

impl Repository {
    /// A committed workspace of two published crates and a private one, and in `new` what
    /// codex 0.170.3 shall be: one field more. Made once, and copied for each test.
    fn new() -> Self {
        static MADE: LazyLock<Repository> = LazyLock::new(Repository::make);
        let bench = Bench::new();
        for folder in ["repository", "new"] {
            let from = MADE.bench.path(folder);
            for file in files_below(&from, &from.join("target")) {
                bench.write(
                    &format!("{folder}/{}", file.strip_prefix(&from).unwrap().display()),
                    fs::read(&file).unwrap(),
                );
            }
        }
        let repository = Self { bench };
        repository.commit();
        repository
    }

    fn make() -> Self {
        let bench = Bench::new();
        bench.schema("repository/protocol-schema");
        for (name, more) in [
            ("codex-rpc", ""),
            ("codex-rpc-client", "[dependencies]\ncodex-rpc.workspace = true\n"),
            ("private", "publish = false\nversion = \"0.0.0\"\n"),
        ] {
            let version = if more.contains("version") { "" } else { "version.workspace = true\n" };
            let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n{version}{more}");
            bench.write(&format!("repository/crates/{name}/Cargo.toml"), manifest);
            bench.write(&format!("repository/crates/{name}/src/lib.rs"), "");
        }
        bench.write("repository/Cargo.toml", MANIFEST);
        bench.write("repository/README.md", README);
        bench.write("repository/CHANGELOG.md", CHANGELOG);
        bench.write("repository/.gitignore", "/target\n");
        let manifest = bench.at("repository/Cargo.toml");
        let lock = ["generate-lockfile", "--offline", "--quiet", "--manifest-path", &manifest];
        assert!(Command::new(env!("CARGO")).args(lock).status().unwrap().success());
        bench.schema("new");
        bench.bundle("new", |definitions| {
            definitions["v2"]["ConfigLayer"]["properties"]["moonPhase"] = json!({"type": "string"});
        });
        bench.edit("new/pin.toml", |pin| pin.replace("0.169.0", "0.170.3"));
        let repository = Self { bench };
        // As it would be in a repository that was made this way.
        repository.git(&["init", "--quiet"]);
        let schema = repository.bench.at("repository/protocol-schema");
        let made = repository.run(&[&schema, "--quick", "--write"]);
        assert_eq!(made.status.code(), Some(1), "{made:?}");
        fs::remove_dir_all(repository.root().join(".git")).unwrap();
        repository
    }

    fn commit(&self) {
        self.git(&["init", "--quiet", "--initial-branch", "main"]);
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "it"]);
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        let output = command.arg("-C").arg(self.root()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn root(&self) -> PathBuf {
        self.bench.path("repository")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root().join(name)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["--quiet", "release", "--repository"])
            .arg(self.root())
            .args(arguments)
            .env("CARGO", env!("CARGO"))
            .env("CARGO_TARGET_DIR", self.root().join("target"))
            .env("CODEX_RPC_CACHE", self.bench.path("cache"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The report, and whether the exit status says ready.
    fn report(&self, arguments: &[&str]) -> (Value, bool) {
        let new = self.bench.at("new");
        let output = self.run(&[&[new.as_str(), "--quick", "--format", "json"], arguments].concat());
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (report, output.status.success())
    }

    /// Every file but those below target/.
    fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let root = self.root();
        let files = files_below(&root, &root.join("target"));
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}

fn files_below(folder: &Path, but: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            files.push(path);
        } else if path != but {
            files.extend(files_below(&path, but));
        }
    }
    files
}

fn outcomes(report: &Value) -> Vec<(&str, &str)> {
    let steps = report["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["name"].as_str().unwrap(), step["outcome"].as_str().unwrap())).collect()
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_no_byte() {
    let repository = Repository::new();
    let before = repository.bytes();
    let (report, ready) = repository.report(&[]);
    assert!(repository.bytes() == before, "a byte is another than before");
    assert!(!ready && report["ready"] == false && report["written"] == false);
    assert_eq!(
        (&report["pinned"], &report["release"], &report["versionBefore"], &report["version"]),
        (&json!("0.169.0"), &json!("0.170.3"), &json!("0.169.0"), &json!("0.170.0"))
    );
    assert_eq!(
        outcomes(&report),
        [
            ("schema", "changed"),
            ("bindings", "changed"),
            ("corrections", "failed"),
            ("versions", "changed"),
            ("texts", "changed"),
            ("changelog", "changed"),
            ("checks", "leftOut"),
        ]
    );
    let files: Vec<&str> = report["files"].as_array().unwrap().iter().map(|file| file[0].as_str().unwrap()).collect();
    for name in ["CHANGELOG.md", "Cargo.lock", "Cargo.toml", "README.md", "protocol-schema/pin.toml"] {
        assert!(files.contains(&name), "{name}: {files:?}");
    }
    assert!(!files.iter().any(|name| name.starts_with("crates/private")), "{files:?}");
    assert_eq!(report["tasks"][0]["place"], "protocol-schema/errata.toml");
    let publish = report["publish"].as_array().unwrap();
    let crates: Vec<&str> = publish.iter().filter_map(|line| line.as_str()?.strip_prefix("cargo publish ")).collect();
    assert_eq!(crates, ["-p codex-rpc", "-p codex-rpc-client"]);
}

#[test]
fn what_is_written_is_what_the_dry_run_named_and_a_second_run_writes_nothing() {
    let repository = Repository::new();
    let (dry, _) = repository.report(&[]);
    let (written, _) = repository.report(&["--write"]);
    assert_eq!((&dry["files"], &dry["steps"]), (&written["files"], &written["steps"]));
    let named: Vec<String> =
        dry["files"].as_array().unwrap().iter().map(|file| file[0].as_str().unwrap().to_owned()).collect();
    let status = repository.git(&["status", "--porcelain", "--untracked-files=all"]);
    let changed: Vec<String> = status.lines().map(|line| line[3..].to_owned()).collect();
    assert_eq!(changed, named);

    assert_eq!(repository.read("Cargo.toml"), MANIFEST.replace("0.169.0", "0.170.0"));
    assert_eq!(
        repository.read("README.md"),
        README.replace("\"0.169\"", "\"0.170\"").replace("transcripts/0.169.0", "transcripts/0.170.3")
    );
    assert_eq!(repository.read("Cargo.lock").matches("\"0.170.0\"").count(), 2);
    assert!(repository.read("crates/codex-rpc/src/generated/mod.rs").contains("0.170.3"));
    let changelog = repository.read("CHANGELOG.md");
    assert!(
        changelog.starts_with(
            "# Changelog\n\n## 0.170.0 (unreleased)\n\n- Written by hand.\n\n\
             <!-- cargo xtask release: from codex 0.169.0 to 0.170.3 -->\n\n### Changes from codex 0.169.0 to 0.170.3\n"
        ) && changelog.contains("`ConfigLayer.moonPhase`"),
        "{changelog}"
    );

    let before = repository.bytes();
    for arguments in [&["--write"][..], &[]] {
        let (again, _) = repository.report(arguments);
        assert_eq!(again["files"], json!([]), "{arguments:?}");
        assert!(repository.bytes() == before, "{arguments:?}: a byte is another than before");
    }
    // And when it was committed, and the release before is no longer that of the commit.
    repository.commit();
    let (again, _) = repository.report(&["--baseline-rev", "HEAD~1"]);
    assert_eq!(again["files"], json!([]));
}

#[test]
fn a_tag_makes_the_next_version_a_patch_and_is_what_is_compared_with() {
    let repository = Repository::new();
    repository.git(&["tag", "v0.170.0"]);
    let (report, _) = repository.report(&[]);
    assert_eq!((&report["version"], &report["baseline"]), (&json!("0.170.1"), &json!("v0.170.0")));
}

#[test]
fn what_can_not_be_prepared_is_an_error_and_nothing_is_written() {
    let repository = Repository::new();
    let before = repository.bytes();
    for (arguments, status, says) in [
        (&["--quick", "--write", "--baseline-rev", "nowhere"][..], 1, "git knows no commit `nowhere`"),
        (&["newest"], 1, "`newest` is no version"),
        (&["--check-new", "--write"], 2, "cannot be used with"),
        (&["--format", "yaml"], 2, "invalid value 'yaml'"),
    ] {
        let output = repository.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.contains(says) && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
    repository.bench.cut("new/experimental.json");
    let output = repository.run(&[&repository.bench.at("new"), "--write"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(repository.bytes() == before, "a byte is another than before");
}

#[cfg(unix)]
#[test]
fn a_release_that_is_newer_than_the_pinned_one_is_named_for_scripts() {
    let repository = Repository::new();
    for (latest, said) in [("0.170.0", "0.170.0\n"), ("0.169.0", ""), ("0.168.0", "")] {
        repository.bench.script("npm/npm", &format!("#!/bin/sh\necho '\"{latest}\"'\n"));
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["--quiet", "release", "--check-new", "--repository"])
            .arg(repository.root())
            .env("PATH", repository.bench.path("npm"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), said);
    }
}
