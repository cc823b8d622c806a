//! The scenarios that this crate comes with.

use super::{Scenario, ScenarioError};

macro_rules! scenarios {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".yaml")))),*]
    };
}

const SCENARIOS: &[(&str, &str)] = scenarios! {
    "account_key"
    "attestation"
    "auto_review"
    "background_terminals"
    "chatgpt_account"
    "chatgpt_account_read"
    "clock_sleep"
    "code_mode"
    "command_approval"
    "command_exec"
    "command_run"
    "command_sandboxed"
    "compaction"
    "compaction_auto"
    "config"
    "conversation"
    "current_time"
    "deltas_of_all_kinds"
    "diagnostics"
    "dynamic_tool"
    "environments"
    "experimental_refused"
    "external_import"
    "failures_context"
    "failures_http"
    "failures_retry"
    "failures_stream"
    "features"
    "filesystem"
    "fuzzy_search"
    "gateway_oauth"
    "git_diff"
    "goals"
    "guardian_override"
    "guardian_review"
    "history_resume"
    "hooks"
    "hooks_run"
    "images_generated"
    "initialized_empty"
    "initialized_never"
    "initialized_null"
    "interrupt"
    "interrupt_too_late"
    "long_numbers"
    "mcp"
    "mcp_approval"
    "mcp_fails"
    "mcp_login"
    "mcp_progress"
    "mcp_requests"
    "model_metadata"
    "models"
    "not_initialised"
    "opt_out"
    "overload"
    "params_forms"
    "patch_applied"
    "patch_approval"
    "patch_streaming"
    "permissions"
    "plan_update"
    "plugins"
    "process"
    "projects"
    "protocol_errors"
    "protocol_garbage"
    "providers"
    "queue"
    "queue_paused"
    "realtime"
    "realtime_ws"
    "remote_control"
    "remote_environment"
    "resume_in_new_process"
    "review"
    "shell_command"
    "skills"
    "stable_only"
    "steer"
    "stop_hook"
    "structured_output"
    "sub_agents"
    "sub_agents_v1"
    "terminal_interaction"
    "thread_changes"
    "thread_lifecycle"
    "threads"
    "token_refresh"
    "turn_settings"
    "unanswered"
    "unsubscribe_close"
    "user_input"
    "user_verification"
    "user_verification_granular"
    "web_and_images"
};

/// The names of the scenarios that this crate comes with, sorted.
pub fn builtins() -> impl ExactSizeIterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}

/// A scenario that this crate comes with.
///
/// # Errors
/// If there is none of this name; the error lists those with a similar name.
pub fn builtin(name: &str) -> Result<Scenario, ScenarioError> {
    let Some((_, text)) = SCENARIOS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = builtins().collect();
        return Err(ScenarioError(format!("there is no scenario `{name}`; there are {}", known.join(", "))));
    };
    Scenario::parse(text).map_err(|ScenarioError(error)| ScenarioError(format!("{name}.yaml: {error}")))
}
