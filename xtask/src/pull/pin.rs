//! `pin.toml`: which release the folder holds, and that it holds it unchanged.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use miette::miette;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{EXPERIMENTAL, HARVEST, PIN, STABLE, release};
use crate::report::command;

const HEADER: &str = "\
# Written by `cargo xtask pull`. Don't edit this file or those it lists: to correct what upstream
# wrote, add to errata.toml.
";

/// What `pin.toml` says.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The release, as in `0.169.0`.
    pub release: String,
    /// `npm:` and a package spec, `executable` or `folder`.
    pub obtained: String,
    /// SHA-256 in hexadecimal by file name.
    pub files: BTreeMap<String, String>,
}

impl Pin {
    /// The text of `pin.toml`.
    pub(super) fn to_toml(&self) -> miette::Result<String> {
        let body = toml::to_string(self).map_err(|error| {
            miette!(code = "pull::pin", help = "this is a fault of xtask", "can't write {PIN}: {error}")
        })?;
        Ok(format!("{HEADER}\n{body}"))
    }
}

/// Reads `pin.toml` without looking at the other files. `instead` is the command that
/// does without.
pub(super) fn read(folder: &Path, instead: &str) -> miette::Result<Pin> {
    let path = folder.join(PIN);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        miette!(
            code = "pull::no_pin",
            help = format!("name a release, as in `{instead}`"),
            "can't read {}: {error}",
            path.display()
        )
    })?;
    let bad = |why: String| {
        miette!(
            code = "pull::pin",
            help = format!("write it anew: name a release, as in `{instead}`"),
            "{}: {why}",
            path.display()
        )
    };
    let pin: Pin = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
    if release::parse(&pin.release).as_ref() != Some(&pin.release) {
        return Err(bad(format!("`{}` is no release", pin.release)));
    }
    Ok(pin)
}

/// Reads `pin.toml` and checks that every file it lists is there, unchanged.
///
/// # Errors
///
/// If the pin can't be read, does not list all files, or one of them differs.
pub fn verify(dir: &Path) -> miette::Result<Pin> {
    let pin = read(dir, &command("pull 0.169.0", Some(dir), None))?;
    let bad = |what: String| {
        let again = command(&format!("pull {}", pin.release), Some(dir), None);
        miette!(
            code = "pull::changed",
            help = format!("run `{again}`; to correct what upstream wrote, use errata.toml"),
            "{what}"
        )
    };
    for name in [STABLE, EXPERIMENTAL, HARVEST] {
        let Some(pinned) = pin.files.get(name) else {
            return Err(bad(format!("{} lists no hash of {name}", dir.join(PIN).display())));
        };
        let path = dir.join(name);
        let bytes = std::fs::read(&path).map_err(|error| bad(format!("can't read {}: {error}", path.display())))?;
        if sha256(&bytes) != *pinned {
            return Err(bad(format!("{} is not the file that {PIN} lists", path.display())));
        }
    }
    Ok(pin)
}

/// SHA-256 in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
