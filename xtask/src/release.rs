//! `release`: the crates for a codex release, ready to be published.
//!
//! What must always hold:
//! - A dry run writes nothing outside of cargo's target folder, and does all the same
//!   work: in a copy of the repository.
//! - With `--write` the repository gets what the copy has, all files or none. It gets it
//!   even where a check fails, for a person to go on from there; but not without
//!   bindings.
//! - A second run changes no byte.
//! - Nothing is published, committed, tagged or pushed.
//! - What was reviewed is never guessed: it is named.

mod api;
mod changelog;
mod checks;
mod copy;
mod git;
mod manifests;
mod mentions;
mod package;
mod prepare;
mod program;
mod report;
mod show;
mod version;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use miette::miette;
use semver::Version;

use self::checks::{Checks, Executable};
use self::copy::Copy;
use self::git::Baseline;
use self::report::{Edit, Outcome, Report, Step, Task};
use self::workspace::Workspace;
use crate::progress::Progress;
use crate::pull::{self, Request};
use crate::report::{command, print, print_styled};

/// The schema folder, below the repository's root.
const SCHEMA: &str = "protocol-schema";
/// The folder of ours in cargo's target folder.
const WORK: &str = "codex-release";

/// What is said of the exit status.
pub const EXIT_STATUS: &str = "\
Exit status: 0 ready to be published: nothing is left to write or to do, and every check holds; \
1 not ready, or a failure; 2 wrong command line. --check-new: 0, and 1 if npm can't be asked.

The version of the crates: MAJOR.MINOR of the codex release; the patch is 0 for the first version \
of that minor, else one more than the highest that has a tag (v0.169.0) or a section in CHANGELOG.md \
that is not marked (unreleased).";

/// The arguments of `release`.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Arguments {
    /// A version (0.169.0), `latest`, a codex executable, or a folder with an export.
    /// Default: the version that the schema folder is pinned to.
    release: Option<String>,
    /// The release of an executable or folder that does not say it.
    #[arg(long = "as", value_name = "VERSION")]
    hint: Option<String>,
    /// Make the changes in the repository.
    #[arg(long)]
    write: bool,
    /// Build nothing: schema, bindings, versions and texts only. Then it is never ready.
    #[arg(long)]
    quick: bool,
    /// Leave out the tests of the workspace. Then it is never ready.
    #[arg(long)]
    no_tests: bool,
    /// The commit whose API and protocol are compared with. Default: the newest tag
    /// `v…` behind HEAD, else where this branch left the main one.
    #[arg(long, value_name = "REV")]
    baseline_rev: Option<String>,
    /// How many scenarios to play at a time.
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,
    /// How to print the report: for a terminal, for a pull request, for programs.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Only say on standard output which release npm has that is newer than the pinned
    /// one; nothing if there is none.
    #[arg(long, conflicts_with_all = ["release", "hint", "write", "quick", "no_tests", "baseline_rev", "format"])]
    check_new: bool,
    /// The repository.
    #[arg(long, value_name = "DIR", default_value_os_t = crate::root())]
    repository: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For a terminal; colour where it has it and NO_COLOR is not set.
    #[default]
    Text,
    /// For the text of a pull request.
    Markdown,
    /// For programs.
    Json,
}

