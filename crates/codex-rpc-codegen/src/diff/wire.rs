//! Whether what one side writes is something that the other side reads.

use std::collections::BTreeSet;

use super::Comparison;
use crate::model::{Definition, EnumValue, Field, Presence, Protocol, Record, Rest, Shape, Type};

/// Which way something does not get through: from old bindings to the new server,
/// and back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wire {
    /// The server does not read what the bindings write.
    pub(super) sent_fails: bool,
    /// The bindings don't read what the server writes.
    pub(super) received_fails: bool,
}

impl Comparison<'_> {
    /// What becomes of a value whose type changed.
    pub(super) fn wire(&self, old: &Type, new: &Type) -> Wire {
        Wire {
            sent_fails: !Reading::by_server(self).ty(old, new),
            received_fails: !Reading::by_bindings(self).ty(new, old),
        }
    }

    /// What becomes of a value of a definition whose shape changed.
    pub(super) fn wire_of_definitions(&self, old: &Definition, new: &Definition) -> Wire {
        Wire {
            sent_fails: !Reading::by_server(self).shape(&old.shape, &new.shape),
            received_fails: !Reading::by_bindings(self).shape(&new.shape, &old.shape),
        }
    }
}

/// When a field of the same type does not get through.
pub(super) fn presence(old: &Field, new: &Field) -> Wire {
    Wire {
        sent_fails: (is_left_out(old) && new.presence.is_required())
            || (bindings_write_null(old) && !(new.nullable || may_be_null(new))),
        received_fails: (is_left_out(new) && old.presence.is_required()) || (may_be_null(new) && !may_be_null(old)),
    }
}

/// Whether a field that is empty is not written.
pub(super) fn is_left_out(field: &Field) -> bool {
    matches!(field.presence, Presence::Optional | Presence::Tristate)
}

fn may_be_null(field: &Field) -> bool {
    match field.presence {
        Presence::RequiredNullable | Presence::AlwaysNullable | Presence::Tristate => true,
        Presence::Required | Presence::Always => field.ty == Type::Any,
        Presence::Optional => field.nullable,
    }
}

/// The bindings leave out an optional field instead of writing null.
fn bindings_write_null(field: &Field) -> bool {
    field.presence != Presence::Optional && may_be_null(field)
}

struct Reading<'a> {
    writer: &'a Protocol,
    reader: &'a Protocol,
    /// Whether the reader are bindings, which keep what they don't know.
    bindings: bool,
    /// Pairs of definitions that are being compared.
    assumed: BTreeSet<(String, String)>,
}

impl<'a> Reading<'a> {
    fn by_server(comparison: &Comparison<'a>) -> Self {
        Self { writer: comparison.old, reader: comparison.new, bindings: false, assumed: BTreeSet::new() }
    }

    fn by_bindings(comparison: &Comparison<'a>) -> Self {
        Self { writer: comparison.new, reader: comparison.old, bindings: true, assumed: BTreeSet::new() }
    }

