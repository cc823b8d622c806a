//! Plays scenarios against the real `codex app-server` and records what both say.
//!
//! Every recording has a stand-in model on loopback, a temporary `CODEX_HOME`, home
//! and workspace, and an environment of its own; proxies point at a closed port of
//! loopback, so nothing else can be reached over HTTP. What is recorded is sanitised:
//! see [`sanitise`](self#what-is-replaced).
//!
//! # Variables
//! Strings in a scenario may hold `${name}`: `workspace`, `codex_home`, `home`, `tmp`
//! and `scratch` are folders; `stand_in` is the stand-in's address, `port` its port,
//! `free_port` a port that nobody listens on; `codex` and `python` are executables;
//! `thread` and `turn` are the last ids; others come from `save` and `tokens`. A
//! string that is one variable and nothing else takes the variable's JSON value.
//!
//! # What is replaced
//! Paths, ports, tokens, UUIDs, hashes, times near the recording's own, durations,
//! process ids, the operating system's name and the host's. Ids are numbered, the same
//! id the same everywhere, so references hold.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::recording::Recording;
use crate::scenario::Scenario;

mod connection;
mod files;
pub(crate) mod output;
mod places;
mod player;
mod processes;
mod sanitise;
mod surroundings;
mod variables;

pub(crate) use places::on_path;
pub(crate) use processes::Processes;

/// What is recorded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AppServer {
    /// The real executable, `codex`, of this release.
    Codex {
        /// Where it is.
        executable: PathBuf,
        /// Its release, such as `0.169.0`.
        release: semver::Version,
    },
    /// The replaying app-server over a recording of the scenario: variables have the
    /// values that the recording holds, and no stand-in and no folders are made.
    Replay {
        /// The executable `codex-rpc-replay`.
        executable: PathBuf,
        /// The recording.
        transcript: PathBuf,
    },
}

impl AppServer {
    /// The real executable, of this release.
    pub fn codex(executable: impl Into<PathBuf>, release: semver::Version) -> Self {
        Self::Codex { executable: executable.into(), release }
    }

    /// The replaying app-server over a recording.
    pub fn replay(executable: impl Into<PathBuf>, transcript: impl Into<PathBuf>) -> Self {
        Self::Replay { executable: executable.into(), transcript: transcript.into() }
    }
}

/// A scenario that could not be played to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// The scenario can't be played here: the release is too old or new, or a program
    /// is missing.
    Unsuited(String),
    /// Something around the scenario failed: a folder, a port, a program.
    Setup(String),
    /// A step failed.
    Step {
        /// The step's number, from 1.
        step: usize,
        /// What happened.
        reason: String,
        /// The end of what codex wrote to stderr.
        stderr: String,
        /// What was recorded until then, not sanitised.
        recording: Box<Recording>,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsuited(reason) | Self::Setup(reason) => f.write_str(reason),
            Self::Step { step, reason, stderr, .. } => {
                write!(f, "step {step}: {reason}")?;
                if !stderr.is_empty() {
                    write!(f, "\ncodex wrote to stderr:\n{stderr}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for RecordError {}

/// Plays `scenario` and gives what was said.
///
/// # Errors
/// If the scenario does not suit the release or the machine, something around it
/// fails, or a step does not come to its end in time. No process and no folder is left
/// behind either way.
pub fn record(name: &str, scenario: &Scenario, server: &AppServer) -> Result<Recording, RecordError> {
    record_among(name, scenario, server, &Processes::default(), Answering::AsWritten)
}

/// How a scenario's answers to the server's requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answering {
    /// As the scenario has them.
    AsWritten,
    /// As the bindings write them: decoded as the type that the method names, and encoded.
    Typed,
}

/// The same; all processes are among these.
pub(crate) fn record_among(
    name: &str,
    scenario: &Scenario,
    server: &AppServer,
    processes: &Processes,
    answering: Answering,
) -> Result<Recording, RecordError> {
    if let AppServer::Codex { release, .. } = server {
        if let Some(range) = &scenario.releases
            && !range.matches(release)
        {
            return Err(RecordError::Unsuited(format!("the scenario is for codex {range}, not {release}")));
        }
        for program in &scenario.requires {
            if on_path(Path::new(program)).is_none() {
                return Err(RecordError::Unsuited(format!("`{program}` is not on PATH")));
            }
        }
    }
    player::play(name, scenario, server, processes, answering)
}

/// How long a step may take, unless it says so itself.
const LIMIT: Duration = Duration::from_secs(20);
