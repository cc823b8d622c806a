//! The core: bytes in, events out, bytes to write. No clock, no thread, no runtime.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;

use codex_rpc::{
    ClientRequestMethod, ErrorResponse, Extra, Message, MethodInfo, Notification, NotificationMethod, ProtocolType,
    RawJson, Request, RequestId, RpcError, ServerRequestMethod, TraceContext,
};

use crate::frame::{Line, LineSplitter};
#[cfg(any(feature = "blocking", feature = "tokio"))]
use crate::params::Prepared;
use crate::params::{Raw, Typed, Written};
use crate::side::{ClientSide, ServerSide, Side};
use crate::{Call, CallError, Malformed, MalformedKind, TakeClientRequest, TakeServerRequest};

/// A connection as a client of an app-server has it.
pub type ClientConnection<T = ()> = Connection<ClientSide, T>;

/// A connection as an app-server has it.
pub type ServerConnection<T = ()> = Connection<ServerSide, T>;

/// What a connection takes and sends at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest line that is read, in bytes without the line break. Default: 256 MiB,
    /// because a thread that is read as a whole is one line.
    pub incoming: usize,
    /// The longest line that is sent. Default: 256 MiB.
    pub outgoing: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { incoming: 256 << 20, outgoing: 256 << 20 }
    }
}

impl Limits {
    /// Sets the longest line that is read.
    #[must_use]
    pub fn with_incoming(mut self, bytes: usize) -> Self {
        self.incoming = bytes;
        self
    }

    /// Sets the longest line that is sent.
    #[must_use]
    pub fn with_outgoing(mut self, bytes: usize) -> Self {
        self.outgoing = bytes;
        self
    }
}

/// Something that came in.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<S: Side, T = ()> {
    /// A request of ours has its answer.
    Answer(Answer<T>),
    /// The peer asks.
    Request(IncomingRequest<S>),
    /// The peer tells.
    Notification(Notification<S::Notification>),
    /// Something that is none of these. A malformed request waits for an answer, too:
    /// see [`Connection::refuse`].
    Malformed(Malformed),
}

/// How a request of ours ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer<T = ()> {
    /// The request's id.
    pub id: i64,
    /// The request's method.
    pub method: Cow<'static, str>,
    /// What was given with the request.
    pub tag: T,
    /// The result as its text, or why there is none.
    pub outcome: Result<RawJson, CallError>,
}

/// A request of the peer.
#[derive(Debug)]
#[non_exhaustive]
pub struct IncomingRequest<S: Side> {
    /// The message: id, method with params, trace context.
    pub request: Request<S::Request>,
}

impl<S: Side> IncomingRequest<S> {
    /// The request's id.
    pub fn id(&self) -> &RequestId {
        &self.request.id
    }
}

impl IncomingRequest<ClientSide> {
    /// The params and the right to answer, if the request is of this method.
    ///
    /// # Errors
    /// The request itself, if it is of another method.
    #[expect(clippy::result_large_err, reason = "the error is the input, given back")]
    pub fn take<M: TakeServerRequest>(self) -> Result<(M::Params, Ticket<M>), Self> {
        let Request { id, payload, trace, extra, .. } = self.request;
        match M::take(payload) {
            Ok(params) => Ok((params, Ticket::new(id))),
            Err(payload) => Err(Self { request: request(id, payload, trace, extra) }),
        }
    }
}

impl IncomingRequest<ServerSide> {
    /// The params and the right to answer, if the request is of this method.
    ///
    /// # Errors
    /// The request itself, if it is of another method.
    #[expect(clippy::result_large_err, reason = "the error is the input, given back")]
    pub fn take<M: TakeClientRequest>(self) -> Result<(M::Params, Ticket<M>), Self> {
        let Request { id, payload, trace, extra, .. } = self.request;
        match M::take(payload) {
            Ok(params) => Ok((params, Ticket::new(id))),
            Err(payload) => Err(Self { request: request(id, payload, trace, extra) }),
        }
    }
}

