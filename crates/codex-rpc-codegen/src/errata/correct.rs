//! The part of the errata that changes the schema.

use schemars::schema::{ObjectValidation, Schema, SchemaObject};

use super::{Applicable, Findings};
use crate::harvest::{Harvest, TsType};
use crate::load::{Definitions, Places, arms_of};
use crate::names;
use crate::problem::{Problem, below};
use crate::shape::{tag_of, tag_value};
use crate::ts::{self, Alternative};

/// Corrects the schema: first by the file, then by comparing the property names of
/// both exports. What the comparison finds beyond the file is an error in a strict
/// run and else corrected and noted: the TypeScript and the wire agree.
pub(crate) fn correct(
    definitions: &mut Definitions,
    places: &Places,
    harvest: &Harvest,
    applicable: &Applicable,
    findings: &mut Findings,
) {
    for erratum in &applicable.errata.rename {
        let place = erratum.arm.as_ref().map_or(String::new(), |arm| format!("({arm})"));
        let applied = definitions
            .get_mut(&erratum.definition)
            .and_then(|schema| object_of(schema, erratum.arm.as_deref()))
            .is_some_and(|object| rename(object, &erratum.from, &erratum.to));
        if !applied {
            let what = format!("the rename {}{place}.{} → {}", erratum.definition, erratum.from, erratum.to);
            applicable.stale(&what, findings);
        }
    }
    for erratum in &applicable.errata.flattened {
        let known = definitions.contains_key(&erratum.values);
        let applied = known
            && definitions
                .get_mut(&erratum.definition)
                .and_then(|schema| object_of(schema, None))
                .is_some_and(|object| flatten(object, &erratum.values));
        if !applied {
            applicable.stale(&format!("the flattened map {}", erratum.definition), findings);
        }
    }
    for erratum in &applicable.errata.open {
        let object = definitions.get_mut(&erratum.definition).and_then(|schema| object_of(schema, None));
        let applied = object.is_some_and(|object| {
            let validation = validation(object);
            let closed = validation.additional_properties.is_none();
            validation.additional_properties.get_or_insert_with(|| Box::new(Schema::Bool(true)));
            closed
        });
        if !applied {
            applicable.stale(&format!("the open object {}", erratum.definition), findings);
        }
    }
    follow_typescript(definitions, places, harvest, applicable, findings);
}

fn validation(object: &mut SchemaObject) -> &mut ObjectValidation {
    object.object.get_or_insert_default()
}

/// The object of a definition, or of one of its arms: by tag or by number.
fn object_of<'a>(schema: &'a mut Schema, arm: Option<&str>) -> Option<&'a mut SchemaObject> {
    let Schema::Object(object) = schema else { return None };
    let Some(arm) = arm else { return Some(object) };
    let tag = tag_of(object);
    let subschemas = object.subschemas.as_mut()?;
    let arms = subschemas.one_of.as_mut().or(subschemas.any_of.as_mut())?;
    arms.iter_mut().enumerate().find_map(|(index, schema)| {
        let Schema::Object(object) = schema else { return None };
        let found = match &tag {
            Some(tag) => tag_value(object, tag).as_deref() == Some(arm),
            None => index.to_string() == arm,
        };
        found.then_some(object)
    })
}

fn rename(object: &mut SchemaObject, from: &str, to: &str) -> bool {
    let validation = validation(object);
    if validation.properties.contains_key(to) {
        return false;
    }
    let Some(property) = validation.properties.remove(from) else { return false };
    validation.properties.insert(to.to_owned(), property);
    if validation.required.remove(from) {
        validation.required.insert(to.to_owned());
    }
    true
}

fn flatten(object: &mut SchemaObject, values: &str) -> bool {
    let validation = validation(object);
    if validation.additional_properties.is_some() {
        return false;
    }
    let reference = Schema::new_ref(format!("#/definitions/{values}"));
    validation.additional_properties = Some(Box::new(reference));
    true
}

/// A property that both exports spell differently.
struct Spelling {
    definition: String,
    arm: Option<String>,
    pointer: String,
    from: String,
    to: String,
}

