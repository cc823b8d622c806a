//! How the Rust API of the published crates differs from that of the baseline.
//!
//! rustdoc describes each library as JSON, before and after; cargo-public-api compares
//! the two. That JSON is not stable: rustdoc gives it only where it is told to take a
//! stable toolchain for a nightly one. Build scripts see that too, so these builds have
//! a target folder of their own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use miette::miette;
use semver::Version;

use super::git::{self, Baseline};
use super::program::{Said, cargo, said};
use super::report::{Outcome, Step};
use super::workspace::{Package, Workspace};

/// How to get the tool.
const INSTALL: &str = "cargo install cargo-public-api --locked";
/// The step's name.
const NAME: &str = "api";
/// The parts of what the tool says.
const HEADINGS: [&str; 3] =
    ["Removed items from the public API", "Changed items in the public API", "Added items to the public API"];

/// Compares the libraries in `root` with those of the baseline; everything that it makes
/// is in `work`.
///
/// Fails if a version that users get without asking for it has less than the one before,
/// or if libraries can't be compared. What changed and what is new is told.
///
/// # Errors
/// If the baseline can't be unpacked, a file can't be written, or cargo can't be started.
pub fn compare(
    root: &Path,
    origin: &Path,
    baseline: &Baseline,
    work: &Path,
    packages: &[&Package],
) -> miette::Result<Step> {
    if !said(cargo(root).args(["public-api", "--version"]))?.well {
        return Ok(Step::new(NAME, Outcome::LeftOut, format!("cargo-public-api is not installed: `{INSTALL}`")));
    }
    let unpacked = work.join("baseline");
    git::unpack(origin, baseline, &unpacked)?;
    let before = match Workspace::read(&unpacked) {
        Ok(before) => before,
        Err(error) => {
            let summary = format!("{} is no workspace that cargo reads", baseline.name);
            return Ok(Step::new(NAME, Outcome::Failed, summary).with(vec![error.to_string()]));
        }
    };
    let mut api = Api { target: work.join("api"), took: Duration::ZERO };
    let (mut details, mut unlike, mut failed) = (Vec::new(), 0, 0);
    for package in packages.iter().filter(|package| package.library) {
        let name = &package.name;
        let Some(old) = before.packages.get(name).filter(|old| old.library) else {
            details.push(format!("{name}: new"));
            continue;
        };
        match api.difference(&unpacked, root, name)? {
            Ok(difference) => {
                let less = is_update(&old.version, &package.version) && !difference.removed.is_empty();
                failed += usize::from(less);
                unlike += usize::from(!difference.is_empty());
                details.push(format!("{name}: {}", difference.summary()));
                details.extend(difference.lines().map(|line| format!("  {line}")));
            }
            Err(ran) => {
                failed += 1;
                details.push(format!("{name}: could not be compared"));
                details.extend(ran.tail(20).into_iter().map(|line| format!("  {line}")));
            }
        }
    }
    let since = &baseline.name;
    let (outcome, summary) = match (failed, unlike) {
        (0, 0) => (Outcome::Passed, format!("the API is that of {since}")),
        (0, _) => (Outcome::Passed, format!("{unlike} crates have another API than in {since}: see whether it breaks")),
        _ => (Outcome::Failed, format!("{failed} crates have less than in {since}, or could not be compared")),
    };
    Ok(Step::new(NAME, outcome, summary).with(details).took(api.took))
}

/// Whether users get it without asking for it: a higher version that cargo takes as
/// compatible.
fn is_update(old: &Version, new: &Version) -> bool {
    let compatible = if old.major == 0 { (0, old.minor) == (new.major, new.minor) } else { old.major == new.major };
    compatible && new > old
}

struct Api {
    /// Where the builds go.
    target: PathBuf,
    took: Duration,
}

impl Api {
    /// How a library differs between two workspaces; what the programs said, if they
    /// could not find out.
    fn difference(&mut self, old: &Path, new: &Path, package: &str) -> miette::Result<Result<Difference, Said>> {
        let mut described = Vec::new();
        for (root, side) in [(old, "old"), (new, "new")] {
            match self.describe(root, package, side)? {
                Ok(path) => described.push(path),
                Err(ran) => return Ok(Err(ran)),
            }
        }
        let mut command = cargo(new);
        command.args(["public-api", "--color", "never", "--omit", "blanket-impls", "diff"]).args(&described);
        let ran = said(command.env("RUST_BACKTRACE", "0"))?;
        self.took += ran.took;
        Ok(Some(&ran.text).filter(|_| ran.well).and_then(|text| Difference::read(text)).ok_or(ran))
    }

