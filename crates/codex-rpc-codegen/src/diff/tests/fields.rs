//! The rules of objects and their fields.

use super::*;
use crate::model::{Field, Presence};

#[test]
fn a_field_is_added_and_removed() {
    let without = object(&json!({}), &[]);
    for (with, added, removed) in [
        (object(&json!({"a": string()}), &["a"]), [(R, C), (T, A), (R, C)], [(T, C), (R, C), (R, C)]),
        (object(&json!({"a": string()}), &[]), [(None, A), (T, A), (T, A)], [(T, C), (T, C), (T, C)]),
    ] {
        each_way(&without, &with, Kind::FieldAdded, ".a", added);
        each_way(&with, &without, Kind::FieldRemoved, ".a", removed);
    }
}

#[test]
fn an_object_that_takes_no_others_refuses_a_field_that_is_gone() {
    let closed = |properties: Value| json!({"type": "object", "properties": properties, "additionalProperties": false});
    let (with, without) = (closed(json!({"a": string()})), closed(json!({})));
    each_way(&with, &without, Kind::FieldRemoved, ".a", [(R, C), (T, C), (R, C)]);
}

#[test]
fn a_field_beside_a_typed_map_was_an_entry_of_it() {
    let map = |properties: Value| json!({"type": "object", "properties": properties, "additionalProperties": {"type": "boolean"}});
    let old = map(json!({"a": string()}));
    for (ty, expected) in [("boolean", [(None, A), (T, A), (T, A)]), ("integer", [(None, A), (R, A), (R, A)])] {
        each_way(&old, &map(json!({"a": string(), "b": {"type": ty}})), Kind::FieldAdded, ".b", expected);
    }
    let with_map =
        |ty: &str| json!({"type": "object", "properties": {"a": string()}, "additionalProperties": {"type": ty}});
    each_way(&with_map("integer"), &with_map("number"), Kind::OtherMembers, "", [(T, C), (R, C), (R, C)]);
    let any = |any: bool| json!({"type": "object", "properties": {"a": string()}, "additionalProperties": any});
    each_way(&any(true), &any(false), Kind::OtherMembers, "", [(T, None), (T, None), (T, None)]);
    each_way(&with_map("integer"), &any(false), Kind::OtherMembers, "", [(None, C), (None, C), (None, C)]);
}

#[test]
fn a_field_of_another_type_breaks_what_does_not_fit() {
    let field = |ty: Value| object(&json!({"a": ty}), &["a"]);
    let list = |ty: &str| json!({"type": "array", "items": {"type": ty}});
    for (old, new, expected) in [
        (string(), json!({"type": "boolean"}), [(R, C), (R, C), (R, C)]),
        (json!({"type": "integer"}), json!({"type": "number"}), [(T, C), (R, C), (R, C)]),
        (list("integer"), list("number"), [(T, C), (R, C), (R, C)]),
        (json!({"type": "integer", "format": "uint32"}), json!({"type": "integer"}), [(T, C), (R, C), (R, C)]),
        (json!({"type": "integer", "format": "uint64"}), json!({"type": "integer"}), [(R, C), (R, C), (R, C)]),
        (json!({"type": "boolean"}), json!(true), [(T, C), (R, C), (R, C)]),
    ] {
        each_way(&field(old), &field(new), Kind::FieldType, ".a", expected);
    }
}

#[test]
fn types_with_other_names_and_the_same_content_fit() {
    let with = |name: &str, extra: &Value| {
        let mut phase = object(&json!({"deep": named(name)}), &[]);
        for (key, value) in extra.as_object().unwrap() {
            phase["properties"][key] = value.clone();
        }
        json!({"Sent": object(&json!({"a": named(name)}), &[]), "Received": object(&json!({"a": named(name)}), &[]),
            name: phase})
    };
    let fields = |difference: &Difference| -> Vec<Option<Verdict>> {
        let fields = difference.changes.iter().filter(|change| {
            change.kind == Kind::FieldType && matches!(change.place.as_str(), "Sent.a" | "Received.a")
        });
        fields.map(|change| short(change).3).collect()
    };
    let one = with("One", &json!({"b": string()}));
    assert_eq!(fields(&between(&one, &with("Two", &json!({"b": string()})))), [T, T]);
    // What either side does not know it leaves alone; what it knows must fit.
    assert_eq!(fields(&between(&one, &with("Two", &json!({})))), [T, T]);
    assert_eq!(fields(&between(&one, &with("Two", &json!({"b": {"type": "boolean"}})))), [R, R]);
}

