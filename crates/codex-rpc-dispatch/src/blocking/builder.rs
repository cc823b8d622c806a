//! How a client is made.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use codex_rpc::types::{InitializeParams, InitializeResponse};

use super::client::{Client, Shared, Waiter};
use super::handle::{Handle, Nobody, Typed};
use super::queue::Queue;
use super::threads::{ReadLoop, Reads, notify, start, write};
use super::transport::{Peer, Plain, Reader, Receive, Received, Transmit, Writer};
use super::{Handler, Router};
use crate::driver::{Buffer, ConnectError};
use crate::{ClientConnection, Handshake, Limits, Progress};

/// Makes clients: who they are, what handles the server's requests, the limits.
pub struct Builder {
    params: InitializeParams,
    handler: Arc<dyn Handle>,
    limits: Limits,
    write_queue: usize,
    handler_buffer: Buffer,
    time_limit: Option<Duration>,
    handshake_limit: Duration,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("params", &self.params).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Builder {
    /// A client that says this about itself. Approvals are declined until something
    /// handles them.
    pub fn new(params: InitializeParams) -> Self {
        Self {
            params,
            handler: Arc::new(Nobody),
            limits: Limits::default(),
            write_queue: 256,
            handler_buffer: Buffer::dropping(4_096),
            time_limit: Some(Duration::from_secs(600)),
            handshake_limit: Duration::from_secs(30),
        }
    }

    /// What handles the server's requests and notifications, as a type. The last
    /// handler or router counts.
    #[must_use]
    pub fn handler(mut self, handler: impl Handler) -> Self {
        self.handler = Arc::new(Typed(handler));
        self
    }

    /// What handles the server's requests and notifications, as closures. The last
    /// handler or router counts.
    #[must_use]
    pub fn router(mut self, router: Router) -> Self {
        self.handler = Arc::new(router);
        self
    }

    #[cfg(feature = "websocket")]
    pub(super) fn longest_incoming(&self) -> usize {
        self.limits.incoming
    }

    #[cfg(any(feature = "process", feature = "websocket"))]
    pub(super) fn handshake_time(&self) -> Duration {
        self.handshake_limit
    }

    /// Sets the longest lines.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many messages may wait to be written. Default: 256. When there are more,
    /// calls wait, within their time limits.
    #[must_use]
    pub fn write_queue(mut self, messages: usize) -> Self {
        self.write_queue = messages.max(1);
        self
    }

    /// What waits for notification handlers. Default: 4,096 notifications, the oldest are
    /// dropped.
    #[must_use]
    pub fn handler_buffer(mut self, buffer: Buffer) -> Self {
        self.handler_buffer = buffer;
        self
    }

    /// How long a call waits for its answer unless it says so itself; none is for ever.
    /// Default: 10 minutes. An overloaded server may leave a request without any answer.
    #[must_use]
    pub fn time_limit(mut self, limit: Option<Duration>) -> Self {
        self.time_limit = limit;
        self
    }

    /// How long the server may take to answer `initialize`. Default: 30 s.
    #[must_use]
    pub fn handshake_limit(mut self, limit: Duration) -> Self {
        self.handshake_limit = limit;
        self
    }

    /// Connects over a reader and a writer of lines.
    ///
    /// Each is used by a thread of its own. Nothing can call a thread back that is in the
    /// middle of a read or a write: after the connection has ended, such a thread goes on
    /// until the reader or the writer returns. Until then it holds them and nothing else.
    /// The writer is dropped when the connection ends; if that closes the server's input,
    /// the server's end wakes the reader.
    ///
    /// # Errors
    /// If the handshake fails.
    pub fn connect<R, W>(self, reader: R, writer: W) -> Result<Client, ConnectError>
    where
        R: Read + Send + 'static,
        W: Write + Send + 'static,
    {
        let limit = self.handshake_limit;
        self.start(move || Ok((Reader::new(reader), Writer(writer))), &(Arc::new(Plain) as Arc<dyn Peer>), limit)
    }

    /// Connects over a transport that is opened in the reading thread, all within the
    /// time that is left of the limit.
    pub(super) fn start<R: Receive, W: Transmit>(
        self,
        open: impl FnOnce() -> Result<(R, W), ConnectError> + Send + 'static,
        peer: &Arc<dyn Peer>,
        left: Duration,
    ) -> Result<Client, ConnectError> {
        let limit = self.handshake_limit;
        let deadline = Instant::now().checked_add(left);
        let (connected, answer) = sync_channel(1);
        let other = Arc::clone(peer);
        let started = start("read", move || self.run(open, &other, &connected));
        if let Err(error) = started {
            peer.end();
            return Err(ConnectError::Closed { reason: format!("there is no thread to read with: {error}") });
        }
        let outcome = match deadline {
            Some(deadline) => answer.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            None => answer.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        outcome.unwrap_or_else(|error| {
            peer.end();
            Err(match error {
                RecvTimeoutError::Timeout => ConnectError::TimedOut { limit },
                RecvTimeoutError::Disconnected => {
                    ConnectError::Closed { reason: "the thread that reads is gone".to_owned() }
                }
            })
        })
    }

    /// What the reading thread does.
    fn run<R: Receive, W: Transmit>(
        self,
        open: impl FnOnce() -> Result<(R, W), ConnectError>,
        peer: &Arc<dyn Peer>,
        connected: &SyncSender<Result<Client, ConnectError>>,
    ) {
        let limit = self.limits.incoming;
        let reads = Arc::new(Reads::default());
        let begun = open().and_then(|(mut from, mut to)| {
            let shaken = handshake(&self.params, self.limits, &mut from, &mut to)?;
            self.begin(shaken, to, peer, &reads).map(|(client, reading)| (client, reading, from))
        });
        let (client, shared, from) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                // A process that ended says more than a pipe that broke.
                let error = match error {
                    ConnectError::Closed { reason } => ConnectError::Closed { reason: peer.reason().unwrap_or(reason) },
                    other => other,
                };
                peer.end();
                let _ = connected.try_send(Err(error));
                return;
            }
        };
        let lines = shared.with(ClientConnection::take_lines);
        let reading = ReadLoop { shared: Arc::downgrade(&shared), client: client.downgrade(), reads, lines, limit };
        drop(shared);
        // Nobody may wait any more; then the client goes, and the connection with it.
        let _ = connected.try_send(Ok(client));
        reading.run(from, &**peer);
    }

