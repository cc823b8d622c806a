//! The post-conditions of a model: nothing was lost on the way, and everything that
//! is named is there.

use std::collections::{BTreeMap, BTreeSet};

use crate::errata::{Applicable, Findings};
use crate::load::Definitions;
use crate::model::{Definition, Protocol, Shape, Type};
use crate::problem::Problem;

/// Checks a model. `failed` are definitions that could not be read, which is said
/// elsewhere.
pub(crate) fn check(
    definitions: &Definitions,
    protocol: &Protocol,
    failed: &BTreeMap<String, Problem>,
    applicable: &Applicable,
    findings: &mut Findings,
) {
    for name in definitions.keys() {
        let found = protocol.definitions.contains_key(name) || protocol.skipped.contains_key(name);
        if !found && !failed.contains_key(name) {
            findings.problems.push(
                Problem::new(format!("`{name}` was lost on the way"))
                    .at(format!("/definitions/{name}"))
                    .help("this is a fault of the generator: see crates/codex-rpc-codegen/src/shape.rs"),
            );
        }
    }
    for name in protocol.skipped.keys().filter(|name| !definitions.contains_key(*name)) {
        let problem = Problem::new(format!("`{name}` is skipped but there is no such definition"))
            .in_file("errata.toml")
            .help("look at what upstream changed, then remove the entry of `skip` or end its range");
        applicable.without_effect(problem, findings);
    }
    for (user, pointer, name) in named(protocol) {
        if protocol.skipped.contains_key(name) {
            findings.problems.push(
                Problem::new(format!("`{name}` is skipped but `{user}` needs it"))
                    .in_file("errata.toml")
                    .help("remove the entry of `skip`, or skip what needs it too"),
            );
        } else if !protocol.definitions.contains_key(name) && !failed.contains_key(name) {
            let problem = Problem::new(format!("`{user}` needs `{name}`, which has no definition"))
                .help("the export is not complete: run `cargo xtask pull` again");
            findings.problems.push(problem.at(pointer));
        }
    }
    for definition in protocol.definitions.values().filter(|definition| is_its_own_part(protocol, definition)) {
        findings.problems.push(
            Problem::new(format!(
                "`{}` is made of itself, without an object, a list or a map between",
                definition.name
            ))
            .at(&definition.pointer)
            .help("teach crates/codex-rpc-codegen/src/layout.rs where a box must stand"),
        );
    }
}

/// Everything that names a definition: who, where, and which.
fn named(protocol: &Protocol) -> impl Iterator<Item = (&str, &str, &str)> {
    let methods = protocol.methods.iter().flat_map(|method| {
        let names = method.params.iter().chain(&method.response);
        names.map(|name| (method.wire.as_str(), method.wire.as_str(), name.as_str()))
    });
    // What is written by hand names nothing that is generated.
    let types = protocol.definitions.values().filter(|definition| !definition.by_hand).flat_map(|definition| {
        let names = definition.types().into_iter().filter_map(Type::named);
        names.map(|name| (definition.name.as_str(), definition.pointer.as_str(), name))
    });
    methods.chain(types)
}

/// Whether a value of a definition would have to hold another without end. The
/// fields of objects are no matter: those are boxed.
fn is_its_own_part(protocol: &Protocol, definition: &Definition) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack = parts(definition);
    while let Some(name) = stack.pop() {
        if name == definition.name {
            return true;
        }
        if seen.insert(name)
            && let Some(part) = protocol.definitions.get(name)
        {
            stack.extend(parts(part));
        }
    }
    false
}

/// What stands in a definition itself, under no name.
fn parts(definition: &Definition) -> Vec<&str> {
    let types = match &definition.shape {
        Shape::Newtype(_) | Shape::Nullable(_) | Shape::Untagged(_) | Shape::External { .. } => definition.types(),
        Shape::Record(_) | Shape::Tagged { .. } | Shape::StringEnum(_) | Shape::Methods => Vec::new(),
    };
    let names = types.into_iter().filter_map(|ty| match ty {
        Type::Named(name) => Some(name.as_str()),
        _ => None,
    });
    names.collect()
}
