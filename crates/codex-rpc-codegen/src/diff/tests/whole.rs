//! What holds for all changes.

use super::*;
use crate::model::{Field, Shape, Type};

#[test]
fn the_same_release_differs_in_nothing() {
    let definitions = json!({"Both": {"type": "string", "enum": ["new", "full"]}});
    let difference = between(&definitions, &definitions);
    assert_eq!((difference.worst(), difference.changes.len(), difference.counts), (None, 0, Counts::default()));
}

#[test]
fn how_upstream_renders_a_type_is_no_difference() {
    let one = |value: &str| json!({"type": "string", "enum": [value]});
    let plain = json!({"Both": {"type": "string", "enum": ["new", "full"]},
        "Sent": object(&json!({"phase": named("Both")}), &[])});
    let rendered = json!({"Both": {"oneOf": [one("new"), one("full")], "title": "Phase"},
        "Sent": object(&json!({"phase": {"allOf": [named("Both")], "default": null}}), &[])});
    // A reference with a description stands in an `allOf`.
    assert_eq!(between(&plain, &json!({"Both": rendered["Both"], "Sent": plain["Sent"]})).changes, []);
    let described = object(&json!({"phase": {"allOf": [named("Both")], "description": "Its phase."}}), &[]);
    let change = only(&plain, &json!({"Both": plain["Both"], "Sent": described}));
    assert_eq!((change.verdict, change.place.as_str()), (Verdict::Documentation, "Sent.phase"));
    // Nor is the order of fields and values.
    let turned = json!({"Both": {"type": "string", "enum": ["full", "new"]}, "Sent": plain["Sent"]});
    assert_eq!(between(&plain, &turned).changes, []);
}

#[test]
fn a_text_that_turns_an_enum_into_a_union_is_documentation() {
    let one = |value: &str| json!({"type": "string", "enum": [value], "description": format!("It is {value}.")});
    let plain = json!({"Both": {"type": "string", "enum": ["new", "full"]}});
    let rendered = json!({"Both": {"oneOf": [one("new"), one("full")]}});
    let difference = between(&plain, &rendered);
    let places: Vec<&str> = difference.changes.iter().map(|change| change.place.as_str()).collect();
    assert_eq!(places, ["Both[full]", "Both[new]"]);
    assert_eq!((difference.worst(), difference.counts.documentation), (Some(Verdict::Documentation), 2));
    assert_eq!(difference.clone().without_documentation().changes, []);
    assert_eq!(difference.without_documentation().counts.documentation, 2);
}

#[test]
fn the_pinned_release_without_one_value_differs_in_that_value() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocol-schema/");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}{name}")).unwrap();
    let parse = |name: &str| -> Value { serde_json::from_str(&read(name)).unwrap() };
    let harvest = Harvest::from_json(&read("harvest.json")).unwrap();
    // As of another release, so that an erratum may be without effect.
    let errata = read("errata.toml").replace("reviewed = \"", "reviewed = \"9");
    let (experimental, stable) = (parse("experimental.json"), parse("stable.json"));
    let new = release_of("0.169.1", &experimental, &stable, &harvest, &errata);
    assert_eq!(diff(&new, &new).changes, []);
    let mut old = new.clone();
    let Some(Shape::StringEnum(values)) = old.definitions.get_mut("PlanType").map(|plan| &mut plan.shape) else {
        panic!("PlanType is an enum")
    };
    let gone = values.pop().unwrap();
    let Some(Shape::Record(params)) = old.definitions.get_mut("TurnStartParams").map(|params| &mut params.shape) else {
        panic!("TurnStartParams is an object")
    };
    let field = params.fields.iter_mut().find(|field| field.wire == "threadId").unwrap();
    field.ty = Type::Any;
    assert_eq!(
        shorts(&diff(&old, &new)),
        [
            (Kind::FieldType, "TurnStartParams.threadId".to_owned(), Direction::Sent, R, C),
            (Kind::ValueAdded, format!("PlanType[{}]", gone.wire), Direction::Received, T, A),
        ]
    );
}

#[test]
fn a_type_that_is_written_by_hand_is_for_a_person_to_look_at() {
    let with =
        |ty: &str| json!({"RequestId": {"type": ty}, "Received": object(&json!({"id": named("RequestId")}), &[])});
    let change = only(&with("string"), &with("integer"));
    assert_eq!(short(&change), (Kind::TypeChanged, "RequestId".to_owned(), Direction::Received, R, T));
    assert!(change.new_bindings.unwrap().reason.contains("by hand"));
}

#[test]
fn a_type_that_no_method_reaches_is_judged_as_rust_only() {
    let with = |ty: &str| json!({"Alone": object(&json!({"a": {"type": ty}}), &["a"])});
    let change = only(&with("string"), &with("boolean"));
    assert_eq!(short(&change), (Kind::FieldType, "Alone.a".to_owned(), Direction::Unreferenced, None, C));
}

#[test]
fn boxes_and_rust_names_are_of_the_bindings_alone() {
    let definitions = json!({"Received": tagged("type", &[("new", json!({}))]),
        "Both": {"type": "string", "enum": ["new"]}, "Sent": object(&json!({"a": string()}), &[])});
    let old = release(&definitions);
    let mut new = old.clone();
    for (name, definition) in &mut new.definitions {
        match &mut definition.shape {
            Shape::StringEnum(values) if name == "Both" => values[0].rust = "Young".to_owned(),
            Shape::Record(record) if name == "Sent" => record.fields[0].boxed = true,
            Shape::Tagged { arms, .. } => {
                // Five texts are more than an arm holds in place.
                let field = old.definitions["Sent"].records()[0].1.fields[0].clone();
                let fields = (0..5).map(|index| Field { wire: index.to_string(), ..field.clone() });
                arms[0].record.fields.extend(fields);
            }
            _ => {}
        }
    }
    let changes = diff(&old, &new).changes;
    let compiled: Vec<(Kind, &str)> = changes
        .iter()
        .filter(|change| change.verdict == Verdict::BreaksCompilation)
        .map(|change| (change.kind, change.place.as_str()))
        .collect();
    assert_eq!(compiled, [(Kind::Boxing, "Received[new]"), (Kind::Boxing, "Sent.a"), (Kind::RustName, "Both[new]")]);
}
