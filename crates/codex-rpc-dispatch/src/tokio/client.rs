//! The client: calls, subscriptions, the end.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use codex_rpc::types::InitializeResponse;
use codex_rpc::{
    ClientRequestMethod, NotificationMethod, RawJson, ReleaseMatch, RequestId, TraceContext, check_release,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use super::exit::Exit;
use super::subscription::{Subscription, Subscriptions};
use crate::driver::{Buffer, CallOptions};
use crate::params::Prepared;
use crate::{Answer, CallError, ClientConnection, SendError};

/// What a call waits on.
pub(super) type Waiter = oneshot::Sender<Answer<()>>;

/// What is to be written.
pub(super) enum Outgoing {
    Frame(Vec<u8>),
    /// Nothing more will come.
    Finish,
}

/// Whether the connection runs.
#[derive(Clone, Debug)]
pub(super) enum Running {
    Yes,
    /// It ended, for this reason.
    No(Arc<str>),
}

/// What the client and the tasks have in common.
pub(super) struct Shared {
    core: Mutex<Core>,
    pub(super) frames: mpsc::Sender<Outgoing>,
    pub(super) subscriptions: Subscriptions,
    pub(super) running: watch::Sender<Running>,
    server: InitializeResponse,
    time_limit: Option<Duration>,
    /// Notifications that the handlers missed.
    missed: AtomicU64,
    #[cfg(feature = "process")]
    process: Option<super::exit::Gone>,
}

pub(super) struct Core {
    connection: ClientConnection<Waiter>,
    ended: Option<Arc<str>>,
}

impl Shared {
    pub(super) fn new(
        connection: ClientConnection<Waiter>,
        frames: mpsc::Sender<Outgoing>,
        server: InitializeResponse,
        time_limit: Option<Duration>,
        exit: &Exit,
    ) -> Self {
        #[cfg(not(feature = "process"))]
        let _ = exit;
        Self {
            core: Mutex::new(Core { connection, ended: None }),
            frames,
            subscriptions: Subscriptions::default(),
            running: watch::Sender::new(Running::Yes),
            server,
            time_limit,
            missed: AtomicU64::new(0),
            #[cfg(feature = "process")]
            process: exit.gone.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the connection and takes what is to be written for it.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut ClientConnection<Waiter>) -> T) -> (T, Option<Vec<u8>>) {
        let mut core = self.lock();
        let outcome = act(&mut core.connection);
        (outcome, core.connection.next_outgoing())
    }

    /// Ends the connection: everything that waits learns the reason. Only the first
    /// reason counts.
    pub(super) fn end(&self, reason: &str) {
        let mut core = self.lock();
        if core.ended.is_some() {
            return;
        }
        let shared: Arc<str> = reason.into();
        core.ended = Some(Arc::clone(&shared));
        let answers = core.connection.close(reason);
        drop(core);
        for Answer { id, method, tag, outcome, .. } in answers {
            let _ = tag.send(Answer { id, method, tag: (), outcome });
        }
        self.subscriptions.close();
        self.running.send_replace(Running::No(shared));
    }

    /// Waits until the connection has ended; the reason.
    pub(super) async fn ended(&self) -> Arc<str> {
        let mut running = self.running.subscribe();
        loop {
            if let Running::No(reason) = &*running.borrow_and_update() {
                return Arc::clone(reason);
            }
            if running.changed().await.is_err() {
                return "the client is gone".into();
            }
        }
    }

    /// Queues a frame; waits for room. None of it is lost unless the connection ends.
    pub(super) async fn transmit(&self, frame: Vec<u8>) {
        // The queue is closed only when the connection has ended.
        let _ = self.frames.send(Outgoing::Frame(frame)).await;
    }
}

/// A connection to an app-server. Clones are the same connection; when the last one is
/// dropped it ends, with the child process if it has one.
#[derive(Clone)]
pub struct Client {
    owner: Arc<Owner>,
}

/// Ends the connection when the last client goes.
struct Owner {
    shared: Arc<Shared>,
    /// The task of the notification handlers. The end of the connection does not end it:
    /// it has to handle what came before.
    notifying: OnceLock<AbortHandle>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.end("the client was dropped");
        if let Some(notifying) = self.notifying.get() {
            notifying.abort();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = self.owner.shared.lock();
        f.debug_struct("Client")
            .field("user_agent", &self.owner.shared.server.user_agent)
            .field("pending", &core.connection.pending())
            .field("ended", &core.ended)
            .finish_non_exhaustive()
    }
}

/// Gives a request up whose answer nobody waits for any more.
struct Forget<'a> {
    shared: &'a Shared,
    id: i64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.shared.lock().connection.forget(self.id);
    }
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { owner: Arc::new(Owner { shared, notifying: OnceLock::new() }) }
    }

    /// Names the task of the notification handlers, which ends with the last client.
    pub(super) fn abort_on_drop(&self, notifying: AbortHandle) {
        // There is one.
        let _ = self.owner.notifying.set(notifying);
    }

    pub(super) fn downgrade(&self) -> WeakClient {
        WeakClient(Arc::downgrade(&self.owner))
    }

    /// What the server said about itself.
    pub fn server(&self) -> &InitializeResponse {
        &self.owner.shared.server
    }

    /// How the server's release relates to [`codex_rpc::CODEX_VERSION`].
    pub fn release(&self) -> ReleaseMatch {
        check_release(&self.server().user_agent)
    }

    /// Calls a method and waits for its answer.
    ///
    /// A call whose future is dropped is given up: its answer is passed over.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call<M: ClientRequestMethod>(&self, params: M::Params) -> Result<M::Response, CallError> {
        self.call_with::<M>(&params, &CallOptions::default()).await
    }

    /// Calls a method in a certain way.
    ///
    /// # Errors
    /// See [`CallError`]; if the server is still overloaded after the last attempt, that.
    pub async fn call_with<M: ClientRequestMethod>(
        &self,
        params: &M::Params,
        options: &CallOptions,
    ) -> Result<M::Response, CallError> {
        let call = Prepared::new::<M>(params)?;
        self.calling(&call, options).await?.into_response::<M>()
    }

    /// Calls a method by its name, with params that are JSON already: one that these
    /// bindings do not know.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call_raw(
        &self,
        method: &str,
        params: Option<&RawJson>,
        options: &CallOptions,
    ) -> Result<RawJson, CallError> {
        self.calling(&Prepared::raw(method, params.cloned()), options).await?.outcome
    }

    /// Makes a call, in a span.
    #[cfg(feature = "tracing")]
    async fn calling(&self, call: &Prepared, options: &CallOptions) -> Result<Answer<()>, CallError> {
        use tracing::Instrument as _;

        // Neither params nor results: they may be secret.
        let span = tracing::debug_span!("codex_rpc.call", method = %call.method);
        let outcome = self.attempts(call, options).instrument(span.clone()).await;
        if let Err(error) = &outcome {
            tracing::debug!(parent: &span, error = error.kind(), "failed");
        }
        outcome
    }

    #[cfg(not(feature = "tracing"))]
    async fn calling(&self, call: &Prepared, options: &CallOptions) -> Result<Answer<()>, CallError> {
        self.attempts(call, options).await
    }

    /// Attempts a call as often as the options say.
    async fn attempts(&self, call: &Prepared, options: &CallOptions) -> Result<Answer<()>, CallError> {
        let shared = &*self.owner.shared;
        let limit = options.time_limit.or(shared.time_limit);
        let mut attempt = 0;
        loop {
            let answer = async {
                let (id, answer) = self.send(call).await?;
                let _forget = Forget { shared, id };
                answer.await.map_err(|_| CallError::Cancelled)
            };
            let answer = within(limit, &call.method, answer).await?;
            let delay = match (&answer.outcome, &options.retry) {
                (Err(error), Some(backoff)) if error.is_overloaded() => backoff.delay(attempt),
                _ => None,
            };
            let Some(delay) = delay else { return Ok(answer) };
            attempt += 1;
            tokio::time::sleep(delay).await;
        }
    }

    /// Sends a request; its id, and where its answer comes.
    async fn send(&self, call: &Prepared) -> Result<(i64, oneshot::Receiver<Answer<()>>), CallError> {
        let shared = &*self.owner.shared;
        let Ok(room) = shared.frames.reserve().await else {
            // Nothing can be written any more; why is known soon.
            return Err(CallError::Closed { reason: self.ended().await });
        };
        let (waiter, answer) = oneshot::channel();
        let mut core = shared.lock();
        if let Some(reason) = &core.ended {
            return Err(CallError::Closed { reason: reason.to_string() });
        }
        let id = core.connection.request_prepared(call, waiter)?;
        // In the same order as the ids.
        if let Some(frame) = core.connection.next_outgoing() {
            room.send(Outgoing::Frame(frame));
        }
        Ok((id, answer))
    }

    /// Sends a notification. Waits while the write queue is full; after the end of the
    /// connection it goes nowhere, see [`end_reason`](Self::end_reason).
    ///
    /// # Errors
    /// If a client does not send this method, or the params can't be written.
    pub async fn notify<M: NotificationMethod>(&self, params: &M::Params) -> Result<(), SendError> {
        let (outcome, frame) = self.owner.shared.with(|connection| connection.notify::<M>(params));
        outcome?;
        if let Some(frame) = frame {
            self.owner.shared.transmit(frame).await;
        }
        Ok(())
    }

    /// All notifications from now on.
    pub fn subscribe(&self) -> Subscription {
        self.subscribe_with(Buffer::default())
    }

    /// All notifications from now on, with this buffer.
    pub fn subscribe_with(&self, buffer: Buffer) -> Subscription {
        self.owner.shared.subscriptions.subscribe(None, buffer)
    }

    /// The notifications of a thread from now on, those of its turns and items too.
    pub fn subscribe_thread(&self, thread: &str) -> Subscription {
        self.subscribe_thread_with(thread, Buffer::default())
    }

    /// The notifications of a thread from now on, with this buffer.
    pub fn subscribe_thread_with(&self, thread: &str, buffer: Buffer) -> Subscription {
        self.owner.shared.subscriptions.subscribe(Some(thread), buffer)
    }

    /// The notifications of a turn from now on. For a turn that is still to be started:
    /// subscribe to its thread, start it, then [`Subscription::only_turn`].
    pub fn subscribe_turn(&self, thread: &str, turn: &str) -> Subscription {
        self.subscribe_thread(thread).only_turn(turn)
    }

    /// How many notifications the handlers missed, because more came than
    /// [`Builder::handler_buffer`](super::Builder::handler_buffer) holds.
    pub fn notifications_missed(&self) -> u64 {
        self.owner.shared.missed.load(Ordering::Relaxed)
    }

    /// How many calls wait for their answers.
    pub fn pending(&self) -> usize {
        self.owner.shared.lock().connection.pending()
    }

    /// Why the connection ended; none while it runs.
    pub fn end_reason(&self) -> Option<String> {
        self.owner.shared.lock().ended.as_deref().map(str::to_owned)
    }

    /// Waits until the connection has ended, from whichever side; the reason.
    pub async fn ended(&self) -> String {
        self.owner.shared.ended().await.to_string()
    }

    /// Waits until the server's process is gone, which is a little later than the end of
    /// the connection; how it ended. None if it is not a child of this client, or the
    /// runtime shuts down.
    #[cfg(feature = "process")]
    pub async fn process_ended(&self) -> Option<crate::ProcessExit> {
        let mut gone = self.owner.shared.process.clone()?;
        gone.wait_for(Option::is_some).await.ok()?.clone()
    }

    /// Ends the connection in order: what is queued is written, the server's input is
    /// closed, and its end waited for, for 2 s at most. Calls that still wait end with
    /// [`CallError::Closed`]. May be called more than once, also at the same time.
    pub async fn close(&self) {
        let shared = &self.owner.shared;
        let orderly = async {
            // Without room for it in the queue of a server that does not read, not at
            // all; if there is no queue any more, it is ending already.
            let _ = shared.frames.send(Outgoing::Finish).await;
            shared.ended().await
        };
        let _ = tokio::time::timeout(CLOSE, orderly).await;
        shared.end(CLOSED_HERE);
        shared.frames.closed().await;
    }
}

