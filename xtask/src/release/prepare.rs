//! What changes with a release, without a build: schema, bindings, versions, texts.

use std::collections::BTreeSet;
use std::path::Path;

use codex_rpc_codegen::diff::{Detail, Difference, diff};
use codex_rpc_codegen::generate::Outcome as Generated;
use codex_rpc_codegen::model::Protocol;
use miette::miette;
use semver::Version;

use super::changelog::{self, Changes as Entry};
use super::copy::Copy;
use super::git::{self, Baseline};
use super::mentions::{Move, lines};
use super::program::{cargo, said};
use super::report::{Outcome, Report, Step, Task};
use super::workspace::Workspace;
use super::{SCHEMA, manifests, version};
use crate::generate::Sources;
use crate::progress::Progress;
use crate::pull::{self, Fetched, Request};
use crate::replace::{Changes, Folder};
use crate::summary;
use crate::target::Target;

const CHANGELOG: &str = "CHANGELOG.md";
/// What was measured was so with the release that is named there.
const MEASURED: &str = "crates/bench/";
const ERRATA: &str = "protocol-schema/errata.toml";

/// Prepares a release in the copy; gives the report as far as it goes.
///
/// # Errors
/// If the release can't be had or read, or the copy is no such repository.
pub fn prepare(
    copy: &Copy,
    repository: &Path,
    request: Request<'_>,
    baseline: Option<&Baseline>,
    progress: Progress,
) -> miette::Result<Report> {
    let pinned = pull::pinned(request.schema, request.command)?;
    let fetched = pull::fetch(request, progress)?;
    let bindings = bindings(copy, &fetched, progress)?;
    let codex = parsed(&fetched.pin().release)?;

    let workspace = Workspace::read(copy.root())?;
    let changelog = text(copy, CHANGELOG)?;
    let current = workspace.packages.values().find(|package| package.published).map(|package| package.version.clone());
    let current = current.ok_or_else(|| {
        miette!(code = "release::workspace", help = "name the repository of the crates", "no package is published")
    })?;
    let mut released = changelog::released(&changelog);
    released.extend(git::released(repository));
    let version = version::next(&codex, &released, &current);

    let mut report = Report {
        ready: false,
        written: false,
        pinned,
        release: fetched.pin().release,
        version_before: current.to_string(),
        version: version.to_string(),
        baseline: baseline.map(|baseline| baseline.name.clone()),
        steps: bindings.steps,
        files: Vec::new(),
        tasks: Vec::new(),
        difference: None,
        publish: Vec::new(),
    };
    review(copy, &bindings.outcome, &mut report)?;
    let old = before(copy, repository, &changelog, baseline, request, progress)?;
    report.difference = old.map(|old| diff(&old, &bindings.outcome.protocol).without_documentation());
    versions(copy, &workspace, &version, &mut report)?;
    mentions(copy, &workspace, &version, &mut report)?;
    entry(copy, &changelog, &version, &mut report)?;
    Ok(report)
}

struct Bindings {
    outcome: Generated,
    steps: Vec<Step>,
}

/// Schema and bindings, written to the copy.
fn bindings(copy: &Copy, fetched: &Fetched, progress: Progress) -> miette::Result<Bindings> {
    let schema = copy.root().join(SCHEMA);
    let target = Target::find(&copy.root().join("crates/codex-rpc"))?;
    let sources = Sources::fetched(fetched, &schema)?;
    let (outcome, files) = sources.generate(target.has_dispatcher(), progress)?;
    let mut changes = Changes::default();
    let crates = target.stage(sources.release(), &files, &mut changes)?;
    let pulled = changes.whole(&Folder::find(&schema)?, &fetched.content()?)?;
    changes.commit()?;
    target.check(sources.release(), &files, &crate::report::command("regenerate", None, None))?;

    let step = |name: &str, changed: bool, summary: String| {
        Step::new(name, if changed { Outcome::Changed } else { Outcome::Unchanged }, summary)
    };
    let written: Vec<_> = crates.into_iter().map(|(folder, changed)| (below(copy, &folder), changed)).collect();
    let steps = vec![
        step("schema", pulled, format!("codex {}: {}", sources.release(), summary::counts(&outcome.protocol))),
        step("bindings", written.iter().any(|(_, changed)| *changed), summary::written(&written)),
    ];
    Ok(Bindings { outcome, steps })
}

