//! Stage 4, the reading: from a schema node to a shape of the model.

use std::collections::{BTreeMap, BTreeSet};

use schemars::schema::{InstanceType, ObjectValidation, Schema, SchemaObject, SingleOrVec};
use serde_json::Value;

use crate::errata::{Applicable, Sent, stale, tag_value};
use crate::harvest::Harvest;
use crate::load::{Definitions, ref_name};
use crate::model::{
    Arm, Definition, EnumValue, Field, KeyArm, Presence, Record, Rest, Shape, Side, Type, UntaggedArm,
};
use crate::names::{pascal, snake, type_name};
use crate::normalise::{VALUE_DESCRIPTIONS, is_type};
use crate::problem::Problem;
use crate::ts::{self, Alternative};

/// Definitions of the envelope, which the protocol crate writes by hand, and what
/// stands in for them.
pub const BY_HAND: [(&str, &str); 8] = [
    ("RequestId", "RequestId"),
    ("W3cTraceContext", "TraceContext"),
    ("JSONRPCErrorError", "RpcError"),
    ("JSONRPCError", "ErrorResponse"),
    ("JSONRPCMessage", "AnyMessage"),
    ("JSONRPCNotification", "Notification<UnrecognizedMethod>"),
    ("JSONRPCRequest", "Request<UnrecognizedMethod>"),
    ("JSONRPCResponse", "Response"),
];

/// Whether the protocol crate writes a definition by hand.
pub fn by_hand(name: &str) -> Option<&'static str> {
    BY_HAND.iter().find(|(definition, _)| *definition == name).map(|(_, rust)| *rust)
}

/// What the stage made of a bundle.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    pub(crate) definitions: BTreeMap<String, Definition>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<Problem>,
}

/// Reads every definition that is not skipped.
pub(crate) fn read(definitions: &Definitions, harvest: &Harvest, applicable: &Applicable) -> Shapes {
    let mut reader = Reader { definitions, harvest, applicable, shapes: Shapes::default() };
    let methods: BTreeSet<&str> = Side::ALL.iter().map(|side| side.definition()).collect();
    for (name, schema) in definitions {
        if applicable.errata.skip.iter().any(|skip| skip.definition == *name) {
            continue;
        }
        let pointer = format!("/definitions/{name}");
        let shape = if methods.contains(name.as_str()) {
            Ok(Shape::Methods)
        } else {
            let alternatives = ts::alternatives(harvest, name);
            reader.shape(name, schema, alternatives.as_deref(), &pointer)
        };
        match shape {
            Ok(shape) => reader.add(name, schema, shape, &pointer, false),
            Err(problem) => reader.shapes.problems.push(problem),
        }
    }
    let mut shapes = reader.shapes;
    for erratum in &applicable.errata.untagged {
        let untagged = shapes.definitions.get(&erratum.definition).is_some_and(|definition| matches!(definition.shape, Shape::Untagged(_)));
        if !untagged {
            stale(applicable, format!("the list of variants of {}", erratum.definition), &mut shapes.problems, &mut shapes.notes);
        }
    }
    rename_variants(&mut shapes, applicable);
    shapes
}

struct Reader<'a> {
    definitions: &'a Definitions,
    harvest: &'a Harvest,
    applicable: &'a Applicable,
    shapes: Shapes,
}

type Result<T> = std::result::Result<T, Problem>;

fn unknown_shape(what: &str, pointer: &str) -> Problem {
    Problem::new(format!("{what}: no shape fits this node"))
        .at(pointer)
        .help("teach crates/codex-rpc-codegen/src/shape.rs the new shape, or correct the node in protocol-schema/errata.toml")
}

/// What upstream says about a node.
pub(crate) fn description(object: &SchemaObject) -> Option<String> {
    object.metadata.as_ref()?.description.clone()
}

