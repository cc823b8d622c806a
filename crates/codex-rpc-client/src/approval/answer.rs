//! From a decision to the response of each request.

use codex_rpc::types::{
    AcceptWithExecpolicyAmendmentCommandExecutionApprovalDecision,
    ApplyNetworkPolicyAmendmentCommandExecutionApprovalDecision, ApplyPatchApprovalParams, ApplyPatchApprovalResponse,
    CommandExecutionApprovalDecision, CommandExecutionApprovalKind, CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse, DeniedReviewDecision, ExecCommandApprovalParams,
    ExecCommandApprovalResponse, FileChangeApprovalDecision, FileChangeRequestApprovalParams,
    FileChangeRequestApprovalResponse, GrantedPermissionProfile, McpServerElicitationAction,
    McpServerElicitationRequestParams, McpServerElicitationRequestResponse, PermissionGrantScope,
    PermissionsRequestApprovalParams, PermissionsRequestApprovalResponse, ReviewDecision, ToolRequestUserInputParams,
    ToolRequestUserInputResponse,
};
use codex_rpc::{Map, ProtocolType};
use serde_json::{Value, json};

use super::permission::Asked;
use super::{ApprovalRequest, Decision, Extent, Permission, Substitution};

/// A response, and the decision that it says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer<R> {
    /// What to send.
    pub response: R,
    /// The decision that is sent. It never permits more than the one that was made.
    pub decision: Decision,
    /// That, and why, it is not the one that was made.
    pub substitution: Option<Substitution>,
}

/// The params of a request for approval.
///
/// Implemented by the params of every server request that asks for approval, so that one
/// piece of code can look at each, decide, and answer.
///
/// ```
/// use codex_rpc_client::approval::{Approvable, Decision};
/// use codex_rpc_client::protocol::types::{CommandExecutionApprovalDecision, CommandExecutionRequestApprovalParams};
///
/// let params: CommandExecutionRequestApprovalParams = serde_json::from_str(r#"{
///     "kind": "command", "threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 0,
///     "command": "/bin/bash -lc 'touch one.txt'", "cwd": "/workspace",
///     "availableDecisions": ["accept", "cancel"]
/// }"#)?;
/// assert_eq!(params.view().command.unwrap().script(), "touch one.txt");
///
/// // The session's cache is not offered, so it is allowed only once.
/// let answer = params.answer(&Decision::AllowForSession);
/// assert_eq!(answer.response.decision, CommandExecutionApprovalDecision::Accept);
/// assert_eq!(answer.substitution.unwrap().asked, Decision::AllowForSession);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Approvable: sealed::Sealed {
    /// What the request is answered with.
    type Response: ProtocolType + PartialEq;

    /// What is asked for.
    fn view(&self) -> ApprovalRequest;

    /// The response that says a decision, or the next safer one that can be sent.
    ///
    /// - A session's approval that is not offered becomes one for once; an amendment that
    ///   is not offered word for word, too.
    /// - Approval for once that is not offered becomes a refusal.
    /// - Cancelling where there is only a refusal becomes that.
    /// - A refusal is always sent as it is. Servers up to 0.169 leave `decline` out of
    ///   `availableDecisions` and still take it.
    fn answer(&self, decision: &Decision) -> Answer<Self::Response>;

    /// The decision that a response says; none if it says something that no decision
    /// does, as a form that was filled in.
    fn decision(&self, response: &Self::Response) -> Option<Decision> {
        let view = self.view();
        let plain = [Decision::Deny, Decision::Cancel, Decision::Allow, Decision::AllowForSession];
        let amended = view.offered_exec_policy.into_iter().map(Decision::AllowWithExecPolicy);
        let network = view.offered_network_policies.into_iter().map(Decision::NetworkPolicy);
        plain.into_iter().chain(amended).chain(network).find(|decision| {
            let answer = self.answer(decision);
            answer.substitution.is_none() && answer.response == *response
        })
    }
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! sealed {
    ($($params:ty),*) => {
        $(impl sealed::Sealed for $params {})*
    };
}

sealed!(
    ApplyPatchApprovalParams,
    CommandExecutionRequestApprovalParams,
    ExecCommandApprovalParams,
    FileChangeRequestApprovalParams,
    McpServerElicitationRequestParams,
    PermissionsRequestApprovalParams,
    ToolRequestUserInputParams
);

const NOT_OFFERED: &str = "the server does not offer it for this request";
const NO_SUCH_ANSWER: &str = "this kind of request can't be answered so";
const NEEDS_CONTENT: &str = "it can be accepted only with content";
const NOTHING_READABLE: &str = "it asks for nothing that this release can grant";

