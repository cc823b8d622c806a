//! A session: one codex process, and what is said with it.

mod builder;
mod hub;
mod recovery;
mod restart;
mod settings;
mod turns;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codex_rpc::types::InitializeResponse;
use codex_rpc::{ClientRequestMethod, RawJson, ReleaseMatch};
use codex_rpc_dispatch::tokio::{Buffer, CallOptions, Client, Subscription};
use codex_rpc_dispatch::{Backoff, CallError, ProcessExit};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

use crate::Error;
use crate::answers::Answers;
use crate::retry::is_read_only;
use crate::turn::Lost;

pub use builder::CodexBuilder;
pub(crate) use hub::{Flush, Hub};
pub use restart::{Recovery, Restart};
pub(crate) use settings::Settings;
pub(crate) use turns::Turns;

/// A session with a codex app-server. Clones are the same session; when the last one is
/// dropped, and the last [`Thread`](crate::Thread) and turn with it, it ends, and so does
/// the process: its input is closed, and soon after it is killed. Who wants it to end in
/// order waits for [`close`](Self::close).
#[derive(Clone)]
pub struct Codex {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) hub: Arc<Hub>,
    answers: Arc<Answers>,
    state: watch::Sender<State>,
    /// None once there will be no more.
    recoveries: Mutex<Option<broadcast::Sender<Recovery>>>,
    /// Whether the session was ended from here.
    closing: watch::Sender<bool>,
    /// What the last server said about itself.
    server: Mutex<InitializeResponse>,
    /// Whether there is a process that can be started again.
    spawned: bool,
}

/// What there is to talk to.
#[derive(Clone)]
enum State {
    Running(Client),
    Restarting,
    Ended(Lost),
}

/// How a call is made.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CallSettings {
    /// How long to wait for the answer. Default: the session's,
    /// [`CodexBuilder::time_limit`].
    pub time_limit: Option<Duration>,
    /// How often and when to call again if the server is overloaded. Default: the
    /// session's, [`CodexBuilder::retry`].
    pub retry: Option<Backoff>,
}

impl CallSettings {
    /// Sets how long to wait for the answer.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Calls again while the server is overloaded.
    #[must_use]
    pub fn with_retry(mut self, backoff: Backoff) -> Self {
        self.retry = Some(backoff);
        self
    }
}

impl fmt::Debug for Codex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.inner.state.borrow() {
            State::Running(_) => "running".to_owned(),
            State::Restarting => "restarting".to_owned(),
            State::Ended(lost) => format!("ended: {}", lost.reason),
        };
        f.debug_struct("Codex")
            .field("user_agent", &self.server().user_agent)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

impl Codex {
    /// A session with the codex executable that is found in `CODEX_BIN` or on `PATH`.
    ///
    /// # Errors
    /// As [`CodexBuilder::start`].
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// How a session is made.
    pub fn builder() -> CodexBuilder {
        CodexBuilder::default()
    }

    /// What the server said about itself.
    pub fn server(&self) -> InitializeResponse {
        self.inner.server.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server's release, if its `userAgent` names one: `0.169.0`.
    pub fn release(&self) -> Option<String> {
        codex_rpc::server_release(&self.server().user_agent).map(str::to_owned)
    }

    /// How the server's release relates to that of the bindings,
    /// [`codex_rpc::CODEX_VERSION`].
    pub fn release_match(&self) -> ReleaseMatch {
        codex_rpc::check_release(&self.server().user_agent)
    }

    /// Whether the server is of this release or a later one; what `what` needs, in words.
    ///
    /// # Errors
    /// If it is older: [`Error::ServerTooOld`]. A server that names no release is taken
    /// to be recent.
    pub fn require(&self, release: &str, what: &str) -> Result<(), Error> {
        match self.release() {
            Some(found) if crate::version::is_older(&found, release) => {
                Err(Error::ServerTooOld { what: what.to_owned(), needed: release.to_owned(), found })
            }
            _ => Ok(()),
        }
    }

    /// The dispatcher's client of the connection as it is now: it has a method for each
    /// request of the protocol. While the process is being started again, this waits.
    ///
    /// # Errors
    /// If the session has ended.
    pub async fn client(&self) -> Result<Client, Error> {
        let mut state = self.inner.state.subscribe();
        loop {
            match &*state.borrow_and_update() {
                // One that has ended is noticed a little later.
                State::Running(client) if client.end_reason().is_none() => return Ok(client.clone()),
                State::Ended(lost) => return Err(lost.error()),
                State::Running(_) | State::Restarting => {}
            }
            if state.changed().await.is_err() {
                return Err(Error::closed("the session is gone"));
            }
        }
    }

    /// Calls a method.
    ///
    /// If the server is overloaded, it is called again, see [`CodexBuilder::retry`]: the
    /// server has executed nothing. If the connection ends while the call waits, it is
    /// called again only if it reads and the session is started again.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn call<M: ClientRequestMethod>(&self, params: M::Params) -> Result<M::Response, Error> {
        self.call_with::<M>(&params, CallSettings::default()).await
    }

