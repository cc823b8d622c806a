//! `round-trip`: decode, encode, compare.

use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use codex_rpc_testkit::differences::Differences;
use codex_rpc_testkit::report;
use codex_rpc_testkit::round_trip::{Outcome, RoundTrip};
use indicatif::ProgressBar;

use crate::{Forgiven, Format};

pub(crate) fn round_trip(paths: &[PathBuf], instances: &[PathBuf], forgiven: &Forgiven, format: Format) -> ExitCode {
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
    if let Forgiven::Reviewed { file, update } = forgiven {
        return match reviewed(&outcome, file, *update) {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(problem) => {
                eprintln!("{}: {problem}", file.display());
                ExitCode::FAILURE
            }
        };
    }
    let text = match format {
        Format::Text => report::text(&outcome),
        Format::Json => format!("{:#}\n", report::json(&outcome)),
    };
    // A reader that has seen enough closes the pipe; that is no failure of ours.
    let _ = io::stdout().write_all(text.as_bytes());
    let well = if matches!(forgiven, Forgiven::Unknown) { outcome.is_lossless() } else { outcome.is_exact() };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compares the differences with a reviewed list, or writes it.
fn reviewed(outcome: &Outcome, file: &Path, update: bool) -> Result<String, String> {
    let found = Differences::found(outcome);
    let messages = outcome.total().messages;
    if update {
        let head = "# What these recordings do not give back; see codex_rpc_testkit::differences.\n";
        fs::write(file, format!("{head}{found}")).map_err(|error| error.to_string())?;
        return Ok(format!("{messages} messages; {} differences written to {}", found.len(), file.display()));
    }
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let problems = Differences::parse(&text)?.compare(&found);
    if messages == 0 {
        return Err("there were no messages to compare".to_owned());
    }
    if problems.is_empty() {
        return Ok(format!("{messages} messages; the {} reviewed differences and no other", found.len()));
    }
    Err(problems.join("\n"))
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
