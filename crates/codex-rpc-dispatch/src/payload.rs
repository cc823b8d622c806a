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
