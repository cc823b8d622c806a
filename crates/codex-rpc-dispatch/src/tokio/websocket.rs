//! WebSocket, over TCP and over a Unix socket.

use std::io;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::builder::Builder;
use super::client::Client;
use super::exit::Exit;
use super::transport::{Receive, Received, Transmit};
use crate::driver::ConnectError;

/// The server takes 16 MiB in one frame and says so in a header of its handshake; what is
/// longer goes in pieces.
const LONGEST_FRAME: usize = 8 << 20;

impl Builder {
    /// Connects to a WebSocket, `ws://host:port`, with a bearer token if the server asks
    /// for one (`--ws-auth`). Over a network that is not trusted, tunnel it: the token
    /// is not encrypted.
    ///
    /// A message over [`Limits::incoming`](crate::Limits::incoming) ends the connection:
    /// WebSocket can't pass over it, as is done on stdio.
    ///
    /// # Errors
    /// If the server can't be reached or the handshake fails.
    pub async fn connect_websocket(self, url: &str, bearer_token: Option<&str>) -> Result<Client, ConnectError> {
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
        let stream = TcpStream::connect((host, port)).await.map_err(|error| fail(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| fail(error.to_string()))?;
        self.upgrade(request, stream, url).await
    }

    /// Connects to a Unix socket of an app-server (`--listen unix://PATH`), which speaks
    /// WebSocket, too.
    ///
    /// # Errors
    /// If the socket can't be reached or the handshake fails.
    #[cfg(unix)]
    pub async fn connect_unix(self, path: impl AsRef<std::path::Path>) -> Result<Client, ConnectError> {
        let address = path.as_ref().display().to_string();
        let fail = |reason: String| ConnectError::Connect { address: address.clone(), reason };
        let stream = tokio::net::UnixStream::connect(path.as_ref()).await.map_err(|error| fail(error.to_string()))?;
        let request = "ws://localhost/".into_client_request().map_err(|error| fail(error.to_string()))?;
        self.upgrade(request, stream, &address).await
    }

    async fn upgrade<S>(self, request: Request, stream: S, address: &str) -> Result<Client, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limit = self.longest_incoming();
        let config = WebSocketConfig::default().max_message_size(Some(limit)).max_frame_size(Some(limit));
        let upgrade = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        let time = self.handshake_time();
        let upgraded = tokio::time::timeout(time, upgrade).await;
        let (socket, _) = match upgraded {
            Ok(Ok(upgraded)) => upgraded,
            Ok(Err(error)) => {
                return Err(ConnectError::Connect { address: address.to_owned(), reason: error.to_string() });
            }
            Err(_) => return Err(ConnectError::TimedOut { limit: time }),
        };
        let (write, read) = socket.split();
        self.start(Frames(read), Messages(write), Exit::never()).await
    }
}

struct Frames<S>(SplitStream<WebSocketStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Receive for Frames<S> {
    async fn receive(&mut self) -> io::Result<Received<'_>> {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Text(text))) => Ok(Received::Frame(text.as_bytes().to_vec())),
                Some(Ok(Message::Binary(bytes))) => Ok(Received::Frame(bytes.to_vec())),
                Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed)) | None => Ok(Received::End),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => Err(io::Error::other(error)),
            };
        }
    }
}

struct Messages<S>(SplitSink<WebSocketStream<S>, Message>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transmit for Messages<S> {
    async fn transmit(&mut self, frames: &[Vec<u8>]) -> io::Result<()> {
        for frame in frames {
            for message in messages(frame) {
                self.0.feed(message).await.map_err(io::Error::other)?;
            }
        }
        self.0.flush().await.map_err(io::Error::other)
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.0.close().await.map_err(io::Error::other)
    }
}

/// A message whole, or in pieces.
fn messages(frame: &[u8]) -> Vec<Message> {
    let pieces = frame.chunks(LONGEST_FRAME).count();
    if pieces <= 1 {
        // What was encoded as JSON is UTF-8.
        return vec![Message::text(String::from_utf8_lossy(frame).into_owned())];
    }
    let piece = |(index, piece): (usize, &[u8])| {
        let opcode = OpCode::Data(if index == 0 { Data::Text } else { Data::Continue });
        Message::Frame(Frame::message(piece.to_vec(), opcode, index + 1 == pieces))
    };
    frame.chunks(LONGEST_FRAME).enumerate().map(piece).collect()
}
