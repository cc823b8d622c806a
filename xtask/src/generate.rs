//! The verb `generate`, and what it shares with `regenerate`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use codex_rpc_codegen::errata::Errata;
use codex_rpc_codegen::generate::{Input, Outcome, model, source};
use codex_rpc_codegen::harvest::Harvest;
use codex_rpc_codegen::problem::{Problem, Problems};
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::progress::Progress;
use crate::pull;
use crate::replace::{Content, Folder, Others, differences, files_below};

/// The file with the reviewed corrections.
const ERRATA: &str = "errata.toml";

/// A release that was read.
pub struct Release {
    /// Its model.
    pub outcome: Outcome,
    /// The generated files below `src/generated`.
    pub files: BTreeMap<String, String>,
}

/// Reads a schema folder and makes the source from it. Nothing is written.
///
/// # Errors
/// Everything that is wrong with the folder's content.
pub fn read(schema: &Path, progress: Progress) -> miette::Result<Release> {
    let _step = progress.step(format!("Generating from {}", schema.display()));
    let pin = pull::verify(schema)?;
    let text = |name: &str| {
        fs::read_to_string(schema.join(name)).into_diagnostic().wrap_err(format!("can't read {}", schema.join(name).display()))
    };
    let (stable, experimental) = (text(pull::STABLE)?, text(pull::EXPERIMENTAL)?);
    let harvest = Harvest::from_json(&text(pull::HARVEST)?)
        .map_err(|error| miette!(code = "generate::harvest", help = "run `cargo xtask pull` again", "{}: {error}", pull::HARVEST))?;
    let errata = Errata::parse(&errata_text(schema)?, ERRATA).map_err(|problems| report(&problems))?;
    let input = Input {
        release: &pin.release,
        stable: &stable,
        experimental: &experimental,
        harvest: &harvest,
        errata: &errata,
        hashes: pin.files.clone(),
    };
    let outcome = model(&input).map_err(|problems| report(&problems))?;
    let files = source(&outcome.protocol, &input).map_err(|problems| report(&problems))?;
    Ok(Release { outcome, files })
}

/// The folder's own errata, else the repository's: a release pulled into another
/// place has the same reviewed corrections.
fn errata_text(schema: &Path) -> miette::Result<String> {
    let own = schema.join(ERRATA);
    let path = if own.exists() { own } else { crate::root().join("protocol-schema").join(ERRATA) };
    fs::read_to_string(&path).into_diagnostic().wrap_err(format!("can't read {}", path.display()))
}

/// Says what a person should look at.
pub fn say_notes(outcome: &Outcome, progress: Progress) {
    const MOST: usize = 40;
    for note in outcome.notes.iter().take(MOST) {
        progress.say(format!("note: {note}"));
    }
    if outcome.notes.len() > MOST {
        progress.say(format!("note: and {} more", outcome.notes.len() - MOST));
    }
    if !outcome.notes.is_empty() {
        progress.say(format!(
            "{} places of {} were not reviewed: see protocol-schema/errata.toml",
            outcome.notes.len(),
            outcome.protocol.release
        ));
    }
}

/// Several problems as one report, each with its place and what to do.
pub fn report(problems: &Problems) -> miette::Report {
    let show = |problem: &Problem| match &problem.help {
        Some(help) => format!("{problem}\n  help: {help}"),
        None => problem.to_string(),
    };
    match problems.0.as_slice() {
        [only] => miette!(code = "generate::input", help = only.help.clone().unwrap_or_default(), "{only}"),
        all => miette!(
            code = "generate::input",
            help = "nothing was written",
            "{} problems\n{}",
            all.len(),
            all.iter().map(show).collect::<Vec<_>>().join("\n")
        ),
    }
}

/// Where the generated files go.
pub struct Target {
    folder: PathBuf,
    content: Content,
    others: Others,
}

