//! Stage 4, the reading: from a schema node to a shape of the model.
//!
//! What must always hold: a node is read to the end or is an error. What is left
//! out of a record or a union is what its constraints say about single values.

mod record;
mod review;
mod union;

use std::collections::{BTreeMap, BTreeSet};

use schemars::schema::{InstanceType, Schema, SchemaObject, SingleOrVec};
use serde_json::Value;

use crate::errata::{Applicable, Findings};
use crate::harvest::Harvest;
use crate::load::{Definitions, Places, arms_of, ref_name};
use crate::model::{Definition, EnumValue, Shape, Side, Type};
use crate::names::{pascal, type_name};
use crate::normalise::{VALUE_DESCRIPTIONS, is_type};
use crate::problem::Problem;
use crate::ts::{self, Alternative};

pub use record::is_secret_name;
pub(crate) use review::{defaults_are_written, presence};
pub(crate) use union::{tag_of, tag_value};

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
    pub(crate) findings: Findings,
    /// Definitions that could not be read, and why. What is said elsewhere about
    /// them can't be judged.
    pub(crate) failed: BTreeMap<String, Problem>,
}

impl Shapes {
    /// An erratum that does not apply, unless that is because what it is about
    /// could not be read. An inner object has its owner's name in its own.
    fn stale(&mut self, applicable: &Applicable, definition: &str, what: &str) {
        let follows = |failed: &String| definition.starts_with(failed) || definition.ends_with(failed);
        if !self.failed.keys().any(follows) {
            applicable.stale(what, &mut self.findings);
        }
    }
}

/// Reads every definition that is not skipped.
pub(crate) fn read(definitions: &Definitions, places: &Places, harvest: &Harvest, applicable: &Applicable) -> Shapes {
    let mut reader = Reader {
        definitions,
        places,
        harvest,
        applicable,
        shapes: Shapes::default(),
        free_form: BTreeSet::new(),
        within: Vec::new(),
    };
    let methods: BTreeSet<&str> = Side::ALL.iter().map(|side| side.definition()).collect();
    for (name, schema) in definitions {
        if applicable.skips(name) {
            continue;
        }
        let pointer = places.of(name);
        let shape = if methods.contains(name.as_str()) {
            Ok(Shape::Methods)
        } else {
            let alternatives = ts::alternatives(harvest, name);
            reader.shape(name, schema, alternatives.as_deref(), &pointer)
        };
        match shape {
            Ok(shape) => reader.add(name, schema, shape, &pointer, false),
            Err(problem) => {
                reader.shapes.failed.insert(name.clone(), problem);
            }
        }
    }
    let Reader { mut shapes, free_form, .. } = reader;
    review::untagged(&mut shapes, applicable);
    review::free_form(&mut shapes, applicable, &free_form);
    review::rename_variants(&mut shapes, applicable);
    shapes
}

struct Reader<'a> {
    definitions: &'a Definitions,
    places: &'a Places,
    harvest: &'a Harvest,
    applicable: &'a Applicable,
    shapes: Shapes,
    /// The places of free-form JSON that were reviewed and found.
    free_form: BTreeSet<String>,
    /// The definitions that only add null, on the way to what they stand for.
    within: Vec<String>,
}

type Result<T> = std::result::Result<T, Problem>;

fn unknown_shape(what: &str, pointer: &str) -> Problem {
    Problem::new(format!("{what}: no shape fits this node")).at(pointer).help(
        "teach crates/codex-rpc-codegen/src/shape.rs the new shape, or correct the node in protocol-schema/errata.toml",
    )
}

