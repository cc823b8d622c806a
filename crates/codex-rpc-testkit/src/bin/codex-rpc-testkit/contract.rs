//! `contract`: does an executable fit the bindings?

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, exit};
use std::time::Duration;

use clap::{Args, ValueEnum};
use codex_rpc_testkit::contract::{CancelToken, Contract, Outcome, Progress, Verdict, json, junit, markdown, text};
use codex_rpc_testkit::scenario::builtin;
use indicatif::{ProgressBar, ProgressStyle};

use crate::replace::replace;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The codex executable: a file, or a name on PATH.
    #[arg(default_value = "codex")]
    executable: PathBuf,
    /// Where the executable came from, for the report.
    #[arg(long, value_name = "TEXT")]
    origin: Option<String>,
    /// Play only this scenario; may be given several times.
    #[arg(long = "scenario", value_name = "NAME", value_parser = scenario)]
    scenarios: Vec<String>,
    /// How many scenarios to play at a time.
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,
    /// How many seconds the executable may take for its version, and for each export.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    limit: Duration,
    /// How many seconds all of it may take.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    time_limit: Duration,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the report to this file, too; its name ends in .txt, .md, .json or .xml (JUnit).
    /// May be given several times.
    #[arg(long, value_name = "FILE", value_parser = file)]
    write: Vec<(PathBuf, Format)>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
    Junit,
}

fn scenario(name: &str) -> Result<String, String> {
    builtin(name).map(|_| name.to_owned()).map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or("a number of seconds is more than 0, such as 90 or 0.5")
}

fn file(path: &str) -> Result<(PathBuf, Format), &'static str> {
    let path = PathBuf::from(path);
    let format = match path.extension().and_then(OsStr::to_str) {
        Some("txt") => Format::Text,
        Some("md") => Format::Markdown,
        Some("json") => Format::Json,
        Some("xml") => Format::Junit,
        _ => return Err("the name must end in .txt, .md, .json or .xml"),
    };
    Ok((path, format))
}

impl Format {
    /// The report, with styles if it is one for a terminal.
    fn of(self, outcome: Outcome<'_>, styled: bool) -> String {
        match self {
            Self::Text => text(outcome, styled),
            Self::Markdown => markdown(outcome),
            Self::Json => format!("{:#}\n", json(outcome)),
            Self::Junit => junit(outcome),
        }
    }
}

/// Exit status: 0 fit, 1 unfit, 2 could not run, or a report could not be written.
pub(crate) fn contract(arguments: Arguments) -> ExitCode {
    let Arguments { executable, origin, scenarios, jobs, limit, time_limit, format, write } = arguments;
    let token = CancelToken::new();
    let mut contract =
        Contract::new(executable).jobs(jobs).limit(limit).time_limit(time_limit).cancel_token(token.clone());
    if let Some(origin) = origin {
        contract = contract.origin(origin);
    }
    if !scenarios.is_empty() {
        contract = contract.scenarios(scenarios);
    }
    let handler = ctrlc::set_handler(move || {
        if token.is_cancelled() {
            // Asked for a second time: at once.
            exit(2);
        }
        token.cancel();
    });
    if let Err(error) = handler {
        eprintln!("warning: an interrupt will leave files behind: {error}");
    }
    let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    let report = contract.run_with(|progress| match progress {
        Progress::Step(name, length) => {
            bar.set_message(name);
            bar.set_length(length as u64);
        }
        Progress::Scenario(name) => {
            bar.set_message(name.to_owned());
            bar.inc(1);
        }
        _ => {}
    });
    bar.finish_and_clear();
    let (outcome, status) = match &report {
        Ok(report) => match report.verdict() {
            Verdict::Fit => (Outcome::from(report), 0),
            Verdict::Unfit => (Outcome::from(report), 1),
        },
        Err(error) => {
            eprintln!("error: {error}");
            if error.step().is_none() {
                eprintln!("help: name the codex executable, as in `codex-contract path/to/codex`");
            }
            (Outcome::from(error), 2)
        }
    };
    // A reader that has seen enough closes the pipe; that is no failure of ours.
    let _ = anstream::AutoStream::auto(io::stdout().lock()).write_all(format.of(outcome, true).as_bytes());
    let mut status = status;
    for (path, format) in write {
        if let Err(error) = replace(&path, &format.of(outcome, false)) {
            eprintln!("error: can't write {}: {error}", path.display());
            status = 2;
        }
    }
    ExitCode::from(status)
}
