//! What is refused, and how, on a bundle small enough to read. What a user sees of
//! it is tested through the program, in xtask/tests/bad_input.

mod dispatcher;

use serde_json::{Value, json};

use super::*;

const REVIEW: &str = "why = \"A test.\"\nevidence = \"None.\"\nreleases = \"*\"\n";

/// A release with one method each way, with definitions under `v2` beside them.
fn bundle(definitions: &Value) -> Value {
    let list = |method: &str| {
        let properties = json!({"method": {"type": "string", "enum": [method]}});
        json!({"oneOf": [{"type": "object", "required": ["method"], "properties": properties}]})
    };
    let mut bundle = json!({"definitions": {
        "ClientRequest": list("moon/read"),
        "ServerRequest": list("moon/ask"),
        "ServerNotification": list("moon/risen"),
        "ClientNotification": list("initialized"),
        "v2": definitions,
    }});
    for name in ["MoonReadResponse", "MoonAskResponse"] {
        bundle["definitions"]["v2"][name] = json!({"type": "object"});
    }
    bundle
}

fn both(experimental: &Value, stable: &Value, errata: &str) -> Vec<String> {
    let links = ["moon/read", "moon/ask"].map(|method| {
        let response = format!("{}Response", crate::names::pascal(method));
        format!("[[response]]\nmethod = \"{method}\"\nresponse = \"{response}\"\n{REVIEW}")
    });
    let errata = format!("reviewed = \"1.0.0\"\n{errata}\n{}", links.concat());
    let errata = Errata::parse(&errata, "errata.toml").unwrap();
    let (experimental, stable) = (bundle(experimental).to_string(), bundle(stable).to_string());
    let input = Input {
        release: "1.0.0",
        stable: &stable,
        experimental: &experimental,
        harvest: &Harvest::default(),
        errata: &errata,
        hashes: BTreeMap::new(),
    };
    let problems = match model(&input).map(|outcome| source(&outcome.protocol, &input)) {
        Ok(Ok(_)) => return Vec::new(),
        Ok(Err(problems)) | Err(problems) => problems.0,
    };
    assert!(problems.iter().all(|problem| problem.help.is_some() && problem.file.is_some()), "{problems:#?}");
    problems.iter().map(ToString::to_string).collect()
}

/// What is wrong with definitions that both bundles have.
fn wrong(definitions: &Value) -> Vec<String> {
    both(definitions, definitions, "")
}

fn wrong_errata(errata: &str) -> Vec<String> {
    let definitions = json!({
        "Moon": {"type": "object", "properties": {"phase": {"$ref": "#/definitions/v2/Phase"}}},
        "Phase": {"type": "string", "enum": ["new", "full"]},
    });
    both(&definitions, &definitions, &errata.replace("REVIEW", REVIEW))
}

#[test]
fn what_is_right_is_not_refused() {
    assert_eq!(wrong_errata(""), Vec::<String>::new());
}

#[test]
fn a_type_that_is_made_of_itself_is_refused() {
    let at = |name: &str| json!({"$ref": format!("#/definitions/v2/{name}")});
    let key = json!({"type": "object", "required": ["k"], "properties": {"k": at("A")}});
    for definition in [json!({"allOf": [at("A")]}), json!({"oneOf": [{"type": "string", "enum": ["a"]}, key]})] {
        let said = wrong(&json!({"A": definition}));
        assert_eq!(
            said,
            ["experimental.json: /definitions/v2/A: `A` is made of itself, without an object, a list or a map between"]
        );
    }
    let nothing = json!({"type": "null"});
    let said = wrong(&json!({"A": {"anyOf": [at("B"), nothing]}, "B": {"anyOf": [nothing, at("A")]}}));
    assert_eq!(
        said[0],
        "experimental.json: /definitions/v2/A/anyOf/0: `B` is made of nothing but itself: no shape fits this node"
    );
    assert_eq!(
        said[1],
        "experimental.json: /definitions/v2/B/anyOf/1: `A` is made of nothing but itself: no shape fits this node"
    );
}

#[test]
fn a_node_that_would_be_read_in_part_is_refused() {
    let string = json!({"type": "string"});
    let required = json!([{"required": ["a"]}, {"required": ["b"]}]);
    for (definition, what) in [
        (json!({"type": "object", "additionalProperties": string, "anyOf": required}), "`anyOf` beside a map"),
        (
            json!({"properties": {"a": string}, "allOf": [{"$ref": "#/definitions/v2/MoonAskResponse"}]}),
            "`allOf` of something else than one reference",
        ),
        (json!({"oneOf": [string], "anyOf": [string]}), "`oneOf` beside `anyOf`"),
        (json!({"type": ["object", "null"], "properties": {"a": string}}), "an object that may be something else"),
        (json!({"type": "object", "required": ["a"]}), "`a` is required and has no schema"),
        (json!({"type": "object", "properties": {"a/b": false}}), "`false`"),
    ] {
        let said = wrong(&json!({"A": definition}));
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(said[0].starts_with("experimental.json: /definitions/v2/A"), "{said:#?}");
        assert!(said[0].ends_with(&format!(": {what}: no shape fits this node")), "{said:#?}");
    }
}