/// An answer by `say`, with the first decision at or below `asked` that can be sent.
fn answer<R>(
    asked: &Decision,
    reason: &'static str,
    can_send: impl Fn(&Decision) -> bool,
    say: impl FnOnce(&Decision) -> R,
) -> Answer<R> {
    let decision = asked.at_most(can_send);
    let substitution = (decision != *asked).then(|| Substitution { asked: asked.clone(), reason });
    Answer { response: say(&decision), decision, substitution }
}

fn is_plain(decision: &Decision) -> bool {
    matches!(decision, Decision::Allow | Decision::AllowForSession | Decision::Deny | Decision::Cancel)
}

impl Approvable for CommandExecutionRequestApprovalParams {
    type Response = CommandExecutionRequestApprovalResponse;

    fn view(&self) -> ApprovalRequest {
        self.into()
    }

    fn answer(&self, decision: &Decision) -> Answer<Self::Response> {
        let view = self.view();
        // For a checkpoint the server takes these alone.
        let is_checkpoint = self.kind == CommandExecutionApprovalKind::HumanCommand;
        let can_send = |decision: &Decision| match decision {
            Decision::Deny => true,
            // Cancelling is offered as a rule; where nothing says a refusal, it stands for one.
            Decision::Cancel => view.offers(decision) || !view.offers(&Decision::Deny),
            Decision::Allow => view.offers(decision),
            _ => !is_checkpoint && view.offers(decision),
        };
        answer(decision, NOT_OFFERED, can_send, |decision| {
            use CommandExecutionApprovalDecision as Says;
            CommandExecutionRequestApprovalResponse::new(match decision {
                Decision::Allow => Says::Accept,
                Decision::AllowForSession => Says::AcceptForSession,
                Decision::AllowWithExecPolicy(words) => Says::AcceptWithExecpolicyAmendment(
                    AcceptWithExecpolicyAmendmentCommandExecutionApprovalDecision::new(words.clone()),
                ),
                Decision::NetworkPolicy(rule) => Says::ApplyNetworkPolicyAmendment(
                    ApplyNetworkPolicyAmendmentCommandExecutionApprovalDecision::new(rule.clone()),
                ),
                Decision::Deny => Says::Decline,
                Decision::Cancel => Says::Cancel,
            })
        })
    }
}

impl Approvable for FileChangeRequestApprovalParams {
    type Response = FileChangeRequestApprovalResponse;

    /// Without the changed files: see [`ApprovalRequest::with_changes`].
    fn view(&self) -> ApprovalRequest {
        self.into()
    }

    fn answer(&self, decision: &Decision) -> Answer<Self::Response> {
        answer(decision, NO_SUCH_ANSWER, is_plain, |decision| {
            use FileChangeApprovalDecision as Says;
            FileChangeRequestApprovalResponse::new(match decision {
                Decision::Allow => Says::Accept,
                Decision::AllowForSession => Says::AcceptForSession,
                Decision::Cancel => Says::Cancel,
                _ => Says::Decline,
            })
        })
    }
}

impl Approvable for PermissionsRequestApprovalParams {
    type Response = PermissionsRequestApprovalResponse;

    fn view(&self) -> ApprovalRequest {
        self.into()
    }

    /// All that is asked for and can be read, or nothing. For a part of it:
    /// [`grant_some`].
    fn answer(&self, decision: &Decision) -> Answer<Self::Response> {
        grant_some(self, decision, |_| true)
    }
}

/// The response to a request for permissions that grants a part of them.
///
/// A decision that allows grants what `keep` agrees to: for the turn, or for the session
/// with [`Decision::AllowForSession`]. What this release can't read is never granted, and
/// what narrows a permission is kept. If nothing is left the answer is a refusal.
///
/// ```
/// use codex_rpc_client::approval::{Decision, Permission, grant_some};
/// use codex_rpc_client::protocol::types::PermissionsRequestApprovalParams;
///
/// let params: PermissionsRequestApprovalParams = serde_json::from_str(r#"{
///     "threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 0, "cwd": "/workspace", "reason": null,
///     "permissions": {"network": {"enabled": true}, "fileSystem": {"read": null, "write": ["/tmp"]}}
/// }"#)?;
/// let answer = grant_some(&params, &Decision::Allow, |permission| *permission != Permission::Network);
/// let granted = serde_json::to_value(&answer.response.permissions)?;
/// assert_eq!(granted["fileSystem"]["write"][0], "/tmp");
/// assert!(answer.response.permissions.network.is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn grant_some(
    params: &PermissionsRequestApprovalParams,
    decision: &Decision,
    keep: impl Fn(&Permission) -> bool,
) -> Answer<PermissionsRequestApprovalResponse> {
    let granted = Asked::of(params).granted(keep);
    let is_empty = granted.network.is_none() && granted.file_system.is_none();
    let can_send = |decision: &Decision| match decision {
        Decision::Allow | Decision::AllowForSession => !is_empty,
        Decision::Deny => true,
        _ => false,
    };
    let reason = if decision.permits() && is_empty { NOTHING_READABLE } else { NO_SUCH_ANSWER };
    answer(decision, reason, can_send, |decision| {
        let (granted, scope) = match decision {
            Decision::AllowForSession => (granted, PermissionGrantScope::Session),
            Decision::Allow => (granted, PermissionGrantScope::Turn),
            _ => (GrantedPermissionProfile::new(), PermissionGrantScope::Turn),
        };
        PermissionsRequestApprovalResponse::new(granted).scope(scope)
    })
}

