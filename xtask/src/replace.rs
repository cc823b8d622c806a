//! Changing folders all or not at all.
//!
//! What must always hold:
//! - After a run every folder holds all of its new files, or all are as they were.
//!   Everything is prepared beside its place first; then one rename a part puts it
//!   there, and renames that were done are taken back if a later one fails.
//! - Finding out whether a folder can be written leaves nothing behind, so that a
//!   run that is stopped while it downloads leaves nothing either.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::miette;
use tempfile::TempDir;

/// New content by path below the folder, with `/` between the parts.
pub type Content = BTreeMap<String, Vec<u8>>;

/// New content of single files by path below a folder; none for a file that goes.
pub type Edits = BTreeMap<String, Option<Vec<u8>>>;

/// A folder that is there or will be.
#[derive(Clone, Debug)]
pub struct Folder {
    /// As the user named it.
    shown: PathBuf,
    /// The folder behind a link is meant, not the link.
    real: PathBuf,
}

impl Folder {
    /// Finds the folder; it may be missing.
    ///
    /// # Errors
    /// If it is a file.
    pub fn find(folder: &Path) -> miette::Result<Self> {
        let real = match folder.canonicalize() {
            Ok(real) => real,
            Err(_) => std::path::absolute(folder).map_err(|error| unwritable(folder, &error))?,
        };
        if real.exists() && !real.is_dir() {
            return Err(unwritable(folder, &io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { shown: folder.to_owned(), real })
    }

    /// As the user named it.
    pub fn shown(&self) -> &Path {
        &self.shown
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.real.exists()
    }

    /// Finds out whether files can be made in the folder, or in the one in which it
    /// has to be made.
    ///
    /// # Errors
    /// If they can't.
    pub fn writable(self) -> miette::Result<Self> {
        let there = self.real.ancestors().find(|folder| folder.symlink_metadata().is_ok());
        let tried = there.ok_or(io::ErrorKind::NotFound.into()).and_then(tempfile::tempfile_in);
        tried.map_err(|error| unwritable(&self.shown, &error))?;
        Ok(self)
    }

    /// Finds out whether the folder as a whole can be replaced by another.
    ///
    /// # Errors
    /// If it or the one above it can't be written.
    pub fn replaceable(self) -> miette::Result<Self> {
        let folder = self.writable()?;
        if folder.exists() {
            let parent = folder.real.parent().ok_or(io::ErrorKind::InvalidInput.into());
            parent.and_then(tempfile::tempfile_in).map_err(|error| unwritable(&folder.shown, &error))?;
        }
        Ok(folder)
    }

    /// How the folder differs from its content: the paths, each with what is the
    /// matter. Below the folder `ours` there must be nothing else.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn differences(&self, content: &Content, ours: Option<&str>) -> miette::Result<BTreeMap<String, &'static str>> {
        let mut different = BTreeMap::new();
        for (name, bytes) in content {
            match fs::read(self.real.join(name)) {
                Ok(found) if found == *bytes => {}
                Ok(_) => {
                    different.insert(name.clone(), "is different");
                }
                Err(_) => {
                    different.insert(name.clone(), "is missing");
                }
            }
        }
        if let Some(ours) = ours.filter(|ours| self.real.join(ours).is_dir()) {
            let found = files_below(&self.real.join(ours)).map_err(|error| unwritable(&self.shown, &error))?;
            let names = found.into_iter().map(|name| format!("{ours}/{name}"));
            different
                .extend(names.filter(|name| !content.contains_key(name)).map(|name| (name, "should not be there")));
        }
        Ok(different)
    }
}

/// Changes that are prepared and not yet made. Dropped, they leave nothing behind.
#[derive(Debug, Default)]
pub struct Changes {
    swaps: Vec<Swap>,
    /// Where the new files wait, and the old ones until all is done.
    work: Vec<TempDir>,
    /// Folders that were made for it.
    made: Vec<PathBuf>,
    done: bool,
}

/// A file or folder that takes a place.
#[derive(Debug)]
struct Swap {
    shown: PathBuf,
    place: PathBuf,
    /// What takes the place.
    new: PathBuf,
    /// Nothing takes the place: the file goes.
    goes: bool,
    /// A free name on the same disk.
    aside: PathBuf,
}

impl Changes {
    /// Prepares a folder as a whole, in one step: the content, and a copy of whatever
    /// else the folder holds. Says whether any byte changes.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn whole(&mut self, folder: &Folder, content: &Content) -> miette::Result<bool> {
        if folder.differences(content, None)?.is_empty() {
            return Ok(false);
        }
        let mut prepare = || {
            let parent = folder.real.parent().ok_or(io::ErrorKind::InvalidInput)?;
            self.make(parent)?;
            let new = self.new_place(parent, folder, folder.real.clone())?;
            fs::create_dir(&new)?;
            if folder.exists() {
                copy_others(&folder.real, &new, "", content)?;
                fs::set_permissions(&new, fs::metadata(&folder.real)?.permissions())?;
            }
            content.iter().try_for_each(|(name, bytes)| write(&new.join(name), bytes))
        };
        prepare().map_err(|error| unwritable(&folder.shown, &error))?;
        Ok(true)
    }

