//! What must hold before a release, each as a step.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{Said, cargo, said};
use super::report::{Outcome, Step, Task};

/// Where the recordings are, below the repository's root.
pub const TRANSCRIPTS: &str = "tests/transcripts";

/// A copy of the repository that is checked.
pub struct Checks<'a> {
    /// Its folder.
    pub root: &'a Path,
    /// Where its builds go.
    pub target: &'a Path,
    /// The codex release.
    pub release: &'a str,
}

impl Checks<'_> {
    fn cargo(&self) -> Command {
        let mut command = cargo(self.root);
        command.env("CARGO_TARGET_DIR", self.target);
        command
    }

    /// A verb of the testkit's program.
    fn testkit(&self, verb: &str, arguments: &[OsString]) -> miette::Result<Said> {
        let mut command = self.cargo();
        command.args(["run", "--quiet", "--package", "codex-rpc-testkit", "--bin", "codex-rpc-testkit", "--", verb]);
        said(command.args(arguments))
    }

    /// Builds what the other checks run.
    ///
    /// # Errors
    /// As all of them: if cargo can't be started.
    pub fn build(&self) -> miette::Result<Step> {
        let mut command = self.cargo();
        let ran = said(command.args(["build", "--quiet", "--package", "codex-rpc-testkit", "--bins"]))?;
        Ok(step("build", &ran, "the testkit builds", "the testkit does not build with these bindings"))
    }

    /// Plays all scenarios. Recordings that are there already are compared and stay as
    /// they are: `record` writes them anew, if a person wants it.
    ///
    /// # Errors
    /// See [`Checks::build`].
    pub fn record(&self, executable: &Path, jobs: usize) -> miette::Result<(Step, Option<Task>)> {
        let folder = format!("{TRANSCRIPTS}/{}", self.release);
        let there = self.root.join(&folder).is_dir();
        let mut arguments: Vec<OsString> = vec!["--executable".into(), executable.into()];
        arguments.extend(["--out".into(), TRANSCRIPTS.into(), "--jobs".into(), jobs.to_string().into()]);
        arguments.extend(there.then(|| "--check".into()));
        let ran = self.testkit("record", &arguments)?;
        let summary = ran.tail(1).pop().unwrap_or_default();
        let details: Vec<String> = ran
            .text
            .lines()
            .filter(|line| !line.ends_with(", written") && *line != summary && !line.trim().is_empty())
            .map(str::to_owned)
            .collect();
        let outcome = match (ran.well, there) {
            (false, _) => Outcome::Failed,
            (true, true) => Outcome::Passed,
            (true, false) => Outcome::Changed,
        };
        let task = (!ran.well).then(|| Task {
            place: folder,
            what: "a scenario fails or says something else: adapt it, or record it again".to_owned(),
            command: Some(format!("cargo xtask record NAME --codex {}", self.release)),
        });
        Ok((Step::new("recordings", outcome, summary).with(details).took(ran.took), task))
    }

    /// Makes the table of what is covered.
    ///
    /// # Errors
    /// See [`Checks::build`].
    pub fn coverage(&self) -> miette::Result<(Step, Option<Task>)> {
        let ran = self.testkit("coverage", &[TRANSCRIPTS.into()])?;
        let well = format!("{TRANSCRIPTS}/COVERAGE.md is the table of all recordings");
        let step = step("coverage", &ran, &well, "methods without a recording or a reason");
        let task = (!ran.well).then(|| Task {
            place: format!("{TRANSCRIPTS}/not-recorded.json"),
            what: "record each of these methods in a scenario, or say why it is not; then make the table".to_owned(),
            command: Some("cargo xtask coverage".to_owned()),
        });
        Ok((step, task))
    }

    /// All recordings through the bindings: those of this release exactly, older ones
    /// with the differences that were reviewed.
    ///
    /// # Errors
    /// See [`Checks::build`].
    pub fn round_trips(&self) -> miette::Result<(Vec<Step>, Vec<Task>)> {
        let (mut steps, mut tasks) = (Vec::new(), Vec::new());
        for release in self.recorded() {
            let folder = format!("{TRANSCRIPTS}/{release}");
            let name = format!("round trip {release}");
            if release == self.release {
                let ran = self.testkit("round-trip", &[folder.into()])?;
                steps.push(step(&name, &ran, "every message comes back exactly", "see the findings"));
                continue;
            }
            let reviewed = format!("{folder}/differences.tsv");
            let missing = !self.root.join(&reviewed).is_file();
            let command = format!("cargo xtask round-trip {folder} --reviewed {reviewed} --update");
            if missing {
                steps.push(Step::new(name, Outcome::LeftOut, format!("there is no {reviewed}")));
            } else {
                let ran = self.testkit("round-trip", &[folder.into(), "--reviewed".into(), (&reviewed).into()])?;
                steps.push(step(&name, &ran, "only reviewed differences", "differences that were not reviewed"));
                if ran.well {
                    continue;
                }
            }
            tasks.push(Task {
                place: reviewed,
                what: format!("write what recordings of {release} do not give back through the new bindings; read it"),
                command: Some(command),
            });
        }
        Ok((steps, tasks))
    }

    /// The releases that there are recordings of.
    fn recorded(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(TRANSCRIPTS)).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.path().is_dir());
        let mut releases: Vec<semver::Version> =
            folders.filter_map(|entry| semver::Version::parse(&entry.file_name().to_string_lossy()).ok()).collect();
        releases.sort();
        releases.into_iter().rev().map(|release| release.to_string()).collect()
    }

    /// The contract of an executable with the bindings.
    ///
    /// # Errors
    /// See [`Checks::build`].
    pub fn contract(&self, executable: &Path) -> miette::Result<Step> {
        let ran = self.testkit("contract", &[executable.into(), "--origin".into(), self.release.into()])?;
        Ok(step("contract", &ran, "codex fits the bindings", "codex does not fit the bindings"))
    }

    /// The tests of the workspace; each that fails is a task: it asserts what was
    /// reviewed of the release before, or found something.
    ///
    /// # Errors
    /// See [`Checks::build`].
    pub fn tests(&self) -> miette::Result<(Step, Vec<Task>)> {
        let ran = said(self.cargo().args(["test", "--workspace", "--no-fail-fast"]))?;
        let failed = failures(&ran.text);
        let tasks = failed
            .iter()
            .map(|(target, names)| Task {
                place: target.clone(),
                what: format!("look at what these tests hold of the release: {}", names.join(", ")),
                command: None,
            })
            .collect();
        let mut step = step("tests", &ran, "all tests pass", "some tests fail");
        if ran.well {
            step.details.clear();
        }
        Ok((step, tasks))
    }
}

