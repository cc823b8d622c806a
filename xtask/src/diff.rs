//! `diff`: what two releases differ in, and what that means.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use codex_rpc_codegen::diff::{Detail, Difference, diff};
use codex_rpc_codegen::model::Protocol;
use miette::miette;

use crate::generate::Sources;
use crate::progress::Progress;
use crate::pull::{self, Request};
use crate::{Schema, report};

/// The repository's own release, as an argument.
const PINNED: &str = "pinned";

/// There are differences, and none breaks anything.
const ADDITIVE: u8 = 3;
/// Some break the compilation or a run.
const BREAKING: u8 = 4;

/// What is said of the exit status.
pub const EXIT_STATUS: &str = "\
Exit status: 0 no difference, or in texts only; 3 additive and tolerated changes only; \
4 some break compilation or at run time; 1 failure; 2 wrong command line.";

/// The arguments of `diff`.
#[derive(Args)]
pub struct Arguments {
    /// `pinned` (the schema folder), a version (0.169.0), `latest`, a codex executable, a
    /// folder with an export, or a schema folder as `pull` makes it.
    old: String,
    /// The same, of the release to compare with.
    new: String,
    /// How to write it: for a terminal, for release notes, for programs.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// List changes of texts, too, and not only their number.
    #[arg(long)]
    all: bool,
    /// The release of OLD, where an executable or folder does not say it.
    #[arg(long, value_name = "VERSION")]
    old_as: Option<String>,
    /// The release of NEW, where an executable or folder does not say it.
    #[arg(long, value_name = "VERSION")]
    new_as: Option<String>,
    #[command(flatten)]
    schema: Schema,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For a terminal; colour where it has it and NO_COLOR is not set.
    #[default]
    Text,
    /// For release notes.
    Markdown,
    /// For programs.
    Json,
}

/// Compares two releases and prints the difference.
///
/// # Errors
/// If one of them can't be had or read.
pub fn run(arguments: &Arguments, progress: Progress) -> miette::Result<ExitCode> {
    let read = |release: &str, hint: Option<&str>| read(release, hint, &arguments.schema, progress);
    let old = read(&arguments.old, arguments.old_as.as_deref())?;
    let new = read(&arguments.new, arguments.new_as.as_deref())?;
    let difference = diff(&old, &new);
    let status = match difference.worst() {
        Some(worst) if worst.is_breaking() => ExitCode::from(BREAKING),
        _ if difference.counts.documentation < difference.changes.len() => ExitCode::from(ADDITIVE),
        _ => ExitCode::SUCCESS,
    };
    let detail = if arguments.all { Detail::All } else { Detail::Normal };
    match arguments.format {
        Format::Text => report::print_styled(&difference.text(detail, true))?,
        Format::Markdown => report::print(&difference.markdown(detail))?,
        Format::Json => report::print(&json(difference, arguments.all)?)?,
    }
    Ok(status)
}

fn json(difference: Difference, all: bool) -> miette::Result<String> {
    let difference = if all { difference } else { difference.without_documentation() };
    let text = serde_json::to_string_pretty(&difference)
        .map_err(|error| miette!(help = "this is a fault of xtask", "the difference is no JSON: {error}"))?;
    Ok(format!("{text}\n"))
}

fn read(release: &str, hint: Option<&str>, schema: &Schema, progress: Progress) -> miette::Result<Protocol> {
    let own = if release == PINNED { Some(schema.schema.clone()) } else { pull::schema_folder(release)? };
    let sources = match own {
        // With the errata of its own.
        Some(folder) if hint.is_none() => Sources::read(&folder)?,
        _ => {
            let command = report::command("diff 0.166.0 0.169.0", None, None);
            let request = Request { release: Some(release), hint, schema: &schema.schema, command: &command };
            Sources::fetched(&pull::fetch(request, progress)?, &schema.schema)?
        }
    };
    let outcome = sources.model()?;
    if !outcome.notes.is_empty() {
        progress.say(format!(
            "note: {} places of {} were not reviewed: `generate` lists them",
            outcome.notes.len(),
            sources.release()
        ));
    }
    Ok(outcome.protocol)
}
