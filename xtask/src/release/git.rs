//! What git knows of the repository. Nothing is written: neither files nor references.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use miette::miette;
use semver::Version;

use super::program::{git, output};

/// A commit to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// As a person names it: `v0.169.0`, `main`.
    pub name: String,
    /// Its hash.
    pub commit: String,
}

fn line(root: &Path, arguments: &[&str]) -> Option<String> {
    let text = String::from_utf8(output(git(root).args(arguments)).ok()?).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The files that belong to the repository: those that git has, and new ones that it is
/// not told to ignore.
///
/// # Errors
/// If this is no git repository.
pub fn files(root: &Path) -> miette::Result<BTreeSet<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let text = output(git(root).args(arguments))?;
    let names = text.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// The versions that have a tag: `v0.169.0`.
pub fn released(root: &Path) -> BTreeSet<Version> {
    let tags = line(root, &["tag", "--list", "v*"]).unwrap_or_default();
    tags.lines().filter_map(|tag| Version::parse(tag.strip_prefix('v')?).ok()).collect()
}

/// The commit to compare with: the named one; else the newest version's tag behind HEAD;
/// else where this branch left the main one; else HEAD. None before the first commit.
///
/// # Errors
/// If there is no commit of that name.
pub fn baseline(root: &Path, name: Option<&str>) -> miette::Result<Option<Baseline>> {
    let commit = |name: &str| line(root, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]);
    let found = |name: &str| commit(name).map(|commit| Baseline { name: name.to_owned(), commit });
    if let Some(name) = name {
        return found(name).map(Some).ok_or_else(|| {
            miette!(
                code = "release::baseline",
                help = "name a tag, a branch or a commit of this repository; in a shallow clone fetch it first",
                "git knows no commit `{name}`"
            )
        });
    }
    let tags = line(root, &["tag", "--merged", "HEAD", "--list", "v*"]).unwrap_or_default();
    let newest = tags.lines().filter_map(|tag| Some((Version::parse(tag.strip_prefix('v')?).ok()?, tag))).max();
    if let Some((_, tag)) = newest {
        return Ok(found(tag));
    }
    let main = ["origin/HEAD", "origin/main", "main"].into_iter().find(|name| commit(name).is_some());
    let left = main.and_then(|main| {
        let commit = line(root, &["merge-base", "HEAD", main])?;
        Some(Baseline { name: format!("{main}@{}", commit.get(..12)?), commit })
    });
    Ok(left.or_else(|| found("HEAD")))
}

/// A file of a commit.
pub fn show(root: &Path, baseline: &Baseline, path: &str) -> Option<Vec<u8>> {
    output(git(root).args(["show", &format!("{}:{path}", baseline.commit)])).ok()
}

/// All files of a commit, and nothing else, into a folder. They are as old as the commit,
/// so that a second run builds nothing anew.
///
/// # Errors
/// If they can't be written.
pub fn unpack(root: &Path, baseline: &Baseline, folder: &Path) -> miette::Result<()> {
    let archive = output(git(root).args(["archive", "--format=tar", &baseline.commit]))?;
    let unpacked = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => tar::Archive::new(io::Cursor::new(archive)).unpack(folder),
    };
    unpacked.map_err(|error| {
        miette!(
            code = "release::baseline",
            help = "make room, or make the folder writable",
            "can't unpack {} into {}: {error}",
            baseline.name,
            folder.display()
        )
    })
}
