//! `contract`: does an executable fit the bindings?

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use codex_rpc_testkit::contract::{Contract, Progress, Verdict, junit, markdown};
use indicatif::{ProgressBar, ProgressStyle};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The codex executable: a file, or a name on PATH.
    #[arg(default_value = "codex")]
    executable: PathBuf,
    /// Where the executable came from, for the report.
    #[arg(long, value_name = "TEXT")]
    origin: Option<String>,
    /// Play only this scenario; may be given several times.
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// How many scenarios to play at a time.
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,
    /// How many seconds the executable may take for its version, and for each export.
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    limit: f64,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
    Junit,
}

pub(crate) fn contract(arguments: Arguments) -> ExitCode {
    let Arguments { executable, origin, scenarios, jobs, limit, format } = arguments;
    let mut contract = Contract::new(executable).jobs(jobs).limit(Duration::from_secs_f64(limit.clamp(0.001, 3_600.0)));
    if let Some(origin) = origin {
        contract = contract.origin(origin);
    }
    if !scenarios.is_empty() {
        contract = contract.scenarios(scenarios);
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
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let text = match format {
        Format::Text => format!("{report}\n"),
        Format::Markdown => markdown(&report),
        Format::Json => format!("{:#}\n", serde_json::json!(report)),
        Format::Junit => junit(&report),
    };
    // A reader that has seen enough closes the pipe; that is no failure of ours.
    let _ = io::stdout().write_all(text.as_bytes());
    match report.verdict() {
        Verdict::Fit => ExitCode::SUCCESS,
        Verdict::Unfit => ExitCode::FAILURE,
    }
}
