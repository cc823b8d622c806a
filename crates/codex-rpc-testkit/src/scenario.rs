//! Scenarios: what a client does in a session with `codex app-server`, as data.
//!
//! A scenario is a YAML file: the configuration and the files that codex finds, what
//! the stand-in model answers, what the client answers to server requests, and the
//! client's steps. It holds method names and JSON, no Rust types, so it can be played
//! against any codex release. `scenarios/` has those that this crate comes with, see
//! [`builtin`]; its `README.md` describes the format.
//!
//! ```
//! use codex_rpc_testkit::scenario::Scenario;
//!
//! let scenario = Scenario::parse(r#"
//! summary: One question, one answer.
//! model:
//! - - message: Hello.
//! steps:
//! - thread: {}
//! - turn: Hello?
//! "#)?;
//! assert_eq!(scenario.steps.len(), 2);
//! # Ok::<(), codex_rpc_testkit::scenario::ScenarioError>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

mod builtin;
mod step;

pub use builtin::{builtin, builtins};
pub use step::{Action, Step};

/// A session with `codex app-server`, as data. Strings may hold `${name}`, see
/// [`crate::recorder`] for the names that are always known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scenario {
    /// What it shows, in a sentence.
    pub summary: String,
    /// The codex releases that can play it, as a semver requirement. Default: all.
    #[serde(default)]
    pub releases: Option<semver::VersionReq>,
    /// Programs that must be on `PATH`, such as `git`.
    #[serde(default)]
    pub requires: Vec<String>,
    /// The client's capabilities; `null` is a client without any. Default:
    /// `{experimentalApi: true}`.
    #[serde(default = "experimental")]
    pub capabilities: Option<Value>,
    /// Whether each process gets `initialize` and `initialized` before the steps.
    /// Default: yes.
    #[serde(default = "yes")]
    pub handshake: bool,
    /// Merged over the recorder's `config.toml`; null takes an entry away.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Environment variables of codex.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files to write before codex starts, by path.
    #[serde(default)]
    pub files: BTreeMap<String, FileContent>,
    /// Commands to run in the workspace before codex starts.
    #[serde(default)]
    pub setup: Vec<Vec<String>>,
    /// Unsigned JSON Web Tokens, by variable name: their claims.
    #[serde(default)]
    pub tokens: BTreeMap<String, Value>,
    /// What the stand-in model answers, in order.
    #[serde(default)]
    pub model: Vec<Value>,
    /// Variables in the model's answers that are taken from its requests: a regular
    /// expression with one group.
    #[serde(default)]
    pub captures: BTreeMap<String, String>,
    /// What the stand-in answers to other requests, by `METHOD /path`.
    #[serde(default)]
    pub routes: Map<String, Value>,
    /// What the stand-in says on a WebSocket: a list for each message it gets.
    #[serde(default)]
    pub websocket: Vec<Vec<Value>>,
    /// What the client answers to server requests, by method: used in order, the last
    /// one again and again.
    #[serde(default)]
    pub answers: BTreeMap<String, Vec<Answer>>,
    /// What the client does.
    pub steps: Vec<Step>,
}

/// A file's content.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum FileContent {
    /// Text, in which variables are replaced.
    Text(String),
    /// Bytes.
    Base64 {
        /// Their base64.
        base64: String,
    },
}

/// What the client answers to a server request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Answer {
    /// Only for requests whose params have these values, by JSON pointer.
    #[serde(default)]
    pub when: BTreeMap<String, Value>,
    /// The answer's `result`.
    #[serde(default, deserialize_with = "present")]
    pub result: Option<Value>,
    /// The answer's `error`.
    #[serde(default)]
    pub error: Option<Value>,
    /// No answer at all.
    #[serde(default)]
    pub never: bool,
}

/// A scenario that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError(String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// If the text is no YAML, has a key or a step that the format does not know, or
    /// an answer that is not exactly one of `result`, `error`, `never`.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        // Else `y`, `no` and `on` are booleans, as in YAML 1.1.
        let options = serde_saphyr::options! { strict_booleans: true };
        let scenario: Self =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| ScenarioError(error.to_string()))?;
        for (index, step) in scenario.steps.iter().enumerate() {
            let action = step.action();
            let answers = match action.map_err(|problem| ScenarioError(format!("step {}: {problem}", index + 1)))? {
                Action::Answers(answers) => Some(answers),
                _ => None,
            };
            check(answers.into_iter().flatten(), &format!("step {}: ", index + 1))?;
        }
        check(&scenario.answers, "")?;
        Ok(scenario)
    }
}

fn check<'a>(
    answers: impl IntoIterator<Item = (&'a String, &'a Vec<Answer>)>,
    place: &str,
) -> Result<(), ScenarioError> {
    for (method, answers) in answers {
        for answer in answers {
            let kinds = [answer.result.is_some(), answer.error.is_some(), answer.never];
            if kinds.into_iter().filter(|kind| *kind).count() != 1 {
                return Err(ScenarioError(format!(
                    "{place}an answer to {method} must have exactly one of `result`, `error` and `never`"
                )));
            }
        }
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn experimental() -> Option<Value> {
    Some(serde_json::json!({"experimentalApi": true}))
}

fn yes() -> bool {
    true
}

/// Tells null from absent.
fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(input).map(Some)
}