    /// Starts the other threads of a connection.
    fn begin(
        self,
        (connection, server): (ClientConnection<Waiter>, Box<InitializeResponse>),
        to: impl Transmit,
        peer: &Arc<dyn Peer>,
        reads: &Arc<Reads>,
    ) -> Result<(Client, Arc<Shared>), ConnectError> {
        let no_thread = |error: io::Error| ConnectError::Closed { reason: format!("there is no thread: {error}") };
        let queue = Arc::new(Queue::new(self.write_queue));
        let handler = self.handler;
        let shared = Arc::new(Shared::new(
            connection,
            Arc::clone(&queue),
            Arc::clone(&handler),
            Arc::clone(peer),
            *server,
            self.time_limit,
        ));
        let client = Client::new(Arc::clone(&shared));
        if handler.wants_notifications() {
            let (told, weak) = (client.subscribe_with(self.handler_buffer), client.downgrade());
            start("notify", move || notify(&*handler, &weak, told)).map_err(no_thread)?;
        }
        let (writing, ending, other) = (Arc::downgrade(&shared), Arc::downgrade(&shared), Arc::clone(peer));
        start("write", move || write(to, &queue, &writing, &*other)).map_err(no_thread)?;
        let (mut seen, reads) = (None, Arc::clone(reads));
        peer.on_exit(Box::new(move |reason| {
            let Some(shared) = ending.upgrade() else { return true };
            let stuck = reads.in_read().filter(|read| seen == Some(*read));
            seen = reads.in_read();
            if stuck.is_some() {
                shared.end(reason);
            }
            stuck.is_some()
        }));
        Ok((client, shared))
    }
}

/// Sends `initialize`, waits for the answer, sends `initialized`.
fn handshake(
    params: &InitializeParams,
    limits: Limits,
    from: &mut impl Receive,
    to: &mut impl Transmit,
) -> Result<(ClientConnection<Waiter>, Box<InitializeResponse>), ConnectError> {
    let closed = |reason: String| ConnectError::Closed { reason };
    let broken = |error: io::Error| closed(format!("the server can't be written to: {error}"));
    let mut handshake = Handshake::new(params, limits).map_err(ConnectError::Handshake)?;
    while let Some(frame) = handshake.next_outgoing() {
        to.transmit(&[frame]).map_err(broken)?;
    }
    loop {
        let progress = match from.receive() {
            Ok(Received::Bytes(bytes)) => {
                handshake.push(bytes);
                handshake.advance()
            }
            #[cfg(feature = "websocket")]
            Ok(Received::Frame(frame)) => handshake.frame(&frame),
            #[cfg(feature = "websocket")]
            Ok(Received::Nudge) => {
                to.transmit(&[]).map_err(broken)?;
                continue;
            }
            Ok(Received::End) => return Err(closed("the server closed the connection".to_owned())),
            Err(error) => return Err(closed(format!("the server can't be read: {error}"))),
        };
        match progress.map_err(ConnectError::Handshake)? {
            Progress::Waiting(waiting) => handshake = waiting,
            Progress::Ready(mut connection, server) => {
                while let Some(frame) = connection.next_outgoing() {
                    to.transmit(&[frame]).map_err(broken)?;
                }
                return Ok((connection, server));
            }
        }
    }
}
