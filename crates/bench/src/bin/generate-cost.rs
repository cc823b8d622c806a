//! What making the bindings takes: time and memory, for the pinned release and for older
//! ones, by `xtask` as a debug and as a release build.
//!
//! Schemas of older releases are pulled first, which downloads each release's executable
//! unless it is cached; `--pinned` does without. Neither that nor building is measured.

use std::error::Error;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use codex_rpc_bench::child::{self, Usage};
use codex_rpc_bench::options::Options;
use serde_json::{Value, json};

const USAGE: &str = "usage: generate-cost [--quick] [--pinned | --releases R,…] [--json FILE]";
const OLDER: [&str; 6] = ["0.110.0", "0.130.0", "0.140.0", "0.150.1", "0.160.1", "0.166.0"];

fn main() -> ExitCode {
    if let Some(code) = child::intercept() {
        return code;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::parse()?;
    let rest: Vec<&str> = options.rest.iter().map(String::as_str).collect();
    let older: Vec<&str> = match rest[..] {
        ["--pinned"] => Vec::new(),
        ["--releases", list] => list.split(',').filter(|release| !release.is_empty()).collect(),
        [] if options.quick => Vec::new(),
        [] => OLDER.into(),
        _ => return Err(USAGE.into()),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let builds = [("debug", xtask(&root, false)?), ("release_build", xtask(&root, true)?)];
    let program = env::current_exe()?;
    let folder = program.ancestors().nth(2).ok_or("this program is in no target folder")?.join("bench-schemas");
    let mut schemas = Vec::new();
    for release in older {
        let schema = folder.join(release);
        if !schema.join("pin.toml").exists() {
            eprintln!("pull {release}");
            said(Command::new(&builds[0].1).args(["--quiet", "pull", release, "--schema"]).arg(&schema))
                .map_err(|error| format!("{error}\n--pinned measures without downloads"))?;
        }
        schemas.push(schema);
    }
    schemas.push(root.join("protocol-schema"));
    let mut rows = Vec::new();
    for schema in &schemas {
        rows.push(row(schema, &builds, &folder.join("out"), if options.quick { 1 } else { 3 })?);
    }
    options.write(&json!({"rows": rows}))
}

/// Builds `xtask`; the path of the program.
fn xtask(root: &Path, release: bool) -> Result<PathBuf, Box<dyn Error>> {
    eprintln!("build xtask{}", if release { ", release" } else { "" });
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "xtask", "--message-format", "json-render-diagnostics"]);
    if release {
        cargo.arg("--release");
    }
    let text = said(cargo.current_dir(root))?;
    let built = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
        let of_xtask = message.pointer("/target/name").and_then(Value::as_str) == Some("xtask");
        message.get("executable").and_then(Value::as_str).filter(|_| of_xtask).map(PathBuf::from)
    });
    Ok(built.ok_or("cargo names no program of xtask")?)
}

/// Runs a program that must succeed; what it wrote to standard output.
fn said(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let program = command.get_program().to_string_lossy().into_owned();
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim_end()).into())
}

/// The fastest of some runs for each build of `xtask`, the crate written anew each time.
fn row(schema: &Path, builds: &[(&str, PathBuf)], out: &Path, runs: usize) -> Result<Value, Box<dyn Error>> {
    let schema_bytes = fs::metadata(schema.join("experimental.json"))?.len();
    let pin = fs::read_to_string(schema.join("pin.toml"))?;
    let release = pin.lines().find_map(|line| line.strip_prefix("release = ")).ok_or("pin.toml names no release")?;
    let release = release.trim_matches('"');
    let mut row = json!({"release": release, "schema_bytes": schema_bytes});
    for (name, xtask) in builds {
        eprintln!("generate {release} ({name})");
        let mut best: Option<Usage> = None;
        for _ in 0..runs {
            let _ = fs::remove_dir_all(out);
            let arguments = ["--quiet", "generate", "--schema"].map(OsStr::new);
            let arguments = arguments.into_iter().chain([schema.as_os_str(), OsStr::new("--out"), out.as_os_str()]);
            let usage = child::measured(xtask.as_os_str(), arguments, schema, &[])?;
            best = Some(match best {
                Some(before) if before.cpu_seconds <= usage.cpu_seconds => before,
                _ => usage,
            });
        }
        row[*name] = json!(best);
    }
    row["source_bytes"] = json!(size(&out.join("src/generated"))?);
    fs::remove_dir_all(out)?;
    Ok(row)
}

fn size(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
