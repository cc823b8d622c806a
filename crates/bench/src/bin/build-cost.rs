//! What it costs to build: CPU seconds, memory, crates, size.
//!
//! Each contender is a small program that decodes notifications, written to a folder of
//! its own and built from nothing. Downloads are made before and are not measured. All are
//! built as crates of a registry are: without incremental compilation, lints capped.
//!
//! They take turns, round after round, and of each figure the least counts: how fast the
//! machine is changes within minutes.

use std::collections::BTreeSet;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs, thread};

use codex_rpc_bench::child::{self, Usage};
use codex_rpc_bench::options::Options;
use serde_json::{Value, json};

const USAGE: &str = "usage: build-cost [--quick] [--jobs N] [--only NAME]… [--json FILE]";

/// One way to have the types.
struct Contender {
    name: &'static str,
    /// The package that holds the types, if it is one of its own.
    package: Option<&'static str>,
    dependencies: String,
    program: &'static str,
    /// Whether it is built with `--quick`.
    quick: bool,
    /// Whether the whole is built, or only checked.
    builds: bool,
    /// In how many rounds it is measured.
    rounds: usize,
}

/// A build of a minute or two is noisy; one of five is not worth more of them.
const ROUNDS: usize = 3;

fn contenders() -> Vec<Contender> {
    let serde = "serde = \"1.0.229\"\nserde_json = \"1.0.154\"\n";
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codex-rpc");
    vec![
        Contender {
            name: "serde + serde_json",
            package: None,
            dependencies: "serde = { version = \"1.0.229\", default-features = false, features = [\"std\"] }\n\
                           serde_json = { version = \"1.0.154\", features = [\"float_roundtrip\", \"raw_value\"] }\n"
                .to_owned(),
            program: r#"let method = |line: &str| {
                let value: serde_json::Value = serde_json::from_str(line).ok()?;
                Some(value.get("method")?.as_str()?.len())
            };"#,
            quick: true,
            builds: true,
            rounds: ROUNDS,
        },
        Contender {
            name: "codex-rpc",
            package: Some("codex-rpc"),
            dependencies: format!("codex-rpc = {{ path = {} }}\n", json!(ours)),
            program: r"let method = |line: &str| match codex_rpc::ServerMessage::from_json(line) {
                Ok(codex_rpc::Message::Notification(message)) => Some(message.payload.method().len()),
                _ => None,
            };",
            quick: true,
            builds: true,
            rounds: ROUNDS,
        },
        Contender {
            name: "codex-codes",
            package: Some("codex-codes"),
            dependencies:
                "codex-codes = { version = \"=0.166.4\", default-features = false, features = [\"types\"] }\n"
                    .to_owned(),
            program: r"let method = |line: &str| match codex_codes::ServerMessage::from_json_str(line) {
                Ok(codex_codes::ServerMessage::Notification(message)) => Some(message.method().len()),
                _ => None,
            };",
            quick: true,
            builds: true,
            rounds: ROUNDS,
        },
        Contender {
            name: "codex-app-server-protocol",
            package: Some("codex-app-server-protocol"),
            dependencies: format!("codex-app-server-protocol = \"=0.63.0\"\n{serde}"),
            program: r"let method = |line: &str| {
                let message: codex_app_server_protocol::ServerNotification = serde_json::from_str(line).ok()?;
                Some(message.to_string().len())
            };",
            quick: false,
            builds: true,
            rounds: 1,
        },
        Contender {
            name: "derive",
            package: Some("derived"),
            dependencies: format!("derived = {{ path = \"derived\" }}\n{serde}"),
            program: r"let method = |line: &str| {
                let message: derived::ServerNotification = serde_json::from_str(line).ok()?;
                Some(std::mem::size_of_val(&message))
            };",
            quick: false,
            builds: false,
            rounds: ROUNDS,
        },
    ]
}

fn main() -> ExitCode {
    if let Some(code) = child::intercept() {
        return code;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut options = Options::parse()?;
    // As many for everyone, and no more than most machines have.
    let mut jobs = thread::available_parallelism().map_or(1, usize::from).min(2);
    let mut only = Vec::new();
    let mut rest = std::mem::take(&mut options.rest).into_iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--jobs" => jobs = rest.next().ok_or(USAGE)?.parse()?,
            "--only" => only.push(rest.next().ok_or(USAGE)?),
            _ => return Err(USAGE.into()),
        }
    }
    let folder = Folder::new()?;
    let contenders = contenders();
    let asked = contenders.iter().filter(|contender| {
        let asked = only.iter().any(|name| name == contender.name);
        asked || only.is_empty() && (contender.quick || !options.quick)
    });
    let projects =
        asked.map(|contender| Project::new(&folder.0, contender, jobs)).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let mut rows = vec![Value::Null; projects.len()];
    for round in 0..if options.quick { 1 } else { ROUNDS } {
        for (project, row) in projects.iter().zip(&mut rows).filter(|(project, _)| round < project.contender.rounds) {
            keep_least(row, project.measure(options.quick)?);
        }
    }
    options.write(&json!({"jobs": jobs, "rows": rows}))
}

