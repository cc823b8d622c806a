//! `pull`: one codex release into `protocol-schema/`.
//!
//! What must always hold:
//! - **All or nothing.** Everything is fetched, exported, harvested and checked
//!   before the folder changes; then it is replaced by renames. A failure
//!   anywhere leaves it as it was.
//! - **The same release gives the same bytes.** No time, no machine path and
//!   no host name is written.
//! - **The bundles are upstream's bytes**, not a rendering of them.
//! - **What is reviewed stays.** Files of the folder that `pull` does not own
//!   (`errata.toml` first of all) are carried over.
//! - **Users' npm settings apply**: versions are fetched through the npm client
//!   and nothing else.

mod cache;
mod export;
mod folder;
mod npm;
pub mod pin;
mod release;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_rpc_codegen::harvest::{SourceFile, harvest};
use miette::miette;

use self::pin::Pin;
pub use self::pin::verify;
use self::release::Wanted;
use crate::progress::Progress;
use crate::replace::{Changes, Content, Folder};

/// Upstream's stable bundle.
pub const STABLE: &str = "stable.json";
/// Upstream's bundle with the experimental surface.
pub const EXPERIMENTAL: &str = "experimental.json";
/// What only the TypeScript export says.
pub const HARVEST: &str = "harvest.json";
/// Release, origin and hashes.
pub const PIN: &str = "pin.toml";

/// Where a release came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Fetched through npm; the spec without the platform.
    Npm(String),
    /// A codex executable on this machine.
    Executable(PathBuf),
    /// A folder with an export.
    Folder(PathBuf),
}

/// What a pull did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The release now in the folder.
    pub release: String,
    /// Where it came from.
    pub source: Source,
    /// Whether any byte of the folder is another than before.
    pub changed: bool,
    /// What the user should know although the pull went well.
    pub warnings: Vec<String>,
}

/// What a pull is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The argument RELEASE: a version (`0.169.0`, `v0.169.0`, `rust-v0.169.0`),
    /// `latest`, the path of a codex executable or of a folder with an export; none
    /// means the release that `schema` is pinned to. A name that reads as a version
    /// is one; write `./0.169.0` for a folder of that name.
    pub release: Option<&'a str>,
    /// The release of an executable or folder that does not say it, or says it wrong.
    pub hint: Option<&'a str>,
    /// The schema folder.
    pub schema: &'a Path,
    /// A command that needs no pin, for the error if there is none.
    pub command: &'a str,
}

/// A release that was fetched and not yet written.
#[derive(Debug)]
pub struct Fetched {
    material: Material,
    source: Source,
}

impl Fetched {
    /// What `pin.toml` will say.
    pub fn pin(&self) -> Pin {
        let files = self.material.files().into_iter().map(|(name, bytes)| (name.to_owned(), pin::sha256(bytes)));
        Pin { release: self.material.release.clone(), obtained: self.material.obtained.clone(), files: files.collect() }
    }

    /// The files that a pull owns, as they go into the folder.
    ///
    /// # Errors
    /// Never for a release that was fetched.
    pub fn content(&self) -> miette::Result<Content> {
        let files = self.material.files().into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        let mut content: Content = files.collect();
        content.insert(PIN.to_owned(), self.pin().to_toml()?.into_bytes());
        Ok(content)
    }
}

/// Everything of one release that goes into the folder, checked.
#[derive(Debug)]
struct Material {
    release: String,
    obtained: String,
    stable: Vec<u8>,
    experimental: Vec<u8>,
    harvest: String,
    warnings: Vec<String>,
}

