//! How large a type is in Rust, and where a box must stand.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Method, Presence, Protocol, Record, Rest, Shape, Type};

/// An arm of a union larger than this is boxed, so that the union stays small.
pub const LARGE_ARM: usize = 96;

/// Params of a message larger than this are boxed. It is more than for other
/// unions, because a message is moved a few times and then taken apart.
pub const LARGE_PARAMS: usize = 136;

/// Marks fields whose type contains itself without a list or map in between.
pub fn box_cycles(protocol: &mut Protocol) {
    let names: Vec<String> = protocol.definitions.keys().cloned().collect();
    for name in names {
        let inline: Vec<String> = inline_types(protocol, &name);
        let cyclic: BTreeSet<String> = inline.into_iter().filter(|target| reaches(protocol, target, &name)).collect();
        if cyclic.is_empty() {
            continue;
        }
        let Some(definition) = protocol.definitions.get_mut(&name) else { continue };
        for field in definition.records_mut().into_iter().flat_map(|record| &mut record.fields) {
            field.boxed = matches!(&field.ty, Type::Named(target) if cyclic.contains(target));
        }
    }
}

fn inline_types(protocol: &Protocol, name: &str) -> Vec<String> {
    let Some(definition) = protocol.definitions.get(name) else { return Vec::new() };
    let boxed: BTreeSet<&str> = definition
        .records()
        .iter()
        .flat_map(|(_, record)| &record.fields)
        .filter(|field| field.boxed)
        .filter_map(|field| field.ty.named())
        .collect();
    definition
        .types()
        .into_iter()
        .filter_map(|ty| match ty {
            Type::Named(name) if !boxed.contains(name.as_str()) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

fn reaches(protocol: &Protocol, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack = vec![from.to_owned()];
    while let Some(name) = stack.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name.clone()) {
            stack.extend(inline_types(protocol, &name));
        }
    }
    false
}

/// Estimates sizes in bytes on a 64-bit machine.
pub struct Sizes<'a> {
    protocol: &'a Protocol,
    known: BTreeMap<String, usize>,
}

impl<'a> Sizes<'a> {
    /// Nothing is estimated yet.
    pub fn new(protocol: &'a Protocol) -> Self {
        Self { protocol, known: BTreeMap::new() }
    }

    /// The size of a type.
    pub fn ty(&mut self, ty: &Type) -> usize {
        match ty {
            Type::Bool => 1,
            Type::Integer(name) => name[1..].parse::<usize>().unwrap_or(64) / 8,
            Type::Double => 8,
            Type::String | Type::List(_) | Type::Map(_) => 24,
            Type::Any => 32,
            Type::Nullable(inner) => self.ty(inner) + 8,
            Type::Named(name) => self.definition(name),
        }
    }

    /// The size of a record.
    pub fn record(&mut self, record: &Record) -> usize {
        let fields: usize = record
            .fields
            .iter()
            .map(|field| {
                let size = if field.boxed { 8 } else { self.ty(&field.ty) };
                let niche = !matches!(field.ty, Type::Integer(_) | Type::Double) || field.boxed;
                let wrapped = !matches!(field.presence, Presence::Required | Presence::Always);
                if wrapped && !niche { size.max(4) * 2 } else { size }
            })
            .sum();
        let rest = if matches!(record.rest, Rest::Entries { .. }) { 24 } else { 8 };
        (fields + rest).next_multiple_of(8)
    }

    /// Whether a union holds an arm with this record in a box.
    pub fn boxes_arm(&mut self, record: &Record) -> bool {
        self.record(record) > LARGE_ARM
    }

    /// Whether a method's variant holds its params in a box.
    pub fn boxes_params(&mut self, method: &Method) -> bool {
        !method.params_optional && method.params.as_ref().is_some_and(|name| self.definition(name) > LARGE_PARAMS)
    }

    /// The size of a definition.
    pub fn definition(&mut self, name: &str) -> usize {
        if let Some(size) = self.known.get(name) {
            return *size;
        }
        // A type on the way to itself stands behind a box.
        self.known.insert(name.to_owned(), 8);
        let Some(definition) = self.protocol.definitions.get(name) else { return 24 };
        let size = match &definition.shape {
            Shape::Record(record) => self.record(record),
            Shape::StringEnum(_) => 24,
            Shape::Tagged { arms, .. } => {
                let largest = arms.iter().map(|arm| self.record(&arm.record)).filter(|size| *size <= LARGE_ARM).max();
                largest.unwrap_or(0).max(48) + 8
            }
            Shape::External { keys, .. } => keys.iter().map(|arm| self.ty(&arm.ty)).max().unwrap_or(0).max(32) + 8,
            Shape::Untagged(arms) => arms.iter().map(|arm| self.ty(&arm.ty)).max().unwrap_or(0) + 8,
            Shape::Newtype(ty) | Shape::Nullable(ty) => self.ty(ty),
            Shape::Methods => 0,
        };
        self.known.insert(name.to_owned(), size);
        size
    }
}
