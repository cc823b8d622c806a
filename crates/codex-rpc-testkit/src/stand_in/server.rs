//! The HTTP side: one thread with a runtime of its own.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State as Shared};
use axum::http::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use tokio::sync::oneshot;

use super::script::is_final;
use super::state::{Reply, State};

/// The largest body that a request can have: 256 MiB.
const LARGEST_BODY: usize = 256 * 1024 * 1024;

/// The state, shared by the server's thread and the program's.
#[derive(Clone, Debug)]
pub(super) struct Handle(Arc<Mutex<State>>);

impl Handle {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// What a panicking thread left behind is whole: each change is one step.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server. Dropping it ends the thread and cuts all connections.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// # Errors
    /// No port, thread or runtime is to be had.
    pub(super) fn start(handle: Handle) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel();
        let (started, outcome) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("stand-in".to_owned())
            .spawn(move || run(listener, handle, stopped, &started))?;
        let server = Self { port, stop: Some(stop), thread: Some(thread) };
        match outcome.recv() {
            Ok(Ok(())) => Ok(server),
            Ok(Err(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; one here could abort the program.
            let _ = thread.join();
        }
    }
}

/// The runtime is made and dropped on this thread, as neither can be done on one that
/// runs async code. Dropping it drops the tasks of all connections.
fn run(listener: TcpListener, handle: Handle, stopped: oneshot::Receiver<()>, started: &mpsc::Sender<io::Result<()>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(started.send(Err(error))),
    };
    runtime.block_on(async {
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return drop(started.send(Err(error))),
        };
        // Else an event waits for the acknowledgement of the one before.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let router = Router::new().fallback(answer).with_state(handle);
        drop(started.send(Ok(())));
        tokio::select! {
            _ = axum::serve(listener, router) => {},
            _ = stopped => {},
        }
    });
}

async fn answer(
    Shared(handle): Shared<Handle>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let websocket = handle.lock().speaks_websocket();
    if let Ok(upgrade) = upgrade
        && websocket
    {
        handle.lock().note(method.as_str(), &path, b"");
        return upgrade.on_upgrade(move |socket| converse(handle, path, socket));
    }
    let reply = match to_bytes(request.into_body(), LARGEST_BODY).await {
        Ok(body) => handle.lock().reply(method.as_str(), &path, &body),
        Err(error) => {
            handle.lock().problem(format!("{method} {path}: the body can't be read: {error}"));
            return status_only(StatusCode::BAD_REQUEST);
        }
    };
    respond(&handle, &method, &path, reply)
}

fn status_only(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn respond(handle: &Handle, method: &Method, path: &str, reply: Reply) -> Response {
    let mut response = status_only(StatusCode::INTERNAL_SERVER_ERROR);
    match StatusCode::from_u16(reply.status) {
        Ok(status) if is_final(reply.status) => *response.status_mut() = status,
        _ => handle.lock().problem(format!("{method} {path}: no status for an answer: {}", reply.status)),
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    for (name, value) in &reply.headers {
        if let Err(error) = add(headers, name, value) {
            handle.lock().problem(format!("{method} {path}: header `{name}` of the answer: {error}"));
        }
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    *response.body_mut() = body(reply);
    response
}

fn add(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), axum::http::Error> {
    headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    Ok(())
}

fn body(reply: Reply) -> Body {
    let Reply { delay, pause, chunks, .. } = reply;
    let chunks = chunks.into_iter();
    let total = chunks.len();
    Body::from_stream(futures_util::stream::unfold(chunks, move |mut chunks| async move {
        let at = total - chunks.len();
        if at == 0 && !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match pause {
            Some(pause) if pause.after == at => tokio::time::sleep(pause.length).await,
            // Lets the server flush what it has.
            _ => tokio::task::yield_now().await,
        }
        chunks.next().map(|chunk| (Ok::<_, io::Error>(chunk), chunks))
    }))
}

async fn converse(handle: Handle, path: String, mut socket: WebSocket) {
    let mut count = 0;
    while let Some(Ok(message)) = socket.recv().await {
        let Message::Text(text) = message else { continue };
        let answers = handle.lock().websocket_message(&path, count, &text);
        count += 1;
        for answer in answers {
            if socket.send(Message::text(answer.to_string())).await.is_err() {
                return;
            }
        }
    }
}