/// Releases with one field that differs in what is done with it.
fn presences(ty: &str, change: impl Fn(&mut Field) -> (Presence, bool), after: (Presence, bool)) -> Vec<Short> {
    let definitions = json!({ty: object(&json!({"a": string()}), &[])});
    let with = |set: &dyn Fn(&mut Field) -> (Presence, bool)| {
        let mut protocol = release(&definitions);
        let definition = protocol.definitions.get_mut(ty).unwrap();
        let field = &mut definition.records_mut()[0].fields[0];
        let (presence, nullable) = set(field);
        (field.presence, field.nullable) = (presence, nullable);
        protocol
    };
    shorts(&diff(&with(&change), &with(&|_| after)))
}

#[test]
fn when_a_field_is_there_and_when_it_is_null() {
    use Presence::{Always, AlwaysNullable, Optional, Required, RequiredNullable, Tristate};
    for (before, after, sent, received) in [
        ((Required, false), (RequiredNullable, true), (T, C), (R, C)),
        ((RequiredNullable, true), (Required, false), (R, C), (T, C)),
        ((Required, false), (Optional, false), (T, C), (R, C)),
        ((Optional, false), (Required, false), (R, C), (T, C)),
        ((Required, false), (Always, false), (T, C), (T, T)),
        ((Always, false), (Required, false), (T, C), (T, T)),
        ((RequiredNullable, true), (Optional, true), (T, C), (R, T)),
        ((Optional, true), (RequiredNullable, true), (R, C), (T, T)),
        ((Optional, true), (AlwaysNullable, true), (T, None), (T, None)),
        ((AlwaysNullable, true), (Optional, true), (T, None), (T, None)),
        ((AlwaysNullable, true), (Optional, false), (R, None), (T, None)),
        ((Optional, false), (Optional, true), (T, None), (R, None)),
        ((Optional, true), (Optional, false), (T, None), (T, None)),
        ((Optional, true), (Tristate, true), (T, C), (T, C)),
        ((Tristate, true), (Optional, false), (R, C), (T, C)),
        ((Optional, false), (Always, false), (T, C), (T, C)),
        ((Always, false), (Optional, true), (T, C), (R, C)),
    ] {
        for (ty, direction, (old_bindings, new_bindings)) in
            [("Sent", Direction::Sent, sent), ("Received", Direction::Received, received)]
        {
            let expected = (Kind::FieldPresence, format!("{ty}.a"), direction, old_bindings, new_bindings);
            assert_eq!(presences(ty, |_| before, after), [expected], "{before:?} {after:?}");
        }
    }
}

#[test]
fn a_default_is_told_unless_it_says_nothing() {
    let with = |default: Value| object(&json!({"a": {"type": ["string", "null"], "default": default}}), &[]);
    let without = object(&json!({"a": {"type": ["string", "null"]}}), &[]);
    let [sent, received] = ["Sent", "Received"]
        .map(|name| move |old: &Value, new: &Value| between(&json!({name: old}), &json!({name: new})));
    assert_eq!(sent(&without, &with(Value::Null)).changes, []);
    // What the server has a default of null for it writes as null.
    assert_eq!(shorts(&received(&without, &with(Value::Null)))[0].0, Kind::FieldPresence);
    each_way(&with(json!("x")), &with(json!("y")), Kind::FieldDefault, ".a", [(T, T), (T, T), (T, T)]);
    each_way(&without, &with(json!("y")), Kind::FieldDefault, ".a", [(A, A), (A, A), (A, A)]);
    each_way(&with(json!("x")), &without, Kind::FieldDefault, ".a", [(T, T), (T, T), (T, T)]);
}

#[test]
fn which_members_belong_together_changes_the_constructors() {
    let fields = json!({"a": string(), "b": string()});
    let with = |sets: &[&[&str]]| {
        let mut record = object(&fields, &[]);
        if !sets.is_empty() {
            record["anyOf"] = sets.iter().map(|set| json!({"required": set})).collect();
        }
        record
    };
    let (any, a, either) = (with(&[]), with(&[&["a"], &["a", "b"]]), with(&[&["a"], &["b"]]));
    each_way(&any, &either, Kind::ChoiceChanged, "", [(R, C), (T, C), (R, C)]);
    each_way(&either, &any, Kind::ChoiceChanged, "", [(T, C), (R, C), (R, C)]);
    each_way(&a, &either, Kind::ChoiceChanged, "", [(T, C), (R, C), (R, C)]);
}

#[test]
fn what_is_always_written_is_one_of_the_members_that_have_to_be_there() {
    let fields = json!({"a": string(), "b": string()});
    let mut either = object(&fields, &[]);
    either["anyOf"] = json!([{"required": ["a"]}, {"required": ["b"]}]);
    let old = json!({"Sent": object(&fields, &["a"])});
    let difference = between(&old, &json!({"Sent": either}));
    let sent = |kind, place: &str| (kind, place.to_owned(), Direction::Sent, T, C);
    assert_eq!(shorts(&difference), [sent(Kind::FieldPresence, "Sent.a"), sent(Kind::ChoiceChanged, "Sent")]);
}
