//! `record`: play scenarios and write what is said.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread;

use clap::Args;
use codex_rpc_testkit::recorder::{AppServer, RecordError, record as play};
use codex_rpc_testkit::recording::{Recording, differences};
use codex_rpc_testkit::scenario::{Scenario, builtin, builtins};
use indicatif::{ProgressBar, ProgressStyle};

use crate::replace::replace;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Scenarios by name, or paths of .yaml files. Default: all that come with the testkit.
    scenarios: Vec<String>,
    /// The codex executable.
    #[arg(long, value_name = "FILE")]
    executable: PathBuf,
    /// The folder for `<release>/<scenario>.jsonl`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write nothing; compare with what is there.
    #[arg(long)]
    check: bool,
    /// How many scenarios to play at a time.
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,
    /// On a failure, print what was said until then, not sanitised.
    #[arg(long)]
    trace: bool,
}

/// How a scenario ended.
enum End {
    Written(usize),
    Unchanged(usize),
    Different(Vec<String>),
    Unsuited(String),
    Failed(String),
}

pub(crate) fn record(arguments: &Arguments) -> ExitCode {
    match run(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    if let Some(git) = repository_around(&env::temp_dir()) {
        eprintln!(
            "warning: {} makes the temporary folder a part of a git repository, where codex says other things in some \
             scenarios; remove it if nobody needs it, or set TMPDIR to a folder that is in no repository",
            git.display()
        );
    }
    let release = release(&arguments.executable)?;
    // A file is started in other folders, a name is looked up on PATH.
    let executable = match &arguments.executable {
        file if file.is_file() => std::path::absolute(file).map_err(|error| format!("{}: {error}", file.display()))?,
        name => name.clone(),
    };
    let server = AppServer::codex(executable, release.clone());
    let mut scenarios = BTreeMap::new();
    if arguments.scenarios.is_empty() {
        for name in builtins() {
            scenarios.insert(name.to_owned(), builtin(name).map_err(|error| error.to_string())?);
        }
    }
    for name in &arguments.scenarios {
        let (name, scenario) = named(name)?;
        scenarios.insert(name, scenario);
    }
    let folder = arguments.out.join(release.to_string());

    let progress = if io::stderr().is_terminal() {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}");
        let bar = ProgressBar::new(scenarios.len() as u64);
        style.map_or(bar.clone(), |style| bar.with_style(style))
    } else {
        ProgressBar::hidden()
    };
    let queue = Mutex::new(scenarios.iter());
    let ends = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..arguments.jobs.clamp(1, 16) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some((name, scenario)) = next else { break };
                    progress.set_message(name.clone());
                    let end = one(name, scenario, &server, &folder, arguments);
                    progress.inc(1);
                    if let Ok(mut ends) = ends.lock() {
                        ends.insert(name.clone(), end);
                    }
                }
            });
        }
    });
    progress.finish_and_clear();
    let ends = ends.into_inner().map_err(|_| "a recording thread panicked".to_owned())?;
    Ok(summary(&ends, &release))
}

/// The `.git` in a folder or above it. Scenarios are played in the temporary folder: codex
/// takes their workspaces for a part of that repository.
fn repository_around(folder: &Path) -> Option<PathBuf> {
    let real = folder.canonicalize().ok()?;
    real.ancestors().map(|folder| folder.join(".git")).find(|git| git.symlink_metadata().is_ok())
}

fn summary(ends: &BTreeMap<String, End>, release: &semver::Version) -> bool {
    let (mut messages, mut recorded, mut unsuited, mut bad) = (0, 0, 0, 0);
    for (name, end) in ends {
        match end {
            End::Written(count) => {
                println!("{name}: {count} messages, written");
                messages += count;
                recorded += 1;
            }
            End::Unchanged(count) => {
                messages += count;
                recorded += 1;
            }
            End::Unsuited(reason) => {
                println!("{name}: left out: {reason}");
                unsuited += 1;
            }
            End::Different(lines) => {
                println!("{name}: not the same as the recording that is there:");
                for line in lines {
                    println!("  {line}");
                }
                bad += 1;
            }
            End::Failed(reason) => {
                println!("{name}: failed: {reason}");
                bad += 1;
            }
        }
    }
    println!("codex {release}: {recorded} scenarios, {messages} messages; {unsuited} left out; {bad} failed");
    bad == 0 && recorded > 0
}

fn one(name: &str, scenario: &Scenario, server: &AppServer, folder: &Path, arguments: &Arguments) -> End {
    let recording = match play(name, scenario, server) {
        Ok(recording) => recording,
        Err(RecordError::Unsuited(reason)) => return End::Unsuited(reason),
        Err(error) => {
            let trace = match &error {
                RecordError::Step { recording, .. } if arguments.trace => format!("\n{}", recording.to_jsonl()),
                _ => String::new(),
            };
            return End::Failed(format!("{error}{trace}"));
        }
    };
    if !recording.problems.is_empty() {
        return End::Failed(recording.problems.join("; "));
    }
    let path = folder.join(format!("{name}.jsonl"));
    match compare_or_write(&recording, &path, arguments.check) {
        Ok(end) => end,
        Err(error) => End::Failed(format!("{}: {error}", path.display())),
    }
}

fn compare_or_write(recording: &Recording, path: &Path, check: bool) -> io::Result<End> {
    let text = recording.to_jsonl();
    let messages = recording.entries.len();
    let before = match fs::read_to_string(path) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let lines = match &before {
        Some(before) => differences(before, &text),
        None => vec!["there is no recording".to_owned()],
    };
    if lines.is_empty() {
        return Ok(End::Unchanged(messages));
    }
    if check {
        return Ok(End::Different(lines));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    replace(path, &text)?;
    Ok(End::Written(messages))
}

fn named(name: &str) -> Result<(String, Scenario), String> {
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "yaml") {
        return Ok((name.to_owned(), builtin(name).map_err(|error| error.to_string())?));
    }
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let scenario = Scenario::parse(&text).map_err(|error| format!("{name}: {error}"))?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((stem, scenario))
}

/// The release that an executable says it is.
fn release(executable: &Path) -> Result<semver::Version, String> {
    let output = Command::new(executable)
        .arg("--version")
        .output()
        .map_err(|error| format!("can't start {}: {error}", executable.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace()
        .find_map(|word| semver::Version::parse(word).ok())
        .ok_or_else(|| format!("{} --version does not say a version: {:?}", executable.display(), text.trim()))
}
