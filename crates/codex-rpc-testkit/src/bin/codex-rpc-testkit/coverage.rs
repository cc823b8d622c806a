//! `coverage`: what the recorded sessions cover, as a table.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use codex_rpc_testkit::coverage::{Coverage, markdown};

use crate::round_trip::transcripts;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder with a folder of recordings for each release.
    folder: PathBuf,
    /// A JSON object: why methods are not recorded, by method. Default:
    /// `not-recorded.json` in the folder.
    #[arg(long, value_name = "FILE")]
    reasons: Option<PathBuf>,
    /// Write nothing; fail if COVERAGE.md in the folder is not up to date.
    #[arg(long)]
    check: bool,
}

pub(crate) fn coverage(arguments: &Arguments) -> ExitCode {
    match run(arguments) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, String> {
    let folder = &arguments.folder;
    let reasons = arguments.reasons.clone().unwrap_or_else(|| folder.join("not-recorded.json"));
    let fail = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(&reasons).map_err(|error| fail(&reasons, &error))?;
    let reasons: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| fail(&reasons, &error))?;

    let releases = releases(folder).map_err(|error| fail(folder, &error))?;
    let table = markdown(&releases, &reasons).map_err(|problems| problems.join("\n"))?;
    let path = folder.join("COVERAGE.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    if before == table {
        return Ok(format!("{} is up to date", path.display()));
    }
    if arguments.check {
        return Err(format!("{} is not up to date; run the same command without --check", path.display()));
    }
    fs::write(&path, table).map_err(|error| fail(&path, &error))?;
    Ok(format!("{} written", path.display()))
}

/// The releases that have a folder, newest first.
fn releases(folder: &Path) -> io::Result<Vec<(String, Coverage)>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(version) = entry.file_name().to_string_lossy().parse::<semver::Version>() {
            versions.push((version, entry.path()));
        }
    }
    versions.sort_by_key(|(version, _)| Reverse(version.clone()));
    let mut releases = Vec::new();
    for (version, path) in versions {
        let mut files = Vec::new();
        transcripts(&path, &mut files)?;
        let mut coverage = Coverage::default();
        for file in files {
            coverage.transcript(BufReader::new(File::open(file)?));
        }
        releases.push((version.to_string(), coverage));
    }
    Ok(releases)
}
