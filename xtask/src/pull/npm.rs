//! The npm client: which release is the latest, and the package of one.
//!
//! Only npm talks to a registry, so users' own settings, mirrors and
//! credentials apply and no address is written here.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use miette::miette;
use serde_json::Value;
use sha2::{Digest as _, Sha512};

use super::Tools;
use super::release;
use crate::command::{self, Failure, Finished, Group};
use crate::progress::Progress;

const PACKAGE: &str = "@openai/codex";

/// The spec of a release, the same on every platform.
pub(super) fn spec(version: &str) -> String {
    format!("{PACKAGE}@{version}")
}

/// What npm calls this platform.
pub(super) fn platform() -> miette::Result<&'static str> {
    use std::env::consts::{ARCH, OS};
    Ok(match (OS, ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        ("windows", "x86_64") => "win32-x64",
        ("windows", "aarch64") => "win32-arm64",
        (os, arch) => {
            return Err(miette!(
                code = "pull::platform",
                help = "build codex yourself and pull the executable by its path, or pull a \
                        folder that holds an export made elsewhere",
                "codex is not published for {os} on {arch}"
            ));
        }
    })
}

/// The version that npm calls the latest.
pub(super) fn latest(tools: &Tools, progress: Progress) -> miette::Result<String> {
    let _step = progress.step("Asking npm for the latest codex release");
    let mut command = Command::new(&tools.npm);
    command.args(["view", "--json", &spec("latest"), "version"]);
    let shown = command::shown(&command);
    let finished = run(tools, &mut command, &shown, &spec("latest"), &mut || ())?;
    let said = match serde_json::from_str(&finished.stdout) {
        Ok(Value::String(version)) => version,
        Ok(Value::Array(mut versions)) => match versions.pop() {
            Some(Value::String(version)) => version,
            _ => finished.stdout,
        },
        _ => finished.stdout,
    };
    release::parse(said.trim()).ok_or_else(|| {
        miette!(
            code = "pull::npm_answer",
            help = "name the version you want instead of `latest`",
            "npm gave no version for the latest codex: {}",
            said.trim()
        )
    })
}

/// Downloads the package of a release for this platform into `folder`; gives
/// the archive, its integrity checked.
pub(super) fn download(tools: &Tools, version: &str, folder: &Path, progress: Progress) -> miette::Result<PathBuf> {
    let spec = format!("{PACKAGE}@{version}-{}", platform()?);
    let mut step = progress.step(format!("Fetching {spec} through npm"));
    let mut command = Command::new(&tools.npm);
    command.args(["pack", "--json", "--pack-destination"]).arg(folder).arg(&spec);
    // Without our folder, which is gone when somebody reads an error.
    let shown = format!("{} pack {spec}", tools.npm.to_string_lossy());
    // npm downloads into its cache and copies from there.
    let landing =
        (progress == Progress::Live).then(|| cache(tools)).flatten().map(|cache| cache.join("_cacache").join("tmp"));
    let before = landing.as_deref().map_or(0, size);
    let finished = run(tools, &mut command, &shown, &spec, &mut || {
        let landed = landing.as_deref().map_or(0, size).saturating_sub(before);
        step.bytes(landed.max(size(folder)), None);
    })?;

    let archive = archive(folder).ok_or_else(|| {
        miette!(
            code = "pull::npm_answer",
            help = "look at what the command does by hand, or pull an executable by its path",
            "`{shown}` ended well but left no archive"
        )
    })?;
    check(&archive, &finished.stdout, &spec)?;
    Ok(archive)
}

/// Compares the archive with the integrity that npm reports for it. npm has
/// compared what it downloaded with what the registry promises; this covers
/// the way from npm's cache to here.
fn check(archive: &Path, report: &str, spec: &str) -> miette::Result<()> {
    let Some(promised) = integrity(report) else {
        return Ok(());
    };
    let bad = |what: String| {
        miette!(
            code = "pull::integrity",
            help = "try again after `npm cache verify`; if it stays so, don't use this package",
            "the archive of {spec} {what}"
        )
    };
    let mut file = fs::File::open(archive).map_err(|e| bad(format!("can't be read: {e}")))?;
    let mut hash = Sha512::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(bad(format!("can't be read: {error}"))),
        }
    }
    let got = base64::engine::general_purpose::STANDARD.encode(hash.finalize());
    if got == promised { Ok(()) } else { Err(bad(format!("is damaged: its sha512 is {got}, npm says {promised}"))) }
}

