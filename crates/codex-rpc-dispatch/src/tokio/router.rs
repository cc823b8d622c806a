//! Handlers as closures.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, ready};
use std::sync::Arc;

use codex_rpc::{Direction, METHODS, MethodKind, RawJson, RpcError, ServerRequest};

use super::Context;
use super::handle::{Boxed, Handle, Nobody, Told};
use crate::driver::IncompleteRouter;
use crate::{TakeServerNotification, TakeServerRequest, defaults};

type OnRequest = Box<dyn Fn(ServerRequest, Context) -> Boxed<Result<RawJson, RpcError>> + Send + Sync>;
type OnNotification = Box<dyn Fn(Arc<Told>, Context) -> Boxed<()> + Send + Sync>;

/// Closures by method. What no closure handles is answered by the defaults: approvals
/// are declined, other requests refused with -32601.
///
/// ```
/// use codex_rpc::server_requests::{CurrentTimeRead, ItemCommandExecutionRequestApproval};
/// use codex_rpc::types::{CommandExecutionApprovalDecision, CommandExecutionRequestApprovalResponse};
/// use codex_rpc_dispatch::tokio::Router;
///
/// let router = Router::builder()
///     .on::<ItemCommandExecutionRequestApproval, _, _>(|params, _| async move {
///         let decision = match params.command.as_deref() {
///             Some("ls") => CommandExecutionApprovalDecision::Accept,
///             _ => CommandExecutionApprovalDecision::Decline,
///         };
///         Ok(CommandExecutionRequestApprovalResponse::new(decision))
///     })
///     .build();
/// assert!(router.unhandled().contains(&"currentTime/read"));
/// assert!(!router.unhandled().contains(&"item/commandExecution/requestApproval"));
/// ```
pub struct Router {
    requests: BTreeMap<&'static str, OnRequest>,
    notifications: BTreeMap<&'static str, OnNotification>,
    unhandled: Vec<&'static str>,
}

/// A [`Router`] that is being built.
#[must_use]
#[derive(Default)]
pub struct RouterBuilder {
    requests: BTreeMap<&'static str, OnRequest>,
    notifications: BTreeMap<&'static str, OnNotification>,
}

impl Router {
    /// Without closures.
    pub fn builder() -> RouterBuilder {
        RouterBuilder::default()
    }

    /// The requests of the server that no closure handles.
    pub fn unhandled(&self) -> &[&'static str] {
        &self.unhandled
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("requests", &self.requests.keys())
            .field("notifications", &self.notifications.keys())
            .field("unhandled", &self.unhandled)
            .finish()
    }
}

impl RouterBuilder {
    /// Handles a request of the server; its answer is the response of the method or an
    /// error. The last closure for a method counts.
    pub fn on<M, H, F>(mut self, handler: H) -> Self
    where
        M: TakeServerRequest,
        H: Fn(M::Params, Context) -> F + Send + Sync + 'static,
        F: Future<Output = Result<M::Response, RpcError>> + Send + 'static,
    {
        let on: OnRequest = Box::new(move |request, context| match M::take(request) {
            Ok(params) => {
                let answer = handler(params, context);
                Box::pin(async move { defaults::encode(&answer.await?) })
            }
            Err(other) => Box::pin(ready(Err(defaults::refusal(other.method())))),
        });
        self.requests.insert(M::METHOD, on);
        self
    }

    /// Handles a notification of the server. Such closures run one after the other.
    pub fn on_notification<M, H, F>(mut self, handler: H) -> Self
    where
        M: TakeServerNotification,
        H: Fn(M::Params, Context) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let on: OnNotification =
            Box::new(move |message, context| match M::take(Arc::unwrap_or_clone(message).payload) {
                Ok(params) => Box::pin(handler(params, context)),
                Err(_) => Box::pin(ready(())),
            });
        self.notifications.insert(M::METHOD, on);
        self
    }

    /// The router, and what it leaves to the defaults: [`Router::unhandled`].
    pub fn build(self) -> Router {
        let asked = METHODS
            .iter()
            .filter(|info| info.direction == Direction::ServerToClient && info.kind == MethodKind::Request)
            .map(|info| info.method);
        let unhandled = asked.filter(|method| !self.requests.contains_key(method)).collect();
        Router { requests: self.requests, notifications: self.notifications, unhandled }
    }

    /// The router, if it handles every request of the server.
    ///
    /// # Errors
    /// What it does not handle.
    pub fn build_complete(self) -> Result<Router, IncompleteRouter> {
        let router = self.build();
        if router.unhandled.is_empty() {
            return Ok(router);
        }
        Err(IncompleteRouter { unhandled: router.unhandled })
    }
}

impl Handle for Router {
    fn request(self: Arc<Self>, request: ServerRequest, context: Context) -> Boxed<Result<RawJson, RpcError>> {
        match self.requests.get(request.method()) {
            Some(handler) => handler(request, context),
            None => Arc::new(Nobody).request(request, context),
        }
    }

    fn notification(self: Arc<Self>, message: Arc<Told>, context: Context) -> Boxed<()> {
        match self.notifications.get(message.payload.method()) {
            Some(handler) => handler(message, context),
            None => Box::pin(ready(())),
        }
    }

    fn wants_notifications(&self) -> bool {
        !self.notifications.is_empty()
    }
}