    /// Prepares what differs in a folder: the folder `ours` below it as a whole, the
    /// other files one by one. What the content does not name stays untouched, but
    /// below `ours`. Says whether any byte changes.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn parts(&mut self, folder: &Folder, content: &Content, ours: &str) -> miette::Result<bool> {
        let different = folder.differences(content, Some(ours))?;
        let below = |name: &str| name.strip_prefix(ours).and_then(|name| name.strip_prefix('/')).map(str::to_owned);
        let mut prepare = || -> io::Result<()> {
            if different.keys().any(|name| below(name).is_some()) {
                let place = folder.real.join(ours);
                let new = self.new_place(&folder.real, folder, place.clone())?;
                fs::create_dir(&new)?;
                for (name, bytes) in content {
                    if let Some(name) = below(name) {
                        write(&new.join(name), bytes)?;
                    }
                }
                same_permissions(&place, &new)?;
            }
            for name in different.keys().filter(|name| below(name).is_none()) {
                let place = folder.real.join(name);
                let new = self.new_place(&folder.real, folder, place.clone())?;
                write(&new, &content[name])?;
                same_permissions(&place, &new)?;
            }
            Ok(())
        };
        prepare().map_err(|error| unwritable(&folder.shown, &error))?;
        Ok(!different.is_empty())
    }

    /// Prepares single files of a folder: new content, or that they go. What is not named
    /// stays untouched.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn files(&mut self, folder: &Folder, edits: &Edits) -> miette::Result<()> {
        let mut prepare = || -> io::Result<()> {
            for (name, content) in edits {
                let place = folder.real.join(name);
                let new = self.new_place(&folder.real, folder, place.clone())?;
                if let Some(bytes) = content {
                    write(&new, bytes)?;
                    same_permissions(&place, &new)?;
                } else if let Some(swap) = self.swaps.last_mut() {
                    swap.goes = true;
                }
            }
            Ok(())
        };
        prepare().map_err(|error| unwritable(&folder.shown, &error))
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// If one of them can't be made; all is then as it was.
    pub fn commit(mut self) -> miette::Result<()> {
        let mut swapped: Vec<(&Swap, Option<PathBuf>)> = Vec::new();
        for swap in &self.swaps {
            let done = if swap.goes {
                let gone = fs::rename(&swap.place, &swap.aside).map_err(Unswapped::Restored);
                gone.map(|()| Some(swap.aside.clone()))
            } else {
                put(&swap.place, &swap.new, &swap.aside)
            };
            let error = match done {
                Ok(old) => {
                    swapped.push((swap, old));
                    continue;
                }
                Err(error) => error,
            };
            let mut lost = Vec::new();
            let error = match error {
                Unswapped::Restored(error) => error,
                Unswapped::Lost(error) => {
                    lost.push(swap.place.clone());
                    error
                }
            };
            for (swap, old) in swapped.iter().rev() {
                let back = match old {
                    Some(old) => put(&swap.place, old, &swap.aside).is_ok(),
                    None => fs::rename(&swap.place, &swap.new).is_ok(),
                };
                if !back {
                    lost.push(swap.place.clone());
                }
            }
            let report = unwritable(&swap.shown, &error);
            return Err(if lost.is_empty() { report } else { self.keep(&lost, &error) });
        }
        self.done = true;
        Ok(())
    }

    /// Leaves the old files where they are, and says so.
    fn keep(&mut self, lost: &[PathBuf], error: &io::Error) -> miette::Report {
        let shown =
            |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        let kept: Vec<PathBuf> = self.work.drain(..).map(TempDir::keep).collect();
        miette!(
            code = "replace::lost",
            help = format!("what was there is in {}: move it back by hand", shown(&kept)),
            "could not replace and not put back {}: {error}",
            shown(lost)
        )
    }

    /// Plans to put something in a place; says where it has to be prepared.
    fn new_place(&mut self, beside: &Path, folder: &Folder, place: PathBuf) -> io::Result<PathBuf> {
        if let Some(parent) = place.parent() {
            self.make(parent)?;
        }
        let known =
            self.work.iter().find(|work| work.path().parent() == Some(beside)).map(|work| work.path().to_owned());
        let work = if let Some(work) = known {
            work
        } else {
            let work = tempfile::Builder::new().prefix(".xtask-").tempdir_in(beside)?;
            let path = work.path().to_owned();
            self.work.push(work);
            path
        };
        let number = self.swaps.len();
        let (new, aside) = (work.join(format!("new-{number}")), work.join(format!("aside-{number}")));
        self.swaps.push(Swap { shown: folder.shown.clone(), place, new: new.clone(), goes: false, aside });
        Ok(new)
    }

    /// Makes a folder and those above it, and remembers which were missing.
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<PathBuf> =
            folder.ancestors().take_while(|folder| folder.symlink_metadata().is_err()).map(Path::to_owned).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(&folder)?;
            self.made.push(folder);
        }
        Ok(())
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.work.clear();
        if !self.done {
            for folder in self.made.iter().rev() {
                // One that somebody else has put something into stays.
                let _ = fs::remove_dir(folder);
            }
        }
    }
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
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else {
                files.push(name);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, bytes)
}

