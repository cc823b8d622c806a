//! Methods.

use super::wire::{Wire, spelled};
use super::{At, Change, Comparison, Direction, Kind, Verdict};
use crate::layout::Sizes;
use crate::model::{Method, Side, Type};

/// Which way the params of a side's methods travel.
fn direction(side: Side) -> Direction {
    match side {
        Side::ClientRequest | Side::ClientNotification => Direction::Sent,
        Side::ServerRequest | Side::ServerNotification => Direction::Received,
    }
}

fn what(side: Side) -> &'static str {
    match side {
        Side::ClientRequest => "a request of the client",
        Side::ServerRequest => "a request of the server",
        Side::ServerNotification => "a notification of the server",
        Side::ClientNotification => "a notification of the client",
    }
}

fn find<'a>(methods: &'a [Method], wanted: &Method) -> Option<&'a Method> {
    methods.iter().find(|method| method.side == wanted.side && method.wire == wanted.wire)
}

impl Comparison<'_> {
    pub(super) fn methods(&mut self) {
        let (old, new) = (self.old, self.new);
        for method in old.methods.iter().filter(|method| find(&new.methods, method).is_none()) {
            self.method_removed(method);
        }
        let (mut old_sizes, mut new_sizes) = (Sizes::new(old), Sizes::new(new));
        for method in &new.methods {
            match find(&old.methods, method) {
                None => self.method_added(method),
                Some(before) => {
                    let at = at(method);
                    self.method(&at, before, method);
                    let boxed = (old_sizes.boxes_params(before), new_sizes.boxes_params(method));
                    let same = (&before.params, before.params_optional) == (&method.params, method.params_optional);
                    if same && boxed.0 != boxed.1 {
                        let of = method.side.definition();
                        self.boxing(&at, &format!("{of}::{}", method.rust), boxed.1);
                    }
                }
            }
        }
    }

    fn method_removed(&mut self, method: &Method) {
        let at = at(method);
        let change = Change::new(Kind::MethodRemoved, &at.place, at.direction)
            .detail(what(method.side))
            .new_is(Verdict::BreaksCompilation, "its marker, its variant and its call are gone");
        let change = if at.direction.is_sent() {
            change.old(Verdict::BreaksAtRuntime, "the server no longer knows it and answers with an error")
        } else {
            change.old(Verdict::Tolerated, "it never comes")
        };
        self.push(&at, change);
    }

    fn method_added(&mut self, method: &Method) {
        let at = at(method);
        let experimental = if method.experimental { ", experimental" } else { "" };
        let change = Change::new(Kind::MethodAdded, &at.place, at.direction)
            .detail(format!("{}{experimental}", what(method.side)))
            .new_is(Verdict::Additive, "there is a method more");
        let change = match method.side {
            Side::ServerRequest => {
                change.old(Verdict::Tolerated, "it comes as `Unrecognized` and has to be answered with an error")
            }
            Side::ServerNotification => change.old(Verdict::Tolerated, "it comes as `Unrecognized`"),
            Side::ClientRequest | Side::ClientNotification => change,
        };
        self.push(&at, change);
    }

    fn method(&mut self, at: &At, old: &Method, new: &Method) {
        let change = |kind| Change::new(kind, &at.place, at.direction);
        self.rust_name(at, &old.rust, &new.rust);
        if old.params == new.params {
            let detail = new.params.as_deref().map(|params| format!("`{params}`")).unwrap_or_default();
            match (old.params_optional, new.params_optional) {
                (true, false) => {
                    let required = change(Kind::ParamsRequired)
                        .detail(detail)
                        .new_is(Verdict::BreaksCompilation, "they are no longer an `Option`");
                    let required = if at.direction.is_sent() {
                        required.old(Verdict::BreaksAtRuntime, "the server refuses a message without them")
                    } else {
                        required
                    };
                    self.push(at, required);
                }
                (false, true) => {
                    let optional = change(Kind::ParamsOptional)
                        .detail(detail)
                        .new_is(Verdict::BreaksCompilation, "they are an `Option`");
                    let optional = if at.direction.is_received() {
                        optional.old(Verdict::BreaksAtRuntime, "a message without them can't be decoded")
                    } else {
                        optional
                    };
                    self.push(at, optional);
                }
                _ => {}
            }
        } else {
            let wire = match (&old.params, &new.params) {
                (Some(before), Some(after)) => {
                    self.wire(&params_type(before, old.params_optional), &params_type(after, new.params_optional))
                }
                // A method without params reads any and writes none.
                _ => Wire { sent_fails: !new.params_optional, received_fails: !old.params_optional },
            };
            let changed = change(Kind::ParamsChanged)
                .detail(format!("`{}` → `{}`", self.spelled_params(old, true), self.spelled_params(new, false)))
                .wire(wire, at.direction)
                .new_is(Verdict::BreaksCompilation, "it takes another type");
            self.push(at, changed);
        }
        if let (Some(before), Some(after)) = (&old.response, &new.response)
            && before != after
        {
            let direction = if at.direction.is_sent() { Direction::Received } else { Direction::Sent };
            let wire = self.wire(&Type::Named(before.clone()), &Type::Named(after.clone()));
            let changed = Change::new(Kind::ResponseChanged, &at.place, direction)
                .detail(format!("`{before}` → `{after}`"))
                .wire(wire, direction)
                .new_is(Verdict::BreaksCompilation, "it is answered with another type");
            self.push(at, changed);
        }
        self.method_marks(at, old, new);
        self.documentation(at, old.doc.as_deref(), new.doc.as_deref());
    }

    fn method_marks(&mut self, at: &At, old: &Method, new: &Method) {
        let change = |kind| Change::new(kind, &at.place, at.direction);
        match (old.experimental, new.experimental) {
            (false, true) if at.direction.is_sent() => self.push(
                at,
                change(Kind::BecameExperimental)
                    .both(Verdict::BreaksAtRuntime, "the server refuses it without `experimentalApi`"),
            ),
            (false, true) => self.push(
                at,
                change(Kind::BecameExperimental)
                    .both(Verdict::BreaksAtRuntime, "it comes only to a client with `experimentalApi`"),
            ),
            (true, false) => self
                .push(at, change(Kind::BecameStable).both(Verdict::Additive, "it no longer needs `experimentalApi`")),
            _ => {}
        }
        match (old.deprecated, new.deprecated) {
            (false, true) => {
                self.push(at, change(Kind::Deprecated).both(Verdict::Additive, "it still works, and may be gone soon"));
            }
            (true, false) => self.push(at, change(Kind::NoLongerDeprecated).both(Verdict::Additive, "it stays")),
            _ => {}
        }
    }

    fn spelled_params(&self, method: &Method, old: bool) -> String {
        let protocol = if old { self.old } else { self.new };
        match &method.params {
            None => "NoParams".to_owned(),
            Some(params) => spelled(protocol, &params_type(params, method.params_optional)),
        }
    }
}

fn at(method: &Method) -> At {
    At { place: method.wire.clone(), direction: direction(method.side), by_hand: false }
}

fn params_type(params: &str, optional: bool) -> Type {
    let named = Type::Named(params.to_owned());
    if optional { Type::Nullable(Box::new(named)) } else { named }
}
