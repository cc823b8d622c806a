//! The items that `codex exec` tells of.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::members::Members;

/// Something that was done in a turn: a message, a command, a change of files.
///
/// An item of a kind that this release doesn't know is [`Unrecognized`](Self::Unrecognized)
/// and keeps its JSON. One of a known kind that lacks a member is an error.
///
/// ```
/// use codex_rpc_client::exec::ExecItem;
///
/// let item: ExecItem = serde_json::from_str(r#"{"id": "item_0", "type": "agent_message", "text": "Hi."}"#)?;
/// let ExecItem::AgentMessage(message) = &item else { panic!() };
/// assert_eq!((item.id(), message.text.as_str()), (Some("item_0"), "Hi."));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum ExecItem {
    /// What the model said.
    #[serde(rename = "agent_message")]
    AgentMessage(AgentMessage),
    /// What the model thought, as a summary.
    #[serde(rename = "reasoning")]
    Reasoning(Reasoning),
    /// A command that was run.
    #[serde(rename = "command_execution")]
    CommandExecution(CommandExecution),
    /// Files that were changed.
    #[serde(rename = "file_change")]
    FileChange(FileChange),
    /// A call of a tool of an MCP server.
    #[serde(rename = "mcp_tool_call")]
    McpToolCall(McpToolCall),
    /// A call of a tool that starts, instructs or awaits another agent.
    #[serde(rename = "collab_tool_call")]
    CollabToolCall(CollabToolCall),
    /// A search in the web, or a page that was opened.
    #[serde(rename = "web_search")]
    WebSearch(WebSearch),
    /// The model's plan.
    #[serde(rename = "todo_list")]
    TodoList(TodoList),
    /// A warning or an error that did not end the turn.
    #[serde(rename = "error")]
    Error(ErrorItem),
    /// An item of a kind that this release doesn't know.
    #[serde(untagged)]
    Unrecognized(Value),
}

impl ExecItem {
    /// The item's id: `item_0`, `item_1`, … Each run counts from 0. None for an
    /// unrecognized item without one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::AgentMessage(item) => Some(&item.id),
            Self::Reasoning(item) => Some(&item.id),
            Self::CommandExecution(item) => Some(&item.id),
            Self::FileChange(item) => Some(&item.id),
            Self::McpToolCall(item) => Some(&item.id),
            Self::CollabToolCall(item) => Some(&item.id),
            Self::WebSearch(item) => Some(&item.id),
            Self::TodoList(item) => Some(&item.id),
            Self::Error(item) => Some(&item.id),
            Self::Unrecognized(raw) => raw.get("id").and_then(Value::as_str),
        }
    }

    /// The item's `type`, as it is on the wire.
    pub fn kind(&self) -> Option<&str> {
        Some(match self {
            Self::AgentMessage(_) => "agent_message",
            Self::Reasoning(_) => "reasoning",
            Self::CommandExecution(_) => "command_execution",
            Self::FileChange(_) => "file_change",
            Self::McpToolCall(_) => "mcp_tool_call",
            Self::CollabToolCall(_) => "collab_tool_call",
            Self::WebSearch(_) => "web_search",
            Self::TodoList(_) => "todo_list",
            Self::Error(_) => "error",
            Self::Unrecognized(raw) => return raw.get("type").and_then(Value::as_str),
        })
    }

    pub(super) fn from_members(members: Members) -> Result<Self, String> {
        let Some(kind) = members.text("type") else { return Err("item: missing field `type`".to_owned()) };
        let kind = kind.to_owned();
        match kind.as_str() {
            "agent_message" => members.record(&kind).map(Self::AgentMessage),
            "reasoning" => members.record(&kind).map(Self::Reasoning),
            "command_execution" => members.record(&kind).map(Self::CommandExecution),
            "file_change" => members.record(&kind).map(Self::FileChange),
            "mcp_tool_call" => members.record(&kind).map(Self::McpToolCall),
            "collab_tool_call" => members.record(&kind).map(Self::CollabToolCall),
            "web_search" => WebSearch::from_members(members).map(Self::WebSearch),
            "todo_list" => members.record(&kind).map(Self::TodoList),
            "error" => members.record(&kind).map(Self::Error),
            _ => Ok(Self::Unrecognized(members.into_value())),
        }
    }
}

