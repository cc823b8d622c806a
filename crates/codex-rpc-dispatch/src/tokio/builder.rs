//! How a client is made.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use codex_rpc::types::{InitializeParams, InitializeResponse};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::client::{Client, Shared, Waiter};
use super::exit::Exit;
use super::handle::{Handle, Nobody, Typed};
use super::tasks::{ReadLoop, notify, write};
use super::transport::{Reader, Receive, Received, Transmit, Writer};
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

    #[cfg(feature = "websocket")]
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
        self.write_queue = messages.clamp(1, Semaphore::MAX_PERMITS);
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
    /// # Errors
    /// If the handshake fails.
    pub async fn connect<R, W>(self, reader: R, writer: W) -> Result<Client, ConnectError>
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        self.start(Reader::new(reader), Writer(writer), Exit::never()).await
    }

    /// Connects over a transport. `exit` tells why the server's process ended, if it has
    /// one that can be asked.
    pub(super) async fn start(
        self,
        mut from: impl Receive,
        mut to: impl Transmit,
        mut exit: Exit,
    ) -> Result<Client, ConnectError> {
        let limit = self.handshake_limit;
        let shake = handshake(&self.params, self.limits, &mut from, &mut to);
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(limit, shake) => shaken.unwrap_or(Err(ConnectError::TimedOut { limit })),
            reason = exit.lingering() => Err(ConnectError::Closed { reason }),
        };
        let (mut connection, server) = match shaken {
            Ok(shaken) => shaken,
            Err(ConnectError::Closed { reason }) => {
                return Err(ConnectError::Closed { reason: exit.soon().await.unwrap_or(reason) });
            }
            Err(error) => return Err(error),
        };
        let lines = connection.take_lines();
        let (frames, queued) = mpsc::channel(self.write_queue);
        let shared = Arc::new(Shared::new(connection, frames, *server, self.time_limit, &exit));
        let client = Client::new(Arc::clone(&shared));
        let handler = self.handler;
        if handler.wants_notifications() {
            let told = client.subscribe_with(self.handler_buffer);
            let notifying = tokio::spawn(notify(Arc::clone(&handler), client.downgrade(), told));
            client.abort_on_drop(notifying.abort_handle());
        }
        let reading = ReadLoop {
            shared: Arc::clone(&shared),
            client: client.downgrade(),
            handler,
            lines,
            limit: self.limits.incoming,
            handling: JoinSet::new(),
            exit,
        };
        tokio::spawn(reading.run(from));
        tokio::spawn(write(to, queued, shared));
        Ok(client)
    }
}

/// Sends `initialize`, waits for the answer, sends `initialized`.
async fn handshake(
    params: &InitializeParams,
    limits: Limits,
    from: &mut impl Receive,
    to: &mut impl Transmit,
) -> Result<(ClientConnection<Waiter>, Box<InitializeResponse>), ConnectError> {
    let closed = |reason: String| ConnectError::Closed { reason };
    let broken = |error: io::Error| closed(format!("the server can't be written to: {error}"));
    let mut handshake = Handshake::new(params, limits).map_err(ConnectError::Handshake)?;
    while let Some(frame) = handshake.next_outgoing() {
        to.transmit(&[frame]).await.map_err(broken)?;
    }
    loop {
        let progress = match from.receive().await {
            Ok(Received::Bytes(bytes)) => {
                handshake.push(&bytes);
                handshake.advance()
            }
            #[cfg(feature = "websocket")]
            Ok(Received::Frame(frame)) => handshake.frame(&frame),
            Ok(Received::End) => return Err(closed("the server closed the connection".to_owned())),
            Err(error) => return Err(closed(format!("the server can't be read: {error}"))),
        };
        match progress.map_err(ConnectError::Handshake)? {
            Progress::Waiting(waiting) => handshake = waiting,
            Progress::Ready(mut connection, server) => {
                while let Some(frame) = connection.next_outgoing() {
                    to.transmit(&[frame]).await.map_err(broken)?;
                }
                return Ok((connection, server));
            }
        }
    }
}
