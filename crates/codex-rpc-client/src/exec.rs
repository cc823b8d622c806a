//! Exec mode: a turn in a `codex exec` of its own.
//!
//! [`Exec`] says what is to be run. [`run`](Exec::run) waits for the end,
//! [`stream`](Exec::stream) tells what happens while it happens. For conversations, or
//! approvals that a program decides on, use a session with an app-server instead: exec
//! mode can't ask.
//!
//! ```no_run
//! use codex_rpc_client::exec::Exec;
//! # async fn run() -> Result<(), codex_rpc_client::Error> {
//!
//! let result = Exec::new().prompt("What does this repository do?").run().await?;
//! println!("{}", result.text());
//!
//! let again = Exec::new().resume(&result.thread_id).prompt("In three words.").run().await?;
//! assert_eq!(again.thread_id, result.thread_id);
//! # Ok(())
//! # }
//! ```

mod command;
mod event;
mod item;
mod lines;
mod members;
mod process;
mod result;
mod stream;
mod tree;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use codex_rpc::types::SandboxMode;
use serde_json::Value;

pub use event::{
    ErrorEvent, ExecEvent, ExecTurnFailed, ExecUsage, ItemEvent, ThreadStarted, TurnCompleted, TurnStarted,
};
pub use item::{
    AgentMessage, ChangeKind, CollabAgentState, CollabAgentStatus, CollabTool, CollabToolCall, CommandExecution,
    ErrorItem, ExecError, ExecItem, FileChange, FileUpdate, ItemStatus, McpToolCall, McpToolResult, Reasoning,
    TodoItem, TodoList, WebSearch, WebSearchAction, WebSearchKind,
};
pub use result::{ExecFailed, ExecResult, MalformedLine};
pub use stream::ExecStream;

use crate::Error;

/// The longest line that is read, unless said otherwise: 64 MiB.
const LINE: usize = 64 * 1024 * 1024;

/// A run of `codex exec`: what is asked, where, and under which settings.
///
/// What is not set is what codex's own configuration says. It can be run more than once.
#[derive(Clone)]
#[must_use = "nothing is run before `run` or `stream`"]
pub struct Exec {
    executable: Option<PathBuf>,
    prompt: String,
    thread: Thread,
    working_directory: Option<PathBuf>,
    sandbox: Option<SandboxMode>,
    model: Option<String>,
    profile: Option<String>,
    images: Vec<PathBuf>,
    directories: Vec<PathBuf>,
    config: Vec<(String, Value)>,
    features: Vec<(String, bool)>,
    environment: BTreeMap<OsString, Option<OsString>>,
    output_schema: Option<Value>,
    flags: BTreeMap<&'static str, bool>,
    arguments: Vec<OsString>,
    limit: Option<Duration>,
    line: usize,
}

/// Which thread the turn is of.
#[derive(Clone, Debug)]
enum Thread {
    New,
    Resume(String),
    Last,
}

impl Exec {
    /// A new thread, without a prompt.
    pub fn new() -> Self {
        Self {
            executable: None,
            prompt: String::new(),
            thread: Thread::New,
            working_directory: None,
            sandbox: None,
            model: None,
            profile: None,
            images: Vec::new(),
            directories: Vec::new(),
            config: Vec::new(),
            features: Vec::new(),
            environment: BTreeMap::new(),
            output_schema: None,
            flags: BTreeMap::new(),
            arguments: Vec::new(),
            limit: None,
            line: LINE,
        }
    }