impl Material {
    fn files(&self) -> [(&'static str, &[u8]); 3] {
        [(STABLE, &self.stable), (EXPERIMENTAL, &self.experimental), (HARVEST, self.harvest.as_bytes())]
    }
}

/// The programs, places and limits a pull works with.
#[derive(Clone, Debug)]
struct Tools {
    npm: OsString,
    cache: Option<PathBuf>,
    /// For `codex --version`.
    quick: Duration,
    /// For one export.
    export: Duration,
    /// For one run of npm.
    fetch: Duration,
}

impl Tools {
    fn of_this_machine() -> Self {
        Self {
            npm: if cfg!(windows) { "npm.cmd" } else { "npm" }.into(),
            cache: cache::folder(),
            quick: Duration::from_secs(30),
            export: Duration::from_mins(2),
            fetch: Duration::from_mins(30),
        }
    }
}

/// Fetches, exports and harvests a release into its schema folder, replaced in one
/// step.
///
/// # Errors
///
/// Each with a code and with what to do; the folder is then as it was.
pub fn pull(request: Request<'_>, progress: Progress) -> miette::Result<Pulled> {
    pull_with(&Tools::of_this_machine(), request, progress)
}

/// Fetches, exports and harvests a release, and writes nothing.
///
/// # Errors
///
/// Each with a code and with what to do.
pub fn fetch(request: Request<'_>, progress: Progress) -> miette::Result<Fetched> {
    fetch_with(&Tools::of_this_machine(), request, progress)
}

/// The codex executable of a release, fetched if this machine has not yet: as
/// [`pull`], but for a folder.
///
/// # Errors
///
/// If there is no such release, or it can't be fetched, or is none.
pub fn executable(request: Request<'_>, progress: Progress) -> miette::Result<PathBuf> {
    let tools = Tools::of_this_machine();
    match wanted(request)? {
        Wanted::Version(version) => cache::executable(&tools, &version, progress),
        Wanted::Latest => cache::executable(&tools, &npm::latest(&tools, progress)?, progress),
        Wanted::Path(path) if path.is_dir() => Err(miette!(
            code = "pull::no_executable",
            help = "name a version, `latest` or the codex executable itself",
            "{} is a folder, not an executable",
            path.display()
        )),
        Wanted::Path(path) => {
            export::check(&path)?;
            Ok(path)
        }
    }
}

/// The release that npm calls the latest.
///
/// # Errors
/// If npm can't be asked.
pub fn latest(progress: Progress) -> miette::Result<String> {
    npm::latest(&Tools::of_this_machine(), progress)
}

/// The release that a schema folder is pinned to; `command` is one that needs no pin.
///
/// # Errors
/// If the pin can't be read.
pub fn pinned(folder: &Path, command: &str) -> miette::Result<String> {
    Ok(pin::read(folder, command)?.release)
}

/// The schema folder that a RELEASE argument names, if it names one.
///
/// # Errors
/// If it is no release at all.
pub fn schema_folder(release: &str) -> miette::Result<Option<PathBuf>> {
    Ok(match release::wanted(release)? {
        Wanted::Path(path) if path.join(PIN).is_file() => Some(path),
        _ => None,
    })
}

fn wanted(request: Request<'_>) -> miette::Result<Wanted> {
    match request.release {
        Some(argument) => release::wanted(argument),
        None => Ok(Wanted::Version(pin::read(request.schema, request.command)?.release)),
    }
}

fn pull_with(tools: &Tools, request: Request<'_>, progress: Progress) -> miette::Result<Pulled> {
    // First of all, so that no one waits for a download that can't be kept.
    let folder = Folder::find(request.schema)?.replaceable()?;
    let fetched = fetch_with(tools, request, progress)?;
    let mut staged = Changes::default();
    let changed = staged.whole(&folder, &fetched.content()?)?;
    staged.commit()?;
    let Fetched { material, source } = fetched;
    Ok(Pulled { release: material.release, source, changed, warnings: material.warnings })
}

fn fetch_with(tools: &Tools, request: Request<'_>, progress: Progress) -> miette::Result<Fetched> {
    let hint = request.hint.map(release::version).transpose()?;
    let (material, source) = match wanted(request)? {
        Wanted::Version(version) => from_npm(tools, &version, hint.as_deref(), progress)?,
        Wanted::Latest => {
            let version = npm::latest(tools, progress)?;
            from_npm(tools, &version, hint.as_deref(), progress)?
        }
        Wanted::Path(path) if path.is_dir() => {
            let _step = progress.step(format!("Reading the export in {}", path.display()));
            let material = folder::read(&path, hint.as_deref())?;
            (material, Source::Folder(path))
        }
        Wanted::Path(path) => {
            let said = export::version(tools, &path)?;
            let release = hint.unwrap_or(said);
            let material = export::run(tools, &path, release, "executable".into(), progress)?;
            (material, Source::Executable(path))
        }
    };
    for (name, bytes) in [(STABLE, &material.stable), (EXPERIMENTAL, &material.experimental)] {
        folder::bundle(name, bytes)?;
    }
    for warning in &material.warnings {
        progress.say(format!("warning: {warning}"));
    }
    Ok(Fetched { material, source })
}

fn from_npm(
    tools: &Tools,
    version: &str,
    hint: Option<&str>,
    progress: Progress,
) -> miette::Result<(Material, Source)> {
    if let Some(hint) = hint.filter(|hint| *hint != version) {
        return Err(miette!(
            code = "pull::two_releases",
            help = "leave `--as` out: a fetched version is the version it is",
            "asked for {version} from npm, to be pinned as {hint}"
        ));
    }
    let executable = cache::executable(tools, version, progress)?;
    let said = export::version(tools, &executable)?;
    if said != version {
        return Err(miette!(
            code = "pull::another_release",
            help = format!(
                "the cached or published package is not what its name says; delete {} and try \
                 again, or pull the executable by its path with `--as {version}`",
                executable.display()
            ),
            "npm's codex {version} says that it is {said}"
        ));
    }
    let spec = npm::spec(version);
    let obtained = format!("npm:{spec}");
    let material = export::run(tools, &executable, said, obtained, progress)?;
    Ok((material, Source::Npm(spec)))
}

/// The harvest as it goes into the folder.
fn harvested(experimental: &[SourceFile], stable: &[SourceFile]) -> miette::Result<String> {
    harvest(experimental, stable).map(|harvest| harvest.to_json()).map_err(|error| {
        miette!(
            code = "pull::harvest",
            help = "nothing was written; `protocol-schema` is as it was",
            "the TypeScript export can't be read: {error}"
        )
    })
}
