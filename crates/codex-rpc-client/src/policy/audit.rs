//! A log of every decision.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use codex_rpc::RequestId;
use jiff::Timestamp;
use serde::Serialize;

use super::{RuleRef, Verdict};
use crate::approval::{ApprovalRequest, Decision, Substitution};

/// Who made a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecidedBy {
    /// A hook of the application, or a person that it asked.
    Hook,
    /// A rule of the policy.
    Rule(RuleRef),
    /// The policy's default.
    PolicyDefault,
    /// A judge.
    Judge,
    /// Nobody: what is not decided is refused.
    Default,
}

impl DecidedBy {
    /// The name in audit logs: `hook`, `rule`, `policy_default`, `judge`, `default`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Rule(_) => "rule",
            Self::PolicyDefault => "policy_default",
            Self::Judge => "judge",
            Self::Default => "default",
        }
    }
}

impl From<&Verdict> for DecidedBy {
    fn from(verdict: &Verdict) -> Self {
        verdict.rule.clone().map_or(Self::PolicyDefault, Self::Rule)
    }
}

/// A decision, for an [`AuditLog`].
#[derive(Clone, Debug)]
#[must_use = "a record does nothing until it is written"]
pub struct AuditRecord<'a> {
    id: &'a RequestId,
    request: &'a ApprovalRequest,
    decision: Option<&'a Decision>,
    decided_by: DecidedBy,
    substitution: Option<&'a Substitution>,
    reason: Option<&'a str>,
}

impl<'a> AuditRecord<'a> {
    /// What was sent for a request, and who decided it; without a decision if it was an
    /// answer of another kind, as a form that a hook filled in.
    pub fn new(
        id: &'a RequestId,
        request: &'a ApprovalRequest,
        decision: impl Into<Option<&'a Decision>>,
        decided_by: DecidedBy,
    ) -> Self {
        Self { id, request, decision: decision.into(), decided_by, substitution: None, reason: None }
    }

    /// That another decision was made than was sent.
    pub fn substitution(mut self, substitution: Option<&'a Substitution>) -> Self {
        self.substitution = substitution;
        self
    }

    /// Why it was decided so.
    pub fn reason(mut self, reason: Option<&'a str>) -> Self {
        self.reason = reason;
        self
    }
}

/// A log of decisions in JSON Lines.
///
/// Each line is an object, in which what does not apply is left out:
///
/// | member | what |
/// |---|---|
/// | `time` | when it was written, RFC 3339 in UTC |
/// | `request_id` | of the server's request; unique only within a connection |
/// | `kind` | [`RequestKind::name`](crate::approval::RequestKind::name) |
/// | `thread_id`, `turn_id`, `item_id` | where it was asked |
/// | `command` | the text as the server sent it |
/// | `cwd`, `paths`, `grant_root`, `host`, `mcp_server`, `mcp_tool` | what it is about |
/// | `permissions` | what was asked for: `network`, `read PATH`, `write PATH`, `unrecognized` |
/// | `request_reason` | why, in the agent's words |
/// | `decision` | what was sent: [`Decision::name`], or `other` |
/// | `amendment` | the rule that the server was told to keep |
/// | `decided_by` | [`DecidedBy::name`] |
/// | `rule`, `rule_index` | the rule that decided: its name, and its place in the policy from 0 |
/// | `reason` | why it was decided so |
/// | `substituted_for`, `substitution_reason` | what was decided, where that could not be sent |
///
/// **Commands may contain secrets**, and are logged unless
/// [`without_commands`](Self::without_commands) or [`redact`](Self::redact) says otherwise.
/// Contents of files, answers to questions and contents of forms are never logged.
///
/// A line is written with one call, so that several processes can append to one file.
/// What can't be written changes no decision; the first failure is reported through
/// `tracing`, all are counted in [`lost`](Self::lost).
///
/// ```
/// use codex_rpc_client::approval::{ApprovalRequest, Approvable, Decision};
/// use codex_rpc_client::policy::{AuditLog, AuditRecord, DecidedBy};
/// use codex_rpc_client::protocol::{RequestId, types::FileChangeRequestApprovalParams};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.jsonl");
/// let log = AuditLog::to_file(&path)?;
/// let params = FileChangeRequestApprovalParams::new("thread", "turn", "item", 0);
/// let answer = params.answer(&Decision::Deny);
/// log.write(AuditRecord::new(&RequestId::from(0), &params.view(), &answer.decision, DecidedBy::Default));
///
/// let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
/// assert_eq!(line["decision"], "deny");
/// # Ok(())
/// # }
/// ```
pub struct AuditLog {
    writer: Mutex<Box<dyn Write + Send>>,
    commands: bool,
    redact: Option<Box<Redact>>,
    lost: AtomicU64,
}

