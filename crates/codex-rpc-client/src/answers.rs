//! What the server's requests are answered with.
//!
//! In this order: the hook for the method; for approvals the policy, and whoever is to be
//! asked; for calls of tools those of the thread; then the default, which gives nothing
//! away.

mod approvals;
mod asked;
mod audit;
mod defaults;
mod tools;

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use codex_rpc::server_requests::{AccountChatgptAuthTokensRefresh, AttestationGenerate, CurrentTimeRead};
use codex_rpc::{RpcError, ServerRequestMethod};
use codex_rpc_dispatch::TakeServerRequest;
use codex_rpc_dispatch::tokio::{Router, RouterBuilder};
use tokio::sync::{mpsc, oneshot};

use crate::approval::{ApprovalRequest, Decision};
use crate::session::{Flush, Hub};

pub use asked::Asked;

pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a hook returns: an answer, none if it leaves it to what comes after it, or an
/// error for the server.
pub type HookAnswer<R> = Result<Option<R>, RpcError>;

type Hook<M> = Box<
    dyn Fn(<M as ServerRequestMethod>::Params, Asked) -> Boxed<HookAnswer<<M as ServerRequestMethod>::Response>>
        + Send
        + Sync,
>;

/// Puts the handler of a method into a router.
type Register = fn(RouterBuilder, &Arc<Answers>, &Surroundings) -> RouterBuilder;

/// All that answers the server.
#[derive(Default)]
pub(crate) struct Answers {
    /// By method: a [`Hook`] of that method.
    hooks: HashMap<&'static str, Box<dyn Any + Send + Sync>>,
    registers: HashMap<&'static str, Register>,
    pub(crate) asker: Option<Asker>,
    #[cfg(feature = "policy")]
    pub(crate) policy: Option<crate::policy::Policy>,
    #[cfg(feature = "policy")]
    pub(crate) audit: Option<crate::policy::AuditLog>,
    /// The session that is answered for, once there is one.
    #[cfg(feature = "judge")]
    pub(crate) session: std::sync::OnceLock<std::sync::Weak<crate::session::Inner>>,
}

/// Who decides about a request for approval, if they can.
pub(crate) enum Asker {
    Closure(Box<dyn Fn(ApprovalRequest) -> Boxed<Option<Decision>> + Send + Sync>),
    #[cfg(feature = "judge")]
    Judge(Box<crate::Judge>),
}

/// What the handlers of a connection have in common.
#[derive(Clone)]
struct Surroundings {
    hub: Arc<Hub>,
    flush: mpsc::Sender<Flush>,
}

impl Surroundings {
    /// Waits until everything that was said before has been taken in.
    async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.flush.send(done).await.is_ok() {
            let _ = flushed.await;
        }
    }
}

impl Answers {
    pub(crate) fn on<M, H, F>(&mut self, hook: H)
    where
        M: TakeServerRequest + 'static,
        M::Params: Clone + Send + Sync,
        M::Response: Send,
        H: Fn(M::Params, Asked) -> F + Send + Sync + 'static,
        F: Future<Output = HookAnswer<M::Response>> + Send + 'static,
    {
        let hook: Hook<M> = Box::new(move |params, asked| Box::pin(hook(params, asked)));
        self.hooks.insert(M::METHOD, Box::new(hook));
        self.registers.insert(M::METHOD, plain::<M>);
    }

    /// The router of a connection.
    pub(crate) fn router(self: &Arc<Self>, hub: &Arc<Hub>, flush: mpsc::Sender<Flush>) -> Router {
        let surroundings = Surroundings { hub: Arc::clone(hub), flush };
        let mut router = Router::builder();
        // So that the log says what nothing handles.
        router = plain::<AccountChatgptAuthTokensRefresh>(router, self, &surroundings);
        router = plain::<AttestationGenerate>(router, self, &surroundings);
        router = plain::<CurrentTimeRead>(router, self, &surroundings);
        for register in self.registers.values() {
            router = register(router, self, &surroundings);
        }
        // These have more than a hook and a default.
        router = approvals::register(router, self, &surroundings);
        tools::register(router, self, &surroundings).build()
    }

    async fn hook<M>(&self, params: &M::Params, asked: &Asked) -> HookAnswer<M::Response>
    where
        M: TakeServerRequest + 'static,
        M::Params: Clone + Send + Sync,
    {
        let hook = self.hooks.get(M::METHOD).and_then(|hook| hook.downcast_ref::<Hook<M>>());
        match hook {
            Some(hook) => hook(params.clone(), asked.clone()).await,
            None => Ok(None),
        }
    }
}

/// A hook, then the default.
fn plain<M>(router: RouterBuilder, answers: &Arc<Answers>, _: &Surroundings) -> RouterBuilder
where
    M: TakeServerRequest + 'static,
    M::Params: Clone + Send + Sync,
    M::Response: Send,
{
    let answers = Arc::clone(answers);
    router.on::<M, _, _>(move |params, context| {
        let answers = Arc::clone(&answers);
        async move {
            let asked = Asked::new(context);
            match answers.hook::<M>(&params, &asked).await? {
                Some(answer) => Ok(answer),
                None => defaults::answer::<M>(&asked),
            }
        }
    })
}
