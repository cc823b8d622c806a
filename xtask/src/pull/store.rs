//! What a pull writes into the schema folder.

use std::path::Path;

use super::pin::{Pin, sha256};
use super::{EXPERIMENTAL, HARVEST, Material, PIN, STABLE};
use crate::replace::{Content, Folder, Others};

/// The schema folder.
#[derive(Debug)]
pub(super) struct Store(Folder);

impl Store {
    /// Finds out whether the folder can be replaced at all.
    pub(super) fn open(target: &Path) -> miette::Result<Self> {
        Folder::open(target).map(Self)
    }

    /// Replaces what a pull owns and keeps the rest. Says whether any byte changed.
    pub(super) fn replace(self, material: &Material) -> miette::Result<bool> {
        let mut files = Content::from([
            (STABLE.to_owned(), material.stable.clone()),
            (EXPERIMENTAL.to_owned(), material.experimental.clone()),
            (HARVEST.to_owned(), material.harvest.clone().into_bytes()),
        ]);
        let pin = Pin {
            release: material.release.clone(),
            obtained: material.obtained.clone(),
            files: files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect(),
        }
        .to_toml()?;
        files.insert(PIN.to_owned(), pin.into_bytes());
        self.0.replace(&files, Others::Keep)
    }
}