/// Takes the figures of a round that are less than those before.
fn keep_least(row: &mut Value, round: Value) {
    let Some(before) = row.as_object_mut() else {
        *row = round;
        return;
    };
    let Value::Object(round) = round else { return };
    for (name, figure) in round {
        let cpu = |figure: &Value| figure.get("cpu_seconds").and_then(Value::as_f64);
        if let (Some(new), Some(old)) = (cpu(&figure), before.get(&name).and_then(cpu))
            && new < old
        {
            before.insert(name, figure);
        }
    }
}

/// The folder of all projects, beside this program; gone when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Box<dyn Error>> {
        let program = env::current_exe()?;
        let beside = program.ancestors().nth(2).ok_or("this program is in no target folder")?;
        let folder = beside.join("bench-builds");
        // What a run left that was ended from outside.
        remove(&folder)?;
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run does it otherwise.
        let _ = remove(&self.0);
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

struct Project<'a> {
    contender: &'a Contender,
    folder: PathBuf,
    cargo: OsString,
    jobs: String,
}

impl<'a> Project<'a> {
    /// Writes the project and fetches what it depends on.
    fn new(folder: &Path, contender: &'a Contender, jobs: usize) -> Result<Self, Box<dyn Error>> {
        let folder = folder.join(contender.name.replace(' ', ""));
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"measured\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.release]\nstrip = true\n\n[dependencies]\n{}",
            contender.dependencies
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        let program = format!(
            "fn main() -> std::io::Result<()> {{\n{}\nlet mut total = 0;\n\
             for line in std::io::stdin().lines() {{\n total += method(&line?).unwrap_or(0);\n}}\n\
             println!(\"{{total}}\");\nOk(())\n}}\n",
            contender.program
        );
        fs::write(folder.join("src/main.rs"), program)?;
        if contender.package == Some("derived") {
            let derived = folder.join("derived");
            fs::create_dir_all(derived.join("src"))?;
            let manifest = "[package]\nname = \"derived\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
                            serde = { version = \"1.0.229\", features = [\"derive\"] }\n\
                            serde_json = { version = \"1.0.154\", features = [\"float_roundtrip\", \"raw_value\"] }\n";
            fs::write(derived.join("Cargo.toml"), manifest)?;
            fs::write(derived.join("src/lib.rs"), codex_rpc_derived::SOURCE)?;
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let project = Self { contender, folder, cargo, jobs: jobs.to_string() };
        project.say("fetching");
        let mut fetch = Command::new(&project.cargo);
        fetch.arg("fetch").current_dir(&project.folder).envs(project.environment());
        let output = fetch.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            return Err(format!("can't fetch: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(project)
    }

    fn say(&self, what: &str) {
        eprintln!("{}: {what}", self.contender.name);
    }

    /// Nothing that the caller may have set to make its own builds quicker.
    fn environment(&self) -> [(&'static str, &'static OsStr); 6] {
        [
            ("CARGO_INCREMENTAL", "0"),
            ("CARGO_TERM_PROGRESS_WHEN", "never"),
            ("RUSTFLAGS", "--cap-lints=allow"),
            ("CARGO_ENCODED_RUSTFLAGS", "--cap-lints=allow"),
            ("RUSTC_WRAPPER", ""),
            ("RUSTC_WORKSPACE_WRAPPER", ""),
        ]
        .map(|(name, value)| (name, OsStr::new(value)))
    }

    fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Usage, Box<dyn Error>> {
        let target = self.target();
        let mut all: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        all.extend(["--offline", "--quiet", "--target-dir"].map(OsStr::new));
        all.push(target.as_os_str());
        child::measured(&self.cargo, all, &self.folder, &self.environment())
    }

    /// A build from nothing.
    fn cold(&self, what: &str, arguments: &[&str]) -> Result<Usage, Box<dyn Error>> {
        self.say(what);
        remove(&self.target())?;
        let mut all = arguments.to_vec();
        all.extend(["--jobs", &self.jobs]);
        self.cargo(&all)
    }

    fn measure(&self, quick: bool) -> Result<Value, Box<dyn Error>> {
        let mut row = json!({"what": self.contender.name, "crates": self.crates()?});
        row["check"] = json!(self.cold("check", &["check"])?);
        if let Some(package) = self.contender.package {
            // The types alone: their dependencies are there.
            self.say("check of the types alone");
            self.cargo(&["clean", "--package", package])?;
            row["check_alone"] = json!(self.cargo(&["check", "--jobs", &self.jobs])?);
        }
        if self.contender.builds {
            row["debug"] = json!(self.cold("debug build", &["build"])?);
            if !quick {
                row["release"] = json!(self.cold("release build", &["build", "--release"])?);
                let program = Path::new("release").join(format!("measured{}", env::consts::EXE_SUFFIX));
                row["program_bytes"] = json!(fs::metadata(self.target().join(program))?.len());
            }
        }
        remove(&self.target())?;
        Ok(row)
    }

    /// How many crates are built beside the program itself.
    fn crates(&self) -> Result<usize, Box<dyn Error>> {
        let arguments = ["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"];
        let mut tree = Command::new(&self.cargo);
        let output = tree.args(arguments).current_dir(&self.folder).envs(self.environment()).output()?;
        if !output.status.success() {
            return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let crates: BTreeSet<&str> =
            text.lines().map(|line| line.trim_end_matches(" (proc-macro)")).filter(|line| !line.is_empty()).collect();
        Ok(crates.len().saturating_sub(1))
    }
}
