//! Stage 5: methods, their params, their responses.
//!
//! What must always hold: every method is linked, and every definition whose name
//! ends in `Response` answers a method. A new exception is noticed, not guessed.

use std::collections::{BTreeMap, BTreeSet};

use schemars::schema::{InstanceType, Schema, SchemaObject};

use crate::errata::Applicable;
use crate::load::{Bundle, Places, arms_of, ref_name};
use crate::model::{Method, Shape, Side, Type};
use crate::names::{pascal, snake};
use crate::normalise::is_type;
use crate::problem::Problem;
use crate::shape::{Shapes, by_hand, description, tag_value};

/// A method as an export lists it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawMethod {
    pub(crate) side: Side,
    pub(crate) wire: String,
    pub(crate) params: Option<String>,
    pub(crate) params_optional: bool,
    pub(crate) doc: Option<String>,
    pub(crate) typescript_only: bool,
}

/// The methods of a bundle.
pub(crate) fn methods(bundle: &Bundle, problems: &mut Vec<Problem>) -> Vec<RawMethod> {
    let mut methods = Vec::new();
    for side in Side::ALL {
        let pointer = bundle.places.of(side.definition());
        let arms = match bundle.definitions.get(side.definition()) {
            Some(Schema::Object(object)) => arms_of(object),
            _ => None,
        };
        let Some((keyword, arms)) = arms else {
            problems.push(
                Problem::new("there is no list of methods")
                    .at(pointer)
                    .help("the export is not complete: run `cargo xtask pull` again"),
            );
            continue;
        };
        for (index, arm) in arms.iter().enumerate() {
            match method(side, arm) {
                Ok(method) => methods.push(method),
                Err(what) => problems.push(
                    Problem::new(what)
                        .at(format!("{pointer}/{keyword}/{index}"))
                        .help("teach crates/codex-rpc-codegen/src/link.rs what it means"),
                ),
            }
        }
    }
    methods
}

fn method(side: Side, arm: &Schema) -> Result<RawMethod, &'static str> {
    let Schema::Object(arm) = arm else { return Err("an arm is no object") };
    let wire = tag_value(arm, "method").ok_or("an arm has no method")?;
    let validation = arm.object.as_ref().ok_or("an arm is no object")?;
    let (params, nullable) = match validation.properties.get("params") {
        None => (None, true),
        Some(Schema::Object(object)) => params(object)?,
        Some(Schema::Bool(_)) => return Err("the params have no definition"),
    };
    Ok(RawMethod {
        side,
        wire,
        params_optional: nullable || !validation.required.contains("params"),
        params,
        doc: description(arm),
        typescript_only: false,
    })
}

fn params(object: &SchemaObject) -> Result<(Option<String>, bool), &'static str> {
    if let Some(reference) = &object.reference {
        return Ok((Some(ref_name(reference).to_owned()), false));
    }
    if is_type(object, InstanceType::Null) {
        return Ok((None, true));
    }
    let arms = object.subschemas.as_ref().and_then(|all| all.any_of.as_ref()).ok_or("the params have no definition")?;
    let named = arms.iter().find_map(|arm| match arm {
        Schema::Object(arm) => arm.reference.as_ref().map(|reference| ref_name(reference).to_owned()),
        Schema::Bool(_) => None,
    });
    named.map(|name| (Some(name), true)).ok_or("the params have no definition")
}

