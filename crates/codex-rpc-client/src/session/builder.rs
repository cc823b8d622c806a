//! How a session is made.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codex_rpc::types::InitializeCapabilities;
use codex_rpc_dispatch::tokio::{Buffer, Client, ConnectError};
use codex_rpc_dispatch::{Backoff, TakeServerRequest};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc, watch};

use super::{Codex, Hub, Inner, Restart, Settings, State, check_version, connect};
use crate::Error;
use crate::answers::{Answers, Asked, Asker, HookAnswer};
use crate::approval::{ApprovalRequest, Decision};

/// Makes sessions.
///
/// ```no_run
/// use codex_rpc_client::{Codex, Restart};
///
/// # async fn run() -> Result<(), codex_rpc_client::Error> {
/// let codex = Codex::builder()
///     .client("my-program", "1.0.0")
///     .config("sandbox_mode", "read-only")
///     .restart(Restart::default())
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
#[derive(Default)]
pub struct CodexBuilder {
    settings: Settings,
    answers: Answers,
}

impl fmt::Debug for CodexBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither arguments nor values: they may be secret.
        f.debug_struct("CodexBuilder")
            .field("executable", &self.settings.executable)
            .field("config", &self.settings.overrides.iter().map(|(key, _)| key).collect::<Vec<_>>())
            .field("home", &self.settings.home)
            .finish_non_exhaustive()
    }
}

