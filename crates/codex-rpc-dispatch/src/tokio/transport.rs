//! What a driver reads from and writes to.

use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// What was received.
pub(super) enum Received<'a> {
    /// Bytes of a stream of lines.
    Bytes(&'a [u8]),
    /// A message of a transport with frames.
    #[cfg(feature = "websocket")]
    Frame(Vec<u8>),
    End,
}

/// The end that is read. Dropping a future of it loses nothing.
pub(super) trait Receive: Send + 'static {
    fn receive(&mut self) -> impl Future<Output = io::Result<Received<'_>>> + Send;
}

/// The end that is written.
pub(super) trait Transmit: Send + 'static {
    /// Writes messages, each without a line break, and flushes.
    fn transmit(&mut self, frames: &[Vec<u8>]) -> impl Future<Output = io::Result<()>> + Send;

    /// Says that nothing more will come.
    fn finish(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}

pub(super) struct Reader<R> {
    inner: R,
    buffer: Vec<u8>,
}

impl<R> Reader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, buffer: vec![0; 64 * 1024] }
    }
}

impl<R: AsyncRead + Unpin + Send + 'static> Receive for Reader<R> {
    async fn receive(&mut self) -> io::Result<Received<'_>> {
        let read = self.inner.read(&mut self.buffer).await?;
        Ok(if read == 0 { Received::End } else { Received::Bytes(&self.buffer[..read]) })
    }
}

pub(super) struct Writer<W> {
    inner: W,
    /// Kept, so that a batch costs no allocation.
    buffer: Vec<u8>,
}

impl<W> Writer<W> {
    /// A buffer that grew beyond this for a long message is given back after it.
    const KEPT: usize = 64 * 1024;

    pub(super) fn new(inner: W) -> Self {
        Self { inner, buffer: Vec::new() }
    }
}

impl<W: AsyncWrite + Unpin + Send + 'static> Transmit for Writer<W> {
    async fn transmit(&mut self, frames: &[Vec<u8>]) -> io::Result<()> {
        self.buffer.clear();
        for frame in frames {
            self.buffer.extend_from_slice(frame);
            self.buffer.push(b'\n');
        }
        self.inner.write_all(&self.buffer).await?;
        self.buffer.clear();
        self.buffer.shrink_to(Self::KEPT);
        self.inner.flush().await
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.inner.shutdown().await
    }
}