impl Approvable for McpServerElicitationRequestParams {
    type Response = McpServerElicitationRequestResponse;

    fn view(&self) -> ApprovalRequest {
        self.into()
    }

    /// Accepts only a form without fields, which is how the server asks about a tool of an
    /// MCP server. Everything else takes content, a visit to a page or a proof: that is for
    /// a hook, and here it is declined.
    fn answer(&self, decision: &Decision) -> Answer<Self::Response> {
        let persist = matches!(self, Self::Form(form) if offers_session(&form.meta));
        let can_send = |decision: &Decision| match decision {
            Decision::Allow => !self.needs_content(),
            Decision::AllowForSession => persist && !self.needs_content(),
            Decision::Deny | Decision::Cancel => true,
            _ => false,
        };
        let reason = if self.needs_content() { NEEDS_CONTENT } else { NOT_OFFERED };
        answer(decision, reason, can_send, |decision| {
            use McpServerElicitationAction as Says;
            let mut response = McpServerElicitationRequestResponse::new(match decision.extent() {
                Extent::Nothing if *decision == Decision::Cancel => Says::Cancel,
                Extent::Nothing => Says::Decline,
                _ => Says::Accept,
            });
            if *decision == Decision::AllowForSession {
                response.meta = json!({"persist": "session"});
            }
            response
        })
    }
}

/// Whether an answer can be remembered for the session.
fn offers_session(meta: &Value) -> bool {
    match meta.get("persist") {
        Some(Value::Array(offers)) => offers.iter().any(|offer| offer == "session"),
        Some(offer) => offer == "session",
        None => false,
    }
}

trait NeedsContent {
    fn needs_content(&self) -> bool;
}

impl NeedsContent for McpServerElicitationRequestParams {
    fn needs_content(&self) -> bool {
        match self {
            Self::Form(form) => {
                let schema = &form.requested_schema;
                !schema.properties.is_empty() || schema.required.as_ref().is_some_and(|names| !names.is_empty())
            }
            _ => true,
        }
    }
}

impl Approvable for ToolRequestUserInputParams {
    type Response = ToolRequestUserInputResponse;

    fn view(&self) -> ApprovalRequest {
        self.into()
    }

    /// No answers, whatever is decided: what to answer is for a hook.
    fn answer(&self, decision: &Decision) -> Answer<Self::Response> {
        let refuses = |decision: &Decision| *decision == Decision::Deny;
        let reason = if decision.permits() { NEEDS_CONTENT } else { NO_SUCH_ANSWER };
        answer(decision, reason, refuses, |_| ToolRequestUserInputResponse::new(Map::new()))
    }
}

fn review(decision: &Decision) -> ReviewDecision {
    match decision {
        Decision::Allow => ReviewDecision::Approved,
        Decision::AllowForSession => ReviewDecision::ApprovedForSession,
        Decision::Cancel => ReviewDecision::Abort,
        _ => ReviewDecision::Denied(DeniedReviewDecision::new("The client declined.")),
    }
}

impl Approvable for ApplyPatchApprovalParams {
    type Response = ApplyPatchApprovalResponse;

    fn view(&self) -> ApprovalRequest {
        self.into()
    }

    fn answer(&self, decision: &Decision) -> Answer<Self::Response> {
        answer(decision, NO_SUCH_ANSWER, is_plain, |decision| ApplyPatchApprovalResponse::new(review(decision)))
    }
}

impl Approvable for ExecCommandApprovalParams {
    type Response = ExecCommandApprovalResponse;

    fn view(&self) -> ApprovalRequest {
        self.into()
    }

    fn answer(&self, decision: &Decision) -> Answer<Self::Response> {
        answer(decision, NO_SUCH_ANSWER, is_plain, |decision| ExecCommandApprovalResponse::new(review(decision)))
    }
}