/// The corrections that hold for the release: what a person has to look at.
fn review(copy: &Copy, outcome: &Generated, report: &mut Report) -> miette::Result<()> {
    let errata: toml::Table = text(copy, ERRATA)?.parse().unwrap_or_default();
    let reviewed = errata.get("reviewed").and_then(toml::Value::as_str).unwrap_or("no release");
    let notes: Vec<String> = outcome.notes.iter().map(ToString::to_string).collect();
    if reviewed == report.release {
        let summary = format!("{ERRATA} was reviewed for this release");
        report.steps.push(Step::new("corrections", Outcome::Passed, summary));
        return Ok(());
    }
    let summary = format!("{ERRATA} was reviewed for {reviewed}; {} notes", notes.len());
    report.steps.push(Step::new("corrections", Outcome::Failed, summary).with(notes));
    report.tasks.push(Task {
        place: ERRATA.to_owned(),
        what: format!(
            "review the notes on {}: remove what no longer applies, add what is missing, then write `reviewed = \"{}\"`",
            report.release, report.release
        ),
        command: Some("cargo xtask generate".to_owned()),
    });
    Ok(())
}

/// The protocol before: of the release that our part of the changelog starts from, else
/// that of the baseline.
fn before(
    copy: &Copy,
    repository: &Path,
    changelog: &str,
    baseline: Option<&Baseline>,
    request: Request<'_>,
    progress: Progress,
) -> miette::Result<Option<Protocol>> {
    let of_baseline = baseline.and_then(|baseline| at(repository, baseline));
    let Some(base) = changelog::base(changelog) else { return Ok(of_baseline) };
    if of_baseline.as_ref().is_some_and(|protocol| protocol.release == base) {
        return Ok(of_baseline);
    }
    let request = Request { release: Some(&base), hint: None, ..request };
    let sources = Sources::fetched(&pull::fetch(request, progress)?, &copy.root().join(SCHEMA))?;
    Ok(Some(sources.model()?.protocol))
}

/// The protocol of a commit, if it has one that can be read.
fn at(repository: &Path, baseline: &Baseline) -> Option<Protocol> {
    let folder = tempfile::tempdir().ok()?;
    for name in [pull::PIN, pull::STABLE, pull::EXPERIMENTAL, pull::HARVEST, "errata.toml"] {
        let bytes = git::show(repository, baseline, &format!("{SCHEMA}/{name}"))?;
        std::fs::write(folder.path().join(name), bytes).ok()?;
    }
    Some(Sources::read(folder.path()).ok()?.model().ok()?.protocol)
}

/// The version in manifests and lock files.
fn versions(copy: &Copy, workspace: &Workspace, version: &Version, report: &mut Report) -> miette::Result<()> {
    let members: BTreeSet<String> = workspace.packages.keys().cloned().collect();
    let published = workspace.published()?.iter().map(|package| package.name.clone()).collect();
    let (mut changed, mut locks) = (Vec::new(), Vec::new());
    for name in copy.names().map(str::to_owned).collect::<Vec<_>>() {
        let path = Path::new(&name);
        match path.file_name().and_then(|name| name.to_str()) {
            Some("Cargo.lock") if manifests::is_behind(&text(copy, &name)?, &published, version) => {
                locks.push(path.parent().unwrap_or(path).to_owned());
            }
            Some("Cargo.toml") => {
                let published =
                    workspace.packages.values().any(|package| package.published && package.manifest == path);
                copy.edit(&name, |text| {
                    let new = manifests::bump(text, &name, &members, published, version)?;
                    if new != text {
                        changed.push(name.clone());
                    }
                    Ok(new)
                })?;
            }
            _ => {}
        }
    }
    let mut details = changed.clone();
    let mut outcome = if changed.is_empty() { Outcome::Unchanged } else { Outcome::Changed };
    for folder in locks {
        let name = folder.join("Cargo.lock").display().to_string();
        match lock(copy, &folder)? {
            Ok(()) => {
                details.push(name);
                if outcome == Outcome::Unchanged {
                    outcome = Outcome::Changed;
                }
            }
            Err(lines) => {
                outcome = Outcome::Failed;
                details.push(format!("{name}: cargo can't write it"));
                details.extend(lines);
            }
        }
    }
    let summary = format!("{} → {version}", report.version_before);
    let same = report.version_before == report.version;
    let step = Step::new("versions", outcome, if same { format!("{version} stays") } else { summary });
    report.steps.push(if outcome == Outcome::Unchanged { step } else { step.with(details) });
    Ok(())
}