type Redact = dyn Fn(&str) -> String + Send + Sync;

impl AuditLog {
    /// Appends to a file, which is made if it does not exist; on Unix so that only its
    /// owner can read it.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn to_file(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self::to_writer(options.open(path)?))
    }

    /// Writes to anything. It is flushed after every line.
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self { writer: Mutex::new(Box::new(writer)), commands: true, redact: None, lost: AtomicU64::new(0) }
    }

    /// Leaves out `command` and `request_reason`, which may repeat it.
    #[must_use]
    pub fn without_commands(mut self) -> Self {
        self.commands = false;
        self
    }

    /// Passes `command` and `request_reason` through a function that hides secrets.
    #[must_use]
    pub fn redact(mut self, redact: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.redact = Some(Box::new(redact));
        self
    }

    /// How many records could not be written.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Writes a record.
    #[expect(clippy::needless_pass_by_value, reason = "a record is made for this call")]
    pub fn write(&self, record: AuditRecord<'_>) {
        if let Err(error) = self.try_write(&record) {
            if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::error!(%error, "the audit log can't be written; further failures are not reported");
            }
        }
    }

    fn try_write(&self, record: &AuditRecord<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(&self.line(record))?;
        line.push(b'\n');
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(&line)?;
        writer.flush()
    }

    fn line<'a>(&self, record: &'a AuditRecord<'_>) -> Line<'a> {
        let request = record.request;
        let shown = |text: &str| self.redact.as_ref().map_or_else(|| text.to_owned(), |redact| redact(text));
        let rule = match &record.decided_by {
            DecidedBy::Rule(rule) => Some(rule),
            _ => None,
        };
        Line {
            time: Timestamp::now().to_string(),
            request_id: record.id,
            kind: request.kind.name(),
            thread_id: &request.thread_id,
            turn_id: request.turn_id.as_deref(),
            item_id: request.item_id.as_deref(),
            command: request.command.as_ref().filter(|_| self.commands).map(|command| shown(command.text())),
            cwd: request.cwd.as_deref(),
            paths: request.changed_paths.iter().map(AsRef::as_ref).collect(),
            grant_root: request.grant_root.as_deref(),
            host: request.host.as_deref(),
            mcp_server: request.mcp_server.as_deref(),
            mcp_tool: request.mcp_tool.as_deref(),
            permissions: request.permissions.iter().map(ToString::to_string).collect(),
            request_reason: request.reason.as_deref().filter(|_| self.commands).map(shown),
            decision: record.decision.map_or("other", Decision::name),
            amendment: match record.decision {
                Some(Decision::AllowWithExecPolicy(words)) => Some(Amendment::ExecPolicy(words)),
                Some(Decision::NetworkPolicy(rule)) => {
                    Some(Amendment::NetworkPolicy { host: &rule.host, action: rule.action.as_str() })
                }
                _ => None,
            },
            decided_by: record.decided_by.name(),
            rule: rule.and_then(|rule| rule.name.as_deref()),
            rule_index: rule.map(|rule| rule.index),
            reason: record.reason,
            substituted_for: record.substitution.map(|substitution| substitution.asked.name()),
            substitution_reason: record.substitution.map(|substitution| substitution.reason),
        }
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("commands", &self.commands).field("lost", &self.lost()).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    request_id: &'a RequestId,
    kind: &'static str,
    thread_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<&'a Path>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paths: Vec<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_root: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mcp_server: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mcp_tool: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_reason: Option<String>,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amendment: Option<Amendment<'a>>,
    decided_by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    substituted_for: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    substitution_reason: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Amendment<'a> {
    ExecPolicy(&'a [String]),
    NetworkPolicy { host: &'a str, action: &'a str },
}
