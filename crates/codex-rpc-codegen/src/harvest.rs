//! What the TypeScript export knows and the JSON Schema export loses.
//!
//! [`harvest`] reads the `generate-ts` output of one codex release and keeps
//! every exported type alias as plain data. It is a pure function over source
//! texts: it opens no file and starts no program, so the result depends on the
//! texts only.
//!
//! What must always hold:
//! - **Nothing is guessed.** A syntax that has no place in [`TsType`], a file
//!   that does not parse, a name that nothing exports: an error that names the
//!   file and the line, never a type left out.
//! - **Nothing is tidied.** Union arms keep their order and their duplicates,
//!   because `string | null | null` (a three-state input) says something that
//!   `string | null` does not.
//! - **A reference means one type.** References are resolved through the
//!   imports of their file, so `SessionSource` of the root and the different
//!   `SessionSource` of `v2` never mix (see [`Harvest::types`]).
//! - **The same texts give the same bytes** from [`Harvest::to_json`],
//!   whatever order the files come in.

mod json;
mod link;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The four unions that list the protocol's methods.
pub const METHOD_UNIONS: [&str; 4] = ["ClientRequest", "ServerRequest", "ServerNotification", "ClientNotification"];

/// One TypeScript file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the root of the export, with `/` between its parts
    /// (`v2/Thread.ts`). Imports are resolved against it.
    pub path: String,
    /// The whole text of the file.
    pub text: String,
}

/// Every exported type alias of the experimental export, and the method lists
/// of the stable one.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
pub struct Harvest {
    /// Every exported type alias of the experimental export by name.
    ///
    /// Where several folders export the same name with the same shape there is
    /// one entry. Where the shapes differ, the type of `v2` keeps the plain
    /// name (the JSON export uses it so) and the others are named after their
    /// folder: `root/SessionSource`. References always hold the key of this
    /// map.
    pub types: BTreeMap<String, TsType>,
    /// Doc comments of the aliases by the same key, cleaned of the comment's
    /// own characters; only where there is one.
    pub docs: BTreeMap<String, String>,
    /// The method names of the stable export, in upstream's order, by the name
    /// of the union that lists them ([`METHOD_UNIONS`]).
    pub stable_methods: BTreeMap<String, Vec<String>>,
}

/// The shape of a TypeScript type, as far as the export uses TypeScript.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum TsType {
    /// A type with a name of its own in the language.
    Keyword {
        /// `string`, `number`, `boolean`, `null`, `undefined`, `unknown`,
        /// `any`, `never`, `bigint` or `object`.
        name: String,
    },
    /// A string, number or boolean that stands for itself.
    Literal {
        /// The value.
        value: serde_json::Value,
    },
    /// Another exported alias.
    Reference {
        /// Its key in [`Harvest::types`].
        name: String,
    },
    /// `Array<T>` or `T[]`.
    Array {
        /// The type of an element.
        items: Box<TsType>,
    },
    /// `{ a: T, b?: U, }`.
    Object {
        /// The fields in the order of their declaration.
        fields: Vec<TsField>,
    },
    /// `{ [key in string]?: T }`, `{ [key: string]: T }` or `Record<string, T>`.
    Map {
        /// The type of a value.
        values: Box<TsType>,
        /// Whether a key may be there without a value (`?`).
        #[serde(default, skip_serializing_if = "is_false")]
        optional: bool,
        /// The key of the alias that types the keys; none means `string`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keys: Option<String>,
    },
    /// `A | B`, in order, duplicates kept.
    Union {
        /// The arms.
        arms: Vec<TsType>,
    },
    /// `A & B`, in order.
    Intersection {
        /// The parts.
        parts: Vec<TsType>,
    },
    /// `[A, B]`.
    Tuple {
        /// The elements.
        items: Vec<TsType>,
    },
}

