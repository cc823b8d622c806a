//! The threads behind a client.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Instant;

use codex_rpc::{ErrorCode, RpcError};

use super::client::{CLOSE, Context, Shared, Waiter, WeakClient};
use super::handle::{Handle, guarded};
use super::queue::{Next, Queue};
use super::subscription::Subscription;
use super::transport::{Peer, Receive, Received, Transmit};
use crate::connection::Decoded;
use crate::driver::Delivery;
use crate::frame::LineSplitter;
use crate::{Answer, ClientConnection, ClientSide, Event, IncomingRequest, Malformed, MalformedKind};

/// Starts a thread whose name shows whose it is.
pub(super) fn start(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(format!("codex-{name}")).spawn(run).map(drop)
}

/// Writes what is queued until the connection ends.
pub(super) fn write(mut to: impl Transmit, queue: &Queue, shared: &Weak<Shared>, peer: &dyn Peer) {
    let _panics = Panics { shared, peer };
    let written = write_all(&mut to, queue);
    // Closes the server's input. It ends then, and the reader notices.
    drop(to);
    // Whoever waits for room in the queue learns that there is none any more.
    queue.close();
    if let Err(error) = written {
        if let Some(shared) = shared.upgrade() {
            // What the server still says is read, and why it ended says more than a pipe
            // that broke.
            shared.wait_ended(Instant::now().checked_add(CLOSE));
            shared.end(&format!("the server can't be written to: {error}"));
        }
        peer.end();
    }
}

/// Writes until nothing more will come.
fn write_all(to: &mut impl Transmit, queue: &Queue) -> io::Result<()> {
    let mut batch = Vec::new();
    loop {
        let next = queue.take(&mut batch);
        match next {
            Next::Stop => return Ok(()),
            Next::Write | Next::Finish => to.transmit(&batch)?,
        }
        batch.clear();
        if next == Next::Finish {
            return to.finish();
        }
    }
}

/// How often the transport was read from, and whether it is right now.
#[derive(Default)]
pub(super) struct Reads(AtomicU64);

impl Reads {
    /// Which read there is at the moment.
    pub(super) fn in_read(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|count| count % 2 == 1)
    }

    fn step(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Ends the connection of a thread that panics: a reader or a writer of the user may.
struct Panics<'a> {
    shared: &'a Weak<Shared>,
    peer: &'a dyn Peer,
}

impl Drop for Panics<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        if let Some(shared) = self.shared.upgrade() {
            shared.end("the reader or the writer panicked");
        }
        self.peer.end();
    }
}

/// Reads until the connection ends.
pub(super) struct ReadLoop {
    pub(super) shared: Weak<Shared>,
    pub(super) client: WeakClient,
    pub(super) reads: Arc<Reads>,
    pub(super) lines: LineSplitter,
    pub(super) limit: usize,
}

impl ReadLoop {
    /// Reads, and says why it ended.
    pub(super) fn run(mut self, mut from: impl Receive, peer: &dyn Peer) {
        let shared = self.shared.clone();
        let _panics = Panics { shared: &shared, peer };
        let Some(reason) = self.read(&mut from) else { return };
        // A process that ended says more than a pipe that broke.
        let reason = peer.reason().unwrap_or(reason);
        if let Some(shared) = self.shared.upgrade() {
            shared.end(&reason);
        }
        peer.end();
    }

