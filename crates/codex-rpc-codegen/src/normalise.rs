//! Stage 2: renderings of the same type become one shape.
//!
//! What must always hold: a value is valid before exactly when it is valid after.
//! Every rewrite is logged, so that a person can check it.

use std::collections::BTreeSet;

use schemars::schema::{InstanceType, ObjectValidation, Schema, SchemaObject, SingleOrVec};
use serde_json::Value;

use crate::load::{Definitions, Places};
use crate::problem::below;

/// One rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rewrite {
    /// The JSON pointer of what was rewritten.
    pub pointer: String,
    /// What was done.
    pub what: &'static str,
}

/// Rewrites every definition.
pub fn normalise(definitions: &mut Definitions, places: &Places) -> Vec<Rewrite> {
    let mut log = Vec::new();
    for (name, schema) in definitions {
        rewrite(schema, &places.of(name), &mut log);
    }
    log
}

fn rewrite(schema: &mut Schema, pointer: &str, log: &mut Vec<Rewrite>) {
    let Schema::Object(object) = schema else { return };
    let mut note = |what| log.push(Rewrite { pointer: pointer.to_owned(), what });

    let alone = object.object.is_none() && object.array.is_none() && object.enum_values.is_none();
    if let Some(subschemas) = &mut object.subschemas
        && let Some([Schema::Object(only)]) = subschemas.all_of.as_deref()
        && only.reference.is_some()
        && alone
    {
        object.reference.clone_from(&only.reference);
        subschemas.all_of = None;
        note("allOf of one reference is the reference");
    }
    if let Some(values) = single_values(object) {
        object.enum_values = Some(values);
        object.instance_type = Some(InstanceType::String.into());
        object.subschemas = None;
        note("oneOf of single values is an enum");
    }
    if let Some(subschemas) = &mut object.subschemas
        && let Some(shared) = &mut object.object
        && !shared.properties.is_empty()
    {
        let arms = subschemas.one_of.iter_mut().chain(subschemas.any_of.iter_mut()).flatten();
        let arms: Vec<&mut SchemaObject> = arms.filter_map(as_object).collect();
        if arms.iter().all(|arm| arm.object.is_some()) && !is_choice(&arms) {
            for arm in arms {
                if let Some(own) = &mut arm.object {
                    push_down(shared, own);
                }
            }
            object.object = None;
            note("properties beside a union belong to each arm");
        } else if resolve_choice(shared, arms) {
            note("an anyOf beside properties says which of them must be there");
        }
    }

    if let Some(subschemas) = &mut object.subschemas {
        let unions =
            [("oneOf", &mut subschemas.one_of), ("anyOf", &mut subschemas.any_of), ("allOf", &mut subschemas.all_of)];
        for (keyword, arms) in unions {
            for (index, arm) in arms.iter_mut().flatten().enumerate() {
                rewrite(arm, &format!("{pointer}/{keyword}/{index}"), log);
            }
        }
    }
    if let Some(validation) = &mut object.object {
        for (name, property) in &mut validation.properties {
            rewrite(property, &below(&format!("{pointer}/properties"), name), log);
        }
        if let Some(values) = &mut validation.additional_properties {
            rewrite(values, &format!("{pointer}/additionalProperties"), log);
        }
    }
    if let Some(SingleOrVec::Single(item)) = object.array.as_mut().and_then(|array| array.items.as_mut()) {
        rewrite(item, &format!("{pointer}/items"), log);
    }
}

fn as_object(schema: &mut Schema) -> Option<&mut SchemaObject> {
    match schema {
        Schema::Object(object) => Some(object),
        Schema::Bool(_) => None,
    }
}

/// The values of a union whose arms are sets of strings and nothing else. What
/// the arms say about their values moves to `x-descriptions` of the enum.
fn single_values(object: &mut SchemaObject) -> Option<Vec<Value>> {
    let subschemas = object.subschemas.as_ref()?;
    let arms = subschemas.one_of.as_ref().or(subschemas.any_of.as_ref())?;
    let mut values = Vec::new();
    let mut descriptions = serde_json::Map::new();
    for arm in arms {
        let Schema::Object(arm) = arm else { return None };
        if !is_type(arm, InstanceType::String) {
            return None;
        }
        let arm_values = arm.enum_values.as_ref()?;
        let description = arm.metadata.as_ref().and_then(|metadata| metadata.description.clone());
        if let ([Value::String(value)], Some(description)) = (arm_values.as_slice(), description) {
            descriptions.insert(value.clone(), description.into());
        }
        values.extend(arm_values.iter().cloned());
    }
    if !descriptions.is_empty() {
        object.extensions.insert(VALUE_DESCRIPTIONS.to_owned(), Value::Object(descriptions));
    }
    Some(values)
}

/// Where a rewritten enum keeps what upstream says about its values.
pub const VALUE_DESCRIPTIONS: &str = "x-descriptions";

/// Whether the schema allows this type and no other.
pub fn is_type(object: &SchemaObject, wanted: InstanceType) -> bool {
    matches!(&object.instance_type, Some(SingleOrVec::Single(only)) if **only == wanted)
}

fn push_down(shared: &ObjectValidation, own: &mut ObjectValidation) {
    for (name, property) in &shared.properties {
        own.properties.entry(name.clone()).or_insert_with(|| property.clone());
    }
    own.required.extend(shared.required.iter().cloned());
}

/// Whether the arms only choose among properties: none has a tag of its own.
fn is_choice(arms: &[&mut SchemaObject]) -> bool {
    let tags = arms.iter().map(|arm| {
        let validation = arm.object.as_ref();
        validation.map_or_else(BTreeSet::new, |validation| {
            let single = |schema: &Schema| matches!(schema, Schema::Object(object) if object.enum_values.as_ref().is_some_and(|values| values.len() == 1));
            validation.properties.iter().filter(|(_, schema)| single(schema)).map(|(name, _)| name.clone()).collect()
        })
    });
    tags.reduce(|all, tags| &all & &tags).is_none_or(|tags| tags.is_empty())
}

/// `{properties: P, anyOf: [{properties: A, required: R}, …]}` becomes
/// `{properties: P ∪ A ∪ …, anyOf: [{required: R}, …]}`.
fn resolve_choice(own: &mut ObjectValidation, mut choices: Vec<&mut SchemaObject>) -> bool {
    let plain = |choice: &&mut SchemaObject| {
        choice.object.is_some() && choice.subschemas.is_none() && choice.reference.is_none()
    };
    if choices.is_empty() || !choices.iter().all(plain) {
        return false;
    }
    for choice in &mut choices {
        if let Some(validation) = &mut choice.object {
            for (name, property) in std::mem::take(&mut validation.properties) {
                own.properties.entry(name).or_insert(property);
            }
        }
        choice.instance_type = None;
        choice.metadata = None;
    }
    true
}