/// The member whose single value tells the arms of a union apart.
pub(crate) fn tag_of(object: &SchemaObject) -> Option<String> {
    let subschemas = object.subschemas.as_ref()?;
    let arms = subschemas.one_of.as_ref().or(subschemas.any_of.as_ref())?;
    let mut common: Option<BTreeSet<String>> = None;
    for arm in arms {
        let Schema::Object(arm) = arm else { return None };
        let validation = arm.object.as_ref()?;
        let single = |name: &&String| tag_value(arm, name).is_some() && single_value(&validation.properties[*name]);
        let tags: BTreeSet<String> = validation.required.iter().filter(|name| validation.properties.contains_key(*name)).filter(single).cloned().collect();
        common = Some(common.map_or(tags.clone(), |common| &common & &tags));
    }
    let common = common?;
    let distinct = |tag: &&String| {
        let values: Vec<_> = arms.iter().filter_map(|arm| match arm {
            Schema::Object(arm) => tag_value(arm, tag),
            Schema::Bool(_) => None,
        }).collect();
        values.iter().collect::<BTreeSet<_>>().len() == values.len()
    };
    common.iter().filter(distinct).min_by_key(|tag| (*tag != "type", *tag != "method", (*tag).clone())).cloned()
}

fn single_value(schema: &Schema) -> bool {
    matches!(schema, Schema::Object(object) if object.enum_values.as_ref().is_some_and(|values| values.len() == 1))
}

