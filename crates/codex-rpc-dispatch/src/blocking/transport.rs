//! What a driver reads from and writes to.

use std::io::{self, ErrorKind, Read, Write};

/// What was received.
pub(super) enum Received<'a> {
    /// Bytes of a stream of lines.
    Bytes(&'a [u8]),
    /// A message of a transport with frames.
    #[cfg(feature = "websocket")]
    Frame(Vec<u8>),
    /// Nothing for the connection, but the transport has something to write:
    /// [`Transmit::transmit`] is to be called.
    #[cfg(feature = "websocket")]
    Nudge,
    End,
}

/// The end that is read.
pub(super) trait Receive: Send + 'static {
    fn receive(&mut self) -> io::Result<Received<'_>>;
}

/// The end that is written. Dropping it closes the server's input, where there is
/// something to close.
pub(super) trait Transmit: Send + 'static {
    /// Writes messages, each without a line break, and flushes.
    fn transmit(&mut self, frames: &[Vec<u8>]) -> io::Result<()>;

    /// Says that nothing more will come.
    fn finish(&mut self) -> io::Result<()>;
}

/// What is at the other end: how it is let go, and what it says about its end.
pub(super) trait Peer: Send + Sync {
    /// Brings its end about, and what waits for it in a read or a write comes back.
    /// It may be called more than once, from several threads.
    fn end(&self);

    /// Why it ended, if it did, or does soon.
    fn reason(&self) -> Option<String>;

    /// Has something called after its end, for a transport that does not end with it.
    fn on_exit(&self, call: OnExit);
}

/// Gets the reason of an end again and again until it has taken notice.
pub(super) type OnExit = Box<dyn FnMut(&str) -> bool + Send>;

/// Something that can only be read and written.
pub(super) struct Plain;

impl Peer for Plain {
    fn end(&self) {}

    fn reason(&self) -> Option<String> {
        None
    }

    fn on_exit(&self, _: OnExit) {}
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

impl<R: Read + Send + 'static> Receive for Reader<R> {
    fn receive(&mut self) -> io::Result<Received<'_>> {
        let read = read(&mut self.inner, &mut self.buffer)?;
        Ok(if read == 0 { Received::End } else { Received::Bytes(&self.buffer[..read]) })
    }
}

/// Reads once, however often a signal comes in between.
pub(super) fn read(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

pub(super) struct Writer<W>(pub(super) W);

impl<W: Write + Send + 'static> Transmit for Writer<W> {
    fn transmit(&mut self, frames: &[Vec<u8>]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(frames.iter().map(|frame| frame.len() + 1).sum());
        for frame in frames {
            bytes.extend_from_slice(frame);
            bytes.push(b'\n');
        }
        self.0.write_all(&bytes)?;
        self.0.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
