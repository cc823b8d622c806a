//! Does a codex executable fit the bindings that this crate was built with?
//!
//! Four steps: what the executable exports as its schema, which methods its server
//! accepts, what it says in the scenarios of this crate, and which release it is. What
//! does not fit is named, with definition, method or JSON pointer.
//!
//! ```no_run
//! use codex_rpc_testkit::contract::{Contract, Verdict};
//!
//! let report = Contract::new("codex").run()?;
//! println!("{report}");
//! assert_eq!(report.verdict(), Verdict::Fit);
//! # Ok::<(), codex_rpc_testkit::contract::CouldNotRun>(())
//! ```

use std::fmt;
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use codex_rpc::CODEX_VERSION;
use semver::Version;
use serde::{Serialize, Serializer};

use crate::recorder::Processes;

mod cancel;
mod census;
mod executable;
mod export;
mod live;
mod report;
mod schema;

pub use cancel::CancelToken;
pub use report::{Outcome, json, junit, markdown, text};

/// What is to be checked.
#[derive(Clone, Debug)]
pub struct Contract {
    executable: PathBuf,
    origin: Option<String>,
    scenarios: Option<Vec<String>>,
    jobs: usize,
    limit: Duration,
    time_limit: Duration,
    cancel: CancelToken,
}

/// What the checks said. As text, Markdown, JSON and JUnit XML: [`text`], [`markdown`],
/// [`json`], [`junit`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The executable that was run, an absolute path.
    pub executable: String,
    /// Where it came from: what the caller said, else whether it was found on `PATH`.
    pub origin: String,
    /// The release that it says it is.
    pub codex: String,
    /// The release that the bindings were made from.
    pub bindings: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One step of the checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Step {
    /// `schema`, `census`, `live` or `handshake`.
    pub name: &'static str,
    /// What it looks at, in a few words.
    pub title: &'static str,
    /// How many things were compared.
    pub compared: usize,
    /// The same by what was compared.
    pub rows: Vec<Row>,
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// What is as it should be, but worth a word: scenarios that were left out, methods
    /// that the export leaves out on purpose.
    pub notes: Vec<String>,
}

/// One line of a step's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Row {
    /// What was looked at, in a few words.
    pub what: &'static str,
    /// How many there are.
    pub count: usize,
    /// How many of the step's findings are about them.
    pub findings: usize,
}

impl Row {
    fn new(what: &'static str, count: usize, findings: usize) -> Self {
        Self { what, count, findings }
    }
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// Where: a definition or a method, with a JSON pointer; for a recorded message the
    /// scenario and its line, too.
    pub place: String,
    /// What is the matter.
    pub message: String,
}

/// Whether an executable fits the bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_enums, reason = "a verdict is one or the other")]
pub enum Verdict {
    /// There are no findings.
    Fit,
    /// There are findings.
    Unfit,
}

/// The checks came to no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouldNotRun(Box<Stopped>);

/// Boxed, so that a result is not as large as its error.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stopped {
    executable: String,
    origin: Option<String>,
    codex: Option<String>,
    step: Option<&'static str>,
    reason: String,
    done: Vec<Step>,
}

impl CouldNotRun {
    /// The executable: an absolute path; as it was given if there is no such executable.
    pub fn executable(&self) -> &str {
        &self.0.executable
    }

    /// Where it came from: what the caller said, else whether it was found on `PATH`; none
    /// if there is no such executable and the caller said nothing.
    pub fn origin(&self) -> Option<&str> {
        self.0.origin.as_deref()
    }

    /// The release that it says it is, if it came so far.
    pub fn codex(&self) -> Option<&str> {
        self.0.codex.as_deref()
    }

    /// The step that could not run: `version`, or the name of a [`Step`]; none if there is
    /// no such executable.
    pub fn step(&self) -> Option<&'static str> {
        self.0.step
    }

    /// What happened.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The steps that were done before.
    pub fn done(&self) -> &[Step] {
        &self.0.done
    }
}

impl fmt::Display for CouldNotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stopped { executable, step, reason, .. } = &*self.0;
        write!(f, "could not run {executable}")?;
        if let Some(step) = step {
            write!(f, " (step {step})")?;
        }
        write!(f, ": {reason}")
    }
}

impl std::error::Error for CouldNotRun {}

