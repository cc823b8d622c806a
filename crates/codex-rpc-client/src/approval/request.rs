//! One view of everything that a server asks approval for.

use std::path::{Path, PathBuf};

use codex_rpc::ServerRequest;
use codex_rpc::types::{
    ApplyPatchApprovalParams, CommandExecutionApprovalKind, CommandExecutionRequestApprovalParams,
    ExecCommandApprovalParams, FileChange, FileChangeRequestApprovalParams, FileUpdateChange,
    McpServerElicitationRequestParams, NetworkPolicyAmendment, PatchChangeKind, PermissionsRequestApprovalParams,
    ToolRequestUserInputParams,
};
use serde_json::Value;

use super::path::absolute;
use super::permission::Asked;
use super::{Command, Decision, Permission};

/// What the server asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// To run a command.
    Command,
    /// To write to the standard input of a command that runs.
    CommandInput,
    /// That a command reaches a host.
    Network,
    /// A checkpoint that wants a fresh decision by a person. No policy allows it.
    HumanCheckpoint,
    /// To change files.
    FileChange,
    /// More permissions.
    Permissions,
    /// To call a tool of an MCP server.
    McpTool,
    /// Something else that an MCP server wants to know.
    Elicitation,
    /// Answers to questions of the model.
    UserInput,
    /// Something that this release does not know. No policy allows it.
    Unrecognized,
}

impl RequestKind {
    /// Every kind that has a name in policies.
    pub const NAMED: [Self; 9] = [
        Self::Command,
        Self::CommandInput,
        Self::Network,
        Self::HumanCheckpoint,
        Self::FileChange,
        Self::Permissions,
        Self::McpTool,
        Self::Elicitation,
        Self::UserInput,
    ];

    /// The name in policies and audit logs: `command`, `command_input`, `network`,
    /// `human_checkpoint`, `file_change`, `permissions`, `mcp_tool`, `elicitation`,
    /// `user_input`, `unrecognized`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::CommandInput => "command_input",
            Self::Network => "network",
            Self::HumanCheckpoint => "human_checkpoint",
            Self::FileChange => "file_change",
            Self::Permissions => "permissions",
            Self::McpTool => "mcp_tool",
            Self::Elicitation => "elicitation",
            Self::UserInput => "user_input",
            Self::Unrecognized => "unrecognized",
        }
    }
}

/// What the server asks approval for: all kinds in one shape, which a policy matches and
/// an audit log keeps.
///
/// Paths are absolute and without `.` and `..`, by their text alone: a symbolic link may
/// lead elsewhere, and `link/..` is not where the link leads to. Where the server gives a
/// relative path and no folder, it stays relative, and no rule that allows matches it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ApprovalRequest {
    /// What is asked about.
    pub kind: RequestKind,
    /// The thread.
    pub thread_id: String,
    /// The turn; none for some elicitations and for methods of version 1.
    pub turn_id: Option<String>,
    /// The item, or the call id of version 1; none for elicitations.
    pub item_id: Option<String>,
    /// The command, where there is one.
    pub command: Option<Command>,
    /// The working folder, as the server says it; none where it does not.
    pub cwd: Option<PathBuf>,
    /// The files that are changed, those that are moved by both names.
    pub changed_paths: Vec<PathBuf>,
    /// Whether [`changed_paths`](Self::changed_paths) is known to be all of them.
    pub changed_paths_complete: bool,
    /// A folder that the agent wants to write in for the rest of the session.
    pub grant_root: Option<PathBuf>,
    /// Permissions that are asked for, for a command or for the turn.
    pub permissions: Vec<Permission>,
    /// The host that is to be reached.
    pub host: Option<String>,
    /// The MCP server that asks or is to be called.
    pub mcp_server: Option<String>,
    /// The tool of the MCP server.
    pub mcp_tool: Option<String>,
    /// Why, in the words of the agent or the MCP server.
    pub reason: Option<String>,
    /// The words of an exec policy amendment that is offered.
    pub offered_exec_policy: Option<Vec<String>>,
    /// Network policy amendments that are offered.
    pub offered_network_policies: Vec<NetworkPolicyAmendment>,
    /// The decisions that the server lists; none if it lists none, and then all that the
    /// kind knows can be sent. Decisions that this release does not know are left out.
    pub available_decisions: Option<Vec<Decision>>,
}

impl ApprovalRequest {
    fn new(kind: RequestKind, thread_id: &str) -> Self {
        Self {
            kind,
            thread_id: thread_id.to_owned(),
            turn_id: None,
            item_id: None,
            command: None,
            cwd: None,
            changed_paths: Vec::new(),
            changed_paths_complete: false,
            grant_root: None,
            permissions: Vec::new(),
            host: None,
            mcp_server: None,
            mcp_tool: None,
            reason: None,
            offered_exec_policy: None,
            offered_network_policies: Vec::new(),
            available_decisions: None,
        }
    }

