//! WebSocket, over TCP and over a Unix socket.
//!
//! One socket has two threads. The protocol stands between two buffers in memory, under a
//! lock that is never held while something blocks: the reading thread fills one buffer,
//! the writing thread empties the other.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tungstenite::client::{IntoClientRequest as _, client_with_config};
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::client::Request;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::AUTHORIZATION;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Error, Message, WebSocket};

use super::builder::Builder;
use super::client::Client;
use super::transport::{OnExit, Peer, Receive, Received, Transmit, read};
use crate::driver::ConnectError;

/// The server takes 16 MiB in one frame and says so in a header of its handshake; what is
/// longer goes in pieces.
const LONGEST_FRAME: usize = 8 << 20;

/// How much the protocol may have to say of its own before it is said: a server that
/// pings and never reads does not fill the memory.
const LONGEST_CONTROL: usize = 1 << 20;

impl Builder {
    /// Connects to a WebSocket, `ws://host:port`, with a bearer token if the server asks
    /// for one (`--ws-auth`). Over a network that is not trusted, tunnel it: the token
    /// is not encrypted.
    ///
    /// # Errors
    /// If the server can't be reached or the handshake fails.
    pub fn connect_websocket(self, url: &str, bearer_token: Option<&str>) -> Result<Client, ConnectError> {
        let begun = Instant::now();
        let limit = self.handshake_time();
        let fail = |reason: String| ConnectError::Connect { address: url.to_owned(), reason };
        let mut request = url.into_client_request().map_err(|error| fail(error.to_string()))?;
        if let Some(token) = bearer_token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| fail("the bearer token has a character that a header can't have".to_owned()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let uri = request.uri();
        if uri.scheme_str() != Some("ws") {
            return Err(fail("only `ws://` is spoken here".to_owned()));
        }
        let (Some(host), port) = (uri.host(), uri.port_u16().unwrap_or(80)) else {
            return Err(fail("the address has no host".to_owned()));
        };
        let host = host.trim_matches(['[', ']']);
        let stream = connect_tcp(host, port, begun, limit).map_err(|error| fail(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| fail(error.to_string()))?;
        self.upgrade(request, stream, url, limit.saturating_sub(begun.elapsed()))
    }

    /// Connects to a Unix socket of an app-server (`--listen unix://PATH`), which speaks
    /// WebSocket, too.
    ///
    /// # Errors
    /// If the socket can't be reached or the handshake fails.
    #[cfg(unix)]
    pub fn connect_unix(self, path: impl AsRef<std::path::Path>) -> Result<Client, ConnectError> {
        let address = path.as_ref().display().to_string();
        let fail = |reason: String| ConnectError::Connect { address: address.clone(), reason };
        let stream = std::os::unix::net::UnixStream::connect(path.as_ref()).map_err(|error| fail(error.to_string()))?;
        let request = "ws://localhost/".into_client_request().map_err(|error| fail(error.to_string()))?;
        let limit = self.handshake_time();
        self.upgrade(request, stream, &address, limit)
    }

    fn upgrade<S: Socket>(
        self,
        request: Request,
        stream: S,
        address: &str,
        left: Duration,
    ) -> Result<Client, ConnectError> {
        let address = address.to_owned();
        let fail = move |reason: String| ConnectError::Connect { address: address.clone(), reason };
        let copies = || Ok::<_, io::Error>((stream.copy()?, stream.copy()?, stream.copy()?));
        let (reading, writing, ending) = copies().map_err(|error| fail(error.to_string()))?;
        let longest = self.longest_incoming();
        let config = WebSocketConfig::default().max_message_size(Some(longest)).max_frame_size(Some(longest));
        let open = move || {
            let pipe =
                Pipe { socket: Some(stream), incoming: Vec::new(), taken: 0, outgoing: Vec::new(), ended: false };
            let (mut protocol, _) = client_with_config(request, pipe, Some(config)).map_err(|error| match error {
                HandshakeError::Failure(error) => fail(error.to_string()),
                HandshakeError::Interrupted(_) => fail("the handshake was interrupted".to_owned()),
            })?;
            // What came with the handshake's answer is in the protocol already.
            protocol.get_mut().socket = None;
            let shared = Arc::new(Mutex::new(protocol));
            let frames = Frames { socket: reading, protocol: Arc::clone(&shared), buffer: vec![0; 64 * 1024] };
            Ok((frames, Messages { socket: writing, protocol: shared }))
        };
        self.start(open, &(Arc::new(End(ending)) as Arc<dyn Peer>), left)
    }
}

/// Connects to the first address of a host that answers.
fn connect_tcp(host: &str, port: u16, begun: Instant, limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A socket that two threads use and a third one ends.
trait Socket: Read + Write + Send + Sync + Sized + 'static {
    fn copy(&self) -> io::Result<Self>;
    fn end(&self);
}

impl Socket for TcpStream {
    fn copy(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

#[cfg(unix)]
impl Socket for std::os::unix::net::UnixStream {
    fn copy(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

/// Ends a socket: whatever reads or writes it comes back.
struct End<S>(S);

impl<S: Socket> Peer for End<S> {
    fn end(&self) {
        self.0.end();
    }

    fn reason(&self) -> Option<String> {
        None
    }

    fn on_exit(&self, _: OnExit) {}
}

/// What the protocol reads from and writes to: the socket during the handshake, memory
/// after it.
struct Pipe<S> {
    socket: Option<S>,
    incoming: Vec<u8>,
    /// How many bytes of `incoming` were read.
    taken: usize,
    outgoing: Vec<u8>,
    /// Nothing more will come in.
    ended: bool,
}

impl<S: Read> Read for Pipe<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(socket) = &mut self.socket {
            return read(socket, buffer);
        }
        let left = &self.incoming[self.taken..];
        if left.is_empty() {
            self.incoming.clear();
            self.taken = 0;
            return if self.ended { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.taken += count;
        Ok(count)
    }
}

impl<S: Write> Write for Pipe<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.socket {
            Some(socket) => socket.write(bytes),
            None => self.outgoing.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.socket {
            Some(socket) => socket.flush(),
            None => Ok(()),
        }
    }
}

type Protocol<S> = Arc<Mutex<WebSocket<Pipe<S>>>>;

fn lock<S>(protocol: &Protocol<S>) -> MutexGuard<'_, WebSocket<Pipe<S>>> {
    protocol.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end that is read.
struct Frames<S> {
    socket: S,
    protocol: Protocol<S>,
    buffer: Vec<u8>,
}

impl<S: Socket> Frames<S> {
    /// What the bytes so far are; none if more are needed.
    fn next(&self) -> io::Result<Option<Received<'static>>> {
        let mut protocol = lock(&self.protocol);
        let received = match protocol.read() {
            Ok(Message::Text(text)) => Received::Frame(text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Received::Frame(bytes.to_vec()),
            Ok(Message::Close(_)) | Err(Error::ConnectionClosed) => Received::End,
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {
                // Answers a ping.
                protocol.flush().map_err(io::Error::other)?;
                match protocol.get_ref().outgoing.len() {
                    0..=LONGEST_CONTROL => Received::Nudge,
                    _ => return Err(io::Error::other("the server pings and does not read what it is answered")),
                }
            }
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(io::Error::other(error)),
        };
        Ok(Some(received))
    }
}

impl<S: Socket> Receive for Frames<S> {
    fn receive(&mut self) -> io::Result<Received<'_>> {
        loop {
            if let Some(received) = self.next()? {
                return Ok(received);
            }
            let count = read(&mut self.socket, &mut self.buffer)?;
            let mut protocol = lock(&self.protocol);
            let pipe = protocol.get_mut();
            pipe.incoming.extend_from_slice(&self.buffer[..count]);
            pipe.ended = count == 0;
        }
    }
}

/// The end that is written.
struct Messages<S> {
    socket: S,
    protocol: Protocol<S>,
}

impl<S: Socket> Messages<S> {
    /// Has the protocol do something and writes what it says.
    fn say(&mut self, act: impl FnOnce(&mut WebSocket<Pipe<S>>) -> tungstenite::Result<()>) -> io::Result<()> {
        let bytes = {
            let mut protocol = lock(&self.protocol);
            act(&mut protocol).map_err(io::Error::other)?;
            std::mem::take(&mut protocol.get_mut().outgoing)
        };
        self.socket.write_all(&bytes)
    }
}

impl<S: Socket> Transmit for Messages<S> {
    fn transmit(&mut self, frames: &[Vec<u8>]) -> io::Result<()> {
        for frame in frames {
            for message in messages(frame) {
                self.say(|protocol| protocol.write(message))?;
            }
        }
        self.say(WebSocket::flush)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.say(|protocol| protocol.close(None))
    }
}

/// A message whole, or in pieces.
fn messages(frame: &[u8]) -> impl Iterator<Item = Message> {
    let pieces = frame.chunks(LONGEST_FRAME).count().max(1);
    (0..pieces).map(move |index| {
        if pieces == 1 {
            // What was encoded as JSON is UTF-8.
            return Message::text(String::from_utf8_lossy(frame).into_owned());
        }
        let piece = frame.chunks(LONGEST_FRAME).nth(index).unwrap_or_default();
        let opcode = OpCode::Data(if index == 0 { Data::Text } else { Data::Continue });
        Message::Frame(Frame::message(piece.to_vec(), opcode, index + 1 == pieces))
    })
}
