//! What the client can with async it can without.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What has no counterpart of the same name, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("Codex", "client", "its calls are futures: `block_on` with `as_async`"),
    ("Exec", "*", "a builder for both; `blocking::run` and `blocking::stream`"),
    ("SqliteStore", "*", "for both; `blocking::open_store`"),
];

/// Types without a future of their own whose methods lead to some.
const ALSO: &[&str] = &["TenantsBuilder", "Lease", "Session"];

/// A type's public functions, and whether one of them is a future.
#[derive(Debug, Default)]
struct Type {
    functions: BTreeSet<String>,
    waits: bool,
}

type Types = BTreeMap<String, Type>;

/// Reads the `impl` blocks of a file as rustfmt leaves them.
fn read(source: &str, types: &mut Types) {
    let header = regex::Regex::new(r"^impl(?:<[^>]*>)? (?:Iterator for )?&?(\w+)(?:<\w+>)? \{$").unwrap();
    let function = regex::Regex::new(r"^    pub (async )?fn (\w+)|^    (fn) (next)\(&mut self\)").unwrap();
    // What is in a macro: `name(arguments);`, `name(arguments) -> output;`
    let delegated = regex::Regex::new(r"^        (\w+)\(.*;$").unwrap();
    let (mut current, mut delegating) = (None, false);
    for line in source.lines() {
        if let Some(found) = header.captures(line) {
            current = Some(found[1].to_owned());
        }
        let Some(name) = &current else { continue };
        let of = types.entry(name.clone()).or_default();
        if let Some(found) = function.captures(line) {
            of.waits |= found.get(1).is_some();
            let name = found.get(2).or(found.get(4)).expect("a name");
            of.functions.insert(name.as_str().to_owned());
        }
        delegating |= line.starts_with("    ") && line.contains("! {") && !line.starts_with("     ");
        if let (true, Some(found)) = (delegating, delegated.captures(line)) {
            of.functions.insert(found[1].to_owned());
        }
        delegating &= line != "    }";
        if line == "}" {
            current = None;
        }
    }
}

fn read_all(path: &Path, left_out: &str, types: &mut Types) {
    for entry in fs::read_dir(path).expect("the sources") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            if !path.ends_with(left_out) {
                read_all(&path, left_out, types);
            }
        } else if !path.ends_with(format!("{left_out}.rs")) {
            read(&fs::read_to_string(&path).expect("a source"), types);
        }
    }
}

fn excepted(name: &str, function: &str) -> bool {
    EXCEPTIONS.iter().any(|(of, what, _)| *of == name && (*what == "*" || *what == function))
}

#[test]
fn everything_has_a_counterpart_without_async() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut with, mut without) = (Types::new(), Types::new());
    read_all(&sources, "blocking", &mut with);
    read_all(&sources.join("blocking"), "none", &mut without);
    with.retain(|name, of| of.waits || ALSO.contains(&name.as_str()));

    let empty = Type::default();
    let mut missing = Vec::new();
    for (name, of) in &with {
        let has = &without.get(name).unwrap_or(&empty).functions;
        let lacks = of.functions.iter().filter(|function| !has.contains(*function) && !excepted(name, function));
        missing.extend(lacks.map(|function| format!("{name}::{function}")));
    }
    assert!(missing.is_empty(), "without a counterpart in src/blocking, and no exception: {missing:#?}");

    // That it reads what it has to read.
    for (name, function) in [("Codex", "start"), ("Thread", "run_typed"), ("Pages", "next"), ("CommandBuilder", "tty")]
    {
        assert!(with[name].functions.contains(function), "{name}::{function}");
        assert!(without[name].functions.contains(function), "blocking {name}::{function}");
    }
    assert!(with.len() >= 20, "{:?}", with.keys());
    for (name, function, _) in EXCEPTIONS {
        let of = with.get(*name).unwrap_or_else(|| panic!("an exception for `{name}`, which is gone"));
        assert!(
            *function == "*" || of.functions.contains(*function),
            "an exception for `{name}::{function}`, which is gone"
        );
        let has = without.get(*name).is_some_and(|has| has.functions.contains(*function));
        assert!(!has, "an exception for `{name}::{function}`, which is there");
    }
}
