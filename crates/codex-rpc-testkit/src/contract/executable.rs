//! Runs an executable for a short answer.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use semver::Version;

use crate::recorder::{Processes, output};

/// What it writes to stdout, if it ends well and in time. Its home is a folder that goes
/// again.
pub(super) fn run(
    executable: &Path,
    arguments: &[&OsStr],
    limit: Duration,
    among: &Processes,
) -> Result<String, String> {
    let home = tempfile::Builder::new().prefix("codex-rpc-").tempdir();
    let home = home.map_err(|error| format!("a temporary folder: {error}"))?;
    let mut command = Command::new(executable);
    command.args(arguments).env("CODEX_HOME", home.path()).env("HOME", home.path());
    let ended = output::of(&mut command, limit, Some(home.path()), among)
        .map_err(|error| format!("can't start it: {error}"))?;
    let what = arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ");
    match ended.status {
        Some(status) if status.success() => Ok(ended.stdout),
        Some(status) => {
            let errors = ended.stderr.trim();
            let tail = errors.char_indices().rev().nth(1_000).map_or(errors, |(start, _)| &errors[start..]);
            Err(format!("`{what}` ended with {status}{}{tail}", if tail.is_empty() { "" } else { ": " }))
        }
        None => Err(format!("`{what}` did not end within {limit:?}")),
    }
}

/// The release that an executable says it is.
pub(super) fn version(executable: &Path, limit: Duration, among: &Processes) -> Result<Version, String> {
    let output = run(executable, &["--version".as_ref()], limit, among)?;
    let found = output.split_whitespace().find_map(|word| Version::parse(word).ok());
    found.ok_or_else(|| {
        let shown: String = output.trim().chars().take(200).collect();
        format!("`--version` does not say a version but {shown:?}: is it codex?")
    })
}
