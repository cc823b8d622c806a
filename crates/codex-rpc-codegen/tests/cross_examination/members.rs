//! The comparison of records and of methods: names, presence, null, defaults and
//! types of their members.

use std::collections::{BTreeMap, BTreeSet};

use codex_rpc_codegen::model::{Field, Method, Presence, Record, Rest, Side, Type};
use serde_json::{Value, json};

use crate::compare::{Comparison, says};
use crate::second::{Fallback, Member, Object, Ty};

impl Comparison<'_> {
    /// A record and the objects that typify takes for it: one, or one for each
    /// choice among its members.
    pub(crate) fn record(&mut self, place: &str, owner: &str, record: &Record, objects: &[Object]) {
        self.seen.members.extend(record.fields.iter().map(|field| format!("{owner}.{}", field.wire)));
        let expected = record.one_of.len().max(1);
        if objects.len() != expected {
            self.differ(place, format!("the model has {expected} objects to choose from, typify {}", objects.len()));
        }
        for (choice, object) in record.one_of.iter().zip(objects) {
            self.choice(place, record, choice, object);
        }
        let object = &union(objects);
        let model = record.fields.iter().map(|field| field.wire.clone()).collect();
        self.same_names(place, "member", &model, &object.members.keys().cloned().collect());
        for field in &record.fields {
            if let Some(member) = object.members.get(&field.wire) {
                self.member(&format!("{place}.{}", field.wire), field, member);
            }
        }
        if record.closed != object.closed {
            let said = |closed| if closed { "closed" } else { "open" };
            self.differ(
                place,
                format!("it is {} in the model and {} in typify", said(record.closed), said(object.closed)),
            );
        }
        match (&record.rest, &object.rest) {
            (Rest::Unknown, None) => {}
            (Rest::Entries { ty, .. }, Some(rest)) => self.ty(&format!("{place}.*"), ty, rest),
            (Rest::Open, Some(rest)) => self.ty(&format!("{place}.*"), &Type::Any, rest),
            (Rest::Unknown, Some(rest)) => {
                self.differ(place, format!("typify takes other members as {}, the model knows of none", says(rest)));
            }
            (Rest::Open | Rest::Entries { .. }, None) => {
                self.differ(place, "the model takes other members, typify knows of none".to_owned());
            }
        }
    }

    /// typify reads `anyOf: [{required: [a]}, {required: [b]}]` as one object that
    /// has `a` and not `b`, and another that has `b` and not `a`.
    fn choice(&mut self, place: &str, record: &Record, choice: &[String], object: &Object) {
        for wire in choice {
            if object.members.get(wire).is_none_or(|member| member.optional) {
                self.differ(place, format!("the model requires `{wire}` in one of the choices, typify does not"));
            }
        }
        let elsewhere: BTreeSet<&String> =
            record.one_of.iter().flatten().filter(|wire| !choice.contains(*wire)).collect();
        for field in record.fields.iter().filter(|field| !choice.contains(&field.wire)) {
            if object.members.contains_key(&field.wire) == elsewhere.contains(&field.wire) {
                self.differ(place, format!("the model and typify disagree which choices `{}` belongs to", field.wire));
            }
        }
    }

    fn member(&mut self, place: &str, field: &Field, member: &Member) {
        let said = |required| if required { "required" } else { "optional" };
        if field.presence.is_required() == member.optional {
            let (model, typify) = (said(field.presence.is_required()), said(!member.optional));
            self.differ(place, format!("it is {model} in the model and {typify} in typify"));
        }
        // An `Option` that may be missing says nothing about null, except where typify
        // has another way for what may be missing: an empty list or map. Free-form
        // JSON may be null by itself.
        let collection = matches!(member.ty, Ty::List(_) | Ty::Map(_) | Ty::JsonObject);
        let known = (!member.nullable || !member.optional || collection) && field.ty != Type::Any;
        if known && field.nullable != member.nullable {
            let said = |nullable| if nullable { "nullable" } else { "not nullable" };
            self.differ(
                place,
                format!("it is {} in the model and {} in typify", said(field.nullable), said(member.nullable)),
            );
        }
        let (always, null) = match field.presence {
            Presence::Required | Presence::Optional => (false, false),
            Presence::RequiredNullable | Presence::AlwaysNullable | Presence::Tristate => (false, true),
            Presence::Always => (true, false),
        };
        if always && member.fallback == Fallback::Nothing {
            self.differ(place, "it is always written in the model and has no default in typify".to_owned());
        }
        if null && !field.nullable {
            self.differ(place, "it may be written as null in the model and is not nullable there".to_owned());
        }
        let model = field.default.as_ref().filter(|default| !default.is_null());
        let same = match (&member.fallback, model) {
            (Fallback::Nothing, None) => true,
            (Fallback::Intrinsic, None) => collection,
            (Fallback::Intrinsic, Some(value)) => {
                [json!(false), json!(0), json!(""), json!([]), json!({})].contains(value)
            }
            (Fallback::Value(typify), Some(model)) => typify == model,
            (Fallback::Nothing, Some(_)) | (Fallback::Value(_), None) => false,
        };
        if !same {
            let typify = match &member.fallback {
                Fallback::Nothing => "nothing".to_owned(),
                Fallback::Intrinsic => "empty".to_owned(),
                Fallback::Value(value) => value.to_string(),
            };
            let model = model.map_or("nothing".to_owned(), Value::to_string);
            self.differ(place, format!("the default is {model} in the model and {typify} in typify"));
        }
        self.ty(place, &field.ty, &member.ty);
    }

    /// The methods of one direction and kind, their params and what stands beside.
    pub(crate) fn methods(&mut self, place: &str, ty: &Ty) {
        let side = Side::ALL.into_iter().find(|side| side.definition() == place);
        let side = side.unwrap_or_else(|| panic!("`{place}` lists methods and is no side of the protocol"));
        let mut typify = self.by_tag(place, "method", ty);
        let protocol = self.protocol;
        // The second reader has the schema, and the schema lacks these.
        let methods: Vec<&Method> = protocol.of(side).filter(|method| !method.typescript_only).collect();
        let model = methods.iter().map(|method| method.wire.clone()).collect();
        self.same_names(place, "method", &model, &typify.keys().cloned().collect());
        for method in methods {
            self.seen.methods.insert(format!("{side:?} {}", method.wire));
            let place = format!("{place}/{}", method.wire);
            let Some(objects) = typify.remove(&method.wire) else { continue };
            let [object] = objects.as_slice() else {
                self.differ(&place, format!("typify has {} arms for it", objects.len()));
                continue;
            };
            let mut members = object.members.clone();
            self.params(&place, method, members.remove("params"));
            self.envelope(&place, side, members);
        }
    }

    fn params(&mut self, place: &str, method: &Method, params: Option<Member>) {
        let typify = params.filter(|params| !matches!(params.ty, Ty::Null));
        match (&method.params, typify) {
            (None, None) => {}
            (Some(name), Some(member)) => {
                // A definition that is another one or null.
                let (ty, nullable) = match self.view.wrapped(&member.ty) {
                    Some(Ty::Option(inner)) => ((**inner).clone(), true),
                    _ => (member.ty, member.nullable),
                };
                if method.params_optional != (nullable || member.optional) {
                    let said = |optional| if optional { "optional" } else { "required" };
                    let (model, typify) = (said(method.params_optional), said(nullable || member.optional));
                    self.differ(place, format!("params are {model} in the model and {typify} in typify"));
                }
                self.ty(&format!("{place}.params"), &Type::Named(name.clone()), &ty);
            }
            (Some(name), None) => self.differ(place, format!("the model has the params `{name}`, typify none")),
            (None, Some(member)) => {
                self.differ(place, format!("typify has the params {}, the model none", says(&member.ty)));
            }
        }
    }

    /// What the protocol crate writes by hand around the params.
    fn envelope(&mut self, place: &str, side: Side, mut members: BTreeMap<String, Member>) {
        let (wire, model, optional) = match side {
            Side::ClientRequest | Side::ServerRequest => ("id", Type::Named("RequestId".to_owned()), false),
            Side::ServerNotification => ("emittedAtMs", Type::Integer("i64"), true),
            Side::ClientNotification => return self.no_more(place, &members),
        };
        match members.remove(wire) {
            Some(member) => {
                if member.optional != optional {
                    self.differ(place, format!("`{wire}` is optional in one reading and required in the other"));
                }
                self.ty(&format!("{place}.{wire}"), &model, &member.ty);
            }
            None => self.differ(place, format!("typify lacks the member `{wire}`")),
        }
        self.no_more(place, &members);
    }

    fn no_more(&mut self, place: &str, members: &BTreeMap<String, Member>) {
        self.same_names(place, "member", &BTreeSet::new(), &members.keys().cloned().collect());
    }
}

/// All members of alternative objects; required is what all of them require.
fn union(objects: &[Object]) -> Object {
    let mut union = Object::default();
    for object in objects {
        union.closed |= object.closed;
        union.rest = union.rest.or_else(|| object.rest.clone());
        for (wire, member) in &object.members {
            let everywhere = objects.iter().all(|object| object.members.contains_key(wire));
            let entry = union.members.entry(wire.clone()).or_insert_with(|| member.clone());
            entry.optional |= member.optional || !everywhere;
        }
    }
    union
}
