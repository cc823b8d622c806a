//! Schema folders that `generate` can't use.

use std::fs;

use serde_json::{Value, json};

use crate::bench::Bench;

fn properties<'a>(definitions: &'a mut Value, name: &str) -> &'a mut Value {
    &mut definitions["v2"][name]["properties"]
}

#[test]
fn a_schema_file_that_is_not_the_pinned_one_is_named_and_to_be_pulled_again() {
    let bench = Bench::new();
    bench.cut("schema/experimental.json");
    let file = bench.at("schema/experimental.json");
    bench.refuses_to_generate().says(&[&file, "is not the file that pin.toml lists", "cargo xtask pull 0.169.0"]);
}

#[test]
fn a_schema_file_that_is_missing_is_named_and_to_be_pulled_again() {
    for name in ["stable.json", "experimental.json", "harvest.json"] {
        let bench = Bench::new();
        fs::remove_file(bench.path("schema").join(name)).unwrap();
        let file = bench.at(&format!("schema/{name}"));
        bench.refuses_to_generate().says(&[&file, "can't read", "cargo xtask pull 0.169.0"]);
    }
}

#[test]
fn a_truncated_export_is_torn_json_at_a_line_of_a_named_file() {
    for name in ["stable.json", "experimental.json", "harvest.json"] {
        let bench = Bench::new();
        bench.cut(&format!("schema/{name}"));
        bench.pin("schema");
        bench.refuses_to_generate().says(&[name, "EOF while parsing", "line ", "column ", "cargo xtask pull"]);
    }
}

#[test]
fn a_bundle_without_definitions_is_no_export() {
    let bench = Bench::new();
    bench.write("schema/experimental.json", "{\"title\": \"something else\"}");
    bench.pin("schema");
    bench.refuses_to_generate().says(&["experimental.json", "no `definitions`", "cargo xtask pull"]);
}

#[test]
fn a_pin_that_can_not_be_used_is_named_with_the_command_that_makes_one() {
    let bench = Bench::new();
    fs::remove_file(bench.path("schema/pin.toml")).unwrap();
    bench.refuses_to_generate().says(&[&bench.at("schema/pin.toml"), "can't read", "cargo xtask pull 0.169.0"]);

    for (from, to, what) in [
        ("release =", "release", "line 4"),
        ("obtained =", "source =", "unknown field `source`"),
        ("\"harvest.json\"", "\"harvest\"", "lists no hash of harvest.json"),
        ("\"0.169.0\"", "\"latest\"", "`latest` is no release"),
    ] {
        let bench = Bench::new();
        bench.edit("schema/pin.toml", |text| text.replace(from, to));
        bench.refuses_to_generate().says(&["pin.toml", what, "cargo xtask pull"]);
    }
}

#[test]
fn a_schema_folder_that_does_not_exist_is_named() {
    let bench = Bench::new();
    let folder = bench.at("nowhere");
    bench.refuses(&["generate", "--schema", &folder, "--out", &bench.at("out")]).says(&[
        &bench.at("nowhere/pin.toml"),
        "can't read",
        "cargo xtask pull",
    ]);
}

#[test]
fn a_dangling_reference_is_named_with_its_place() {
    let bench = Bench::with(|definitions| {
        properties(definitions, "SkillInterface")["iconLarge"]["anyOf"][0]["$ref"] =
            json!("#/definitions/v2/NoSuchPath");
        properties(definitions, "ConfigLayer")["name"]["$ref"] = json!("other.json#/SkillInterface");
    });
    bench.refuses_to_generate().says(&[
        "experimental.json: /definitions/",
        "SkillInterface/properties/iconLarge/anyOf/0: the reference `#/definitions/v2/NoSuchPath` points to nothing",
        "ConfigLayer/properties/name: the reference `other.json#/SkillInterface` points to nothing",
        "cargo xtask pull",
    ]);
}