impl CodexBuilder {
    /// The codex executable. Default: `CODEX_BIN`, else `codex` on `PATH`.
    pub fn executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.executable = Some(path.into());
        self
    }

    /// Adds an argument in front of `app-server`.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.settings.arguments.push(argument.into());
        self
    }

    /// Overrides a value of codex's configuration, as `-c key=value` does: dots in the key
    /// lead into tables. The value is a string, a number, a truth value, or a list or an
    /// object of them; another is an error at the start.
    pub fn config(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.overrides.push((key.into(), value.into()));
        self
    }

    /// Sets a variable of the process's environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.settings.environment.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a variable out of the process's environment.
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.settings.environment.push((name.into(), None));
        self
    }

    /// Starts the process without this program's environment; only what
    /// [`env`](Self::env) sets is in it.
    pub fn env_clear(mut self) -> Self {
        self.settings.clear_environment = true;
        self
    }

    /// The folder of codex's configuration, logins and sessions. Default: `CODEX_HOME`,
    /// else `~/.codex`.
    pub fn home(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.home = Some(folder.into());
        self
    }

    /// The process's working folder. Default: this program's.
    pub fn directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.directory = Some(folder.into());
        self
    }

    /// What this program is called and its version; the server repeats them in its
    /// `userAgent`. Default: those of this crate.
    pub fn client(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self.settings.version = version.into();
        self
    }

    /// What this program is called where people read it.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.settings.title = Some(title.into());
        self
    }

    /// Whether experimental methods and members may be used. Default: not.
    pub fn experimental_api(mut self, experimental: bool) -> Self {
        self.settings.capabilities.experimental_api = experimental;
        self
    }

    /// Sets all that the client says it can. The last of this and
    /// [`experimental_api`](Self::experimental_api) counts.
    pub fn capabilities(mut self, capabilities: InitializeCapabilities) -> Self {
        self.settings.capabilities = capabilities;
        self
    }

    /// How long a call waits for its answer; none is for ever. Default: 10 minutes. Turns
    /// are waited for without a limit: see [`turn_watchdog`](Self::turn_watchdog).
    pub fn time_limit(mut self, limit: Option<Duration>) -> Self {
        self.settings.time_limit = limit;
        self
    }

    /// How long the process may take to start and answer. Default: 30 s.
    pub fn start_limit(mut self, limit: Duration) -> Self {
        self.settings.start_limit = limit;
        self
    }

    /// How often and when a call is made again that the server was too busy for; none is
    /// not at all. Default: 5 times, with growing pauses. The server executes nothing
    /// that it refuses so.
    pub fn retry(mut self, backoff: Option<Backoff>) -> Self {
        self.settings.retry = backoff;
        self
    }

    /// Starts the process again when it ends by itself, and resumes the threads that the
    /// program has handles of. Default: the session ends.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.settings.restart = Some(restart);
        self
    }

    /// Interrupts a turn about which nothing was told for so long, and gives it up if
    /// that does not end it. Time in which the server waits for an answer of this program
    /// does not count. Default: turns are waited for for ever.
    pub fn turn_watchdog(mut self, limit: Duration) -> Self {
        self.settings.watchdog = Some(limit);
        self
    }

    /// How many notifications of a turn are kept for its streams; at least one. Default:
    /// 4,096. A stream that is slower is told how many it missed; results miss nothing.
    pub fn turn_log(mut self, notifications: usize) -> Self {
        self.settings.turn_log = notifications.max(1);
        self
    }

    /// The oldest release of codex that will do: an older server is an error.
    pub fn minimum_release(mut self, release: impl Into<String>) -> Self {
        self.settings.minimum = Some(release.into());
        self
    }

    /// Answers a request of the server. The hook is asked first: what it gives no answer
    /// to (`Ok(None)`) goes to the policy and then to the default, which declines. The
    /// last hook for a method counts.
    ///
    /// ```
    /// use codex_rpc_client::Codex;
    /// use codex_rpc_client::protocol::server_requests::CurrentTimeRead;
    /// use codex_rpc_client::protocol::types::CurrentTimeReadResponse;
    ///
    /// let builder = Codex::builder()
    ///     .on::<CurrentTimeRead, _, _>(|_params, _asked| async { Ok(Some(CurrentTimeReadResponse::new(1_700_000_000))) });
    /// ```
    pub fn on<M, H, F>(mut self, hook: H) -> Self
    where
        M: TakeServerRequest + 'static,
        M::Params: Clone + Send + Sync,
        M::Response: Send,
        H: Fn(M::Params, Asked) -> F + Send + Sync + 'static,
        F: Future<Output = HookAnswer<M::Response>> + Send + 'static,
    {
        self.answers.on::<M, H, F>(hook);
        self
    }

    /// Asks this about approvals: those for which the policy says `ask`, and without a
    /// policy all that no hook answers. What it has no decision for is declined. It may
    /// take its time: nothing else waits for it.
    ///
    /// ```
    /// use codex_rpc_client::Codex;
    /// use codex_rpc_client::approval::Decision;
    ///
    /// let builder = Codex::builder().ask(|request| async move {
    ///     // Here a person would be asked.
    ///     request.command.map(|command| match command.script() {
    ///         "ls" => Decision::Allow,
    ///         _ => Decision::Deny,
    ///     })
    /// });
    /// ```
    pub fn ask<H, F>(mut self, asker: H) -> Self
    where
        H: Fn(ApprovalRequest) -> F + Send + Sync + 'static,
        F: Future<Output = Option<Decision>> + Send + 'static,
    {
        self.answers.asker = Some(Asker::Closure(Box::new(move |request| Box::pin(asker(request)))));
        self
    }

    /// Asks a model where [`ask`](Self::ask) would ask a person. The last of both counts.
    #[cfg(feature = "judge")]
    pub fn judge(mut self, judge: crate::Judge) -> Self {
        self.answers.asker = Some(Asker::Judge(Box::new(judge)));
        self
    }

    /// Decides about approvals by rules. What no rule is about is declined.
    #[cfg(feature = "policy")]
    pub fn policy(mut self, policy: crate::policy::Policy) -> Self {
        self.answers.policy = Some(policy);
        self
    }

    /// Writes every decision about an approval into a log.
    #[cfg(feature = "policy")]
    pub fn audit(mut self, log: crate::policy::AuditLog) -> Self {
        self.answers.audit = Some(log);
        self
    }

    /// Starts the process.
    ///
    /// # Errors
    /// If there is no executable, it can't be started or ends at once, is no app-server,
    /// or is too old.
    pub async fn start(self) -> Result<Codex, Error> {
        let (hub, answers) = (Arc::new(Hub::default()), Arc::new(self.answers));
        let (client, told, flushes) = connect(&self.settings, &hub, &answers).await?;
        let inner = session(self.settings, hub, answers, &client, true);
        inner.follow(told, flushes, 0);
        Ok(Codex { inner })
    }

    /// Talks to a server over a reader and a writer of lines. There is no process then,
    /// so nothing is started again.
    ///
    /// # Errors
    /// If it is no app-server, or is too old.
    pub async fn connect<R, W>(self, reader: R, writer: W) -> Result<Codex, Error>
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        self.connect_by(async |builder| builder.connect(reader, writer).await).await
    }

    /// Talks to a server over WebSocket, with a bearer token if it wants one.
    ///
    /// # Errors
    /// If it can't be reached, is no app-server, or is too old.
    #[cfg(feature = "websocket")]
    pub async fn connect_websocket(self, url: &str, bearer_token: Option<&str>) -> Result<Codex, Error> {
        self.connect_by(async |builder| builder.connect_websocket(url, bearer_token).await).await
    }

    /// Talks to a server over a Unix socket.
    ///
    /// # Errors
    /// If it can't be reached, is no app-server, or is too old.
    #[cfg(all(feature = "websocket", unix))]
    pub async fn connect_unix(self, path: impl AsRef<std::path::Path>) -> Result<Codex, Error> {
        self.connect_by(async |builder| builder.connect_unix(path).await).await
    }

    async fn connect_by(
        self,
        by: impl AsyncFnOnce(codex_rpc_dispatch::tokio::Builder) -> Result<Client, ConnectError>,
    ) -> Result<Codex, Error> {
        let (hub, answers) = (Arc::new(Hub::default()), Arc::new(self.answers));
        let (flush, flushes) = mpsc::channel(16);
        let builder = self.settings.dispatcher(answers.router(&hub, flush));
        let client = by(builder).await.map_err(|error| Error::Connect(Box::new(error)))?;
        let told = client.subscribe_with(Buffer::waiting(4_096));
        check_version(&self.settings, &client)?;
        let inner = session(self.settings, hub, answers, &client, false);
        inner.follow(told, flushes, 0);
        Ok(Codex { inner })
    }
}

fn session(settings: Settings, hub: Arc<Hub>, answers: Arc<Answers>, client: &Client, spawned: bool) -> Arc<Inner> {
    let inner = Arc::new(Inner {
        settings,
        hub,
        answers,
        state: watch::Sender::new(State::Running(client.clone())),
        recoveries: Mutex::new(Some(broadcast::Sender::new(16))),
        closing: watch::Sender::new(false),
        server: Mutex::new(client.server().clone()),
        spawned,
    });
    #[cfg(feature = "judge")]
    let _ = inner.answers.session.set(Arc::downgrade(&inner));
    inner
}
