//! What docs/contract-testing.md and its example show works: the example's tests, the
//! steps of its workflow, the guide's commands. They run in a copy of the example whose
//! crates are this repository's, offline.
//!
//! What needs the real executable runs where `CODEX_BIN` names one.
#![cfg(all(feature = "cli", feature = "record", unix))]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn example() -> PathBuf {
    repository().join("examples/contract-project")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn guide() -> String {
    read(repository().join("docs/contract-testing.md"))
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, block)) = rest.split_once(&format!("\n```{language}\n")) {
        let (block, after) = block.split_once("\n```\n").expect("the end of a block");
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

#[derive(Deserialize)]
struct Workflow {
    jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
struct Job {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    name: String,
    #[serde(default)]
    run: Option<String>,
}

/// A machine of its own, as far as the workflow can tell: a copy of the example, a home,
/// programs, and the files by which steps talk to the ones after them.
struct Machine {
    project: PathBuf,
    home: PathBuf,
    path: String,
    variables: BTreeMap<String, String>,
}

impl Machine {
    /// In a folder that stays, so that what was built is found again.
    fn new(name: &str, codex: Option<&Path>) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide").join(name);
        let (project, home, programs) = (root.join("project"), root.join("home"), root.join("programs"));
        for folder in [&project, &home, &programs] {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).expect("a folder");
        }
        copy(&example(), &project);
        fs::create_dir_all(root.join(".cargo")).expect("a folder");
        let crates = ["codex-rpc", "codex-rpc-dispatch", "codex-rpc-testkit"];
        let patches = crates.map(|name| {
            let path = repository().join("crates").join(name);
            format!("{name} = {{ path = {:?} }}\n", path.display().to_string())
        });
        let patches = format!("[patch.crates-io]\n{}", patches.concat());
        fs::write(root.join(".cargo/config.toml"), patches).expect("a configuration");

        program(&programs.join("cargo"), &cargo());
        if let Some(codex) = codex {
            program(&programs.join("npm"), &npm(codex));
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder").to_owned();
        let outer = env::var("PATH").expect("PATH");
        let mut variables = BTreeMap::from([
            ("CARGO_TARGET_DIR".to_owned(), target.display().to_string()),
            ("CARGO_NET_OFFLINE".to_owned(), "true".to_owned()),
            // As in this workspace, so that what it built serves here, too.
            ("CARGO_PROFILE_DEV_DEBUG".to_owned(), "line-tables-only".to_owned()),
            ("GITHUB_EVENT_NAME".to_owned(), "pull_request".to_owned()),
        ]);
        // These are found through HOME unless they are set.
        let outer_home = PathBuf::from(env::var_os("HOME").expect("HOME"));
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let value = env::var_os(name).map_or_else(|| outer_home.join(folder), PathBuf::from);
            variables.insert(name.to_owned(), value.display().to_string());
        }
        Self { project, home, path: format!("{}:{outer}", programs.display()), variables }
    }

    /// Runs a script as a step of a workflow.
    fn run(&mut self, script: &str) -> Output {
        let files = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"].map(|name| (name, self.home.join(name)));
        let mut command = Command::new("bash");
        command.args(["-e", "-c", script]).current_dir(&self.project).env("HOME", &self.home).env("PATH", &self.path);
        for inherited in ["CODEX_BIN", "CODEX_RPC_REPLAY", "CARGO_MANIFEST_DIR", "RUSTFLAGS"] {
            command.env_remove(inherited);
        }
        command.envs(&self.variables).envs(files.iter().map(|(name, file)| (*name, file)));
        let output = command.output().expect("bash");
        for line in fs::read_to_string(&files[0].1).unwrap_or_default().lines() {
            let (name, value) = line.split_once('=').expect("a variable");
            self.variables.insert(name.to_owned(), value.to_owned());
        }
        for folder in fs::read_to_string(&files[1].1).unwrap_or_default().lines() {
            self.path = format!("{folder}:{}", self.path);
        }
        for (_, file) in &files[..2] {
            let _ = fs::remove_file(file);
        }
        output
    }

    /// The same; it must succeed. Gives what it wrote.
    fn expect(&mut self, name: &str, script: &str) -> String {
        let output = self.run(script);
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(output.status.success(), "{name}: {}\n{text}", output.status);
        text
    }

    /// Runs the steps of a job. Gives what each wrote.
    fn job(&mut self, job: &str) -> BTreeMap<String, String> {
        let text = read(self.project.join(".github/workflows/contract.yml"));
        // `env` of the workflow: a plain variable.
        let pinned = text.lines().find_map(|line| line.trim().strip_prefix("CODEX_PINNED: ")).expect("a release");
        self.variables.insert("CODEX_PINNED".to_owned(), pinned.trim_matches('"').to_owned());
        let mut workflow: Workflow = serde_saphyr::from_str(&text).expect("a workflow");
        let steps = workflow.jobs.remove(job).expect("the job").steps;
        let steps = steps.into_iter().filter_map(|step| Some((step.name, step.run?)));
        steps.map(|(name, run)| (name.clone(), self.expect(&name, &run))).collect()
    }
}

/// A script; the folder's other programs come after it.
fn program(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
}

