//! What errata say about shapes, and what was measured on the wire.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Reader, Shapes, by_hand};
use crate::errata::{Applicable, Sent};
use crate::model::{Definition, Presence, Shape, Type};
use crate::names::type_name;
use crate::problem::Problem;

/// A field of the server whose schema has the default null is written as null: the
/// schema generator leaves a default out if serialising would skip it. Measured on
/// 0.169.0, where TypeScript says `?` for some of them.
pub(crate) fn defaults_are_written(definition: &mut Definition) {
    for field in definition.records_mut().into_iter().flat_map(|record| &mut record.fields) {
        if field.presence == Presence::Optional && field.nullable && field.default == Some(Value::Null) {
            field.presence = Presence::AlwaysNullable;
        }
    }
}

/// What was measured on the wire where neither export says it.
pub(crate) fn presence(shapes: &mut Shapes, applicable: &Applicable) {
    let errata = &applicable.errata;
    let sent = errata.presence.iter().map(|erratum| (&erratum.definition, &erratum.field, Some(erratum.sent)));
    let three = errata.three_state.iter().map(|erratum| (&erratum.definition, &erratum.field, None));
    for (definition, wire, sent) in sent.chain(three) {
        let records = shapes.definitions.get_mut(definition).map(Definition::records_mut).unwrap_or_default();
        let mut applied = false;
        for field in records.into_iter().flat_map(|record| &mut record.fields).filter(|field| field.wire == *wire) {
            let presence = match (sent, field.presence) {
                (None, Presence::Optional | Presence::AlwaysNullable) => Presence::Tristate,
                (Some(Sent::Null), Presence::Optional) if field.nullable => Presence::AlwaysNullable,
                (Some(Sent::Omitted), Presence::AlwaysNullable) => Presence::Optional,
                (_, presence) => presence,
            };
            applied |= presence != field.presence;
            field.presence = presence;
        }
        if !applied {
            shapes.stale(applicable, definition, &format!("what is said about {definition}.{wire}"));
        }
    }
}

/// Variants whose wire names are the same in Rust's spelling.
pub(super) fn rename_variants(shapes: &mut Shapes, applicable: &Applicable) {
    for erratum in &applicable.errata.name {
        let found = shapes.definitions.get_mut(&erratum.definition).and_then(|definition| {
            let name = type_name(&definition.name);
            match &mut definition.shape {
                Shape::Tagged { arms, .. } => arms.iter_mut().find(|arm| arm.wire == erratum.wire).map(|arm| {
                    arm.rust = format!("{}{name}", erratum.rust);
                    &mut arm.variant
                }),
                Shape::StringEnum(values) => {
                    values.iter_mut().find(|value| value.wire == erratum.wire).map(|value| &mut value.rust)
                }
                Shape::External { units, keys, .. } => {
                    let units = units.iter_mut().map(|value| (&value.wire, &mut value.rust));
                    let keys = keys.iter_mut().map(|arm| (&arm.wire, &mut arm.variant));
                    units.chain(keys).find(|(wire, _)| **wire == erratum.wire).map(|(_, rust)| rust)
                }
                _ => None,
            }
        });
        if let Some(rust) = found {
            rust.clone_from(&erratum.rust);
        } else {
            let what = format!("the name of `{}` of {}", erratum.wire, erratum.definition);
            shapes.stale(applicable, &erratum.definition, &what);
        }
    }
}

impl Reader<'_> {
    /// Free-form JSON is looked at by a person wherever it stands. `place` is how
    /// the file calls it.
    pub(super) fn review_free_form(&mut self, definition: &str, place: &str, ty: &Type, pointer: &str) {
        if !ty.holds_any() || by_hand(definition).is_some() {
            return;
        }
        if self.applicable.errata.any.iter().any(|reviewed| reviewed == place) {
            self.free_form.insert(place.to_owned());
            return;
        }
        let problem = Problem::new(format!("`{place}` is free-form JSON and was not reviewed"))
            .at(pointer)
            .help("if that is what it is, add it to `any` in protocol-schema/errata.toml");
        self.applicable.unreviewed(problem, &mut self.shapes.findings);
    }
}

/// Reviewed places of free-form JSON that are none. The list has no releases: what
/// another release does not have yet, or no longer, is nothing to say.
pub(super) fn free_form(shapes: &mut Shapes, applicable: &Applicable, found: &BTreeSet<String>) {
    for place in applicable.errata.any.iter().filter(|place| applicable.complete && !found.contains(*place)) {
        let definition = place.split('.').next().unwrap_or(place);
        shapes.stale(applicable, definition, &format!("the free-form JSON {place}"));
    }
}

/// Reviewed untagged unions that are none.
pub(super) fn untagged(shapes: &mut Shapes, applicable: &Applicable) {
    for erratum in &applicable.errata.untagged {
        let shape = shapes.definitions.get(&erratum.definition).map(|definition| &definition.shape);
        if !matches!(shape, Some(Shape::Untagged(_))) {
            shapes.stale(applicable, &erratum.definition, &format!("the list of variants of {}", erratum.definition));
        }
    }
}