    /// Why there is nothing more to read; none if nobody wants it any more.
    fn read(&mut self, from: &mut impl Receive) -> Option<String> {
        let shared = self.shared.upgrade()?;
        while let Some(event) = shared.with(ClientConnection::next_event) {
            self.take(&shared, event);
        }
        self.lines(&shared, LineSplitter::next);
        drop(shared);
        loop {
            // While it reads it keeps nothing alive.
            self.reads.step();
            let received = from.receive();
            self.reads.step();
            let shared = self.shared.upgrade()?;
            match received {
                Ok(Received::Bytes(bytes)) => {
                    self.lines.push(bytes);
                    self.lines(&shared, LineSplitter::next);
                }
                #[cfg(feature = "websocket")]
                Ok(Received::Frame(frame)) => self.decoded(&shared, Decoded::of_frame(frame, self.limit)),
                #[cfg(feature = "websocket")]
                Ok(Received::Nudge) => shared.queue.nudge(),
                Ok(Received::End) => {
                    self.lines(&shared, LineSplitter::rest);
                    return Some("the server closed the connection".to_owned());
                }
                Err(error) => return Some(format!("the server can't be read: {error}")),
            }
        }
    }

    fn lines(&mut self, shared: &Arc<Shared>, next: impl Fn(&mut LineSplitter) -> Option<crate::frame::Line>) {
        while let Some(line) = next(&mut self.lines) {
            self.decoded(shared, Decoded::of_line(line, self.limit));
        }
    }

    /// Takes a line that was decoded without holding the connection.
    fn decoded(&self, shared: &Arc<Shared>, decoded: Option<Decoded<ClientSide>>) {
        if let Some(decoded) = decoded {
            let event = decoded.settle(|id| shared.with(|connection| connection.take_pending(id)));
            self.take(shared, event);
        }
    }

    fn take(&self, shared: &Arc<Shared>, event: Event<ClientSide, Waiter>) {
        match event {
            Event::Answer(Answer { id, method, tag, outcome, .. }) => {
                // The call may have been given up meanwhile.
                let _ = tag.try_send(Answer { id, method, tag: (), outcome });
            }
            Event::Request(request) => self.handle(shared, request),
            Event::Notification(message) => shared.subscriptions.deliver(message),
            Event::Malformed(malformed) => malformed_came(shared, malformed),
        }
    }

    /// Handles a request beside the loop.
    fn handle(&self, shared: &Arc<Shared>, IncomingRequest { request, .. }: IncomingRequest<ClientSide>) {
        let handler = Arc::clone(&shared.handler);
        let context = Context::new(self.client.clone(), Some(request.id.clone()), request.trace);
        let (id, payload) = (request.id, request.payload);
        if !handler.takes_time(&payload) {
            let answer = guarded(|| handler.request(payload, context)).unwrap_or_else(Err);
            return shared.answer(id, answer);
        }
        let (asked, answering) = (id.clone(), self.shared.clone());
        let started = start("request", move || {
            let answer = guarded(|| handler.request(payload, context)).unwrap_or_else(Err);
            if let Some(shared) = answering.upgrade() {
                shared.answer(id, answer);
            }
        });
        if let Err(error) = started {
            let reason = format!("the client has no thread for it: {error}");
            shared.answer(asked, Err(RpcError::new(ErrorCode::INTERNAL_ERROR, reason)));
        }
    }
}

fn malformed_came(shared: &Shared, malformed: Malformed) {
    if let (MalformedKind::Request, Some(id)) = (malformed.kind, &malformed.id) {
        let error = RpcError::new(ErrorCode::INVALID_PARAMS, malformed.to_string());
        shared.answer(id.clone(), Err(error));
    }
    shared.subscriptions.deliver_malformed(malformed);
}

/// Runs notification handlers one after the other until the connection ends.
pub(super) fn notify(handler: &dyn Handle, client: &WeakClient, told: Subscription) {
    for delivery in told {
        if client.is_gone() {
            return;
        }
        match delivery {
            Delivery::Notification(message) => {
                let context = Context::new(client.clone(), None, None);
                // Nobody else has it unless somebody subscribed to it, too.
                let payload = Arc::unwrap_or_clone(message).payload;
                // A panic costs this notification only.
                let _ = guarded(|| handler.notification(payload, context));
            }
            Delivery::Lagged(missed) => client.missed(missed),
            Delivery::Malformed(_) => {}
        }
    }
}
