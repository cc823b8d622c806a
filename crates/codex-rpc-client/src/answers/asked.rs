//! What a hook knows beside the params.

use codex_rpc::RequestId;
use codex_rpc_dispatch::tokio::{Client, Context};

/// What a hook has beside the params.
#[derive(Clone)]
pub struct Asked {
    context: Context,
}

impl Asked {
    pub(super) fn new(context: Context) -> Self {
        Self { context }
    }

    /// The request's id; `serverRequest/resolved` names it when the server no longer
    /// waits for the answer.
    pub fn request_id(&self) -> Option<&RequestId> {
        self.context.request_id()
    }

    /// The client of the connection that the request came over; none if it has been
    /// dropped. A hook may call it: nothing waits for the hook but the request.
    pub fn client(&self) -> Option<Client> {
        self.context.client()
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").field("request_id", &self.request_id()).finish_non_exhaustive()
    }
}
