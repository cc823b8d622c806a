//! Reads the harvest: which members an object of a definition has in TypeScript,
//! in which order, and how each is written.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harvest::{Harvest, TsField, TsType};

/// One way a value of a type can look.
#[derive(Clone, Debug, Default)]
pub struct Alternative {
    /// The members in the order of their declaration.
    pub fields: Vec<TsField>,
    /// The type of all other members, if the object is a map too.
    pub entries: Option<TsType>,
}

impl Alternative {
    /// The member with a name.
    pub fn field(&self, name: &str) -> Option<&TsField> {
        self.fields.iter().find(|field| field.name == name)
    }

    fn tag(&self, name: &str) -> Option<&str> {
        match &self.field(name)?.ty {
            TsType::Literal { value: Value::String(value) } => Some(value),
            _ => None,
        }
    }
}

/// What the harvest says about a definition; none if it does not have it.
pub fn alternatives(harvest: &Harvest, definition: &str) -> Option<Vec<Alternative>> {
    let in_root = || harvest.types.get(&format!("root/{}", definition.strip_prefix("Root")?));
    let ty = harvest.types.get(definition).or_else(in_root)?;
    Some(expand(harvest, ty, &mut BTreeSet::new()))
}

fn expand(harvest: &Harvest, ty: &TsType, above: &mut BTreeSet<String>) -> Vec<Alternative> {
    match ty {
        TsType::Object { fields } => vec![Alternative { fields: fields.clone(), entries: None }],
        TsType::Map { values, .. } => vec![Alternative { fields: Vec::new(), entries: Some((**values).clone()) }],
        TsType::Union { arms } => arms.iter().flat_map(|arm| expand(harvest, arm, above)).collect(),
        TsType::Intersection { parts } => {
            let mut product = vec![Alternative::default()];
            for part in parts {
                let part = expand(harvest, part, above);
                product =
                    product.iter().flat_map(|left| part.iter().map(move |right| left.clone().and(right))).collect();
            }
            product
        }
        TsType::Reference { name } => match harvest.types.get(name) {
            Some(target) if above.insert(name.clone()) => {
                let expanded = expand(harvest, target, above);
                above.remove(name);
                expanded
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

impl Alternative {
    fn and(mut self, other: &Self) -> Self {
        self.fields.extend(other.fields.iter().cloned());
        self.entries = self.entries.or_else(|| other.entries.clone());
        self
    }
}

/// All alternatives as one object: a member that some of them lack is optional.
pub fn merge(alternatives: &[Alternative]) -> Option<Alternative> {
    let mut merged = alternatives.first()?.clone();
    for other in &alternatives[1..] {
        for field in &mut merged.fields {
            field.optional |= other.field(&field.name).is_none_or(|other| other.optional);
        }
        for field in &other.fields {
            if merged.field(&field.name).is_none() {
                merged.fields.push(TsField { optional: true, ..field.clone() });
            }
        }
        merged.entries = merged.entries.or_else(|| other.entries.clone());
    }
    Some(merged)
}

/// The arm of a union that a tag names.
pub fn tagged_arm(alternatives: &[Alternative], tag: &str, value: &str) -> Option<Alternative> {
    let arms: Vec<Alternative> =
        alternatives.iter().filter(|alternative| alternative.tag(tag) == Some(value)).cloned().collect();
    merge(&arms)
}

/// The value of the one member that names a variant.
pub fn keyed_arm(harvest: &Harvest, alternatives: &[Alternative], key: &str) -> Option<Alternative> {
    let arm =
        alternatives.iter().find(|alternative| alternative.fields.len() == 1 && alternative.field(key).is_some())?;
    merge(&expand(harvest, &arm.field(key)?.ty, &mut BTreeSet::new()))
}

/// How often `null` stands in a union: twice marks a field for which absent, null
/// and a value mean three things.
pub fn nulls(ty: &TsType) -> usize {
    let is_null = |ty: &TsType| matches!(ty, TsType::Keyword { name } if name == "null");
    match ty {
        TsType::Union { arms } => arms.iter().filter(|arm| is_null(arm)).count(),
        ty => usize::from(is_null(ty)),
    }
}
