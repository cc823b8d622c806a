//! `pin.toml`: which release the folder holds, and that it holds it unchanged.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use miette::miette;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{EXPERIMENTAL, HARVEST, PIN, STABLE, folder};

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
        let body = toml::to_string(self)
            .map_err(|error| miette!(code = "pull::pin", "can't write {PIN}: {error}"))?;
        Ok(format!("{HEADER}\n{body}"))
    }
}

/// Reads `pin.toml` without looking at the other files.
pub(super) fn read(folder: &Path) -> miette::Result<Pin> {
    let path = folder.join(PIN);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        miette!(
            code = "pull::no_pin",
            help = "pull a release by name first, as in `cargo xtask pull 0.169.0`",
            "can't read {}: {error}",
            path.display()
        )
    })?;
    toml::from_str(&text).map_err(|error| {
        miette!(
            code = "pull::pin",
            help = "run `cargo xtask pull VERSION` to write it anew",
            "{}: {error}",
            path.display()
        )
    })
}

/// Reads `pin.toml` and checks that every file it lists is there, unchanged.
///
/// # Errors
///
/// If the pin can't be read, does not list all files, or one of them differs.
pub fn verify(dir: &Path) -> miette::Result<Pin> {
    let pin = read(dir)?;
    let bad = |name: &str, why: &str| {
        miette!(
            code = "pull::changed",
            help = format!(
                "run `cargo xtask pull {}`; to correct what upstream wrote, use errata.toml",
                pin.release
            ),
            "{} {why}",
            dir.join(name).display()
        )
    };
    for name in [STABLE, EXPERIMENTAL, HARVEST] {
        let Some(pinned) = pin.files.get(name) else {
            return Err(bad(PIN, &format!("lists no hash of {name}")));
        };
        let bytes = folder::file(&dir.join(name)).map_err(|error| bad(name, &error.to_string()))?;
        if sha256(&bytes) != *pinned {
            return Err(bad(name, &format!("is not the file that {PIN} lists")));
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
