//! The cross-examination: typify reads the same definitions as our model, and the
//! two must agree on every definition, wire name, presence, default, type and
//! variant, or the difference is listed in `expected.toml` with a reason.

mod attributes;
mod compare;
mod members;
mod mutations;
mod prepare;
mod second;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use codex_rpc_codegen::errata::Errata;
use codex_rpc_codegen::generate::{Input, Outcome, model};
use codex_rpc_codegen::harvest::Harvest;
use codex_rpc_codegen::model::Protocol;
use serde::Deserialize;

use compare::{Counts, Difference, Report, all, compare};
use second::Second;

/// The pinned release as both readers see it.
struct Release {
    name: String,
    outcome: Outcome,
    second: Second,
}

static RELEASE: LazyLock<Release> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol-schema");
    let read =
        |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let pin: Pin = toml::from_str(&read("pin.toml")).expect("pin.toml");
    let harvest: Harvest = serde_json::from_str(&read("harvest.json")).expect("harvest.json");
    let errata: Errata = toml::from_str(&read("errata.toml")).expect("errata.toml");
    let (stable, experimental) = (read("stable.json"), read("experimental.json"));
    let input = Input {
        release: &pin.release,
        stable: &stable,
        experimental: &experimental,
        harvest: &harvest,
        errata: &errata,
        hashes: BTreeMap::new(),
    };
    let outcome = model(&input).expect("the pinned release has a model");
    let second = second::read(&prepare::prepare(&outcome.definitions));
    Release { name: pin.release, outcome, second }
});

#[derive(Deserialize)]
struct Pin {
    release: String,
}

impl Release {
    /// Compares a model of the release, mutated or not, with the second reading.
    fn examine(&self, protocol: &Protocol) -> Report {
        let skipped = &protocol.skipped;
        let names = self.outcome.definitions.keys().map(String::as_str).filter(|name| !skipped.contains_key(*name));
        compare(protocol, &names.collect(), &self.second)
    }
}

/// `expected.toml`: the reviewed differences.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    difference: Vec<Reviewed>,
}

/// One difference, wherever it occurs, and why it is right that it does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reviewed {
    says: String,
    why: String,
    places: Vec<String>,
}

fn expected() -> BTreeMap<Difference, String> {
    let expected: Expected = toml::from_str(include_str!("expected.toml")).expect("expected.toml");
    let mut reasons = BTreeMap::new();
    for reviewed in expected.difference {
        assert!(
            !reviewed.why.trim().is_empty() && !reviewed.places.is_empty(),
            "`{}` needs a reason and places",
            reviewed.says
        );
        for place in reviewed.places {
            let before = reasons.insert((place.clone(), reviewed.says.clone()), reviewed.why.clone());
            assert!(before.is_none(), "{place}: `{}` is listed twice", reviewed.says);
        }
    }
    reasons
}

/// What is not as it was reviewed: new differences, and listed ones that are gone.
fn not_as_reviewed(found: &BTreeSet<Difference>, expected: &BTreeMap<Difference, String>) -> Vec<String> {
    let new = found.iter().filter(|difference| !expected.contains_key(difference));
    let gone = expected.keys().filter(|difference| !found.contains(difference));
    new.map(|(place, what)| format!("not reviewed: {place}: {what}"))
        .chain(gone.map(|(place, what)| format!("listed and no longer so: {place}: {what}")))
        .collect()
}

#[test]
fn the_model_and_typify_agree_on_every_definition_or_the_difference_is_listed() {
    let report = RELEASE.examine(&RELEASE.outcome.protocol);
    let wrong = not_as_reviewed(&report.differences, &expected());
    assert!(
        wrong.is_empty(),
        "{} disagreements; find out which reader is right, and list it in {} only if it is our model:\n{}",
        wrong.len(),
        "crates/codex-rpc-codegen/tests/cross_examination/expected.toml",
        wrong.join("\n"),
    );
}

#[test]
fn every_definition_member_variant_and_method_was_compared_and_every_type_of_typify_looked_at() {
    let protocol = &RELEASE.outcome.protocol;
    let report = RELEASE.examine(protocol);
    assert_eq!(report.counts, all(protocol), "something in the model was not compared");
    assert_eq!(report.overlooked, BTreeSet::new(), "types that typify wrote and nothing looked at");
    let counts = Counts { definitions: 950, inner: 20, members: 2876, variants: 829, methods: 282 };
    assert_eq!(
        (RELEASE.name.as_str(), report.counts, report.types),
        ("0.169.0", counts, 1013),
        "count again for this release"
    );
}

#[test]
fn a_listed_difference_that_is_gone_is_as_wrong_as_a_new_one() {
    let mut found = RELEASE.examine(&RELEASE.outcome.protocol).differences;
    let (place, what) = found.pop_first().expect("a difference");
    assert_eq!(not_as_reviewed(&found, &expected()), [format!("listed and no longer so: {place}: {what}")]);
    found.extend([(place, what), ("Turn".to_owned(), "a new one".to_owned())]);
    assert_eq!(not_as_reviewed(&found, &expected()), ["not reviewed: Turn: a new one".to_owned()]);
}

/// They come from the TypeScript export; the schema of `ClientRequest` and
/// `ServerNotification`, which typify reads, has no arm for them. Their params and
/// responses are definitions like all others, and compared.
#[test]
fn nothing_is_left_out_but_the_methods_that_the_schema_lacks() {
    let protocol = &RELEASE.outcome.protocol;
    let left_out = protocol.methods.iter().filter(|method| method.typescript_only).map(|method| method.wire.as_str());
    let lacking = [
        "getAuthStatus",
        "getConversationSummary",
        "gitDiffToRemote",
        "rawResponse/completed",
        "rawResponseItem/completed",
    ];
    assert_eq!(left_out.collect::<BTreeSet<_>>(), lacking.into());
    assert_eq!(protocol.skipped, BTreeMap::new());
}