    /// The view of a server's request; none if it is no request for approval.
    pub fn from_server_request(request: &ServerRequest) -> Option<Self> {
        Some(match request {
            ServerRequest::ItemCommandExecutionRequestApproval(params) => Self::from(&**params),
            ServerRequest::ItemFileChangeRequestApproval(params) => Self::from(params),
            ServerRequest::ItemPermissionsRequestApproval(params) => Self::from(&**params),
            ServerRequest::ItemToolRequestUserInput(params) => Self::from(params),
            ServerRequest::McpServerElicitationRequest(params) => Self::from(params),
            ServerRequest::ApplyPatchApproval(params) => Self::from(params),
            ServerRequest::ExecCommandApproval(params) => Self::from(&**params),
            _ => return None,
        })
    }

    /// Adds the files of a file change, from the item that the request names: the request
    /// itself does not say them.
    #[must_use]
    pub fn with_changes<'a>(mut self, changes: impl IntoIterator<Item = &'a FileUpdateChange>) -> Self {
        let changes = changes.into_iter().map(|change| match &change.kind {
            PatchChangeKind::Add(_) | PatchChangeKind::Delete(_) => (change.path.as_str(), None, true),
            PatchChangeKind::Update(update) => (change.path.as_str(), update.move_path.as_ref(), true),
            PatchChangeKind::Unrecognized(_) => (change.path.as_str(), None, false),
        });
        self.set_changes(changes);
        self
    }

    fn set_changes<'a>(&mut self, changes: impl Iterator<Item = (&'a str, Option<&'a String>, bool)>) {
        self.changed_paths.clear();
        self.changed_paths_complete = true;
        for (path, moved_to, is_known) in changes {
            let paths = [Some(path), moved_to.map(String::as_str)].into_iter().flatten();
            self.changed_paths.extend(paths.map(|path| absolute(path, self.cwd.as_deref())));
            self.changed_paths_complete &= is_known;
        }
    }

    /// Whether the server would take a decision, by its list.
    pub(crate) fn offers(&self, decision: &Decision) -> bool {
        match &self.available_decisions {
            Some(listed) => listed.contains(decision),
            None => match decision {
                Decision::AllowWithExecPolicy(words) => self.offered_exec_policy.as_ref() == Some(words),
                Decision::NetworkPolicy(rule) => self.offered_network_policies.contains(rule),
                _ => true,
            },
        }
    }
}

impl From<&CommandExecutionRequestApprovalParams> for ApprovalRequest {
    fn from(params: &CommandExecutionRequestApprovalParams) -> Self {
        let kind = match &params.kind {
            CommandExecutionApprovalKind::Command if params.network_approval_context.is_some() => RequestKind::Network,
            CommandExecutionApprovalKind::Command => RequestKind::Command,
            CommandExecutionApprovalKind::WriteStdin => RequestKind::CommandInput,
            CommandExecutionApprovalKind::HumanCommand => RequestKind::HumanCheckpoint,
            CommandExecutionApprovalKind::Unrecognized(_) => RequestKind::Unrecognized,
        };
        let cwd = params.cwd.as_ref().map(|cwd| absolute(&cwd.0, None));
        let permissions = params.additional_permissions.as_ref().map(|asked| {
            let asked = Asked {
                network: asked.network.as_ref(),
                file_system: asked.file_system.as_ref(),
                has_unknown: !asked.extra.is_empty(),
                cwd: cwd.as_deref(),
            };
            asked.permissions()
        });
        let listed = params.available_decisions.as_ref();
        let available: Option<Vec<_>> = listed.map(|list| list.iter().filter_map(Decision::from_offer).collect());
        let mut view = Self::new(kind, &params.thread_id);
        view.turn_id = Some(params.turn_id.clone());
        view.item_id = Some(params.item_id.clone());
        view.command = params.command.as_deref().map(Command::from_text);
        view.permissions = permissions.unwrap_or_default();
        view.host = params.network_approval_context.as_ref().map(|context| context.host.clone());
        view.reason.clone_from(&params.reason);
        view.offered_exec_policy.clone_from(&params.proposed_execpolicy_amendment);
        view.offered_network_policies = params.proposed_network_policy_amendments.clone().unwrap_or_default();
        view.cwd = cwd;
        view.available_decisions = available;
        view
    }
}

