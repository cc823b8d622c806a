//! Every decision, for those who look at it later.

use super::approvals::Decided;
use super::{Answers, Asked};
use crate::approval::{ApprovalRequest, Decision, Substitution};

#[cfg(feature = "policy")]
impl Answers {
    pub(super) fn audit_hook(&self, asked: &Asked, request: &ApprovalRequest, decision: Option<&Decision>) {
        use crate::policy::DecidedBy;
        self.write(asked, request, decision, DecidedBy::Hook, None, None);
    }

    pub(super) fn audit(
        &self,
        asked: &Asked,
        request: &ApprovalRequest,
        decided: &Decided,
        sent: &Decision,
        substitution: Option<&Substitution>,
    ) {
        use super::approvals::By;
        use crate::policy::DecidedBy;
        let by = match &decided.by {
            By::Policy(verdict) => DecidedBy::from(&**verdict),
            By::Asker => DecidedBy::Hook,
            #[cfg(feature = "judge")]
            By::Judge => DecidedBy::Judge,
            By::Nobody => DecidedBy::Default,
        };
        self.write(asked, request, Some(sent), by, substitution, decided.reason.as_deref());
    }

    fn write(
        &self,
        asked: &Asked,
        request: &ApprovalRequest,
        decision: Option<&Decision>,
        by: crate::policy::DecidedBy,
        substitution: Option<&Substitution>,
        reason: Option<&str>,
    ) {
        let (Some(log), Some(id)) = (&self.audit, asked.request_id()) else { return };
        log.write(crate::policy::AuditRecord::new(id, request, decision, by).substitution(substitution).reason(reason));
    }
}

#[cfg(not(feature = "policy"))]
impl Answers {
    #[expect(clippy::unused_self, reason = "there is a log with the policy only")]
    pub(super) fn audit_hook(&self, _: &Asked, _: &ApprovalRequest, _: Option<&Decision>) {}

    #[expect(clippy::unused_self, reason = "there is a log with the policy only")]
    pub(super) fn audit(&self, _: &Asked, _: &ApprovalRequest, _: &Decided, _: &Decision, _: Option<&Substitution>) {}
}
