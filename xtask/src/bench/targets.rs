//! What the figures have to be, and what they are.
//!
//! Only ratios of one run are judged, and the dispatcher's microsecond: other times are
//! those of a machine.

use super::results::{BuildRow, Results, Usage};

/// A figure with its target.
pub struct Target {
    /// What it is about.
    pub what: &'static str,
    /// Ours, with its unit.
    pub ours: String,
    /// What it is compared with, and its figure.
    pub theirs: String,
    /// What was found, as the target has it.
    pub found: String,
    /// What it has to be.
    pub wanted: &'static str,
    pub met: bool,
}

/// How far a cost may rise with 10,000 pending before it no longer counts as flat.
const FLAT: f64 = 1.25;

/// All targets of which there are figures.
pub fn all(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    codec(results, &mut targets);
    builds(results, &mut targets);
    dispatch(results, &mut targets);
    targets
}

fn codec(results: &Results, targets: &mut Vec<Target>) {
    let corpus = |rows: &[super::results::CodecRow], other: &str| {
        let row = rows.iter().find(|row| row.what == "all messages of the server")?;
        Some((row.ns("codex-rpc")?, row.ns(other)?))
    };
    let mut push =
        |what, pair: Option<(f64, f64)>, other: &str, wanted, ratio: fn(f64, f64) -> f64, met: fn(f64) -> bool| {
            if let Some((ours, theirs)) = pair {
                targets.push(Target {
                    what,
                    ours: ns(ours),
                    theirs: format!("{other} {}", ns(theirs)),
                    found: format!("{:.2}", ratio(ours, theirs)),
                    wanted,
                    met: met(ratio(ours, theirs)),
                });
            }
        };
    if let Some(decode) = &results.decode {
        let what = "decode a message, line to typed";
        let of = |other| corpus(&decode.results.rows, other);
        push(
            what,
            of("codex-codes"),
            "codex-codes",
            "≥ 8 times as fast",
            |ours, theirs| theirs / ours,
            |ratio| ratio >= 8.0,
        );
        push(
            what,
            of("Value"),
            "`serde_json::Value`",
            "≤ 0.5 of its time",
            |ours, theirs| ours / theirs,
            |ratio| ratio <= 0.5,
        );
        push(
            what,
            of("IgnoredAny"),
            "`IgnoredAny`",
            "≤ 2.5 of its time",
            |ours, theirs| ours / theirs,
            |ratio| ratio <= 2.5,
        );
        push(what, of("derive"), "serde derive", "< 1 of its time", |ours, theirs| ours / theirs, |ratio| ratio < 1.0);
    }
    if let Some(encode) = &results.encode {
        let pair = corpus(&encode.results.rows, "derive");
        push(
            "encode a message",
            pair,
            "serde derive",
            "≤ 1 of its time",
            |ours, theirs| ours / theirs,
            |ratio| ratio <= 1.0,
        );
    }
}

fn builds(results: &Results, targets: &mut Vec<Target>) {
    let Some(builds) = &results.build else { return };
    let row = |what: &str| builds.results.rows.iter().find(|row| row.what == what);
    let mut push = |what, other: &str, of: fn(&BuildRow) -> Option<Usage>, wanted, most: f64| {
        let cpu = |name: &str| Some(of(row(name)?)?.cpu_seconds);
        if let (Some(ours), Some(theirs)) = (cpu("codex-rpc"), cpu(other)) {
            let ratio = ours / theirs;
            targets.push(Target {
                what,
                ours: format!("{ours:.1} CPU s"),
                theirs: format!("{other} {theirs:.1} CPU s"),
                found: format!("{ratio:.2}"),
                wanted,
                met: ratio <= most,
            });
        }
    };
    push("cold debug build", "codex-codes", |row| row.debug, "≤ 0.55 (22 where it takes 40)", 22.0 / 40.0);
    push("cold release build", "codex-codes", |row| row.release, "≤ 0.52 (40 where it takes 77)", 40.0 / 77.0);
    push("`cargo check` of the types", "derive", |row| row.check_alone, "≤ 0.33", 1.0 / 3.0);
}

fn dispatch(results: &Results, targets: &mut Vec<Target>) {
    let Some(dispatch) = &results.dispatch else { return };
    for (what, row) in [
        ("dispatch: line in to handler called, 10,000 pending", "tokio: line in to handler called"),
        ("dispatch: request to typed answer, 10,000 pending", "tokio: request to typed answer"),
    ] {
        let with = |pending| dispatch.results.rows.iter().find(|other| other.what == row && other.count == pending);
        let (Some(one), Some(many)) = (with(1), with(10_000)) else { continue };
        targets.push(Target {
            what,
            ours: ns(many.ns),
            theirs: format!("codec alone {}", ns(many.codec_ns)),
            found: format!("{} more", ns(many.overhead())),
            wanted: "< 1 µs more",
            met: many.overhead() < 1_000.0,
        });
        let rise = many.ns / one.ns;
        targets.push(Target {
            what,
            ours: ns(many.ns),
            theirs: format!("1 pending {}", ns(one.ns)),
            found: format!("{rise:.2}"),
            wanted: "flat: ≤ 1.25 of it",
            met: rise <= FLAT,
        });
    }
}

/// Nanoseconds, with commas.
pub fn ns(time: f64) -> String {
    format!("{} ns", number(time))
}

/// A whole number, with commas.
pub fn number(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::from(if number <= -0.5 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_at_the_thousands() {
        let numbers = [0.4, 999.0, 1_000.0, 35_796_956.2, -1_234.0, -0.2];
        assert_eq!(numbers.map(number), ["0", "999", "1,000", "35,796,956", "-1,234", "0"]);
    }
}
