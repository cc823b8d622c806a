//! What a hook knows beside the params.

use std::sync::Arc;

use codex_rpc::RequestId;
use codex_rpc_dispatch::tokio::{Client, Context};

use crate::approval::ApprovalRequest;

/// What a hook has beside the params.
#[derive(Clone)]
pub struct Asked {
    context: Context,
    request: Option<Arc<ApprovalRequest>>,
}

impl Asked {
    pub(super) fn new(context: Context) -> Self {
        Self { context, request: None }
    }

    pub(super) fn about(mut self, request: ApprovalRequest) -> Self {
        self.request = Some(Arc::new(request));
        self
    }

    /// What approval is asked for, if it is: with the files of a file change, which the
    /// params do not say. Its answer for a decision is made by
    /// [`Approvable::answer`](crate::approval::Approvable::answer).
    pub fn approval(&self) -> Option<&ApprovalRequest> {
        self.request.as_deref()
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