fn request<M>(id: RequestId, payload: M, trace: Option<TraceContext>, extra: Extra) -> Request<M> {
    let mut request = Request::new(id, payload);
    request.trace = trace;
    request.extra = extra;
    request
}

/// The right to answer a request, once, with the response of its method.
pub struct Ticket<M: ?Sized> {
    id: RequestId,
    method: PhantomData<fn() -> Box<M>>,
}

impl<M: ?Sized> Ticket<M> {
    pub(crate) fn new(id: RequestId) -> Self {
        Self { id, method: PhantomData }
    }

    /// The request's id.
    pub fn id(&self) -> &RequestId {
        &self.id
    }
}

impl<M: ?Sized> fmt::Debug for Ticket<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("id", &self.id).finish()
    }
}

fn unencodable(error: &serde_json::Error) -> SendError {
    SendError::Unencodable(error.to_string())
}

/// Why a message can't be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// Its content can't be written as JSON.
    Unencodable(String),
    /// It is longer than [`Limits::outgoing`].
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// The method is none that this side sends.
    WrongSide {
        /// The method.
        method: &'static str,
    },
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unencodable(reason) => f.write_str(reason),
            Self::TooLong { length, limit } => write!(f, "the message has {length} bytes; {limit} are the most"),
            Self::WrongSide { method } => write!(f, "{method} is sent by the other side"),
        }
    }
}

impl std::error::Error for SendError {}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        Self::Unsendable(error.to_string())
    }
}

/// A line that was decoded, before it is known what it answers.
pub(crate) struct Decoded<S: Side> {
    outcome: Result<Message<S::Request, S::Notification>, Box<Malformed>>,
    /// The line, for an answer to nothing.
    line: Vec<u8>,
}

impl<S: Side> Decoded<S> {
    /// None for a blank line.
    pub(crate) fn of_line(line: Line, limit: usize) -> Option<Self> {
        match line {
            Line::Text(line) if line.trim_ascii().is_empty() => None,
            Line::Text(line) => {
                let outcome = S::decode(&line).map_err(|error| Box::new(Malformed::undecodable(&line, &error)));
                Some(Self { outcome, line })
            }
            Line::TooLong(length) => {
                let malformed = Box::new(Malformed::too_long(length, limit));
                Some(Self { outcome: Err(malformed), line: Vec::new() })
            }
        }
    }

    /// None for a blank frame.
    pub(crate) fn of_frame(frame: Vec<u8>, limit: usize) -> Option<Self> {
        let line = if frame.len() > limit { Line::TooLong(frame.len()) } else { Line::Text(frame) };
        Self::of_line(line, limit)
    }

    /// What it is. `pending` finds, and takes, the request that an answer belongs to;
    /// nothing else needs the connection.
    pub(crate) fn settle<T>(self, pending: impl FnOnce(i64) -> Option<Pending<T>>) -> Event<S, T> {
        let Self { outcome, line } = self;
        let (id, outcome) = match outcome {
            Ok(Message::Notification(message)) => return Event::Notification(message),
            Ok(Message::Request(request)) => return Event::Request(IncomingRequest { request }),
            Ok(Message::Response(response)) => (response.id, Ok(response.result)),
            Ok(Message::Error(response)) => (response.id, Err(CallError::Rpc(Box::new(response.error)))),
            Err(malformed) => match (malformed.kind, malformed.id.clone()) {
                (MalformedKind::Response, Some(id)) => (id, Err(CallError::Malformed(malformed))),
                _ => return Event::Malformed(*malformed),
            },
        };
        let number = match &id {
            RequestId::Integer(number) => Some(*number),
            RequestId::String(_) => None,
        };
        match number.and_then(|id| Some((id, pending(id)?))) {
            Some((id, Pending { method, tag })) => Event::Answer(Answer { id, method, tag, outcome }),
            None => Event::Malformed(Malformed::unexpected(id, String::from_utf8_lossy(&line).into_owned())),
        }
    }
}

/// A request of ours that has no answer yet.
pub(crate) struct Pending<T> {
    method: Cow<'static, str>,
    tag: T,
}