    /// Calls a method in a certain way.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn call_with<M: ClientRequestMethod>(
        &self,
        params: &M::Params,
        settings: CallSettings,
    ) -> Result<M::Response, Error> {
        // Boxed, so that the futures of callers stay small.
        Box::pin(self.calling::<M>(params, settings)).await
    }

    async fn calling<M: ClientRequestMethod>(
        &self,
        params: &M::Params,
        settings: CallSettings,
    ) -> Result<M::Response, Error> {
        let options = self.options(settings);
        let again = self.inner.settings.restart.is_some() && is_read_only(M::METHOD);
        let client = self.client().await?;
        let outcome = match client.call_with::<M>(params, &options).await {
            Err(CallError::Closed { .. }) if again => {
                // It may have ended for good.
                let client = self.client().await?;
                return self.told(M::METHOD, client.call_with::<M>(params, &options).await, &client).await;
            }
            outcome => outcome,
        };
        self.told(M::METHOD, outcome, &client).await
    }

    /// Calls a method by its name, with params that are JSON already: one that these
    /// bindings do not know.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn call_raw(&self, method: &str, params: Option<&RawJson>) -> Result<RawJson, Error> {
        let client = self.client().await?;
        let outcome = client.call_raw(method, params, &self.options(CallSettings::default())).await;
        self.told(method, outcome, &client).await
    }

    /// Calls a method on this connection and no other: what it is about ends with it.
    pub(crate) async fn call_on<M: ClientRequestMethod>(
        &self,
        client: &Client,
        params: &M::Params,
        settings: CallSettings,
    ) -> Result<M::Response, Error> {
        let outcome = client.call_with::<M>(params, &self.options(settings)).await;
        self.told(M::METHOD, outcome, client).await
    }

    /// Why this connection has ended.
    pub(crate) async fn lost_connection(&self, client: &Client) -> Error {
        self.lost(client, client.ended().await).await.error()
    }

    fn options(&self, settings: CallSettings) -> CallOptions {
        let mut options = CallOptions::default();
        options.time_limit = settings.time_limit;
        options.retry = settings.retry.or(self.inner.settings.retry);
        options
    }

    /// The outcome of a call, in this crate's words.
    async fn told<T>(&self, method: &str, outcome: Result<T, CallError>, client: &Client) -> Result<T, Error> {
        match outcome {
            Ok(response) => Ok(response),
            Err(CallError::Closed { reason }) => Err(self.lost(client, reason).await.error()),
            Err(CallError::Rpc(error)) if self.is_too_old(method, &error) => Err(Error::ServerTooOld {
                what: method.to_owned(),
                needed: format!("{} or an earlier one that has it", codex_rpc::CODEX_VERSION),
                found: self.release().unwrap_or_default(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    fn is_too_old(&self, method: &str, error: &codex_rpc::RpcError) -> bool {
        self.release_match() == ReleaseMatch::Older && crate::error::is_unknown_method(error, method)
    }

    /// Why a connection ended.
    async fn lost(&self, client: &Client, reason: String) -> Lost {
        // If it was ended from here, how the process took it is no reason.
        let exit = if *self.inner.closing.borrow() { None } else { exit(client).await };
        Lost { reason, exit }
    }

    /// All notifications from now on, until the process ends. The session's turns have
    /// streams of their own.
    ///
    /// # Errors
    /// If the session has ended.
    pub async fn subscribe(&self) -> Result<Subscription, Error> {
        Ok(self.client().await?.subscribe())
    }

    /// Every recovery from now on: what became of the session when its process ended by
    /// itself, see [`CodexBuilder::restart`]. It is closed when the session has ended.
    pub fn recoveries(&self) -> broadcast::Receiver<Recovery> {
        match &*self.inner.recoveries() {
            Some(recoveries) => recoveries.subscribe(),
            None => broadcast::Sender::new(1).subscribe(),
        }
    }

    /// Whether the session has ended.
    pub fn has_ended(&self) -> bool {
        matches!(*self.inner.state.borrow(), State::Ended(_))
    }

    /// Waits until the session has ended; why.
    pub async fn ended(&self) -> String {
        let mut state = self.inner.state.subscribe();
        match state.wait_for(|state| matches!(state, State::Ended(_))).await.as_deref() {
            Ok(State::Ended(lost)) => lost.reason.clone(),
            _ => String::new(),
        }
    }

    /// Ends the session in order: what is queued is written, the process is given time to
    /// end, and is gone when this returns.
    pub async fn close(&self) {
        self.inner.closing.send_replace(true);
        let mut state = self.inner.state.subscribe();
        loop {
            let now = state.borrow_and_update().clone();
            match now {
                State::Running(client) => {
                    client.close().await;
                    client.process_ended().await;
                    break;
                }
                // It stops at the next step.
                State::Restarting => {
                    if state.changed().await.is_err() {
                        break;
                    }
                }
                State::Ended(_) => break,
            }
        }
        self.inner.end(closed());
    }
}

/// Why a session ended that was ended from here.
fn closed() -> Lost {
    Lost { reason: "the session was closed".to_owned(), exit: None }
}

/// How a process ended that is expected to have ended.
async fn exit(client: &Client) -> Option<ProcessExit> {
    tokio::time::timeout(Duration::from_secs(5), client.process_ended()).await.ok()?
}

impl Inner {
    fn recoveries(&self) -> MutexGuard<'_, Option<broadcast::Sender<Recovery>>> {
        self.recoveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, lost: Lost) {
        let recoveries = self.recoveries().take();
        self.hub.lose(&lost);
        self.state.send_if_modified(|state| {
            let ending = !matches!(state, State::Ended(_));
            if ending {
                *state = State::Ended(lost);
            }
            ending
        });
        // Who reads them sees the session ended.
        drop(recoveries);
    }

    /// What reads a connection's notifications, and what becomes of the session when it
    /// ends; so many attempts it took to make it.
    fn follow(self: &Arc<Self>, told: Subscription, flushes: mpsc::Receiver<Flush>, attempts: u32) {
        let (weak, hub) = (Arc::downgrade(self), Arc::clone(&self.hub));
        let began = Instant::now();
        // Boxed, since a recovery follows anew.
        let following: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            hub.pump(told, flushes).await;
            recovery::recover(&weak, began, attempts).await;
        });
        tokio::spawn(following);
    }

    fn running(&self, client: &Client) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = client.server().clone();
        self.state.send_replace(State::Running(client.clone()));
    }
}

/// Connects: the client, its notifications from the first on, and where flushes go.
async fn connect(
    settings: &Settings,
    hub: &Arc<Hub>,
    answers: &Arc<Answers>,
) -> Result<(Client, Subscription, mpsc::Receiver<Flush>), Error> {
    let (flush, flushes) = mpsc::channel(16);
    let client = settings.spawn(answers.router(hub, flush)).await?;
    let told = client.subscribe_with(Buffer::waiting(4_096));
    check_version(settings, &client)?;
    Ok((client, told, flushes))
}

fn check_version(settings: &Settings, client: &Client) -> Result<(), Error> {
    let agent = &client.server().user_agent;
    let release = codex_rpc::server_release(agent);
    if client.release() == ReleaseMatch::Newer {
        tracing::warn!(
            server = release,
            bindings = codex_rpc::CODEX_VERSION,
            "the server is newer than the bindings: what they do not know is preserved, not understood"
        );
    }
    if let (Some(minimum), Some(found)) = (&settings.minimum, release) {
        if crate::version::is_older(found, minimum) {
            return Err(Error::ServerTooOld {
                what: "this program".to_owned(),
                needed: minimum.clone(),
                found: found.to_owned(),
            });
        }
    }
    Ok(())
}