impl<'de> Deserialize<'de> for ExecItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_members(Members::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What the model said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AgentMessage {
    /// The item's id.
    pub id: String,
    /// The text. With an output schema the last one is JSON.
    pub text: String,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What the model thought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reasoning {
    /// The item's id.
    pub id: String,
    /// The summary.
    pub text: String,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommandExecution {
    /// The item's id.
    pub id: String,
    /// The command line, with the shell that ran it.
    pub command: String,
    /// What it wrote to stdout and stderr until now.
    pub aggregated_output: String,
    /// How it ended; none while it runs and if it was not run.
    #[serde(deserialize_with = "required")]
    pub exit_code: Option<i32>,
    /// How far it is.
    pub status: ItemStatus,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Files that were changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileChange {
    /// The item's id.
    pub id: String,
    /// Which files, and how.
    pub changes: Vec<FileUpdate>,
    /// How far it is.
    pub status: ItemStatus,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A file that was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileUpdate {
    /// Its path. Of a file that was moved: the old one.
    pub path: String,
    /// What was done to it.
    pub kind: ChangeKind,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A call of a tool of an MCP server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpToolCall {
    /// The item's id.
    pub id: String,
    /// The server's name in the configuration.
    pub server: String,
    /// The tool's name.
    pub tool: String,
    /// The arguments.
    pub arguments: Value,
    /// What the tool answered, errors of its own included.
    #[serde(deserialize_with = "required")]
    pub result: Option<McpToolResult>,
    /// Why there is no answer.
    #[serde(deserialize_with = "required")]
    pub error: Option<ExecError>,
    /// How far it is.
    pub status: ItemStatus,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a tool of an MCP server answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpToolResult {
    /// The content blocks, as the server sent them.
    pub content: Vec<Value>,
    /// The same as data, where the server sent that, too; else `null`.
    #[serde(deserialize_with = "required_value")]
    pub structured_content: Value,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A message that says why something failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecError {
    /// The message.
    pub message: String,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A call of a tool for other agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollabToolCall {
    /// The item's id.
    pub id: String,
    /// Which tool.
    pub tool: CollabTool,
    /// The thread of the agent that calls.
    pub sender_thread_id: String,
    /// The threads of the agents that it is about.
    pub receiver_thread_ids: Vec<String>,
    /// What they were told.
    #[serde(deserialize_with = "required")]
    pub prompt: Option<String>,
    /// How those agents are, by thread id.
    pub agents_states: BTreeMap<String, CollabAgentState>,
    /// How far it is.
    pub status: ItemStatus,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How another agent is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollabAgentState {
    /// How it is.
    pub status: CollabAgentStatus,
    /// What it said in the end.
    #[serde(deserialize_with = "required")]
    pub message: Option<String>,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A search in the web.
///
/// Codex writes the member `id` twice: first the item's, then the search's. Both are
/// kept, and both are written again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WebSearch {
    /// The item's id.
    pub id: String,
    /// The search's own id: the second `id`.
    pub search_id: Option<String>,
    /// What was searched, or the address that was opened.
    pub query: String,
    /// What was done. Older releases say less.
    pub action: Option<WebSearchAction>,
    /// Members that this release doesn't know.
    pub extra: Map<String, Value>,
}

/// What a web search did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebSearchAction {
    /// What.
    #[serde(rename = "type")]
    pub kind: WebSearchKind,
    /// What was searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// All that was searched at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queries: Option<Vec<String>>,
    /// The page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What was looked for in the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The model's plan. It is completed at the end of the turn, after the last message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TodoList {
    /// The item's id.
    pub id: String,
    /// The steps.
    pub items: Vec<TodoItem>,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TodoItem {
    /// The step.
    pub text: String,
    /// Whether it is done.
    pub completed: bool,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A warning or an error that did not end the turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorItem {
    /// The item's id.
    pub id: String,
    /// The message.
    pub message: String,
    /// Members that this release doesn't know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A member that is always there, but may be `null`: without this, serde takes a missing
/// one for `null`.
fn required<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

fn required_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Value::deserialize(deserializer)
}

impl WebSearch {
    fn from_members(mut members: Members) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Rest {
            id: String,
            query: String,
            #[serde(default, deserialize_with = "present")]
            action: Option<WebSearchAction>,
            #[serde(flatten)]
            extra: Map<String, Value>,
        }
        fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WebSearchAction>, D::Error> {
            WebSearchAction::deserialize(deserializer).map(Some)
        }
        let search_id = match members.take_second("id") {
            None => None,
            Some(Value::String(id)) => Some(id),
            Some(other) => return Err(format!("item web_search: the second `id` is no string: {other}")),
        };
        let Rest { id, query, action, extra } = members.record("web_search")?;
        Ok(Self { id, search_id, query, action, extra })
    }
}

impl Serialize for WebSearch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        if let Some(id) = &self.search_id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("query", &self.query)?;
        if let Some(action) = &self.action {
            map.serialize_entry("action", action)?;
        }
        for (key, value) in &self.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// An enum of strings that keeps the ones it doesn't know.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// One that this release doesn't know.
            Unrecognized(String),
        }

        impl $name {
            /// As it is on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unrecognized(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Unrecognized(text),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

open_enum! {
    /// How far an item is.
    ItemStatus {
        /// It has begun.
        InProgress = "in_progress",
        /// It is done.
        Completed = "completed",
        /// It failed; a command: with an exit code other than 0.
        Failed = "failed",
        /// It was not allowed.
        Declined = "declined",
    }
}

open_enum! {
    /// What was done to a file.
    ChangeKind {
        /// It is new.
        Add = "add",
        /// It is gone.
        Delete = "delete",
        /// Its content was changed.
        Update = "update",
    }
}

open_enum! {
    /// A tool for other agents.
    CollabTool {
        /// Starts an agent.
        SpawnAgent = "spawn_agent",
        /// Tells an agent something.
        SendInput = "send_input",
        /// Waits for agents. Going on with an ended agent is told as this, too.
        Wait = "wait",
        /// Ends an agent.
        CloseAgent = "close_agent",
    }
}

open_enum! {
    /// How another agent is.
    CollabAgentStatus {
        /// It has not begun.
        PendingInit = "pending_init",
        /// It works.
        Running = "running",
        /// It was interrupted.
        Interrupted = "interrupted",
        /// It is done.
        Completed = "completed",
        /// It failed.
        Errored = "errored",
        /// It was ended.
        Shutdown = "shutdown",
        /// There is no such agent.
        NotFound = "not_found",
    }
}

open_enum! {
    /// What a web search did.
    WebSearchKind {
        /// Searched.
        Search = "search",
        /// Opened a page.
        OpenPage = "open_page",
        /// Looked for something in a page.
        FindInPage = "find_in_page",
        /// Something else.
        Other = "other",
    }
}
