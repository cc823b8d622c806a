//! Unpacked codex packages, kept for this user.
//!
//! A package is unpacked beside its place and renamed into it: what stands in
//! the cache is whole.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use miette::miette;

use super::{Tools, npm};
use crate::progress::{Progress, Step};

/// `CODEX_RPC_CACHE`, else a folder of ours in the user's cache folder.
pub(super) fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = variable("CODEX_RPC_CACHE") {
        return std::path::absolute(PathBuf::from(folder)).ok();
    }
    let caches = if cfg!(windows) {
        variable("LOCALAPPDATA").map(PathBuf::from)
    } else if let Some(folder) = variable("XDG_CACHE_HOME") {
        Some(PathBuf::from(folder)).filter(|folder| folder.is_absolute())
    } else if cfg!(target_os = "macos") {
        std::env::home_dir().map(|home| home.join("Library").join("Caches"))
    } else {
        std::env::home_dir().map(|home| home.join(".cache"))
    };
    caches.map(|caches| caches.join("codex-rpc"))
}

/// The executable of a version, fetched if it is not in the cache.
pub(super) fn executable(tools: &Tools, version: &str, progress: Progress) -> miette::Result<PathBuf> {
    let cache = tools.cache.as_deref().ok_or_else(|| {
        miette!(
            code = "pull::cache",
            help = "set CODEX_RPC_CACHE to a folder that can be written",
            "this user has no cache folder"
        )
    })?;
    let place = cache.join(format!("{version}-{}", npm::platform()?));
    if let Some(found) = find(&place) {
        return Ok(found);
    }

    let failed = |what: &str, error: io::Error| {
        miette!(
            code = "pull::cache",
            help = "make room or make the folder writable, or set CODEX_RPC_CACHE to another",
            "{what} {}: {error}",
            cache.display()
        )
    };
    fs::create_dir_all(cache).map_err(|error| failed("can't make the cache folder", error))?;
    let work = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(cache)
        .map_err(|error| failed("can't write to the cache folder", error))?;
    let archive = npm::download(tools, version, work.path(), progress)?;
    let unpacked = work.path().join("unpacked");
    {
        let step = progress.step(format!("Unpacking codex {version}"));
        unpack(&archive, &unpacked, step).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::PermissionDenied => {
                failed("can't unpack the package into the cache folder", error)
            }
            _ => miette!(
                code = "pull::package",
                help = "try again after `npm cache verify`",
                "the npm package of codex {version} is damaged: {error}"
            ),
        })?;
    }
    if find(&unpacked).is_none() {
        return Err(miette!(
            code = "pull::package",
            help = "upstream changed how it packs the executable; pull it by its path, and teach \
                    `find` in xtask/src/pull/cache.rs",
            "the npm package of codex {version} holds no vendor/<target>/bin/codex"
        ));
    }
    // What is there but has no executable is the rest of something; another
    // process may also have been quicker than we are.
    if place.exists() && find(&place).is_none() {
        fs::remove_dir_all(&place).map_err(|error| failed("can't remove a damaged package from", error))?;
    }
    match fs::rename(&unpacked, &place) {
        Err(error) if find(&place).is_none() => Err(failed("can't write to", error)),
        _ => find(&place).ok_or_else(|| failed("nothing in", io::ErrorKind::NotFound.into())),
    }
}

/// The executable in an unpacked package; older packages keep it elsewhere.
fn find(package: &Path) -> Option<PathBuf> {
    let name = format!("codex{}", std::env::consts::EXE_SUFFIX);
    fs::read_dir(package.join("package").join("vendor"))
        .ok()?
        .flatten()
        .flat_map(|target| ["bin", "codex"].map(|folder| target.path().join(folder).join(&name)))
        .find(|path| path.is_file())
}

fn unpack(archive: &Path, folder: &Path, step: Step) -> io::Result<()> {
    let file = File::open(archive)?;
    let total = file.metadata()?.len();
    let counted = Counted { file, step, done: 0, total };
    // `unpack` refuses paths that lead out of the folder.
    tar::Archive::new(GzDecoder::new(counted)).unpack(folder)?;
    #[cfg(unix)]
    if let Some(executable) = find(folder) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(executable, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// A file that says how far it has been read.
struct Counted {
    file: File,
    step: Step,
    done: u64,
    total: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.done += count as u64;
        self.step.bytes(self.done, Some(self.total));
        Ok(count)
    }
}
