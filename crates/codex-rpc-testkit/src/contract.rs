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
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_rpc::CODEX_VERSION;
use semver::Version;
use serde::Serialize;

mod census;
mod executable;
mod export;
mod live;
mod report;
mod schema;

pub use report::{junit, markdown};

/// What is to be checked.
#[derive(Clone, Debug)]
pub struct Contract {
    executable: PathBuf,
    origin: Option<String>,
    scenarios: Option<Vec<String>>,
    jobs: usize,
    limit: Duration,
}

/// What the checks said.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// The executable that was run.
    pub executable: String,
    /// Where it came from, if the caller said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The release that it says it is.
    pub codex: String,
    /// The release that the bindings were made from.
    pub bindings: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One step of the checks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Step {
    /// `schema`, `census`, `live` or `handshake`.
    pub name: &'static str,
    /// What it looks at, in a few words.
    pub title: &'static str,
    /// How many things were compared.
    pub compared: usize,
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// What is as it should be, but worth a word: scenarios that were left out, methods
    /// that the export leaves out on purpose.
    pub notes: Vec<String>,
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
#[non_exhaustive]
pub struct CouldNotRun {
    /// The executable.
    pub executable: String,
    /// What happened.
    pub reason: String,
}

impl fmt::Display for CouldNotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not run {}: {}", self.executable, self.reason)
    }
}

impl std::error::Error for CouldNotRun {}

/// How long the executable may take for its version and its exports.
const LIMIT: Duration = Duration::from_secs(20);

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
        Self { executable: executable.into(), origin: None, scenarios: None, jobs: 4, limit: LIMIT }
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

    /// Runs the checks.
    ///
    /// # Errors
    /// If the executable can't be started, hangs, ends too soon, or is no codex. No
    /// process and no file is left behind.
    pub fn run(&self) -> Result<Report, CouldNotRun> {
        self.run_with(|_| {})
    }

    /// Runs the checks and tells how far they are.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_with(&self, progress: impl Fn(Progress<'_>) + Sync) -> Result<Report, CouldNotRun> {
        let fail = |reason: String| CouldNotRun { executable: self.executable.display().to_string(), reason };
        let executable =
            find(&self.executable).ok_or_else(|| fail("there is no such file, nor one on PATH".to_owned()))?;
        let version = executable::version(&executable, self.limit).map_err(fail)?;

        progress(Progress::Step("schema", 0));
        let export = export::Export::of(&executable, self.limit).map_err(fail)?;
        let schema = schema::check(&export);
        progress(Progress::Step("census", 0));
        let census = census::ask(&executable).map_err(fail)?;
        let handshake = handshake(&version, &census.user_agent);
        let census = census::check(&census.methods, &export);
        let live = live::check(&executable, &version, self.scenarios.as_deref(), self.jobs, &progress).map_err(fail)?;
        Ok(Report {
            executable: executable.display().to_string(),
            origin: self.origin.clone(),
            codex: version.to_string(),
            bindings: CODEX_VERSION.to_owned(),
            steps: vec![schema, census, live, handshake],
        })
    }
}

/// The file, or the program of this name on `PATH`.
fn find(executable: &Path) -> Option<PathBuf> {
    if executable.is_file() {
        return Some(executable.to_owned());
    }
    let bare = executable.components().count() == 1;
    bare.then(|| crate::recorder::on_path(executable)).flatten()
}

/// The release in `userAgent`, and the one that `--version` says, against the bindings'.
fn handshake(version: &Version, user_agent: &str) -> Step {
    let mut findings = Vec::new();
    let mut expect = |place: &str, found: Option<&str>| {
        let same = found.is_some_and(|found| same_release(found, CODEX_VERSION));
        if !same {
            let found = found.unwrap_or("none");
            let message = format!("the bindings speak codex {CODEX_VERSION}, and the server is {found}");
            findings.push(Finding { place: place.to_owned(), message });
        }
    };
    expect("initialize /result/userAgent", codex_rpc::server_release(user_agent));
    expect("--version", Some(&version.to_string()));
    Step { name: "handshake", title: "the release that it says it is", compared: 2, findings, notes: Vec::new() }
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
