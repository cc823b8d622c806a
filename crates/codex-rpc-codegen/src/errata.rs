//! Stage 3: reviewed corrections of what upstream published.
//!
//! What must always hold: a correction says what upstream wrote, why it is wrong,
//! what shows it and for which releases it holds; and one that no longer applies
//! is an error, so that none goes stale. Only for a release newer than the one
//! that the file was reviewed against is it a note, because a person who wants
//! bindings for today's release can't review it first.

use schemars::schema::{ObjectValidation, Schema, SchemaObject};
use semver::{Version, VersionReq};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::harvest::{Harvest, TsType};
use crate::load::Definitions;
use crate::names;
use crate::problem::{Problem, Problems};
use crate::shape::tag_of;
use crate::ts::{self, Alternative};

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

impl Errata {
    /// Reads `errata.toml`.
    ///
    /// # Errors
    /// When the text is no TOML of this form.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problems> {
        toml::from_str(text).map_err(|error| {
            Problem::new(format!("not an errata file: {}", error.message()))
                .in_file(file)
                .at(error.span().map_or_else(String::new, |span| {
                    format!("line {}", text[..span.start.min(text.len())].lines().count().max(1))
                }))
                .help("the form is described at the top of the file")
                .into()
        })
    }

    /// The errata that hold for a release.
    ///
    /// # Errors
    /// When the release is no version.
    pub fn applicable(&self, release: &str) -> Result<Applicable, Problems> {
        let version = Version::parse(release)
            .map_err(|error| Problem::new(format!("`{release}` is no release: {error}")).help("a release is a version such as 0.169.0"))?;
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
}

/// An erratum that does not apply.
pub(crate) fn stale(applicable: &Applicable, what: String, problems: &mut Vec<Problem>, notes: &mut Vec<Problem>) {
    let problem = Problem::new(format!("{what} no longer applies")).in_file("errata.toml").help(
        "look at what upstream changed, then remove the erratum or end its range, `releases = \">=0.160.0, <0.170.0\"`",
    );
    if applicable.complete { problems.push(problem) } else { notes.push(problem) }
}

/// Corrects the schema: first by the file, then by comparing the property names of
/// both exports. What the comparison finds beyond the file is an error in a strict
/// run and else corrected and noted: the TypeScript and the wire agree.
pub fn correct(
    definitions: &mut Definitions,
    harvest: &Harvest,
    applicable: &Applicable,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<Problem>,
) {
    for erratum in &applicable.errata.rename {
        let place = erratum.arm.as_ref().map_or(String::new(), |arm| format!("({arm})"));
        let applied = definitions
            .get_mut(&erratum.definition)
            .and_then(|schema| object_of(schema, erratum.arm.as_deref()))
            .is_some_and(|object| rename(object, &erratum.from, &erratum.to));
        if !applied {
            let what = format!("the rename {}{place}.{} → {}", erratum.definition, erratum.from, erratum.to);
            stale(applicable, what, problems, notes);
        }
    }
    for erratum in &applicable.errata.flattened {
        let known = definitions.contains_key(&erratum.values);
        let applied = known
            && definitions
                .get_mut(&erratum.definition)
                .and_then(|schema| object_of(schema, None))
                .is_some_and(|object| flatten(object, &erratum.values));
        if !applied {
            stale(applicable, format!("the flattened map {}", erratum.definition), problems, notes);
        }
    }
    for erratum in &applicable.errata.open {
        let object = definitions.get_mut(&erratum.definition).and_then(|schema| object_of(schema, None));
        let applied = object.is_some_and(|object| {
            let validation = validation(object);
            let closed = validation.additional_properties.is_none();
            validation.additional_properties.get_or_insert_with(|| Box::new(Schema::Bool(true)));
            closed
        });
        if !applied {
            stale(applicable, format!("the open object {}", erratum.definition), problems, notes);
        }
    }
    follow_typescript(definitions, harvest, applicable, problems, notes);
}

fn validation(object: &mut SchemaObject) -> &mut ObjectValidation {
    object.object.get_or_insert_default()
}

/// The object of a definition, or of one of its arms: by tag or by number.
fn object_of<'a>(schema: &'a mut Schema, arm: Option<&str>) -> Option<&'a mut SchemaObject> {
    let Schema::Object(object) = schema else { return None };
    let Some(arm) = arm else { return Some(object) };
    let tag = tag_of(object);
    let subschemas = object.subschemas.as_mut()?;
    let arms = subschemas.one_of.as_mut().or(subschemas.any_of.as_mut())?;
    arms.iter_mut().enumerate().find_map(|(index, schema)| {
        let Schema::Object(object) = schema else { return None };
        let found = match &tag {
            Some(tag) => tag_value(object, tag).as_deref() == Some(arm),
            None => index.to_string() == arm,
        };
        found.then_some(object)
    })
}

/// The value of an arm's tag.
pub(crate) fn tag_value(object: &SchemaObject, tag: &str) -> Option<String> {
    let Schema::Object(property) = object.object.as_ref()?.properties.get(tag)? else { return None };
    property.enum_values.as_ref()?.first()?.as_str().map(str::to_owned)
}

