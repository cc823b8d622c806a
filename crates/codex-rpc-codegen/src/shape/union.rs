//! Unions: by a tag, by the one member that an object has, by their content.

use std::collections::BTreeSet;

use schemars::schema::{InstanceType, Schema, SchemaObject, SingleOrVec};

use super::{Reader, Result, by_hand, description, enum_values, nullable_arms, nullable_type, unknown_shape};
use crate::load::{arms_of, ref_name};
use crate::model::{Arm, KeyArm, Shape, Type, UntaggedArm};
use crate::names::{pascal, type_name};
use crate::normalise::is_type;
use crate::problem::{Problem, below};
use crate::ts::{self, Alternative};

/// The member whose single value tells the arms of a union apart.
pub(crate) fn tag_of(object: &SchemaObject) -> Option<String> {
    let (_, arms) = arms_of(object)?;
    let mut common: Option<BTreeSet<String>> = None;
    for arm in arms {
        let Schema::Object(arm) = arm else { return None };
        let validation = arm.object.as_ref()?;
        let single = |name: &&String| tag_value(arm, name).is_some() && single_value(&validation.properties[*name]);
        let tags: BTreeSet<String> = validation
            .required
            .iter()
            .filter(|name| validation.properties.contains_key(*name))
            .filter(single)
            .cloned()
            .collect();
        common = Some(common.map_or(tags.clone(), |common| &common & &tags));
    }
    let common = common?;
    let distinct = |tag: &&String| {
        let values: Vec<_> = arms
            .iter()
            .filter_map(|arm| match arm {
                Schema::Object(arm) => tag_value(arm, tag),
                Schema::Bool(_) => None,
            })
            .collect();
        values.iter().collect::<BTreeSet<_>>().len() == values.len()
    };
    common.iter().filter(distinct).min_by_key(|tag| (*tag != "type", *tag != "method", (*tag).clone())).cloned()
}

fn single_value(schema: &Schema) -> bool {
    matches!(schema, Schema::Object(object) if object.enum_values.as_ref().is_some_and(|values| values.len() == 1))
}

/// The value of an arm's tag.
pub(crate) fn tag_value(object: &SchemaObject, tag: &str) -> Option<String> {
    let Schema::Object(property) = object.object.as_ref()?.properties.get(tag)? else { return None };
    property.enum_values.as_ref()?.first()?.as_str().map(str::to_owned)
}

