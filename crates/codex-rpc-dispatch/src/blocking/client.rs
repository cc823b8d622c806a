//! The client: calls, subscriptions, the end.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use codex_rpc::types::InitializeResponse;
use codex_rpc::{
    ClientRequestMethod, NotificationMethod, RawJson, ReleaseMatch, RequestId, RpcError, TraceContext, check_release,
};

use super::handle::Handle;
use super::queue::{NoRoom, Queue, wait};
use super::subscription::{Subscription, Subscriptions};
use super::transport::Peer;
use crate::driver::{Buffer, CallOptions};
use crate::params::Prepared;
use crate::{Answer, CallError, ClientConnection};

/// What a call waits on. It holds one answer, so that giving it never waits.
pub(super) type Waiter = SyncSender<Answer<()>>;

/// What the client and the threads have in common. A thread holds it only while it has
/// something to do: one that is stuck in a reader or a writer keeps nothing of it alive.
pub(super) struct Shared {
    core: Mutex<Core>,
    ended: Condvar,
    pub(super) queue: Arc<Queue>,
    pub(super) subscriptions: Subscriptions,
    pub(super) handler: Arc<dyn Handle>,
    pub(super) peer: Arc<dyn Peer>,
    server: InitializeResponse,
    time_limit: Option<Duration>,
    /// Notifications that the handlers missed.
    missed: AtomicU64,
}

struct Core {
    connection: ClientConnection<Waiter>,
    ended: Option<Arc<str>>,
}

impl Shared {
    pub(super) fn new(
        connection: ClientConnection<Waiter>,
        queue: Arc<Queue>,
        handler: Arc<dyn Handle>,
        peer: Arc<dyn Peer>,
        server: InitializeResponse,
        time_limit: Option<Duration>,
    ) -> Self {
        Self {
            core: Mutex::new(Core { connection, ended: None }),
            ended: Condvar::new(),
            queue,
            subscriptions: Subscriptions::default(),
            handler,
            peer,
            server,
            time_limit,
            missed: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the connection.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut ClientConnection<Waiter>) -> T) -> T {
        act(&mut self.lock().connection)
    }

    /// Answers a request of the server. Never waits.
    pub(super) fn answer(&self, id: RequestId, answer: Result<RawJson, RpcError>) {
        let mut core = self.lock();
        match answer {
            Ok(result) => core.connection.respond_raw(id, result),
            Err(error) => core.connection.refuse(id, error),
        }
        if let Some(frame) = core.connection.next_outgoing() {
            self.queue.push(frame);
        }
    }

    /// Ends the connection: everything that waits learns the reason. Only the first
    /// reason counts. What is at the other end is still to be ended.
    pub(super) fn end(&self, reason: &str) {
        let mut core = self.lock();
        if core.ended.is_some() {
            return;
        }
        core.ended = Some(reason.into());
        let answers = core.connection.close(reason);
        drop(core);
        for Answer { id, method, tag, outcome, .. } in answers {
            let _ = tag.try_send(Answer { id, method, tag: (), outcome });
        }
        self.queue.close();
        self.subscriptions.close();
        self.ended.notify_all();
    }

    /// Waits until the connection has ended; the reason. None if it has not in time.
    pub(super) fn wait_ended(&self, deadline: Option<Instant>) -> Option<Arc<str>> {
        let mut core = self.lock();
        loop {
            if let Some(reason) = &core.ended {
                return Some(Arc::clone(reason));
            }
            core = wait(&self.ended, core, deadline)?;
        }
    }

    fn closed(&self) -> CallError {
        let reason = self.lock().ended.as_deref().unwrap_or("it is ending").to_owned();
        CallError::Closed { reason }
    }
}

/// A connection to an app-server. Clones are the same connection; when the last one is
/// dropped it ends, with the child process if it has one: the drop waits until the
/// process is gone, which takes a well-behaved one milliseconds, and a stubborn one less
/// than a second until it is killed.
#[derive(Clone)]
pub struct Client {
    owner: Arc<Owner>,
}

/// Ends the connection when the last client goes.
struct Owner {
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.end("the client was dropped");
        self.shared.peer.end();
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
        Self { owner: Arc::new(Owner { shared }) }
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
    /// # Errors
    /// See [`CallError`].
    #[expect(clippy::needless_pass_by_value, reason = "params are built for one call; `call_with` borrows")]
    pub fn call<M: ClientRequestMethod>(&self, params: M::Params) -> Result<M::Response, CallError> {
        self.call_with::<M>(&params, &CallOptions::default())
    }

    /// Calls a method in a certain way. The time limit is that of each attempt.
    ///
    /// # Errors
    /// See [`CallError`]; if the server is still overloaded after the last attempt, that.
    pub fn call_with<M: ClientRequestMethod>(
        &self,
        params: &M::Params,
        options: &CallOptions,
    ) -> Result<M::Response, CallError> {
        let call = Prepared::new::<M>(params)?;
        self.calling(&call, options)?.into_response::<M>()
    }

