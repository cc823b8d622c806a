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
mod command;
mod export;
mod folder;
mod npm;
pub mod pin;
mod release;
mod store;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_rpc_codegen::harvest::{SourceFile, harvest};
use miette::miette;

pub use self::pin::verify;
use self::release::Wanted;
use crate::progress::Progress;

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

/// Fetches, exports and harvests a release into `target`, replaced in one step.
///
/// `release` is a version (`0.169.0`, `v0.169.0`, `rust-v0.169.0`), `latest`,
/// the path of a codex executable or of a folder with an export; none means the
/// release that `target` is pinned to. A name that reads as a version is one;
/// write `./0.169.0` for a folder of that name. `hint` names the release of an
/// executable or folder that does not say it, or says it wrong.
///
/// # Errors
///
/// Each with a code and with what to do; `target` is then as it was.
pub fn pull(
    release: Option<&str>,
    hint: Option<&str>,
    target: &Path,
    progress: Progress,
) -> miette::Result<Pulled> {
    pull_with(&Tools::of_this_machine(), release, hint, target, progress)
}

/// The codex executable of a release, fetched if this machine has not yet:
/// `release` as in [`pull`], but for a folder.
///
/// # Errors
///
/// If there is no such release, or it can't be fetched, or is none.
pub fn executable(release: &str, progress: Progress) -> miette::Result<PathBuf> {
    let tools = Tools::of_this_machine();
    match release::wanted(release)? {
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

fn pull_with(
    tools: &Tools,
    release: Option<&str>,
    hint: Option<&str>,
    target: &Path,
    progress: Progress,
) -> miette::Result<Pulled> {
    let hint = hint.map(release::version).transpose()?;
    let wanted = match release {
        Some(argument) => release::wanted(argument)?,
        None => Wanted::Version(release::version(&pin::read(target)?.release)?),
    };
    // First of all, so that no one waits for a download that can't be kept.
    let store = store::Store::open(target)?;

    let (material, source) = match wanted {
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

    for (name, bundle) in [
        (STABLE, &material.stable),
        (EXPERIMENTAL, &material.experimental),
    ] {
        folder::bundle(name, bundle)?;
    }
    for warning in &material.warnings {
        progress.say(format!("warning: {warning}"));
    }
    let changed = store.replace(&material)?;
    Ok(Pulled {
        release: material.release,
        source,
        changed,
        warnings: material.warnings,
    })
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
    harvest(experimental, stable)
        .map(|harvest| harvest.to_json())
        .map_err(|error| {
            miette!(
                code = "pull::harvest",
                help = "nothing was written; `protocol-schema` is as it was",
                "the TypeScript export can't be read: {error}"
            )
        })
}