fn follow_typescript(
    definitions: &mut Definitions,
    places: &Places,
    harvest: &Harvest,
    applicable: &Applicable,
    findings: &mut Findings,
) {
    let mut found = Vec::new();
    let mut flattened = Vec::new();
    for (name, schema) in definitions.iter() {
        let Schema::Object(object) = schema else { continue };
        let Some(alternatives) = ts::alternatives(harvest, name) else { continue };
        let mut compare = |object: &SchemaObject, typescript: &Alternative, arm: Option<(&str, usize, String)>| {
            found.extend(renames(object, typescript).map(|(from, to)| {
                let pointer = places.of(name);
                let pointer = match &arm {
                    Some((keyword, index, _)) => format!("{pointer}/{keyword}/{index}"),
                    None => pointer,
                };
                Spelling {
                    definition: name.clone(),
                    arm: arm.as_ref().map(|(_, _, arm)| arm.clone()),
                    pointer: below(&format!("{pointer}/properties"), &from),
                    from,
                    to,
                }
            }));
        };
        match (tag_of(object), arms_of(object)) {
            (Some(tag), Some((keyword, arms))) => {
                for (index, arm) in arms.iter().enumerate() {
                    let Schema::Object(arm) = arm else { continue };
                    let Some(value) = tag_value(arm, &tag) else { continue };
                    if let Some(typescript) = ts::tagged_arm(&alternatives, &tag, &value) {
                        compare(arm, &typescript, Some((keyword, index, value)));
                    }
                }
            }
            (None, Some((keyword, arms))) if object.object.is_none() => {
                let plain = arms.iter().all(|arm| matches!(arm, Schema::Object(arm) if arm.object.is_some()));
                if plain && alternatives.len() == arms.len() {
                    for (index, (arm, typescript)) in arms.iter().zip(&alternatives).enumerate() {
                        let Schema::Object(arm) = arm else { continue };
                        compare(arm, typescript, Some((keyword, index, index.to_string())));
                    }
                }
            }
            _ if object.object.is_some() => {
                let Some(typescript) = ts::merge(&alternatives) else { continue };
                compare(object, &typescript, None);
                let open = object.object.as_ref().is_some_and(|validation| validation.additional_properties.is_some());
                if let (Some(entries), false) = (&typescript.entries, open) {
                    flattened.push((name.clone(), definition_of(definitions, entries)));
                }
            }
            _ => {}
        }
    }
    let mut report = |what: String, pointer: String| {
        let problem = Problem::new(what)
            .at(pointer)
            .help("if the TypeScript is right, add an erratum to protocol-schema/errata.toml");
        applicable.unreviewed(problem, findings);
    };
    for Spelling { definition, arm, pointer, from, to } in found {
        let place = arm.as_ref().map_or(String::new(), |arm| format!("({arm})"));
        report(format!("{definition}{place}: JSON Schema says `{from}`, TypeScript says `{to}`"), pointer);
        if let Some(object) = definitions.get_mut(&definition).and_then(|schema| object_of(schema, arm.as_deref())) {
            rename(object, &from, &to);
        }
    }
    for (name, values) in flattened {
        report(format!("{name}: TypeScript says that it is a map too, JSON Schema does not"), places.of(&name));
        if let (Some(values), Some(Schema::Object(object))) = (values, definitions.get_mut(&name)) {
            flatten(object, &values);
        }
    }
}

/// Properties that both exports have under names of the same words.
fn renames(object: &SchemaObject, typescript: &Alternative) -> impl Iterator<Item = (String, String)> {
    let properties = object.object.as_ref().map(|validation| &validation.properties);
    let mut pairs = Vec::new();
    for from in properties.into_iter().flatten().map(|(name, _)| name) {
        if typescript.field(from).is_some() {
            continue;
        }
        let same = |to: &str| names::snake(to) == names::snake(from);
        let known = |to: &str| properties.is_some_and(|properties| properties.contains_key(to));
        if let Some(field) = typescript.fields.iter().find(|field| same(&field.name) && !known(&field.name)) {
            pairs.push((from.clone(), field.name.clone()));
        }
    }
    pairs.into_iter()
}

/// The definition that a TypeScript type is, by name or by its members.
fn definition_of(definitions: &Definitions, ty: &TsType) -> Option<String> {
    match ty {
        TsType::Reference { name } => definitions.contains_key(name).then(|| name.clone()),
        TsType::Object { fields } => definitions.iter().find_map(|(name, schema)| {
            let Schema::Object(object) = schema else { return None };
            let properties = &object.object.as_ref()?.properties;
            let same =
                properties.len() == fields.len() && fields.iter().all(|field| properties.contains_key(&field.name));
            same.then(|| name.clone())
        }),
        _ => None,
    }
}
