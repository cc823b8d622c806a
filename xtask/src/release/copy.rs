//! A copy of the repository, in which a release is prepared and checked.
//!
//! It stands below target/ and stays there, so that a second run builds only what
//! changed: a file that is right already is not written again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::miette;

use super::git;
use crate::replace::{Changes, Edits, Folder, files_below};

/// A copy, and what it was made from.
pub struct Copy {
    origin: PathBuf,
    root: PathBuf,
    /// What the repository held.
    before: BTreeMap<String, Vec<u8>>,
}

impl Copy {
    /// Makes a folder a copy of what git has of a repository, and of new files.
    ///
    /// # Errors
    /// If there is no repository, or the copy can't be written.
    pub fn make(origin: &Path, root: &Path) -> miette::Result<Self> {
        let failed = |error: &io::Error| unwritable(root, error);
        let names = git::files(origin)?;
        fs::create_dir_all(root).map_err(|error| failed(&error))?;
        for name in files_below(root).map_err(|error| failed(&error))? {
            if !names.contains(&name) {
                fs::remove_file(root.join(name)).map_err(|error| failed(&error))?;
            }
        }
        let mut before = BTreeMap::new();
        for name in names {
            let (from, to) = (origin.join(&name), root.join(&name));
            match fs::symlink_metadata(&from) {
                // Git has it still.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let _ = fs::remove_file(&to);
                }
                Err(error) => return Err(failed(&error)),
                Ok(metadata) if metadata.is_symlink() => link(&from, &to).map_err(|error| failed(&error))?,
                // A repository in the repository.
                Ok(metadata) if metadata.is_dir() => {}
                Ok(metadata) => {
                    let bytes = fs::read(&from).map_err(|error| failed(&error))?;
                    let same = to.symlink_metadata().is_ok_and(|there| there.is_file())
                        && fs::read(&to).is_ok_and(|there| there == bytes);
                    if !same {
                        write(&to, &bytes).map_err(|error| failed(&error))?;
                    }
                    fs::set_permissions(&to, metadata.permissions()).map_err(|error| failed(&error))?;
                    before.insert(name, bytes);
                }
            }
        }
        Ok(Self { origin: origin.to_owned(), root: root.to_owned(), before })
    }

    /// The copy's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file as the repository had it when the copy was made.
    pub fn before(&self, name: &str) -> Option<&[u8]> {
        self.before.get(name).map(Vec::as_slice)
    }

    /// The files of the repository.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.before.keys().map(String::as_str)
    }

    /// Replaces a text in the copy.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub fn edit(&self, name: &str, change: impl FnOnce(&str) -> miette::Result<String>) -> miette::Result<()> {
        let path = self.root.join(name);
        let text = fs::read_to_string(&path).map_err(|error| unwritable(&path, &error))?;
        let new = change(&text)?;
        if new == text { Ok(()) } else { write(&path, new.as_bytes()).map_err(|error| unwritable(&path, &error)) }
    }

    /// What is another than in the repository: new content, or none for what is gone.
    ///
    /// # Errors
    /// If the copy can't be read.
    pub fn edits(&self) -> miette::Result<Edits> {
        let failed = |error: io::Error| unwritable(&self.root, &error);
        let names: BTreeSet<String> = files_below(&self.root).map_err(failed)?.into_iter().collect();
        let mut edits = Edits::new();
        for name in &names {
            let path = self.root.join(name);
            if path.symlink_metadata().map_err(failed)?.is_symlink() {
                continue;
            }
            let bytes = fs::read(&path).map_err(failed)?;
            if self.before(name) != Some(&bytes) {
                edits.insert(name.clone(), Some(bytes));
            }
        }
        edits.extend(self.names().filter(|name| !names.contains(*name)).map(|name| (name.to_owned(), None)));
        Ok(edits)
    }

    /// Makes the changes in the repository: all, or none.
    ///
    /// # Errors
    /// If a file is another there than when the copy was made, or can't be written.
    pub fn apply(&self, edits: &Edits) -> miette::Result<()> {
        for name in edits.keys() {
            let now = fs::read(self.origin.join(name)).ok();
            if now.as_deref() != self.before(name) {
                return Err(miette!(
                    code = "release::changed",
                    help = "run it again; nothing was written",
                    "{name} was changed while the release was prepared"
                ));
            }
        }
        let folder = Folder::find(&self.origin)?.writable()?;
        let mut changes = Changes::default();
        changes.files(&folder, edits)?;
        changes.commit()
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    let target = fs::read_link(from)?;
    if fs::read_link(to).is_ok_and(|there| there == target) {
        return Ok(());
    }
    if to.symlink_metadata().is_ok() {
        fs::remove_file(to)?;
    }
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    std::os::unix::fs::symlink(target, to)
}

/// What is behind it: making links takes a right that users seldom have.
#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    write(to, &fs::read(from)?)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    if path.symlink_metadata().is_ok_and(|there| there.is_symlink()) {
        fs::remove_file(path)?;
    }
    fs::write(path, bytes)
}

fn unwritable(path: &Path, error: &io::Error) -> miette::Report {
    miette!(
        code = "release::copy",
        help = "make room, or make the folder writable; the repository is as it was",
        "can't prepare the release in {}: {error}",
        path.display()
    )
}
