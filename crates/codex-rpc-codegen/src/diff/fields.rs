//! Objects and their fields.

use serde_json::Value;

use super::wire::{Wire, is_left_out, presence, spelled};
use super::{At, Change, Comparison, Direction, Kind, Verdict};
use crate::model::{Field, Presence, Protocol, Record, Rest, Type};

const TESTS_ONLY: &str = "`new()` is another, for tests that make what only the server sends";

/// How a field's type is wrapped in Rust.
fn wrapper(field: &Field) -> &'static str {
    match field.presence {
        Presence::Required | Presence::Always => "",
        Presence::RequiredNullable | Presence::AlwaysNullable if field.ty == Type::Any => "",
        Presence::RequiredNullable | Presence::AlwaysNullable | Presence::Optional => "Option",
        Presence::Tristate => "Tristate",
    }
}

/// A field's type as Rust writes it.
fn rust_type(protocol: &Protocol, field: &Field) -> String {
    let ty = spelled(protocol, &field.ty);
    let ty = if field.boxed { format!("Box<{ty}>") } else { ty };
    match wrapper(field) {
        "" => ty,
        wrapper => format!("{wrapper}<{ty}>"),
    }
}

fn described(presence: Presence, nullable: bool) -> &'static str {
    match presence {
        Presence::Required => "required",
        Presence::RequiredNullable => "required or null",
        Presence::Always => "always written, else its default",
        Presence::AlwaysNullable => "always written, null if empty",
        Presence::Optional if nullable => "left out if empty",
        Presence::Optional => "left out if empty, never null",
        Presence::Tristate => "absent, null or a value",
    }
}

/// A default that says something: that null is the default of what may be null does not.
fn default(field: &Field) -> Option<&Value> {
    field.default.as_ref().filter(|value| !value.is_null())
}

