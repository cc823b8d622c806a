//! What the tests share: the repository's files. The README's Rust examples are
//! compiled and run as tests of this crate.

#![doc = include_str!("../../README.md")]

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A file of the repository.
///
/// # Panics
/// If it can't be read.
pub fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The releases that there are transcripts of, newest first.
///
/// # Panics
/// If the folder can't be read.
pub fn releases() -> Vec<String> {
    let entries = fs::read_dir(root().join("tests/transcripts")).expect("the folder of transcripts");
    let folders = entries.map(|entry| entry.expect("a folder entry").path()).filter(|path| path.is_dir());
    let names = folders.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let mut releases: Vec<String> = names.collect();
    let numbers = |release: &String| release.split('.').filter_map(|part| part.parse().ok()).collect::<Vec<u64>>();
    releases.sort_by_key(|release| std::cmp::Reverse(numbers(release)));
    releases
}

/// The transcripts of a release, sorted by name.
///
/// # Panics
/// If the folder can't be read.
pub fn transcripts(release: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/transcripts").join(release);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    paths
}
