//! Rules that answer requests for approval, and a log of what was decided.
//!
//! A [`Policy`] is a list of [rules](Rule). They are tried by priority, then in the order
//! they are given; the first that matches decides. Where none does, the policy's default
//! decides, and without one the policy has no opinion: the caller refuses, or asks someone.
//!
//! ```
//! use codex_rpc_client::approval::{Approvable, Decision};
//! use codex_rpc_client::policy::Policy;
//! use codex_rpc_client::protocol::types::CommandExecutionRequestApprovalParams;
//!
//! let policy = Policy::from_toml(r#"
//!     default = "ask"
//!     root = "/workspace"
//!
//!     [[rule]]
//!     name = "nothing leaves the machine"
//!     priority = 10
//!     action = "deny"
//!     program = ["curl", "wget", "ssh"]
//!     reason = "The network is off limits."
//!
//!     [[rule]]
//!     name = "look around"
//!     action = "allow"
//!     program = ["cat", "head", "ls", "wc"]
//!     argv_prefix = [["git", "status"], ["git", "diff"]]
//!
//!     [[rule]]
//!     name = "sources"
//!     action = "allow_for_session"
//!     path = ["src", "tests/**/*.rs"]
//! "#)?;
//!
//! let verdict = |command: &str| {
//!     let mut params = CommandExecutionRequestApprovalParams::new("thread", "turn", "item", 0);
//!     params.command = Some(format!("/bin/bash -lc '{command}'"));
//!     let verdict = policy.decide(&params.view()).unwrap();
//!     (verdict.decision, verdict.rule.and_then(|rule| rule.name))
//! };
//! assert_eq!(verdict("git status | head -n 3"), (Some(Decision::Allow), Some("look around".to_owned())));
//! // Every part must be allowed; nobody allows `rm`, so a person is asked.
//! assert_eq!(verdict("ls && rm -rf target"), (None, None));
//! // One part that is denied is enough.
//! assert_eq!(verdict("ls && curl example.com").0, Some(Decision::Deny));
//! # Ok::<(), codex_rpc_client::policy::PolicyError>(())
//! ```
//!
//! # The file
//!
//! | key | value |
//! |---|---|
//! | `default` | an action for what no rule matches |
//! | `root` | the absolute folder that relative paths are relative to |
//! | `[[rule]]` | a rule |
//! | `action` | `allow`, `allow_for_session`, `deny`, `cancel` or `ask`; required |
//! | `name`, `priority`, `reason`, `amend` | see [`Rule`]; a string, a whole number, a string, a boolean |
//! | `kind` | names of [`RequestKind`](crate::approval::RequestKind::name) |
//! | `program`, `regex`, `whole_regex`, `path`, `cwd`, `thread`, `host`, `tool` | strings |
//! | `argv_prefix` | a list of words, or a list of such lists |
//! | `permission` | `network`, `read`, `write` |
//!
//! A matcher takes one string or a list of them. A key that is not in the table is an
//! error, and so is an empty list.
//!
//! # What a policy is not
//!
//! It is no sandbox. A rule that allows is exact about *which* programs run, not about what
//! they do: `cargo test` runs code that the agent may have written. A rule that denies a
//! command is a net with holes: allow what is known instead of denying what is feared.

mod audit;
mod error;
mod file;
mod matching;
mod pattern;
mod rule;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::approval::{ApprovalRequest, Decision};

pub use audit::{AuditLog, AuditRecord, DecidedBy};
pub use error::{PolicyError, RuleProblem};
use matching::{Matcher, can_be_permitted};
pub use rule::{PermissionKind, Rule};

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Allows once: [`Decision::Allow`].
    Allow,
    /// Allows until the session ends: [`Decision::AllowForSession`].
    AllowForSession,
    /// Refuses: [`Decision::Deny`].
    Deny,
    /// Refuses and interrupts the turn: [`Decision::Cancel`].
    Cancel,
    /// Leaves it to a person or a judge.
    Ask,
}

impl Action {
    /// The name in a file: `allow`, `allow_for_session`, `deny`, `cancel`, `ask`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::AllowForSession => "allow_for_session",
            Self::Deny => "deny",
            Self::Cancel => "cancel",
            Self::Ask => "ask",
        }
    }

    /// Whether it allows anything.
    pub fn permits(self) -> bool {
        matches!(self, Self::Allow | Self::AllowForSession)
    }

    /// The decision; none for [`Ask`](Self::Ask).
    fn decision(self) -> Option<Decision> {
        match self {
            Self::Allow => Some(Decision::Allow),
            Self::AllowForSession => Some(Decision::AllowForSession),
            Self::Deny => Some(Decision::Deny),
            Self::Cancel => Some(Decision::Cancel),
            Self::Ask => None,
        }
    }
}

