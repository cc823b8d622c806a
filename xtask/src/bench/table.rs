//! Results as Markdown.

use std::fmt::Write as _;

use super::Part;
use super::machine::Machine;
use super::results::{BuildRow, Codec, CodecRow, Dispatch, GenerateRow, Results, Usage};
use super::targets::{self, number};

/// The targets: what the project's README shows.
pub fn summary(results: &Results) -> String {
    let mut text = String::new();
    let targets = targets::all(results);
    if !targets.is_empty() {
        text.push_str("| | codex-rpc | beside | found | target | |\n|---|---:|---:|---:|---|---|\n");
        for target in targets {
            let met = if target.met { "met" } else { "**missed**" };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {met} |",
                target.what, target.ours, target.theirs, target.found, target.wanted
            );
        }
        text.push('\n');
    }
    text + &machines(&results.machines())
}

/// Everything: what the README of the benchmarks shows.
pub fn whole(results: &Results) -> String {
    let mut text = summary(results);
    for (name, codec) in [("Decode", &results.decode), ("Encode", &results.encode)] {
        if let Some(codec) = codec {
            let _ = write!(text, "\n### {name}\n\n{}", self::codec(&codec.results));
        }
    }
    if let Some(dispatch) = &results.dispatch {
        let _ = write!(text, "\n### Dispatch\n\n{}", self::dispatch(&dispatch.results));
    }
    if let Some(builds) = &results.build {
        let _ = write!(text, "\n### Build\n\nCPU seconds with `--jobs {}`.\n\n", builds.results.jobs);
        text.push_str(&self::builds(&builds.results.rows));
    }
    if let Some(generates) = &results.generate {
        let _ = write!(text, "\n### Generate\n\n{}", self::generates(&generates.results.rows));
    }
    text
}

/// What was measured on what, a line each.
fn machines(measured: &[(Part, &Machine)]) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (part, machine) in measured {
        let Machine { cpu, cores, memory_gib, os, rustc, date, load, quick } = machine;
        let memory = memory_gib.map_or_else(String::new, |memory| format!(", {memory} GiB"));
        let quick = if *quick { ", `--quick`" } else { "" };
        let description = format!("{cpu}, {cores} cores{memory}; {os}; {rustc}; {date}{quick}");
        // Two that want the cores that are there leave none to the benchmark.
        let load = load.map_or_else(String::new, |load| format!(" (load {load:.1})"));
        let part = format!("{}{load}", part.name());
        match groups.iter_mut().find(|(other, _)| *other == description) {
            Some((_, parts)) => parts.push(part),
            None => groups.push((description, vec![part])),
        }
    }
    let mut text = String::new();
    for (description, parts) in groups {
        let _ = writeln!(text, "Measured on {description}: {}.\n", parts.join(", "));
    }
    if !text.is_empty() {
        text.push_str("Load is how many processes wanted a core in the minute before.\n");
    }
    text
}

fn codec(codec: &Codec) -> String {
    let mut text = format!("{}\n\n", codec.corpus);
    codec_table(&mut text, &codec.rows, true);
    text.push_str("\n<details><summary>By method</summary>\n\n");
    codec_table(&mut text, &codec.kinds, false);
    text.push_str("\n</details>\n");
    text
}

/// Nanoseconds a message; how many times ours in brackets.
fn codec_table(text: &mut String, rows: &[CodecRow], allocations: bool) {
    let Some(first) = rows.first() else { return };
    let names: Vec<&str> = first.contenders.iter().map(|contender| contender.name.as_str()).collect();
    let _ = write!(text, "| ns a message | messages | bytes | {} |", names.join(" | "));
    text.push_str(if allocations { " allocations, bytes allocated |\n" } else { " allocations |\n" });
    let _ = writeln!(text, "|---|---:|---:|{}---:|", "---:|".repeat(names.len()));
    for row in rows {
        let ours = row.contenders.first();
        let cell = |name: &&str| match (row.ns(name), ours) {
            (Some(ns), Some(ours)) if ours.name != *name => format!("{} ({:.2})", number(ns), ns / ours.ns.max(0.1)),
            (Some(ns), _) => number(ns),
            (None, _) => String::new(),
        };
        let cells: Vec<String> = names.iter().map(cell).collect();
        let allocated = ours.map_or_else(String::new, |ours| {
            let bytes = if allocations { format!(", {}", number(ours.allocated_bytes)) } else { String::new() };
            format!("{:.1}{bytes}", ours.allocations)
        });
        // Some rows have a contender of their own.
        let more: Vec<String> = row
            .contenders
            .iter()
            .filter(|contender| !names.contains(&contender.name.as_str()))
            .map(|contender| format!("; {} {}", contender.name, number(contender.ns)))
            .collect();
        let _ = writeln!(
            text,
            "| {}{} | {} | {} | {} | {allocated} |",
            row.what,
            more.concat(),
            number_of(row.messages),
            number_of(row.bytes),
            cells.join(" | ")
        );
    }
}

fn dispatch(dispatch: &Dispatch) -> String {
    let mut text = format!(
        "Nanoseconds a message, or a call, of the fastest round of {} messages; {} calls in flight at a time.\n\n\
         | | | ns | codec alone | beyond it |\n|---|---|---:|---:|---:|\n",
        number_of(dispatch.messages),
        dispatch.callers
    );
    for row in &dispatch.rows {
        let count = if row.of.is_empty() { String::new() } else { format!("{} {}", number_of(row.count), row.of) };
        let _ = writeln!(
            text,
            "| {} | {count} | {} | {} | {} |",
            row.what,
            number(row.ns),
            number(row.codec_ns),
            number(row.overhead())
        );
    }
    text
}

