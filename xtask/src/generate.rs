//! From a schema folder to the text of the generated files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use codex_rpc_codegen::errata::Errata;
use codex_rpc_codegen::generate::{Input, Outcome, dispatcher_source, model, source};
use codex_rpc_codegen::harvest::Harvest;
use codex_rpc_codegen::problem::{Problem, Problems};
use miette::miette;

use crate::progress::Progress;
use crate::pull::{self, Fetched};
use crate::report::{command, unreadable};

/// The file with the reviewed corrections.
const ERRATA: &str = "errata.toml";

/// Files by path below `src/generated`.
#[derive(Default)]
pub struct Generated {
    /// Those of the protocol crate.
    pub protocol: BTreeMap<String, String>,
    /// Those of the dispatcher.
    pub dispatcher: BTreeMap<String, String>,
}

/// What a release is made from.
pub struct Sources {
    release: String,
    stable: String,
    experimental: String,
    harvest: Harvest,
    errata: Errata,
    hashes: BTreeMap<String, String>,
}

impl Sources {
    /// Reads a schema folder.
    ///
    /// # Errors
    /// If a file is missing or is not the one that was pulled.
    pub fn read(schema: &Path) -> miette::Result<Self> {
        let pin = pull::verify(schema)?;
        let bytes = |name: &str| {
            let path = schema.join(name);
            fs::read(&path).map_err(|error| unreadable(&path, &error))
        };
        Self::new(pin.release, pin.files, bytes, schema)
    }

    /// What was fetched for a schema folder and not yet written there.
    ///
    /// # Errors
    /// If the errata can't be read.
    pub fn fetched(fetched: &Fetched, schema: &Path) -> miette::Result<Self> {
        let (pin, mut content) = (fetched.pin(), fetched.content()?);
        Self::new(pin.release, pin.files, |name| Ok(content.remove(name).unwrap_or_default()), schema)
    }

    fn new(
        release: String,
        hashes: BTreeMap<String, String>,
        mut bytes: impl FnMut(&str) -> miette::Result<Vec<u8>>,
        schema: &Path,
    ) -> miette::Result<Self> {
        let mut text =
            |name: &str| String::from_utf8(bytes(name)?).map_err(|error| unreadable(&schema.join(name), &error));
        let (stable, experimental) = (text(pull::STABLE)?, text(pull::EXPERIMENTAL)?);
        let harvest = Harvest::from_json(&text(pull::HARVEST)?).map_err(|error| {
            let again = command(&format!("pull {release}"), Some(schema), None);
            miette!(code = "generate::harvest", help = format!("run `{again}`"), "{}: {error}", pull::HARVEST)
        })?;
        let errata = Errata::parse(&errata_text(schema)?, ERRATA).map_err(|problems| report(&problems))?;
        Ok(Self { release, stable, experimental, harvest, errata, hashes })
    }

    /// The release.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// Reads the release.
    ///
    /// # Errors
    /// Everything that is wrong with what upstream wrote.
    pub fn model(&self) -> miette::Result<Outcome> {
        model(&self.input()).map_err(|problems| report(&problems))
    }

    /// Reads the release and makes the files below `src/generated`, of the dispatcher
    /// too if it is wanted. Nothing is written.
    ///
    /// # Errors
    /// Everything that is wrong with what upstream wrote.
    pub fn generate(&self, dispatcher: bool, progress: Progress) -> miette::Result<(Outcome, Generated)> {
        let _step = progress.step(format!("Generating the bindings of codex {}", self.release));
        let outcome = self.model()?;
        let protocol = source(&outcome.protocol, &self.input()).map_err(|problems| report(&problems))?;
        let dispatcher = dispatcher.then(|| dispatcher_source(&outcome.protocol, &self.input())).transpose();
        let dispatcher = dispatcher.map_err(|problems| report(&problems))?.unwrap_or_default();
        Ok((outcome, Generated { protocol, dispatcher }))
    }

    fn input(&self) -> Input<'_> {
        Input {
            release: &self.release,
            stable: &self.stable,
            experimental: &self.experimental,
            harvest: &self.harvest,
            errata: &self.errata,
            hashes: self.hashes.clone(),
        }
    }
}

/// The folder's own errata, else the repository's: a release pulled into another
/// place has the same reviewed corrections.
fn errata_text(schema: &Path) -> miette::Result<String> {
    let own = schema.join(ERRATA);
    let path = if own.exists() { own } else { crate::schema_folder().join(ERRATA) };
    fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))
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
        [only] => miette!(
            code = "generate::input",
            help = only.help.as_deref().unwrap_or("nothing was written").to_owned(),
            "{only}"
        ),
        all => miette!(
            code = "generate::input",
            help = "nothing was written",
            "{} problems\n{}",
            all.len(),
            all.iter().map(show).collect::<Vec<_>>().join("\n")
        ),
    }
}