#[test]
fn a_place_in_an_error_is_a_pointer_that_leads_there() {
    let bench = Bench::with(|definitions| {
        properties(definitions, "SkillInterface")["iconLarge"]["anyOf"][0]["$ref"] =
            json!("#/definitions/v2/NoSuchPath");
    });
    bench.refuses_to_generate().says(&["/definitions/v2/SkillInterface/properties/iconLarge/anyOf/0"]);

    let bench = Bench::with(|definitions| {
        let property = &mut properties(definitions, "ConfigLayer")["version"];
        *property = json!({"type": "integer", "format": "int128"});
        definitions["ClientInfo"]["properties"]["name"] = property.clone();
        // An arm of a union that is an anyOf.
        definitions["v2"]["ThreadListCwdFilter"]["anyOf"][0] = json!({"type": "integer", "format": "int128"});
    });
    bench.refuses_to_generate().says(&[
        "/definitions/v2/ConfigLayer/properties/version",
        "/definitions/ClientInfo/properties/name",
        "/definitions/v2/ThreadListCwdFilter/anyOf/0",
    ]);
}

#[test]
fn a_number_format_that_nobody_knows_is_an_error() {
    let bench = Bench::with(|definitions| {
        properties(definitions, "SkillInterface")["brandColor"] =
            json!({"type": ["integer", "null"], "format": "int128"});
        properties(definitions, "ConfigLayer")["version"] = json!({"type": "number", "format": "decimal"});
    });
    bench.refuses_to_generate().says(&[
        "experimental.json: /definitions/",
        "SkillInterface/properties/brandColor: the number format `int128` is not known",
        "ConfigLayer/properties/version: the number format `decimal` is not known",
        "add it to crates/codex-rpc-codegen/src/shape.rs",
    ]);
}

#[test]
fn a_node_that_no_shape_fits_is_an_error_and_one_run_names_them_all() {
    let tuple = json!({"type": "array", "items": [{"type": "string"}, {"type": "integer"}]});
    let bench = Bench::with(|definitions| {
        properties(definitions, "SkillInterface")["brandColor"] = tuple;
        properties(definitions, "ConfigLayer")["version"] = json!({"type": ["string", "integer"]});
        properties(definitions, "ConfigReadResponse")["config"] = json!({"enum": [1, 2]});
        properties(definitions, "TurnInterruptParams")["turnId"] = json!(false);
        properties(definitions, "ThreadArchiveParams")["threadId"] = json!({"type": "null"});
    });
    bench.refuses_to_generate().says(&[
        "5 problems",
        "experimental.json: /definitions/",
        "SkillInterface/properties/brandColor: a tuple: no shape fits",
        "ConfigLayer/properties/version: several types at once: no shape fits",
        "ConfigReadResponse/properties/config: an enum of something else than strings: no shape fits",
        "TurnInterruptParams/properties/turnId: `false`: no shape fits",
        "ThreadArchiveParams/properties/threadId: a value that is always null: no shape fits",
        "crates/codex-rpc-codegen/src/shape.rs",
    ]);
}

#[test]
fn a_keyword_that_nobody_knows_is_an_error() {
    let bench = Bench::with(|definitions| {
        properties(definitions, "SkillInterface")["brandColor"]["frobnicate"] = json!(1);
        definitions["v2"]["ConfigLayer"]["dependencies"] = json!({"name": ["version"]});
    });
    bench.refuses_to_generate().says(&[
        "experimental.json: /definitions/",
        "SkillInterface/properties/brandColor: the keyword `frobnicate` has no meaning here",
        "ConfigLayer: the keyword `dependencies` has no meaning here",
        "teach crates/codex-rpc-codegen/src/",
    ]);
}

/// Keywords that schemars knows and our shapes do not.
#[test]
fn a_keyword_that_changes_what_a_type_is_is_never_ignored() {
    let string = json!({"type": "string"});
    let bench = Bench::with(|definitions| {
        definitions["v2"]["SkillInterface"]["patternProperties"] = json!({"^x-": string});
        definitions["v2"]["ConfigLayer"]["propertyNames"] = json!({"pattern": "^[a-z]+$"});
        properties(definitions, "ConfigLayer")["version"] = json!({"const": "1"});
        properties(definitions, "ThreadListParams")["cursor"] = json!({"type": "array", "contains": string});
    });
    bench.refuses_to_generate().says(&[
        "experimental.json: /definitions/",
        "SkillInterface: the keyword `patternProperties` has no meaning here",
        "ConfigLayer: the keyword `propertyNames` has no meaning here",
        "ConfigLayer/properties/version: the keyword `const` has no meaning here",
        "ThreadListParams/properties/cursor: the keyword `contains` has no meaning here",
        "teach crates/codex-rpc-codegen/src/",
    ]);
}