/// How long a server may take to end after its input was closed.
pub(super) const CLOSE: Duration = Duration::from_secs(2);

/// The reason of a connection that was ended from here.
pub(super) const CLOSED_HERE: &str = "the client closed the connection";

async fn within<T>(
    limit: Option<Duration>,
    method: &str,
    answer: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, answer)
            .await
            .unwrap_or_else(|_| Err(CallError::TimedOut { method: method.to_owned().into() })),
        None => answer.await,
    }
}

/// A client that does not keep the connection alive.
#[derive(Clone)]
pub(super) struct WeakClient(Weak<Owner>);

impl WeakClient {
    /// Counts notifications that the handlers missed.
    pub(super) fn missed(&self, notifications: u64) {
        if let Some(owner) = self.0.upgrade() {
            owner.shared.missed.fetch_add(notifications, Ordering::Relaxed);
        }
    }

    fn upgrade(&self) -> Option<Client> {
        Some(Client { owner: self.0.upgrade()? })
    }
}

/// What a handler has beside a message.
#[derive(Clone)]
pub struct Context {
    client: WeakClient,
    request: Option<RequestId>,
    trace: Option<TraceContext>,
}

impl Context {
    pub(super) fn new(client: WeakClient, request: Option<RequestId>, trace: Option<TraceContext>) -> Self {
        Self { client, request, trace }
    }

    /// The client whose server this is; none if it has been dropped. A handler that
    /// keeps it keeps the connection alive.
    pub fn client(&self) -> Option<Client> {
        self.client.upgrade()
    }

    /// The request's id; none for a notification. `serverRequest/resolved` names it when
    /// the server no longer waits for the answer.
    pub fn request_id(&self) -> Option<&RequestId> {
        self.request.as_ref()
    }

    /// The request's trace context.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("request", &self.request).finish_non_exhaustive()
    }
}

/// A result that no method's type is known of, for a request that is not known.
pub(super) type Raw = Result<RawJson, codex_rpc::RpcError>;