impl Comparison<'_> {
    pub(super) fn record(&mut self, at: &At, old: &Record, new: &Record) {
        for field in &old.fields {
            if !new.fields.iter().any(|other| other.wire == field.wire) {
                self.field_removed(&at.below(&format!(".{}", field.wire)), field, new);
            }
        }
        for field in &new.fields {
            let inside = at.below(&format!(".{}", field.wire));
            match old.fields.iter().find(|other| other.wire == field.wire) {
                Some(before) => self.field(&inside, before, field),
                None => self.field_added(&inside, field, old),
            }
        }
        self.other_members(at, old, new);
        if old.one_of != new.one_of {
            self.choice(at, old, new);
        }
    }

    fn field_removed(&mut self, at: &At, field: &Field, new: &Record) {
        let change = Change::new(Kind::FieldRemoved, &at.place, at.direction)
            .detail(format!("`{}`", rust_type(self.old, field)))
            .new_is(Verdict::BreaksCompilation, "the field is gone");
        let change = match at.direction {
            Direction::Received | Direction::Both if field.presence.is_required() => {
                change.old(Verdict::BreaksAtRuntime, "decoding fails without it")
            }
            Direction::Sent | Direction::Both if new.closed => {
                change.old(Verdict::BreaksAtRuntime, "the server refuses members that it does not know")
            }
            Direction::Sent => change.old(Verdict::Tolerated, "the server ignores it"),
            Direction::Received | Direction::Both => change.old(Verdict::Tolerated, "it is read as missing"),
            Direction::Unreferenced => change,
        };
        self.push(at, change);
    }

    fn field_added(&mut self, at: &At, field: &Field, old: &Record) {
        let required = field.presence.is_required();
        let mut detail = format!("`{}`", rust_type(self.new, field));
        for (is, mark) in [(required, ", required"), (field.experimental, ", experimental")] {
            detail.push_str(if is { mark } else { "" });
        }
        let change = Change::new(Kind::FieldAdded, &at.place, at.direction).detail(detail);
        let change = match at.direction {
            Direction::Sent | Direction::Both if required => change
                .old(Verdict::BreaksAtRuntime, "the server refuses an object without it")
                .new_is(Verdict::BreaksCompilation, "`new()` takes it"),
            Direction::Received | Direction::Unreferenced if required => change.new_is(Verdict::Additive, TESTS_ONLY),
            _ => change.new_is(Verdict::Additive, "there is a field more"),
        };
        let change = match &old.rest {
            Rest::Entries { ty, .. } if at.direction.is_received() => {
                let wire = self.wire(ty, &field.ty);
                change.wire(wire, Direction::Received)
            }
            _ if at.direction.is_received() && change.old_bindings.is_none() => {
                change.old(Verdict::Tolerated, "it is kept in `extra`")
            }
            _ => change,
        };
        self.push(at, change);
    }

    fn field(&mut self, at: &At, old: &Field, new: &Field) {
        self.rust_name(at, &old.rust, &new.rust);
        if old.ty != new.ty || old.boxed != new.boxed {
            let wire = self.wire(&old.ty, &new.ty);
            let kind = if old.ty == new.ty { Kind::Boxing } else { Kind::FieldType };
            let change = Change::new(kind, &at.place, at.direction)
                .detail(format!("`{}` → `{}`", rust_type(self.old, old), rust_type(self.new, new)))
                .wire(wire, at.direction)
                .new_is(Verdict::BreaksCompilation, "it is of another type");
            self.push(at, change);
        }
        // Any JSON may be null, whatever is said.
        let nullable = old.nullable != new.nullable && old.ty == new.ty && new.presence == Presence::Optional;
        if old.presence != new.presence || nullable {
            self.presence(at, old, new);
        }
        // That it has a default is what makes it one that is always written.
        let told = old.presence != new.presence && (default(old).is_none() || default(new).is_none());
        if default(old) != default(new) && !told {
            self.default(at, default(old), default(new));
        }
        self.experimental(at, old.experimental, new.experimental, old.presence.is_required());
        self.documentation(at, old.doc.as_deref(), new.doc.as_deref());
    }

    fn presence(&mut self, at: &At, old: &Field, new: &Field) {
        let change = Change::new(Kind::FieldPresence, &at.place, at.direction)
            .detail(format!("{} → {}", described(old.presence, old.nullable), described(new.presence, new.nullable)))
            .wire(presence(old, new), at.direction);
        let in_new = (old.presence.is_required(), new.presence.is_required());
        let (before, after) = (wrapper(old), wrapper(new));
        let change = if before != after && old.ty == new.ty {
            let reason = format!("it is `{}`, not `{}`", rust_type(self.new, new), rust_type(self.old, old));
            change.new_is(Verdict::BreaksCompilation, reason)
        } else if in_new.0 == in_new.1 {
            change
        } else if at.direction.is_sent() {
            let reason = if in_new.1 { "`new()` takes it" } else { "`new()` no longer takes it" };
            change.new_is(Verdict::BreaksCompilation, reason)
        } else {
            change.new_is(Verdict::Tolerated, TESTS_ONLY)
        };
        let change = match (&change.old_bindings, &change.new_bindings) {
            (None, None) => change.old(Verdict::Tolerated, "both forms are read"),
            _ => change,
        };
        self.push(at, change);
    }

    fn default(&mut self, at: &At, old: Option<&Value>, new: Option<&Value>) {
        let told = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
        let change =
            Change::new(Kind::FieldDefault, &at.place, at.direction).detail(format!("{} → {}", told(old), told(new)));
        let verdict = if old.is_none() { Verdict::Additive } else { Verdict::Tolerated };
        self.push(at, change.both(verdict, "a missing one means something else"));
    }

    fn other_members(&mut self, at: &At, old: &Record, new: &Record) {
        let described = |protocol: &Protocol, record: &Record| match &record.rest {
            Rest::Unknown if record.closed => "none".to_owned(),
            Rest::Unknown => "unknown".to_owned(),
            Rest::Open => "any".to_owned(),
            Rest::Entries { ty, .. } => format!("`{}`", spelled(protocol, ty)),
        };
        let (before, after) = (described(self.old, old), described(self.new, new));
        let change = Change::new(Kind::OtherMembers, &at.place, at.direction).detail(format!("{before} → {after}"));
        let change = match (&old.rest, &new.rest) {
            (Rest::Entries { rust, ty }, Rest::Entries { rust: new_rust, ty: new_ty }) => {
                if (rust, ty) == (new_rust, new_ty) {
                    return;
                }
                let wire = self.wire(ty, new_ty);
                change.wire(wire, at.direction).new_is(Verdict::BreaksCompilation, "the field with them is another")
            }
            (Rest::Entries { .. }, _) | (_, Rest::Entries { .. }) => {
                change.new_is(Verdict::BreaksCompilation, "the field with them is another")
            }
            _ if before == after => return,
            _ if new.closed && at.direction.is_sent() => {
                change.old(Verdict::Tolerated, "the server refuses other members")
            }
            _ => change.old(Verdict::Tolerated, "they are kept as before"),
        };
        self.push(at, change);
    }

    /// Sets of members of which one has to be there; no set demands nothing.
    fn choice(&mut self, at: &At, old: &Record, new: &Record) {
        let enough = |written: &Record, read: &Record| {
            let always = |name: &String| {
                let mut fields = written.fields.iter();
                fields.any(|field| field.wire == *name && !is_left_out(field))
            };
            let fits = |set: &[String]| {
                read.one_of.iter().any(|wanted| wanted.iter().all(|name| set.contains(name) || always(name)))
            };
            match written.one_of.as_slice() {
                _ if read.one_of.is_empty() => true,
                [] => fits(&[]),
                sets => sets.iter().all(|set| fits(set)),
            }
        };
        let told = |sets: &[Vec<String>]| {
            let sets: Vec<String> = sets.iter().map(|set| format!("`{}`", set.join("` and `"))).collect();
            if sets.is_empty() { "none".to_owned() } else { sets.join(" or ") }
        };
        let wire = Wire { sent_fails: !enough(old, new), received_fails: !enough(new, old) };
        let change = Change::new(Kind::ChoiceChanged, &at.place, at.direction)
            .detail(format!("{} → {}", told(&old.one_of), told(&new.one_of)))
            .wire(wire, at.direction)
            .new_is(Verdict::BreaksCompilation, "its constructors are others");
        self.push(at, change);
    }
}
