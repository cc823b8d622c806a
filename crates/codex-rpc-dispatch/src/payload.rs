//! From the enums of all methods to one method's params.

use codex_rpc::{
    ClientRequest, ClientRequestMethod, NotificationMethod, ServerNotification, ServerRequest, ServerRequestMethod,
};

/// A server request whose params can be taken out of [`ServerRequest`]. Every marker in
/// [`codex_rpc::server_requests`] is one.
pub trait TakeServerRequest: ServerRequestMethod {
    /// The params, if the request is of this method.
    ///
    /// # Errors
    /// The request itself, if it is of another method.
    #[expect(clippy::result_large_err, reason = "the error is the input, given back")]
    fn take(request: ServerRequest) -> Result<Self::Params, ServerRequest>;
}

/// A notification of the server whose params can be taken out of
/// [`ServerNotification`].
pub trait TakeServerNotification: NotificationMethod {
    /// The params, if the notification is of this method.
    ///
    /// # Errors
    /// The notification itself, if it is of another method.
    #[expect(clippy::result_large_err, reason = "the error is the input, given back")]
    fn take(notification: ServerNotification) -> Result<Self::Params, ServerNotification>;
}

/// A client request whose params can be taken out of [`ClientRequest`].
pub trait TakeClientRequest: ClientRequestMethod {
    /// The params, if the request is of this method.
    ///
    /// # Errors
    /// The request itself, if it is of another method.
    #[expect(clippy::result_large_err, reason = "the error is the input, given back")]
    fn take(request: ClientRequest) -> Result<Self::Params, ClientRequest>;
}

/// Implements one of the traits for all markers of a module: those whose variant holds
/// the params, and those whose variant holds them in a box.
macro_rules! take {
    ($take:ident from $message:ident of $markers:ident {
        plain { $($plain:ident),* } boxed { $($boxed:ident),* }
    }) => {
        $(impl $crate::$take for ::codex_rpc::$markers::$plain {
            fn take(message: ::codex_rpc::$message) -> Result<Self::Params, ::codex_rpc::$message> {
                match message {
                    ::codex_rpc::$message::$plain(params) => Ok(params),
                    other => Err(other),
                }
            }
        })*
        $(impl $crate::$take for ::codex_rpc::$markers::$boxed {
            fn take(message: ::codex_rpc::$message) -> Result<Self::Params, ::codex_rpc::$message> {
                match message {
                    ::codex_rpc::$message::$boxed(params) => Ok(*params),
                    other => Err(other),
                }
            }
        })*
    };
}

pub(crate) use take;

#[cfg(test)]
mod tests {
    use codex_rpc::notifications::{TurnDiffUpdated, TurnStarted};
    use codex_rpc::requests::{AccountLogout, ThreadStart};
    use codex_rpc::server_requests::{ItemFileChangeRequestApproval, ItemPermissionsRequestApproval};
    use codex_rpc::types::{FileChangeRequestApprovalParams, ThreadStartParams, TurnDiffUpdatedNotification};
    use codex_rpc::{NoParams, UnrecognizedMethod};

    use super::*;

    #[test]
    fn params_are_taken_out_of_their_own_variant_only() {
        let params = TurnDiffUpdatedNotification::new("t", "u", "d");
        let told = ServerNotification::TurnDiffUpdated(params.clone());
        assert_eq!(TurnStarted::take(told.clone()), Err(told.clone()));
        assert_eq!(TurnDiffUpdated::take(told), Ok(params));

        let params = FileChangeRequestApprovalParams::new("t", "u", "i", 1);
        let asked = ServerRequest::ItemFileChangeRequestApproval(params.clone());
        assert_eq!(ItemPermissionsRequestApproval::take(asked.clone()), Err(asked.clone()));
        assert_eq!(ItemFileChangeRequestApproval::take(asked), Ok(params));
    }

    #[test]
    fn params_in_a_box_and_none_are_taken_too() {
        let params = ThreadStartParams::new().model("m");
        let start = ClientRequest::ThreadStart(Box::new(params.clone()));
        assert_eq!(AccountLogout::take(start.clone()), Err(start.clone()));
        assert_eq!(ThreadStart::take(start), Ok(params));
        assert_eq!(AccountLogout::take(ClientRequest::AccountLogout(NoParams::new())), Ok(NoParams::new()));
        let unknown = ClientRequest::Unrecognized(UnrecognizedMethod::default());
        assert_eq!(ThreadStart::take(unknown.clone()), Err(unknown));
    }
}
