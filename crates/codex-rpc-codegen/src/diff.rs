//! What differs between two releases, and what that means for users of the bindings.
//!
//! Models are compared, never JSON text: how upstream renders a type is no
//! difference. Every [`Change`] has a [`Direction`], by what the methods of either
//! release reach, and is judged twice:
//!
//! - **old bindings**: a program stays with the bindings of the old release and meets
//!   a server of the new one. What can fail is a decoding, or a request that the
//!   server refuses.
//! - **new bindings**: a program moves to the bindings of the new release, and meets
//!   a server of the new one. What can fail is its compilation.
//!
//! The [`Verdict`] of a change is the worse one. What new bindings mean to an old
//! server, the difference the other way round says.
//!
//! | change | old bindings | new bindings |
//! |---|---|---|
//! | method added | sent: nothing; received: tolerated (`Unrecognized`) | additive |
//! | method removed | sent: run time; received: tolerated (it never comes) | compilation |
//! | method now experimental | run time: needs `experimentalApi` | the same |
//! | method now stable; deprecated | additive | additive |
//! | params or response another type | run time, unless the same on the wire | compilation |
//! | params now required | sent: run time | compilation |
//! | params now optional | received: run time | compilation |
//! | type added | | additive |
//! | type removed | what named it says it | compilation |
//! | type of another shape | run time, unless the same on the wire | compilation |
//! | type no longer sent, with setters | | compilation: the setters are gone |
//! | field added, required, sent | run time | compilation: `new()` takes it |
//! | field added, else | received: tolerated (`extra`); sent: nothing | additive |
//! | field added beside a typed map | received, of another type: run time | additive |
//! | field removed | received and required: run time; sent to an object that takes no others: run time; else tolerated | compilation |
//! | field of another type | run time, unless the same on the wire | compilation |
//! | field now absent or null where it was not | received, and the old type has no place for it: run time | compilation if the Rust type or, of what is sent, `new()` is another; else tolerated |
//! | field now required | sent, and the old bindings may leave it out: run time | the same |
//! | default | tolerated; a new one is additive | tolerated |
//! | field, value or arm now experimental | sent, or required: run time; else tolerated | the same |
//! | value of an enum, arm of a union added | received: tolerated (`Unrecognized`); sent: nothing | additive |
//! | value or arm removed | sent: run time; received: tolerated (it never comes) | compilation |
//! | arm of an untagged union added | received: run time: there is no `Unrecognized` | compilation |
//! | tag of a union | run time | |
//! | which members belong together | run time, unless what was enough is enough | compilation |
//! | other members of an object | run time, if they have another type | compilation, if the Rust field is another |
//! | other values of a union | tolerated (`Unrecognized`) | additive |
//! | a box, a Rust name, an accessor of a union | | compilation |
//! | text | documentation | documentation |
//!
//! Two things are no reason for "compilation", because a program that wants to live
//! with more than one release does neither; the reason of the change says them:
//! a `match` that names every variant of an enum or a union and has no `_`, and
//! `new()` of what is only received, which only tests make. Types that no method
//! reaches are judged as Rust only.

mod fields;
mod methods;
mod render;
#[cfg(test)]
mod tests;
mod types;
mod wire;

use std::collections::BTreeSet;

use serde::Serialize;

pub use self::render::Detail;
use self::wire::Wire;
use crate::model::Protocol;
use crate::reach;

/// What differs between two releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Difference {
    /// The release that was.
    pub old: String,
    /// The release that is.
    pub new: String,
    /// How many changes there are of each verdict.
    pub counts: Counts,
    /// The changes: the worst first, then by kind and place.
    pub changes: Vec<Change>,
}

