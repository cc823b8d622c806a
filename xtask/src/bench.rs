//! `bench`: runs the benchmarks, keeps their results, writes the tables.
//!
//! The benchmarks themselves are in `crates/bench`, a workspace of its own, and are run
//! through cargo: this program needs none of what they compare.

mod machine;
mod results;
mod table;
mod targets;

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use clap::{Args, ValueEnum};
use miette::miette;

use self::results::Results;
use crate::progress::{Progress, Step};
use crate::report::{self, unreadable};

/// What `bench` takes.
#[derive(Args)]
pub struct Arguments {
    /// What to measure; everything if nothing is named. Results of the rest are kept.
    parts: Vec<Part>,
    /// Fewer rounds, no release builds, no older releases; prints the tables and keeps
    /// nothing.
    #[arg(long, conflicts_with = "check")]
    quick: bool,
    /// `generate` only for the pinned release, so that nothing is downloaded for it.
    #[arg(long, conflicts_with = "check")]
    pinned: bool,
    /// Measure nothing; fail if the tables in the READMEs are not those of results.json.
    #[arg(long, conflicts_with = "parts")]
    check: bool,
}

/// A program of `crates/bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Lines to typed messages, by size and by method.
    Decode,
    /// Typed messages to lines.
    Encode,
    /// What the dispatcher adds.
    Dispatch,
    /// What it costs a user to build.
    Build,
    /// What it costs to make the bindings.
    Generate,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Encode => "encode",
            Self::Dispatch => "dispatch",
            Self::Build => "build",
            Self::Generate => "generate",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Decode | Self::Encode => "codex-rpc-bench",
            Self::Dispatch => "dispatch",
            Self::Build => "build-cost",
            Self::Generate => "generate-cost",
        }
    }
}

/// Measures and writes, or checks.
///
/// # Errors
/// If a benchmark fails, if a file can't be read or written, or if tables differ.
pub fn run(arguments: &Arguments, progress: Progress) -> miette::Result<()> {
    let place = Place { root: crate::root() };
    if arguments.check {
        return place.check(&place.results()?);
    }
    let parts = if arguments.parts.is_empty() { Part::value_variants() } else { &arguments.parts };
    let mut results = if arguments.quick { Results::default() } else { place.results_or_none()? };
    {
        let _step = progress.step("building the benchmarks");
        place.cargo(&["build", "--release", "--quiet", "--bins"])?;
    }
    for part in parts {
        let machine = machine::describe(arguments.quick)?;
        let step = progress.step(format!("measuring: {}", part.name()));
        let measured = place.measure(*part, arguments, progress, &step)?;
        drop(step);
        results.set(*part, machine, &measured).map_err(|error| {
            miette!(
                code = "bench::results",
                help = "this is a fault of crates/bench or of xtask",
                "the results of `{}` can't be read: {error}",
                part.name()
            )
        })?;
        if !arguments.quick {
            // Part by part, so that none is lost if a later one fails.
            place.write(&results)?;
        }
    }
    if arguments.quick {
        return report::print(&table::whole(&results));
    }
    report::print(&table::summary(&results))
}

/// The repository, as far as benchmarks go.
struct Place {
    root: PathBuf,
}

impl Place {
    fn file(&self) -> PathBuf {
        self.root.join("crates/bench/results.json")
    }

    /// The files with a table, and the table.
    fn tables(&self, results: &Results) -> [(PathBuf, String); 2] {
        [
            (self.root.join("README.md"), table::summary(results)),
            (self.root.join("crates/bench/README.md"), table::whole(results)),
        ]
    }

    fn results(&self) -> miette::Result<Results> {
        let path = self.file();
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        serde_json::from_str(&text).map_err(|error| {
            miette!(code = "bench::results", help = "write it anew: `cargo xtask bench`", "{}: {error}", path.display())
        })
    }

    fn results_or_none(&self) -> miette::Result<Results> {
        if self.file().exists() { self.results() } else { Ok(Results::default()) }
    }

    fn bench(&self) -> PathBuf {
        self.root.join("crates/bench")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(arguments).current_dir(self.bench()).stdin(Stdio::null());
        cargo
    }