#[test]
fn a_schema_made_of_schemas_in_a_way_that_no_shape_fits_is_an_error() {
    let string = json!({"type": "string"});
    for (keyword, node) in [
        ("not", json!({"not": string})),
        ("if", json!({"if": string, "then": string, "else": string})),
        ("allOf", json!({"allOf": [string, {"minLength": 1}]})),
    ] {
        let bench = Bench::with(|definitions| properties(definitions, "TurnInterruptParams")["turnId"] = node);
        let what = format!("`{keyword}`");
        bench.refuses_to_generate().says(&[
            "experimental.json: /definitions/",
            "TurnInterruptParams/properties/turnId: ",
            &what,
            "crates/codex-rpc-codegen/src/",
        ]);
    }
}

#[test]
fn a_dangling_reference_in_a_corner_of_the_schema_is_found_too() {
    let dangling = json!({"$ref": "#/definitions/v2/NoSuchPath"});
    let bench = Bench::with(|definitions| {
        properties(definitions, "SkillInterface")["brandColor"] = json!({"type": "array", "items": [dangling]});
        properties(definitions, "ConfigLayer")["version"] = json!({"type": "object", "additionalProperties": dangling});
        definitions["ClientNotification"]["oneOf"][0]["properties"]["params"] = dangling.clone();
    });
    bench.refuses_to_generate().says(&[
        "SkillInterface/properties/brandColor/items/0: the reference",
        "ConfigLayer/properties/version/additionalProperties: the reference",
        "ClientNotification/oneOf/0/properties/params: the reference",
    ]);
}

#[test]
fn something_that_is_no_schema_is_named_with_its_place_and_nothing_else_is_blamed() {
    let bench = Bench::with(|definitions| properties(definitions, "SkillInterface")["brandColor"] = json!("a string"));
    bench
        .refuses_to_generate()
        .says(&["experimental.json: /definitions/", "SkillInterface", "not a draft-07 schema", "cargo xtask pull"])
        .never_says(&["points to nothing"]);
}

#[test]
fn a_method_whose_response_is_not_in_the_export_is_an_error() {
    let bench = Bench::with(|definitions| {
        assert!(definitions["v2"].as_object_mut().unwrap().remove("TurnSteerResponse").is_some());
    });
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "turn/steer: the method has no response",
        "`response` in protocol-schema/errata.toml",
    ]);
}

#[test]
fn a_response_that_answers_no_method_is_an_error() {
    let bench = Bench::with(|definitions| definitions["v2"]["MoonPhaseResponse"] = json!({"type": "object"}));
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "MoonPhaseResponse` answers no method",
        "`response` in protocol-schema/errata.toml",
    ]);
}

#[test]
fn an_export_without_a_list_of_methods_is_not_complete() {
    for list in ["ClientRequest", "ServerRequest", "ClientNotification", "ServerNotification"] {
        let bench = Bench::with(|definitions| {
            assert!(definitions.as_object_mut().unwrap().remove(list).is_some());
        });
        bench.refuses_to_generate().says(&[
            "experimental.json",
            &format!("/definitions/{list}: there is no list of methods"),
            "cargo xtask pull",
        ]);
    }
}

#[test]
fn a_method_of_another_form_is_an_error() {
    let bench = Bench::with(|definitions| {
        let arms = definitions["ClientRequest"]["oneOf"].as_array_mut().unwrap();
        arms[0]["properties"].as_object_mut().unwrap().remove("method");
        arms[1]["properties"]["params"] = json!(true);
    });
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "/definitions/ClientRequest/oneOf/0: an arm has no method",
        "/definitions/ClientRequest/oneOf/1: the params have no definition",
        "crates/codex-rpc-codegen/src/link.rs",
    ]);
}

#[test]
fn two_definitions_of_one_rust_name_are_an_error() {
    let bench = Bench::with(|definitions| definitions["v2"]["Skill_Interface"] = json!({"type": "object"}));
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "two types are called `SkillInterface` in Rust",
        "/SkillInterface",
        "/Skill_Interface",
        "crates/codex-rpc-codegen/src/names.rs",
    ]);
}

#[test]
fn two_properties_of_one_rust_name_are_an_error() {
    let string = json!({"type": "string"});
    let bench = Bench::with(|definitions| {
        properties(definitions, "ConfigLayer")["fooBar"] = string.clone();
        properties(definitions, "ConfigLayer")["foo_bar"] = string;
    });
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "ConfigLayer: `fooBar` and `foo_bar` are both `foo_bar` in Rust",
        "crates/codex-rpc-codegen/src/names.rs",
    ]);
}

