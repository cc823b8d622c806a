//! Which definitions a client sends and which it receives, as a whole or as a part of
//! something.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Definition, Method, Side};

/// What a client may send: params of its requests and notifications, and its answers.
pub(crate) fn sent(definitions: &BTreeMap<String, Definition>, methods: &[Method]) -> BTreeSet<String> {
    reachable(
        definitions,
        methods.iter().filter_map(|method| match method.side {
            Side::ClientRequest | Side::ClientNotification => method.params.clone(),
            Side::ServerRequest => method.response.clone(),
            Side::ServerNotification => None,
        }),
    )
}

/// What the server may send.
pub(crate) fn received(definitions: &BTreeMap<String, Definition>, methods: &[Method]) -> BTreeSet<String> {
    reachable(
        definitions,
        methods.iter().filter_map(|method| match method.side {
            Side::ServerRequest | Side::ServerNotification => method.params.clone(),
            Side::ClientRequest => method.response.clone(),
            Side::ClientNotification => None,
        }),
    )
}

fn reachable(definitions: &BTreeMap<String, Definition>, from: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut stack: Vec<String> = from.collect();
    while let Some(name) = stack.pop() {
        if let Some(definition) = definitions.get(&name)
            && reached.insert(name)
        {
            stack.extend(definition.types().into_iter().filter_map(|ty| ty.named()).map(str::to_owned));
        }
    }
    reached
}