/// One side of a connection. `T` is what the caller gives with a request and gets back
/// with its answer.
///
/// A client gets one from a [`Handshake`](crate::Handshake).
pub struct Connection<S: Side, T = ()> {
    limits: Limits,
    experimental: bool,
    lines: LineSplitter,
    next_id: i64,
    pending: HashMap<i64, Pending<T>>,
    outgoing: VecDeque<Vec<u8>>,
    /// What came in and was not asked for yet.
    early: VecDeque<Event<S, T>>,
    side: PhantomData<fn() -> S>,
}

impl<S: Side, T> fmt::Debug for Connection<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("experimental", &self.experimental)
            .field("next_id", &self.next_id)
            .field("pending", &self.pending.len())
            .field("outgoing", &self.outgoing.len())
            .finish_non_exhaustive()
    }
}

impl<S: Side, T> Connection<S, T> {
    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            experimental: false,
            lines: LineSplitter::new(limits.incoming),
            next_id: 0,
            pending: HashMap::new(),
            outgoing: VecDeque::new(),
            early: VecDeque::new(),
            side: PhantomData,
        }
    }

    /// Takes bytes of a stream of lines. Then ask for the events.
    pub fn push(&mut self, bytes: &[u8]) {
        self.lines.push(bytes);
    }

    /// What came in with the bytes so far, one at a time; none if more bytes are needed.
    /// Blank lines are passed over.
    pub fn next_event(&mut self) -> Option<Event<S, T>> {
        if let Some(event) = self.early.pop_front() {
            return Some(event);
        }
        loop {
            let line = self.lines.next()?;
            if let Some(event) = self.take(line) {
                return Some(event);
            }
        }
    }

    /// At the end of the stream: what stood after the last line break. It may be a whole
    /// message all the same.
    pub fn end_of_stream(&mut self) -> Option<Event<S, T>> {
        loop {
            let line = self.lines.rest()?;
            if let Some(event) = self.take(line) {
                return Some(event);
            }
        }
    }

    /// What one frame is, for transports that have frames: a WebSocket's text message.
    /// None for a blank one.
    pub fn frame(&mut self, frame: &[u8]) -> Option<Event<S, T>> {
        Some(self.settle(Decoded::of_frame(frame.to_vec(), self.limits.incoming)?))
    }

    /// The next message to write, without a line break: write it with one to a stream,
    /// or as a text frame.
    pub fn next_outgoing(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    /// How many requests of ours wait for an answer.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Gives a request of ours up: its answer will be passed over if it still comes.
    /// None if it was answered.
    pub fn forget(&mut self, id: i64) -> Option<T> {
        self.pending.remove(&id).map(|pending| pending.tag)
    }

    /// Gives all requests of ours up, at the end of a connection: each ends with this
    /// reason.
    pub fn close(&mut self, reason: &str) -> Vec<Answer<T>> {
        let mut answers: Vec<Answer<T>> = self
            .pending
            .drain()
            .map(|(id, Pending { method, tag })| {
                let outcome = Err(CallError::Closed { reason: reason.to_owned() });
                Answer { id, method, tag, outcome }
            })
            .collect();
        answers.sort_by_key(|answer| answer.id);
        answers
    }

    /// Sends a notification.
    ///
    /// # Errors
    /// If this side does not send the method, or the params can't be sent.
    pub fn notify<M: NotificationMethod>(&mut self, params: &M::Params) -> Result<(), SendError> {
        if MethodInfo::find(S::SENDS, M::METHOD).is_none() {
            return Err(SendError::WrongSide { method: M::METHOD });
        }
        let frame = self.encode(None, M::METHOD, &Typed(params))?;
        self.queue(frame);
        Ok(())
    }

    /// Answers a request of the peer with an error: any request, a malformed one too.
    pub fn refuse(&mut self, id: impl Into<RequestId>, error: RpcError) {
        let response = ErrorResponse::new(id, error);
        // An error that can't be written is still an answer.
        let frame = codex_rpc::to_json(&response).unwrap_or_else(|error| {
            let plain = RpcError::new(codex_rpc::ErrorCode::INTERNAL_ERROR, error.to_string());
            codex_rpc::to_json(&ErrorResponse::new(response.id.clone(), plain)).unwrap_or_default()
        });
        self.queue(frame.into_bytes());
    }

    /// Answers a request of the peer with a result that is JSON already, whatever its
    /// method.
    pub fn respond_raw(&mut self, id: impl Into<RequestId>, result: RawJson) {
        let response = codex_rpc::Response::new(id, result);
        self.queue(codex_rpc::to_json(&response).unwrap_or_default().into_bytes());
    }

    /// A message is one line: JSON text that a caller gave may have several. Its line
    /// breaks are white space, for in strings they are escaped.
    fn queue(&mut self, mut frame: Vec<u8>) {
        for byte in &mut frame {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.outgoing.push_back(frame);
    }

    fn respond_with(&mut self, id: &RequestId, result: &impl ProtocolType) -> Result<(), SendError> {
        let mut frame = String::from("{\"id\":");
        codex_rpc::append_json(id, &mut frame).map_err(|error| unencodable(&error))?;
        frame.push_str(",\"result\":");
        codex_rpc::append_json(result, &mut frame).map_err(|error| unencodable(&error))?;
        frame.push('}');
        self.queue(frame.into_bytes());
        Ok(())
    }

    /// Sends a request of a method by its name, with params that are JSON already: one
    /// that these bindings do not know. Its answer comes as [`Event::Answer`].
    ///
    /// # Errors
    /// [`CallError::Unsendable`].
    pub fn request_raw(&mut self, method: &str, params: Option<&RawJson>, tag: T) -> Result<i64, CallError> {
        self.send(method.to_owned().into(), &Raw(params), tag)
    }

    /// Sends a notification of a method by its name, with params that are JSON already.
    ///
    /// # Errors
    /// If the message is too long.
    pub fn notify_raw(&mut self, method: &str, params: Option<&RawJson>) -> Result<(), SendError> {
        let frame = self.encode(None, method, &Raw(params))?;
        self.queue(frame);
        Ok(())
    }

    fn send(&mut self, method: Cow<'static, str>, params: &impl Written, tag: T) -> Result<i64, CallError> {
        let id = self.next_id;
        let frame = self.encode(Some(id), &method, params)?;
        self.next_id += 1;
        self.pending.insert(id, Pending { method, tag });
        self.queue(frame);
        Ok(id)
    }

    fn encode(&self, id: Option<i64>, method: &str, params: &impl Written) -> Result<Vec<u8>, SendError> {
        let mut frame = String::with_capacity(256);
        frame.push_str("{\"method\":");
        codex_rpc::append_json(&method.to_owned(), &mut frame).map_err(|error| unencodable(&error))?;
        if let Some(id) = id {
            frame.push_str(",\"id\":");
            codex_rpc::append_json(&id, &mut frame).map_err(|error| unencodable(&error))?;
        }
        params.write(&mut frame).map_err(|error| unencodable(&error))?;
        frame.push('}');
        if frame.len() > self.limits.outgoing {
            return Err(SendError::TooLong { length: frame.len(), limit: self.limits.outgoing });
        }
        Ok(frame.into_bytes())
    }

    fn take(&mut self, line: Line) -> Option<Event<S, T>> {
        Some(self.settle(Decoded::of_line(line, self.limits.incoming)?))
    }

    fn settle(&mut self, decoded: Decoded<S>) -> Event<S, T> {
        decoded.settle(|id| self.take_pending(id))
    }

    /// The request of ours with this id, which has its answer now.
    pub(crate) fn take_pending(&mut self, id: i64) -> Option<Pending<T>> {
        self.pending.remove(&id)
    }

    /// Takes the reading of lines out, for a driver that decodes without the connection.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn take_lines(&mut self) -> LineSplitter {
        std::mem::replace(&mut self.lines, LineSplitter::new(self.limits.incoming))
    }
}