/// A number of changes for each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counts {
    /// Of [`Verdict::BreaksCompilation`].
    pub breaks_compilation: usize,
    /// Of [`Verdict::BreaksAtRuntime`].
    pub breaks_at_runtime: usize,
    /// Of [`Verdict::Tolerated`].
    pub tolerated: usize,
    /// Of [`Verdict::Additive`].
    pub additive: usize,
    /// Of [`Verdict::Documentation`].
    pub documentation: usize,
    /// Of those that break programs with the old bindings at run time, whatever their
    /// verdict.
    pub break_old_bindings: usize,
}

impl Counts {
    /// The number of a verdict.
    pub fn of(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::BreaksCompilation => self.breaks_compilation,
            Verdict::BreaksAtRuntime => self.breaks_at_runtime,
            Verdict::Tolerated => self.tolerated,
            Verdict::Additive => self.additive,
            Verdict::Documentation => self.documentation,
        }
    }
}

/// What a change means for a program. A later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Only texts differ.
    Documentation,
    /// There is more than before, and nothing else.
    Additive,
    /// Nothing fails: what is not known is preserved, what is gone is not missed.
    Tolerated,
    /// It compiles, and something fails or is refused when it runs.
    BreaksAtRuntime,
    /// It does not compile.
    BreaksCompilation,
}

impl Verdict {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] =
        [Self::BreaksCompilation, Self::BreaksAtRuntime, Self::Tolerated, Self::Additive, Self::Documentation];

    /// Whether a program has to change.
    pub fn is_breaking(self) -> bool {
        self >= Self::BreaksAtRuntime
    }
}

/// Which way a value travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// From the client to the server.
    Sent,
    /// From the server to the client.
    Received,
    /// Both ways.
    Both,
    /// No method of either release reaches it.
    Unreferenced,
}

impl Direction {
    /// Whether a client sends it.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Sent | Self::Both)
    }

    /// Whether a client receives it.
    pub fn is_received(self) -> bool {
        matches!(self, Self::Received | Self::Both)
    }

    fn new(sent: bool, received: bool) -> Self {
        match (sent, received) {
            (true, true) => Self::Both,
            (true, false) => Self::Sent,
            (false, true) => Self::Received,
            (false, false) => Self::Unreferenced,
        }
    }
}

/// What kind of thing changed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Kind {
    /// A method is gone.
    MethodRemoved,
    /// There is a new method.
    MethodAdded,
    /// A method takes another type.
    ParamsChanged,
    /// A method is answered with another type.
    ResponseChanged,
    /// A method no longer does without params.
    ParamsRequired,
    /// A method now does without params, too.
    ParamsOptional,
    /// A type is gone.
    TypeRemoved,
    /// There is a new type.
    TypeAdded,
    /// A type is of another shape: an object, an enum, a union.
    ShapeChanged,
    /// What a type stands for is another type.
    TypeChanged,
    /// A type is sent that was not, or no longer sent.
    DirectionChanged,
    /// A field is gone.
    FieldRemoved,
    /// There is a new field.
    FieldAdded,
    /// A field is of another type.
    FieldType,
    /// When a field is there, and when it is null.
    FieldPresence,
    /// What a field is when it is missing.
    FieldDefault,
    /// A value of an enum is gone.
    ValueRemoved,
    /// There is a new value of an enum.
    ValueAdded,
    /// An arm of a union is gone.
    ArmRemoved,
    /// There is a new arm of a union.
    ArmAdded,
    /// What an arm holds is of another type.
    ArmType,
    /// Another member tells the arms of a union apart.
    TagChanged,
    /// Which members have to be there together.
    ChoiceChanged,
    /// What becomes of members that are no fields.
    OtherMembers,
    /// Whether a union takes values that no arm is for.
    OtherValues,
    /// It left the stable part of the protocol.
    BecameExperimental,
    /// It is now in the stable part of the protocol.
    BecameStable,
    /// Upstream calls it deprecated now.
    Deprecated,
    /// Upstream no longer calls it deprecated.
    NoLongerDeprecated,
    /// It is or is no longer in a box.
    Boxing,
    /// Rust calls it otherwise.
    RustName,
    /// A method of a union that gave the field that all arms had.
    AccessorRemoved,
    /// What upstream says about it.
    Documentation,
}

