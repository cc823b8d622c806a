//! The packages as they would be published.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use flate2::read::GzDecoder;

use super::program::{cargo, said};
use super::report::{Outcome, Step};
use super::workspace::Package;

/// What crates.io takes, packed.
const MOST_PACKED: u64 = 10 << 20;
/// A file that is larger is a mistake.
const MOST_FILE: u64 = 2 << 20;

/// Packages the crates together, builds each from its package alone, and looks at what
/// is in them.
///
/// # Errors
/// If cargo can't be started.
pub fn package(root: &Path, target: &Path, packages: &[&Package]) -> miette::Result<Step> {
    let mut command = cargo(root);
    command.args(["package", "--allow-dirty", "--all-features", "--target-dir"]).arg(target);
    for package in packages {
        command.args(["--package", &package.name]);
    }
    let ran = said(&mut command)?;
    if !ran.well {
        let step = Step::new("packages", Outcome::Failed, "cargo package failed");
        return Ok(step.with(ran.tail(40)).took(ran.took));
    }
    let (mut details, mut bad) = (Vec::new(), 0);
    for package in packages {
        let name = format!("{}-{}", package.name, package.version);
        let path = target.join("package").join(format!("{name}.crate"));
        match Contents::read(&path, &name) {
            Ok(contents) => {
                details.push(format!("{name}: {contents}"));
                let problems = contents.problems();
                bad += problems.len();
                details.extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
            }
            Err(error) => {
                bad += 1;
                details.push(format!("{}: {error}", path.display()));
            }
        }
    }
    let (outcome, summary) = match bad {
        0 => (Outcome::Passed, format!("{} packages, each built from its package alone", packages.len())),
        _ => (Outcome::Failed, format!("{bad} problems in what would be published")),
    };
    Ok(Step::new("packages", outcome, summary).with(details).took(ran.took))
}

/// What is in a package: sizes in bytes by path.
struct Contents {
    packed: u64,
    files: BTreeMap<String, u64>,
}

impl Contents {
    fn read(path: &Path, folder: &str) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let packed = file.metadata()?.len();
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
            let entry = entry?;
            let path = entry.path()?;
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(name, entry.size());
        }
        Ok(Self { packed, files })
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let has = |start: &str| self.files.keys().any(|name| name.starts_with(start));
        for (start, what) in [("README", "no README"), ("LICENSE", "no licence text")] {
            if !has(start) {
                problems.push(what.to_owned());
            }
        }
        if self.packed > MOST_PACKED {
            problems.push(format!("{} bytes packed: crates.io takes {MOST_PACKED}", self.packed));
        }
        let large = self.files.iter().filter(|(_, size)| **size > MOST_FILE);
        problems.extend(large.map(|(name, size)| format!("{name} has {size} bytes")));
        problems
    }
}

impl std::fmt::Display for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size: u64 = self.files.values().sum();
        write!(f, "{} files, {} KiB, {} KiB packed", self.files.len(), size.div_ceil(1024), self.packed.div_ceil(1024))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_not_be_published_so_is_named() {
        let contents = |packed, files: &[(&str, u64)]| Contents {
            packed,
            files: files.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect(),
        };
        let good = contents(10, &[("README.md", 1), ("LICENSE-MIT", 1), ("src/lib.rs", MOST_FILE)]);
        assert!(good.problems().is_empty());
        assert_eq!(good.to_string(), "3 files, 2049 KiB, 1 KiB packed");
        assert_eq!(
            contents(MOST_PACKED + 1, &[("src/lib.rs", MOST_FILE + 1)]).problems(),
            [
                "no README",
                "no licence text",
                "10485761 bytes packed: crates.io takes 10485760",
                "src/lib.rs has 2097153 bytes"
            ]
        );
    }

    #[test]
    fn a_package_is_read_without_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-1.0.0.crate");
        let packed = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(packed);
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_cksum();
        archive.append_data(&mut header, "a-1.0.0/README.md", &b"abc"[..]).unwrap();
        archive.into_inner().unwrap().finish().unwrap();
        let contents = Contents::read(&path, "a-1.0.0").unwrap();
        assert_eq!(contents.files, BTreeMap::from([("README.md".to_owned(), 3)]));
    }
}
