//! Bytes as the protocol writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Error;

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The bytes; `what` names where they come from.
pub(crate) fn decode(what: &str, text: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|error| Error::invalid(what, error, text))
}
