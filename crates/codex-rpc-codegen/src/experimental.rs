//! What only the experimental export has.

use std::collections::BTreeSet;

use crate::model::{Definition, Shape};

/// Marks a definition and its parts by comparing it with what the stable export
/// says. A definition that only the TypeScript names is not marked: its methods are.
pub(crate) fn mark(definition: &mut Definition, stable: Option<&Definition>, typescript_only: bool) {
    let Some(stable) = stable else {
        definition.experimental = !typescript_only;
        return;
    };
    let known: Vec<BTreeSet<String>> = stable
        .records()
        .iter()
        .map(|(_, record)| record.fields.iter().map(|field| field.wire.clone()).collect())
        .collect();
    let names: Vec<String> = stable.records().iter().map(|(name, _)| (*name).to_owned()).collect();
    let own: Vec<String> = definition.records().iter().map(|(name, _)| (*name).to_owned()).collect();
    for (record, name) in definition.records_mut().into_iter().zip(own) {
        if let Some(place) = names.iter().position(|other| *other == name) {
            for field in &mut record.fields {
                field.experimental = !known[place].contains(&field.wire);
            }
        }
    }
    match (&mut definition.shape, &stable.shape) {
        (Shape::StringEnum(values), Shape::StringEnum(stable)) => {
            for value in values {
                value.experimental = !stable.iter().any(|other| other.wire == value.wire);
            }
        }
        (Shape::Tagged { arms, .. }, Shape::Tagged { arms: stable, .. }) => {
            for arm in arms {
                arm.experimental = !stable.iter().any(|other| other.wire == arm.wire);
            }
        }
        (Shape::External { units, keys, .. }, Shape::External { units: stable_units, keys: stable_keys, .. }) => {
            for unit in units {
                unit.experimental = !stable_units.iter().any(|other| other.wire == unit.wire);
            }
            for arm in keys {
                arm.experimental = !stable_keys.iter().any(|other| other.wire == arm.wire);
            }
        }
        _ => {}
    }
}
