//! What is decided, and what of it the server offers.

use codex_rpc::types::{CommandExecutionApprovalDecision as Offered, NetworkPolicyAmendment, NetworkPolicyRuleAction};

/// An answer to a request for approval.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Decision {
    /// Yes, this once. For permissions: for the rest of the turn.
    Allow,
    /// Yes, and don't ask again in this session. What counts as the same is the server's
    /// choice: the same command, changes to the same files, the same tool.
    AllowForSession,
    /// Yes, and commands that begin with these words are never asked about again. Only
    /// where the server offers exactly these words.
    AllowWithExecPolicy(Vec<String>),
    /// A lasting rule for a host, which allows or denies it. Only where the server offers
    /// exactly this rule.
    NetworkPolicy(NetworkPolicyAmendment),
    /// No. The turn goes on, and the model is told.
    Deny,
    /// No, and the turn is interrupted.
    Cancel,
}

/// How much a decision permits, from nothing to everything like it for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Extent {
    /// Nothing.
    Nothing,
    /// What is asked for, once.
    Once,
    /// The same again, until the session ends.
    Session,
    /// More than that, for longer.
    Lasting,
}

/// That another decision was sent than was made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Substitution {
    /// What was decided.
    pub asked: Decision,
    /// Why that could not be sent.
    pub reason: &'static str,
}

impl Decision {
    /// How much the decision permits.
    pub fn extent(&self) -> Extent {
        match self {
            Self::Deny | Self::Cancel => Extent::Nothing,
            Self::Allow => Extent::Once,
            Self::AllowForSession => Extent::Session,
            Self::NetworkPolicy(rule) if rule.action == NetworkPolicyRuleAction::Deny => Extent::Nothing,
            Self::AllowWithExecPolicy(_) | Self::NetworkPolicy(_) => Extent::Lasting,
        }
    }

    /// Whether the decision permits anything.
    pub fn permits(&self) -> bool {
        self.extent() > Extent::Nothing
    }

    /// The name in policies and audit logs: `allow`, `allow_for_session`,
    /// `allow_with_exec_policy`, `network_policy`, `deny`, `cancel`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::AllowForSession => "allow_for_session",
            Self::AllowWithExecPolicy(_) => "allow_with_exec_policy",
            Self::NetworkPolicy(_) => "network_policy",
            Self::Deny => "deny",
            Self::Cancel => "cancel",
        }
    }

    /// The decision that the server's list speaks of; none if this release does not know
    /// it.
    pub(super) fn from_offer(offer: &Offered) -> Option<Self> {
        Some(match offer {
            Offered::Accept => Self::Allow,
            Offered::AcceptForSession => Self::AllowForSession,
            Offered::Decline => Self::Deny,
            Offered::Cancel => Self::Cancel,
            Offered::AcceptWithExecpolicyAmendment(amendment) => {
                Self::AllowWithExecPolicy(amendment.execpolicy_amendment.clone())
            }
            Offered::ApplyNetworkPolicyAmendment(amendment) => {
                Self::NetworkPolicy(amendment.network_policy_amendment.clone())
            }
            Offered::Unrecognized(_) => return None,
        })
    }

    /// The first decision at or below this one, on the way to a refusal, that can be sent.
    ///
    /// Never one that permits more. A refusal needs no offer: servers list `accept` and
    /// `cancel` and still take `decline`, and to cancel instead would end the turn.
    pub(super) fn at_most(&self, can_send: impl Fn(&Self) -> bool) -> Self {
        if can_send(self) {
            return self.clone();
        }
        let safer = match self {
            Self::NetworkPolicy(_) if self.permits() => Self::Allow,
            Self::AllowWithExecPolicy(_) | Self::AllowForSession => Self::Allow,
            Self::Allow | Self::NetworkPolicy(_) | Self::Cancel => Self::Deny,
            Self::Deny => return Self::Deny,
        };
        safer.at_most(can_send)
    }
}