    /// Calls a method by its name, with params that are JSON already: one that these
    /// bindings do not know.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call_raw(
        &self,
        method: &str,
        params: Option<&RawJson>,
        options: &CallOptions,
    ) -> Result<RawJson, CallError> {
        self.calling(&Prepared::raw(method, params), options)?.outcome
    }

    /// Makes a call, in a span.
    fn calling(&self, call: &Prepared, options: &CallOptions) -> Result<Answer<()>, CallError> {
        // Neither params nor results: they may be secret.
        #[cfg(feature = "tracing")]
        let span = tracing::debug_span!("codex_rpc.call", method = %call.method).entered();
        let outcome = self.attempts(call, options);
        #[cfg(feature = "tracing")]
        if let Err(error) = &outcome {
            tracing::debug!(parent: &span, error = error.kind(), "failed");
        }
        outcome
    }

    /// Attempts a call as often as the options say.
    fn attempts(&self, call: &Prepared, options: &CallOptions) -> Result<Answer<()>, CallError> {
        let mut attempt = 0;
        loop {
            let answer = self.attempt(call, options)?;
            let delay = match (&answer.outcome, &options.retry) {
                (Err(error), Some(backoff)) if error.is_overloaded() => backoff.delay(attempt),
                _ => None,
            };
            let Some(delay) = delay else { return Ok(answer) };
            attempt += 1;
            if let Some(reason) = self.owner.shared.wait_ended(Instant::now().checked_add(delay)) {
                return Err(CallError::Closed { reason: reason.to_string() });
            }
        }
    }

    fn attempt(&self, call: &Prepared, options: &CallOptions) -> Result<Answer<()>, CallError> {
        let shared = &*self.owner.shared;
        let deadline = deadline(options.time_limit.or(shared.time_limit));
        let (id, answer) = self.send(call, deadline)?;
        let _forget = Forget { shared, id };
        let answer = match deadline {
            Some(deadline) => answer.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            None => answer.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        answer.map_err(|error| match error {
            RecvTimeoutError::Timeout => CallError::TimedOut { method: call.method.clone() },
            RecvTimeoutError::Disconnected => shared.closed(),
        })
    }

    /// Sends a request; its id, and where its answer comes.
    fn send(&self, call: &Prepared, deadline: Option<Instant>) -> Result<(i64, Receiver<Answer<()>>), CallError> {
        let shared = &*self.owner.shared;
        let room = shared.queue.reserve(deadline).map_err(|none| self.no_room(none, &call.method))?;
        let (waiter, answer) = sync_channel(1);
        let mut core = shared.lock();
        if let Some(reason) = &core.ended {
            return Err(CallError::Closed { reason: reason.to_string() });
        }
        let id = core.connection.request_prepared(call, waiter)?;
        // In the same order as the ids.
        if let Some(frame) = core.connection.next_outgoing() {
            room.send(frame);
        }
        Ok((id, answer))
    }

    fn no_room(&self, none: NoRoom, method: &str) -> CallError {
        match none {
            NoRoom::InTime => CallError::TimedOut { method: method.to_owned().into() },
            NoRoom::Ever => self.owner.shared.closed(),
        }
    }

    /// Sends a notification; waits for room in the write queue as long as a call would
    /// wait for its answer.
    ///
    /// # Errors
    /// [`CallError::Unsendable`] if a client does not send this method or the params
    /// can't be written, [`CallError::TimedOut`] if there is no room in time,
    /// [`CallError::Closed`].
    pub fn notify<M: NotificationMethod>(&self, params: &M::Params) -> Result<(), CallError> {
        let shared = &*self.owner.shared;
        let room = shared.queue.reserve(deadline(shared.time_limit)).map_err(|none| self.no_room(none, M::METHOD))?;
        let mut core = shared.lock();
        core.connection.notify::<M>(params)?;
        if let Some(frame) = core.connection.next_outgoing() {
            room.send(frame);
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
    pub fn ended(&self) -> String {
        self.owner.shared.wait_ended(None).map(|reason| reason.to_string()).unwrap_or_default()
    }

    /// Waits so long for the end of the connection; none if it still runs.
    pub fn ended_timeout(&self, limit: Duration) -> Option<String> {
        self.owner.shared.wait_ended(Instant::now().checked_add(limit)).map(|reason| reason.to_string())
    }

    /// Ends the connection in order: what is queued is written, the server's input is
    /// closed, and its end waited for. Calls that still wait end with
    /// [`CallError::Closed`]. A server that does not end by itself within 2 s is ended as
    /// when the last client is dropped.
    pub fn close(&self) {
        let shared = &self.owner.shared;
        shared.queue.finish();
        shared.wait_ended(deadline(Some(CLOSE)));
        shared.end("the client closed the connection");
        shared.peer.end();
    }
}

/// How long a server may take to end after its input was closed.
pub(super) const CLOSE: Duration = Duration::from_secs(2);

/// When a time limit is over; none for a time that never comes.
fn deadline(limit: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(limit?)
}

/// A client that does not keep the connection alive.
#[derive(Clone, Default)]
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

    /// Whether the last client is gone.
    pub(super) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
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