    /// Describes a library in a file.
    fn describe(&mut self, root: &Path, package: &str, side: &str) -> miette::Result<Result<PathBuf, Said>> {
        let made = self.target.join("doc").join(format!("{}.json", package.replace('-', "_")));
        let kept = self.target.join(format!("{package}.{side}.json"));
        let failed = |error: &io::Error| {
            let shown = made.display();
            miette!(code = "release::api", help = "make room, or make the folder writable", "{shown}: {error}")
        };
        // Both workspaces write this one; where it is missing, cargo makes it again.
        match fs::remove_file(&made) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
        let mut command = cargo(root);
        command
            .args(["rustdoc", "--quiet", "--lib", "--all-features", "--package", package, "--target-dir"])
            .arg(&self.target)
            .args(["--", "-Zunstable-options", "--output-format", "json"])
            .env("RUSTC_BOOTSTRAP", "1");
        let ran = said(&mut command)?;
        self.took += ran.took;
        if !ran.well {
            return Ok(Err(ran));
        }
        fs::rename(&made, &kept).map_err(|error| failed(&error))?;
        Ok(Ok(kept))
    }
}

/// What cargo-public-api found: items, and for what changed the item before and after.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    removed: Vec<String>,
    changed: Vec<String>,
    added: Vec<String>,
}

impl Difference {
    /// None if it is not what the tool says when all went well.
    fn read(text: &str) -> Option<Self> {
        let mut parts: Vec<Vec<String>> = Vec::new();
        for line in text.lines() {
            if HEADINGS.get(parts.len()) == Some(&line) {
                parts.push(Vec::new());
            } else if line.starts_with(['-', '+']) {
                parts.last_mut()?.push(line.to_owned());
            } else if !line.is_empty() && line != "(none)" && !line.bytes().all(|byte| byte == b'=') {
                return None;
            }
        }
        let [removed, changed, added] = parts.try_into().ok()?;
        Some(Self { removed, changed, added })
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn summary(&self) -> String {
        if self.is_empty() {
            return "no difference".to_owned();
        }
        // An item before, and one after.
        let changed = self.changed.len() / 2;
        format!("{} removed, {changed} changed, {} added", self.removed.len(), self.added.len())
    }

    /// What a person reads: traits of a new type, which each one has, are only counted.
    fn lines(&self) -> impl Iterator<Item = &String> {
        let added = self.added.iter().filter(|line| !line.starts_with("+impl"));
        self.removed.iter().chain(&self.changed).chain(added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As cargo-public-api 0.52.0 says it.
    const SAID: &str = "\
Removed items from the public API
=================================
-pub fn codex_rpc_dispatch::blocking::Client::notifications_missed(&self) -> u64
-pub fn codex_rpc_dispatch::tokio::Client::notifications_missed(&self) -> u64

Changed items in the public API
===============================
-pub trait codex_rpc_dispatch::Side: codex_rpc_dispatch::side::sealed::Sealed + core::fmt::Debug + 'static
+pub trait codex_rpc_dispatch::Side: codex_rpc_dispatch::connection::sealed::Sealed + core::fmt::Debug + 'static

Added items to the public API
=============================
(none)

";

    #[test]
    fn what_the_tool_says_is_read() {
        let found = Difference::read(SAID).unwrap();
        assert_eq!(found.summary(), "2 removed, 1 changed, 0 added");
        let lines: Vec<&str> = SAID.lines().filter(|line| line.starts_with(['-', '+'])).collect();
        assert_eq!(found.lines().collect::<Vec<_>>(), lines);
        let none = SAID.lines().filter(|line| !line.starts_with(['-', '+'])).collect::<Vec<_>>().join("\n");
        assert_eq!(Difference::read(&none).unwrap().summary(), "no difference");
    }

    #[test]
    fn what_is_not_understood_is_no_difference_that_is_told() {
        let two = SAID.split("Added").next().unwrap();
        for text in ["", two, &SAID.replace("(none)", "~pub fn x()"), &format!("-pub fn x()\n{SAID}")] {
            assert_eq!(Difference::read(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_higher_compatible_version_comes_unasked() {
        let update = |old: &str, new: &str| is_update(&Version::parse(old).unwrap(), &Version::parse(new).unwrap());
        assert!(update("0.169.0", "0.169.1") && update("1.2.0", "1.3.0"));
        for (old, new) in [("0.169.0", "0.169.0"), ("0.169.1", "0.169.0"), ("0.169.0", "0.170.0"), ("1.9.0", "2.0.0")] {
            assert!(!update(old, new), "{old} {new}");
        }
    }
}
