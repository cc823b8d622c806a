//! The examination can fail: what is wrong in a model is named, and nothing else.

use std::collections::BTreeSet;

use codex_rpc_codegen::model::{Definition, Field, Presence, Protocol, Record, Rest, Shape, Type};

use crate::RELEASE;
use crate::compare::Difference;

/// What a mutation of the model adds to the differences of the release.
fn named(mutate: impl FnOnce(&mut Protocol)) -> BTreeSet<Difference> {
    let before = RELEASE.examine(&RELEASE.outcome.protocol).differences;
    let mut protocol = RELEASE.outcome.protocol.clone();
    mutate(&mut protocol);
    assert_ne!(protocol, RELEASE.outcome.protocol, "the mutation changed nothing");
    RELEASE.examine(&protocol).differences.difference(&before).cloned().collect()
}

#[track_caller]
fn exactly(expected: &[(&str, &str)], mutate: impl FnOnce(&mut Protocol)) {
    let expected = expected.iter().map(|(place, what)| ((*place).to_owned(), (*what).to_owned())).collect();
    assert_eq!(named(mutate), expected);
}

fn definition<'a>(protocol: &'a mut Protocol, name: &str) -> &'a mut Definition {
    protocol.definitions.get_mut(name).unwrap_or_else(|| panic!("no definition {name}"))
}

/// The record of a definition, or of its arm with this tag.
fn record<'a>(protocol: &'a mut Protocol, name: &str, arm: Option<&str>) -> &'a mut Record {
    match (&mut definition(protocol, name).shape, arm) {
        (Shape::Record(record), None) => record,
        (Shape::Tagged { arms, .. }, Some(arm)) => {
            &mut arms.iter_mut().find(|other| other.wire == arm).unwrap_or_else(|| panic!("no arm {arm}")).record
        }
        _ => panic!("{name} {arm:?} is no record"),
    }
}

fn field<'a>(protocol: &'a mut Protocol, name: &str, arm: Option<&str>, wire: &str) -> &'a mut Field {
    let fields = &mut record(protocol, name, arm).fields;
    fields.iter_mut().find(|field| field.wire == wire).unwrap_or_else(|| panic!("no member {wire}"))
}

#[test]
fn a_field_that_typify_sees_and_the_model_lacks_is_named() {
    exactly(&[("Turn", "typify has the member `status`, the model lacks it")], |protocol| {
        record(protocol, "Turn", None).fields.retain(|field| field.wire != "status");
    });
    let of_an_arm = ("ThreadItem/mcpToolCall", "typify has the member `arguments`, the model lacks it");
    exactly(&[of_an_arm], |protocol| {
        record(protocol, "ThreadItem", Some("mcpToolCall")).fields.retain(|field| field.wire != "arguments");
    });
}

#[test]
fn a_required_flag_that_is_wrong_is_named() {
    exactly(&[("Thread.id", "it is optional in the model and required in typify")], |protocol| {
        field(protocol, "Thread", None, "id").presence = Presence::Optional;
    });
    exactly(
        &[("ThreadItem/commandExecution.exitCode", "it is required in the model and optional in typify")],
        |protocol| {
            field(protocol, "ThreadItem", Some("commandExecution"), "exitCode").presence = Presence::Required;
        },
    );
}

#[test]
fn a_null_that_is_wrong_is_named() {
    exactly(&[("Thread.projectId", "it is not nullable in the model and nullable in typify")], |protocol| {
        let field = field(protocol, "Thread", None, "projectId");
        (field.presence, field.nullable) = (Presence::Required, false);
    });
    exactly(&[("Thread.id", "it is nullable in the model and not nullable in typify")], |protocol| {
        let field = field(protocol, "Thread", None, "id");
        (field.presence, field.nullable) = (Presence::RequiredNullable, true);
    });
}

#[test]
fn a_default_that_is_wrong_is_named() {
    exactly(
        &[("Thread.historyMode", "the default is \"paginated\" in the model and \"legacy\" in typify")],
        |protocol| {
            field(protocol, "Thread", None, "historyMode").default = Some("paginated".into());
        },
    );
    exactly(&[("Thread.historyMode", "the default is nothing in the model and \"legacy\" in typify")], |protocol| {
        field(protocol, "Thread", None, "historyMode").default = None;
    });
}

