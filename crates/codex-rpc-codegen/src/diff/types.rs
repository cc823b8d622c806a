//! Definitions: enums, unions, and the objects of [`super::fields`].

use std::collections::BTreeSet;

use super::wire::spelled;
use super::{At, Change, Comparison, Direction, Kind, Verdict};
use crate::emit::shared_fields;
use crate::layout::Sizes;
use crate::model::{Arm, Definition, EnumValue, KeyArm, Protocol, Shape, Type, UntaggedArm};

/// A definition that is a type of its own in Rust.
fn find<'a>(protocol: &'a Protocol, name: &str) -> Option<&'a Definition> {
    let definition = protocol.definitions.get(name)?;
    (!matches!(definition.shape, Shape::Methods | Shape::Nullable(_))).then_some(definition)
}

fn kind_of(shape: &Shape) -> &'static str {
    match shape {
        Shape::Record(_) => "an object",
        Shape::StringEnum(_) => "an enum of strings",
        Shape::Tagged { .. } => "a tagged union",
        Shape::External { .. } => "a union of strings and keyed objects",
        Shape::Untagged(_) => "an untagged union",
        Shape::Newtype(_) => "a type with a name",
        Shape::Nullable(_) => "a type or null",
        Shape::Methods => "a list of methods",
    }
}