impl Target {
    /// The files for a crate folder: `src/generated` of one that is there, or a
    /// whole crate if there is none yet.
    ///
    /// # Errors
    /// If the crate's hand-written part can't be read.
    pub fn new(out: &Path, release: &str, files: &BTreeMap<String, String>) -> miette::Result<Self> {
        if out.join("Cargo.toml").exists() && out.join("src/runtime").is_dir() && out.canonicalize().ok() == own_crate().canonicalize().ok() {
            let content = files.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
            return Ok(Self { folder: out.join("src/generated"), content, others: Others::Remove });
        }
        let mut content = hand_written(release)?;
        for (name, text) in files {
            content.insert(format!("src/generated/{name}"), text.clone().into_bytes());
        }
        Ok(Self { folder: out.to_owned(), content, others: Others::Keep })
    }

    /// Writes the files in one step; says whether anything changed.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn write(self) -> miette::Result<bool> {
        // A file that an older release had must not stay among the generated ones.
        if self.others == Others::Keep && self.folder.join("src/generated").is_dir() {
            let stale = files_below(&self.folder.join("src/generated")).into_diagnostic()?;
            let mut content = self.content.clone();
            for name in files_below(&self.folder).into_diagnostic()? {
                let is_stale = name.strip_prefix("src/generated/").is_some_and(|name| stale.iter().any(|stale| stale == name));
                if !is_stale && !name.starts_with("target/") && !content.contains_key(&name) {
                    content.insert(name.clone(), fs::read(self.folder.join(&name)).into_diagnostic()?);
                }
            }
            return Folder::open(&self.folder)?.replace(&content, Others::Remove);
        }
        Folder::open(&self.folder)?.replace(&self.content, self.others)
    }

    /// Fails if the files are not what they would be after a run.
    ///
    /// # Errors
    /// If they are not, with the command that makes them so.
    pub fn check(&self, command: &str) -> miette::Result<()> {
        let different = differences(&self.folder, &self.content, self.others).into_diagnostic()?;
        if different.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = different.iter().take(20).map(|(name, what)| format!("  {name} {what}")).collect();
        Err(miette!(
            code = "generate::check",
            help = format!("run `{command}` and commit the result"),
            "{} of {} generated files in {} are not up to date\n{}",
            different.len(),
            self.content.len(),
            self.folder.display(),
            list.join("\n")
        ))
    }
}

fn own_crate() -> PathBuf {
    crate::root().join("crates/codex-rpc")
}

/// The protocol crate without its generated part, as a crate of its own.
fn hand_written(release: &str) -> miette::Result<Content> {
    let source = own_crate();
    let mut content = Content::new();
    for name in files_below(&source.join("src")).into_diagnostic()? {
        if !name.starts_with("generated/") {
            let bytes = fs::read(source.join("src").join(&name)).into_diagnostic()?;
            content.insert(format!("src/{name}"), bytes);
        }
    }
    content.insert("Cargo.toml".to_owned(), manifest(&source, release)?.into_bytes());
    Ok(content)
}

/// The crate's manifest with what it inherits from the workspace written out.
fn manifest(source: &Path, release: &str) -> miette::Result<String> {
    let read = |path: &Path| -> miette::Result<toml::Table> {
        let text = fs::read_to_string(path).into_diagnostic().wrap_err(format!("can't read {}", path.display()))?;
        text.parse().into_diagnostic().wrap_err(format!("can't read {}", path.display()))
    };
    let mut own = read(&source.join("Cargo.toml"))?;
    let root = read(&crate::root().join("Cargo.toml"))?;
    let inherited = |section: &str| root.get("workspace").and_then(|workspace| workspace.get(section)).and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let inherits = |value: &toml::Value| value.get("workspace").and_then(toml::Value::as_bool) == Some(true);

    let shared = inherited("package");
    if let Some(package) = own.get_mut("package").and_then(toml::Value::as_table_mut) {
        for (key, value) in package.iter_mut() {
            if inherits(value) && let Some(shared) = shared.get(key) {
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
                toml::Value::String(version) => toml::Table::from_iter([("version".to_owned(), version.as_str().into())]),
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
    let text = toml::to_string(&own).into_diagnostic()?;
    Ok(format!("# Made by `cargo xtask generate`; only src/generated is specific to the release.\n{text}"))
}