/// Finds every method's response and checks that none is left over.
pub(crate) fn link(
    raw: Vec<RawMethod>,
    shapes: &mut Shapes,
    places: &Places,
    stable: &BTreeSet<(Side, String)>,
    applicable: &Applicable,
) -> Vec<Method> {
    let mut errata: BTreeMap<&str, &str> =
        applicable.errata.response.iter().map(|erratum| (erratum.method.as_str(), erratum.response.as_str())).collect();
    // What could not be read, or shall not be, is there all the same.
    let read = shapes.definitions.values().filter(|definition| !definition.inner).map(|definition| &definition.name);
    let unread = shapes.failed.keys().chain(applicable.errata.skip.iter().map(|skip| &skip.definition));
    let unread = unread.filter(|name| places.contains(name));
    let known: BTreeSet<String> = read.chain(unread).cloned().collect();
    let responses: BTreeSet<String> =
        known.iter().filter(|name| name.ends_with("Response") && by_hand(name).is_none()).cloned().collect();
    let mut methods = Vec::new();
    let mut open = Vec::new();
    for raw in raw {
        let (params, params_optional) = unwrap_nullable(shapes, raw.params, raw.params_optional);
        let mut response = None;
        if raw.side.is_request() {
            let ruled =
                params.as_ref().map(|params| format!("{}Response", params.strip_suffix("Params").unwrap_or(params)));
            response = ruled.filter(|name| responses.contains(name));
            if let Some(corrected) = errata.remove(raw.wire.as_str()) {
                if response.is_some() || !responses.contains(corrected) {
                    let what = format!("the response {corrected} of {}", raw.wire);
                    applicable.stale(&what, &mut shapes.findings);
                }
                response = response.or_else(|| responses.get(corrected).cloned());
            }
            if response.is_none() {
                open.push(methods.len());
            }
        }
        if let Some(params) = &params
            && !known.contains(params)
        {
            shapes.findings.problems.push(
                Problem::new(format!("the params `{params}` have no definition"))
                    .at(raw.wire.clone())
                    .help("the export is not complete: run `cargo xtask pull` again"),
            );
        }
        let deprecated = raw.doc.as_deref().is_some_and(is_deprecated);
        methods.push(Method {
            rust: pascal(&raw.wire),
            experimental: !stable.contains(&(raw.side, raw.wire.clone())),
            side: raw.side,
            wire: raw.wire,
            params,
            params_optional,
            response,
            doc: raw.doc,
            deprecated,
            typescript_only: raw.typescript_only,
        });
    }
    for (method, response) in errata {
        applicable.stale(&format!("the response {response} of {method}"), &mut shapes.findings);
    }
    by_likeness(&mut methods, &open, &responses, shapes, applicable);

    let used: BTreeSet<&String> = methods.iter().filter_map(|method| method.response.as_ref()).collect();
    for unused in responses.iter().filter(|response| !used.contains(response) && !applicable.skips(response)) {
        let problem = Problem::new(format!("`{unused}` answers no method"))
            .at(places.of(unused))
            .help("add the method that it answers to `response` in protocol-schema/errata.toml");
        applicable.unreviewed(problem, &mut shapes.findings);
    }
    let mut names = BTreeMap::new();
    for method in &methods {
        if let Some(other) = names.insert((method.side, method.rust.clone()), method.wire.clone()) {
            shapes.findings.problems.push(
                Problem::new(format!("the methods `{other}` and `{}` are both `{}` in Rust", method.wire, method.rust))
                    .at(places.of(method.side.definition()))
                    .help("give one of them another name in crates/codex-rpc-codegen/src/names.rs"),
            );
        }
    }
    methods
}

/// Whether upstream's text calls something deprecated.
pub(crate) fn is_deprecated(doc: &str) -> bool {
    let doc = doc.to_lowercase();
    doc.contains("deprecated")
}

/// A definition that is `X or null` and stands only in params is `X`, optional.
fn unwrap_nullable(shapes: &Shapes, params: Option<String>, optional: bool) -> (Option<String>, bool) {
    let inner = params.as_ref().and_then(|name| match &shapes.definitions.get(name)?.shape {
        Shape::Nullable(Type::Named(inner)) => Some(inner.clone()),
        _ => None,
    });
    match inner {
        Some(inner) => (Some(inner), true),
        None => (params, optional),
    }
}

/// Links what neither the rule nor a person linked, if one response is clearly the
/// most alike by its words. Never for the release that was reviewed.
fn by_likeness(
    methods: &mut [Method],
    open: &[usize],
    responses: &BTreeSet<String>,
    shapes: &mut Shapes,
    applicable: &Applicable,
) {
    for &index in open {
        let used: BTreeSet<String> = methods.iter().filter_map(|method| method.response.clone()).collect();
        let words = |name: &str| -> BTreeSet<String> {
            snake(name)
                .split('_')
                .filter(|word| !matches!(*word, "get" | "read" | "list"))
                .map(|word| word.trim_end_matches('s').to_owned())
                .collect()
        };
        let wire = methods[index].wire.clone();
        let own = words(&wire);
        let mut ranked: Vec<(usize, &String)> = responses
            .difference(&used)
            .map(|response| {
                let other = words(response.trim_end_matches("Response"));
                let common = own.intersection(&other).count();
                (common * 100 / own.union(&other).count().max(1), response)
            })
            .collect();
        ranked.sort_by(|left, right| right.cmp(left));
        let help = "add its response to `response` in protocol-schema/errata.toml";
        match ranked.as_slice() {
            [(best, response), rest @ ..]
                if *best >= 50 && rest.first().is_none_or(|(second, _)| second < best) && !applicable.strict =>
            {
                shapes.findings.notes.push(
                    Problem::new(format!("linked to `{response}` because the words are alike")).at(wire).help(help),
                );
                methods[index].response = Some((*response).clone());
            }
            _ => shapes.findings.problems.push(Problem::new("the method has no response").at(wire).help(help)),
        }
    }
}
