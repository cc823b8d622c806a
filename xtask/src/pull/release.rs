//! What the RELEASE argument means.

use std::path::PathBuf;

use miette::miette;
use semver::Version;

/// A RELEASE argument, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Version(String),
    Latest,
    Path(PathBuf),
}

/// Reads a RELEASE argument. A version wins over a file of the same name, so
/// that what a command means does not depend on where it runs.
pub(super) fn wanted(argument: &str) -> miette::Result<Wanted> {
    if argument == "latest" {
        return Ok(Wanted::Latest);
    }
    if let Some(version) = parse(argument) {
        return Ok(Wanted::Version(version));
    }
    let path = PathBuf::from(argument);
    if path.exists() {
        return std::path::absolute(&path)
            .map(Wanted::Path)
            .map_err(|error| miette!(code = "pull::path", help = FORMS, "{argument}: {error}"));
    }
    let is_path = argument.contains(std::path::is_separator);
    Err(if is_path {
        miette!(code = "pull::no_such_path", help = FORMS, "{argument} does not exist")
    } else {
        miette!(
            code = "pull::release",
            help = FORMS,
            "`{argument}` is no version, and no file or folder of that name exists"
        )
    })
}

const FORMS: &str = "RELEASE is one of: a version (0.169.0, v0.169.0, rust-v0.169.0), `latest`, \
                     the path of a codex executable, the path of a folder with an export \
                     (./0.169.0 if its name reads as a version)";

/// A version that must be one.
pub(super) fn version(text: &str) -> miette::Result<String> {
    parse(text).ok_or_else(|| {
        miette!(code = "pull::version", help = "write it as in 0.169.0 or 0.170.0-alpha.1", "`{text}` is no version")
    })
}

/// `0.169.0`, with or without `v`, `rust-v`, `codex-` before it.
pub(super) fn parse(text: &str) -> Option<String> {
    let text = text.strip_prefix("codex-").unwrap_or(text);
    let text = text.strip_prefix("rust-").unwrap_or(text);
    let text = text.strip_prefix('v').unwrap_or(text);
    Version::parse(text).ok().map(|version| version.to_string())
}
