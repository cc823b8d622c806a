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
use std::{env, fs};

use contender::{CodexCodes, Contender, Derived, DerivedRequests, Ignored, OurRequests, Ours, Untyped};
use corpus::{Kind, Line};
use measure::{Pass, Taken, compare, decoding, encoding};
use report::Report;
use responses::Answers;

const USAGE: &str = "usage: codex-rpc-bench [--brief | --kinds] [--json FILE] | loop decode|encode CONTENDER PASSES";

/// How much is measured.
#[derive(PartialEq)]
enum Extent {
    Corpus,
    Sizes,
    Kinds,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["loop", what, contender, passes] = arguments[..] {
        return repeat(what, contender, passes.parse()?);
    }
    let (extent, rest) = match &arguments[..] {
        ["--brief", rest @ ..] => (Extent::Corpus, rest),
        ["--kinds", rest @ ..] => (Extent::Kinds, rest),
        rest => (Extent::Sizes, rest),
    };
    let json = match rest {
        [] => None,
        ["--json", file] => Some(file),
        _ => return Err(USAGE.into()),
    };

    let server = corpus::recorded("server")?;
    let common: Vec<&Line> = server.iter().filter(|line| all_read(line)).collect();
    let notifications: Vec<&Line> = common.iter().copied().filter(|line| line.kind == Kind::Notification).collect();
    let made = if extent == Extent::Corpus { Vec::new() } else { made() };
    let mut report = Report::new(&server, &common);

    report.table("decode: all messages of the server", &common, decode(&common));
    report.table("decode: notifications", &notifications, decode(&notifications));
    for (name, line) in &made {
        report.table(&format!("decode: {name}"), &[line], decode(&[line]));
    }
    let answers = Answers::recorded()?;
    let results = answers.lines();
    report.table("decode: results of responses, typed", &results, run(&answers.passes(), results.len()));
    report.table("encode: all messages of the server", &common, encode(&common));
    report.table("encode: notifications", &notifications, encode(&notifications));
    for (name, line) in &made {
        report.table(&format!("encode: {name}"), &[line], encode(&[line]));
    }
    let client = corpus::recorded("client")?;
    let requests: Vec<&Line> = client
        .iter()
        .filter(|line| line.kind == Kind::Request)
        .filter(|line| OurRequests::decode(line).is_some() && DerivedRequests::decode(line).is_some())
        .collect();
    let passes =
        [encoding::<OurRequests>(&requests), encoding::<DerivedRequests>(&requests), encoding::<Untyped>(&requests)];
    report.table("encode: requests of the client", &requests, run(&passes, requests.len()));

    if extent == Extent::Kinds {
        let mut methods: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        for line in &common {
            methods.entry(&line.method).or_default().push(line);
        }
        for (method, lines) in &methods {
            let brief = |passes: &[Pass<'_>]| compare(passes, lines.len(), 9, Duration::from_micros(500));
            report.kind("decode", method, lines, brief(&decoders(lines)));
            report.kind("encode", method, lines, brief(&encoders(lines)));
        }
    }
    println!("{}", report.markdown());
    if let Some(file) = json {
        fs::write(file, serde_json::to_string_pretty(&report.json())?)?;
    }
    Ok(())
}

/// Whether all contenders can read a line, and know its method.
fn all_read(line: &Line) -> bool {
    Ours::decode(line).is_some() && Derived::decode(line).is_some() && CodexCodes::decode(line).is_some()
}

fn made() -> Vec<(String, Line)> {
    let mut made = vec![("100 B of text".to_owned(), corpus::text(100))];
    for (name, bytes) in [("10 KB", 10_000), ("1 MB", 1_000_000), ("10 MB", 10_000_000)] {
        made.push((format!("{name} of text"), corpus::text(bytes)));
        made.push((format!("{name} of items"), corpus::items(bytes)));
    }
    made
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

fn run(passes: &[Pass<'_>], messages: usize) -> Vec<Taken> {
    compare(passes, messages, 31, Duration::from_millis(8))
}

fn decode(lines: &[&Line]) -> Vec<Taken> {
    run(&decoders(lines), lines.len())
}

fn encode(lines: &[&Line]) -> Vec<Taken> {
    run(&encoders(lines), lines.len())
}

/// Does one thing only, for `perf`.
fn repeat(what: &str, contender: &str, passes: usize) -> Result<(), Box<dyn Error>> {
    let server = corpus::recorded("server")?;
    let lines: Vec<&Line> =
        server.iter().filter(|line| line.kind == Kind::Notification && Derived::decode(line).is_some()).collect();
    let choices = match what {
        "decode" => Vec::from(decoders(&lines)),
        "encode" => Vec::from(encoders(&lines)),
        _ => return Err(USAGE.into()),
    };
    let pass = choices.iter().find(|pass| pass.name == contender).ok_or(USAGE)?;
    for _ in 0..passes {
        (pass.run)();
    }
    println!("{} messages", passes * lines.len());
    Ok(())
}