fn same_permissions(old: &Path, new: &Path) -> io::Result<()> {
    match fs::metadata(old) {
        Ok(old) => fs::set_permissions(new, old.permissions()),
        Err(_) => Ok(()),
    }
}

/// Copies what the content does not name; links stay links.
fn copy_others(from: &Path, to: &Path, prefix: &str, content: &Content) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let (place, kind) = (to.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            fs::create_dir_all(&place)?;
            copy_others(&entry.path(), &place, &format!("{name}/"), content)?;
            fs::set_permissions(&place, entry.metadata()?.permissions())?;
        } else if content.contains_key(&name) {
            // It is about to be written.
        } else if kind.is_symlink() && cfg!(unix) {
            #[cfg(unix)]
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, place)?;
        } else {
            fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

#[derive(Debug)]
enum Unswapped {
    /// The place holds what it held.
    Restored(io::Error),
    /// What the place held is aside.
    Lost(io::Error),
}

/// Puts `new` in its place; says where is now what was there.
fn put(place: &Path, new: &Path, aside: &Path) -> Result<Option<PathBuf>, Unswapped> {
    if place.symlink_metadata().is_err() {
        fs::rename(new, place).map_err(Unswapped::Restored)?;
        return Ok(None);
    }
    if exchange(place, new).map_err(Unswapped::Restored)? {
        return Ok(Some(new.to_owned()));
    }
    rename_both(place, new, aside)
}

/// The same where two names can't be exchanged in one step.
fn rename_both(place: &Path, new: &Path, aside: &Path) -> Result<Option<PathBuf>, Unswapped> {
    match fs::rename(place, aside) {
        // In a container a folder of the image can't be renamed.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices && same_disk(place, new) => {
            let copied = fs::create_dir(aside).and_then(|()| copy_others(place, aside, "", &Content::new()));
            copied.map_err(Unswapped::Restored)?;
            fs::remove_dir_all(place).map_err(Unswapped::Lost)?;
        }
        renamed => renamed.map_err(Unswapped::Restored)?,
    }
    match fs::rename(new, place) {
        Ok(()) => Ok(Some(aside.to_owned())),
        Err(error) if fs::rename(aside, place).is_ok() => Err(Unswapped::Restored(error)),
        Err(error) => Err(Unswapped::Lost(error)),
    }
}

/// Exchanges two files or folders in one step, so that there is no moment without
/// either; or says that this system can't.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::XDEV) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn same_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let disk = |path: &Path| path.symlink_metadata().map(|metadata| metadata.dev()).ok();
    one.is_dir() && disk(one) == disk(other)
}

#[cfg(not(unix))]
fn same_disk(_: &Path, _: &Path) -> bool {
    false
}

fn unwritable(folder: &Path, error: &io::Error) -> miette::Report {
    miette!(
        code = "replace::unwritable",
        help = "make the folder and the one above it writable, or name another; nothing was changed",
        "can't replace {}: {error}",
        folder.display()
    )
}

#[cfg(test)]
mod tests;