#[test]
fn a_wire_name_that_is_wrong_is_named() {
    let both = [
        ("Thread", "the model has the member `threadId`, typify lacks it"),
        ("Thread", "typify has the member `id`, the model lacks it"),
    ];
    exactly(&both, |protocol| field(protocol, "Thread", None, "id").wire = "threadId".to_owned());
}

#[test]
fn a_type_that_is_wrong_is_named() {
    exactly(&[("Turn.items", "the model refers to `UserInput`, typify to `ThreadItem`")], |protocol| {
        field(protocol, "Turn", None, "items").ty = Type::List(Box::new(Type::Named("UserInput".to_owned())));
    });
    exactly(&[("Thread.createdAt", "the type is i32 in the model and i64 in typify")], |protocol| {
        field(protocol, "Thread", None, "createdAt").ty = Type::Integer("i32");
    });
}

#[test]
fn a_closed_or_open_object_that_is_wrong_is_named() {
    exactly(&[("Thread", "it is closed in the model and open in typify")], |protocol| {
        record(protocol, "Thread", None).closed = true;
    });
    exactly(&[("AppsConfig", "typify takes other members as `AppConfig`, the model knows of none")], |protocol| {
        record(protocol, "AppsConfig", None).rest = Rest::Unknown;
    });
}

#[test]
fn a_choice_among_members_that_is_wrong_is_named() {
    let places: BTreeSet<String> = named(|protocol| record(protocol, "UserInput", Some("image")).one_of.clear())
        .into_iter()
        .map(|(place, what)| format!("{place}: {what}"))
        .collect();
    assert_eq!(places, ["UserInput/image: the model has 1 objects to choose from, typify 2".to_owned()].into());
}

#[test]
fn a_value_or_variant_that_is_wrong_is_named() {
    exactly(&[("TurnStatus", "typify has the value `interrupted`, the model lacks it")], |protocol| {
        let Shape::StringEnum(values) = &mut definition(protocol, "TurnStatus").shape else { panic!("no enum") };
        values.retain(|value| value.wire != "interrupted");
    });
    exactly(&[("ThreadItem", "typify has the arm `fileChange`, the model lacks it")], |protocol| {
        let Shape::Tagged { arms, .. } = &mut definition(protocol, "ThreadItem").shape else { panic!("no union") };
        arms.retain(|arm| arm.wire != "fileChange");
    });
    let both = [
        ("CodexErrorInfo", "typify has the string `unauthorized`, the model lacks it"),
        ("CodexErrorInfo", "upstream's arms are closed in the model and open in typify"),
    ];
    exactly(&both, |protocol| {
        let Shape::External { units, open, .. } = &mut definition(protocol, "CodexErrorInfo").shape else {
            panic!("no union")
        };
        units.retain(|unit| unit.wire != "unauthorized");
        *open = false;
    });
    let both = [
        ("RequestId/Integer", "the type is i64 in the model and a string in typify"),
        ("RequestId/String", "the type is a string in the model and i64 in typify"),
    ];
    exactly(&both, |protocol| {
        let Shape::Untagged(arms) = &mut definition(protocol, "RequestId").shape else { panic!("no union") };
        arms.reverse();
    });
}

#[test]
fn a_definition_or_method_that_is_wrong_is_named() {
    exactly(&[("TurnStatus", "the model lacks it, typify has it")], |protocol| {
        protocol.definitions.remove("TurnStatus");
    });
    let wrong = [
        ("ClientRequest/turn/start", "params are optional in the model and required in typify"),
        ("ClientRequest/turn/start.params", "the model refers to `TurnSteerParams`, typify to `TurnStartParams`"),
    ];
    exactly(&wrong, |protocol| {
        let method = protocol.methods.iter_mut().find(|method| method.wire == "turn/start").expect("the method");
        (method.params, method.params_optional) = (Some("TurnSteerParams".to_owned()), true);
    });
    exactly(&[("ServerNotification", "typify has the method `turn/started`, the model lacks it")], |protocol| {
        protocol.methods.retain(|method| method.wire != "turn/started");
    });
}