fn builds(rows: &[BuildRow]) -> String {
    let mut text = String::from(
        "| | crates | debug | release | check | check, types alone | peak debug, MB | release, MB | check, MB | \
         program, KB |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let cpu = |usage: Option<Usage>| usage.map_or_else(String::new, |usage| format!("{:.1}", usage.cpu_seconds));
        let peak = |usage: Option<Usage>| usage.map_or_else(String::new, megabytes);
        let size = row.program_bytes.map_or_else(String::new, |bytes| number_of(bytes / 1_000));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {size} |",
            row.what,
            row.crates,
            cpu(row.debug),
            cpu(row.release),
            cpu(Some(row.check)),
            cpu(row.check_alone),
            peak(row.debug),
            peak(row.release),
            peak(Some(row.check))
        );
    }
    text
}

fn generates(rows: &[GenerateRow]) -> String {
    let mut text = String::from(
        "| | schema, KB | source, KB | debug, s | CPU s | peak MB | release, s | CPU s | peak MB |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let usage =
            |usage: Usage| format!("{:.2} | {:.2} | {}", usage.wall_seconds, usage.cpu_seconds, megabytes(usage));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            row.release,
            number_of(row.schema_bytes / 1_000),
            number_of(row.source_bytes / 1_000),
            usage(row.debug),
            usage(row.release_build)
        );
    }
    text
}

fn megabytes(usage: Usage) -> String {
    number_of(usage.peak_bytes / 1_000_000)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn number_of(count: u64) -> String {
    number(count as f64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn usage(cpu: f64) -> Value {
        json!({"cpu_seconds": cpu, "wall_seconds": cpu / 2.0, "peak_bytes": 700_000_000})
    }

    fn part(results: &Value) -> Value {
        let machine = json!({
            "cpu": "Some CPU", "cores": 2, "memory_gib": 24, "os": "Some Linux", "rustc": "rustc 1.95.0",
            "date": "2026-11-21", "load": 0.25, "quick": false,
        });
        json!({"machine": machine, "results": results})
    }

    /// Made figures: `ours` is what we take where codex-codes takes 4,000 ns.
    fn decode(ours: f64) -> Value {
        let contender =
            |name, ns| json!({"name": name, "ns": ns, "ns_median": ns, "allocations": 4.4, "allocated_bytes": 512.0});
        let contenders = [("codex-rpc", ours), ("derive", 800.0), ("IgnoredAny", 250.0), ("codex-codes", 4_000.0)];
        let contenders: Vec<Value> = contenders.map(|(name, ns)| contender(name, ns)).into();
        let row =
            json!({"what": "all messages of the server", "messages": 3_697, "bytes": 373, "contenders": contenders});
        let kind = json!({"what": "turn/started", "messages": 2, "bytes": 100, "contenders": contenders});
        part(&json!({"corpus": "Made up.", "rows": [row], "kinds": [kind]}))
    }

    fn results(value: Value) -> Results {
        serde_json::from_value(value).expect("results")
    }

    #[test]
    fn a_target_is_met_or_missed_by_its_ratio() {
        let met = summary(&results(json!({"decode": decode(500.0)})));
        let row =
            "| decode a message, line to typed | 500 ns | codex-codes 4,000 ns | 8.00 | ≥ 8 times as fast | met |";
        assert!(met.lines().any(|line| line == row), "{met}");
        let missed = summary(&results(json!({"decode": decode(501.0)})));
        assert!(missed.contains("| 7.98 | ≥ 8 times as fast | **missed** |"), "{missed}");
    }

    #[test]
    fn a_cost_that_rises_with_what_is_pending_is_not_flat() {
        let row = |count, ns| json!({"what": "tokio: request to typed answer", "of": "pending", "count": count, "ns": ns, "codec_ns": 500.0});
        let with = |many| json!({"messages": 2_000, "callers": 32, "rows": [row(1, 1_200.0), row(10_000, many)]});
        let flat = summary(&results(json!({"dispatch": part(&with(1_499.0))})));
        assert_eq!(flat.matches("| met |").count(), 2, "{flat}");
        let rising = summary(&results(json!({"dispatch": part(&with(1_501.0))})));
        assert_eq!(rising.matches("**missed**").count(), 2, "{rising}");
    }

    #[test]
    fn every_part_has_its_table_and_its_machine() {
        let built = json!({"what": "codex-rpc", "crates": 7, "check": usage(9.0), "check_alone": usage(5.5)});
        let made = json!({
            "release": "0.169.0", "schema_bytes": 900_000, "source_bytes": 5_000_000,
            "debug": usage(1.5), "release_build": usage(0.25),
        });
        let text = whole(&results(json!({
            "decode": decode(500.0),
            "encode": decode(500.0),
            "build": part(&json!({"jobs": 2, "rows": [built]})),
            "generate": part(&json!({"rows": [made]})),
        })));
        for line in [
            "Measured on Some CPU, 2 cores, 24 GiB; Some Linux; rustc 1.95.0; 2026-11-21: decode (load 0.2), \
             encode (load 0.2), build (load 0.2), generate (load 0.2).",
            "| all messages of the server | 3,697 | 373 | 500 | 800 (1.60) | 250 (0.50) | 4,000 (8.00) | 4.4, 512 |",
            "| turn/started | 2 | 100 | 500 | 800 (1.60) | 250 (0.50) | 4,000 (8.00) | 4.4 |",
            "| codex-rpc | 7 |  |  | 9.0 | 5.5 |  |  | 700 |  |",
            "| 0.169.0 | 900 | 5,000 | 0.75 | 1.50 | 700 | 0.12 | 0.25 | 700 |",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n\nis not in\n\n{text}");
        }
    }
}
