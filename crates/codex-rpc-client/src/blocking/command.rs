//! Commands that the server runs, without a thread or a turn.

use std::time::Duration;

use codex_rpc::types::{CommandExecParams, SandboxPolicy};

use super::Runtime;
use crate::{Chunk, CommandOutput, Error};

wrapper! {
    /// A command that is to be run; see [`CommandBuilder`](crate::CommandBuilder).
    #[derive(Clone)]
    #[must_use = "it does nothing until it is run or spawned"]
    CommandBuilder(crate::CommandBuilder)
}

impl CommandBuilder {
    settings! { CommandBuilder:
        cwd(folder: impl Into<String>);
        env(name: impl Into<String>, value: impl Into<String>);
        env_remove(name: impl Into<String>);
        sandbox(policy: impl Into<SandboxPolicy>);
        permission_profile(id: impl Into<String>);
        time_limit(limit: Option<Duration>);
        output_limit(bytes: Option<u64>);
        stdin();
        tty(columns: u16, rows: u16);
        unread_limit(bytes: usize);
        with(with: impl FnOnce(CommandExecParams) -> CommandExecParams);
    }

    /// Runs the command and waits for its end.
    ///
    /// # Errors
    /// As [`CommandBuilder::run`](crate::CommandBuilder::run).
    #[track_caller]
    pub fn run(self) -> Result<CommandOutput, Error> {
        let Self { inner, runtime } = self;
        runtime.block_on(inner.run())
    }

    /// Starts the command. Its output is told as it comes, its stdin can be written, and
    /// it is terminated when the handle is dropped.
    ///
    /// ```no_run
    /// # fn run(codex: codex_rpc_client::blocking::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let command = codex.command(["sort"]).stdin().time_limit(None).spawn()?;
    /// command.write("b\na\n")?;
    /// command.close_stdin()?;
    /// for chunk in command.chunks() {
    ///     print!("{}", String::from_utf8_lossy(&chunk.bytes));
    /// }
    /// assert_eq!(command.wait()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`CommandBuilder::spawn`](crate::CommandBuilder::spawn).
    #[track_caller]
    pub fn spawn(self) -> Result<CommandHandle, Error> {
        let Self { inner, runtime } = self;
        let inner = runtime.block_on(inner.spawn())?;
        Ok(CommandHandle::new(&runtime, inner))
    }
}

wrapper! {
    /// A command that was started; see [`CommandHandle`](crate::CommandHandle).
    CommandHandle(crate::CommandHandle)
}

impl CommandHandle {
    /// The id by which the connection knows the command.
    pub fn process_id(&self) -> &str {
        self.inner.process_id()
    }

    /// The next piece of output; none when the command has ended and everything was given.
    /// Several may read; each piece goes to one of them.
    #[track_caller]
    pub fn next(&self) -> Option<Chunk> {
        self.runtime.block_on(self.inner.next())
    }

    /// The output that is left, piece by piece, as [`next`](Self::next) gives it.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk> + '_ {
        std::iter::from_fn(|| self.next())
    }

    same! { CommandHandle:
        /// Writes to the command's stdin.
        write(bytes: impl AsRef<[u8]>) -> ();
        /// Closes the command's stdin: it reads the end.
        close_stdin() -> ();
        /// Sets the size of the command's terminal, in characters.
        resize(columns: u16, rows: u16) -> ();
        /// Terminates the command. It has ended when [`wait`](Self::wait) returns.
        terminate() -> ();
    }

    /// Waits until the command has ended; its exit code. Output that was not read is
    /// dropped.
    ///
    /// # Errors
    /// As [`CommandHandle::wait`](crate::CommandHandle::wait).
    #[track_caller]
    pub fn wait(self) -> Result<i32, Error> {
        let Self { inner, runtime } = self;
        runtime.block_on(inner.wait())
    }

    /// Waits until the command has ended; what it left, with the output that was not read
    /// yet.
    ///
    /// # Errors
    /// As [`CommandHandle::wait_with_output`](crate::CommandHandle::wait_with_output).
    #[track_caller]
    pub fn wait_with_output(self) -> Result<CommandOutput, Error> {
        let Self { inner, runtime } = self;
        runtime.block_on(inner.wait_with_output())
    }
}
