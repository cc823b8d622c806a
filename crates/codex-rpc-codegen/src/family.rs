//! Which module a definition belongs to.
//!
//! What must always hold: the same schema gives the same modules. A definition
//! that only one family of methods reaches is in that family's module; one that
//! several reach is in the module that its name begins with, else in `common`.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Protocol, Shape};
use crate::names::snake;

/// The module of definitions that belong to no family.
pub const COMMON: &str = "common";

/// The module of a method.
pub fn of_method(wire: &str, aliases: &BTreeMap<String, String>) -> String {
    let first = wire.split('/').next().unwrap_or(wire);
    match aliases.get(first) {
        Some(module) => module.clone(),
        None if wire.contains('/') => snake(first),
        None => COMMON.to_owned(),
    }
}

/// The module of every definition that is emitted.
pub fn assign(protocol: &Protocol, aliases: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut reached: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for method in &protocol.methods {
        let family = of_method(&method.wire, aliases);
        let mut stack: Vec<&str> = method.params.iter().chain(&method.response).map(String::as_str).collect();
        while let Some(name) = stack.pop() {
            if reached.entry(name).or_default().insert(family.clone())
                && let Some(definition) = protocol.definitions.get(name)
            {
                stack.extend(definition.types().into_iter().filter_map(|ty| ty.named()));
            }
        }
    }
    let families: BTreeSet<String> = reached.values().flatten().cloned().collect();
    let named = |name: &str| {
        let name = snake(name);
        let fits = |family: &&String| {
            let prefix = family.trim_end_matches('_');
            name == prefix || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
        };
        families.iter().filter(fits).max_by_key(|family| family.len()).cloned()
    };
    let mut modules = BTreeMap::new();
    for (name, definition) in &protocol.definitions {
        if matches!(definition.shape, Shape::Methods) {
            continue;
        }
        let by = reached.get(name.as_str());
        let module = match by.map(|by| by.iter().collect::<Vec<_>>()).as_deref() {
            Some([only]) => (*only).clone(),
            _ => named(name).unwrap_or_else(|| COMMON.to_owned()),
        };
        modules.insert(name.clone(), module);
    }
    modules
}