/// The sha512 of the package in a report of `npm pack --json`: a list of
/// packages, or an object of them by name in later npm.
fn integrity(report: &str) -> Option<String> {
    let report: Value = serde_json::from_str(report).ok()?;
    let package = match &report {
        Value::Array(packages) => packages.first()?,
        Value::Object(packages) if !packages.contains_key("integrity") => packages.values().next()?,
        package => package,
    };
    let integrity = package.get("integrity")?.as_str()?;
    integrity.split_whitespace().find_map(|hash| hash.strip_prefix("sha512-")).map(str::to_owned)
}

/// Where npm keeps what it downloads; nothing if it won't say.
fn cache(tools: &Tools) -> Option<PathBuf> {
    let mut command = Command::new(&tools.npm);
    command.args(["config", "get", "cache"]);
    let finished = command::run(&mut command, Group::Ours, tools.quick, &mut || ()).ok()?;
    finished.status.success().then(|| PathBuf::from(finished.stdout.trim()))
}

fn size(folder: &Path) -> u64 {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}

fn archive(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
}

fn run(
    tools: &Tools,
    command: &mut Command,
    shown: &str,
    spec: &str,
    tick: &mut dyn FnMut(),
) -> miette::Result<Finished> {
    let finished = match command::run(command, Group::Ours, tools.fetch, tick) {
        Ok(finished) => finished,
        Err(Failure::Start(error)) => {
            return Err(miette!(
                code = "pull::npm_missing",
                help = "install Node.js with npm, or pull a codex executable by its path",
                "npm can't be started: `{shown}`: {error}"
            ));
        }
        Err(Failure::Late { limit, stderr }) => {
            return Err(miette!(
                code = "pull::npm_late",
                help = "look at the connection to your npm registry, or pull a codex executable \
                        by its path",
                "`{shown}` was still running after {} s and was stopped; {}",
                limit.as_secs(),
                command::tail(&stderr)
            ));
        }
        Err(Failure::Io(error)) => {
            return Err(miette!(
                code = "pull::npm",
                help = "make room in the folder for temporary files, or name another in TMPDIR",
                "`{shown}`: {error}"
            ));
        }
    };
    if finished.status.success() {
        return Ok(finished);
    }
    let tail = command::tail(&finished.stderr);
    let missing = ["E404", "ETARGET", "ENOVERSIONS", "notarget"].iter().any(|code| finished.stderr.contains(code));
    Err(if missing {
        miette!(
            code = "pull::no_such_version",
            help = format!(
                "`npm view {PACKAGE} versions` lists what there is; for a release without a \
                 package for this platform, pull its executable by its path"
            ),
            "npm has no {spec}; {tail}"
        )
    } else {
        miette!(
            code = "pull::npm",
            help = "put right what npm complains about, or pull a codex executable by its path",
            "`{shown}` failed ({}); {tail}",
            finished.status
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrity_is_found_in_both_forms_of_the_report() {
        let package = r#"{"name":"p","integrity":"sha1-x sha512-abc=="}"#;
        for report in [format!("[{package}]"), format!("{{\"p\":{package}}}"), package.to_owned()] {
            assert_eq!(integrity(&report).as_deref(), Some("sha512-abc==".trim_start_matches("sha512-")));
        }
        assert_eq!(integrity("no json"), None);
        assert_eq!(integrity("[]"), None);
    }

    #[test]
    fn a_damaged_archive_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.tgz");
        fs::write(&path, "abc").unwrap();
        // The sha512 of "abc", from the standard that defines it.
        let right = "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";
        let report = |hash: &str| format!("[{{\"integrity\":\"sha512-{hash}\"}}]");
        check(&path, &report(right), "p").unwrap();
        let error = check(&path, &report("AAAA"), "p").unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{error}");
    }
}