    fn ty(&mut self, written: &Type, read: &Type) -> bool {
        match (written, read) {
            (_, Type::Any)
            | (Type::Bool, Type::Bool)
            | (Type::String, Type::String)
            | (Type::Double | Type::Integer(_), Type::Double) => true,
            (Type::Integer(written), Type::Integer(read)) => fits(written, read),
            (Type::List(written), Type::List(read))
            | (Type::Map(written), Type::Map(read))
            | (Type::Nullable(written), Type::Nullable(read)) => self.ty(written, read),
            (written, Type::Nullable(read)) => self.ty(written, read),
            (Type::Named(written), Type::Named(read)) => self.named(written, read),
            (Type::Named(written), read) => match self.writer.definitions.get(written).map(|one| &one.shape) {
                Some(Shape::Newtype(inner)) => self.ty(&inner.clone(), read),
                Some(Shape::StringEnum(_)) => *read == Type::String,
                Some(Shape::Record(_)) => matches!(read, Type::Map(values) if **values == Type::Any),
                _ => false,
            },
            (written, Type::Named(read)) => match self.reader.definitions.get(read).map(|one| &one.shape) {
                Some(Shape::Newtype(inner)) => self.ty(written, &inner.clone()),
                Some(Shape::StringEnum(_)) => self.bindings && *written == Type::String,
                Some(Shape::Untagged(arms)) => {
                    arms.iter().map(|arm| arm.ty.clone()).collect::<Vec<_>>().iter().any(|arm| self.ty(written, arm))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// A definition that both have is compared where it stands.
    fn named(&mut self, written: &str, read: &str) -> bool {
        let (writer, reader) = (self.writer, self.reader);
        if written == read || !self.assumed.insert((written.to_owned(), read.to_owned())) {
            return true;
        }
        match (writer.definitions.get(written), reader.definitions.get(read)) {
            (Some(written), Some(read)) => self.shape(&written.shape, &read.shape),
            _ => false,
        }
    }

    fn shape(&mut self, written: &Shape, read: &Shape) -> bool {
        match (written, read) {
            (Shape::Newtype(written), Shape::Newtype(read)) | (Shape::Nullable(written), Shape::Nullable(read)) => {
                self.ty(written, read)
            }
            (Shape::StringEnum(_), Shape::Newtype(Type::String | Type::Any)) => true,
            (Shape::Newtype(Type::String), Shape::StringEnum(_)) => self.bindings,
            (Shape::StringEnum(written), Shape::StringEnum(read) | Shape::External { units: read, .. }) => {
                self.bindings || is_subset(written, read)
            }
            (Shape::External { units, keys, .. }, Shape::External { units: read, keys: read_keys, open }) => {
                (self.bindings || *open || is_subset(units, read))
                    && keys.iter().all(|key| match read_keys.iter().find(|other| other.wire == key.wire) {
                        Some(other) => self.ty(&key.ty, &other.ty),
                        None => self.bindings || *open,
                    })
            }
            (Shape::Tagged { tag, arms }, Shape::Tagged { tag: read_tag, arms: read }) => {
                tag == read_tag
                    && arms.iter().all(|arm| match read.iter().find(|other| other.wire == arm.wire) {
                        Some(other) => self.record(&arm.record, &other.record),
                        None => self.bindings,
                    })
            }
            (Shape::Untagged(arms), read) => arms.iter().all(|arm| self.type_as_shape(&arm.ty, read)),
            (written, Shape::Untagged(arms)) => arms.iter().any(|arm| self.shape_as_type(written, &arm.ty)),
            (Shape::Record(written), Shape::Record(read)) => self.record(written, read),
            _ => false,
        }
    }

    fn type_as_shape(&mut self, written: &Type, read: &Shape) -> bool {
        let writer = self.writer;
        if let Shape::Untagged(arms) = read {
            return arms.iter().any(|arm| self.ty(written, &arm.ty));
        }
        match (written, read) {
            (Type::Named(name), read) => {
                writer.definitions.get(name).is_some_and(|definition| self.shape(&definition.shape, read))
            }
            (written, Shape::Newtype(read)) => self.ty(written, read),
            (Type::String, Shape::StringEnum(_)) => self.bindings,
            _ => false,
        }
    }

    fn shape_as_type(&mut self, written: &Shape, read: &Type) -> bool {
        let reader = self.reader;
        match (written, read) {
            (_, Type::Any) | (Shape::StringEnum(_), Type::String) => true,
            (Shape::Newtype(written), read) => self.ty(written, read),
            (written, Type::Named(name)) => {
                reader.definitions.get(name).is_some_and(|definition| self.shape(written, &definition.shape))
            }
            _ => false,
        }
    }

    fn record(&mut self, written: &Record, read: &Record) -> bool {
        let find = |record: &Record, wire: &str| record.fields.iter().find(|field| field.wire == wire).cloned();
        let missing =
            read.fields.iter().any(|field| field.presence.is_required() && find(written, &field.wire).is_none());
        if missing || !(read.one_of.is_empty() || read.one_of == written.one_of) {
            return false;
        }
        let closed = read.closed && !self.bindings;
        written.fields.iter().all(|field| match find(read, &field.wire) {
            Some(other) => {
                let wire = if self.bindings { presence(&other, field) } else { presence(field, &other) };
                let fails = if self.bindings { wire.received_fails } else { wire.sent_fails };
                !fails && self.ty(&field.ty, &other.ty)
            }
            None => match &read.rest {
                Rest::Entries { ty, .. } => self.ty(&field.ty, ty),
                Rest::Unknown | Rest::Open => !closed,
            },
        })
    }
}

fn is_subset(written: &[EnumValue], read: &[EnumValue]) -> bool {
    written.iter().all(|value| read.iter().any(|other| other.wire == value.wire))
}

/// Whether every value of an integer type is one of another: `i32` of `i64`.
fn fits(written: &str, read: &str) -> bool {
    let parts = |name: &str| (name.starts_with('u'), name[1..].parse::<u32>().unwrap_or(64));
    let ((written_unsigned, written_bits), (read_unsigned, read_bits)) = (parts(written), parts(read));
    match (written_unsigned, read_unsigned) {
        (true, false) => written_bits < read_bits,
        (false, true) => false,
        _ => written_bits <= read_bits,
    }
}

/// A type as Rust writes it.
pub(super) fn spelled(protocol: &Protocol, ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Integer(name) => (*name).to_owned(),
        Type::Double => "f64".to_owned(),
        Type::String => "String".to_owned(),
        Type::Any => "Value".to_owned(),
        Type::List(inner) => format!("Vec<{}>", spelled(protocol, inner)),
        Type::Map(inner) => format!("BTreeMap<String, {}>", spelled(protocol, inner)),
        Type::Nullable(inner) => format!("Option<{}>", spelled(protocol, inner)),
        Type::Named(name) => {
            protocol.definitions.get(name).map_or_else(|| name.clone(), |definition| definition.rust.clone())
        }
    }
}
