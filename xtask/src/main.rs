//! `cargo xtask`: makes and checks the bindings.
//!
//! Exit status: 0 if all went well, 1 if not, 2 if the command line is wrong; `diff` has
//! two more.

mod bench;
mod command;
mod diff;
mod generate;
mod progress;
mod pull;
mod release;
mod replace;
mod report;
mod summary;
mod target;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Args, Parser, Subcommand};
use codex_rpc_codegen::instances::{InstanceMaker, to_jsonl};
use miette::miette;

use crate::generate::Sources;
use crate::progress::Progress;
use crate::pull::Request;
use crate::replace::{Changes, Folder};
use crate::target::Target;

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
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        schema: Schema,
    },
    /// Make the protocol crate's source from a schema folder, offline; in a repository also
    /// that of the dispatcher beside it.
    Generate {
        #[command(flatten)]
        schema: Schema,
        #[command(flatten)]
        out: Out,
        /// Write nothing; fail if the files are not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Pull, generate, and say what changed: new bindings in one command.
    ///
    /// All folders are written, or none.
    Regenerate {
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        schema: Schema,
        #[command(flatten)]
        out: Out,
    },
    /// Say what two releases differ in, which way it travels, and what it breaks.
    ///
    /// Models are compared, not texts: how upstream renders a type is no difference. Every
    /// change is judged for a program that keeps the bindings of OLD and meets the server of
    /// NEW, and for one that moves to the bindings of NEW; the worse of both counts.
    #[command(after_help = diff::EXIT_STATUS)]
    Diff {
        #[command(flatten)]
        arguments: diff::Arguments,
    },
    /// Write values made from a schema folder, one a line, for `round-trip --instances`.
    Instances {
        #[command(flatten)]
        schema: Schema,
        /// The file to write; standard output if there is none.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print the path of a release's codex executable, fetched if this machine has not yet.
    ///
    /// It is kept in CODEX_RPC_CACHE, or in a folder of ours in the user's cache folder.
    /// For scripts: standard output is the path and nothing else.
    Executable {
        /// A version (0.169.0), `latest`, or a codex executable, which is then only checked.
        /// Default: the version that the schema folder is pinned to.
        release: Option<String>,
        #[command(flatten)]
        schema: Schema,
    },
    /// Play scenarios against a codex release and record what is said, sanitised.
    ///
    /// Exit status 0 only if every scenario that suits the release came to its end; with
    /// --check, if the recordings are the same, too.
    Record {
        /// Scenarios by name, or paths of .yaml files. Default: all that come with the testkit.
        scenarios: Vec<String>,
        /// A version (0.169.0), `latest`, or a codex executable.
        /// Default: the version that the schema folder is pinned to.
        #[arg(long, value_name = "RELEASE")]
        codex: Option<String>,
        #[command(flatten)]
        schema: Schema,
        /// The folder for `<release>/<scenario>.jsonl`.
        #[arg(long, value_name = "DIR", default_value_os_t = root().join("tests/transcripts"))]
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
    },
    /// Prepare the release of the crates for a codex release: a dry run, unless --write.
    ///
    /// Everything is made and checked in a copy of the repository below target/: schema,
    /// bindings, versions, changelog, recordings, packages, tests. Publishing stays a
    /// person's act: the report ends with the commands.
    #[command(after_help = release::EXIT_STATUS)]
    Release {
        #[command(flatten)]
        arguments: release::Arguments,
    },
    /// Check whether a codex release fits the bindings: schema, methods, scenarios, release.
    ///
    /// Exit status 0 if it fits, 1 if it does not, 2 if the checks could not run.
    Contract {
        /// A version (0.169.0), `latest`, or a codex executable.
        /// Default: the version that the schema folder is pinned to.
        #[arg(long, value_name = "RELEASE")]
        codex: Option<String>,
        #[command(flatten)]
        schema: Schema,
        /// Play only this scenario; may be given several times.
        #[arg(long = "scenario", value_name = "NAME")]
        scenarios: Vec<String>,
        /// How to print the report: text, markdown, json or junit.
        #[arg(long, default_value = "text", value_parser = ["text", "markdown", "json", "junit"])]
        format: String,
        /// Write the report to this file, too; its name ends in .txt, .md, .json or .xml (JUnit).
        /// May be given several times.
        #[arg(long, value_name = "FILE")]
        write: Vec<PathBuf>,
        /// How many seconds all of it may take, without fetching codex.
        #[arg(long, value_name = "SECONDS", default_value = "300")]
        time_limit: String,
    },
    /// Write what the recorded sessions cover as a table: tests/transcripts/COVERAGE.md.
    Coverage {
        /// The folder with a folder of recordings for each release.
        #[arg(default_value_os_t = root().join("tests/transcripts"))]
        folder: PathBuf,
        /// Write nothing; fail if the table is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Measure against what a user would take instead, and write the tables of the READMEs.
    ///
    /// About a quarter of an hour on a quiet machine; the first time downloads what it
    /// compares with, and the older releases that `generate` is measured with.
    Bench {
        #[command(flatten)]
        arguments: bench::Arguments,
    },
    /// Decode and encode transcripts or instances and compare: see `round-trip --help`.
    #[command(disable_help_flag = true)]
    RoundTrip {
        /// What `codex-rpc-testkit round-trip` takes.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Args)]
struct Wanted {
    /// A version (0.169.0), `latest`, a codex executable, or a folder with an export.
    /// Default: the version that the schema folder is pinned to.
    release: Option<String>,
    /// The release of an executable or folder that does not say it.
    #[arg(long = "as", value_name = "VERSION")]
    hint: Option<String>,
}

impl Wanted {
    fn request<'a>(&'a self, schema: &'a Schema, command: &'a str) -> Request<'a> {
        Request { release: self.release.as_deref(), hint: self.hint.as_deref(), schema: &schema.schema, command }
    }
}

#[derive(Args)]
struct Schema {
    /// The schema folder, as `pull` makes it.
    #[arg(long, value_name = "DIR", default_value_os_t = schema_folder())]
    schema: PathBuf,
}

#[derive(Args)]
struct Out {
    /// The crate to write: a whole crate where there is none or one that an earlier run
    /// made, only src/generated of a hand-written codex-rpc, and with it src/generated of
    /// the folder codex-rpc-dispatch beside it. Other files stay.
    #[arg(long, value_name = "DIR", default_value_os_t = crate_folder())]
    out: PathBuf,
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
    report::install();
    let arguments = Arguments::parse();
    let progress = if arguments.quiet { Progress::Silent } else { Progress::stderr() };
    match run(arguments.verb, progress) {
        Ok(code) => code,
        Err(report) => {
            report::say(format!("{report:?}"));
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb, progress: Progress) -> miette::Result<ExitCode> {
    match verb {
        Verb::Pull { wanted, schema } => {
            let instead = report::command("pull 0.169.0", Some(&schema.schema), None);
            let pulled = pull::pull(wanted.request(&schema, &instead), progress)?;
            let changed = if pulled.changed { "written" } else { "unchanged" };
            progress.say(format!("{} {changed}: codex {}", schema.schema.display(), pulled.release));
        }
        Verb::Generate { schema, out, check } => generate(&schema.schema, &out.out, check, progress)?,
        Verb::Regenerate { wanted, schema, out } => {
            let instead = report::command("regenerate 0.169.0", Some(&schema.schema), Some(&out.out));
            regenerate(wanted.request(&schema, &instead), &out.out, progress)?;
        }
        Verb::Diff { arguments } => return diff::run(&arguments, progress),
        Verb::Instances { schema, out } => {
            let outcome = Sources::read(&schema.schema)?.model()?;
            let definitions = summary::definitions_json(&outcome)?;
            let lines =
                to_jsonl(&InstanceMaker::new(&definitions).checked().map_err(|problems| generate::report(&problems))?);
            match out {
                Some(out) => fs::write(&out, lines).map_err(|error| {
                    let help = "name a file in a folder that is there and can be written";
                    miette!(code = "instances::write", help = help, "can't write {}: {error}", out.display())
                })?,
                None => report::print(&lines)?,
            }
        }
        Verb::Executable { release, schema } => {
            let instead = report::command("executable 0.169.0", None, None);
            let request =
                Request { release: release.as_deref(), hint: None, schema: &schema.schema, command: &instead };
            report::print(&format!("{}\n", pull::executable(request, progress)?.display()))?;
        }
        Verb::Record { scenarios, codex, schema, out, check, jobs, trace } => {
            let instead = report::command("record --codex 0.169.0", None, None);
            let request = Request { release: codex.as_deref(), hint: None, schema: &schema.schema, command: &instead };
            let mut arguments: Vec<OsString> = scenarios.into_iter().map(Into::into).collect();
            arguments.extend(["--executable".into(), pull::executable(request, progress)?.into()]);
            arguments.extend(["--out".into(), out.into(), "--jobs".into(), jobs.to_string().into()]);
            arguments.extend(
                [(check, "--check"), (trace, "--trace")].into_iter().filter(|(on, _)| *on).map(|(_, flag)| flag.into()),
            );
            return hand_over("record", &arguments);
        }
        Verb::Release { arguments } => return release::run(&arguments, progress),
        Verb::Contract { codex, schema, scenarios, format, write, time_limit } => {
            let instead = report::command("contract --codex 0.169.0", None, None);
            let request = Request { release: codex.as_deref(), hint: None, schema: &schema.schema, command: &instead };
            // Without an executable there is no verdict either.
            let executable = match pull::executable(request, progress) {
                Ok(executable) => executable,
                Err(report) => {
                    report::say(format!("{report:?}"));
                    return Ok(ExitCode::from(2));
                }
            };
            let origin = codex.unwrap_or_else(|| "the pinned release".to_owned());
            let mut arguments: Vec<OsString> = vec![executable.into(), "--origin".into(), origin.into()];
            arguments.extend(["--format".into(), format.into(), "--time-limit".into(), time_limit.into()]);
            arguments.extend(write.into_iter().flat_map(|file| ["--write".into(), file.into()]));
            arguments.extend(scenarios.into_iter().flat_map(|name| ["--scenario".into(), name.into()]));
            return hand_over("contract", &arguments);
        }
        Verb::Coverage { folder, check } => {
            let mut arguments = vec![folder.into()];
            arguments.extend(check.then(|| "--check".into()));
            return hand_over("coverage", &arguments);
        }
        Verb::Bench { arguments } => bench::run(&arguments, progress)?,
        Verb::RoundTrip { arguments } => return hand_over("round-trip", &arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn generate(schema: &Path, out: &Path, check: bool, progress: Progress) -> miette::Result<()> {
    let target = Target::find(out)?;
    let target = if check { target } else { target.writable()? };
    let sources = Sources::read(schema)?;
    let (outcome, files) = sources.generate(target.has_dispatcher(), progress)?;
    generate::say_notes(&outcome, progress);
    if check {
        return target.check(sources.release(), &files, &report::command("generate", Some(schema), Some(out)));
    }
    let mut staged = Changes::default();
    let crates = target.stage(sources.release(), &files, &mut staged)?;
    staged.commit()?;
    progress.say(format!("{}: {}", summary::written(&crates), summary::counts(&outcome.protocol)));
    Ok(())
}

fn regenerate(request: Request<'_>, out: &Path, progress: Progress) -> miette::Result<()> {
    // Both first of all, so that no one waits for a download that can't be kept.
    let schema = Folder::find(request.schema)?.replaceable()?;
    let target = Target::find(out)?.writable()?;
    let fetched = pull::fetch(request, progress)?;
    let sources = Sources::fetched(&fetched, request.schema)?;
    let (after, files) = sources.generate(target.has_dispatcher(), progress)?;
    generate::say_notes(&after, progress);

    let mut staged = Changes::default();
    let mut folders = target.stage(sources.release(), &files, &mut staged)?;
    let schema_changed = staged.whole(&schema, &fetched.content()?)?;
    folders.push((request.schema.to_owned(), schema_changed));
    // What was there before may be torn or of a release that no longer reads: then
    // everything is new. The same schema is the same model.
    let before = schema_changed.then(|| Sources::read(request.schema).and_then(|sources| sources.model()).ok());
    staged.commit()?;

    let written = if folders.iter().any(|(_, changed)| *changed) { "written" } else { "unchanged" };
    progress.say(format!("codex {} {written}: {}", sources.release(), summary::counts(&after.protocol)));
    progress.say(summary::written(&folders));
    let before = before.as_ref().map_or(Some(&after), Option::as_ref);
    report::print_styled(&summary::changes(before.map(|before| &before.protocol), &after.protocol))
}

/// Runs a verb that needs the bindings: it lives in the testkit, so that this
/// program builds whatever state they are in.
fn hand_over(verb: &str, arguments: &[OsString]) -> miette::Result<ExitCode> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["run", "--quiet", "--package", "codex-rpc-testkit", "--bin", "codex-rpc-testkit", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .args(["--", verb])
        .args(arguments);
    let fail = |error| miette!(code = "xtask::cargo", help = "is cargo on the PATH?", "can't start cargo: {error}");
    // In the place of this process, so that a signal to it is one to the verb, which cleans up.
    #[cfg(unix)]
    return Err(fail(std::os::unix::process::CommandExt::exec(&mut command)));
    #[cfg(not(unix))]
    {
        let code = command.status().map_err(fail)?.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }
}
