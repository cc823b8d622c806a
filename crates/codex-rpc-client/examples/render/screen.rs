//! A session as text. Nothing here reads or writes: notifications in, styled text out.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use codex_rpc_client::protocol::ServerNotification;
use codex_rpc_client::protocol::types::{
    CommandExecutionStatus, CommandExecutionThreadItem, FileChangeThreadItem, FileUpdateChange, PatchChangeKind,
    Thread, ThreadItem, TurnPlanStepStatus, TurnPlanUpdatedNotification, TurnStatus, UserInput,
};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const ITALIC: Style = Style::new().italic();
const USER: Style = AnsiColor::Cyan.on_default();
const AGENT: Style = AnsiColor::Magenta.on_default().italic();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const HUNK: Style = AnsiColor::Cyan.on_default();

fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// What is said about a session before its first turn.
pub fn header(release: &str, thread: &Thread) -> String {
    let mut text = format!("codex {release}\n--------\n");
    let effort = thread.reasoning_effort.as_ref().map(ToString::to_string);
    let members = [
        ("workdir", Some(thread.cwd.to_string())),
        ("model", thread.model.clone()),
        ("provider", Some(thread.model_provider.clone())),
        ("reasoning effort", effort),
        ("session id", Some(thread.id.clone())),
    ];
    for (name, value) in members {
        let _ = writeln!(text, "{} {}", styled(BOLD, &format!("{name}:")), value.as_deref().unwrap_or("none"));
    }
    text.push_str("--------\n");
    text
}

/// What a turn is shown as. It only keeps what a later notification needs.
#[derive(Debug, Default)]
pub struct Screen {
    tokens: Option<i64>,
}

impl Screen {
    /// A notification as text, with styles; empty if it is not shown.
    pub fn show(&mut self, notification: &ServerNotification) -> String {
        match notification {
            ServerNotification::ItemStarted(started) => match &started.item {
                ThreadItem::CommandExecution(command) => begun(command),
                _ => String::new(),
            },
            ServerNotification::ItemCompleted(completed) => item(&completed.item),
            ServerNotification::TurnPlanUpdated(plan) => steps(plan),
            ServerNotification::ThreadTokenUsageUpdated(usage) => {
                self.tokens = Some(usage.token_usage.total.total_tokens);
                String::new()
            }
            ServerNotification::Error(error) => {
                let what = if error.will_retry { "trying again" } else { "error" };
                format!("{} {}\n", styled(BAD, &format!("{what}:")), error.error.message)
            }
            ServerNotification::Warning(warning) => format!("{} {}\n", styled(BAD, "warning:"), warning.message),
            ServerNotification::TurnCompleted(completed) => {
                let mut text = match &completed.turn.status {
                    TurnStatus::Completed => String::new(),
                    other => format!("{}\n", styled(BAD, &format!("turn {other}"))),
                };
                if let Some(tokens) = self.tokens {
                    let _ = writeln!(text, "{}\n{}", styled(DIM, "tokens used"), thousands(tokens));
                }
                text
            }
            _ => String::new(),
        }
    }
}

fn item(item: &ThreadItem) -> String {
    match item {
        ThreadItem::UserMessage(message) => {
            let texts: Vec<_> = message.content.iter().map(input).collect();
            format!("{}\n{}\n", styled(USER, "user"), texts.join("\n"))
        }
        ThreadItem::AgentMessage(message) => format!("{}\n{}\n", styled(AGENT, "codex"), message.text),
        ThreadItem::Reasoning(reasoning) => {
            let texts: Vec<_> = reasoning.summary.iter().map(|text| styled(DIM, text) + "\n").collect();
            texts.concat()
        }
        ThreadItem::CommandExecution(command) => ended(command),
        ThreadItem::FileChange(change) => patch(change),
        ThreadItem::McpToolCall(call) => {
            format!("{} {}.{} {}\n", styled(AGENT, "tool"), call.server, call.tool, styled(DIM, call.status.as_str()))
        }
        ThreadItem::WebSearch(search) => format!("{} {}\n", styled(AGENT, "web search"), search.query),
        ThreadItem::ExitedReviewMode(review) => format!("{}\n{}\n", styled(AGENT, "review"), review.review),
        ThreadItem::ContextCompaction(_) => format!("{}\n", styled(DIM, "the history was made shorter")),
        // What is told elsewhere, and what this does not know.
        _ => String::new(),
    }
}

