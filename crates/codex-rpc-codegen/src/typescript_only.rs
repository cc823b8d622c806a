//! Methods that only the TypeScript export names, and the definitions that they
//! need: turned into schema, so that everything after this stage is the same.
//!
//! TypeScript has one number type; here it becomes a 64-bit integer, which holds
//! for every such definition so far.

use std::collections::BTreeSet;

use schemars::schema::{
    ArrayValidation, InstanceType, Metadata, ObjectValidation, Schema, SchemaObject, SubschemaValidation,
};
use serde_json::Value;

use crate::harvest::{Harvest, TsField, TsType};
use crate::link::RawMethod;
use crate::load::Bundle;
use crate::model::Side;
use crate::problem::{TYPES, below};

/// Adds the definitions and returns the methods.
pub(crate) fn add(bundle: &mut Bundle, harvest: &Harvest, known: &[RawMethod]) -> Vec<RawMethod> {
    let mut methods = Vec::new();
    for side in Side::ALL {
        for (method, params) in listed(harvest, side) {
            if known.iter().any(|known| known.side == side && known.wire == method) {
                continue;
            }
            let (params, params_optional) = match params {
                Some(TsType::Reference { name }) => (Some(name.clone()), false),
                Some(TsType::Union { arms }) => {
                    let name = arms.iter().find_map(|arm| match arm {
                        TsType::Reference { name } => Some(name.clone()),
                        _ => None,
                    });
                    (name, true)
                }
                _ => (None, true),
            };
            let response =
                params.as_ref().map(|params| format!("{}Response", params.strip_suffix("Params").unwrap_or(params)));
            for needed in params.iter().chain(response.iter().filter(|_| side.is_request())) {
                require(bundle, harvest, needed);
            }
            let params = params.as_deref().map(definition_name);
            methods.push(RawMethod { side, wire: method, params, params_optional, doc: None, typescript_only: true });
        }
    }
    methods
}

/// The methods of a union of the TypeScript export.
fn listed(harvest: &Harvest, side: Side) -> Vec<(String, Option<&TsType>)> {
    let Some(TsType::Union { arms }) = harvest.types.get(side.definition()) else { return Vec::new() };
    arms.iter()
        .filter_map(|arm| {
            let TsType::Object { fields } = arm else { return None };
            let field = |name: &str| fields.iter().find(|field| field.name == name).map(|field| &field.ty);
            match field("method") {
                Some(TsType::Literal { value: Value::String(method) }) => Some((method.clone(), field("params"))),
                _ => None,
            }
        })
        .collect()
}

/// The name of a type that the harvest keeps under its folder's name, because the
/// plain name is another type's.
fn definition_name(name: &str) -> String {
    name.strip_prefix("root/").map_or_else(|| name.to_owned(), |name| format!("Root{name}"))
}

fn require(bundle: &mut Bundle, harvest: &Harvest, name: &str) {
    if bundle.definitions.contains_key(&definition_name(name)) {
        return;
    }
    let Some(ty) = harvest.types.get(name) else { return };
    let mut needed = BTreeSet::new();
    let mut schema = schema(ty, &mut needed);
    if let (Schema::Object(object), Some(doc)) = (&mut schema, harvest.docs.get(name)) {
        object.metadata.get_or_insert_default().description = Some(doc.clone());
    }
    bundle.places.set(definition_name(name), below(TYPES, name));
    bundle.definitions.insert(definition_name(name), schema);
    for needed in needed {
        require(bundle, harvest, &needed);
    }
}

fn typed(kind: InstanceType) -> SchemaObject {
    SchemaObject { instance_type: Some(kind.into()), ..SchemaObject::default() }
}

fn schema(ty: &TsType, needed: &mut BTreeSet<String>) -> Schema {
    let object = match ty {
        TsType::Keyword { name } => match name.as_str() {
            "string" => typed(InstanceType::String),
            "boolean" => typed(InstanceType::Boolean),
            "number" | "bigint" => SchemaObject { format: Some("int64".to_owned()), ..typed(InstanceType::Integer) },
            "null" | "undefined" => typed(InstanceType::Null),
            _ => return Schema::Bool(true),
        },
        TsType::Literal { value } => {
            SchemaObject { enum_values: Some(vec![value.clone()]), ..typed(InstanceType::String) }
        }
        TsType::Reference { name } if name == "JsonValue" => return Schema::Bool(true),
        TsType::Reference { name } => {
            needed.insert(name.clone());
            return Schema::new_ref(format!("#/definitions/{}", definition_name(name)));
        }
        TsType::Array { items } => SchemaObject {
            array: Some(Box::new(ArrayValidation {
                items: Some(schema(items, needed).into()),
                ..ArrayValidation::default()
            })),
            ..typed(InstanceType::Array)
        },
        TsType::Map { values, .. } => SchemaObject {
            object: Some(Box::new(ObjectValidation {
                additional_properties: Some(Box::new(schema(values, needed))),
                ..ObjectValidation::default()
            })),
            ..typed(InstanceType::Object)
        },
        TsType::Object { fields } => record(fields, needed),
        TsType::Union { arms } => return union(arms, needed),
        TsType::Intersection { .. } | TsType::Tuple { .. } => return Schema::Bool(true),
    };
    object.into()
}

fn is_null(ty: &TsType) -> bool {
    matches!(ty, TsType::Keyword { name } if name == "null")
}

fn record(fields: &[TsField], needed: &mut BTreeSet<String>) -> SchemaObject {
    let mut validation = ObjectValidation::default();
    for field in fields {
        let mut property = schema(&field.ty, needed);
        if let (Schema::Object(object), Some(doc)) = (&mut property, &field.doc) {
            object.metadata = Some(Box::new(Metadata { description: Some(doc.clone()), ..Metadata::default() }));
        }
        validation.properties.insert(field.name.clone(), property);
        let nullable = matches!(&field.ty, TsType::Union { arms } if arms.iter().any(is_null));
        if !field.optional && !nullable {
            validation.required.insert(field.name.clone());
        }
    }
    SchemaObject { object: Some(Box::new(validation)), ..typed(InstanceType::Object) }
}

fn union(arms: &[TsType], needed: &mut BTreeSet<String>) -> Schema {
    let nullable = arms.iter().any(is_null);
    let mut schemas: Vec<Schema> = arms.iter().filter(|arm| !is_null(arm)).map(|arm| schema(arm, needed)).collect();
    if let ([Schema::Object(only)], true) = (schemas.as_mut_slice(), nullable)
        && let (Some(kind), None) = (only.instance_type.clone(), &only.enum_values)
        && let schemars::schema::SingleOrVec::Single(kind) = kind
    {
        only.instance_type = Some(vec![*kind, InstanceType::Null].into());
        return only.clone().into();
    }
    if nullable {
        schemas.push(typed(InstanceType::Null).into());
    }
    let subschemas = SubschemaValidation { any_of: Some(schemas), ..SubschemaValidation::default() };
    SchemaObject { subschemas: Some(Box::new(subschemas)), ..SchemaObject::default() }.into()
}
