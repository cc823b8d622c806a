//! Stage 3: reviewed corrections of what upstream published.
//!
//! What must always hold: a correction says what upstream wrote, why it is wrong,
//! what shows it and for which releases it holds; and one that no longer applies
//! is an error, so that none goes stale. Only for a release newer than the one
//! that the file was reviewed against is it a note, because a person who wants
//! bindings for today's release can't review it first.

mod correct;

use std::collections::BTreeMap;

use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::names;
use crate::problem::{Problem, Problems};

pub(crate) use correct::correct;

/// The file `errata.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Errata {
    /// The release that the file was reviewed against.
    pub reviewed: Version,
    /// Properties with a wrong wire name.
    #[serde(default)]
    pub rename: Vec<Rename>,
    /// Maps that lie flat in an object and are missing from the schema.
    #[serde(default)]
    pub flattened: Vec<Flattened>,
    /// Objects that carry members which no export declares.
    #[serde(default)]
    pub open: Vec<OpenErratum>,
    /// Fields for which the TypeScript does not say what the server sends.
    #[serde(default)]
    pub presence: Vec<PresenceErratum>,
    /// Inputs for which absent, null and a value mean three things, where only the
    /// description says so.
    #[serde(default)]
    pub three_state: Vec<FieldErratum>,
    /// Responses that the naming rule does not find.
    #[serde(default)]
    pub response: Vec<ResponseErratum>,
    /// Untagged unions and the names of their variants.
    #[serde(default)]
    pub untagged: Vec<UntaggedErratum>,
    /// Variants whose names would collide.
    #[serde(default)]
    pub name: Vec<NameErratum>,
    /// Definitions that are not emitted.
    #[serde(default)]
    pub skip: Vec<Skip>,
    /// Fields that are free-form JSON on purpose, as `Definition.field`.
    #[serde(default)]
    pub any: Vec<String>,
    /// First segments of methods and the module they belong to.
    #[serde(default)]
    pub families: BTreeMap<String, String>,
}

macro_rules! errata {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
            /// What upstream wrote and why it is wrong.
            pub why: String,
            /// What shows it.
            pub evidence: String,
            /// The releases that it holds for.
            pub releases: VersionReq,
        }
    )*};
}

errata! {
    /// A property with a wrong wire name.
    Rename {
        /// The definition.
        definition: String,
        /// The tag's value, or the variant's number, if it is an arm's property.
        arm: Option<String>,
        /// What the JSON Schema says.
        from: String,
        /// What is right.
        to: String,
    }
    /// A map that lies flat in an object.
    Flattened {
        /// The definition.
        definition: String,
        /// The definition of the values.
        values: String,
        /// The name of the field in Rust.
        field: String,
    }
    /// An object that carries members which no export declares.
    OpenErratum {
        /// The definition.
        definition: String,
    }
    /// What the server does with a field that has no value.
    PresenceErratum {
        /// The definition.
        definition: String,
        /// The field's wire name.
        field: String,
        /// What the server does.
        sent: Sent,
    }
    /// A field.
    FieldErratum {
        /// The definition.
        definition: String,
        /// The field's wire name.
        field: String,
    }
    /// The answer of a method.
    ResponseErratum {
        /// The method.
        method: String,
        /// The definition of its answer.
        response: String,
    }
    /// The variants of an untagged union.
    UntaggedErratum {
        /// The definition.
        definition: String,
        /// The names of the variants, in the order of the schema.
        variants: Vec<String>,
    }
    /// The name of a variant.
    NameErratum {
        /// The definition.
        definition: String,
        /// The tag or value on the wire.
        wire: String,
        /// The variant's name in Rust.
        rust: String,
    }
    /// A definition that is not emitted.
    Skip {
        /// The definition.
        definition: String,
    }
}

/// What the server does with a field that has no value.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Sent {
    /// It writes null.
    Null,
    /// It leaves the field out.
    Omitted,
}

/// The errata that hold for a release, and how strict a run is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Applicable {
    /// The errata of the release.
    pub errata: Errata,
    /// Whether what was not reviewed is an error.
    pub strict: bool,
    /// Whether an erratum without effect is an error.
    pub complete: bool,
}

/// The name of the file.
const FILE: &str = "errata.toml";

