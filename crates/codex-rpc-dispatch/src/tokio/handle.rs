//! Handlers without their types.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use codex_rpc::{ErrorCode, Notification, RawJson, RpcError, ServerNotification, ServerRequest};

use super::{Context, Handler};
use crate::generated::tokio_handler as generated;

/// A notification of the server.
pub(super) type Told = Notification<ServerNotification>;

pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the driver asks of a handler.
pub(super) trait Handle: Send + Sync + 'static {
    fn request(self: Arc<Self>, request: ServerRequest, context: Context) -> Boxed<Result<RawJson, RpcError>>;
    /// It takes the message out if nobody else has it, and copies it else.
    fn notification(self: Arc<Self>, message: Arc<Told>, context: Context) -> Boxed<()>;
    /// Whether notifications go to it at all.
    fn wants_notifications(&self) -> bool;
}

/// A handler of the generated trait.
pub(super) struct Typed<H>(pub(super) H);

impl<H: Handler> Handle for Typed<H> {
    fn request(self: Arc<Self>, request: ServerRequest, context: Context) -> Boxed<Result<RawJson, RpcError>> {
        Box::pin(async move { generated::handle_request(&self.0, request, context).await })
    }

    fn notification(self: Arc<Self>, message: Arc<Told>, context: Context) -> Boxed<()> {
        Box::pin(async move {
            generated::handle_notification(&self.0, Arc::unwrap_or_clone(message).payload, context).await;
        })
    }

    fn wants_notifications(&self) -> bool {
        true
    }
}

/// Nobody handles anything: the defaults do.
pub(super) struct Nobody;

impl Handler for Nobody {}

impl Handle for Nobody {
    fn request(self: Arc<Self>, request: ServerRequest, context: Context) -> Boxed<Result<RawJson, RpcError>> {
        Box::pin(async move { generated::handle_request(&*self, request, context).await })
    }

    fn notification(self: Arc<Self>, _: Arc<Told>, _: Context) -> Boxed<()> {
        Box::pin(std::future::ready(()))
    }

    fn wants_notifications(&self) -> bool {
        false
    }
}

/// Runs a handler; a panic becomes an error.
pub(super) async fn guarded<T>(future: impl FnOnce() -> Boxed<T>) -> Result<T, RpcError> {
    let started = catch_unwind(AssertUnwindSafe(future)).map_err(|panic| panicked(&*panic))?;
    let mut running = started;
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => Poll::Ready(Err(panicked(&*panic))),
    })
    .await
}

/// The server is told that a handler panicked and not with what: that may be secret.
fn panicked(_: &(dyn Any + Send)) -> RpcError {
    RpcError::new(ErrorCode::INTERNAL_ERROR, "the client's handler panicked")
}
