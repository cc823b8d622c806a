//! The entry points: from text to messages and back.
//!
//! They are concrete, so that the whole protocol is compiled for them once, in
//! this crate, and not again in every crate that uses it.

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

use crate::runtime::{append_text, note, to_text};
use crate::{AnyMessage, ClientNotification, ClientRequest, DecodeError, Message, ServerNotification, ServerRequest};

/// A message of the app-server.
pub type ServerMessage = Message<ServerRequest, ServerNotification>;

/// A message of a client.
pub type ClientMessage = Message<ClientRequest, ClientNotification>;

/// What a message mostly has room in, so that encoding asks for memory once.
const USUAL_SIZE: usize = 512;

/// A type of the protocol: every one of [`types`](crate::types), the messages, and
/// what they are made of, lists and maps of such types among it.
///
/// JSON text of such a type is read and written without a detour through serde's
/// traits. It can't be implemented outside of this crate.
///
/// ```
/// use codex_rpc::ProtocolType as _;
/// use codex_rpc::types::TurnStatus;
///
/// let status = TurnStatus::from_json(r#""inProgress""#)?;
/// assert_eq!(codex_rpc::to_json(&status)?, r#""inProgress""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ProtocolType: Serialize + DeserializeOwned + sealed::Sealed {
    /// Decodes JSON text: what [`from_json`] does, but quicker.
    ///
    /// # Errors
    /// When the text is no JSON or of another shape; the error tells where.
    fn from_json(text: &str) -> Result<Self, DecodeError> {
        note::forget_path(0);
        Self::from_text(text).map_err(DecodeError::new)
    }
}

impl<T: Serialize + DeserializeOwned + sealed::Sealed> ProtocolType for T {}

/// What is not to be called from outside: a blank value is no value.
pub(crate) mod sealed {
    use crate::runtime::{Decode, Encode};

    pub trait Sealed: Sized {
        fn from_text(text: &str) -> Result<Self, serde_json::Error>;

        /// Without a word on why not.
        #[cfg(feature = "registry")]
        fn try_from_text(text: &str) -> Option<Self>;

        fn as_encode(&self) -> &dyn Encode;
    }

    impl<T: Decode + Encode> Sealed for T {
        fn from_text(text: &str) -> Result<Self, serde_json::Error> {
            Decode::from_text(text)
        }

        #[cfg(feature = "registry")]
        fn try_from_text(text: &str) -> Option<Self> {
            crate::runtime::try_from_json(text)
        }

        fn as_encode(&self) -> &dyn Encode {
            self
        }
    }
}

/// Encodes a value on one line.
///
/// ```
/// use codex_rpc::types::ThreadStartParams;
///
/// let params = ThreadStartParams::new().cwd("/workspace");
/// assert_eq!(codex_rpc::to_json(&params)?, r#"{"cwd":"/workspace"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Never; the result is what encoding of JSON mostly returns.
pub fn to_json<T: ProtocolType>(value: &T) -> Result<String, serde_json::Error> {
    Ok(to_text(value.as_encode(), USUAL_SIZE))
}

/// Encodes a value like [`to_json`], behind what is in the text already.
///
/// # Errors
/// Those of [`to_json`].
pub fn append_json<T: ProtocolType>(value: &T, text: &mut String) -> Result<(), serde_json::Error> {
    append_text(value.as_encode(), text);
    Ok(())
}

/// Decodes JSON text as any type that serde can decode. For a type of the protocol,
/// [`ProtocolType::from_json`] is quicker.
///
/// ```
/// use std::collections::HashMap;
///
/// use codex_rpc::types::TurnStatus;
///
/// let turns: HashMap<u32, TurnStatus> = codex_rpc::from_json(r#"{"1":"inProgress"}"#)?;
/// assert_eq!(turns[&1], TurnStatus::InProgress);
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
                ProtocolType::from_json(text)
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
                to_json(self)
            }
        }
    )*};
}

entry_points!(ServerMessage, ClientMessage, AnyMessage);
