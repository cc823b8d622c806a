//! The tasks behind a client.

use std::io;
use std::sync::Arc;

use codex_rpc::{ErrorCode, RpcError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::{CLOSE, CLOSED_HERE, Context, Outgoing, Raw, Shared, WeakClient};
use super::exit::Exit;
use super::handle::{Handle, guarded};
use super::subscription::Subscription;
use super::transport::{Receive, Received, Transmit};
use crate::connection::Decoded;
use crate::driver::Delivery;
use crate::frame::LineSplitter;
use crate::{Answer, ClientConnection, ClientSide, Event, IncomingRequest, Malformed, MalformedKind};

/// Writes what is queued until the connection ends.
pub(super) async fn write(mut to: impl Transmit, mut frames: mpsc::Receiver<Outgoing>, shared: Arc<Shared>) {
    let written = tokio::select! {
        written = write_all(&mut to, &mut frames) => written,
        _ = shared.ended() => return,
    };
    // Closes the server's input. It ends then, and the reader notices.
    drop(to);
    // Whoever waits for room in the queue learns that there is none any more.
    drop(frames);
    // What the server still says is read, and why it ended says more than a pipe that
    // broke.
    let _ = tokio::time::timeout(CLOSE, shared.ended()).await;
    match written {
        Ok(()) => shared.end(CLOSED_HERE),
        Err(error) => shared.end(&format!("the server can't be written to: {error}")),
    }
}

/// Writes until nothing more will come.
async fn write_all(to: &mut impl Transmit, frames: &mut mpsc::Receiver<Outgoing>) -> io::Result<()> {
    /// As many as are written with one call.
    const BATCH: usize = 64;
    let mut batch = Vec::new();
    while frames.recv_many(&mut batch, BATCH).await > 0 {
        let finish = batch.iter().any(|outgoing| matches!(outgoing, Outgoing::Finish));
        let written: Vec<Vec<u8>> = batch
            .drain(..)
            .filter_map(|outgoing| match outgoing {
                Outgoing::Frame(frame) => Some(frame),
                Outgoing::Finish => None,
            })
            .collect();
        to.transmit(&written).await?;
        if finish {
            return to.finish().await;
        }
    }
    Ok(())
}

/// Reads until the connection ends.
pub(super) struct ReadLoop {
    pub(super) shared: Arc<Shared>,
    pub(super) client: WeakClient,
    pub(super) handler: Arc<dyn Handle>,
    pub(super) lines: LineSplitter,
    pub(super) limit: usize,
    /// Requests of the server that are being handled; they end with the loop.
    pub(super) handling: JoinSet<()>,
    pub(super) exit: Exit,
}

impl Drop for ReadLoop {
    fn drop(&mut self) {
        // Without its reader nothing would ever end: a runtime that is shut down drops it.
        self.shared.end("the runtime of the connection was shut down");
    }
}

impl ReadLoop {
    /// Reads until the end, and says why it ended to all that wait.
    pub(super) async fn run(mut self, mut from: impl Receive) {
        let shared = Arc::clone(&self.shared);
        let reason = tokio::select! {
            reason = self.read(&mut from) => reason,
            _ = shared.ended() => return,
        };
        // A process that ended says more than a pipe that broke.
        let reason = self.exit.soon().await.unwrap_or(reason);
        self.shared.end(&reason);
    }

    async fn read(&mut self, from: &mut impl Receive) -> String {
        while let Some(event) = self.next_early() {
            self.take(event).await;
        }
        loop {
            while let Some(line) = self.lines.next() {
                self.decoded(Decoded::of_line(line, self.limit)).await;
            }
            let received = tokio::select! {
                biased;
                received = from.receive() => received,
                reason = self.exit.lingering() => return reason,
            };
            match received {
                Ok(Received::Bytes(bytes)) => self.lines.push(&bytes),
                #[cfg(feature = "websocket")]
                Ok(Received::Frame(frame)) => self.decoded(Decoded::of_frame(frame, self.limit)).await,
                Ok(Received::End) => {
                    while let Some(line) = self.lines.rest() {
                        self.decoded(Decoded::of_line(line, self.limit)).await;
                    }
                    return "the server closed the connection".to_owned();
                }
                Err(error) => return format!("the server can't be read: {error}"),
            }
        }
    }

    /// What came before the handshake was over.
    fn next_early(&self) -> Option<Event<ClientSide, super::client::Waiter>> {
        self.shared.with(ClientConnection::next_event).0
    }

    /// Takes a line that was decoded without holding the connection.
    async fn decoded(&mut self, decoded: Option<Decoded<ClientSide>>) {
        // A flood must not keep handlers and subscribers of the same thread waiting.
        tokio::task::coop::consume_budget().await;
        // Those that are done are let go.
        while self.handling.try_join_next().is_some() {}
        if let Some(decoded) = decoded {
            let event = decoded.settle(|id| self.shared.with(|connection| connection.take_pending(id)).0);
            self.take(event).await;
        }
    }

    async fn take(&mut self, event: Event<ClientSide, super::client::Waiter>) {
        match event {
            Event::Answer(Answer { id, method, tag, outcome, .. }) => {
                // The call may have been given up meanwhile.
                let _ = tag.send(Answer { id, method, tag: (), outcome });
            }
            Event::Request(request) => self.handle(request),
            Event::Notification(message) => self.shared.subscriptions.deliver(message).await,
            Event::Malformed(malformed) => self.malformed(malformed).await,
        }
    }

    /// Handles a request beside the loop.
    fn handle(&mut self, IncomingRequest { request, .. }: IncomingRequest<ClientSide>) {
        let (shared, handler) = (Arc::clone(&self.shared), Arc::clone(&self.handler));
        let context = Context::new(self.client.clone(), Some(request.id.clone()), request.trace);
        let (id, payload) = (request.id, request.payload);
        #[cfg(feature = "tracing")]
        let span = tracing::debug_span!("codex_rpc.request", method = payload.method(), id = %id);
        let handling = async move {
            let answer: Raw = guarded(|| handler.request(payload, context)).await.unwrap_or_else(Err);
            let ((), frame) = shared.with(|connection| match answer {
                Ok(result) => connection.respond_raw(id, result),
                Err(error) => connection.refuse(id, error),
            });
            if let Some(frame) = frame {
                shared.transmit(frame).await;
            }
        };
        #[cfg(feature = "tracing")]
        let handling = tracing::Instrument::instrument(handling, span);
        self.handling.spawn(handling);
    }

    async fn malformed(&mut self, malformed: Malformed) {
        if let (MalformedKind::Request, Some(id)) = (malformed.kind, &malformed.id) {
            let error = RpcError::new(ErrorCode::INVALID_PARAMS, malformed.to_string());
            let ((), frame) = self.shared.with(|connection| connection.refuse(id.clone(), error));
            let shared = Arc::clone(&self.shared);
            // Not in the loop: the queue may be full because the server does not read.
            self.handling.spawn(async move {
                if let Some(frame) = frame {
                    shared.transmit(frame).await;
                }
            });
        }
        self.shared.subscriptions.deliver_malformed(malformed).await;
    }
}

/// Runs notification handlers one after the other until the connection ends.
pub(super) async fn notify(handler: Arc<dyn Handle>, client: WeakClient, mut told: Subscription) {
    while let Some(delivery) = told.next().await {
        match delivery {
            Delivery::Notification(message) => {
                let context = Context::new(client.clone(), None, None);
                // Nobody else has it unless somebody subscribed to it, too.
                let payload = Arc::unwrap_or_clone(message).payload;
                // A panic costs this notification only.
                let _ = guarded(|| Arc::clone(&handler).notification(payload, context)).await;
            }
            Delivery::Lagged(missed) => client.missed(missed),
            Delivery::Malformed(_) => {}
        }
    }
}
