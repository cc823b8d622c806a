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