    /// The codex executable. Default: what `CODEX_BIN` names, else the first on the
    /// `PATH`.
    pub fn executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.executable = Some(path.into());
        self
    }

    /// What is asked. It goes to codex's stdin, never to its arguments, where other users
    /// of the machine could read it. Codex refuses an empty one.
    pub fn prompt(mut self, prompt: impl Into<String>) -> Self {
        self.prompt = prompt.into();
        self
    }

    /// Goes on with the thread of this id, or of this name.
    pub fn resume(mut self, thread: impl Into<String>) -> Self {
        self.thread = Thread::Resume(thread.into());
        self
    }

    /// Goes on with the latest thread that was in the same working directory.
    ///
    /// **Where there is none, codex starts a new one and does not say so.** Who needs to
    /// know resumes by id.
    pub fn resume_last(mut self) -> Self {
        self.thread = Thread::Last;
        self
    }

    /// The folder that the model works in. Default: the program's own.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.working_directory = Some(path.into());
        self
    }

    /// What the model's commands may do. Default: the configuration's, else read only.
    pub fn sandbox(mut self, mode: SandboxMode) -> Self {
        self.sandbox = Some(mode);
        self
    }

    /// The model.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// The profile: codex reads `NAME.config.toml` of its home, too.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// An image that goes with the prompt. Can be given more than once.
    pub fn image(mut self, path: impl Into<PathBuf>) -> Self {
        self.images.push(path.into());
        self
    }

    /// Another folder that may be written to. Can be given more than once.
    pub fn add_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.directories.push(path.into());
        self
    }

    /// A setting of `config.toml`, by its dotted path. The value is written as TOML: text
    /// as a string, an object as a table. Can be given more than once.
    ///
    /// ```
    /// # use codex_rpc_client::exec::Exec;
    /// # use serde_json::json;
    /// let exec = Exec::new()
    ///     .config("model_reasoning_effort", "high")
    ///     .config("mcp_servers.tiny", json!({"command": "tiny", "args": ["--fast"]}));
    /// ```
    pub fn config(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.config.push((key.into(), value.into()));
        self
    }

    /// Turns a feature of codex on or off.
    pub fn feature(mut self, name: impl Into<String>, enabled: bool) -> Self {
        self.features.push((name.into(), enabled));
        self
    }

    /// Sets a variable of codex's environment. The rest is the program's own.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.as_ref().to_owned(), Some(value.as_ref().to_owned()));
        self
    }

    /// Takes a variable out of codex's environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.as_ref().to_owned(), None);
        self
    }

    /// The folder of codex's configuration, login and threads: `CODEX_HOME`. It must
    /// exist.
    pub fn home(self, path: impl Into<PathBuf>) -> Self {
        self.env("CODEX_HOME", path.into())
    }

    /// Whether nothing of the thread is kept. It can't be resumed then.
    pub fn ephemeral(self, flag: bool) -> Self {
        self.flag("--ephemeral", flag)
    }

    /// The JSON schema of the final response. Codex gets it in a file that is removed
    /// with the run. Models want `"additionalProperties": false` and all members
    /// required.
    pub fn output_schema(mut self, schema: impl Into<Value>) -> Self {
        self.output_schema = Some(schema.into());
        self
    }

    /// Whether codex works outside a git repository, too. Else it refuses.
    pub fn skip_git_repo_check(self, flag: bool) -> Self {
        self.flag("--skip-git-repo-check", flag)
    }

    /// Whether a review by codex itself decides where an approval is needed, in the
    /// workspace-write sandbox. Older releases refuse this.
    pub fn approve_for_me(self, flag: bool) -> Self {
        self.flag("--approve-for-me", flag)
    }

    /// Whether everything is run without approval and outside any sandbox. Only for
    /// machines that are themselves a sandbox.
    pub fn dangerously_bypass_approvals_and_sandbox(self, flag: bool) -> Self {
        self.flag("--dangerously-bypass-approvals-and-sandbox", flag)
    }

    /// Whether `config.toml` is not read. The login still is.
    pub fn ignore_user_config(self, flag: bool) -> Self {
        self.flag("--ignore-user-config", flag)
    }

    /// Whether the rules for commands are not read.
    pub fn ignore_rules(self, flag: bool) -> Self {
        self.flag("--ignore-rules", flag)
    }

    /// Whether a setting that codex doesn't know is an error.
    pub fn strict_config(self, flag: bool) -> Self {
        self.flag("--strict-config", flag)
    }

    /// Another argument for `codex exec`, before those of this type. Other users of the
    /// machine can read it.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// How long the run may take. After that, codex is killed with all that it started.
    /// Default: no limit.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The longest line that is read, in bytes. A longer one is an error among the
    /// events. Default: 64 MiB.
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.line = bytes;
        self
    }

    fn flag(mut self, name: &'static str, flag: bool) -> Self {
        self.flags.insert(name, flag);
        self
    }

    /// Runs it and waits for the end. If the future is dropped, codex is killed with all
    /// that it started.
    ///
    /// # Errors
    /// - [`Error::ExecFailed`] if the turn failed, or codex ended before it; with what was
    ///   done until then.
    /// - [`Error::Process`] if codex can't be started, or said nothing but on stderr: for
    ///   an unknown thread, or outside a git repository.
    /// - [`Error::TimedOut`] if the time limit is over.
    /// - [`Error::ExecutableNotFound`], [`Error::Io`] if the schema can't be written,
    ///   [`Error::Unsendable`] for a setting that can't be written as TOML.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn run(&self) -> Result<ExecResult, Error> {
        result::collect(self.stream().await?).await
    }

    /// Starts it. If the stream is dropped, codex is killed with all that it started.
    ///
    /// # Errors
    /// [`Error::Process`] if codex can't be started, [`Error::ExecutableNotFound`],
    /// [`Error::Io`] if the schema can't be written, [`Error::Unsendable`] for a setting
    /// that can't be written as TOML. The stream has errors of its own.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    #[allow(clippy::unused_async, reason = "starting may come to need it")]
    pub async fn stream(&self) -> Result<ExecStream, Error> {
        ExecStream::start(command::start(self)?)
    }
}

impl Default for Exec {
    fn default() -> Self {
        Self::new()
    }
}

/// Without the prompt, the values of the environment and of settings, and further
/// arguments: they can hold secrets.
impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: Vec<_> = self.config.iter().map(|(key, _)| key).collect();
        f.debug_struct("Exec")
            .field("executable", &self.executable)
            .field("thread", &self.thread)
            .field("working_directory", &self.working_directory)
            .field("sandbox", &self.sandbox)
            .field("model", &self.model)
            .field("profile", &self.profile)
            .field("images", &self.images)
            .field("directories", &self.directories)
            .field("config", &settings)
            .field("features", &self.features)
            .field("environment", &self.environment.keys().collect::<Vec<_>>())
            .field("flags", &self.flags)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