impl Errata {
    /// Reads `errata.toml`.
    ///
    /// # Errors
    /// When the text is no TOML of this form.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problems> {
        toml::from_str(text).map_err(|error| {
            let problem = Problem::new(format!("not an errata file: {}", error.message())).in_file(file);
            let problem = match error.span() {
                Some(span) => {
                    let before = text.get(..span.start).unwrap_or(text);
                    problem.at(format!("line {}", 1 + before.matches('\n').count()))
                }
                None => problem,
            };
            problem.help("the form is described at the top of the file").into()
        })
    }

    /// The errata that hold for a release.
    ///
    /// # Errors
    /// When the release is no version, or a name that the file gives is none.
    pub fn applicable(&self, release: &str) -> Result<Applicable, Problems> {
        let version = Version::parse(release).map_err(|error| {
            Problem::new(format!("`{release}` is no release: {error}"))
                .in_file("pin.toml")
                .help("a release is a version such as 0.169.0: run `cargo xtask pull` with one")
        })?;
        let problems = self.wrong_names();
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        // A pre-release belongs to the release that it precedes.
        let plain = Version::new(version.major, version.minor, version.patch);
        let mut errata = self.clone();
        errata.rename.retain(|erratum| erratum.releases.matches(&plain));
        errata.flattened.retain(|erratum| erratum.releases.matches(&plain));
        errata.open.retain(|erratum| erratum.releases.matches(&plain));
        errata.presence.retain(|erratum| erratum.releases.matches(&plain));
        errata.three_state.retain(|erratum| erratum.releases.matches(&plain));
        errata.response.retain(|erratum| erratum.releases.matches(&plain));
        errata.untagged.retain(|erratum| erratum.releases.matches(&plain));
        errata.name.retain(|erratum| erratum.releases.matches(&plain));
        errata.skip.retain(|erratum| erratum.releases.matches(&plain));
        Ok(Applicable { errata, strict: version == self.reviewed, complete: version == self.reviewed })
    }

    /// Names for Rust that Rust would not take, or would warn about.
    fn wrong_names(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut check = |is_name: bool, name: &str, place: String, form: &str| {
            if !is_name {
                problems
                    .push(Problem::new(format!("`{name}` can't be a name in Rust")).in_file(FILE).at(place).help(form));
            }
        };
        let variant = "the name of a variant is a word such as `OnRequest`";
        for erratum in &self.name {
            let place = format!("the name of `{}` of {}", erratum.wire, erratum.definition);
            check(names::is_upper_camel(&erratum.rust), &erratum.rust, place, variant);
        }
        for erratum in &self.untagged {
            for name in &erratum.variants {
                let place = format!("the variants of {}", erratum.definition);
                check(names::is_upper_camel(name), name, place, variant);
            }
        }
        for erratum in &self.flattened {
            let place = format!("the flattened map of {}", erratum.definition);
            let form = "the name of a field is a word such as `per_app`, and no keyword";
            check(names::is_snake(&erratum.field), &erratum.field, place, form);
        }
        for (segment, module) in &self.families {
            let place = format!("the family of `{segment}`");
            let form = "the name of a module is a word such as `remote_control`, and no keyword";
            check(names::is_snake(module), module, place, form);
        }
        problems
    }
}

/// What a stage found out about its input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What a person should look at.
    pub(crate) notes: Vec<Problem>,
}

impl Applicable {
    /// An erratum that does not apply.
    pub(crate) fn stale(&self, what: &str, findings: &mut Findings) {
        let problem = Problem::new(format!("{what} no longer applies")).in_file(FILE).help(
            "look at what upstream changed, then remove the erratum or end its range, `releases = \">=0.160.0, <0.170.0\"`",
        );
        self.without_effect(problem, findings);
    }

    /// An erratum without effect, in other words.
    pub(crate) fn without_effect(&self, problem: Problem, findings: &mut Findings) {
        if self.complete { findings.problems.push(problem) } else { findings.notes.push(problem) }
    }

    /// Something that a person has to look at before it is right.
    pub(crate) fn unreviewed(&self, problem: Problem, findings: &mut Findings) {
        if self.strict { findings.problems.push(problem) } else { findings.notes.push(problem) }
    }

    /// Whether a definition is not to be emitted.
    pub(crate) fn skips(&self, definition: &str) -> bool {
        self.errata.skip.iter().any(|skip| skip.definition == definition)
    }
}