impl Comparison<'_> {
    pub(super) fn types(&mut self) {
        let (old, new) = (self.old, self.new);
        let names: BTreeSet<&String> = old.definitions.keys().chain(new.definitions.keys()).collect();
        let mut sizes = (Sizes::new(old), Sizes::new(new));
        for name in names {
            let at = |by_hand| At { place: name.clone(), direction: self.direction(name), by_hand };
            match (find(old, name), find(new, name)) {
                (None, Some(definition)) => {
                    let at = at(definition.by_hand);
                    let experimental = if definition.experimental { ", experimental" } else { "" };
                    let change = Change::new(Kind::TypeAdded, name, at.direction)
                        .detail(format!("{}{experimental}", kind_of(&definition.shape)))
                        .new_is(Verdict::Additive, "there is a type more");
                    self.push(&at, change);
                }
                (Some(definition), None) => {
                    let at = at(definition.by_hand);
                    let change = Change::new(Kind::TypeRemoved, name, at.direction)
                        .detail(kind_of(&definition.shape))
                        .new_is(Verdict::BreaksCompilation, "the type is gone");
                    self.push(&at, change);
                }
                (Some(before), Some(after)) => {
                    let at = at(after.by_hand);
                    self.definition(&at, before, after, &mut sizes);
                }
                (None, None) => {}
            }
        }
    }

    fn definition(&mut self, at: &At, old: &Definition, new: &Definition, sizes: &mut (Sizes<'_>, Sizes<'_>)) {
        self.rust_name(at, &old.rust, &new.rust);
        match (&old.shape, &new.shape) {
            (Shape::Record(before), Shape::Record(after)) => self.record(at, before, after),
            (Shape::StringEnum(before), Shape::StringEnum(after)) => self.values(at, before, after),
            (Shape::Tagged { tag, arms }, Shape::Tagged { tag: new_tag, arms: new_arms }) => {
                if tag != new_tag {
                    let change = Change::new(Kind::TagChanged, &at.place, at.direction)
                        .detail(format!("`{tag}` → `{new_tag}`"))
                        .old(Verdict::BreaksAtRuntime, "they look for another member");
                    self.push(at, change);
                }
                self.tagged(at, arms, new_arms, sizes);
            }
            (
                Shape::External { units, keys, open },
                Shape::External { units: new_units, keys: new_keys, open: new_open },
            ) => {
                self.values(at, units, new_units);
                self.keys(at, keys, new_keys);
                self.openness(at, *open, *new_open);
            }
            (Shape::Untagged(before), Shape::Untagged(after)) => self.untagged(at, before, after),
            (Shape::Newtype(before), Shape::Newtype(after)) => self.ty(at, Kind::TypeChanged, before, after),
            (before, after) => {
                let wire = self.wire_of_definitions(old, new);
                let change = Change::new(Kind::ShapeChanged, &at.place, at.direction)
                    .detail(format!("{} → {}", kind_of(before), kind_of(after)))
                    .wire(wire, at.direction)
                    .new_is(Verdict::BreaksCompilation, "it is another kind of type");
                self.push(at, change);
            }
        }
        self.setters(at, old, new);
        if old.experimental != new.experimental {
            // Methods, fields, values and arms that name it say what it means.
            let kind = if new.experimental { Kind::BecameExperimental } else { Kind::BecameStable };
            let mut change = Change::new(kind, &at.place, at.direction);
            change.verdict = Verdict::Documentation;
            self.changes.push(change);
        }
        self.documentation(at, old.doc.as_deref(), new.doc.as_deref());
    }

    /// Objects that a client sends have a setter for each field that is not required.
    fn setters(&mut self, at: &At, old: &Definition, new: &Definition) {
        let has_setters = |definition: &Definition| {
            let records = definition.records();
            let mut fields = records.iter().flat_map(|(_, record)| &record.fields);
            fields.any(|field| !field.presence.is_required())
        };
        let change = |kind| Change::new(kind, &at.place, at.direction);
        match (old.input, new.input) {
            (true, false) if has_setters(old) => self.push(
                at,
                change(Kind::DirectionChanged)
                    .detail("it is no longer sent")
                    .new_is(Verdict::BreaksCompilation, "its setters are gone"),
            ),
            (false, true) if has_setters(new) => self.push(
                at,
                change(Kind::DirectionChanged).detail("it is sent, too").new_is(Verdict::Additive, "it has setters"),
            ),
            _ => {}
        }
    }

    /// A type that stands by itself.
    fn ty(&mut self, at: &At, kind: Kind, old: &Type, new: &Type) {
        if old != new {
            let wire = self.wire(old, new);
            let change = Change::new(kind, &at.place, at.direction)
                .detail(format!("`{}` → `{}`", spelled(self.old, old), spelled(self.new, new)))
                .wire(wire, at.direction)
                .new_is(Verdict::BreaksCompilation, "it holds another type");
            self.push(at, change);
        }
    }

    pub(super) fn boxing(&mut self, at: &At, variant: &str, boxed: bool) {
        let how = if boxed { "in a box now" } else { "no longer in a box" };
        let change = Change::new(Kind::Boxing, &at.place, at.direction)
            .detail(format!("`{variant}`"))
            .new_is(Verdict::BreaksCompilation, format!("what it holds is {how}"));
        self.push(at, change);
    }

    fn removed(&mut self, kind: Kind, at: &At, detail: &str) {
        let change = Change::new(kind, &at.place, at.direction)
            .detail(detail)
            .new_is(Verdict::BreaksCompilation, "the variant is gone");
        let change = match at.direction {
            Direction::Sent | Direction::Both => {
                change.old(Verdict::BreaksAtRuntime, "the server no longer knows it and refuses it")
            }
            Direction::Received => change.old(Verdict::Tolerated, "it never comes"),
            Direction::Unreferenced => change,
        };
        self.push(at, change);
    }

    fn added(&mut self, kind: Kind, at: &At, experimental: bool) {
        let change = Change::new(kind, &at.place, at.direction)
            .detail(if experimental { "experimental" } else { "" })
            .new_is(Verdict::Additive, "a variant more, for a `match` without `_`");
        let change = if at.direction.is_received() {
            change.old(Verdict::Tolerated, "it comes as `Unrecognized`")
        } else {
            change
        };
        self.push(at, change);
    }

    fn values(&mut self, at: &At, old: &[EnumValue], new: &[EnumValue]) {
        for value in old.iter().filter(|value| !new.iter().any(|other| other.wire == value.wire)) {
            self.removed(Kind::ValueRemoved, &at.below(&format!("[{}]", value.wire)), "");
        }
        for value in new {
            let at = at.below(&format!("[{}]", value.wire));
            match old.iter().find(|other| other.wire == value.wire) {
                None => self.added(Kind::ValueAdded, &at, value.experimental),
                Some(before) => {
                    self.rust_name(&at, &before.rust, &value.rust);
                    self.experimental(&at, before.experimental, value.experimental, false);
                    self.documentation(&at, before.doc.as_deref(), value.doc.as_deref());
                }
            }
        }
    }

    fn keys(&mut self, at: &At, old: &[KeyArm], new: &[KeyArm]) {
        for arm in old.iter().filter(|arm| !new.iter().any(|other| other.wire == arm.wire)) {
            self.removed(Kind::ArmRemoved, &at.below(&format!("[{}]", arm.wire)), "");
        }
        for arm in new {
            let at = at.below(&format!("[{}]", arm.wire));
            match old.iter().find(|other| other.wire == arm.wire) {
                None => self.added(Kind::ArmAdded, &at, arm.experimental),
                Some(before) => {
                    self.rust_name(&at, &before.variant, &arm.variant);
                    self.ty(&at, Kind::ArmType, &before.ty, &arm.ty);
                    self.experimental(&at, before.experimental, arm.experimental, false);
                    self.documentation(&at, before.doc.as_deref(), arm.doc.as_deref());
                }
            }
        }
    }

    fn tagged(&mut self, at: &At, old: &[Arm], new: &[Arm], sizes: &mut (Sizes<'_>, Sizes<'_>)) {
        for arm in old.iter().filter(|arm| !new.iter().any(|other| other.wire == arm.wire)) {
            self.removed(Kind::ArmRemoved, &at.below(&format!("[{}]", arm.wire)), "");
        }
        let first = self.changes.len();
        let mut common = 0;
        for arm in new {
            let inside = at.below(&format!("[{}]", arm.wire));
            match old.iter().find(|other| other.wire == arm.wire) {
                None => self.added(Kind::ArmAdded, &inside, arm.experimental),
                Some(before) => {
                    common += 1;
                    self.rust_name(&inside, &before.variant, &arm.variant);
                    self.rust_name(&inside, &before.rust, &arm.rust);
                    self.record(&inside, &before.record, &arm.record);
                    let boxed = (sizes.0.boxes_arm(&before.record), sizes.1.boxes_arm(&arm.record));
                    if boxed.0 != boxed.1 {
                        self.boxing(&inside, &format!("{}::{}", at.place, arm.variant), boxed.1);
                    }
                    self.experimental(&inside, before.experimental, arm.experimental, false);
                    self.documentation(&inside, before.doc.as_deref(), arm.doc.as_deref());
                }
            }
        }
        self.merge_arms(at, first, common);
        let shared = shared_fields(new);
        for field in shared_fields(old).into_iter().filter(|field| !shared.iter().any(|other| other.rust == field.rust))
        {
            let change = Change::new(Kind::AccessorRemoved, &at.place, at.direction)
                .detail(format!("`{}()`", field.rust))
                .new_is(Verdict::BreaksCompilation, "not all arms have the field alike");
            self.push(at, change);
        }
    }

    /// A field that changed alike in all arms is one change: upstream wrote it once.
    fn merge_arms(&mut self, at: &At, first: usize, arms: usize) {
        let of_arms = self.changes.split_off(first);
        let in_every_arm = |change: &Change| {
            let inside = change.place.strip_prefix(&format!("{}[", at.place))?;
            let (_, field) = inside.split_once("].")?;
            Some(Change { place: format!("{}[*].{field}", at.place), ..change.clone() })
        };
        let merged: Vec<Option<Change>> = of_arms.iter().map(in_every_arm).collect();
        for (change, general) in of_arms.into_iter().zip(&merged) {
            let alike = merged.iter().filter(|other| other.is_some() && *other == general).count();
            match general {
                Some(general) if arms > 1 && alike == arms => {
                    if !self.changes[first..].contains(general) {
                        self.changes.push(general.clone());
                    }
                }
                _ => self.changes.push(change),
            }
        }
    }

    /// Whether upstream itself allows any other value.
    fn openness(&mut self, at: &At, old: bool, new: bool) {
        let change = Change::new(Kind::OtherValues, &at.place, at.direction);
        let change = match (old, new) {
            (false, true) => change
                .detail("none → any")
                .old(Verdict::Tolerated, "they come as `Unrecognized`")
                .new_is(Verdict::Additive, "they come as `Unrecognized`"),
            (true, false) => change.detail("any → none").old(Verdict::Tolerated, "only known ones come"),
            _ => return,
        };
        self.push(at, change);
    }

    /// What no arm fits is an error: these unions have no `Unrecognized`.
    fn untagged(&mut self, at: &At, old: &[UntaggedArm], new: &[UntaggedArm]) {
        let find = |arms: &[UntaggedArm], wanted: &UntaggedArm| {
            let found = arms.iter().find(|arm| arm.variant == wanted.variant);
            found.or_else(|| arms.iter().find(|arm| arm.ty == wanted.ty)).cloned()
        };
        for arm in old.iter().filter(|arm| find(new, arm).is_none()) {
            let detail = format!("`{}`", spelled(self.old, &arm.ty));
            self.removed(Kind::ArmRemoved, &at.below(&format!("[{}]", arm.variant)), &detail);
        }
        for arm in new {
            let inside = at.below(&format!("[{}]", arm.variant));
            if let Some(before) = find(old, arm) {
                self.rust_name(&inside, &before.variant, &arm.variant);
                self.ty(&inside, Kind::ArmType, &before.ty, &arm.ty);
                self.documentation(&inside, before.doc.as_deref(), arm.doc.as_deref());
            } else {
                let change = Change::new(Kind::ArmAdded, &inside.place, at.direction)
                    .detail(format!("`{}`", spelled(self.new, &arm.ty)))
                    .new_is(Verdict::BreaksCompilation, "a `match` has no `Unrecognized` to catch it");
                let change = if at.direction.is_received() {
                    change.old(Verdict::BreaksAtRuntime, "decoding fails: the union has no `Unrecognized`")
                } else {
                    change
                };
                self.push(&inside, change);
            }
        }
    }
}
