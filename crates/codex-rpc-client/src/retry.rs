//! Which calls may be made twice.

/// Whether a method only reads, so that a call whose answer was lost can be made again.
///
/// By its last word: `read`, `list`, `search` and others that change nothing. A method
/// that is not known to read is taken to write.
///
/// ```
/// assert!(codex_rpc_client::is_read_only("thread/list"));
/// assert!(!codex_rpc_client::is_read_only("turn/start"));
/// ```
pub fn is_read_only(method: &str) -> bool {
    const WORDS: &[&str] = &[
        "checkGovCloudRequirements",
        "detect",
        "getMetadata",
        "info",
        "installed",
        "list",
        "listVoices",
        "read",
        "readDirectory",
        "readFile",
        "readHistories",
        "readiness",
        "search",
        "searchOccurrences",
        "status",
    ];
    const WHOLE: &[&str] = &[
        "fuzzyFileSearch",
        "getAuthStatus",
        "getConversationSummary",
        "gitDiffToRemote",
        "server/diagnostics",
        "thread/goal/get",
    ];
    let last = method.rsplit('/').next().unwrap_or(method);
    WORDS.contains(&last) || WHOLE.contains(&method)
}

#[cfg(test)]
mod tests {
    use codex_rpc::{Direction, METHODS, MethodKind};

    use super::is_read_only;

    #[test]
    fn no_method_that_changes_something_is_taken_to_read() {
        const CHANGES: &[&str] = &[
            "start",
            "set",
            "update",
            "delete",
            "write",
            "create",
            "add",
            "remove",
            "cancel",
            "login",
            "logout",
            "interrupt",
            "steer",
            "fork",
            "resume",
            "archive",
            "unarchive",
            "upload",
            "install",
            "uninstall",
            "spawn",
            "kill",
            "exec",
            "revert",
            "clear",
            "enable",
            "disable",
            "move",
            "import",
            "save",
            "consume",
            "setup",
        ];
        let calls = METHODS
            .iter()
            .filter(|info| info.direction == Direction::ClientToServer && info.kind == MethodKind::Request);
        let (reads, writes): (Vec<_>, Vec<_>) = calls.map(|info| info.method).partition(|method| is_read_only(method));
        assert!(reads.len() > 30, "{reads:?}");
        for method in reads {
            let last = method.rsplit('/').next().unwrap();
            assert!(!CHANGES.contains(&last), "{method}");
        }
        for method in ["turn/start", "command/exec", "thread/start", "config/value/write", "mcpServer/tool/call"] {
            assert!(writes.contains(&method), "{method}");
        }
    }
}
