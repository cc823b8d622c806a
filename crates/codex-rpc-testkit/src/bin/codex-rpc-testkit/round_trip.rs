//! `round-trip`: decode, encode, compare.

use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use codex_rpc_testkit::report;
use codex_rpc_testkit::round_trip::RoundTrip;
use indicatif::ProgressBar;

use crate::Format;

pub(crate) fn round_trip(paths: &[PathBuf], instances: &[PathBuf], allow_unknown: bool, format: Format) -> ExitCode {
    let mut trip = RoundTrip::new();
    let mut files = Vec::new();
    for path in paths {
        if let Err(error) = transcripts(path, &mut files) {
            trip.unreadable(&path.display().to_string(), &error.to_string());
        }
    }
    let progress = if io::stderr().is_terminal() {
        ProgressBar::new((files.len() + instances.len()) as u64)
    } else {
        ProgressBar::hidden()
    };
    for file in &files {
        let name = file.display().to_string();
        match File::open(file) {
            Ok(input) => trip.transcript(&name, BufReader::new(input)),
            Err(error) => trip.unreadable(&name, &error.to_string()),
        }
        progress.inc(1);
    }
    for file in instances {
        let name = file.display().to_string();
        match File::open(file) {
            Ok(input) => trip.instances(&name, BufReader::new(input)),
            Err(error) => trip.unreadable(&name, &error.to_string()),
        }
        progress.inc(1);
    }
    progress.finish_and_clear();

    let outcome = trip.finish();
    let text = match format {
        Format::Text => report::text(&outcome),
        Format::Json => format!("{:#}\n", report::json(&outcome)),
    };
    // A reader that has seen enough closes the pipe; that is no failure of ours.
    let _ = io::stdout().write_all(text.as_bytes());
    let well = if allow_unknown { outcome.is_lossless() } else { outcome.is_exact() };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The transcripts that a path stands for: itself, or all below it.
pub(crate) fn transcripts(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let before = files.len();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            let mut below = Vec::new();
            if transcripts(&entry, &mut below).is_ok() {
                files.append(&mut below);
            }
        } else if entry.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(entry);
        }
    }
    if files.len() == before {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there are no .jsonl files in the folder"));
    }
    Ok(())
}
