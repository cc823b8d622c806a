//! Side-by-side benchmarks; see the README beside this crate's manifest.

#![allow(clippy::cast_precision_loss, reason = "counts and times are far below 2^53")]

mod allocations;
mod contender;
mod corpus;
mod measure;
mod report;
mod responses;

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use codex_rpc_bench::options::Options;
use contender::{CodexCodes, Contender, Derived, DerivedRequests, Ignored, OurRequests, Ours, Untyped};
use corpus::{Kind, Line};
use measure::{Pass, compare, decoding, encoding};
use report::Report;
use responses::Answers;

const USAGE: &str = "usage: codex-rpc-bench decode|encode [--quick] [--json FILE]\n\
                     or:    codex-rpc-bench loop decode|encode CONTENDER PASSES";

/// What is measured.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Decode,
    Encode,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Encode => "encode",
        }
    }

    fn passes<'a>(self, lines: &'a [&'a Line]) -> Vec<Pass<'a>> {
        match self {
            Self::Decode => decoders(lines).into(),
            Self::Encode => encoders(lines).into(),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse()?;
    let arguments: Vec<&str> = options.rest.iter().map(String::as_str).collect();
    let part = match arguments[..] {
        ["loop", what, contender, passes] => return repeat(what, contender, passes.parse()?),
        ["decode"] => Part::Decode,
        ["encode"] => Part::Encode,
        _ => return Err(USAGE.into()),
    };
    let server = corpus::recorded("server")?;
    let common: Vec<&Line> = server.iter().filter(|line| all_read(line)).collect();
    let notifications: Vec<&Line> = common.iter().copied().filter(|line| line.kind == Kind::Notification).collect();
    let mut report = Report::new(&server, &common);
    let rounds = if options.quick { 7 } else { 31 };
    let run = |passes: &[Pass<'_>], messages: usize| compare(passes, messages, rounds, Duration::from_millis(8));

    report.table("all messages of the server", &common, run(&part.passes(&common), common.len()));
    report.table("notifications", &notifications, run(&part.passes(&notifications), notifications.len()));
    let sizes = if options.quick { &SIZES[..2] } else { &SIZES[..] };
    for (name, line) in sizes.iter().flat_map(made) {
        // A turn of the largest takes longer than all other rounds together.
        let rounds = if line.text.len() >= 1_000_000 { rounds.min(9) } else { rounds };
        let taken = compare(&part.passes(&[&line]), 1, rounds, Duration::from_millis(8));
        report.table(&name, &[&line], taken);
    }
    if part == Part::Decode {
        let answers = Answers::recorded()?;
        let results = answers.lines();
        report.table("results of responses, typed", &results, run(&answers.passes(), results.len()));
    } else {
        let client = corpus::recorded("client")?;
        let requests: Vec<&Line> = client
            .iter()
            .filter(|line| line.kind == Kind::Request)
            .filter(|line| OurRequests::decode(line).is_some() && DerivedRequests::decode(line).is_some())
            .collect();
        let passes = [
            encoding::<OurRequests>(&requests),
            encoding::<DerivedRequests>(&requests),
            encoding::<Untyped>(&requests),
        ];
        report.table("requests of the client", &requests, run(&passes, requests.len()));
    }
    let mut methods: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in &common {
        methods.entry(&line.method).or_default().push(line);
    }
    for (method, lines) in &methods {
        let (rounds, turn) = if options.quick { (3, 200) } else { (9, 500) };
        let taken = compare(&part.passes(lines), lines.len(), rounds, Duration::from_micros(turn));
        report.kind(method, lines, taken);
    }
    options.write(&report.json())
}

/// Sizes of made messages.
const SIZES: [(&str, usize); 4] = [("100 B", 100), ("10 KB", 10_000), ("1 MB", 1_000_000), ("10 MB", 10_000_000)];

/// Messages of a size; the smallest has no room for items.
fn made((name, bytes): &(&str, usize)) -> Vec<(String, Line)> {
    let mut made = vec![(format!("{name} of text"), corpus::text(*bytes))];
    if *bytes > 100 {
        made.push((format!("{name} of items"), corpus::items(*bytes)));
    }
    made
}

/// Whether all contenders can read a line, and know its method.
fn all_read(line: &Line) -> bool {
    Ours::decode(line).is_some() && Derived::decode(line).is_some() && CodexCodes::decode(line).is_some()
}

fn decoders<'a>(lines: &'a [&'a Line]) -> [Pass<'a>; 5] {
    [
        decoding::<Ours>(lines),
        decoding::<Derived>(lines),
        decoding::<Untyped>(lines),
        decoding::<Ignored>(lines),
        decoding::<CodexCodes>(lines),
    ]
}

fn encoders<'a>(lines: &[&Line]) -> [Pass<'a>; 4] {
    [encoding::<Ours>(lines), encoding::<Derived>(lines), encoding::<Untyped>(lines), encoding::<CodexCodes>(lines)]
}

/// Does one thing only, for `perf`.
fn repeat(what: &str, contender: &str, passes: usize) -> Result<(), Box<dyn Error>> {
    let server = corpus::recorded("server")?;
    let lines: Vec<&Line> =
        server.iter().filter(|line| line.kind == Kind::Notification && Derived::decode(line).is_some()).collect();
    let part = [Part::Decode, Part::Encode].into_iter().find(|part| part.name() == what).ok_or(USAGE)?;
    let choices = part.passes(&lines);
    let pass = choices.iter().find(|pass| pass.name == contender).ok_or(USAGE)?;
    for _ in 0..passes {
        (pass.run)();
    }
    println!("{} messages", passes * lines.len());
    Ok(())
}
