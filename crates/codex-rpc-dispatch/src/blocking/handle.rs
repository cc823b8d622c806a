//! Handlers without their types.

use std::panic::{AssertUnwindSafe, catch_unwind};

use codex_rpc::{ErrorCode, RawJson, RpcError, ServerNotification, ServerRequest};

use super::{Context, Handler};
use crate::generated::blocking_handler as generated;

/// What the driver asks of a handler.
pub(super) trait Handle: Send + Sync + 'static {
    fn request(&self, request: ServerRequest, context: Context) -> Result<RawJson, RpcError>;
    fn notification(&self, notification: ServerNotification, context: Context);
    /// Whether a request may run code of the user, which may take its time. If not, the
    /// default answers at once.
    fn takes_time(&self, request: &ServerRequest) -> bool;
    /// Whether notifications go to it at all.
    fn wants_notifications(&self) -> bool;
}

/// A handler of the generated trait.
pub(super) struct Typed<H>(pub(super) H);

impl<H: Handler> Handle for Typed<H> {
    fn request(&self, request: ServerRequest, context: Context) -> Result<RawJson, RpcError> {
        generated::handle_request(&self.0, request, context)
    }

    fn notification(&self, notification: ServerNotification, context: Context) {
        generated::handle_notification(&self.0, notification, context);
    }

    fn takes_time(&self, _: &ServerRequest) -> bool {
        true
    }

    fn wants_notifications(&self) -> bool {
        true
    }
}

/// Nobody handles anything: the defaults do.
pub(super) struct Nobody;

impl Handler for Nobody {}

impl Handle for Nobody {
    fn request(&self, request: ServerRequest, context: Context) -> Result<RawJson, RpcError> {
        generated::handle_request(self, request, context)
    }

    fn notification(&self, _: ServerNotification, _: Context) {}

    fn takes_time(&self, _: &ServerRequest) -> bool {
        false
    }

    fn wants_notifications(&self) -> bool {
        false
    }
}

/// Runs a handler; a panic becomes an error. The server is told that it panicked and not
/// with what: that may be secret.
pub(super) fn guarded<T>(handle: impl FnOnce() -> T) -> Result<T, RpcError> {
    catch_unwind(AssertUnwindSafe(handle))
        .map_err(|_| RpcError::new(ErrorCode::INTERNAL_ERROR, "the client's handler panicked"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use codex_rpc::types::{
        FileChangeApprovalDecision, FileChangeRequestApprovalParams, FileChangeRequestApprovalResponse,
        TurnDiffUpdatedNotification,
    };
    use codex_rpc::{Message, ServerMessage, UnrecognizedMethod};
    use serde_json::{Value, json};

    use super::super::client::WeakClient;
    use super::*;

    fn context() -> Context {
        Context::new(WeakClient::default(), None, None)
    }

    struct Nothing;
    impl Handler for Nothing {}

    #[derive(Default)]
    struct Mine(Mutex<Vec<String>>);
    impl Handler for Mine {
        fn item_file_change_request_approval(
            &self,
            params: FileChangeRequestApprovalParams,
            _: Context,
        ) -> Result<FileChangeRequestApprovalResponse, RpcError> {
            self.0.lock().unwrap().push(params.item_id);
            Ok(FileChangeRequestApprovalResponse::new(FileChangeApprovalDecision::Accept))
        }

        fn unrecognized_request(&self, request: UnrecognizedMethod, _: Context) -> Result<RawJson, RpcError> {
            self.0.lock().unwrap().push(request.method);
            RawJson::encode(&7).map_err(|_| RpcError::new(0, ""))
        }

        fn on_turn_diff_updated(&self, params: TurnDiffUpdatedNotification, _: Context) {
            self.0.lock().unwrap().push(params.diff);
        }

        fn on_unrecognized_notification(&self, notification: UnrecognizedMethod, _: Context) {
            self.0.lock().unwrap().push(notification.method);
        }
    }

    fn asked(method: &str) -> ServerRequest {
        let params = json!({"threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 1});
        let line = json!({"method": method, "id": 1, "params": params}).to_string();
        let Message::Request(request) = ServerMessage::from_json(&line).unwrap() else { panic!("a request") };
        request.payload
    }

    fn told(method: &str, params: &Value) -> ServerNotification {
        let line = json!({"method": method, "params": params}).to_string();
        let Message::Notification(told) = ServerMessage::from_json(&line).unwrap() else { panic!("a notification") };
        told.payload
    }

    #[test]
    fn what_nobody_handles_is_declined_or_refused_or_ignored() {
        let answer = generated::handle_request(&Nothing, asked("item/fileChange/requestApproval"), context()).unwrap();
        assert_eq!(answer.get(), r#"{"decision":"decline"}"#);
        let error = generated::handle_request(&Nothing, asked("moon/ask"), context()).unwrap_err();
        assert_eq!(error.code, ErrorCode::METHOD_NOT_FOUND);
        assert_eq!(error.message, "this client has no handler for moon/ask");
        let diff = json!({"threadId": "t", "turnId": "u", "diff": "d"});
        generated::handle_notification(&Nothing, told("turn/diff/updated", &diff), context());
        generated::handle_notification(&Nothing, told("moon/risen", &diff), context());
    }

    #[test]
    fn what_is_handled_gets_its_params_and_its_answer_is_sent() {
        let mine = Mine::default();
        let answer = generated::handle_request(&mine, asked("item/fileChange/requestApproval"), context()).unwrap();
        assert_eq!(answer.get(), r#"{"decision":"accept"}"#);
        assert_eq!(generated::handle_request(&mine, asked("moon/ask"), context()).unwrap().get(), "7");
        let diff = json!({"threadId": "t", "turnId": "u", "diff": "d"});
        generated::handle_notification(&mine, told("turn/diff/updated", &diff), context());
        generated::handle_notification(&mine, told("moon/risen", &diff), context());
        assert_eq!(mine.0.into_inner().unwrap(), ["i", "moon/ask", "d", "moon/risen"]);
    }
}