/// Lets cargo write the versions of the workspace's packages into a lock file; what is
/// not on this machine it may fetch.
fn lock(copy: &Copy, folder: &Path) -> miette::Result<Result<(), Vec<String>>> {
    let mut last = Vec::new();
    for offline in [true, false] {
        let mut command = cargo(&copy.root().join(folder));
        command.args(["update", "--workspace", "--quiet"]);
        command.args(offline.then_some("--offline"));
        let ran = said(&mut command)?;
        if ran.well {
            return Ok(Ok(()));
        }
        last = ran.tail(10);
    }
    Ok(Err(last))
}

/// Texts that name the release.
fn mentions(copy: &Copy, workspace: &Workspace, version: &Version, report: &mut Report) -> miette::Result<()> {
    let crates = workspace.published()?.iter().map(|package| package.name.clone()).collect();
    let moved = Move { old: &report.pinned, new: &report.release, version, crates: &crates };
    let (mut changed, mut still) = (Vec::new(), Vec::new());
    let markdown = |name: &&str| Path::new(name).extension().is_some_and(|it| it == "md") && *name != CHANGELOG;
    for name in copy.names().filter(markdown).map(str::to_owned).collect::<Vec<_>>() {
        // The table of what is covered names all releases.
        if name.starts_with(super::checks::TRANSCRIPTS) {
            continue;
        }
        copy.edit(&name, |text| {
            let new = if name.starts_with(MEASURED) { text.to_owned() } else { moved.apply(text) };
            if new != text {
                changed.push(format!("{name} changes"));
            }
            let named = if moved.old == moved.new { Vec::new() } else { lines(&new, moved.old) };
            still.extend(named.into_iter().map(|line| format!("{name}:{line} still names {}", moved.old)));
            Ok(new)
        })?;
    }
    let outcome = if changed.is_empty() { Outcome::Unchanged } else { Outcome::Changed };
    let summary = format!("{} files of Markdown change, {} lines name the release before", changed.len(), still.len());
    report.steps.push(Step::new("texts", outcome, summary).with([changed, still].concat()));
    Ok(())
}

/// The entry in the changelog.
fn entry(copy: &Copy, before: &str, version: &Version, report: &mut Report) -> miette::Result<()> {
    let markdown = report.difference.as_ref().map(|difference| difference.markdown(Detail::Normal));
    let changes = report.difference.as_ref().zip(markdown.as_ref()).filter(|(difference, _)| moves(difference));
    let changes = changes.map(|(difference, markdown)| Entry { from: &difference.old, to: &difference.new, markdown });
    let after = changelog::entry(before, version, changes);
    let outcome = if after == before { Outcome::Unchanged } else { Outcome::Changed };
    copy.edit(CHANGELOG, |_| Ok(after))?;
    let what = report.difference.as_ref().filter(|difference| moves(difference));
    let what = what.map_or("no change of the protocol to tell".to_owned(), Difference::summary);
    report.steps.push(Step::new("changelog", outcome, format!("{version} (unreleased): {what}")));
    Ok(())
}

/// Whether it is a difference between two releases.
fn moves(difference: &Difference) -> bool {
    difference.old != difference.new
}

fn text(copy: &Copy, name: &str) -> miette::Result<String> {
    let bytes = copy.before(name).ok_or_else(|| {
        miette!(code = "release::repository", help = "name a clone of this repository", "there is no {name}")
    })?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

fn parsed(release: &str) -> miette::Result<Version> {
    Version::parse(release)
        .map_err(|error| miette!(code = "release::version", help = "name it with --as", "`{release}`: {error}"))
}

fn below(copy: &Copy, folder: &Path) -> std::path::PathBuf {
    folder.strip_prefix(copy.root()).unwrap_or(folder).to_owned()
}
