//! All stages in a row: from what a release published to the source of its
//! bindings.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::emit::{self, Facts, Files};
use crate::errata::{self, Applicable, Errata, Findings};
use crate::harvest::Harvest;
use crate::load::{self, Bundle, Definitions};
use crate::model::{Protocol, Side};
use crate::normalise::{self, Rewrite};
use crate::problem::{self, Problem, Problems, TYPES};
use crate::{complete, experimental, layout, link, reach, shape, typescript_only};

/// The bundles.
const STABLE: &str = "stable.json";
const EXPERIMENTAL: &str = "experimental.json";

/// What `protocol-schema/` holds of a release.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the caller fills it")]
pub struct Input<'a> {
    /// The release.
    pub release: &'a str,
    /// The text of `stable.json`.
    pub stable: &'a str,
    /// The text of `experimental.json`.
    pub experimental: &'a str,
    /// What the TypeScript export says.
    pub harvest: &'a Harvest,
    /// The reviewed corrections.
    pub errata: &'a Errata,
    /// SHA-256 of the bundles by file name, hexadecimal.
    pub hashes: BTreeMap<String, String>,
}

/// A release as a model, and what there is to say about the way there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The model.
    pub protocol: Protocol,
    /// The corrected, normalised definitions that the model was read from.
    pub definitions: Definitions,
    /// The corrected definitions as upstream wrote them, for those who judge the
    /// model by them.
    pub published: Definitions,
    /// What was rewritten.
    pub rewrites: Vec<Rewrite>,
    /// What a person should look at; nothing for the release that was reviewed.
    pub notes: Vec<Problem>,
}

/// Reads a release: stages 1 to 6.
///
/// # Errors
/// Everything that is wrong with the input, with its place and what to do.
pub fn model(input: &Input<'_>) -> Result<Outcome, Problems> {
    let applicable = input.errata.applicable(input.release)?;
    let (mut bundle, mut stable_bundle) = load(input)?;

    let (mut unlisted, mut unlisted_stable) = (Vec::new(), Vec::new());
    let mut raw = link::methods(&bundle, &mut unlisted);
    let stable_raw = link::methods(&stable_bundle, &mut unlisted_stable);
    if !unlisted.is_empty() || !unlisted_stable.is_empty() {
        return Err(located(unlisted, unlisted_stable, input));
    }
    raw.extend(typescript_only::add(&mut bundle, input.harvest, &raw));
    let mut stable: BTreeSet<(Side, String)> =
        stable_raw.into_iter().map(|method| (method.side, method.wire)).collect();
    for side in Side::ALL {
        let listed = input.harvest.stable_methods.get(side.definition());
        stable.extend(listed.into_iter().flatten().map(|method| (side, method.clone())));
    }

    let mut findings = Findings::default();
    let Bundle { mut definitions, places } = bundle;
    let mut published = definitions.clone();
    let rewrites = normalise::normalise(&mut definitions, &places);
    normalise::normalise(&mut stable_bundle.definitions, &stable_bundle.places);
    errata::correct(&mut definitions, &places, input.harvest, &applicable, &mut findings);
    // The stable export has the same faults; what it lacks is no stale erratum.
    let lenient = Applicable { strict: false, complete: false, ..applicable.clone() };
    for other in [&mut stable_bundle.definitions, &mut published] {
        errata::correct(other, &places, input.harvest, &lenient, &mut Findings::default());
    }

    let mut shapes = shape::read(&definitions, &places, input.harvest, &applicable);
    let stable_shapes = shape::read(&stable_bundle.definitions, &stable_bundle.places, input.harvest, &lenient);
    for definition in shapes.definitions.values_mut() {
        let typescript_only = definition.pointer.starts_with(&problem::below(TYPES, ""));
        experimental::mark(definition, stable_shapes.definitions.get(&definition.name), typescript_only);
    }
    let methods = link::link(raw, &mut shapes, &places, &stable, &applicable);
    let outputs = reach::received(&shapes.definitions, &methods);
    let inputs = reach::sent(&shapes.definitions, &methods);
    for (name, definition) in &mut shapes.definitions {
        definition.input = inputs.contains(name);
        if outputs.contains(name) {
            shape::defaults_are_written(definition);
        }
    }
    shape::presence(&mut shapes, &applicable);

    let skipped = applicable.errata.skip.iter().map(|skip| (skip.definition.clone(), skip.why.clone())).collect();
    let shape::Shapes { definitions: read, findings: of_shapes, failed } = shapes;
    let mut protocol = Protocol { release: input.release.to_owned(), definitions: read, methods, skipped };
    findings.problems.extend(failed.values().cloned());
    findings.problems.extend(of_shapes.problems);
    findings.notes.extend(of_shapes.notes);
    complete::check(&definitions, &protocol, &failed, &applicable, &mut findings);
    // What can't be read in both bundles is said once.
    let unread = stable_shapes.failed.into_iter().filter(|(name, _)| !failed.contains_key(name));
    let unread: Vec<Problem> = unread.map(|(_, problem)| problem).collect();
    if !findings.problems.is_empty() || !unread.is_empty() {
        return Err(located(findings.problems, unread, input));
    }
    layout::box_cycles(&mut protocol);
    let notes = problem::in_bundle(findings.notes, EXPERIMENTAL, input.experimental);
    Ok(Outcome { protocol, definitions, published, rewrites, notes })
}

/// Reads both bundles, so that one run says what is wrong with either.
fn load(input: &Input<'_>) -> Result<(Bundle, Bundle), Problems> {
    match (load::load(input.experimental, EXPERIMENTAL), load::load(input.stable, STABLE)) {
        (Ok(experimental), Ok(stable)) => Ok((experimental, stable)),
        (Err(mut problems), Err(stable)) => {
            problems.0.extend(stable.0);
            Err(problems)
        }
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
    }
}

/// Problems of both bundles, each with its file.
fn located(problems: Vec<Problem>, stable: Vec<Problem>, input: &Input<'_>) -> Problems {
    let mut located = problem::in_bundle(problems, EXPERIMENTAL, input.experimental);
    located.extend(problem::in_bundle(stable, STABLE, input.stable));
    Problems(located)
}

/// Writes the protocol crate's source of a model: stage 7.
///
/// # Errors
/// When two names collide, or something can't be written in Rust.
pub fn source(protocol: &Protocol, input: &Input<'_>) -> Result<Files, Problems> {
    let facts = Facts::new(input.hashes.clone(), input.errata.families.clone());
    emit::emit(protocol, &facts).map_err(|problems| located(problems.0, Vec::new(), input))
}

/// Writes the dispatcher's source of a model, which names the types of
/// [`source`]'s.
///
/// # Errors
/// When two names collide.
pub fn dispatcher_source(protocol: &Protocol, input: &Input<'_>) -> Result<Files, Problems> {
    emit::dispatch(protocol).map_err(|problems| located(problems.0, Vec::new(), input))
}
