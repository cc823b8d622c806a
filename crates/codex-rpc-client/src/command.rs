//! Commands that the server runs, without a thread or a turn.

mod handle;
mod output;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use codex_rpc::types::{CommandExecParams, CommandExecTerminalSize, SandboxPolicy};

use crate::{Codex, Error};

pub use handle::CommandHandle;
pub use output::{Chunk, CommandStream};

/// How many bytes of output may wait to be read.
const UNREAD: usize = 16 * 1024 * 1024;

/// A command that is to be run; see [`Codex::command`].
#[derive(Clone)]
#[must_use = "it does nothing until it is run or spawned"]
pub struct CommandBuilder {
    codex: Codex,
    params: CommandExecParams,
    unread: usize,
}

impl fmt::Debug for CommandBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither arguments nor values: they may be secret.
        f.debug_struct("CommandBuilder")
            .field("program", &self.params.command.first())
            .field("cwd", &self.params.cwd)
            .field("env", &self.params.env.as_ref().map(|env| env.keys().collect::<Vec<_>>()))
            .field("sandbox", &self.params.sandbox_policy)
            .finish_non_exhaustive()
    }
}

/// What a command left when it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandOutput {
    /// The exit code. One that ran out of its time has 124; one that was ended by a signal
    /// has no code of its own, so the server makes one up.
    pub exit_code: i32,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr; nothing with a terminal, which is one stream.
    pub stderr: Vec<u8>,
}

impl CommandOutput {
    /// Whether the exit code is 0.
    pub fn success(&self) -> bool {
        self.exit_code == 0
    }

    /// What it wrote to stdout; what is not UTF-8 is replaced.
    pub fn stdout_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    /// What it wrote to stderr; what is not UTF-8 is replaced.
    pub fn stderr_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }
}

impl Codex {
    /// A command that the server runs in its sandbox: a program and its arguments, without
    /// a shell.
    ///
    /// ```no_run
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let output = codex.command(["git", "status", "--short"]).cwd("/work").run().await?;
    /// print!("{}", output.stdout_text());
    /// # Ok(())
    /// # }
    /// ```
    pub fn command<A: Into<String>>(&self, command: impl IntoIterator<Item = A>) -> CommandBuilder {
        CommandBuilder {
            codex: self.clone(),
            params: CommandExecParams::new(command.into_iter().map(Into::into).collect()),
            unread: UNREAD,
        }
    }
}

impl CommandBuilder {
    /// The working folder. Default: the server's.
    pub fn cwd(mut self, folder: impl Into<String>) -> Self {
        self.params.cwd = Some(folder.into());
        self
    }

    /// Sets a variable of the environment, which is the server's otherwise.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.env.get_or_insert_default().insert(name.into(), Some(value.into()));
        self
    }

    /// Takes a variable out of the environment.
    pub fn env_remove(mut self, name: impl Into<String>) -> Self {
        self.params.env.get_or_insert_default().insert(name.into(), None);
        self
    }

    /// What the command may do. Default: what the server's configuration says.
    pub fn sandbox(mut self, policy: impl Into<SandboxPolicy>) -> Self {
        self.params.sandbox_policy = Some(policy.into());
        self
    }

    /// What the command may do, by the id of a permission profile, instead of
    /// [`sandbox`](Self::sandbox).
    ///
    /// Experimental: it needs
    /// [`experimental_api`](crate::CodexBuilder::experimental_api).
    pub fn permission_profile(mut self, id: impl Into<String>) -> Self {
        self.params.permission_profile = Some(id.into());
        self
    }

    /// How long the command may run; then it is ended, with the exit code 124. None is for
    /// ever. Default: the server's, a few seconds. It counts in whole milliseconds.
    pub fn time_limit(mut self, limit: Option<Duration>) -> Self {
        self.params.timeout_ms = limit.map(|limit| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
        self.params.disable_timeout = limit.is_none().then_some(true);
        self
    }

    /// How many bytes of each of stdout and stderr the server passes on; none is all.
    /// Default: the server's. What is beyond is left out, and the command goes on.
    pub fn output_limit(mut self, bytes: Option<u64>) -> Self {
        self.params.output_bytes_cap = bytes;
        self.params.disable_output_cap = bytes.is_none().then_some(true);
        self
    }

    /// Gives the command an stdin that is written with [`CommandHandle::write`]. Default:
    /// it has none.
    pub fn stdin(mut self) -> Self {
        self.params.stream_stdin = Some(true);
        self
    }

    /// Gives the command a terminal of this size, in characters, instead of pipes. Stdin
    /// can be written then, and all output is stdout.
    pub fn tty(mut self, columns: u16, rows: u16) -> Self {
        self.params.tty = Some(true);
        self.params.stream_stdin = Some(true);
        self.params.size = Some(CommandExecTerminalSize::new(rows, columns));
        self
    }

    /// How many bytes of output a [`CommandHandle`] keeps until they are read. Beyond it
    /// the oldest are dropped, see [`Chunk::missed`]: a command never waits for its
    /// reader. Default: 16 MiB.
    pub fn unread_limit(mut self, bytes: usize) -> Self {
        self.unread = bytes;
        self
    }

    /// Sets what has no method here: the params as they are sent. Its `process_id` and
    /// its `stream_stdout_stderr` are overwritten.
    pub fn with(mut self, with: impl FnOnce(CommandExecParams) -> CommandExecParams) -> Self {
        self.params = with(self.params);
        self
    }

    /// Runs the command and waits for its end. If the future is dropped, the command is
    /// terminated.
    ///
    /// The session's time limit for calls does not apply, the command's does. What the
    /// command writes that is not UTF-8 is replaced by the server; [`spawn`](Self::spawn)
    /// gives the bytes. With a terminal or an stdin that nobody writes or closes, a
    /// command that reads never ends.
    ///
    /// # Errors
    /// If it can't be started; see [`Error`]. An exit code other than 0 is no error; where
    /// the server has a sandbox of its own, a program that is not there has one too.
    pub async fn run(self) -> Result<CommandOutput, Error> {
        CommandHandle::start(self.codex, self.params, self.unread, false).await?.wait_with_output().await
    }

    /// Starts the command. Its output is told as it comes, its stdin can be written, and
    /// it is terminated when the handle is dropped.
    ///
    /// ```no_run
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let command = codex.command(["sort"]).stdin().time_limit(None).spawn().await?;
    /// command.write("b\na\n").await?;
    /// command.close_stdin().await?;
    /// while let Some(chunk) = command.next().await {
    ///     print!("{}", String::from_utf8_lossy(&chunk.bytes));
    /// }
    /// assert_eq!(command.wait().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the session has ended. Whether the command could be started is known at its end,
    /// see [`CommandHandle::wait`].
    pub async fn spawn(self) -> Result<CommandHandle, Error> {
        CommandHandle::start(self.codex, self.params, self.unread, true).await
    }
}
