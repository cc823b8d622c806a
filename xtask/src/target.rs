//! The crates that the generated files go into.
//!
//! What must always hold: a folder that is there already loses nothing that is not
//! ours. Ours is `src/generated`, as a whole, and in a crate that a run made the
//! manifest and the hand-written sources of the protocol crate, file by file. The
//! dispatcher names what the protocol crate has: beside a hand-written one both are
//! of the same release.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::miette;

use crate::generate::Generated;
use crate::replace::{Changes, Content, Folder, files_below};
use crate::report::unreadable;

/// How the manifest of a crate begins that a run made.
const HEADER: &str = "# Made by `cargo xtask generate`";
/// The protocol crate's name.
const PACKAGE: &str = "codex-rpc";
/// The dispatcher's, and its folder's beside the protocol crate.
const DISPATCHER: &str = "codex-rpc-dispatch";
/// The folder that belongs to the generator as a whole.
const GENERATED: &str = "src/generated";

/// Where the generated files go.
pub struct Target {
    folder: Folder,
    kind: Kind,
    dispatcher: Option<Folder>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing is there: the whole crate is made.
    New,
    /// A crate that a run made, or an empty folder.
    Made,
    /// The protocol crate of a repository: somebody else writes the rest of it.
    HandWritten,
}

impl Target {
    /// Finds out what is there.
    ///
    /// # Errors
    /// If it is something else than such a crate.
    pub fn find(out: &Path) -> miette::Result<Self> {
        let folder = Folder::find(out)?;
        let manifest = out.join("Cargo.toml");
        let kind = match fs::read_to_string(&manifest) {
            Ok(text) if package(&text).as_deref() != Some(PACKAGE) => return Err(foreign(out)),
            Ok(text) if text.starts_with(HEADER) => Kind::Made,
            Ok(_) => Kind::HandWritten,
            Err(_) if !folder.exists() => Kind::New,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unreadable(&manifest, &error)),
            Err(_) => {
                let mut entries = fs::read_dir(out).map_err(|error| unreadable(out, &error))?.flatten();
                if entries.any(|entry| entry.file_name() != ".git") {
                    return Err(foreign(out));
                }
                Kind::Made
            }
        };
        let dispatcher = if kind == Kind::HandWritten { dispatcher(out)? } else { None };
        Ok(Self { folder, kind, dispatcher })
    }

    /// Whether the dispatcher is beside the protocol crate and is written with it.
    pub fn has_dispatcher(&self) -> bool {
        self.dispatcher.is_some()
    }

    /// Finds out whether it can be written.
    ///
    /// # Errors
    /// If it can't.
    pub fn writable(self) -> miette::Result<Self> {
        let folder = if self.kind == Kind::New { self.folder.replaceable()? } else { self.folder.writable()? };
        let dispatcher = self.dispatcher.map(Folder::writable).transpose()?;
        Ok(Self { folder, dispatcher, ..self })
    }

    /// Prepares the files; says of each crate whether anything changes.
    ///
    /// # Errors
    /// If a folder can't be written.
    pub fn stage(
        &self,
        release: &str,
        files: &Generated,
        changes: &mut Changes,
    ) -> miette::Result<Vec<(PathBuf, bool)>> {
        self.contents(release, files)?
            .into_iter()
            .map(|(folder, content)| {
                let differs = match self.kind {
                    Kind::New => changes.whole(folder, &content)?,
                    Kind::Made | Kind::HandWritten => changes.parts(folder, &content, GENERATED)?,
                };
                Ok((folder.shown().to_owned(), differs))
            })
            .collect()
    }

    /// Fails if the files are not what they would be after a run.
    ///
    /// # Errors
    /// If they are not, with the command that makes them so.
    pub fn check(&self, release: &str, files: &Generated, command: &str) -> miette::Result<()> {
        const MOST: usize = 20;
        let mut lists = Vec::new();
        for (folder, content) in self.contents(release, files)? {
            let different = folder.differences(&content, Some(GENERATED))?;
            if different.is_empty() {
                continue;
            }
            let (shown, all) = (folder.shown().display(), content.len());
            lists.push(format!("{} of {all} files in {shown} are not up to date", different.len()));
            lists.extend(different.iter().take(MOST).map(|(name, what)| format!("  {name} {what}")));
            if different.len() > MOST {
                lists.push(format!("  and {} more", different.len() - MOST));
            }
        }
        if lists.is_empty() {
            return Ok(());
        }
        let commit = if self.kind == Kind::HandWritten { " and commit the result" } else { "" };
        Err(miette!(code = "generate::check", help = format!("run `{command}`{commit}"), "{}", lists.join("\n")))
    }

    /// What each crate's folder shall hold.
    fn contents(&self, release: &str, files: &Generated) -> miette::Result<Vec<(&Folder, Content)>> {
        let mut protocol = if self.kind == Kind::HandWritten { Content::new() } else { hand_written(release)? };
        protocol.extend(generated(&files.protocol));
        let dispatcher = self.dispatcher.iter().map(|folder| (folder, generated(&files.dispatcher).collect()));
        Ok([(&self.folder, protocol)].into_iter().chain(dispatcher).collect())
    }
}