/// What a change means from one of the two points of view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Effect {
    /// How bad it is.
    pub verdict: Verdict,
    /// Why, as the end of a sentence.
    pub reason: String,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Change {
    /// The worse of both effects.
    pub verdict: Verdict,
    /// What happened.
    pub kind: Kind,
    /// Where, by names of the wire: a method, `Type`, `Type.field`,
    /// `Type[value or arm]`, `Type[arm].field`, `Type[*].field` of all arms.
    pub place: String,
    /// What it was and is, in Rust's words; empty if the kind says it all.
    pub detail: String,
    /// Which way it travels.
    pub direction: Direction,
    /// What it means for a program with the old bindings that meets the new server.
    pub old_bindings: Option<Effect>,
    /// What it means for a program that moves to the new bindings.
    pub new_bindings: Option<Effect>,
}

impl Change {
    fn new(kind: Kind, place: impl Into<String>, direction: Direction) -> Self {
        let verdict = if kind == Kind::Documentation { Verdict::Documentation } else { Verdict::Additive };
        Self {
            verdict,
            kind,
            place: place.into(),
            detail: String::new(),
            direction,
            old_bindings: None,
            new_bindings: None,
        }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    fn old(mut self, verdict: Verdict, reason: impl Into<String>) -> Self {
        self.old_bindings = Some(Effect { verdict, reason: reason.into() });
        self.verdict = self.verdict.max(verdict);
        self
    }

    fn new_is(mut self, verdict: Verdict, reason: impl Into<String>) -> Self {
        self.new_bindings = Some(Effect { verdict, reason: reason.into() });
        self.verdict = self.verdict.max(verdict);
        self
    }

    fn both(self, verdict: Verdict, reason: &str) -> Self {
        self.old(verdict, reason).new_is(verdict, reason)
    }

    /// What fails on the wire.
    fn wire(self, wire: Wire, direction: Direction) -> Self {
        let refused = wire.sent_fails && direction.is_sent();
        let undecodable = wire.received_fails && direction.is_received();
        match (refused, undecodable) {
            (true, true) => self.old(
                Verdict::BreaksAtRuntime,
                "the server refuses some of what they send, and they fail to decode some of what it sends",
            ),
            (true, false) => self.old(Verdict::BreaksAtRuntime, "the server refuses some of what they send"),
            (false, true) => self.old(Verdict::BreaksAtRuntime, "they fail to decode some of what the server sends"),
            (false, false) if direction == Direction::Unreferenced => self,
            (false, false) => self.old(Verdict::Tolerated, "nothing fails on the wire"),
        }
    }

    /// The Rust type is written by hand: what becomes of it is a person's decision.
    fn by_hand(mut self) -> Self {
        let old = self.old_bindings.as_ref().map_or(Verdict::Additive, |effect| effect.verdict);
        self.verdict = old.max(Verdict::Tolerated);
        self.new_bindings = Some(Effect {
            verdict: Verdict::Tolerated,
            reason: "codex-rpc writes this type by hand: look at it".to_owned(),
        });
        self
    }
}

impl Difference {
    /// The worst verdict; none if nothing differs.
    pub fn worst(&self) -> Option<Verdict> {
        self.changes.iter().map(|change| change.verdict).max()
    }

    /// The changes of a verdict.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.verdict == verdict)
    }

    /// The same without those that only are documentation, which stay counted.
    #[must_use]
    pub fn without_documentation(mut self) -> Self {
        self.changes.retain(|change| change.verdict != Verdict::Documentation);
        self
    }
}

