//! What a request of the server is answered with that nobody handles.

use codex_rpc::{ErrorCode, ProtocolType as _, RawJson, RpcError, ServerRequestMethod};
use serde::Serialize;

use crate::generated::defaults;

/// The answer to a request of the server that nobody handles, which gives nothing away.
/// It is what the drivers answer by themselves.
///
/// # Errors
/// What can't be declined is refused with -32601.
///
/// ```
/// use codex_rpc::server_requests::ItemFileChangeRequestApproval;
/// use codex_rpc::types::FileChangeApprovalDecision;
///
/// let answer = codex_rpc_dispatch::default_answer::<ItemFileChangeRequestApproval>()?;
/// assert_eq!(answer.decision, FileChangeApprovalDecision::Decline);
/// # Ok::<(), codex_rpc::RpcError>(())
/// ```
pub fn default_answer<M: ServerRequestMethod>() -> Result<M::Response, RpcError> {
    answer::<M>()
}

/// The answer that gives nothing away: approvals are declined, and what can't be
/// declined is refused.
pub(crate) fn answer<M: ServerRequestMethod>() -> Result<M::Response, RpcError> {
    let text = defaults::default_answer(M::METHOD).ok_or_else(|| refusal(M::METHOD))?;
    <M::Response>::from_json(text).map_err(|_| refusal(M::METHOD))
}

/// -32601 for a request that has no handler.
pub(crate) fn refusal(method: &str) -> RpcError {
    RpcError::new(ErrorCode::METHOD_NOT_FOUND, format!("this client has no handler for {method}"))
}

/// The result that a handler gave, as it is sent.
pub(crate) fn encode<T: Serialize>(response: &T) -> Result<RawJson, RpcError> {
    RawJson::encode(response).map_err(|error| {
        RpcError::new(ErrorCode::INTERNAL_ERROR, format!("the handler's response can't be written as JSON: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use codex_rpc::server_requests::*;
    use codex_rpc::types::{
        CommandExecutionApprovalDecision, FileChangeApprovalDecision, McpServerElicitationAction, PermissionGrantScope,
        ReviewDecision,
    };
    use codex_rpc::{Direction, METHODS, MethodKind};
    use serde_json::{Value, json};

    use super::*;

    type Answers = BTreeMap<&'static str, Result<Value, RpcError>>;

    fn add<M: ServerRequestMethod>(answers: &mut Answers) {
        answers.insert(M::METHOD, answer::<M>().map(|response| serde_json::to_value(response).unwrap()));
    }

    #[test]
    fn approvals_are_declined_and_other_requests_refused() {
        let mut answers = Answers::new();
        add::<AccountChatgptAuthTokensRefresh>(&mut answers);
        add::<ApplyPatchApproval>(&mut answers);
        add::<AttestationGenerate>(&mut answers);
        add::<CurrentTimeRead>(&mut answers);
        add::<ExecCommandApproval>(&mut answers);
        add::<ItemCommandExecutionRequestApproval>(&mut answers);
        add::<ItemFileChangeRequestApproval>(&mut answers);
        add::<ItemPermissionsRequestApproval>(&mut answers);
        add::<ItemToolCall>(&mut answers);
        add::<ItemToolRequestUserInput>(&mut answers);
        add::<McpServerElicitationRequest>(&mut answers);

        let of_server = METHODS.iter().filter(|info| info.direction == Direction::ServerToClient);
        let mut methods: Vec<&str> =
            of_server.filter(|info| info.kind == MethodKind::Request).map(|info| info.method).collect();
        methods.sort_unstable();
        assert_eq!(answers.keys().copied().collect::<Vec<_>>(), methods, "every server request is tried");

        let denied = json!({"decision": {"denied": {"rejection": "this client has no handler for approvals"}}});
        let expected = BTreeMap::from([
            ("applyPatchApproval", denied.clone()),
            ("execCommandApproval", denied),
            ("item/commandExecution/requestApproval", json!({"decision": "decline"})),
            ("item/fileChange/requestApproval", json!({"decision": "decline"})),
            ("item/permissions/requestApproval", json!({"permissions": {}, "scope": "turn"})),
            ("mcpServer/elicitation/request", json!({"action": "decline", "content": null, "_meta": null})),
        ]);
        for (method, answer) in answers {
            match (answer, expected.get(method)) {
                (Ok(answer), Some(expected)) => assert_eq!(answer, *expected, "{method}"),
                (Err(error), None) => {
                    assert_eq!(error.code, ErrorCode::METHOD_NOT_FOUND, "{method}");
                    assert_eq!(error.message, format!("this client has no handler for {method}"));
                }
                (answer, _) => panic!("{method}: {answer:?}"),
            }
        }
    }

    /// A decision that this release does not know would decode, too.
    #[test]
    fn every_default_is_one_that_the_release_knows() {
        let decision = answer::<ItemCommandExecutionRequestApproval>().unwrap().decision;
        assert_eq!(decision, CommandExecutionApprovalDecision::Decline);
        let decision = answer::<ItemFileChangeRequestApproval>().unwrap().decision;
        assert_eq!(decision, FileChangeApprovalDecision::Decline);
        for decision in
            [answer::<ApplyPatchApproval>().unwrap().decision, answer::<ExecCommandApproval>().unwrap().decision]
        {
            assert!(matches!(&decision, ReviewDecision::Denied(denied) if denied.extra.is_empty()), "{decision:?}");
        }
        let elicitation = answer::<McpServerElicitationRequest>().unwrap();
        assert_eq!(elicitation.action, McpServerElicitationAction::Decline);
        assert!(elicitation.extra.is_empty());
        let granted = answer::<ItemPermissionsRequestApproval>().unwrap();
        assert_eq!((granted.permissions.network, granted.permissions.file_system), (None, None));
        assert_eq!(granted.scope, PermissionGrantScope::Turn);
        assert!(granted.extra.is_empty() && granted.permissions.extra.is_empty());
    }

    #[test]
    fn a_response_that_can_not_be_written_is_an_error_for_the_peer() {
        assert_eq!(encode(&json!({"decision": "decline"})).unwrap().get(), r#"{"decision":"decline"}"#);
        // JSON has no such key.
        let error = encode(&BTreeMap::from([([1], 2)])).unwrap_err();
        assert_eq!(error.code, ErrorCode::INTERNAL_ERROR);
        assert!(error.message.starts_with("the handler's response can't be written as JSON: "), "{}", error.message);
    }

    /// As a response of another release may be, for which the text was not chosen.
    #[test]
    fn a_default_that_is_no_response_becomes_a_refusal() {
        enum Other {}
        impl ServerRequestMethod for Other {
            type Params = codex_rpc::NoParams;
            type Response = codex_rpc::types::ToolRequestUserInputResponse;
            const METHOD: &'static str = "item/permissions/requestApproval";
            const EXPERIMENTAL: bool = false;
        }
        assert_eq!(answer::<Other>().unwrap_err().code, ErrorCode::METHOD_NOT_FOUND);
    }
}