/// Prepares a release, and prints what it found.
///
/// # Errors
/// If the release, the repository or a program can't be had; nothing was written then.
pub fn run(arguments: &Arguments, progress: Progress) -> miette::Result<ExitCode> {
    let repository = arguments.repository.canonicalize().map_err(|error| {
        let shown = arguments.repository.display();
        miette!(code = "release::repository", help = "name a clone of this repository", "{shown}: {error}")
    })?;
    let schema = repository.join(SCHEMA);
    let instead = command("release 0.169.0", None, None);
    if arguments.check_new {
        let pinned = pull::pinned(&schema, &instead)?;
        if let Some(newer) = newer(&pull::latest(progress)?, &pinned) {
            print(&format!("{newer}\n"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let request = Request {
        release: arguments.release.as_deref(),
        hint: arguments.hint.as_deref(),
        schema: &schema,
        command: &instead,
    };
    let report = Road { arguments, repository: &repository, request, progress }.report()?;
    match arguments.format {
        Format::Text => print_styled(&report.text())?,
        Format::Markdown => print(&report.markdown())?,
        Format::Json => print(&json(&report)?)?,
    }
    Ok(if report.ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn json(report: &Report) -> miette::Result<String> {
    let text = serde_json::to_string_pretty(report)
        .map_err(|error| miette!(help = "this is a fault of xtask", "the report is no JSON: {error}"))?;
    Ok(format!("{text}\n"))
}

/// The latest release, if it is newer than the pinned one.
fn newer<'a>(latest: &'a str, pinned: &str) -> Option<&'a str> {
    let [latest_version, pinned] = [latest, pinned].map(|text| Version::parse(text).ok());
    (latest_version? > pinned?).then_some(latest)
}

/// One run.
struct Road<'a> {
    arguments: &'a Arguments,
    repository: &'a Path,
    request: Request<'a>,
    progress: Progress,
}

impl Road<'_> {
    fn report(&self) -> miette::Result<Report> {
        let baseline = git::baseline(self.repository, self.arguments.baseline_rev.as_deref())?;
        let work = Workspace::read(self.repository)?.target.join(WORK);
        let copy = Copy::make(self.repository, &work.join("workspace"))?;
        let mut report = prepare::prepare(&copy, self.repository, self.request, baseline.as_ref(), self.progress)?;

        let workspace = Workspace::read(copy.root())?;
        let target = work.parent().unwrap_or(&work).to_owned();
        let checks = Checks { root: copy.root(), target: &target, release: &report.release.clone() };
        let early = if self.arguments.quick { None } else { self.record(&checks, &mut report)? };
        // What checks leave behind is no change.
        let edits = copy.edits()?;
        report.files = edits
            .iter()
            .map(|(name, content)| {
                let edit = match (copy.before(name), content) {
                    (None, _) => Edit::New,
                    (Some(_), Some(_)) => Edit::Changed,
                    (Some(_), None) => Edit::Removed,
                };
                (PathBuf::from(name), edit)
            })
            .collect();
        if self.arguments.quick {
            let summary = "recordings, round trips, contract, packages, API and tests: --quick builds nothing";
            report.steps.push(Step::new("checks", Outcome::LeftOut, summary));
        } else {
            self.check(&checks, early.as_ref(), &workspace, baseline.as_ref(), &work, &mut report)?;
        }
        report.publish = publish(&workspace, &report)?;
        if self.arguments.write && !edits.is_empty() {
            copy.apply(&edits)?;
        }
        report.written = self.arguments.write;
        report.judge();
        Ok(report)
    }

    /// What writes files and needs a build: recordings and their table. Gives the
    /// executable, if the testkit builds.
    fn record(&self, checks: &Checks<'_>, report: &mut Report) -> miette::Result<Option<Executable>> {
        let built = self.step("Building the testkit", || checks.build())?;
        let well = built.outcome == Outcome::Passed;
        report.steps.push(built);
        if !well {
            let what = "the hand-written part does not fit the new bindings: make it compile".to_owned();
            report.tasks.push(Task { place: "crates".to_owned(), what, command: None });
            let summary = "recordings, round trips, contract: they need the testkit";
            report.steps.push(Step::new("checks", Outcome::LeftOut, summary));
            return Ok(None);
        }
        let executable = pull::executable(self.request, self.progress).map_err(|error| error.to_string());
        match &executable {
            Ok(executable) => {
                let played = self.step("Playing the scenarios", || checks.record(executable, self.arguments.jobs))?;
                add(report, played);
            }
            Err(why) => report.steps.push(Step::new("recordings", Outcome::LeftOut, why)),
        }
        let covered = self.step("Making the table of what is covered", || checks.coverage())?;
        add(report, covered);
        Ok(Some(executable))
    }

    /// What must hold.
    fn check(
        &self,
        checks: &Checks<'_>,
        executable: Option<&Executable>,
        workspace: &Workspace,
        baseline: Option<&Baseline>,
        work: &Path,
        report: &mut Report,
    ) -> miette::Result<()> {
        if let Some(executable) = executable {
            let (steps, tasks) = self.step("Decoding and encoding all recordings", || checks.round_trips())?;
            report.steps.extend(steps);
            report.tasks.extend(tasks);
            report.steps.push(match executable {
                Ok(executable) => self.step("Checking the contract", || checks.contract(executable))?,
                Err(why) => Step::new("contract", Outcome::LeftOut, why),
            });
        }
        let packages = workspace.published()?;
        let step = self.step("Packaging the crates", || package::package(checks.root, checks.target, &packages))?;
        report.steps.push(step);
        report.steps.push(match baseline {
            Some(baseline) => {
                let what = format!("Comparing the API with {}", baseline.name);
                self.step(&what, || api::compare(checks.root, self.repository, baseline, work, &packages))?
            }
            None => Step::new("api", Outcome::LeftOut, "there is no commit to compare with"),
        });
        if self.arguments.no_tests {
            report.steps.push(Step::new("tests", Outcome::LeftOut, "--no-tests"));
        } else {
            let (step, tasks) = self.step("Running the tests", || checks.tests())?;
            report.steps.push(step);
            report.tasks.extend(tasks);
        }
        Ok(())
    }

    fn step<T>(&self, what: &str, run: impl FnOnce() -> T) -> T {
        let _step = self.progress.step(what);
        run()
    }
}

fn add(report: &mut Report, (step, task): (Step, Option<Task>)) {
    report.steps.push(step);
    report.tasks.extend(task);
}

/// The commands that publish it, in order.
fn publish(workspace: &Workspace, report: &Report) -> miette::Result<Vec<String>> {
    let version = &report.version;
    let mut commands = vec![
        format!("# In CHANGELOG.md: the day in place of (unreleased) behind {version}."),
        format!("git commit --all --message 'codex-rpc {version}, for codex {}'", report.release),
        format!("git tag v{version}"),
    ];
    commands.extend(workspace.published()?.iter().map(|package| format!("cargo publish -p {}", package.name)));
    commands.push(format!("git push origin HEAD v{version}"));
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_higher_version_is_newer() {
        assert_eq!(newer("0.170.0", "0.169.0"), Some("0.170.0"));
        assert_eq!(newer("0.169.10", "0.169.9"), Some("0.169.10"));
        for same_or_older in ["0.169.0", "0.168.9", "0.169.0-alpha.1", "new"] {
            assert_eq!(newer(same_or_older, "0.169.0"), None, "{same_or_older}");
        }
    }
}
