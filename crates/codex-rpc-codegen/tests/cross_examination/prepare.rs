//! What has to be done to the corrected, normalised definitions before typify can
//! read them. Each preparation says why, and none changes which values are valid.

use codex_rpc_codegen::load::Definitions;
use schemars::schema::{Schema, SchemaObject, SingleOrVec, SubschemaValidation};

/// Every preparation.
pub fn prepare(definitions: &Definitions) -> Definitions {
    let mut prepared = definitions.clone();
    for schema in prepared.values_mut() {
        each_object(schema, &mut stand_references_alone);
    }
    prepared
}

/// `{description, $ref}` becomes `{description, allOf: [{$ref}]}`.
///
/// In draft-07 what stands beside a `$ref` means nothing, and our normaliser puts
/// descriptions and defaults there on purpose. typify takes them for a schema of
/// its own and writes a copy of the type that the reference names, under a name
/// that may collide: `Thread.source` became a second `ThreadSource`.
fn stand_references_alone(object: &mut SchemaObject) {
    if object.reference.is_none() || object.metadata.is_none() {
        return;
    }
    let reference = object.reference.take().map(Schema::new_ref);
    let subschemas = SubschemaValidation { all_of: reference.map(|only| vec![only]), ..SubschemaValidation::default() };
    object.subschemas = Some(Box::new(subschemas));
}

fn each_object(schema: &mut Schema, change: &mut impl FnMut(&mut SchemaObject)) {
    let Schema::Object(object) = schema else { return };
    if let Some(subschemas) = &mut object.subschemas {
        let arms = [&mut subschemas.one_of, &mut subschemas.any_of, &mut subschemas.all_of];
        for arm in arms.into_iter().flatten().flatten() {
            each_object(arm, change);
        }
    }
    if let Some(validation) = &mut object.object {
        for property in validation.properties.values_mut() {
            each_object(property, change);
        }
        if let Some(values) = &mut validation.additional_properties {
            each_object(values, change);
        }
    }
    match object.array.as_mut().and_then(|array| array.items.as_mut()) {
        Some(SingleOrVec::Single(item)) => each_object(item, change),
        Some(SingleOrVec::Vec(items)) => items.iter_mut().for_each(|item| each_object(item, change)),
        None => {}
    }
    change(object);
}
