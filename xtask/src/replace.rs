//! Replacing a folder in one step.
//!
//! What must always hold: after a run the folder holds all of the new files or is
//! as it was before.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::miette;
use tempfile::TempDir;

/// New content by path below the folder, with `/` between the parts.
pub type Content = BTreeMap<String, Vec<u8>>;

/// What becomes of files that the new content does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay.
    Keep,
    /// They go.
    Remove,
}

/// The folder to be replaced, and a place beside it on the same disk.
#[derive(Debug)]
pub struct Folder {
    target: PathBuf,
    work: TempDir,
}

impl Folder {
    /// Finds out whether the folder can be replaced at all.
    ///
    /// # Errors
    /// If it or the one above it can't be written.
    pub fn open(target: &Path) -> miette::Result<Self> {
        let open = || -> io::Result<Self> {
            // The folder behind a link is replaced, not the link.
            let target = match target.canonicalize() {
                Ok(real) => real,
                Err(_) => std::path::absolute(target)?,
            };
            if target.exists() {
                // Also says so if it is a file.
                tempfile::tempfile_in(&target)?;
            }
            let parent = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
            fs::create_dir_all(parent)?;
            let work = tempfile::Builder::new().prefix(".xtask-").tempdir_in(parent)?;
            Ok(Self { target, work })
        };
        open().map_err(|error| unwritable(target, &error))
    }

    /// Writes everything beside the folder, then swaps. Says whether any byte
    /// changed.
    ///
    /// # Errors
    /// If it can't be written; the folder is then as it was.
    pub fn replace(self, content: &Content, others: Others) -> miette::Result<bool> {
        if differences(&self.target, content, others).map_err(|error| unwritable(&self.target, &error))?.is_empty() {
            return Ok(false);
        }
        let new = self.work.path().join("new");
        self.prepare(&new, content, others).map_err(|error| unwritable(&self.target, &error))?;
        let old = self.work.path().join("old");
        match swap(&self.target, &new, &old) {
            Ok(()) => Ok(true),
            Err(Unswapped::Restored(error)) => Err(unwritable(&self.target, &error)),
            Err(Unswapped::Lost(error)) => {
                let kept = self.work.keep();
                Err(miette!(
                    code = "replace::swap",
                    help = format!("move {} back by hand", kept.join("old").display()),
                    "{} could not be replaced and not be put back: {error}",
                    self.target.display()
                ))
            }
        }
    }

    fn prepare(&self, new: &Path, content: &Content, others: Others) -> io::Result<()> {
        fs::create_dir(new)?;
        if self.target.is_dir() {
            if others == Others::Keep {
                copy_others(&self.target, new, "", content)?;
            }
            fs::set_permissions(new, fs::metadata(&self.target)?.permissions())?;
        }
        for (name, bytes) in content {
            let path = new.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}

/// How a folder differs from its content: the paths, each with what is the matter.
///
/// # Errors
/// If the folder can't be read.
pub fn differences(target: &Path, content: &Content, others: Others) -> io::Result<BTreeMap<String, &'static str>> {
    let mut different = BTreeMap::new();
    for (name, bytes) in content {
        match fs::read(target.join(name)) {
            Ok(found) if found == *bytes => {}
            Ok(_) => {
                different.insert(name.clone(), "is different");
            }
            Err(_) => {
                different.insert(name.clone(), "is missing");
            }
        }
    }
    if others == Others::Remove && target.is_dir() {
        for name in files_below(target)? {
            if !content.contains_key(&name) {
                different.insert(name, "should not be there");
            }
        }
    }
    Ok(different)
}

/// All files below a folder, with `/` between the parts.
///
/// # Errors
/// If the folder can't be read.
pub fn files_below(root: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else {
                files.push(name);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn copy_others(from: &Path, to: &Path, prefix: &str, content: &Content) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&place)?;
            copy_others(&entry.path(), &place, &format!("{name}/"), content)?;
        } else if !content.contains_key(&name) {
            fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

#[derive(Debug)]
enum Unswapped {
    /// The folder is as it was.
    Restored(io::Error),
    /// What the folder held is in the place for the old one.
    Lost(io::Error),
}

/// `target` to `old`, `new` to `target`; or nothing.
fn swap(target: &Path, new: &Path, old: &Path) -> Result<(), Unswapped> {
    let existed = target.exists();
    if existed {
        fs::rename(target, old).map_err(Unswapped::Restored)?;
    }
    match fs::rename(new, target) {
        Ok(()) => Ok(()),
        Err(error) if !existed || fs::rename(old, target).is_ok() => Err(Unswapped::Restored(error)),
        Err(error) => Err(Unswapped::Lost(error)),
    }
}

fn unwritable(target: &Path, error: &io::Error) -> miette::Report {
    miette!(
        code = "replace::unwritable",
        help = "make the folder and the one above it writable, or name another; nothing was changed",
        "can't replace {}: {error}",
        target.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(files: &[(&str, &str)]) -> Content {
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn a_swap_that_fails_puts_the_old_folder_back() {
        let work = tempfile::tempdir().unwrap();
        let [target, new, old] = ["target", "new", "old"].map(|name| work.path().join(name));
        fs::create_dir(&target).unwrap();
        fs::write(target.join("kept"), "as it was").unwrap();
        // There is no `new`, so the second rename fails.
        let error = swap(&target, &new, &old).unwrap_err();
        assert!(matches!(error, Unswapped::Restored(_)), "{error:?}");
        assert_eq!(fs::read_to_string(target.join("kept")).unwrap(), "as it was");
        assert!(!old.exists());

        fs::create_dir(&new).unwrap();
        swap(&target, &new, &old).unwrap();
        assert!(!target.join("kept").exists());
        assert!(old.join("kept").exists());
    }

    #[test]
    fn other_files_stay_or_go_as_the_caller_says() {
        let work = tempfile::tempdir().unwrap();
        let target = work.path().join("target");
        fs::create_dir_all(target.join("sub")).unwrap();
        fs::write(target.join("sub/other"), "other").unwrap();
        let new = content(&[("sub/one", "1"), ("two", "2")]);

        assert!(Folder::open(&target).unwrap().replace(&new, Others::Keep).unwrap());
        assert_eq!(files_below(&target).unwrap(), ["sub/one", "sub/other", "two"]);
        assert!(!Folder::open(&target).unwrap().replace(&new, Others::Keep).unwrap(), "nothing is left to do");

        assert_eq!(differences(&target, &new, Others::Remove).unwrap().keys().collect::<Vec<_>>(), ["sub/other"]);
        assert!(Folder::open(&target).unwrap().replace(&new, Others::Remove).unwrap());
        assert_eq!(files_below(&target).unwrap(), ["sub/one", "two"]);
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1, "nothing is left beside the folder");
    }
}