/// A rule's place in its policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RuleRef {
    /// The place in the order that the rules were given, from 0.
    pub index: usize,
    /// The name, if it has one.
    pub name: Option<String>,
}

impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}", self.index + 1)?;
        match &self.name {
            Some(name) => write!(f, " \"{name}\""),
            None => Ok(()),
        }
    }
}

/// What a policy says about a request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The action of the rule, or the default.
    pub action: Action,
    /// The decision to [answer](crate::approval::Approvable::answer) with; none if someone
    /// is to be asked.
    pub decision: Option<Decision>,
    /// The rule that matched; none for the default.
    pub rule: Option<RuleRef>,
    /// Why, in the rule's words.
    pub reason: Option<String>,
}

/// Rules that answer requests for approval.
#[derive(Debug, Default)]
pub struct Policy {
    /// In the order they are tried.
    rules: Vec<Matcher>,
    default: Option<Action>,
}

impl Policy {
    /// A policy from code.
    ///
    /// ```
    /// use codex_rpc_client::policy::{Action, Policy, Rule};
    ///
    /// let policy = Policy::builder()
    ///     .rule(Rule::allow().name("look around").program("ls").argv_prefix(["git", "status"]))
    ///     .rule(Rule::deny().name("secrets").path("**/.env").priority(10))
    ///     .default_action(Action::Deny)
    ///     .build()?;
    /// # let _ = policy;
    /// # Ok::<(), codex_rpc_client::policy::PolicyError>(())
    /// ```
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::default()
    }

    /// A policy from the text of a TOML file.
    ///
    /// # Errors
    /// [`PolicyError::Syntax`] with line and column, [`PolicyError::Rule`] with the rule.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        file::parse(text, None)
    }

    /// A policy from a TOML file.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml), with the file, and if it can't be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| PolicyError::Read { path: path.to_owned(), error })?;
        file::parse(&text, Some(path))
    }

    /// What the policy says about a request; none if no rule matches and there is no
    /// default, and also if the default would allow what no policy can allow.
    pub fn decide(&self, request: &ApprovalRequest) -> Option<Verdict> {
        if let Some(matcher) = self.rules.iter().find(|matcher| matcher.matches(request)) {
            return Some(Verdict {
                action: matcher.rule.action,
                decision: matcher.decision(request),
                rule: Some(matcher.place.clone()),
                reason: matcher.rule.reason.clone(),
            });
        }
        let action = self.default.filter(|action| !action.permits() || can_be_permitted(request.kind))?;
        Some(Verdict { action, decision: action.decision(), rule: None, reason: None })
    }
}

/// Makes a [`Policy`].
#[derive(Clone, Debug, Default)]
#[must_use = "call build()"]
pub struct PolicyBuilder {
    rules: Vec<Rule>,
    default: Option<Action>,
    root: Option<PathBuf>,
}

impl PolicyBuilder {
    /// Adds a rule, after those of the same priority.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// What is done where no rule matches. Without it the policy has no opinion then.
    pub fn default_action(mut self, action: Action) -> Self {
        self.default = Some(action);
        self
    }

    /// The folder that relative paths in rules are relative to. It is absolute.
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// [`PolicyError::Rule`] if a rule makes no sense, [`PolicyError::Root`] if the root is
    /// not absolute.
    pub fn build(self) -> Result<Policy, PolicyError> {
        let root = self.root.as_deref();
        if let Some(root) = root.filter(|root| !root.is_absolute()) {
            return Err(PolicyError::Root { root: root.to_owned() });
        }
        let mut rules: Vec<Matcher> = Vec::with_capacity(self.rules.len());
        for (index, rule) in self.rules.into_iter().enumerate() {
            let place = RuleRef { index, name: rule.name.clone() };
            let same = rules.iter().find(|other| other.place.name.is_some() && other.place.name == place.name);
            let matcher = match same {
                Some(other) => Err(RuleProblem::SameName { other: other.place.clone() }),
                None => Matcher::new(rule, place.clone(), root),
            };
            rules.push(matcher.map_err(|problem| PolicyError::Rule {
                path: None,
                line: None,
                rule: place,
                problem,
            })?);
        }
        rules.sort_by_key(|matcher| std::cmp::Reverse(matcher.rule.priority));
        Ok(Policy { rules, default: self.default })
    }
}