/// A step by how its program ended; what it said, if that was not well.
fn step(name: &str, ran: &Said, well: &str, badly: &str) -> Step {
    let (outcome, summary) = if ran.well { (Outcome::Passed, well) } else { (Outcome::Failed, badly) };
    let details = if ran.well { Vec::new() } else { ran.tail(60) };
    Step::new(name, outcome, summary).with(details).took(ran.took)
}

/// The tests that failed, by target, from what `cargo test` says.
fn failures(text: &str) -> Vec<(String, Vec<String>)> {
    let mut failed: Vec<(String, Vec<String>)> = Vec::new();
    let mut target = String::new();
    for line in text.lines() {
        let line = line.trim_start();
        if let Some(running) = line.strip_prefix("Running ") {
            running.split(" (").next().unwrap_or(running).clone_into(&mut target);
        } else if let Some(documented) = line.strip_prefix("Doc-tests ") {
            target = format!("documentation of {documented}");
        } else if let Some(name) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")) {
            match failed.last_mut().filter(|(known, _)| *known == target) {
                Some((_, names)) => names.push(name.to_owned()),
                None => failed.push((target.clone(), vec![name.to_owned()])),
            }
        } else if let Some(crate_) = line.strip_prefix("error: could not compile ") {
            let name = crate_.split(" due to").next().unwrap_or(crate_).to_owned();
            failed.push((name, vec!["it does not compile".to_owned()]));
        }
    }
    failed
}

/// The executable of a release, or why there is none.
pub type Executable = Result<PathBuf, String>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_are_named_by_their_target() {
        let text = "     Running tests/a.rs (target/debug/deps/a-1)\ntest one ... ok\ntest two ... FAILED\n\
                    test deep::three ... FAILED\n     Running unittests src/lib.rs (target/debug/deps/b)\ntest four ... ok\n   \
                    Doc-tests codex_rpc\ntest src/lib.rs - (line 3) ... FAILED\n\
                    error: could not compile `x` (test \"y\") due to 1 previous error\n";
        assert_eq!(
            failures(text),
            [
                ("tests/a.rs".to_owned(), vec!["two".to_owned(), "deep::three".to_owned()]),
                ("documentation of codex_rpc".to_owned(), vec!["src/lib.rs - (line 3)".to_owned()]),
                ("`x` (test \"y\")".to_owned(), vec!["it does not compile".to_owned()]),
            ]
        );
    }
}