    /// Runs cargo where the benchmarks are; what it says is shown if it fails.
    fn cargo(&self, arguments: &[&str]) -> miette::Result<()> {
        let output = self.command(arguments).output().map_err(|error| not_started(&error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        Err(miette!(
            code = "bench::build",
            help = "its dependencies are downloaded at the first time: is there a network?",
            "the benchmarks can't be built:\n{said}"
        ))
    }

    /// Runs a part; its results as JSON.
    fn measure(&self, part: Part, arguments: &Arguments, progress: Progress, step: &Step) -> miette::Result<String> {
        let folder = tempfile::tempdir().map_err(|error| unreadable(&env::temp_dir(), &error))?;
        let file = folder.path().join("results.json");
        let mut words: Vec<OsString> = Vec::new();
        if matches!(part, Part::Decode | Part::Encode) {
            words.push(part.name().into());
        }
        if arguments.quick {
            words.push("--quick".into());
        }
        if part == Part::Generate && arguments.pinned {
            words.push("--pinned".into());
        }
        words.extend(["--json".into(), file.clone().into()]);
        let mut command = self.command(&["run", "--release", "--quiet", "--bin", part.program(), "--"]);
        let mut child = command
            .args(words)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| not_started(&error))?;
        // A line a step, and at the end why it failed.
        let mut said = String::new();
        for line in child.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            step.at(progress, &format!("{}: {line}", part.name()));
            said = said + &line + "\n";
        }
        let status = child.wait().map_err(|error| not_started(&error))?;
        if !status.success() {
            return Err(miette!(
                code = "bench::failed",
                help = "the parts before it are kept; name the others to go on, as in `cargo xtask bench build`",
                "`{}` failed: {status}\n{}",
                part.name(),
                said.trim_end()
            ));
        }
        fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))
    }

    fn write(&self, results: &Results) -> miette::Result<()> {
        // The READMEs first: without their markers nothing is written.
        let mut files = Vec::new();
        for (path, table) in self.tables(results) {
            files.push((marked(&path, &table)?, path));
        }
        let json = serde_json::to_string_pretty(results)
            .map_err(|error| miette!(code = "bench::results", "the results can't be written: {error}"))?;
        files.push((json + "\n", self.file()));
        for (text, path) in files {
            replace(&path, &text)?;
        }
        Ok(())
    }

    fn check(&self, results: &Results) -> miette::Result<()> {
        for (path, table) in self.tables(results) {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            if marked(&path, &table)? != text {
                return Err(miette!(
                    code = "bench::check",
                    help = "change neither by hand: `cargo xtask bench PART` measures a part and writes both",
                    "{}: the table between the markers is not what {} gives",
                    path.display(),
                    self.file().display()
                ));
            }
        }
        Ok(())
    }
}

fn not_started(error: &std::io::Error) -> miette::Report {
    miette!(code = "xtask::cargo", help = "is cargo on the PATH?", "can't start cargo: {error}")
}

const BEGIN: &str = "<!-- bench:begin -->\n";
const END: &str = "<!-- bench:end -->\n";

/// A file's text with this table between its markers.
fn marked(path: &Path, table: &str) -> miette::Result<String> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    between(&text, table).ok_or_else(|| {
        miette!(
            code = "bench::markers",
            help = "put each on a line of its own, once",
            "{}: there is no `{}` with a `{}` after it",
            path.display(),
            BEGIN.trim_end(),
            END.trim_end()
        )
    })
}

fn between(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

/// Replaces a file in one step.
fn replace(path: &Path, text: &str) -> miette::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        // Readable for all, as git has it; a temporary file is its owner's alone.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path).map(drop).map_err(|error| error.error)
    });
    written.map_err(|error| {
        miette!(code = "xtask::write", help = "is it yours to write?", "can't write {}: {error}", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let text = format!("a\n{BEGIN}old\n{END}b\n");
        let new = format!("a\n{BEGIN}new\n{END}b\n");
        assert_eq!(between(&text, "new\n"), Some(new.clone()));
        assert_eq!(between(&new, "new\n"), Some(new));
        assert_eq!(between("a\nb\n", "new\n"), None);
        assert_eq!(between(&format!("{END}{BEGIN}"), "new\n"), None);
    }
}