/// Calls `change` with every member and the place of its record.
fn each_member(protocol: &mut Protocol, mut change: impl FnMut(&str, &mut Field)) {
    for definition in protocol.definitions.values_mut() {
        let name = definition.name.clone();
        let mut each =
            |owner: &str, record: &mut Record| record.fields.iter_mut().for_each(|field| change(owner, field));
        match &mut definition.shape {
            Shape::Record(record) => each(&name, record),
            Shape::Tagged { arms, .. } => {
                for arm in arms {
                    each(&format!("{name}/{}", arm.wire), &mut arm.record);
                }
            }
            Shape::StringEnum(_)
            | Shape::External { .. }
            | Shape::Untagged(_)
            | Shape::Newtype(_)
            | Shape::Nullable(_)
            | Shape::Methods => {}
        }
    }
}

/// Calls `change` with the wire name of every variant but those of untagged unions,
/// which have none on the wire.
fn each_variant(protocol: &mut Protocol, mut change: impl FnMut(&str, &'static str, &mut String)) {
    for definition in protocol.definitions.values_mut() {
        let name = &definition.name;
        match &mut definition.shape {
            Shape::StringEnum(values) => values.iter_mut().for_each(|value| change(name, "value", &mut value.wire)),
            Shape::Tagged { arms, .. } => arms.iter_mut().for_each(|arm| change(name, "arm", &mut arm.wire)),
            Shape::External { units, keys, open: _ } => {
                for unit in units {
                    change(name, "string", &mut unit.wire);
                }
                for key in keys {
                    change(name, "key", &mut key.wire);
                }
            }
            Shape::Record(_) | Shape::Untagged(_) | Shape::Newtype(_) | Shape::Nullable(_) | Shape::Methods => {}
        }
    }
}

/// Mutates the whole model at once. What should be named is a place and the
/// beginning of what is said about it; what is not is the answer.
fn unnamed(mutate: impl FnOnce(&mut Protocol, &mut Vec<Difference>)) -> Vec<Difference> {
    let mut expected = Vec::new();
    let differences = named(|protocol| mutate(protocol, &mut expected));
    assert!(expected.len() > 500, "nearly nothing was mutated");
    expected.retain(|(place, says)| {
        let named = differences.range((place.clone(), says.clone())..).next();
        named.is_none_or(|(other, what)| other != place || !what.starts_with(says.as_str()))
    });
    expected
}

#[test]
fn no_member_anywhere_can_have_another_name_unseen() {
    let unnamed = unnamed(|protocol, expected| {
        each_member(protocol, |owner, field| {
            expected.push((owner.to_owned(), format!("typify has the member `{}`, the model lacks it", field.wire)));
            field.wire.push_str(" renamed");
        });
    });
    assert_eq!(unnamed, []);
}

#[test]
fn no_member_anywhere_can_be_required_or_optional_unseen() {
    let unnamed = unnamed(|protocol, expected| {
        each_member(protocol, |owner, field| {
            let (presence, says) = if field.presence.is_required() {
                (Presence::Optional, "it is optional in the model and required in typify")
            } else {
                (Presence::Required, "it is required in the model and optional in typify")
            };
            field.presence = presence;
            expected.push((format!("{owner}.{}", field.wire), says.to_owned()));
        });
    });
    assert_eq!(unnamed, []);
}

#[test]
fn no_member_anywhere_can_have_another_type_unseen() {
    let unnamed = unnamed(|protocol, expected| {
        each_member(protocol, |owner, field| {
            field.ty = Type::Nullable(Box::new(field.ty.clone()));
            expected.push((format!("{owner}.{}", field.wire), "the type is ".to_owned()));
        });
    });
    assert_eq!(unnamed, []);
}

#[test]
fn no_variant_anywhere_can_have_another_name_unseen() {
    let unnamed = unnamed(|protocol, expected| {
        each_variant(protocol, |name, kind, wire| {
            expected.push((name.to_owned(), format!("typify has the {kind} `{wire}`, the model lacks it")));
            wire.push_str(" renamed");
        });
    });
    assert_eq!(unnamed, []);
}
