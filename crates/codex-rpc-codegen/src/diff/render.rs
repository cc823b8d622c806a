//! A difference as text and as Markdown.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Change, Counts, Difference, Direction, Effect, Kind, Verdict};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What breaks, and how many changes there are.
    Breaking,
    /// Everything but documentation.
    Normal,
    /// Everything.
    All,
}

impl Detail {
    fn tells(self, verdict: Verdict) -> bool {
        match self {
            Self::Breaking => verdict.is_breaking(),
            Self::Normal => verdict != Verdict::Documentation,
            Self::All => true,
        }
    }
}

impl Difference {
    /// The difference for a terminal, one line a change. The styles are ANSI escapes,
    /// for a stream that knows what to do with them.
    pub fn text(&self, detail: Detail, styled: bool) -> String {
        let style = |style: Style| if styled { style } else { Style::new() };
        let bold = style(Style::new().bold());
        let mut text = String::new();
        if self.changes.is_empty() && self.counts == Counts::default() {
            let _ = writeln!(text, "{}", self.nothing());
            return text;
        }
        let _ = writeln!(text, "{bold}Changes from {} to {}{bold:#}", self.old, self.new);
        for verdict in Verdict::ALL.into_iter().filter(|verdict| detail.tells(*verdict)) {
            let count = self.counts.of(verdict);
            if count == 0 {
                continue;
            }
            let colour = style(colour(verdict));
            let _ = writeln!(text, "\n{colour}{}{colour:#} ({count})", heading(verdict));
            for change in self.of(verdict) {
                let told = told(change, "");
                let _ = writeln!(
                    text,
                    "  {} {bold}{}{bold:#}{} ({}){}",
                    label(change.kind),
                    change.place,
                    told.detail,
                    direction(change.direction),
                    told.reasons
                );
            }
        }
        let _ = writeln!(text, "\n{}", self.summary());
        text
    }

    /// The difference for release notes: a list for each verdict.
    pub fn markdown(&self, detail: Detail) -> String {
        let mut text = String::new();
        if self.counts == Counts::default() {
            let _ = writeln!(text, "{}", self.nothing());
            return text;
        }
        let _ = writeln!(text, "## Changes from codex {} to {}\n\n{}", self.old, self.new, self.summary());
        for verdict in Verdict::ALL.into_iter().filter(|verdict| detail.tells(*verdict)) {
            let count = self.counts.of(verdict);
            if count == 0 {
                continue;
            }
            let _ = writeln!(text, "\n### {} ({count})\n", heading(verdict));
            for change in self.of(verdict) {
                let told = told(change, "`");
                let _ = writeln!(
                    text,
                    "- {} `{}`{} ({}){}",
                    label(change.kind),
                    change.place,
                    told.detail,
                    direction(change.direction),
                    told.reasons
                );
            }
        }
        text
    }

    /// How many changes there are of each verdict, in one line.
    pub fn summary(&self) -> String {
        let counted: Vec<String> = Verdict::ALL
            .into_iter()
            .filter(|verdict| self.counts.of(*verdict) > 0)
            .map(|verdict| {
                let count = self.counts.of(verdict);
                match (verdict, count) {
                    (Verdict::BreaksCompilation, 1) => "1 breaks compilation".to_owned(),
                    (Verdict::BreaksCompilation, _) => format!("{count} break compilation"),
                    (Verdict::BreaksAtRuntime, 1) => "1 breaks at run time".to_owned(),
                    (Verdict::BreaksAtRuntime, _) => format!("{count} break at run time"),
                    (Verdict::Tolerated, _) => format!("{count} tolerated"),
                    (Verdict::Additive, _) => format!("{count} additive"),
                    (Verdict::Documentation, _) => format!("{count} only documentation"),
                }
            })
            .collect();
        let all: usize = Verdict::ALL.into_iter().map(|verdict| self.counts.of(verdict)).sum();
        let changes = if all == 1 { "1 change" } else { &format!("{all} changes") };
        let old = match self.counts.break_old_bindings {
            0 => String::new(),
            1 => " 1 of them breaks old bindings at run time.".to_owned(),
            count => format!(" {count} of them break old bindings at run time."),
        };
        format!("{changes}: {}.{old}", counted.join(", "))
    }