/// Without the changed files: see [`with_changes`](ApprovalRequest::with_changes).
impl From<&FileChangeRequestApprovalParams> for ApprovalRequest {
    fn from(params: &FileChangeRequestApprovalParams) -> Self {
        let mut view = Self::new(RequestKind::FileChange, &params.thread_id);
        view.turn_id = Some(params.turn_id.clone());
        view.item_id = Some(params.item_id.clone());
        view.grant_root = params.grant_root.as_ref().map(|root| absolute(root, None));
        view.reason.clone_from(&params.reason);
        view
    }
}

impl From<&PermissionsRequestApprovalParams> for ApprovalRequest {
    fn from(params: &PermissionsRequestApprovalParams) -> Self {
        let mut view = Self::new(RequestKind::Permissions, &params.thread_id);
        view.turn_id = Some(params.turn_id.clone());
        view.item_id = Some(params.item_id.clone());
        view.cwd = Some(absolute(&params.cwd.0, None));
        view.permissions = Asked::of(params).permissions();
        view.reason.clone_from(&params.reason);
        view
    }
}

impl From<&ToolRequestUserInputParams> for ApprovalRequest {
    fn from(params: &ToolRequestUserInputParams) -> Self {
        let mut view = Self::new(RequestKind::UserInput, &params.thread_id);
        view.turn_id = Some(params.turn_id.clone());
        view.item_id = Some(params.item_id.clone());
        let questions: Vec<&str> = params.questions.iter().map(|question| question.question.as_str()).collect();
        view.reason = (!questions.is_empty()).then(|| questions.join("\n"));
        view
    }
}

impl From<&McpServerElicitationRequestParams> for ApprovalRequest {
    fn from(params: &McpServerElicitationRequestParams) -> Self {
        use McpServerElicitationRequestParams as Params;
        let (thread, turn, server, meta, message) = match params {
            Params::Form(form) => (&form.thread_id, &form.turn_id, &form.server_name, &form.meta, &form.message),
            Params::OpenaiForm(form) => (&form.thread_id, &form.turn_id, &form.server_name, &form.meta, &form.message),
            Params::OpenaiFormCamelCase(form) => {
                (&form.thread_id, &form.turn_id, &form.server_name, &form.meta, &form.message)
            }
            Params::Url(url) => (&url.thread_id, &url.turn_id, &url.server_name, &url.meta, &url.message),
            Params::OpenaiUserVerification(asked) => {
                (&asked.thread_id, &asked.turn_id, &asked.server_name, &asked.meta, &asked.description)
            }
            Params::Unrecognized(other) => {
                let text = |name| other.fields.get(name).and_then(Value::as_str).map(str::to_owned);
                let thread = text("threadId").unwrap_or_default();
                let mut view = Self::new(RequestKind::Unrecognized, &thread);
                view.turn_id = text("turnId");
                view.mcp_server = text("serverName");
                view.reason = text("message");
                return view;
            }
        };
        let is_tool = matches!(params, Params::Form(_))
            && meta.get("codex_approval_kind").and_then(Value::as_str) == Some("mcp_tool_call");
        let tool = meta.get("tool_name").and_then(Value::as_str).filter(|_| is_tool);
        let kind = if tool.is_some() { RequestKind::McpTool } else { RequestKind::Elicitation };
        let mut view = Self::new(kind, thread);
        view.turn_id.clone_from(turn);
        view.mcp_server = Some(server.clone());
        view.mcp_tool = tool.map(str::to_owned);
        view.reason = Some(message.clone());
        view
    }
}

impl From<&ExecCommandApprovalParams> for ApprovalRequest {
    fn from(params: &ExecCommandApprovalParams) -> Self {
        let mut view = Self::new(RequestKind::Command, &params.conversation_id.0);
        view.item_id = Some(params.call_id.clone());
        view.command = Some(Command::from_argv(params.command.clone()));
        view.cwd = Some(absolute(Path::new(&params.cwd), None));
        view.reason.clone_from(&params.reason);
        view
    }
}

impl From<&ApplyPatchApprovalParams> for ApprovalRequest {
    fn from(params: &ApplyPatchApprovalParams) -> Self {
        let mut view = Self::new(RequestKind::FileChange, &params.conversation_id.0);
        view.item_id = Some(params.call_id.clone());
        view.grant_root = params.grant_root.as_ref().map(|root| absolute(root, None));
        view.reason.clone_from(&params.reason);
        view.set_changes(params.file_changes.iter().map(|(path, change)| match change {
            FileChange::Add(_) | FileChange::Delete(_) => (path, None, true),
            FileChange::Update(update) => (path, update.move_path.as_ref(), true),
            FileChange::Unrecognized(_) => (path, None, false),
        }));
        view
    }
}