/// Cargo; what it installs are the programs that were built with this test, so that the
/// testkit is not compiled once more.
fn cargo() -> String {
    let cargo = env::var("CARGO").expect("cargo runs the tests");
    let programs = [
        env!("CARGO_BIN_EXE_codex-contract"),
        env!("CARGO_BIN_EXE_codex-rpc-replay"),
        env!("CARGO_BIN_EXE_codex-rpc-testkit"),
    ];
    let programs = programs.map(|program| format!(r#" "{program}""#)).concat();
    format!(
        r#"if [ "$1 $2" = "install codex-rpc-testkit" ]; then
  [ "$# $3 $4 $5" = "6 --version ~0.169 --root" ] || {{ echo "unexpected: $*" >&2; exit 1; }}
  mkdir -p "$6/bin"
  exec ln -s{programs} "$6/bin"
fi
exec "{cargo}" "$@""#
    )
}

/// An npm that has nothing but this executable.
fn npm(codex: &Path) -> String {
    format!(
        r#"case "$1 $2 $4" in
"install --prefix @openai/codex@"[0-9]*) ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
mkdir -p "$3/node_modules/.bin"
ln -s "{}" "$3/node_modules/.bin/codex""#,
        codex.display()
    )
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == "target" {
            continue;
        }
        if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).expect("a copy");
        }
    }
}

/// The programs of the testkit, first on the path: what `cargo install` would give.
fn install(machine: &mut Machine) {
    machine.variables.insert("GITHUB_EVENT_NAME".to_owned(), "pull_request".to_owned());
    let root = machine.home.join("installed");
    machine
        .expect("install", &format!("cargo install codex-rpc-testkit --version '~0.169' --root '{}'", root.display()));
    machine.path = format!("{}:{}", root.join("bin").display(), machine.path);
}

/// The real executable; without one says that `test` did not use it.
fn codex(test: &str) -> Option<PathBuf> {
    let codex = env::var_os("CODEX_BIN").map(PathBuf::from);
    if codex.is_none() {
        // Not by `eprintln!`, which is shown only for tests that fail.
        let _ = writeln!(io::stderr(), "SKIPPED {test}: CODEX_BIN does not name a codex executable");
    }
    codex
}

#[test]
fn the_guide_shows_what_the_example_has() {
    let (guide, tests) = (guide(), read(example().join("tests/contract.rs")));
    let rust = blocks(&guide, "rust");
    assert_eq!(rust.len(), 2);
    for block in rust {
        assert!(tests.contains(&block), "not in the example's tests:\n{block}");
    }
    assert_eq!(blocks(&guide, "yaml"), [read(example().join("tests/scenarios/ask.yaml")).trim_end()]);
    let manifest = read(example().join("Cargo.toml"));
    for line in blocks(&guide, "toml").iter().flat_map(|block| block.lines()) {
        assert!(manifest.lines().any(|own| own == line), "not in the example's Cargo.toml: {line}");
    }
}

#[test]
fn what_the_guide_links_to_is_there() {
    let guide = guide();
    let links: Vec<&str> = guide.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() >= 5, "{links:?}");
    for link in links {
        assert!(repository().join("docs").join(link).exists(), "{link}");
    }
}

#[test]
fn without_codex_the_example_passes_and_the_guides_commands_work() {
    let mut machine = Machine::new("without-codex", None);
    let steps = machine.job("without-codex");
    let text = &steps["Test against the recorded session"];
    assert!(text.contains("test result: ok. 5 passed"), "{text}");
    assert_eq!(text.matches("SKIPPED ").count(), 3, "what needs codex says that it did nothing:\n{text}");

    install(&mut machine);
    let mut seen = 0;
    for block in blocks(&guide(), "sh").iter().filter(|block| !block.contains("\"$CODEX_BIN\"")) {
        let text = machine.expect("a block of the guide", block);
        if block.contains("codex-rpc-replay") {
            assert_eq!(text, "Forty-two.\n");
        }
        seen += 1;
    }
    assert_eq!(seen, 2, "blocks that need no codex");
}

#[test]
fn with_codex_the_workflow_passes_and_the_guides_commands_work() {
    let Some(codex) = codex("with_codex_the_workflow_passes_and_the_guides_commands_work") else { return };
    let mut machine = Machine::new("with-codex", Some(&codex));
    let steps = machine.job("with-codex");
    let contract = &steps["Does this codex fit the bindings?"];
    assert!(contract.contains("verdict: fit"), "{contract}");
    assert!(contract.contains("from npm, @openai/codex@"), "{contract}");
    let tests = &steps["Test with this codex"];
    assert!(tests.contains("test result: ok. 5 passed") && !tests.contains("SKIPPED"), "{tests}");
    let summary = read(machine.home.join("GITHUB_STEP_SUMMARY"));
    assert!(summary.starts_with("# codex ") && summary.contains(": fit\n"), "{summary}");
    assert!(read(machine.project.join("contract.xml")).contains(r#"failures="0" errors="0""#));

    // All scenarios were just played; one does for the rest.
    let real = machine.home.join(".cache/codex-rpc/bin/codex-contract");
    let script = format!(r#"exec "{}" "$@" --scenario conversation"#, real.display());
    let first = machine.home.join("first");
    fs::create_dir_all(&first).expect("a folder");
    program(&first.join("codex-contract"), &script);
    machine.path = format!("{}:{}", first.display(), machine.path);
    let mut seen = 0;
    for block in blocks(&guide(), "sh").iter().filter(|block| block.contains("\"$CODEX_BIN\"")) {
        machine.expect("a block of the guide", block);
        seen += 1;
    }
    assert_eq!(seen, 2, "blocks that need codex");
    for report in ["report.txt", "report.md", "report.json", "report.xml"] {
        assert!(!read(machine.project.join(report)).is_empty());
    }
}
