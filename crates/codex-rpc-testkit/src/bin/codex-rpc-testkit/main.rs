//! `codex-rpc-testkit`: what `cargo xtask` hands over to, because it needs the
//! bindings.
//!
//! Exit status: 0 if all went well, 1 if not, 2 if the command line is wrong.

#[cfg(feature = "record")]
mod contract;
#[cfg(feature = "record")]
mod coverage;
#[cfg(feature = "record")]
mod record;
#[cfg(feature = "record")]
mod replace;
mod round_trip;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Checks the bindings of codex-rpc against what codex says.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Decode and encode transcripts or instances and compare.
    ///
    /// Exit status 0 only when everything came back exactly and nothing is unknown.
    RoundTrip {
        /// Transcripts: files or folders of .jsonl.
        #[arg(required_unless_present = "instances")]
        paths: Vec<PathBuf>,
        /// Files with lines of {"type": "<definition name>", "value": …}.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        instances: Vec<PathBuf>,
        /// Forgive what is unknown and was preserved.
        #[arg(long)]
        allow_unknown: bool,
        /// Forgive the differences that this file lists, and nothing else; what it lists
        /// must occur.
        #[arg(long, value_name = "FILE", conflicts_with = "allow_unknown")]
        reviewed: Option<PathBuf>,
        /// Write the differences to the file of --reviewed, for a person to review.
        #[arg(long, requires = "reviewed")]
        update: bool,
        /// How to print the outcome.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Play scenarios against a codex executable and write what is said.
    ///
    /// Each session has a stand-in model on loopback and folders of its own, and is
    /// sanitised. Exit status 0 only if every scenario that suits the release came to
    /// its end; with --check, if the recordings are the same, too.
    #[cfg(feature = "record")]
    Record(record::Arguments),
    /// Check whether a codex executable fits these bindings.
    ///
    /// Exit status 0 if it fits, 1 if it does not, 2 if the checks could not run.
    #[cfg(feature = "record")]
    Contract(contract::Arguments),
    /// Write what recorded sessions cover as a table: COVERAGE.md.
    #[cfg(feature = "record")]
    Coverage(coverage::Arguments),
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What is no failure.
enum Forgiven {
    Nothing,
    Unknown,
    Reviewed { file: PathBuf, update: bool },
}

fn main() -> ExitCode {
    let Arguments { verb } = Arguments::parse();
    match verb {
        Verb::RoundTrip { paths, instances, allow_unknown, reviewed, update, format } => {
            let forgiven = match reviewed {
                Some(file) => Forgiven::Reviewed { file, update },
                None if allow_unknown => Forgiven::Unknown,
                None => Forgiven::Nothing,
            };
            round_trip::round_trip(&paths, &instances, &forgiven, format)
        }
        #[cfg(feature = "record")]
        Verb::Record(arguments) => record::record(&arguments),
        #[cfg(feature = "record")]
        Verb::Contract(arguments) => contract::contract(arguments),
        #[cfg(feature = "record")]
        Verb::Coverage(arguments) => coverage::coverage(&arguments),
    }
}
