//! How the Rust API of the published crates differs from that of the baseline.
//!
//! By cargo-semver-checks: it works with a stable toolchain, and knows what breaks a
//! user. It reports; it fails the road only if a version that users get without asking
//! for it would break them.

use std::path::Path;

use semver::Version;

use super::git::{self, Baseline};
use super::program::{Said, cargo, said};
use super::report::{Outcome, Step};
use super::workspace::{Package, Workspace};

/// How to get the tool.
const INSTALL: &str = "cargo install cargo-semver-checks --locked";
/// The step's name.
const NAME: &str = "api";

/// Compares the libraries in `root` with those of the baseline, which is unpacked into
/// `unpacked`.
///
/// # Errors
/// If the baseline can't be unpacked, or cargo can't be started.
pub fn compare(
    root: &Path,
    origin: &Path,
    baseline: &Baseline,
    unpacked: &Path,
    target: &Path,
    packages: &[&Package],
) -> miette::Result<Step> {
    let installed = said(cargo(root).args(["semver-checks", "--version"]))?;
    if !installed.well {
        let summary = format!("cargo-semver-checks is not installed: `{INSTALL}`");
        return Ok(Step::new(NAME, Outcome::LeftOut, summary));
    }
    git::unpack(origin, baseline, unpacked)?;
    let before = match Workspace::read(unpacked) {
        Ok(before) => before,
        Err(error) => {
            let summary = format!("{} is no workspace that cargo reads", baseline.name);
            return Ok(Step::new(NAME, Outcome::Failed, summary).with(vec![error.to_string()]));
        }
    };
    let (mut details, mut took, mut failed, mut breaking) = (Vec::new(), std::time::Duration::ZERO, 0, 0);
    for package in packages.iter().filter(|package| package.library) {
        let name = &package.name;
        let Some(old) = before.packages.get(name).filter(|old| old.library) else {
            details.push(format!("{name}: new"));
            continue;
        };
        let mut command = cargo(root);
        command
            .args(["semver-checks", "--color", "never", "--all-features", "--release-type", "minor", "--package", name])
            .arg("--manifest-path")
            .arg(root.join("Cargo.toml"))
            .arg("--baseline-root")
            .arg(unpacked)
            .env("CARGO_TARGET_DIR", target);
        let ran = said(&mut command)?;
        took += ran.took;
        match Found::read(&ran) {
            Some(found) if found.is_empty() => details.push(format!("{name}: nothing breaks")),
            Some(found) => {
                breaking += 1;
                failed += usize::from(is_update(&old.version, &package.version));
                details.push(format!("{name}: breaks users of {}", old.version));
                details.extend(found.into_iter().map(|line| format!("  {line}")));
            }
            None => {
                failed += 1;
                details.push(format!("{name}: could not be compared"));
                details.extend(ran.tail(20).into_iter().map(|line| format!("  {line}")));
            }
        }
    }
    let (outcome, summary) = match (failed, breaking) {
        (0, 0) => (Outcome::Passed, format!("nothing breaks users of {}", baseline.name)),
        (0, _) => (Outcome::Passed, format!("{breaking} crates break users of {}; the version says so", baseline.name)),
        _ => (Outcome::Failed, format!("{failed} crates break users of {} or could not be compared", baseline.name)),
    };
    Ok(Step::new(NAME, outcome, summary).with(details).took(took))
}

/// Whether users get it without asking for it: a higher version that cargo takes as
/// compatible.
fn is_update(old: &Version, new: &Version) -> bool {
    let compatible = if old.major == 0 { (0, old.minor) == (new.major, new.minor) } else { old.major == new.major };
    compatible && new > old
}

/// What breaks: a line for each kind of break, and one for each place.
type Breaks = Vec<String>;

struct Found;

impl Found {
    /// None if the tool could not compare.
    fn read(ran: &Said) -> Option<Breaks> {
        let mut breaks = Breaks::new();
        let (mut summary, mut places) = (false, false);
        for line in ran.text.lines() {
            if let Some(kind) = line.strip_prefix("--- failure ") {
                breaks.push(kind.trim_end_matches([' ', '-']).to_owned());
                places = false;
            } else if line == "Failed in:" {
                places = true;
            } else if line.trim_start().starts_with("Summary ") {
                summary = true;
            } else if places && line.starts_with("  ") && !line.trim().is_empty() {
                breaks.push(format!("  {}", without_location(line.trim())));
            } else {
                places = false;
            }
        }
        (summary && ran.well == breaks.is_empty()).then_some(breaks)
    }
}

/// A place without the file of this machine that it stands in.
fn without_location(place: &str) -> &str {
    place.split(" in /").next().and_then(|place| place.split(" in file ").next()).unwrap_or(place).trim_end_matches(',')
}
