//! Objects with members.

use std::collections::{BTreeMap, BTreeSet};

use schemars::schema::{InstanceType, ObjectValidation, Schema, SchemaObject};

use super::{Reader, Result, description, nullable_type, readable, unknown_shape};
use crate::load::arms_of;
use crate::model::{Field, Presence, Record, Rest, Type};
use crate::names::snake;
use crate::normalise::is_type;
use crate::problem::{Problem, below};
use crate::ts::{self, Alternative};

impl Reader<'_> {
    pub(super) fn record(
        &mut self,
        name: &str,
        object: &SchemaObject,
        typescript: Option<&Alternative>,
        tag: Option<&str>,
        pointer: &str,
    ) -> Result<Record> {
        readable(object, pointer)?;
        let arms = arms_of(object).map(|(_, arms)| arms).unwrap_or_default();
        if !is_choice(arms) {
            return Err(unknown_shape("a union inside an object", pointer));
        }
        if object.instance_type.is_some() && !is_type(object, InstanceType::Object) {
            return Err(unknown_shape("an object that may be something else", pointer));
        }
        let empty = ObjectValidation::default();
        let validation = object.object.as_deref().unwrap_or(&empty);
        let required = arms.iter().filter_map(required_of).chain([&validation.required]).flatten();
        if let Some(missing) = required.into_iter().find(|name| !validation.properties.contains_key(*name)) {
            return Err(unknown_shape(&format!("`{missing}` is required and has no schema"), pointer));
        }
        if validation.properties.len() > 128 {
            return Err(Problem::new("more than 128 properties")
                .at(pointer)
                .help("widen `required` of the runtime's Shape"));
        }
        let mut fields = Vec::new();
        for (wire, schema) in &validation.properties {
            if Some(wire.as_str()) == tag {
                continue;
            }
            let pointer = below(&format!("{pointer}/properties"), wire);
            let (ty, nullable) = self.ty(name, wire, schema, &pointer)?;
            self.review_free_form(name, &format!("{name}.{wire}"), &ty, &pointer);
            let (doc, default) = match schema {
                Schema::Object(object) => {
                    (description(object), object.metadata.as_ref().and_then(|all| all.default.clone()))
                }
                Schema::Bool(_) => (None, None),
            };
            let typescript = typescript.and_then(|typescript| typescript.field(wire));
            let required = validation.required.contains(wire);
            let rust = snake(wire);
            let mut field = Field {
                wire: wire.clone(),
                rust: if rust == "extra" { "extra_".to_owned() } else { rust },
                doc: doc.or_else(|| typescript.and_then(|field| field.doc.clone())),
                presence: Presence::Optional,
                nullable: nullable || ty == Type::Any,
                default,
                boxed: false,
                secret: is_secret(wire, &ty),
                experimental: false,
                ty,
            };
            field.presence = match typescript {
                _ if required && nullable => Presence::RequiredNullable,
                _ if required => Presence::Required,
                Some(typescript) if ts::nulls(&typescript.ty) > 1 && field.ty != Type::Any => Presence::Tristate,
                Some(typescript) if !typescript.optional => always(&field),
                _ => Presence::Optional,
            };
            fields.push(field);
        }
        if let Some(typescript) = typescript {
            let place = |field: &Field| {
                typescript.fields.iter().position(|other| other.name == field.wire).unwrap_or(usize::MAX)
            };
            fields.sort_by_key(place);
        }
        let rest = match validation.additional_properties.as_deref() {
            None | Some(Schema::Bool(false)) => Rest::Unknown,
            Some(Schema::Bool(true)) => Rest::Open,
            Some(values) => {
                let pointer = format!("{pointer}/additionalProperties");
                let ty = nullable_type(self.ty(name, "Value", values, &pointer)?);
                self.review_free_form(name, name, &ty, &pointer);
                let reviewed = self.applicable.errata.flattened.iter().find(|erratum| erratum.definition == name);
                Rest::Entries {
                    rust: reviewed.map_or_else(|| "entries".to_owned(), |erratum| erratum.field.clone()),
                    ty,
                }
            }
        };
        let mut names = BTreeMap::new();
        for field in &fields {
            if let Some(other) = names.insert(field.rust.clone(), &field.wire) {
                return Err(Problem::new(format!("`{other}` and `{}` are both `{}` in Rust", field.wire, field.rust))
                    .at(pointer)
                    .help("give one of them another name in crates/codex-rpc-codegen/src/names.rs"));
            }
        }
        let one_of = arms.iter().filter_map(required_of).map(|names| names.iter().cloned().collect()).collect();
        let closed = matches!(validation.additional_properties.as_deref(), Some(Schema::Bool(false)));
        Ok(Record { fields, rest, one_of, closed })
    }
}

/// What an always-sent field that the schema does not require is.
fn always(field: &Field) -> Presence {
    match (&field.ty, field.nullable, &field.default) {
        (Type::Any, _, _) | (_, true, _) => Presence::AlwaysNullable,
        (_, false, Some(_)) => Presence::Always,
        // Without a default there is nothing to write for a missing one.
        (_, false, None) => Presence::Optional,
    }
}

/// Arms that only say which properties must be there.
pub(super) fn is_choice(arms: &[Schema]) -> bool {
    arms.iter().all(|arm| match arm {
        Schema::Object(arm) => {
            arm.reference.is_none()
                && arm.instance_type.is_none()
                && arm.object.as_ref().is_some_and(|own| own.properties.is_empty() && !own.required.is_empty())
        }
        Schema::Bool(_) => false,
    })
}

fn required_of(arm: &Schema) -> Option<&BTreeSet<String>> {
    match arm {
        Schema::Object(arm) => arm.object.as_ref().map(|own| &own.required),
        Schema::Bool(_) => None,
    }
}

/// Whether a field's name says that it holds a secret. The protocol crate has the
/// same rule for names inside free-form JSON, and a test compares them.
pub fn is_secret_name(name: &str) -> bool {
    const SUFFIXES: [&str; 20] = [
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "signingkey",
        "accesskeyid",
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "credential",
        "credentials",
        "authorization",
        "cookie",
        "jwt",
        "secrets",
        "usercode",
        "pairingcode",
        "signature",
    ];
    let flat: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SUFFIXES.iter().any(|suffix| flat.ends_with(suffix))
}

fn is_secret(name: &str, ty: &Type) -> bool {
    let text = match ty {
        Type::List(inner) | Type::Map(inner) => **inner == Type::String,
        ty => matches!(ty, Type::String | Type::Any),
    };
    text && is_secret_name(name)
}
