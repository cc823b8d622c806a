//! The rules of types.

use super::*;

#[test]
fn a_type_is_added_and_removed() {
    let with = json!({"Sun": {"type": "object"}});
    let place = "Sun".to_owned();
    assert_eq!(short(&only(&json!({}), &with)), (Kind::TypeAdded, place.clone(), Direction::Unreferenced, None, A));
    assert_eq!(short(&only(&with, &json!({}))), (Kind::TypeRemoved, place, Direction::Unreferenced, None, C));
}

#[test]
fn a_type_of_another_shape_breaks_what_does_not_fit() {
    let (text, values) = (string(), json!({"type": "string", "enum": ["new"]}));
    each_way(&text, &values, Kind::ShapeChanged, "", [(R, C), (T, C), (R, C)]);
    each_way(&values, &text, Kind::ShapeChanged, "", [(T, C), (T, C), (T, C)]);
    let record = object(&json!({}), &[]);
    each_way(&values, &record, Kind::ShapeChanged, "", [(R, C), (R, C), (R, C)]);
    let keyed = json!({"oneOf": [{"type": "string", "enum": ["new"]}, object(&json!({"full": {"type": "boolean"}}), &["full"])]});
    each_way(&values, &keyed, Kind::ShapeChanged, "", [(T, C), (R, C), (R, C)]);
    each_way(&keyed, &values, Kind::ShapeChanged, "", [(R, C), (T, C), (R, C)]);
    let count = |ty: &str| json!({"type": "integer", "format": ty});
    each_way(&count("int32"), &count("int64"), Kind::TypeChanged, "", [(T, C), (R, C), (R, C)]);
}

#[test]
fn what_is_no_longer_sent_has_no_setters() {
    let fields = json!({"a": string()});
    let sent = json!({"Received": object(&fields, &[]),
        "Sent": object(&json!({"part": named("Received")}), &[])});
    let not = json!({"Received": object(&fields, &[]), "Sent": object(&json!({}), &[])});
    let direction = |difference: &Difference| {
        shorts(difference).into_iter().find(|short| short.0 == Kind::DirectionChanged).unwrap()
    };
    let place = "Received".to_owned();
    let kind = Kind::DirectionChanged;
    assert_eq!(direction(&between(&sent, &not)), (kind, place.clone(), Direction::Both, None, C));
    assert_eq!(direction(&between(&not, &sent)), (kind, place, Direction::Both, None, A));
}

#[test]
fn a_value_of_an_enum_is_added_and_removed() {
    let (less, more) = (json!({"type": "string", "enum": ["new"]}), json!({"type": "string", "enum": ["new", "full"]}));
    each_way(&less, &more, Kind::ValueAdded, "[full]", [(None, A), (T, A), (T, A)]);
    each_way(&more, &less, Kind::ValueRemoved, "[full]", [(R, C), (T, C), (R, C)]);
}

#[test]
fn an_arm_of_a_tagged_union_is_added_and_removed() {
    let less = tagged("type", &[("new", json!({}))]);
    let more = tagged("type", &[("new", json!({})), ("full", json!({"a": string()}))]);
    each_way(&less, &more, Kind::ArmAdded, "[full]", [(None, A), (T, A), (T, A)]);
    each_way(&more, &less, Kind::ArmRemoved, "[full]", [(R, C), (T, C), (R, C)]);
    let changed = tagged("type", &[("new", json!({})), ("full", json!({"a": {"type": "boolean"}}))]);
    each_way(&more, &changed, Kind::FieldType, "[full].a", [(R, C), (R, C), (R, C)]);
}

#[test]
fn a_tag_of_another_name_breaks_at_run_time() {
    let with = |tag: &str| tagged(tag, &[("new", json!({})), ("full", json!({}))]);
    each_way(&with("type"), &with("kind"), Kind::TagChanged, "", [(R, None), (R, None), (R, None)]);
}

#[test]
fn what_changed_alike_in_all_arms_is_one_change() {
    let with = |fields: &Value| tagged("type", &[("new", fields.clone()), ("full", fields.clone())]);
    let (without, both) = (with(&json!({})), with(&json!({"a": string()})));
    each_way(&without, &both, Kind::FieldAdded, "[*].a", [(None, A), (T, A), (T, A)]);
    let one = tagged("type", &[("new", json!({"a": string()})), ("full", json!({}))]);
    each_way(&without, &one, Kind::FieldAdded, "[new].a", [(None, A), (T, A), (T, A)]);
}

#[test]
fn an_accessor_goes_with_the_field_that_all_arms_had() {
    let (a, none) = (json!({"a": string()}), json!({}));
    let old = json!({"Received": tagged("type", &[("new", a.clone()), ("full", a.clone())])});
    let new = json!({"Received": tagged("type", &[("new", a.clone()), ("full", a), ("half", none)])});
    let received = |kind, place: &str, old, new| (kind, place.to_owned(), Direction::Received, old, new);
    assert_eq!(
        shorts(&between(&old, &new)),
        [received(Kind::AccessorRemoved, "Received", None, C), received(Kind::ArmAdded, "Received[half]", T, A),]
    );
}

fn external(keys: &[(&str, &str)], open: bool) -> Value {
    let mut arms = vec![json!({"type": "string", "enum": ["new"]})];
    arms.extend(keys.iter().map(|(key, ty)| object(&json!({*key: {"type": ty}}), &[key])));
    if open {
        arms.push(json!({"type": ["string", "object"]}));
    }
    json!({"anyOf": arms})
}

#[test]
fn an_arm_with_a_key_is_added_removed_and_changed() {
    let (less, more) = (external(&[("a", "string")], false), external(&[("a", "string"), ("b", "string")], false));
    each_way(&less, &more, Kind::ArmAdded, "[b]", [(None, A), (T, A), (T, A)]);
    each_way(&more, &less, Kind::ArmRemoved, "[b]", [(R, C), (T, C), (R, C)]);
    each_way(&less, &external(&[("a", "boolean")], false), Kind::ArmType, "[a]", [(R, C), (R, C), (R, C)]);
}

#[test]
fn a_union_begins_to_take_other_values() {
    let (shut, open) = (external(&[("a", "string")], false), external(&[("a", "string")], true));
    each_way(&shut, &open, Kind::OtherValues, "", [(T, A), (T, A), (T, A)]);
    each_way(&open, &shut, Kind::OtherValues, "", [(T, None), (T, None), (T, None)]);
}

#[test]
fn an_untagged_union_has_nothing_for_what_it_does_not_know() {
    let with = |types: &[&str]| json!({"anyOf": types.iter().map(|ty| json!({"type": ty})).collect::<Vec<_>>()});
    let (less, more) = (with(&["string", "integer"]), with(&["string", "integer", "boolean"]));
    each_way(&less, &more, Kind::ArmAdded, "[Bool]", [(None, C), (R, C), (R, C)]);
    each_way(&more, &less, Kind::ArmRemoved, "[Bool]", [(R, C), (T, C), (R, C)]);
}
