//! The one place that reads the text of the server's errors.
//!
//! Nearly all of them have the code -32600 and no data (measured with 0.169.0), so their
//! text is all there is. A test over recorded sessions holds each of these.

use codex_rpc::{ErrorCode, RpcError};

/// What an error is about.
pub(super) enum Class {
    NotInitialized,
    /// What needs the experimental API.
    Experimental(String),
    ThreadNotFound,
    InvalidParams,
    Unauthorized,
    Other,
}

pub(super) fn classify(error: &RpcError) -> Class {
    let text = error.message.as_str();
    if error.code != ErrorCode::INVALID_REQUEST {
        return Class::Other;
    }
    if text == "Not initialized" {
        return Class::NotInitialized;
    }
    if let Some(what) = text.strip_suffix(" requires experimentalApi capability") {
        return Class::Experimental(what.to_owned());
    }
    if ["thread not found: ", "thread not loaded: ", "no rollout found for thread id "]
        .iter()
        .any(|start| text.starts_with(start))
    {
        return Class::ThreadNotFound;
    }
    if text.starts_with("Invalid request: ") || text.starts_with("invalid thread id: ") {
        return Class::InvalidParams;
    }
    // "chatgpt authentication required to …", "codex account authentication required to …",
    // also after "list remote plugin shares: ", and "remote control requires ChatGPT
    // authentication".
    if text.contains("authentication required") || text.ends_with(" requires ChatGPT authentication") {
        return Class::Unauthorized;
    }
    Class::Other
}

/// Whether a server does not know a method: it lists those that it knows.
pub(crate) fn is_unknown_method(error: &RpcError, method: &str) -> bool {
    let start = format!("Invalid request: unknown variant `{method}`, expected one of `initialize`");
    error.code == ErrorCode::INVALID_REQUEST && error.message.starts_with(&start)
}