/// Compares two releases.
pub fn diff(old: &Protocol, new: &Protocol) -> Difference {
    let mut comparison = Comparison::new(old, new);
    comparison.methods();
    comparison.types();
    let mut changes = comparison.changes;
    changes.sort_by(|left, right| {
        right.verdict.cmp(&left.verdict).then_with(|| (left.kind, &left.place).cmp(&(right.kind, &right.place)))
    });
    let count = |verdict| changes.iter().filter(|change| change.verdict == verdict).count();
    let counts = Counts {
        breaks_compilation: count(Verdict::BreaksCompilation),
        breaks_at_runtime: count(Verdict::BreaksAtRuntime),
        tolerated: count(Verdict::Tolerated),
        additive: count(Verdict::Additive),
        documentation: count(Verdict::Documentation),
        break_old_bindings: changes
            .iter()
            .filter(|change| change.old_bindings.as_ref().is_some_and(|effect| effect.verdict.is_breaking()))
            .count(),
    };
    Difference { old: old.release.clone(), new: new.release.clone(), counts, changes }
}

/// A comparison under way.
struct Comparison<'a> {
    old: &'a Protocol,
    new: &'a Protocol,
    sent: BTreeSet<String>,
    received: BTreeSet<String>,
    changes: Vec<Change>,
}

/// Where a comparison stands.
#[derive(Clone)]
struct At {
    place: String,
    direction: Direction,
    by_hand: bool,
}

impl<'a> Comparison<'a> {
    fn new(old: &'a Protocol, new: &'a Protocol) -> Self {
        let [mut sent, mut received] = [BTreeSet::new(), BTreeSet::new()];
        for protocol in [old, new] {
            sent.extend(reach::sent(&protocol.definitions, &protocol.methods));
            received.extend(reach::received(&protocol.definitions, &protocol.methods));
        }
        Self { old, new, sent, received, changes: Vec::new() }
    }

    fn direction(&self, definition: &str) -> Direction {
        Direction::new(self.sent.contains(definition), self.received.contains(definition))
    }

    fn push(&mut self, at: &At, change: Change) {
        let by_hand = at.by_hand && change.kind != Kind::Documentation;
        self.changes.push(if by_hand { change.by_hand() } else { change });
    }

    fn documentation(&mut self, at: &At, old: Option<&str>, new: Option<&str>) {
        let text = |text: Option<&str>| text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let (old, new) = (text(old), text(new));
        if old != new {
            let detail = match (old.is_empty(), new.is_empty()) {
                (true, _) => "added",
                (_, true) => "removed",
                _ => "changed",
            };
            self.push(at, Change::new(Kind::Documentation, &at.place, at.direction).detail(detail));
        }
    }

    fn rust_name(&mut self, at: &At, old: &str, new: &str) {
        if old != new {
            let change = Change::new(Kind::RustName, &at.place, at.direction)
                .detail(format!("`{old}` → `{new}`"))
                .new_is(Verdict::BreaksCompilation, "the old name is gone");
            self.push(at, change);
        }
    }

    /// A mark of what only the experimental export has. `required` is whether the
    /// old bindings can't do without it.
    fn experimental(&mut self, at: &At, old: bool, new: bool, required: bool) {
        let change = |kind| Change::new(kind, &at.place, at.direction);
        let change = match (old, new) {
            (false, true) if at.direction.is_sent() => change(Kind::BecameExperimental)
                .both(Verdict::BreaksAtRuntime, "the server refuses it without `experimentalApi`"),
            (false, true) if required && at.direction.is_received() => change(Kind::BecameExperimental)
                .both(Verdict::BreaksAtRuntime, "without `experimentalApi` it may be missing, and decoding fails"),
            (false, true) => {
                change(Kind::BecameExperimental).both(Verdict::Tolerated, "without `experimentalApi` it may not come")
            }
            (true, false) => change(Kind::BecameStable).both(Verdict::Additive, "it no longer needs `experimentalApi`"),
            _ => return,
        };
        self.push(at, change);
    }
}

impl At {
    fn below(&self, step: &str) -> Self {
        Self { place: format!("{}{step}", self.place), ..self.clone() }
    }
}