impl<T> Connection<ClientSide, Option<T>> {
    /// The connection after its handshake, with what came before the answer.
    pub(crate) fn initialised(self, experimental: bool, early: VecDeque<Event<ClientSide, T>>) -> ClientConnection<T> {
        let Self { limits, lines, next_id, outgoing, side, .. } = self;
        Connection { limits, experimental, lines, next_id, pending: HashMap::new(), outgoing, early, side }
    }
}

impl<T> Connection<ClientSide, T> {
    /// Whether the connection was initialised with `experimentalApi`.
    pub fn is_experimental(&self) -> bool {
        self.experimental
    }

    /// Sends a request; its answer comes as [`Event::Answer`] with this tag.
    ///
    /// # Errors
    /// [`CallError::ExperimentalApiNeeded`] and [`CallError::Unsendable`].
    pub fn request<M: ClientRequestMethod>(&mut self, params: &M::Params, tag: T) -> Result<Call<M>, CallError> {
        if M::EXPERIMENTAL && !self.experimental {
            return Err(CallError::ExperimentalApiNeeded { method: M::METHOD });
        }
        self.send(M::METHOD.into(), &Typed(params), tag).map(Call::new)
    }

    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn request_prepared(&mut self, call: &Prepared, tag: T) -> Result<i64, CallError> {
        match call.experimental {
            Some(method) if !self.experimental => Err(CallError::ExperimentalApiNeeded { method }),
            _ => self.send(call.method.clone(), &Raw(call.params.as_ref()), tag),
        }
    }