impl Reader<'_> {
    fn add(&mut self, name: &str, schema: &Schema, shape: Shape, pointer: &str, inner: bool) {
        let doc = match schema {
            Schema::Object(object) => description(object),
            Schema::Bool(_) => None,
        };
        let doc = doc.or_else(|| self.harvest.docs.get(name).cloned());
        let definition = Definition {
            name: name.to_owned(),
            rust: by_hand(name).map_or_else(|| type_name(name), str::to_owned),
            doc,
            shape,
            pointer: pointer.to_owned(),
            inner,
            by_hand: by_hand(name).is_some(),
            input: false,
            experimental: false,
        };
        if self.shapes.definitions.insert(name.to_owned(), definition).is_some() {
            self.shapes.problems.push(
                Problem::new(format!("two types are called `{name}`"))
                    .at(pointer)
                    .help("an inner object takes its name from where it stands: give it another in crates/codex-rpc-codegen/src/shape.rs"),
            );
        }
    }

    fn shape(&mut self, name: &str, schema: &Schema, ts: Option<&[Alternative]>, pointer: &str) -> Result<Shape> {
        let object = match schema {
            Schema::Bool(true) => return Ok(Shape::Newtype(Type::Any)),
            Schema::Bool(false) => return Err(unknown_shape("`false`", pointer)),
            Schema::Object(object) => object,
        };
        if let Some(subschemas) = &object.subschemas
            && let Some(arms) = subschemas.one_of.as_ref().or(subschemas.any_of.as_ref())
            && !(object.object.is_some() && is_choice(arms))
        {
            return self.union(name, object, arms, ts.unwrap_or_default(), pointer);
        }
        if let Some(values) = &object.enum_values {
            return Ok(Shape::StringEnum(enum_values(object, values, pointer)?));
        }
        if object.object.is_some() || is_type(object, InstanceType::Object) {
            let validation = object.object.as_deref();
            let is_map = validation.is_some_and(|validation| {
                validation.properties.is_empty()
                    && validation.additional_properties.as_deref().is_some_and(|values| *values != Schema::Bool(false))
            });
            if !is_map {
                let typescript = ts.and_then(ts::merge);
                return self.record(name, object, typescript.as_ref(), None, pointer).map(Shape::Record);
            }
        }
        let (ty, nullable) = self.ty(name, "Value", schema, pointer)?;
        Ok(if nullable { Shape::Nullable(ty) } else { Shape::Newtype(ty) })
    }

    fn union(
        &mut self,
        name: &str,
        object: &SchemaObject,
        arms: &[Schema],
        ts: &[Alternative],
        pointer: &str,
    ) -> Result<Shape> {
        if let Some((only, _)) = nullable_arms(arms) {
            let (ty, _) = self.ty(name, "Value", only, pointer)?;
            return Ok(Shape::Nullable(ty));
        }
        if let Some(tag) = tag_of(object) {
            let mut read = Vec::new();
            for (index, arm) in arms.iter().enumerate() {
                let Schema::Object(arm) = arm else { continue };
                let Some(wire) = tag_value(arm, &tag) else { continue };
                let pointer = format!("{pointer}/oneOf/{index}");
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
        if let Some(external) = self.external(name, arms, ts, pointer)? {
            return Ok(external);
        }
        self.untagged(name, arms, pointer)
    }

    fn external(&mut self, name: &str, arms: &[Schema], ts: &[Alternative], pointer: &str) -> Result<Option<Shape>> {
        let (mut units, mut keys) = (Vec::new(), Vec::new());
        let one_key = |object: &SchemaObject| {
            let validation = object.object.as_ref()?;
            let (key, value) = validation.properties.iter().next()?;
            (validation.properties.len() == 1 && validation.required.contains(key)).then(|| (key.clone(), value.clone()))
        };
        let shaped = arms.iter().all(|arm| match arm {
            Schema::Object(arm) => {
                (is_type(arm, InstanceType::String) && arm.enum_values.is_some()) || one_key(arm).is_some() || is_open_arm(arm)
            }
            Schema::Bool(_) => false,
        });
        let any_string = arms.iter().any(|arm| matches!(arm, Schema::Object(arm) if arm.enum_values.is_some()));
        // Without a string among them, one-member objects are variants only if the
        // schema closes them or names them as Rust does (`Ok`, `Err`).
        let closed = arms.iter().all(|arm| match arm {
            Schema::Object(arm) => {
                let no_others = arm.object.as_ref().is_some_and(|own| own.additional_properties.as_deref() == Some(&Schema::Bool(false)));
                one_key(arm).is_some_and(|(key, _)| no_others || key.starts_with(char::is_uppercase))
            }
            Schema::Bool(_) => false,
        });
        let distinct: BTreeSet<_> = arms.iter().filter_map(|arm| match arm {
            Schema::Object(arm) => one_key(arm).map(|(key, _)| key),
            Schema::Bool(_) => None,
        }).collect();
        let keyed = distinct.len() == arms.len();
        if !shaped || !(any_string || closed && keyed) {
            return Ok(None);
        }
        for (index, arm) in arms.iter().enumerate() {
            let Schema::Object(arm) = arm else { continue };
            let pointer = format!("{pointer}/oneOf/{index}");
            if let Some(values) = &arm.enum_values {
                let mut values = enum_values(arm, values, &pointer)?;
                if let [only] = values.as_mut_slice() {
                    only.doc = only.doc.take().or_else(|| description(arm));
                }
                units.extend(values);
            } else if let Some((wire, value)) = one_key(arm) {
                let variant = pascal(&wire);
                let inner_pointer = format!("{pointer}/properties/{wire}");
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
                keys.push(KeyArm { wire, variant, doc: description(arm), ty, experimental: false });
            }
        }
        let open = arms.iter().any(|arm| matches!(arm, Schema::Object(arm) if is_open_arm(arm)));
        Ok(Some(Shape::External { units, keys, open }))
    }

    fn untagged(&mut self, name: &str, arms: &[Schema], pointer: &str) -> Result<Shape> {
        let reviewed = self.applicable.errata.untagged.iter().find(|erratum| erratum.definition == name);
        if let Some(erratum) = reviewed && erratum.variants.len() != arms.len() {
            stale(self.applicable, format!("the list of variants of {name}"), &mut self.shapes.problems, &mut self.shapes.notes);
        }
        if reviewed.is_none() && by_hand(name).is_none() {
            let problem = Problem::new(format!("the untagged union `{name}` was not reviewed"))
                .at(pointer)
                .help("check that the order of its variants decodes right and add it to `untagged` in protocol-schema/errata.toml");
            if self.applicable.strict { self.shapes.problems.push(problem) } else { self.shapes.notes.push(problem) }
        }
        let reviewed: Vec<String> = reviewed.map(|erratum| erratum.variants.clone()).unwrap_or_default();
        let mut read: Vec<UntaggedArm> = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            let pointer = format!("{pointer}/anyOf/{index}");
            let proposed = reviewed.get(index).cloned().unwrap_or_else(|| self.variant_name(name, arms, index));
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
            let doc = match arm {
                Schema::Object(object) => description(object),
                Schema::Bool(_) => None,
            };
            read.push(UntaggedArm { variant: proposed, ty, doc });
        }
        Ok(Shape::Untagged(read))
    }

    /// The name of a variant that nobody reviewed: its type, or the property that
    /// only it has.
    fn variant_name(&self, name: &str, arms: &[Schema], index: usize) -> String {
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
        let _ = name;
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

    /// A type, and whether null is one of its values.
    fn ty(&mut self, owner: &str, member: &str, schema: &Schema, pointer: &str) -> Result<(Type, bool)> {
        let object = match schema {
            Schema::Bool(true) => return Ok((Type::Any, false)),
            Schema::Bool(false) => return Err(unknown_shape("`false`", pointer)),
            Schema::Object(object) => object,
        };
        if let Some(reference) = &object.reference {
            let target = ref_name(reference);
            // A definition that only adds null is no type of its own in Rust.
            if let Some(Schema::Object(target)) = self.definitions.get(target)
                && let Some(arms) = target.subschemas.as_ref().and_then(|all| all.any_of.as_ref())
                && let Some((only, _)) = nullable_arms(arms)
            {
                let (ty, _) = self.ty(owner, member, only, pointer)?;
                return Ok((ty, true));
            }
            return Ok((Type::Named(target.to_owned()), false));
        }
        if let Some(subschemas) = &object.subschemas {
            if let Some(arms) = &subschemas.any_of
                && let Some((only, _)) = nullable_arms(arms)
            {
                let (ty, _) = self.ty(owner, member, only, pointer)?;
                return Ok((ty, true));
            }
            return self.inner(owner, member, schema, pointer);
        }
        if object.enum_values.is_some() {
            return self.inner(owner, member, schema, pointer);
        }
        let (kind, nullable) = match &object.instance_type {
            None if object.object.is_none() => return Ok((Type::Any, false)),
            None => (InstanceType::Object, false),
            Some(SingleOrVec::Single(kind)) => (**kind, false),
            Some(SingleOrVec::Vec(kinds)) => {
                let without: Vec<_> = kinds.iter().filter(|kind| **kind != InstanceType::Null).collect();
                match without.as_slice() {
                    [kind] => (**kind, kinds.len() > 1),
                    _ => return Err(unknown_shape("several types at once", pointer)),
                }
            }
        };
        let ty = match kind {
            InstanceType::String => Type::String,
            InstanceType::Boolean => Type::Bool,
            InstanceType::Integer => Type::Integer(integer(object.format.as_deref(), pointer)?),
            InstanceType::Number => match object.format.as_deref() {
                None | Some("double" | "float") => Type::Double,
                Some(format) => return Err(unknown_format(format, pointer)),
            },
            InstanceType::Array => match object.array.as_ref().and_then(|array| array.items.as_ref()) {
                Some(SingleOrVec::Single(item)) => {
                    let item = self.ty(owner, &format!("{member}Item"), item, &format!("{pointer}/items"))?;
                    Type::List(Box::new(nullable_type(item)))
                }
                None => Type::List(Box::new(Type::Any)),
                Some(SingleOrVec::Vec(_)) => return Err(unknown_shape("a tuple", pointer)),
            },
            InstanceType::Object => {
                let validation = object.object.as_deref();
                if validation.is_some_and(|validation| !validation.properties.is_empty()) {
                    let (ty, _) = self.inner(owner, member, schema, pointer)?;
                    return Ok((ty, nullable));
                }
                match validation.and_then(|validation| validation.additional_properties.as_deref()) {
                    Some(Schema::Bool(_)) | None => Type::Map(Box::new(Type::Any)),
                    Some(values) => {
                        let pointer = format!("{pointer}/additionalProperties");
                        let values = self.ty(owner, &format!("{member}Value"), values, &pointer)?;
                        Type::Map(Box::new(nullable_type(values)))
                    }
                }
            }
            InstanceType::Null => return Err(unknown_shape("a value that is always null", pointer)),
        };
        Ok((ty, nullable))
    }

    /// An object, enum or union that stands inside another definition.
    fn inner(&mut self, owner: &str, member: &str, schema: &Schema, pointer: &str) -> Result<(Type, bool)> {
        let name = format!("{owner}{}", pascal(member));
        let mut plain = schema.clone();
        let nullable = strip_null(&mut plain);
        let shape = self.shape(&name, &plain, None, pointer)?;
        self.add(&name, schema, shape, pointer, true);
        Ok((Type::Named(name), nullable))
    }

    fn record(
        &mut self,
        name: &str,
        object: &SchemaObject,
        typescript: Option<&Alternative>,
        tag: Option<&str>,
        pointer: &str,
    ) -> Result<Record> {
        let empty = ObjectValidation::default();
        let validation = object.object.as_deref().unwrap_or(&empty);
        if validation.properties.len() > 128 {
            return Err(Problem::new("more than 128 properties").at(pointer).help("widen `required` of the runtime's Shape"));
        }
        let mut fields = Vec::new();
        for (wire, schema) in &validation.properties {
            if Some(wire.as_str()) == tag {
                continue;
            }
            let pointer = format!("{pointer}/properties/{wire}");
            let (ty, nullable) = self.ty(name, wire, schema, &pointer)?;
            if ty == Type::Any && typescript.is_some() && by_hand(name).is_none() {
                self.reviewed_any(name, wire, &pointer);
            }
            let (doc, default) = match schema {
                Schema::Object(object) => (description(object), object.metadata.as_ref().and_then(|all| all.default.clone())),
                Schema::Bool(_) => (None, None),
            };
            let typescript = typescript.and_then(|typescript| typescript.field(wire));
            let required = validation.required.contains(wire);
            let mut field = Field {
                wire: wire.clone(),
                rust: if wire == "extra" { "extra_".to_owned() } else { snake(wire) },
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
                let reviewed = self.applicable.errata.flattened.iter().find(|erratum| erratum.definition == name);
                Rest::Entries { rust: reviewed.map_or_else(|| "entries".to_owned(), |erratum| erratum.field.clone()), ty }
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
        let choices = object.subschemas.as_ref().and_then(|all| all.any_of.as_ref()).into_iter().flatten();
        let one_of = choices
            .filter_map(|choice| match choice {
                Schema::Object(choice) => choice.object.as_ref().map(|own| own.required.iter().cloned().collect()),
                Schema::Bool(_) => None,
            })
            .collect();
        let closed = matches!(validation.additional_properties.as_deref(), Some(Schema::Bool(false)));
        Ok(Record { fields, rest, one_of, closed })
    }

    fn reviewed_any(&mut self, name: &str, wire: &str, pointer: &str) {
        let place = format!("{name}.{wire}");
        if self.applicable.errata.any.contains(&place) {
            return;
        }
        let problem = Problem::new(format!("`{place}` is free-form JSON and was not reviewed"))
            .at(pointer)
            .help("if that is what it is, add it to `any` in protocol-schema/errata.toml");
        if self.applicable.strict { self.shapes.problems.push(problem) } else { self.shapes.notes.push(problem) }
    }
}

/// A type with its null, where it is no member of an object.
fn nullable_type((ty, nullable): (Type, bool)) -> Type {
    if nullable { Type::Nullable(Box::new(ty)) } else { ty }
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

/// `anyOf [T, null]`: T, and where null stands.
fn nullable_arms(arms: &[Schema]) -> Option<(&Schema, usize)> {
    let is_null = |schema: &Schema| matches!(schema, Schema::Object(object) if is_type(object, InstanceType::Null));
    match arms {
        [one, null] if is_null(null) => Some((one, 1)),
        [null, one] if is_null(null) => Some((one, 0)),
        _ => None,
    }
}

fn strip_null(schema: &mut Schema) -> bool {
    let Schema::Object(object) = schema else { return false };
    let Some(SingleOrVec::Vec(kinds)) = &mut object.instance_type else { return false };
    let before = kinds.len();
    kinds.retain(|kind| *kind != InstanceType::Null);
    let stripped = kinds.len() < before;
    if let [only] = kinds.as_slice() {
        object.instance_type = Some((*only).into());
    }
    if let Some(values) = &mut object.enum_values {
        values.retain(|value| !value.is_null());
    }
    stripped
}

/// Arms that only say which properties must be there.
fn is_choice(arms: &[Schema]) -> bool {
    arms.iter().all(|arm| match arm {
        Schema::Object(arm) => {
            arm.reference.is_none()
                && arm.instance_type.is_none()
                && arm.object.as_ref().is_some_and(|own| own.properties.is_empty() && !own.required.is_empty())
        }
        Schema::Bool(_) => false,
    })
}

/// Upstream's own arm for what it does not know yet: a string or an object.
fn is_open_arm(object: &SchemaObject) -> bool {
    matches!(&object.instance_type, Some(SingleOrVec::Vec(kinds))
        if kinds.iter().all(|kind| matches!(kind, InstanceType::String | InstanceType::Object)))
        && object.object.is_none()
        && object.enum_values.is_none()
}

fn enum_values(object: &SchemaObject, values: &[Value], pointer: &str) -> Result<Vec<EnumValue>> {
    let descriptions = object.extensions.get(VALUE_DESCRIPTIONS);
    let mut read = Vec::new();
    for value in values {
        let Value::String(wire) = value else {
            return Err(unknown_shape("an enum of something else than strings", pointer));
        };
        let doc = descriptions.and_then(|all| all.get(wire)).and_then(Value::as_str).map(str::to_owned);
        read.push(EnumValue { wire: wire.clone(), rust: pascal(wire), doc, experimental: false });
    }
    Ok(read)
}

fn integer(format: Option<&str>, pointer: &str) -> Result<&'static str> {
    Ok(match format {
        None | Some("int64" | "int") => "i64",
        Some("int8") => "i8",
        Some("int16") => "i16",
        Some("int32") => "i32",
        Some("uint8") => "u8",
        Some("uint16") => "u16",
        Some("uint32") => "u32",
        Some("uint64" | "uint") => "u64",
        Some(format) => return Err(unknown_format(format, pointer)),
    })
}

fn unknown_format(format: &str, pointer: &str) -> Problem {
    Problem::new(format!("the number format `{format}` is not known"))
        .at(pointer)
        .help("add it to crates/codex-rpc-codegen/src/shape.rs")
}

/// Whether a field's name says that it holds a secret. The protocol crate has the
/// same rule for names inside free-form JSON, and a test compares them.
pub fn is_secret_name(name: &str) -> bool {
    const SUFFIXES: [&str; 17] = [
        "apikey", "accesskey", "secretkey", "privatekey", "signingkey", "accesskeyid", "token", "secret", "password",
        "passwd", "passphrase", "credential", "credentials", "authorization", "cookie", "jwt", "secrets",
    ];
    let flat: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SUFFIXES.iter().any(|suffix| flat.ends_with(suffix))
}

fn is_secret(name: &str, ty: &Type) -> bool {
    let text = match ty {
        Type::List(inner) | Type::Map(inner) => **inner == Type::String,
        ty => matches!(ty, Type::String | Type::Any),
    };
    text && is_secret_name(name)
}

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
            let what = format!("what is said about {definition}.{wire}");
            stale(applicable, what, &mut shapes.problems, &mut shapes.notes);
        }
    }
}

/// Variants whose wire names are the same in Rust's spelling.
fn rename_variants(shapes: &mut Shapes, applicable: &Applicable) {
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
                _ => None,
            }
        });
        match found {
            Some(rust) => rust.clone_from(&erratum.rust),
            None => stale(
                applicable,
                format!("the name of `{}` of {}", erratum.wire, erratum.definition),
                &mut shapes.problems,
                &mut shapes.notes,
            ),
        }
    }
}
