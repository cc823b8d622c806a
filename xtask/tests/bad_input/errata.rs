//! Errata that do not fit the release or are no errata.

use crate::bench::Bench;

const REVIEW: &str = "why = \"A test.\"\nevidence = \"None.\"\nreleases = \"*\"\n";

/// The repository's errata with these behind them.
fn with(more: &[&str]) -> Bench {
    Bench::with_errata(|text| more.iter().fold(text, |text, erratum| format!("{text}\n{erratum}\n{REVIEW}")))
}

/// The number of the last line that has this in it.
fn line_of(bench: &Bench, what: &str) -> String {
    let text = std::fs::read_to_string(bench.path("schema/errata.toml")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    format!("line {}:", lines.iter().rposition(|line| line.contains(what)).unwrap() + 1)
}

#[test]
fn a_rename_of_a_property_that_does_not_exist_no_longer_applies() {
    with(&["[[rename]]\ndefinition = \"SkillInterface\"\nfrom = \"moon_phase\"\nto = \"moonPhase\""])
        .refuses_to_generate()
        .says(&[
            "errata.toml",
            "the rename SkillInterface.moon_phase → moonPhase no longer applies",
            "remove the erratum or end its range",
        ]);
}

#[test]
fn a_presence_without_effect_no_longer_applies() {
    // `required` says it already.
    with(&["[[presence]]\ndefinition = \"ConfigLayer\"\nfield = \"version\"\nsent = \"null\""])
        .refuses_to_generate()
        .says(&[
            "errata.toml",
            "what is said about ConfigLayer.version no longer applies",
            "remove the erratum or end its range",
        ]);
}

#[test]
fn no_kind_of_erratum_goes_stale_unseen() {
    with(&[
        "[[flattened]]\ndefinition = \"SkillInterface\"\nvalues = \"MoonPhase\"\nfield = \"moons\"",
        "[[open]]\ndefinition = \"OpenMoon\"",
        "[[three-state]]\ndefinition = \"TurnSteerParams\"\nfield = \"moon\"",
        "[[response]]\nmethod = \"moon/phase\"\nresponse = \"MoonPhaseResponse\"",
        "[[name]]\ndefinition = \"ModeKind\"\nwire = \"moon\"\nrust = \"Luna\"",
        "[[skip]]\ndefinition = \"SkippedMoon\"",
        "[[untagged]]\ndefinition = \"UntaggedMoon\"\nvariants = [\"New\", \"Full\"]",
    ])
    .refuses_to_generate()
    .says(&[
        "errata.toml",
        "the flattened map SkillInterface no longer applies",
        "the open object OpenMoon no longer applies",
        "TurnSteerParams.moon no longer applies",
        "the response MoonPhaseResponse of moon/phase no longer applies",
        "the name of `moon` of ModeKind no longer applies",
        "`SkippedMoon`",
        "UntaggedMoon",
    ]);
}

#[test]
fn a_skip_of_a_definition_that_does_not_exist_is_an_error() {
    with(&["[[skip]]\ndefinition = \"SkippedMoon\""]).refuses_to_generate().says(&[
        "errata.toml",
        "`SkippedMoon`",
        "no such definition",
    ]);
}

#[test]
fn a_reviewed_union_that_is_none_no_longer_applies() {
    with(&["[[untagged]]\ndefinition = \"SkillInterface\"\nvariants = [\"One\", \"Many\"]"])
        .refuses_to_generate()
        .says(&["errata.toml", "SkillInterface", "no longer applies"]);
}

#[test]
fn a_reviewed_union_with_another_number_of_variants_no_longer_applies() {
    Bench::with_errata(|text| text.replace("[\"RolloutPath\", \"ConversationId\"]", "[\"RolloutPath\"]"))
        .refuses_to_generate()
        .says(&[
            "errata.toml",
            "the list of variants of GetConversationSummaryParams no longer applies",
            "look at what upstream changed",
        ]);
}

#[test]
fn a_reviewed_free_form_field_that_is_none_no_longer_applies() {
    Bench::with_errata(|text| text.replace("any = [", "any = [\n  \"SkillInterface.brandColor\","))
        .refuses_to_generate()
        .says(&["errata.toml", "SkillInterface.brandColor", "no longer applies"]);
}

#[test]
fn a_method_whose_response_nobody_names_is_an_error() {
    let bench = Bench::with_errata(|text| {
        let start = text.find("[[response]]\nmethod = \"memory/reset\"").unwrap();
        let end = start + 1 + text[start + 1..].find("[[").unwrap();
        format!("{}{}", &text[..start], &text[end..])
    });
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "memory/reset: the method has no response",
        "/MemoryResetResponse: `MemoryResetResponse` answers no method",
        "`response` in protocol-schema/errata.toml",
    ]);
}

#[test]
fn a_skip_of_what_a_method_needs_is_an_error() {
    with(&["[[skip]]\ndefinition = \"TurnSteerParams\""])
        .refuses_to_generate()
        .says(&["errata.toml", "`TurnSteerParams` is skipped but `turn/steer` needs it"]);
}

#[test]
fn a_name_that_another_variant_has_already_is_an_error() {
    with(&["[[name]]\ndefinition = \"ModeKind\"\nwire = \"plan\"\nrust = \"Default\""]).refuses_to_generate().says(&[
        "`plan`",
        "`default`",
        "both `Default` in Rust",
        "errata.toml",
    ]);
}

#[test]
fn a_name_that_is_no_rust_name_is_an_error() {
    with(&["[[name]]\ndefinition = \"ModeKind\"\nwire = \"plan\"\nrust = \"new moon\""]).refuses_to_generate().says(&[
        "errata.toml",
        "`new moon`",
        "ModeKind",
    ]);
}

#[test]
fn errata_that_are_no_toml_are_an_error_with_file_and_line() {
    let bench = Bench::with_errata(|text| {
        text.replace("definition = \"ForcedChatgptWorkspaceIds\"", "definition = ForcedChatgptWorkspaceIds")
    });
    let line = line_of(&bench, "ForcedChatgptWorkspaceIds");
    bench.refuses_to_generate().says(&["errata.toml", &line, "the form is described at the top of the file"]);
}

#[test]
fn a_key_that_errata_do_not_have_is_an_error_with_file_and_line() {
    let bench =
        Bench::with_errata(|text| text.replace("reviewed = \"0.169.0\"", "reviewed = \"0.169.0\"\nmoon = \"full\""));
    let line = line_of(&bench, "moon");
    bench.refuses_to_generate().says(&[
        "errata.toml",
        &line,
        "unknown field `moon`",
        "the form is described at the top of the file",
    ]);

    let bench = Bench::with_errata(|text| text.replacen("from = \"turn_id\"", "form = \"turn_id\"", 1));
    let line = line_of(&bench, "form = ");
    bench.refuses_to_generate().says(&[
        "errata.toml",
        &line,
        "unknown field `form`",
        "the form is described at the top of the file",
    ]);
}

#[test]
fn an_erratum_without_a_reason_is_an_error() {
    let bench =
        Bench::with_errata(|text| format!("{text}\n[[skip]]\ndefinition = \"SkillInterface\"\nreleases = \"*\"\n"));
    let line = line_of(&bench, "[[skip]]");
    bench.refuses_to_generate().says(&[
        "errata.toml",
        &line,
        "missing field `why`",
        "the form is described at the top of the file",
    ]);
}