#[test]
fn two_enum_values_of_one_rust_name_are_an_error() {
    let bench =
        Bench::with(|definitions| definitions["v2"]["ModeKind"]["enum"] = json!(["plan", "default", "a-b", "a_b"]));
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "/ModeKind: ",
        "`a-b`",
        "`a_b`",
        "both `AB` in Rust",
        "`name` in protocol-schema/errata.toml",
    ]);
}

#[test]
fn two_methods_of_one_rust_name_are_an_error() {
    let bench = Bench::with(|definitions| {
        let arms = definitions["ClientRequest"]["oneOf"].as_array_mut().unwrap();
        let mut twin = arms.iter().find(|arm| arm["properties"]["method"]["enum"][0] == "turn/steer").unwrap().clone();
        twin["properties"]["method"]["enum"][0] = json!("turn-steer");
        arms.push(twin);
    });
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "/definitions/ClientRequest",
        "`turn/steer` and `turn-steer` are both `TurnSteer` in Rust",
        "crates/codex-rpc-codegen/src/names.rs",
    ]);
}

#[test]
fn a_name_that_the_generated_code_needs_for_itself_is_an_error() {
    let bench = Bench::with(|definitions| definitions["v2"]["String"] = json!({"type": "object"}));
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "/String: ",
        "the name `String`",
        "crates/codex-rpc-codegen/src/names.rs",
    ]);
}

#[test]
fn an_untagged_union_that_nobody_reviewed_is_an_error() {
    let bench = Bench::with(|definitions| {
        let arms = json!([{"type": "string"}, {"type": "array", "items": {"type": "string"}}]);
        definitions["v2"]["MoonPhase"] = json!({"anyOf": arms});
    });
    bench.refuses_to_generate().says(&[
        "experimental.json: /definitions/",
        "MoonPhase: the untagged union `MoonPhase` was not reviewed",
        "`untagged` in protocol-schema/errata.toml",
    ]);
}

#[test]
fn a_free_form_field_that_nobody_reviewed_is_an_error() {
    let bench = Bench::with(|definitions| properties(definitions, "SkillInterface")["moon"] = json!(true));
    bench.refuses_to_generate().says(&[
        "experimental.json: /definitions/",
        "SkillInterface/properties/moon: `SkillInterface.moon` is free-form JSON and was not reviewed",
        "`any` in protocol-schema/errata.toml",
    ]);
}

#[test]
fn free_form_json_is_noticed_wherever_it_stands() {
    let bench = Bench::with(|definitions| {
        // In a list, in a map, in an object inside another, and in a type that the
        // TypeScript does not name.
        properties(definitions, "SkillInterface")["list"] = json!({"type": "array", "items": true});
        properties(definitions, "SkillInterface")["map"] = json!({"type": "object", "additionalProperties": true});
        properties(definitions, "SkillInterface")["inner"] = json!({"type": "object", "properties": {"moon": true}});
        definitions["v2"]["MoonPhase"] = json!({"type": "object", "properties": {"moon": {}}});
    });
    bench.refuses_to_generate().says(&[
        "SkillInterface/properties/list",
        "SkillInterface/properties/map",
        "SkillInterface/properties/inner/properties/moon",
        "MoonPhase/properties/moon",
    ]);
}

#[test]
fn a_definition_that_means_two_things_is_an_error() {
    let bench = Bench::with(|definitions| definitions["SkillInterface"] = json!({"type": "string"}));
    bench.refuses_to_generate().says(&[
        "experimental.json: /definitions/SkillInterface",
        "`SkillInterface` stands at the root and under v2 and is not the same in both",
        "two types need two names",
    ]);
}

#[test]
fn a_property_that_both_exports_spell_differently_is_an_error() {
    let bench = Bench::with(|definitions| {
        let properties = properties(definitions, "ConfigLayer").as_object_mut().unwrap();
        let reason = properties.remove("disabledReason").unwrap();
        properties.insert("disabled_reason".to_owned(), reason);
    });
    bench.refuses_to_generate().says(&[
        "experimental.json",
        "ConfigLayer",
        "JSON Schema says `disabled_reason`, TypeScript says `disabledReason`",
        "add an erratum to protocol-schema/errata.toml",
    ]);
}