#[test]
fn a_name_that_is_none_in_rust_is_refused() {
    for (values, what) in [
        (json!(["a", ""]), "`` is no name in Rust, and neither is ``"),
        (json!(["a", "²"]), "`²` is no name in Rust, and neither is `²`"),
        (json!(["a", "A"]), "`a` and `A` are both `A` in Rust"),
        (
            json!(["unrecognized"]),
            "`what this release does not know` and `unrecognized` are both `Unrecognized` in Rust",
        ),
    ] {
        let said = wrong(&json!({"Phase": {"type": "string", "enum": values}}));
        assert_eq!(said, [format!("experimental.json: /definitions/v2/Phase: {what}")]);
    }
    let string = json!({"type": "string"});
    let said = wrong(&json!({"A": {"type": "object", "properties": {"extra": string, "extra_": string}}}));
    assert_eq!(said, ["experimental.json: /definitions/v2/A: `extra` and `extra_` are both `extra_` in Rust"]);
}

#[test]
fn a_member_whose_name_needs_escapes_in_json_is_refused() {
    let string = json!({"type": "string"});
    for name in ["a\"b", "a\\b", "a\nb"] {
        let said = wrong(&json!({"A": {"type": "object", "properties": {name: string, "c": string}}}));
        assert_eq!(said, [format!("experimental.json: /definitions/v2/A: {name:?} would need escapes in JSON")]);
    }
}

#[test]
fn a_reference_leads_where_it_says_and_nowhere_else() {
    for reference in ["#/definitions/Moon", "#/definitions/v2/ClientRequest", "#/definitions/v2", "Moon"] {
        let said = wrong(&json!({"Moon": {"type": "array", "items": {"$ref": reference}}}));
        let what = format!("json: /definitions/v2/Moon/items: the reference `{reference}` points to nothing");
        assert_eq!(said, [format!("experimental.{what}"), format!("stable.{what}")]);
    }
}

#[test]
fn what_only_one_bundle_gets_wrong_is_said_of_that_one() {
    let string = json!({"A": {"type": "array", "items": {"type": "string"}}});
    let tuple = json!({"A": {"type": "array", "items": [{"type": "string"}]}});
    let what = "json: /definitions/v2/A: a tuple: no shape fits this node";
    assert_eq!(both(&string, &tuple, ""), [format!("stable.{what}")]);
    assert_eq!(both(&tuple, &string, ""), [format!("experimental.{what}")]);
    assert_eq!(both(&tuple, &tuple, ""), [format!("experimental.{what}")]);
}

#[test]
fn a_name_in_the_errata_that_is_none_in_rust_is_refused() {
    for (errata, what) in [
        ("[families]\nmoon = \"my moon\"", "the family of `moon`: `my moon`"),
        ("[families]\nmoon = \"mod\"", "the family of `moon`: `mod`"),
        (
            "[[name]]\ndefinition = \"Phase\"\nwire = \"new\"\nrust = \"Self\"\nREVIEW",
            "the name of `new` of Phase: `Self`",
        ),
        ("[[untagged]]\ndefinition = \"Phase\"\nvariants = [\"one two\"]\nREVIEW", "the variants of Phase: `one two`"),
        (
            "[[flattened]]\ndefinition = \"Moon\"\nvalues = \"Phase\"\nfield = \"type\"\nREVIEW",
            "the flattened map of Moon: `type`",
        ),
    ] {
        assert_eq!(wrong_errata(errata), [format!("errata.toml: {what} can't be a name in Rust")]);
    }
    let said = wrong_errata("[families]\nmoon = \"requests\"");
    assert!(
        said[0].ends_with("`moon/read` can't be in a module `requests`: something else has its place"),
        "{said:#?}"
    );
}

#[test]
fn what_something_needs_is_not_skipped() {
    assert_eq!(
        wrong_errata("[[skip]]\ndefinition = \"Phase\"\nREVIEW"),
        ["errata.toml: `Phase` is skipped but `Moon` needs it"]
    );
    assert_eq!(
        wrong_errata("[[skip]]\ndefinition = \"MoonReadResponse\"\nREVIEW"),
        ["errata.toml: `MoonReadResponse` is skipped but `moon/read` needs it"]
    );
    assert_eq!(wrong_errata("[[skip]]\ndefinition = \"Moon\"\nREVIEW"), Vec::<String>::new());
}

#[test]
fn what_could_not_be_read_makes_no_erratum_stale() {
    let definitions = json!({"Moon": {"type": "object", "properties": {"a": false, "b": true}}});
    let errata =
        format!("any = [\"Moon.b\"]\n[[presence]]\ndefinition = \"Moon\"\nfield = \"a\"\nsent = \"null\"\n{REVIEW}");
    assert_eq!(both(&definitions, &definitions, &errata).len(), 1);
}