fn rename(object: &mut SchemaObject, from: &str, to: &str) -> bool {
    let validation = validation(object);
    if validation.properties.contains_key(to) {
        return false;
    }
    let Some(property) = validation.properties.remove(from) else { return false };
    validation.properties.insert(to.to_owned(), property);
    if validation.required.remove(from) {
        validation.required.insert(to.to_owned());
    }
    true
}

fn flatten(object: &mut SchemaObject, values: &str) -> bool {
    let validation = validation(object);
    if validation.additional_properties.is_some() {
        return false;
    }
    let reference = Schema::new_ref(format!("#/definitions/{values}"));
    validation.additional_properties = Some(Box::new(reference));
    true
}

fn follow_typescript(
    definitions: &mut Definitions,
    harvest: &Harvest,
    applicable: &Applicable,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<Problem>,
) {
    let mut found = Vec::new();
    let mut flattened = Vec::new();
    for (name, schema) in definitions.iter() {
        let Some(alternatives) = ts::alternatives(harvest, name) else { continue };
        let Schema::Object(object) = schema else { continue };
        let subschemas = object.subschemas.as_ref();
        let arms = subschemas.and_then(|all| all.one_of.as_ref().or(all.any_of.as_ref()));
        match (tag_of(object), arms) {
            (Some(tag), Some(arms)) => {
                for arm in arms {
                    let Schema::Object(arm) = arm else { continue };
                    let Some(value) = tag_value(arm, &tag) else { continue };
                    if let Some(typescript) = ts::tagged_arm(&alternatives, &tag, &value) {
                        found.extend(renames(arm, &typescript).map(|(from, to)| (name.clone(), Some(value.clone()), from, to)));
                    }
                }
            }
            (None, Some(arms)) if object.object.is_none() => {
                let plain = arms.iter().all(|arm| matches!(arm, Schema::Object(arm) if arm.object.is_some()));
                if plain && alternatives.len() == arms.len() {
                    for (index, (arm, typescript)) in arms.iter().zip(&alternatives).enumerate() {
                        let Schema::Object(arm) = arm else { continue };
                        found.extend(renames(arm, typescript).map(|(from, to)| (name.clone(), Some(index.to_string()), from, to)));
                    }
                }
            }
            _ if object.object.is_some() => {
                let Some(typescript) = ts::merge(&alternatives) else { continue };
                found.extend(renames(object, &typescript).map(|(from, to)| (name.clone(), None, from, to)));
                let open = object.object.as_ref().is_some_and(|validation| validation.additional_properties.is_some());
                if let (Some(entries), false) = (&typescript.entries, open) {
                    flattened.push((name.clone(), definition_of(definitions, entries)));
                }
            }
            _ => {}
        }
    }
    let mut report = |what: String| {
        let problem = Problem::new(what).help("if the TypeScript is right, add an erratum to protocol-schema/errata.toml");
        if applicable.strict { problems.push(problem) } else { notes.push(problem) }
    };
    for (name, arm, from, to) in found {
        let place = arm.as_ref().map_or(String::new(), |arm| format!("({arm})"));
        report(format!("{name}{place}: JSON Schema says `{from}`, TypeScript says `{to}`"));
        if let Some(object) = definitions.get_mut(&name).and_then(|schema| object_of(schema, arm.as_deref())) {
            rename(object, &from, &to);
        }
    }
    for (name, values) in flattened {
        report(format!("{name}: TypeScript says that it is a map too, JSON Schema does not"));
        if let (Some(values), Some(Schema::Object(object))) = (values, definitions.get_mut(&name)) {
            flatten(object, &values);
        }
    }
}

/// Properties that both exports have under names of the same words.
fn renames(object: &SchemaObject, typescript: &Alternative) -> impl Iterator<Item = (String, String)> {
    let properties = object.object.as_ref().map(|validation| &validation.properties);
    let mut pairs = Vec::new();
    for from in properties.into_iter().flatten().map(|(name, _)| name) {
        if typescript.field(from).is_some() {
            continue;
        }
        let same = |to: &str| names::snake(to) == names::snake(from);
        let known = |to: &str| properties.is_some_and(|properties| properties.contains_key(to));
        if let Some(field) = typescript.fields.iter().find(|field| same(&field.name) && !known(&field.name)) {
            pairs.push((from.clone(), field.name.clone()));
        }
    }
    pairs.into_iter()
}

/// The definition that a TypeScript type is, by name or by its members.
fn definition_of(definitions: &Definitions, ty: &TsType) -> Option<String> {
    match ty {
        TsType::Reference { name } => definitions.contains_key(name).then(|| name.clone()),
        TsType::Object { fields } => definitions.iter().find_map(|(name, schema)| {
            let Schema::Object(object) = schema else { return None };
            let properties = &object.object.as_ref()?.properties;
            let same = properties.len() == fields.len()
                && fields.iter().all(|field| properties.contains_key(&field.name));
            same.then(|| name.clone())
        }),
        _ => None,
    }
}
