//! A small draft-07 validator for the keywords upstream writes, with two
//! readings: the letter of the schema, and what a tolerant decoder makes of it.

use serde_json::{Map, Number, Value};

use super::range::{Range, whole};
use super::shape::{Family, Schemas, constants, required, union_arms};

/// How to read a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// To the letter. `format` counts for integers.
    Strict,
    /// As open as a decoder of these bindings has to be: unknown enum values,
    /// unknown tags, unknown one-key objects and unknown fields are fine, and
    /// `null` will do for an optional property. `minimum` and `minLength` are
    /// not a decoder's business as long as the format holds.
    Lenient,
}

/// Whether `schema` accepts `value`.
pub(super) fn accepts(schemas: Schemas<'_>, reading: Reading, schema: &Value, value: &Value) -> bool {
    let Value::Object(keywords) = schema else {
        return *schema == Value::Bool(true);
    };
    if let Some(Value::String(reference)) = keywords.get("$ref") {
        // In draft-07 nothing beside a reference counts.
        let target = schemas.target(reference);
        return target.is_some_and(|target| accepts(schemas, reading, target, value));
    }
    if let Some(keyword) = keywords.get("type")
        && !has_type(keyword, value)
    {
        return false;
    }
    if let Some(Value::Array(values)) = keywords.get("enum") {
        let open = reading == Reading::Lenient && value.is_string();
        if !(values.contains(value) || open && values.iter().all(Value::is_string)) {
            return false;
        }
    }
    let fits = match value {
        Value::Number(found) => number(reading, schema, found),
        Value::String(text) => {
            let min_length = keywords.get("minLength").and_then(Value::as_u64);
            reading == Reading::Lenient || min_length.is_none_or(|least| text.chars().count() as u64 >= least)
        }
        Value::Array(items) => keywords.get("items").is_none_or(|schema| {
            let mut items = items.iter();
            items.all(|item| accepts(schemas, reading, schema, item))
        }),
        Value::Object(fields) => {
            if reading == Reading::Lenient && has_unknown_tag(schemas, schema, fields) {
                return true;
            }
            object(schemas, reading, schema, fields)
        }
        Value::Null | Value::Bool(_) => true,
    };
    fits && unions(schemas, reading, schema, value)
}

fn has_type(keyword: &Value, value: &Value) -> bool {
    let is = |name| names(Some(keyword), name);
    match value {
        Value::Null => is("null"),
        Value::Bool(_) => is("boolean"),
        Value::Number(number) => {
            let whole = |float: f64| float.fract() == 0.0;
            let integer = !number.is_f64() || number.as_f64().is_some_and(whole);
            is("number") || integer && is("integer")
        }
        Value::String(_) => is("string"),
        Value::Array(_) => is("array"),
        Value::Object(_) => is("object"),
    }
}

/// `format` and `minimum`. The latter is a float even for integers.
fn number(reading: Reading, schema: &Value, number: &Number) -> bool {
    let float = number.as_f64().unwrap_or_default();
    let exact = number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
        .or_else(|| (float.fract() == 0.0).then(|| whole(float)));
    if names(schema.get("type"), "integer") {
        let range = Range::of(schema);
        let (low, high) = match reading {
            Reading::Strict => (range.low, range.high),
            Reading::Lenient => range.format,
        };
        return exact.is_some_and(|exact| (low..=high).contains(&exact));
    }
    let minimum = schema.get("minimum").and_then(Value::as_f64);
    reading == Reading::Lenient || minimum.is_none_or(|minimum| float >= minimum)
}

/// Whether the keyword `type` names a type.
fn names(keyword: Option<&Value>, name: &str) -> bool {
    match keyword {
        Some(Value::Array(names)) => names.iter().any(|each| each == name),
        Some(each) => each == name,
        None => false,
    }
}

fn object(schemas: Schemas<'_>, reading: Reading, schema: &Value, fields: &Map<String, Value>) -> bool {
    if !required(schema).all(|name| fields.contains_key(name)) {
        return false;
    }
    // First what tells arms apart: most arms of a union are ruled out by it.
    let strict = reading == Reading::Strict;
    if strict && constants(schema).any(|(name, only)| fields.get(name).is_some_and(|tag| *tag != *only)) {
        return false;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties");
    fields.iter().all(|(name, value)| match properties.and_then(|properties| properties.get(name)) {
        Some(property) => {
            let absent = || !strict && value.is_null() && !required(schema).any(|r| r == name);
            absent() || accepts(schemas, reading, property, value)
        }
        None => match additional {
            None => true,
            Some(Value::Bool(false)) => !strict,
            Some(additional) => accepts(schemas, reading, additional, value),
        },
    })
}

/// Whether this is a tagged union and the tag is a string it does not know.
fn has_unknown_tag(schemas: Schemas<'_>, schema: &Value, fields: &Map<String, Value>) -> bool {
    if union_arms(schema).is_empty() {
        return false;
    }
    match schemas.family(schema) {
        Family::Tagged(tag) => {
            let value = fields.get(tag.name).and_then(Value::as_str);
            value.is_some_and(|value| !tag.values.contains(&value))
        }
        Family::OneKey { keys } => fields.len() == 1 && fields.keys().all(|key| !keys.contains(key.as_str())),
        Family::Enum | Family::Other => false,
    }
}

fn unions(schemas: Schemas<'_>, reading: Reading, schema: &Value, value: &Value) -> bool {
    let arms = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
    let accepted = |arm: &&Value| accepts(schemas, reading, arm, value);
    if let Some(parts) = arms("allOf")
        && !parts.iter().all(|part| accepted(&part))
    {
        return false;
    }
    if reading == Reading::Lenient {
        let mut arms = union_arms(schema);
        if arms.is_empty() {
            return true;
        }
        if let Some(tag) = schemas.tag(&arms) {
            let mut values = tag.values.iter();
            let own = value.get(tag.name).and_then(Value::as_str);
            arms.retain(|_| values.next().copied() == own);
        }
        return arms.iter().any(accepted);
    }
    if let Some(arms) = arms("anyOf")
        && !arms.iter().any(|arm| accepted(&arm))
    {
        return false;
    }
    match arms("oneOf") {
        Some(arms) => arms.iter().filter(accepted).count() == 1,
        None => true,
    }
}
