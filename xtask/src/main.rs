//! `cargo xtask`: makes and checks the bindings.
//!
//! Exit status: 0 if all went well, 1 if not, 2 if the command line is wrong.

mod generate;
mod progress;
mod pull;
mod replace;
mod summary;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use codex_rpc_codegen::instances::{InstanceMaker, to_jsonl};
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::progress::Progress;

/// Makes and checks the bindings of codex-rpc.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version = None, max_term_width = 100)]
struct Arguments {
    /// No progress, only results and errors.
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Fetch a release's schema into protocol-schema/, in one step.
    Pull {
        /// A version (0.169.0), `latest`, a codex executable, or a folder with an export.
        /// Default: the pinned version.
        release: Option<String>,
        /// The release of an executable or folder that does not say it.
        #[arg(long = "as", value_name = "VERSION")]
        hint: Option<String>,
        /// The folder to replace.
        #[arg(long, value_name = "DIR", default_value_os_t = schema_folder())]
        schema: PathBuf,
    },
    /// Make the protocol crate's source from a schema folder, offline.
    Generate {
        /// The schema folder, as `pull` makes it.
        #[arg(long, value_name = "DIR", default_value_os_t = schema_folder())]
        schema: PathBuf,
        /// The crate to write; a whole crate if the folder has none yet.
        #[arg(long, value_name = "DIR", default_value_os_t = crate_folder())]
        out: PathBuf,
        /// Write nothing; fail if the files are not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Pull, generate, and say what changed: new bindings in one command.
    Regenerate {
        /// As for `pull`.
        release: Option<String>,
        /// As for `pull`.
        #[arg(long = "as", value_name = "VERSION")]
        hint: Option<String>,
        /// The schema folder to replace.
        #[arg(long, value_name = "DIR", default_value_os_t = schema_folder())]
        schema: PathBuf,
        /// The crate to write; a whole crate if the folder has none yet.
        #[arg(long, value_name = "DIR", default_value_os_t = crate_folder())]
        out: PathBuf,
    },
    /// Write values made from a schema folder, one a line, for `round-trip --instances`.
    Instances {
        /// The schema folder, as `pull` makes it.
        #[arg(long, value_name = "DIR", default_value_os_t = schema_folder())]
        schema: PathBuf,
        /// The file to write; standard output if there is none.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Decode and encode transcripts or instances and compare: see `round-trip --help`.
    #[command(disable_help_flag = true)]
    RoundTrip {
        /// What `codex-rpc-testkit round-trip` takes.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// The repository's root.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

fn schema_folder() -> PathBuf {
    root().join("protocol-schema")
}

fn crate_folder() -> PathBuf {
    root().join("crates/codex-rpc")
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let progress = if arguments.quiet { Progress::Silent } else { Progress::stderr() };
    match run(arguments.verb, progress) {
        Ok(code) => code,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb, progress: Progress) -> miette::Result<ExitCode> {
    match verb {
        Verb::Pull { release, hint, schema } => {
            let pulled = pull::pull(release.as_deref(), hint.as_deref(), &schema, progress)?;
            let changed = if pulled.changed { "written" } else { "unchanged" };
            progress.say(format!("{} {changed}: codex {}", schema.display(), pulled.release));
        }
        Verb::Generate { schema, out, check } => {
            let release = generate::read(&schema, progress)?;
            generate::say_notes(&release.outcome, progress);
            let target = generate::Target::new(&out, &release.outcome.protocol.release, &release.files)?;
            if check {
                target.check("cargo xtask generate")?;
            } else {
                let changed = if target.write()? { "written" } else { "unchanged" };
                progress.say(format!("{} {changed}: {}", out.display(), summary::counts(&release.outcome.protocol)));
            }
        }
        Verb::Regenerate { release, hint, schema, out } => regenerate(release.as_deref(), hint.as_deref(), &schema, &out, progress)?,
        Verb::Instances { schema, out } => {
            let release = generate::read(&schema, progress)?;
            let definitions = summary::definitions_json(&release.outcome)?;
            let lines = to_jsonl(&InstanceMaker::new(&definitions).all());
            match out {
                Some(out) => fs::write(&out, lines).into_diagnostic().wrap_err(format!("can't write {}", out.display()))?,
                None => print!("{lines}"),
            }
        }
        Verb::RoundTrip { arguments } => return hand_over("round-trip", &arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn regenerate(release: Option<&str>, hint: Option<&str>, schema: &Path, out: &Path, progress: Progress) -> miette::Result<()> {
    // What was there before may be torn or of a release that no longer reads: then
    // everything is new.
    let before = generate::read(schema, Progress::Silent).ok();
    let backup = tempfile::tempdir().into_diagnostic()?;
    // The new schema is pulled beside the old one, so that a release that does not
    // generate leaves everything as it was.
    let staged = backup.path().join("protocol-schema");
    fs::create_dir(&staged).into_diagnostic()?;
    for name in ["errata.toml", pull::PIN] {
        if schema.join(name).exists() {
            fs::copy(schema.join(name), staged.join(name)).into_diagnostic()?;
        }
    }
    let pulled = pull::pull(release, hint, &staged, progress)?;
    let after = generate::read(&staged, progress)?;
    generate::say_notes(&after.outcome, progress);
    let target = generate::Target::new(out, &after.outcome.protocol.release, &after.files)?;

    let mut content = replace::Content::new();
    for name in replace::files_below(&staged).into_diagnostic()? {
        content.insert(name.clone(), fs::read(staged.join(&name)).into_diagnostic()?);
    }
    let folder = replace::Folder::open(schema)?;
    let changed = target.write()?;
    let changed = folder.replace(&content, replace::Others::Keep)? || changed;
    let counts = summary::counts(&after.outcome.protocol);
    let written = if changed { "written" } else { "unchanged" };
    progress.say(format!("codex {} {written}: {counts}", pulled.release));
    print!("{}", summary::changes(before.as_ref().map(|before| &before.outcome.protocol), &after.outcome.protocol));
    Ok(())
}

/// Runs a verb that needs the bindings: it lives in the testkit, so that this
/// program builds whatever state they are in.
fn hand_over(verb: &str, arguments: &[String]) -> miette::Result<ExitCode> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--package", "codex-rpc-testkit", "--bin", "codex-rpc-testkit", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .args(["--", verb])
        .args(arguments)
        .status()
        .map_err(|error| miette!(code = "xtask::cargo", help = "is cargo on the PATH?", "can't start cargo: {error}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