impl Reader<'_> {
    pub(super) fn union(
        &mut self,
        name: &str,
        object: &SchemaObject,
        ts: &[Alternative],
        pointer: &str,
    ) -> Result<Shape> {
        let Some((keyword, arms)) = arms_of(object) else { return Err(unknown_shape("no union", pointer)) };
        if let Some((only, index)) = nullable_arms(arms) {
            let pointer = format!("{pointer}/{keyword}/{index}");
            let (ty, _) = self.ty(name, "Value", only, &pointer)?;
            self.review_free_form(name, name, &ty, &pointer);
            return Ok(Shape::Nullable(ty));
        }
        let pointer = format!("{pointer}/{keyword}");
        if let Some(tag) = tag_of(object) {
            let mut read = Vec::new();
            for (index, arm) in arms.iter().enumerate() {
                let Schema::Object(arm) = arm else { continue };
                let Some(wire) = tag_value(arm, &tag) else { continue };
                let pointer = format!("{pointer}/{index}");
                let variant = pascal(&wire);
                let typescript = ts::tagged_arm(ts, &tag, &wire);
                read.push(Arm {
                    rust: format!("{variant}{}", type_name(name)),
                    record: self.record(&format!("{variant}{name}"), arm, typescript.as_ref(), Some(&tag), &pointer)?,
                    variant,
                    wire,
                    doc: description(arm),
                    experimental: false,
                });
            }
            return Ok(Shape::Tagged { tag, arms: read });
        }
        if let Some(external) = self.external(name, arms, ts, &pointer)? {
            return Ok(external);
        }
        self.untagged(name, arms, &pointer)
    }

    /// A union of strings and objects with one member. `pointer` is that of the arms.
    fn external(&mut self, name: &str, arms: &[Schema], ts: &[Alternative], pointer: &str) -> Result<Option<Shape>> {
        let (mut units, mut keys) = (Vec::new(), Vec::new());
        let one_key = |object: &SchemaObject| {
            let validation = object.object.as_ref()?;
            let (key, value) = validation.properties.iter().next()?;
            (validation.properties.len() == 1 && validation.required.contains(key))
                .then(|| (key.clone(), value.clone()))
        };
        let shaped = arms.iter().all(|arm| match arm {
            Schema::Object(arm) => {
                (is_type(arm, InstanceType::String) && arm.enum_values.is_some())
                    || one_key(arm).is_some()
                    || is_open_arm(arm)
            }
            Schema::Bool(_) => false,
        });
        let any_string = arms.iter().any(|arm| matches!(arm, Schema::Object(arm) if arm.enum_values.is_some()));
        // Without a string among them, one-member objects are variants only if the
        // schema closes them or names them as Rust does (`Ok`, `Err`).
        let closed = arms.iter().all(|arm| match arm {
            Schema::Object(arm) => {
                let no_others = arm
                    .object
                    .as_ref()
                    .is_some_and(|own| own.additional_properties.as_deref() == Some(&Schema::Bool(false)));
                one_key(arm).is_some_and(|(key, _)| no_others || key.starts_with(char::is_uppercase))
            }
            Schema::Bool(_) => false,
        });
        let distinct: BTreeSet<_> = arms
            .iter()
            .filter_map(|arm| match arm {
                Schema::Object(arm) => one_key(arm).map(|(key, _)| key),
                Schema::Bool(_) => None,
            })
            .collect();
        let keyed = distinct.len() == arms.len();
        if !shaped || !(any_string || closed && keyed) {
            return Ok(None);
        }
        for (index, arm) in arms.iter().enumerate() {
            let Schema::Object(arm) = arm else { continue };
            let pointer = format!("{pointer}/{index}");
            if let Some(values) = &arm.enum_values {
                let mut values = enum_values(arm, values, &pointer)?;
                if let [only] = values.as_mut_slice() {
                    only.doc = only.doc.take().or_else(|| description(arm));
                }
                units.extend(values);
            } else if let Some((wire, value)) = one_key(arm) {
                let variant = pascal(&wire);
                let inner_pointer = below(&format!("{pointer}/properties"), &wire);
                let ty = match &value {
                    Schema::Object(inner) if inner.object.as_ref().is_some_and(|own| !own.properties.is_empty()) => {
                        let inner_name = format!("{variant}{name}");
                        let typescript = ts::keyed_arm(self.harvest, ts, &wire);
                        let record = self.record(&inner_name, inner, typescript.as_ref(), None, &inner_pointer)?;
                        self.add(&inner_name, &value, Shape::Record(record), &inner_pointer, true);
                        Type::Named(inner_name)
                    }
                    _ => nullable_type(self.ty(name, &variant, &value, &inner_pointer)?),
                };
                self.review_free_form(name, &format!("{name}.{wire}"), &ty, &inner_pointer);
                keys.push(KeyArm { wire, variant, doc: description(arm), ty, experimental: false });
            }
        }
        let open = arms.iter().any(|arm| matches!(arm, Schema::Object(arm) if is_open_arm(arm)));
        Ok(Some(Shape::External { units, keys, open }))
    }

    /// A union whose arms only their content tells apart. `pointer` is that of the
    /// arms.
    fn untagged(&mut self, name: &str, arms: &[Schema], pointer: &str) -> Result<Shape> {
        let reviewed = self.applicable.errata.untagged.iter().find(|erratum| erratum.definition == name);
        if let Some(erratum) = reviewed
            && erratum.variants.len() != arms.len()
        {
            self.applicable.stale(&format!("the list of variants of {name}"), &mut self.shapes.findings);
        }
        if reviewed.is_none() && by_hand(name).is_none() {
            let place = pointer.rsplit_once('/').map_or(pointer, |(union, _)| union);
            let problem = Problem::new(format!("the untagged union `{name}` was not reviewed"))
                .at(place)
                .help("check that the order of its variants decodes right and add it to `untagged` in protocol-schema/errata.toml");
            self.applicable.unreviewed(problem, &mut self.shapes.findings);
        }
        let reviewed: Vec<String> = reviewed.map(|erratum| erratum.variants.clone()).unwrap_or_default();
        let mut read: Vec<UntaggedArm> = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            let proposed = reviewed.get(index).cloned().unwrap_or_else(|| variant_name(arms, index));
            let inner = match arm {
                Schema::Object(object) if object.reference.is_none() && object.object.is_some() => Some(object),
                _ => None,
            };
            let ty = if let Some(object) = inner {
                let inner_name = format!("{proposed}{name}");
                let ts = ts::alternatives(self.harvest, name).and_then(|all| all.get(index).cloned());
                let record = self.record(&inner_name, object, ts.as_ref(), None, &pointer)?;
                self.add(&inner_name, arm, Shape::Record(record), &pointer, true);
                Type::Named(inner_name)
            } else {
                match self.ty(name, &proposed, arm, &pointer)? {
                    (ty, false) => ty,
                    (_, true) => return Err(unknown_shape("an untagged variant that may be null", &pointer)),
                }
            };
            self.review_free_form(name, &format!("{name}.{proposed}"), &ty, &pointer);
            let doc = match arm {
                Schema::Object(object) => description(object),
                Schema::Bool(_) => None,
            };
            read.push(UntaggedArm { variant: proposed, ty, doc });
        }
        Ok(Shape::Untagged(read))
    }
}

/// The name of a variant that nobody reviewed: its type, or the property that
/// only it has.
fn variant_name(arms: &[Schema], index: usize) -> String {
    let Schema::Object(arm) = &arms[index] else { return format!("Variant{index}") };
    if let Some(reference) = &arm.reference {
        return type_name(ref_name(reference));
    }
    let required = |schema: &Schema| match schema {
        Schema::Object(object) => object.object.as_ref().map(|own| own.required.clone()).unwrap_or_default(),
        Schema::Bool(_) => BTreeSet::default(),
    };
    let others: BTreeSet<String> =
        arms.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, arm)| required(arm)).collect();
    if let Some(own) = required(&arms[index]).iter().find(|property| !others.contains(*property)) {
        return pascal(own);
    }
    match &arm.instance_type {
        Some(SingleOrVec::Single(single)) => match **single {
            InstanceType::String => "String".to_owned(),
            InstanceType::Integer => "Integer".to_owned(),
            InstanceType::Number => "Number".to_owned(),
            InstanceType::Boolean => "Bool".to_owned(),
            InstanceType::Array => "List".to_owned(),
            InstanceType::Object | InstanceType::Null => format!("Variant{index}"),
        },
        _ => format!("Variant{index}"),
    }
}

/// Upstream's own arm for what it does not know yet: a string or an object.
fn is_open_arm(object: &SchemaObject) -> bool {
    matches!(&object.instance_type, Some(SingleOrVec::Vec(kinds))
        if kinds.iter().all(|kind| matches!(kind, InstanceType::String | InstanceType::Object)))
        && object.object.is_none()
        && object.enum_values.is_none()
}
