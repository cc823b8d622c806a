//! An export that somebody made already, in a folder.
//!
//! Two layouts: our own (`pin.toml` beside the bundles), and whatever folders
//! hold one or two bundles and TypeScript roots.

use std::fs;
use std::path::{Path, PathBuf};

use codex_rpc_codegen::harvest::{Harvest, SourceFile};
use miette::miette;
use serde_json::Value;

use super::{EXPERIMENTAL, HARVEST, Material, PIN, STABLE, harvested, pin, release};

/// What upstream calls the full bundle.
pub(super) const BUNDLE: &str = "codex_app_server_protocol.schemas.json";
/// The file that marks the root of a TypeScript export.
const MARK: &str = "ClientRequest.ts";
/// How many folders deep to look.
const DEPTH: usize = 3;

/// Reads an export from a folder.
pub(super) fn read(folder: &Path, hint: Option<&str>) -> miette::Result<Material> {
    if folder.join(PIN).is_file() {
        return own_layout(folder, hint);
    }
    let mut bundles = Vec::new();
    let mut roots = Vec::new();
    look(folder, 0, &mut bundles, &mut roots)?;
    let mut warnings = Vec::new();

    let mut read = Vec::new();
    for path in &bundles {
        let bytes = file(path)?;
        let size = bundle(&shown(folder, path), &bytes)?;
        read.push((size, path.clone(), bytes));
    }
    let (stable, experimental) = pair(folder, read, BUNDLE)?.ok_or_else(|| {
        miette!(
            code = "pull::no_export",
            help = "make one with `codex app-server generate-json-schema --out DIR --experimental`",
            "{} holds no {BUNDLE}, nor do the {DEPTH} levels of folders below it",
            folder.display()
        )
    })?;
    if stable.0 == experimental.0 {
        warnings.push(
            "the folder holds one bundle: stable and experimental can't be told apart, every \
             method counts as stable"
                .to_owned(),
        );
    }

    let mut read = Vec::new();
    for path in &roots {
        let size = String::from_utf8_lossy(&file(&path.join(MARK))?).matches("\"method\":").count();
        read.push(((size, 0), path.clone(), sources(path)?));
    }
    let harvest = if let Some((stable, experimental)) = pair(folder, read, MARK)? {
        if stable.0 == experimental.0 && warnings.is_empty() {
            warnings.push(
                "the folder holds one TypeScript export: it counts as the stable and as the \
                 experimental one"
                    .to_owned(),
            );
        }
        harvested(&experimental.1, &stable.1)?
    } else {
        warnings.push(format!(
            "the folder holds no TypeScript export ({MARK}): the harvest is empty, and what \
             only TypeScript says is unknown"
        ));
        Harvest::default().to_json()
    };

    let release = match hint {
        Some(hint) => hint.to_owned(),
        None => named(folder, &bundles)?,
    };
    Ok(Material {
        release,
        obtained: "folder".into(),
        stable: stable.1,
        experimental: experimental.1,
        harvest,
        warnings,
    })
}

fn own_layout(folder: &Path, hint: Option<&str>) -> miette::Result<Material> {
    let pin = pin::verify(folder)?;
    let harvest = String::from_utf8_lossy(&file(&folder.join(HARVEST))?).into_owned();
    Harvest::from_json(&harvest).map_err(|error| {
        miette!(
            code = "pull::harvest",
            help = "pull the release anew, or name a folder with an export of codex itself",
            "{}: {error}",
            folder.join(HARVEST).display()
        )
    })?;
    Ok(Material {
        release: hint.unwrap_or(&pin.release).to_owned(),
        obtained: pin.obtained,
        stable: file(&folder.join(STABLE))?,
        experimental: file(&folder.join(EXPERIMENTAL))?,
        harvest,
        warnings: Vec::new(),
    })
}

/// How big a part of the protocol is: the bigger one is the experimental one.
type Size = (usize, usize);
type Half<T> = (PathBuf, T);

/// The stable and the experimental one of at most two.
fn pair<T: Clone>(
    folder: &Path,
    mut found: Vec<(Size, PathBuf, T)>,
    what: &str,
) -> miette::Result<Option<(Half<T>, Half<T>)>> {
    // Where the sizes are equal the paths decide; `experimental` sorts last.
    found.sort_by_key(|(size, path, _)| {
        let path = shown(folder, path);
        (*size, path.contains("experimental"), path)
    });
    if found.len() > 2 {
        let mut paths: Vec<_> = found.iter().map(|(_, path, _)| shown(folder, path)).collect();
        paths.sort();
        return Err(miette!(
            code = "pull::many_exports",
            help = "name the folder of one release, with its stable and its experimental export",
            "{} holds {} exports with a {what}, where two are the most that belong together: \
             {} and others",
            folder.display(),
            paths.len(),
            paths[..3].join(", ")
        ));
    }
    let last = found.pop().map(|(_, path, value)| (path, value));
    let first = found.pop().map(|(_, path, value)| (path, value));
    Ok(last.map(|last| (first.unwrap_or_else(|| last.clone()), last)))
}