fn input(input: &UserInput) -> String {
    match input {
        UserInput::Text(text) => text.text.clone(),
        other => format!("({})", other.tag()),
    }
}

fn begun(command: &CommandExecutionThreadItem) -> String {
    format!("{}\n{} in {}\n", styled(AGENT, "exec"), styled(BOLD, &command.command), command.cwd)
}

fn ended(command: &CommandExecutionThreadItem) -> String {
    let took = command.duration_ms.map(|ms| format!(" in {}", duration(ms))).unwrap_or_default();
    let (style, how) = match (&command.status, command.exit_code) {
        (CommandExecutionStatus::Completed, _) => (GOOD, format!("succeeded{took}:")),
        (CommandExecutionStatus::Failed, Some(code)) => (BAD, format!("exited {code}{took}:")),
        (status, _) => (BAD, format!("{status}{took}")),
    };
    let mut text = format!(" {}\n", styled(style, &how));
    if let Some(output) = command.aggregated_output.as_deref().filter(|output| !output.is_empty()) {
        text.push_str(output);
        if !output.ends_with('\n') {
            text.push('\n');
        }
    }
    text.push('\n');
    text
}

fn patch(change: &FileChangeThreadItem) -> String {
    let mut text = format!("{} {}\n", styled(BOLD, "patch:"), change.status);
    for change in &change.changes {
        diff(change, &mut text);
    }
    text.push('\n');
    text
}

/// A change as a diff. The server sends one for a file that was changed, and the whole
/// text of one that is new or gone.
fn diff(change: &FileUpdateChange, text: &mut String) {
    let (old, new, whole) = match &change.kind {
        PatchChangeKind::Add(_) => ("/dev/null", change.path.as_str(), Some('+')),
        PatchChangeKind::Delete(_) => (change.path.as_str(), "/dev/null", Some('-')),
        PatchChangeKind::Update(update) => {
            (change.path.as_str(), update.move_path.as_ref().map_or(change.path.as_str(), |path| path.as_str()), None)
        }
        PatchChangeKind::Unrecognized(_) => (change.path.as_str(), change.path.as_str(), None),
    };
    let _ = writeln!(text, "{}\n{}", styled(DIM, &format!("--- {old}")), styled(DIM, &format!("+++ {new}")));
    for line in change.diff.lines() {
        let line = whole.map_or_else(|| line.to_owned(), |sign| format!("{sign}{line}"));
        let style = match line.as_bytes().first() {
            Some(b'+') => GOOD,
            Some(b'-') => BAD,
            Some(b'@') => HUNK,
            _ => Style::new(),
        };
        let _ = writeln!(text, "{}", styled(style, &line));
    }
}

fn steps(plan: &TurnPlanUpdatedNotification) -> String {
    let mut text = format!("{}\n", styled(ITALIC, plan.explanation.as_deref().unwrap_or("plan")));
    for step in &plan.plan {
        let (style, mark) = match step.status {
            TurnPlanStepStatus::Completed => (GOOD, '✓'),
            TurnPlanStepStatus::InProgress => (USER, '→'),
            _ => (DIM, '•'),
        };
        let _ = writeln!(text, "  {} {}", styled(style, &mark.to_string()), step.step);
    }
    text
}

fn duration(milliseconds: i64) -> String {
    match milliseconds {
        ..1_000 => format!("{milliseconds}ms"),
        1_000..60_000 => format!("{}.{}s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{}m {}s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