/// One field of a [`TsType::Object`].
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct TsField {
    /// The name on the wire.
    pub name: String,
    /// Whether the field may be left out (`name?: T`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// Its type; `T | null` is a union with an arm `null`.
    #[serde(rename = "type")]
    pub ty: TsType,
    /// Its doc comment, cleaned of the comment's own characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

/// Why an export could not be harvested.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum HarvestError {
    /// The file is no TypeScript, most often because it is cut short.
    #[error(
        "{file}:{line}: {message}; the file is truncated or damaged, make the export anew with \
         `cargo xtask pull`"
    )]
    Syntax {
        /// The file, relative to the export.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// TypeScript, but of a kind that [`TsType`] has no place for.
    #[error(
        "{file}:{line}: the harvest does not know {syntax} (`{snippet}`); teach it in \
         crates/codex-rpc-codegen/src/harvest/read.rs what this means on the wire"
    )]
    Unsupported {
        /// The file, relative to the export.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What it is called.
        syntax: String,
        /// How it starts.
        snippet: String,
    },
    /// A name is used that no file of the export declares.
    #[error(
        "{file}:{line}: `{name}` refers to {target}, which the export does not hold; the export is \
         incomplete, make it anew with `cargo xtask pull`"
    )]
    Dangling {
        /// The file that uses the name.
        file: String,
        /// The line of the use, counted from 1.
        line: usize,
        /// The name.
        name: String,
        /// Where it should be: a module path, or words for "nowhere".
        target: String,
    },
    /// One folder exports one name twice.
    #[error(
        "{second} exports `{name}`, and {first} in the same folder does too; the generator needs \
         one type a name, look at both files and teach harvest/link.rs which one counts"
    )]
    Clash {
        /// The name.
        name: String,
        /// The file read first.
        first: String,
        /// The file read second.
        second: String,
    },
    /// A union that lists methods is missing.
    #[error(
        "the {export} export declares no `{name}`, so its methods are unknown; it is incomplete or \
         of a release that this generator does not know"
    )]
    Missing {
        /// `experimental` or `stable`.
        export: &'static str,
        /// The type.
        name: String,
    },
    /// An arm of a union that lists methods names no method.
    #[error(
        "`{name}`, arm {arm}: no field `method` with a literal string; upstream changed how it \
         writes methods, teach `TsType::methods` in crates/codex-rpc-codegen/src/harvest/link.rs"
    )]
    NoMethod {
        /// The union.
        name: String,
        /// The arm, counted from 1.
        arm: usize,
    },
    /// `harvest.json` does not hold a harvest.
    #[error("harvest.json is no harvest: {message}; make it anew with `cargo xtask pull`")]
    Json {
        /// What serde says, with line and column.
        message: String,
    },
}

/// Reads the TypeScript of one release.
///
/// Files without declarations (`index.ts`) contribute nothing. Two empty
/// slices give an empty harvest: a release whose TypeScript is not at hand.
///
/// # Errors
///
/// Every variant of [`HarvestError`] but [`HarvestError::Json`].
pub fn harvest(experimental: &[SourceFile], stable: &[SourceFile]) -> Result<Harvest, HarvestError> {
    let all = link::link(&read::read(experimental)?)?;
    let few = link::link(&read::read(stable)?)?;
    for (export, files, linked) in [("experimental", experimental, &all), ("stable", stable, &few)] {
        let name = METHOD_UNIONS[0];
        if !(files.is_empty() || linked.types.contains_key(name)) {
            let name = name.to_owned();
            return Err(HarvestError::Missing { export, name });
        }
    }
    let mut stable_methods = BTreeMap::new();
    for name in METHOD_UNIONS {
        if let Some(ty) = all.types.get(name) {
            ty.methods(name)?;
        }
        if let Some(ty) = few.types.get(name) {
            stable_methods.insert(name.to_owned(), ty.methods(name)?);
        }
    }
    Ok(Harvest { types: all.types, docs: all.docs, stable_methods })
}

// Serde hands the field over by reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}
