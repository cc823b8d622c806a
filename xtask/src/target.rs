//! The crate that the generated files go into.
//!
//! What must always hold: a folder that is there already loses nothing that is not
//! ours. Ours is `src/generated`, as a whole, and in a crate that a run made the
//! manifest and the hand-written sources of the protocol crate, file by file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use miette::miette;

use crate::replace::{Changes, Content, Folder, files_below};
use crate::report::unreadable;

/// How the manifest of a crate begins that a run made.
const HEADER: &str = "# Made by `cargo xtask generate`";
/// The crate's name.
const PACKAGE: &str = "codex-rpc";
/// The folder that belongs to the generator as a whole.
const GENERATED: &str = "src/generated";

/// Where the generated files go.
pub struct Target {
    folder: Folder,
    kind: Kind,
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
            Ok(text) if !is_ours(&text) => return Err(foreign(out)),
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
        Ok(Self { folder, kind })
    }

    /// Finds out whether it can be written.
    ///
    /// # Errors
    /// If it can't.
    pub fn writable(self) -> miette::Result<Self> {
        let folder = if self.kind == Kind::New { self.folder.replaceable()? } else { self.folder.writable()? };
        Ok(Self { folder, ..self })
    }

    /// Prepares the files; says whether anything changes.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn stage(
        &self,
        release: &str,
        files: &BTreeMap<String, String>,
        changes: &mut Changes,
    ) -> miette::Result<bool> {
        let content = self.content(release, files)?;
        match self.kind {
            Kind::New => changes.whole(&self.folder, &content),
            Kind::Made | Kind::HandWritten => changes.parts(&self.folder, &content, GENERATED),
        }
    }

    /// Fails if the files are not what they would be after a run.
    ///
    /// # Errors
    /// If they are not, with the command that makes them so.
    pub fn check(&self, release: &str, files: &BTreeMap<String, String>, command: &str) -> miette::Result<()> {
        const MOST: usize = 20;
        let content = self.content(release, files)?;
        let different = self.folder.differences(&content, Some(GENERATED))?;
        if different.is_empty() {
            return Ok(());
        }
        let mut list: Vec<String> =
            different.iter().take(MOST).map(|(name, what)| format!("  {name} {what}")).collect();
        if different.len() > MOST {
            list.push(format!("  and {} more", different.len() - MOST));
        }
        let commit = if self.kind == Kind::HandWritten { " and commit the result" } else { "" };
        Err(miette!(
            code = "generate::check",
            help = format!("run `{command}`{commit}"),
            "{} of {} files in {} are not up to date\n{}",
            different.len(),
            content.len(),
            self.folder.shown().display(),
            list.join("\n")
        ))
    }

    fn content(&self, release: &str, files: &BTreeMap<String, String>) -> miette::Result<Content> {
        let mut content = if self.kind == Kind::HandWritten { Content::new() } else { hand_written(release)? };
        content.extend(files.iter().map(|(name, text)| (format!("{GENERATED}/{name}"), text.clone().into_bytes())));
        Ok(content)
    }
}

/// Whether a manifest is that of the protocol crate.
fn is_ours(manifest: &str) -> bool {
    let manifest: Option<toml::Table> = manifest.parse().ok();
    let name = manifest.as_ref().and_then(|manifest| manifest.get("package")?.get("name")?.as_str());
    name == Some(PACKAGE)
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