    fn nothing(&self) -> String {
        if self.old == self.new {
            format!("No method or type differs from {}.", self.old)
        } else {
            format!("No method or type differs between {} and {}.", self.old, self.new)
        }
    }
}

struct Told {
    detail: String,
    reasons: String,
}

/// What is told of a change, the detail with or without its code marks.
fn told(change: &Change, code: &str) -> Told {
    let detail = match change.detail.as_str() {
        "" => String::new(),
        detail => format!(": {}", detail.replace('`', code)),
    };
    let reasons = match (&change.old_bindings, &change.new_bindings) {
        (None, None) => String::new(),
        (Some(old), Some(new)) if old == new => format!(" — old and new bindings: {}", reason(old, code)),
        (Some(old), Some(new)) if old.verdict > new.verdict => {
            format!(" — old bindings: {}; new bindings: {}", reason(old, code), reason(new, code))
        }
        (Some(old), Some(new)) => {
            format!(" — new bindings: {}; old bindings: {}", reason(new, code), reason(old, code))
        }
        (Some(old), None) => format!(" — old bindings: {}", reason(old, code)),
        (None, Some(new)) => format!(" — new bindings: {}", reason(new, code)),
    };
    Told { detail, reasons }
}

fn reason(effect: &Effect, code: &str) -> String {
    effect.reason.replace('`', code)
}

fn colour(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::BreaksCompilation => AnsiColor::Red,
        Verdict::BreaksAtRuntime => AnsiColor::Magenta,
        Verdict::Tolerated => AnsiColor::Yellow,
        Verdict::Additive => AnsiColor::Green,
        Verdict::Documentation => AnsiColor::Cyan,
    };
    colour.on_default().bold()
}

fn heading(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::BreaksCompilation => "Breaks compilation",
        Verdict::BreaksAtRuntime => "Breaks at run time",
        Verdict::Tolerated => "Tolerated",
        Verdict::Additive => "Additive",
        Verdict::Documentation => "Documentation",
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
        Direction::Both => "sent and received",
        Direction::Unreferenced => "no method names it",
    }
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::MethodRemoved => "method removed",
        Kind::MethodAdded => "method added",
        Kind::ParamsChanged => "params of another type",
        Kind::ResponseChanged => "response of another type",
        Kind::ParamsRequired => "params now required",
        Kind::ParamsOptional => "params now optional",
        Kind::TypeRemoved => "type removed",
        Kind::TypeAdded => "type added",
        Kind::ShapeChanged => "another shape",
        Kind::TypeChanged => "another type",
        Kind::DirectionChanged => "direction changed",
        Kind::FieldRemoved => "field removed",
        Kind::FieldAdded => "field added",
        Kind::FieldType => "field of another type",
        Kind::FieldPresence => "presence changed",
        Kind::FieldDefault => "default changed",
        Kind::ValueRemoved => "value removed",
        Kind::ValueAdded => "value added",
        Kind::ArmRemoved => "arm removed",
        Kind::ArmAdded => "arm added",
        Kind::ArmType => "arm of another type",
        Kind::TagChanged => "tag changed",
        Kind::ChoiceChanged => "members that belong together",
        Kind::OtherMembers => "other members",
        Kind::OtherValues => "other values",
        Kind::BecameExperimental => "now experimental",
        Kind::BecameStable => "now stable",
        Kind::Deprecated => "now deprecated",
        Kind::NoLongerDeprecated => "no longer deprecated",
        Kind::Boxing => "boxing changed",
        Kind::RustName => "renamed in Rust",
        Kind::AccessorRemoved => "accessor removed",
        Kind::Documentation => "text",
    }
}