/// How long the executable may take for its version and its exports.
const LIMIT: Duration = Duration::from_secs(20);
/// How long all of it may take.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// What a run tells while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A step begins; for the scenarios, how many there are.
    Step(&'static str, usize),
    /// A scenario was played.
    Scenario(&'a str),
}

impl Contract {
    /// Checks this executable, with all scenarios.
    pub fn new(executable: impl Into<PathBuf>) -> Self {
        Self {
            executable: executable.into(),
            origin: None,
            scenarios: None,
            jobs: 4,
            limit: LIMIT,
            time_limit: TIME_LIMIT,
            cancel: CancelToken::new(),
        }
    }

    /// Says in the report where the executable came from.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Plays only these scenarios; see [`crate::scenario::builtins`].
    #[must_use]
    pub fn scenarios<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.scenarios = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// How many scenarios to play at a time. Default: 4.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.clamp(1, 16);
        self
    }

    /// How long the executable may take for its version, and for each export. Default:
    /// 20 s. The steps of scenarios have limits of their own.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How long all of it may take. Default: 300 s. When it has passed, all processes
    /// are killed and there is no verdict.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Lets another thread, or a signal handler, end the run: see [`CancelToken`].
    #[must_use]
    pub fn cancel_token(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }

    /// Runs the checks.
    ///
    /// # Errors
    /// If the executable can't be started, hangs, ends too soon, or is no codex; if the
    /// time limit passes or the run is cancelled. No process and no file is left behind.
    pub fn run(&self) -> Result<Report, CouldNotRun> {
        self.run_with(|_| {})
    }

    /// Runs the checks and tells how far they are.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_with(&self, progress: impl Fn(Progress<'_>) + Sync) -> Result<Report, CouldNotRun> {
        let Some((executable, origin)) = find(&self.executable) else {
            return Err(CouldNotRun(Box::new(Stopped {
                executable: self.executable.display().to_string(),
                origin: self.origin.clone(),
                codex: None,
                step: None,
                reason: "there is no such file, nor one on PATH".to_owned(),
                done: Vec::new(),
            })));
        };
        let mut run = Run {
            contract: self,
            executable: &executable,
            processes: Processes::default(),
            step: "version",
            codex: None,
            done: Vec::new(),
        };
        let origin = self.origin.clone().unwrap_or_else(|| origin.to_owned());
        let processes = run.processes.clone();
        let (result, stopped) = cancel::watch(&processes, &self.cancel, self.time_limit, || run.steps(&progress));
        let executable = executable.display().to_string();
        let Run { step, codex, done, .. } = run;
        match result {
            Ok(codex) => Ok(Report {
                executable,
                origin,
                codex: codex.to_string(),
                bindings: CODEX_VERSION.to_owned(),
                steps: done,
            }),
            Err(reason) => {
                let reason = match (stopped, step) {
                    (Some(stopped), "live") => format!("{stopped}; {reason}"),
                    (Some(stopped), _) => stopped,
                    (None, _) => reason,
                };
                let codex = codex.map(|codex: Version| codex.to_string());
                let (origin, step) = (Some(origin), Some(step));
                Err(CouldNotRun(Box::new(Stopped { executable, origin, codex, step, reason, done })))
            }
        }
    }
}

/// A run and how far it is.
struct Run<'a> {
    contract: &'a Contract,
    executable: &'a Path,
    processes: Processes,
    step: &'static str,
    codex: Option<Version>,
    done: Vec<Step>,
}

impl Run<'_> {
    fn steps(&mut self, progress: &(impl Fn(Progress<'_>) + Sync)) -> Result<Version, String> {
        let Self { contract, executable, .. } = *self;
        progress(Progress::Step("version", 0));
        let version = executable::version(executable, contract.limit, &self.processes)?;
        self.codex = Some(version.clone());

        self.begin("schema", progress);
        let export = export::Export::of(executable, contract.limit, &self.processes)?;
        self.done.push(schema::check(&export));

        self.begin("census", progress);
        let census = census::ask(executable, &self.processes)?;
        self.done.push(census::check(&census.methods, &export));

        self.step = "live";
        let scenarios = contract.scenarios.as_deref();
        self.done.push(live::check(executable, &version, scenarios, contract.jobs, &self.processes, progress)?);
        self.done.push(handshake(&version, &census.user_agent));
        Ok(version)
    }

    fn begin(&mut self, step: &'static str, progress: &impl Fn(Progress<'_>)) {
        self.step = step;
        progress(Progress::Step(step, 0));
    }
}

/// The file, or the program of this name on `PATH`, as an absolute path: it is started in
/// other folders. And which of the two it is.
fn find(executable: &Path) -> Option<(PathBuf, &'static str)> {
    if executable.is_file() {
        return Some((absolute(executable).ok()?, "the path that was given"));
    }
    let bare = executable.components().count() == 1;
    let found = bare.then(|| crate::recorder::on_path(executable)).flatten()?;
    Some((absolute(found).ok()?, "PATH"))
}

/// The release in `userAgent`, and the one that `--version` says, against the bindings'.
fn handshake(version: &Version, user_agent: &str) -> Step {
    let (mut findings, mut rows) = (Vec::new(), Vec::new());
    let mut expect = |place: &str, what: &'static str, found: Option<&str>| {
        let same = found.is_some_and(|found| same_release(found, CODEX_VERSION));
        rows.push(Row::new(what, 1, usize::from(!same)));
        if !same {
            let found = found.unwrap_or("none");
            let message = format!("the bindings speak codex {CODEX_VERSION}, and the server is {found}");
            findings.push(Finding { place: place.to_owned(), message });
        }
    };
    expect("initialize /result/userAgent", "release in userAgent", codex_rpc::server_release(user_agent));
    expect("--version", "release that --version says", Some(&version.to_string()));
    Step { name: "handshake", title: "the release that it says it is", compared: 2, rows, findings, notes: Vec::new() }
}

/// Whether both are of the same minor release: patches do not change the protocol.
fn same_release(one: &str, other: &str) -> bool {
    let minor = |text: &str| Version::parse(text).ok().map(|version| (version.major, version.minor));
    minor(one).is_some() && minor(one) == minor(other)
}

impl Report {
    /// Fit if no step has a finding.
    pub fn verdict(&self) -> Verdict {
        if self.steps.iter().all(|step| step.findings.is_empty()) { Verdict::Fit } else { Verdict::Unfit }
    }

    /// How many findings there are.
    pub fn findings(&self) -> usize {
        self.steps.iter().map(|step| step.findings.len()).sum()
    }
}

/// As [`json`].
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Outcome::from(self).serialize(serializer)
    }
}