/// What upstream says about a node.
pub(crate) fn description(object: &SchemaObject) -> Option<String> {
    object.metadata.as_ref()?.description.clone()
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
            self.shapes.findings.problems.push(
                Problem::new(format!("two types are called `{name}`"))
                    .at(pointer)
                    .help("an inner object takes its name from where it stands: give it another in crates/codex-rpc-codegen/src/shape.rs"),
            );
        }
    }

    fn shape(&mut self, name: &str, schema: &Schema, ts: Option<&[Alternative]>, pointer: &str) -> Result<Shape> {
        let object = match schema {
            Schema::Bool(true) => {
                self.review_free_form(name, name, &Type::Any, pointer);
                return Ok(Shape::Newtype(Type::Any));
            }
            Schema::Bool(false) => return Err(unknown_shape("`false`", pointer)),
            Schema::Object(object) => object,
        };
        readable(object, pointer)?;
        let validation = object.object.as_deref();
        let is_map = validation.is_some_and(|validation| {
            validation.properties.is_empty()
                && validation.additional_properties.as_deref().is_some_and(|values| *values != Schema::Bool(false))
        });
        if let Some((keyword, arms)) = arms_of(object) {
            if validation.is_none() || !record::is_choice(arms) {
                return self.union(name, object, ts.unwrap_or_default(), pointer);
            }
            if is_map {
                return Err(unknown_shape(&format!("`{keyword}` beside a map"), pointer));
            }
        }
        if let Some(values) = &object.enum_values {
            return Ok(Shape::StringEnum(enum_values(object, values, pointer)?));
        }
        if !is_map && (validation.is_some() || is_type(object, InstanceType::Object)) {
            let typescript = ts.and_then(ts::merge);
            return self.record(name, object, typescript.as_ref(), None, pointer).map(Shape::Record);
        }
        let (ty, nullable) = self.ty(name, "Value", schema, pointer)?;
        self.review_free_form(name, name, &ty, pointer);
        Ok(if nullable { Shape::Nullable(ty) } else { Shape::Newtype(ty) })
    }

    /// A type, and whether null is one of its values.
    fn ty(&mut self, owner: &str, member: &str, schema: &Schema, pointer: &str) -> Result<(Type, bool)> {
        let object = match schema {
            Schema::Bool(true) => return Ok((Type::Any, false)),
            Schema::Bool(false) => return Err(unknown_shape("`false`", pointer)),
            Schema::Object(object) => object,
        };
        readable(object, pointer)?;
        if let Some(reference) = &object.reference {
            return self.reference(owner, member, ref_name(reference), pointer);
        }
        if let Some((keyword, arms)) = arms_of(object) {
            if let Some((only, index)) = nullable_arms(arms) {
                let (ty, _) = self.ty(owner, member, only, &format!("{pointer}/{keyword}/{index}"))?;
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

    /// The type that a reference names. A definition that only adds null is no type
    /// of its own in Rust.
    fn reference(&mut self, owner: &str, member: &str, target: &str, pointer: &str) -> Result<(Type, bool)> {
        if let Some(Schema::Object(object)) = self.definitions.get(target)
            && let Some((keyword, arms)) = arms_of(object)
            && let Some((only, index)) = nullable_arms(arms)
        {
            if self.within.iter().any(|above| above == target) {
                return Err(unknown_shape(&format!("`{target}` is made of nothing but itself"), pointer));
            }
            self.within.push(target.to_owned());
            let ty = self.ty(owner, member, only, &format!("{}/{keyword}/{index}", self.places.of(target)));
            self.within.pop();
            return Ok((ty?.0, true));
        }
        Ok((Type::Named(target.to_owned()), false))
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
}

/// Combinations of schemas that would be read in part only.
fn readable(object: &SchemaObject, pointer: &str) -> Result<()> {
    let Some(subschemas) = &object.subschemas else { return Ok(()) };
    if subschemas.all_of.is_some() {
        return Err(unknown_shape("`allOf` of something else than one reference", pointer));
    }
    if subschemas.one_of.is_some() && subschemas.any_of.is_some() {
        return Err(unknown_shape("`oneOf` beside `anyOf`", pointer));
    }
    if object.reference.is_some() && arms_of(object).is_some() {
        return Err(unknown_shape("a reference beside a union", pointer));
    }
    Ok(())
}

/// A type with its null, where it is no member of an object.
fn nullable_type((ty, nullable): (Type, bool)) -> Type {
    if nullable { Type::Nullable(Box::new(ty)) } else { ty }
}

/// `anyOf [T, null]`: T, and where it stands.
fn nullable_arms(arms: &[Schema]) -> Option<(&Schema, usize)> {
    let is_null = |schema: &Schema| matches!(schema, Schema::Object(object) if is_type(object, InstanceType::Null));
    match arms {
        [one, null] if is_null(null) => Some((one, 0)),
        [null, one] if is_null(null) => Some((one, 1)),
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
