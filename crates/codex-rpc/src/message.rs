//! The entry points: from text to messages and back.
//!
//! They are concrete, so that the whole protocol is compiled for them once, in
//! this crate, and not again in every crate that uses it.

use serde::de::{DeserializeOwned, Error as _};

use crate::runtime::note;
use crate::{AnyMessage, ClientNotification, ClientRequest, DecodeError, Message, ServerNotification, ServerRequest};

/// A message of the app-server.
pub type ServerMessage = Message<ServerRequest, ServerNotification>;

/// A message of a client.
pub type ClientMessage = Message<ClientRequest, ClientNotification>;

/// What a message mostly has room in, so that encoding asks for memory once.
const USUAL_SIZE: usize = 512;

/// Decodes JSON text.
///
/// ```
/// use codex_rpc::types::TurnStatus;
///
/// let status: TurnStatus = codex_rpc::from_json(r#""inProgress""#)?;
/// assert_eq!(status, TurnStatus::InProgress);
/// # Ok::<(), codex_rpc::DecodeError>(())
/// ```
///
/// # Errors
/// When the text is no JSON or of another shape than `T`; the error tells where.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, DecodeError> {
    note::forget_path(0);
    serde_json::from_str(text).map_err(DecodeError::new)
}

/// Decodes JSON text that was not checked to be UTF-8 yet.
///
/// # Errors
/// Those of [`from_json`], and when the bytes are no UTF-8.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    from_json(utf8(bytes)?)
}

/// Checking the whole line at once is faster than checking string by string.
fn utf8(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|error| {
        note::forget_path(0);
        DecodeError::new(serde_json::Error::custom(format_args!("not UTF-8: {error}")))
    })
}

macro_rules! entry_points {
    ($($message:ident),*) => {$(
        impl $message {
            /// Decodes a message from one line or frame.
            ///
            /// # Errors
            /// When the text is no JSON or no message, or when a method that is
            /// known has params of another shape.
            pub fn from_json(text: &str) -> Result<Self, DecodeError> {
                note::forget_path(0);
                Self::from_text(text).map_err(DecodeError::new)
            }

            /// Decodes a message from bytes that were not checked to be UTF-8 yet.
            ///
            /// # Errors
            /// Those of [`from_json`](Self::from_json), and when the bytes are no
            /// UTF-8.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, DecodeError> {
                Self::from_json(utf8(bytes)?)
            }

            /// Encodes the message on one line, without a line break at its end.
            ///
            /// # Errors
            /// Never for a message of this crate.
            pub fn to_json(&self) -> Result<String, serde_json::Error> {
                let mut text = Vec::with_capacity(USUAL_SIZE);
                serde_json::to_writer(&mut text, self)?;
                String::from_utf8(text).map_err(serde_json::Error::custom)
            }
        }
    )*};
}

entry_points!(ServerMessage, ClientMessage, AnyMessage);