/// Finds bundles and TypeScript roots.
fn look(folder: &Path, depth: usize, bundles: &mut Vec<PathBuf>, roots: &mut Vec<PathBuf>) -> miette::Result<()> {
    if folder.join(BUNDLE).is_file() {
        bundles.push(folder.join(BUNDLE));
    }
    if folder.join(MARK).is_file() {
        roots.push(folder.to_owned());
    }
    if depth < DEPTH {
        for path in entries(folder)?.into_iter().filter(|path| is_folder(path)) {
            look(&path, depth + 1, bundles, roots)?;
        }
    }
    Ok(())
}

/// All TypeScript below a root, but not another root's.
pub(super) fn sources(root: &Path) -> miette::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if is_folder(&path) {
                if !path.join(MARK).is_file() {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "ts") {
                let text = String::from_utf8(file(&path)?).map_err(|error| {
                    miette!(
                        code = "pull::read",
                        help = "make the export anew",
                        "{} is no UTF-8: {error}",
                        path.display()
                    )
                })?;
                files.push(SourceFile { path: shown(root, &path), text });
            }
        }
    }
    Ok(files)
}

/// Checks that bytes are a whole bundle; says how much is in it.
pub(super) fn bundle(name: &str, bytes: &[u8]) -> miette::Result<Size> {
    let bad = |why: String| {
        miette!(
            code = "pull::bundle",
            help = "the export is cut short or damaged; make it anew. Nothing was written",
            "{name} is no schema bundle: {why}"
        )
    };
    let bundle: Value = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    let definitions =
        bundle.get("definitions").and_then(Value::as_object).ok_or_else(|| bad("no object `definitions`".into()))?;
    let methods = definitions
        .get("ClientRequest")
        .and_then(|requests| requests.get("oneOf"))
        .and_then(Value::as_array)
        .ok_or_else(|| bad("no list /definitions/ClientRequest/oneOf".into()))?;
    let v2 = definitions.get("v2").and_then(Value::as_object);
    Ok((methods.len(), definitions.len() + v2.map_or(0, serde_json::Map::len)))
}

/// The release that folder names tell: those between the folder and the
/// bundles, else the folder's own and two above it.
fn named(folder: &Path, bundles: &[PathBuf]) -> miette::Result<String> {
    let mut inside: Vec<String> =
        bundles.iter().filter_map(|path| shown(folder, path).split('/').find_map(release::parse)).collect();
    inside.sort();
    inside.dedup();
    let canonical = folder.canonicalize();
    let outside = canonical.as_deref().unwrap_or(folder).ancestors();
    let outside = outside.take(3).find_map(|path| release::parse(&path.file_name()?.to_string_lossy()));
    match (inside.as_slice(), outside) {
        ([one], _) => Ok(one.clone()),
        ([], Some(one)) => Ok(one),
        ([], None) => Err(miette!(
            code = "pull::which_release",
            help = "say it with `--as VERSION` (`diff`: `--old-as`, `--new-as`)",
            "{} does not say which release it is of",
            folder.display()
        )),
        (many, _) => Err(miette!(
            code = "pull::many_exports",
            help = "name the folder of one release",
            "{} holds exports of several releases: {}",
            folder.display(),
            many.join(", ")
        )),
    }
}

/// A file, whole.
pub(super) fn file(path: &Path) -> miette::Result<Vec<u8>> {
    fs::read(path).map_err(|error| unreadable(path, &error))
}

fn entries(folder: &Path) -> miette::Result<Vec<PathBuf>> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let mut paths = list().map_err(|error| unreadable(folder, &error))?;
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, error: &std::io::Error) -> miette::Report {
    miette!(
        code = "pull::read",
        help = "the export is not complete, or not yours to read; make it anew",
        "can't read {}: {error}",
        path.display()
    )
}

/// A folder and no link to one: links can lead in circles.
fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|entry| entry.is_dir())
}

/// The path inside the folder, with `/` on every platform.
fn shown(folder: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