    /// Answers a request of the server. Only the response of its method compiles:
    ///
    /// ```compile_fail,E0308
    /// use codex_rpc::server_requests::ItemCommandExecutionRequestApproval;
    /// use codex_rpc::types::{FileChangeApprovalDecision, FileChangeRequestApprovalResponse};
    /// use codex_rpc_dispatch::{ClientConnection, Ticket};
    ///
    /// fn answer(connection: &mut ClientConnection, ticket: Ticket<ItemCommandExecutionRequestApproval>) {
    ///     let other = FileChangeRequestApprovalResponse::new(FileChangeApprovalDecision::Accept);
    ///     let _ = connection.respond(ticket, &other);
    /// }
    /// ```
    ///
    /// ```
    /// # use codex_rpc::server_requests::ItemCommandExecutionRequestApproval;
    /// # use codex_rpc::types::{CommandExecutionApprovalDecision, CommandExecutionRequestApprovalResponse};
    /// # use codex_rpc_dispatch::{ClientConnection, Ticket};
    /// fn answer(connection: &mut ClientConnection, ticket: Ticket<ItemCommandExecutionRequestApproval>) {
    ///     let own = CommandExecutionRequestApprovalResponse::new(CommandExecutionApprovalDecision::Decline);
    ///     let _ = connection.respond(ticket, &own);
    /// }
    /// ```
    ///
    /// # Errors
    /// If the response can't be written as JSON.
    pub fn respond<M: ServerRequestMethod>(
        &mut self,
        ticket: Ticket<M>,
        response: &M::Response,
    ) -> Result<(), SendError> {
        let Ticket { id, .. } = ticket;
        self.respond_with(&id, response)
    }
}

impl<T> Connection<ServerSide, T> {
    /// The side of an app-server. It gets `initialize` as the first request.
    pub fn server(limits: Limits) -> Self {
        Self::with_limits(limits)
    }

    /// Sends a request; its answer comes as [`Event::Answer`] with this tag.
    ///
    /// # Errors
    /// [`CallError::Unsendable`].
    pub fn request<M: ServerRequestMethod>(&mut self, params: &M::Params, tag: T) -> Result<Call<M>, CallError> {
        self.send(M::METHOD.into(), &Typed(params), tag).map(Call::new)
    }

    /// Answers a request of the client. Only the response of its method compiles.
    ///
    /// # Errors
    /// If the response can't be written as JSON.
    pub fn respond<M: ClientRequestMethod>(
        &mut self,
        ticket: Ticket<M>,
        response: &M::Response,
    ) -> Result<(), SendError> {
        let Ticket { id, .. } = ticket;
        self.respond_with(&id, response)
    }
}