fn generated(files: &BTreeMap<String, String>) -> impl Iterator<Item = (String, Vec<u8>)> {
    files.iter().map(|(name, text)| (format!("{GENERATED}/{name}"), text.clone().into_bytes()))
}

/// The dispatcher beside a protocol crate, if it is there.
fn dispatcher(out: &Path) -> miette::Result<Option<Folder>> {
    // Beside the folder behind a link, as the protocol crate is written there.
    let real = out.canonicalize().map_err(|error| unreadable(out, &error))?;
    let named = out.parent().filter(|parent| parent.canonicalize().ok().as_deref() == real.parent());
    let Some(beside) = named.or(real.parent()) else { return Ok(None) };
    let folder = beside.join(DISPATCHER);
    let manifest = folder.join("Cargo.toml");
    match fs::read_to_string(&manifest) {
        Ok(text) if package(&text).as_deref() == Some(DISPATCHER) => Folder::find(&folder).map(Some),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(unreadable(&manifest, &error)),
    }
}

/// The package of a manifest.
fn package(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn foreign(out: &Path) -> miette::Report {
    miette!(
        code = "generate::foreign",
        help = "name a new or empty folder, or one that an earlier run made; nothing was written",
        "{} is not empty and has no Cargo.toml of a package `{PACKAGE}`",
        out.display()
    )
}

/// The protocol crate without its generated part, as a crate of its own.
fn hand_written(release: &str) -> miette::Result<Content> {
    let source = crate::crate_folder();
    let mut content = Content::new();
    for name in files_below(&source.join("src")).map_err(|error| unreadable(&source, &error))? {
        if !name.starts_with("generated/") {
            let path = source.join("src").join(&name);
            content.insert(format!("src/{name}"), fs::read(&path).map_err(|error| unreadable(&path, &error))?);
        }
    }
    content.insert("Cargo.toml".to_owned(), manifest(&source, release)?.into_bytes());
    Ok(content)
}

/// The crate's manifest with what it inherits from the workspace written out.
fn manifest(source: &Path, release: &str) -> miette::Result<String> {
    let read = |path: &Path| -> miette::Result<toml::Table> {
        let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        text.parse().map_err(|error: toml::de::Error| unreadable(path, &error))
    };
    let mut own = read(&source.join("Cargo.toml"))?;
    let root = read(&crate::root().join("Cargo.toml"))?;
    let inherited = |section: &str| {
        root.get("workspace")
            .and_then(|workspace| workspace.get(section))
            .and_then(toml::Value::as_table)
            .cloned()
            .unwrap_or_default()
    };
    let inherits = |value: &toml::Value| value.get("workspace").and_then(toml::Value::as_bool) == Some(true);

    let shared = inherited("package");
    if let Some(package) = own.get_mut("package").and_then(toml::Value::as_table_mut) {
        for (key, value) in package.iter_mut() {
            if inherits(value)
                && let Some(shared) = shared.get(key)
            {
                *value = shared.clone();
            }
        }
        package.insert("version".to_owned(), release.into());
        package.remove("readme");
    }
    let shared = inherited("dependencies");
    if let Some(dependencies) = own.get_mut("dependencies").and_then(toml::Value::as_table_mut) {
        for (name, value) in dependencies.iter_mut() {
            if !inherits(value) {
                continue;
            }
            let Some(shared) = shared.get(name) else { continue };
            let mut whole = match shared {
                toml::Value::String(version) => {
                    toml::Table::from_iter([("version".to_owned(), version.as_str().into())])
                }
                toml::Value::Table(table) => table.clone(),
                _ => continue,
            };
            let features = [&whole, value.as_table().unwrap_or(&toml::Table::new())]
                .iter()
                .filter_map(|table| table.get("features").and_then(toml::Value::as_array))
                .flatten()
                .cloned()
                .collect::<Vec<_>>();
            if !features.is_empty() {
                whole.insert("features".to_owned(), features.into());
            }
            *value = whole.into();
        }
    }
    own.remove("lints");
    own.remove("dev-dependencies");
    own.insert("workspace".to_owned(), toml::Table::new().into());
    let text = toml::to_string(&own).map_err(|error| unreadable(&source.join("Cargo.toml"), &error))?;
    Ok(format!("{HEADER}; only src/generated is specific to the release.\n{text}"))
}
