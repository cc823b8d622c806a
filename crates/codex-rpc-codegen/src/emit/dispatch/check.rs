//! Whether every name that the dispatcher makes of a method is free.

use std::collections::BTreeMap;

use super::{call_name, handler_name};
use crate::model::{Method, Protocol, Side};
use crate::problem::{Problem, Problems};

/// The request that is no method of a client, because the handshake sends it.
pub(super) const HANDSHAKE: &str = "initialize";

/// Names that the clients of the dispatcher have, or may come to have, for methods
/// written by hand.
const CLIENT: [&str; 36] = [
    "builder",
    "call",
    "call_with",
    "cancel",
    "child",
    "clone",
    "clone_from",
    "close",
    "codex_home",
    "connect",
    "connection",
    "drop",
    "experimental",
    "from",
    "handle",
    "handler",
    "initialize",
    "into",
    "is_closed",
    "is_experimental",
    "join",
    "kill",
    "limits",
    "new",
    "notify",
    "on",
    "request",
    "respond",
    "send",
    "server_info",
    "server_release",
    "shutdown",
    "spawn",
    "subscribe",
    "user_agent",
    "wait",
];

/// Names of a handler's methods for what the release does not know.
const HANDLER: [&str; 2] = ["unrecognized_request", "on_unrecognized_notification"];

/// Checks a model before it is written.
pub(super) fn check(protocol: &Protocol) -> Result<(), Problems> {
    let mut problems = Vec::new();
    let calls = protocol.of(Side::ClientRequest).filter(|method| method.wire != HANDSHAKE);
    free("client", &CLIENT, calls, call_name, &mut problems);
    let handled = protocol.of(Side::ServerRequest).chain(protocol.of(Side::ServerNotification));
    free("handler", &HANDLER, handled, handler_name, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

fn free<'a>(
    what: &str,
    reserved: &[&str],
    methods: impl Iterator<Item = &'a Method>,
    name_of: fn(&Method) -> String,
    problems: &mut Vec<Problem>,
) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for method in methods {
        let name = name_of(method);
        let taken = if reserved.contains(&name.as_str()) {
            Some("it has one of that name by hand".to_owned())
        } else {
            names.insert(name.clone(), method.wire.clone()).map(|other| format!("`{other}` has that name"))
        };
        if let Some(taken) = taken {
            problems.push(
                Problem::new(format!(
                    "`{}` can't be the method `{name}` of the dispatcher's {what}: {taken}",
                    method.wire
                ))
                .at(format!("/definitions/{}", method.side.definition()))
                .help("give it another name in crates/codex-rpc-codegen/src/emit/dispatch"),
            );
        }
    }
}
