//! The answers that give nothing away.

use codex_rpc::{RpcError, ServerRequestMethod};
use codex_rpc_dispatch::default_answer;

use super::Asked;

/// Declines, or refuses what can't be declined, and says so in the log.
pub(super) fn answer<M: ServerRequestMethod>(asked: &Asked) -> Result<M::Response, RpcError> {
    let answer = default_answer::<M>();
    let request = asked.request_id().map(ToString::to_string);
    let done = if answer.is_ok() { "declined" } else { "refused" };
    tracing::warn!(method = M::METHOD, request, "nothing handles this request of the server: {done}");
    answer
}
