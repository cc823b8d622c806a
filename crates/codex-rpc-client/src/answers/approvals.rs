//! Requests for approval: the hook, the policy, whoever is asked, or a refusal.

use std::sync::Arc;

use codex_rpc::ProtocolType;
use codex_rpc::server_requests::{
    ApplyPatchApproval, ExecCommandApproval, ItemCommandExecutionRequestApproval, ItemFileChangeRequestApproval,
    ItemPermissionsRequestApproval, ItemToolRequestUserInput, McpServerElicitationRequest,
};
use codex_rpc_dispatch::TakeServerRequest;
use codex_rpc_dispatch::tokio::RouterBuilder;

use super::{Answers, Asked, Asker, Surroundings};
use crate::approval::{Approvable, ApprovalRequest, Decision, RequestKind};

/// Who decided, and why.
pub(super) struct Decided {
    pub(super) decision: Decision,
    pub(super) by: By,
    #[cfg_attr(not(feature = "policy"), expect(dead_code, reason = "the audit log has it"))]
    pub(super) reason: Option<String>,
}

/// Who decided.
pub(super) enum By {
    #[cfg(feature = "policy")]
    Policy(Box<crate::policy::Verdict>),
    /// Whoever was asked.
    Asker,
    #[cfg(feature = "judge")]
    Judge,
    Nobody,
}

pub(super) fn register(
    mut router: RouterBuilder,
    answers: &Arc<Answers>,
    surroundings: &Surroundings,
) -> RouterBuilder {
    router = approval::<ItemCommandExecutionRequestApproval>(router, answers, surroundings);
    router = approval::<ItemFileChangeRequestApproval>(router, answers, surroundings);
    router = approval::<ItemPermissionsRequestApproval>(router, answers, surroundings);
    router = approval::<ItemToolRequestUserInput>(router, answers, surroundings);
    router = approval::<McpServerElicitationRequest>(router, answers, surroundings);
    router = approval::<ApplyPatchApproval>(router, answers, surroundings);
    approval::<ExecCommandApproval>(router, answers, surroundings)
}

fn approval<M>(router: RouterBuilder, answers: &Arc<Answers>, surroundings: &Surroundings) -> RouterBuilder
where
    M: TakeServerRequest + 'static,
    M::Params: Approvable<Response = M::Response> + Clone + Send + Sync,
    M::Response: ProtocolType + Send,
{
    let (answers, surroundings) = (Arc::clone(answers), surroundings.clone());
    router.on::<M, _, _>(move |params: M::Params, context| {
        let (answers, surroundings) = (Arc::clone(&answers), surroundings.clone());
        async move {
            let request = surroundings.view(&params).await;
            let _asking = surroundings.hub.asking(Some(&request.thread_id));
            let asked = Asked::new(context).about(request.clone());
            if let Some(response) = answers.hook::<M>(&params, &asked).await? {
                answers.audit_hook(&asked, &request, params.decision(&response).as_ref());
                return Ok(response);
            }
            let decided = answers.decide(&request).await;
            let answer = params.answer(&decided.decision);
            if let By::Nobody = decided.by {
                tracing::warn!(
                    method = M::METHOD,
                    thread = %request.thread_id,
                    "nothing decides about this request for approval: declined"
                );
            }
            answers.audit(&asked, &request, &decided, &answer.decision, answer.substitution.as_ref());
            Ok(answer.response)
        }
    })
}

impl Surroundings {
    /// The view of a request, with what its item would change.
    async fn view(&self, params: &impl Approvable) -> ApprovalRequest {
        let request = params.view();
        if request.kind != RequestKind::FileChange {
            return request;
        }
        // The item was told before the request, and may not have been taken in yet.
        self.flush().await;
        let changes = request.item_id.as_deref().and_then(|item| self.hub.changes(&request.thread_id, item));
        match changes {
            Some(changes) => request.with_changes(&changes),
            None => request,
        }
    }
}

impl Answers {
    /// Decides about a request that no hook has answered.
    async fn decide(&self, request: &ApprovalRequest) -> Decided {
        #[cfg(feature = "policy")]
        if let Some(policy) = &self.policy {
            match policy.decide(request) {
                Some(verdict) => {
                    let reason = verdict.reason.clone();
                    return match verdict.decision.clone() {
                        Some(decision) => Decided { decision, by: By::Policy(Box::new(verdict)), reason },
                        None => self.ask(request).await,
                    };
                }
                None => return nobody(),
            }
        }
        self.ask(request).await
    }

    async fn ask(&self, request: &ApprovalRequest) -> Decided {
        match &self.asker {
            None => nobody(),
            Some(Asker::Closure(asker)) => match asker(request.clone()).await {
                Some(decision) => Decided { decision, by: By::Asker, reason: None },
                None => nobody(),
            },
            #[cfg(feature = "judge")]
            Some(Asker::Judge(judge)) => {
                let session = self.session.get().and_then(std::sync::Weak::upgrade);
                let Some(inner) = session else { return nobody() };
                let (decision, reason) = judge.decide(&crate::Codex { inner }, request).await;
                Decided { decision, by: By::Judge, reason: Some(reason) }
            }
        }
    }
}

fn nobody() -> Decided {
    Decided { decision: Decision::Deny, by: By::Nobody, reason: None }
}
