//! Stage 1: a full bundle as typed draft-07, in one namespace.
//!
//! What must always hold: every `$ref` names a definition of the bundle, a name
//! that stands both at the root and under `v2` means the same in both, and no
//! keyword that says what a type is goes unread.

use std::collections::{BTreeMap, BTreeSet};

use schemars::schema::{Schema, SchemaObject, SingleOrVec};
use serde::Deserialize as _;
use serde_json::Value;

use crate::problem::{Problem, Problems, below};

/// All definitions of one export.
pub type Definitions = BTreeMap<String, Schema>;

/// A bundle: its definitions, and where each stands in the file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Bundle {
    /// The definitions by name.
    pub definitions: Definitions,
    /// Where they stand.
    pub places: Places,
}

/// Where definitions stand, as JSON pointers by name.
#[derive(Clone, Debug, Default)]
pub struct Places(BTreeMap<String, String>);

impl Places {
    /// Where a definition stands.
    pub fn of(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| below("/definitions", name))
    }

    /// Whether a definition has a place.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Says where a definition stands.
    pub(crate) fn set(&mut self, name: String, pointer: String) {
        self.0.insert(name, pointer);
    }
}

/// The name that a `$ref` of the bundle points to.
pub fn ref_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The arms of a union, and the keyword that they stand under.
pub(crate) fn arms_of(object: &SchemaObject) -> Option<(&'static str, &[Schema])> {
    let subschemas = object.subschemas.as_ref()?;
    match (&subschemas.one_of, &subschemas.any_of) {
        (Some(arms), _) => Some(("oneOf", arms)),
        (None, Some(arms)) => Some(("anyOf", arms)),
        (None, None) => None,
    }
}

/// Reads a bundle.
///
/// # Errors
/// When the text is no JSON, no bundle, or no draft-07 schema as schemars reads
/// it; when a name means two things; when a `$ref` points nowhere; when a keyword
/// says something about a type that the later stages would not hear.
pub fn load(text: &str, file: &str) -> Result<Bundle, Problems> {
    let Merged { entries, references } = merge(text, file)?;
    let mut problems = Vec::new();
    let mut bundle = Bundle::default();
    for (name, Entry { pointer, value }) in entries {
        if let Ok(mut schema) = Schema::deserialize(&value) {
            if let Schema::Object(object) = &mut schema {
                object.extensions.remove("$schema");
            }
            walk(&schema, &mut pointer.clone(), &mut |object, pointer| {
                check(object, pointer, &references, &mut problems);
            });
            bundle.definitions.insert(name.clone(), schema);
        } else {
            let (pointer, error) = deepest(&value, pointer.clone());
            problems.push(
                Problem::new(format!("not a draft-07 schema: {error}"))
                    .at(pointer)
                    .help("the export is torn or was edited: run `cargo xtask pull` again"),
            );
        }
        bundle.places.set(name, pointer);
    }
    if problems.is_empty() {
        Ok(bundle)
    } else {
        Err(Problems(problems.into_iter().map(|problem| problem.in_file(file)).collect()))
    }
}

/// What can be wrong with one node.
fn check(object: &SchemaObject, pointer: &str, references: &BTreeSet<String>, problems: &mut Vec<Problem>) {
    if let Some(reference) = &object.reference
        && !references.contains(reference)
    {
        problems.push(
            Problem::new(format!("the reference `{reference}` points to nothing"))
                .at(pointer)
                .help("the export is not complete: run `cargo xtask pull` again"),
        );
    }
    for keyword in unread_keywords(object) {
        problems.push(
            Problem::new(format!("the keyword `{keyword}` has no meaning here yet"))
                .at(pointer)
                .help("teach crates/codex-rpc-codegen/src/shape.rs what it means"),
        );
    }
}

/// Keywords that say what a type is and that no later stage reads. A constraint on
/// a value (`pattern`, `minLength`, `uniqueItems`) is none: the type is the same.
fn unread_keywords(object: &SchemaObject) -> impl Iterator<Item = &str> {
    let subschemas = object.subschemas.as_deref();
    let array = object.array.as_deref();
    let own = object.object.as_deref();
    let known = [
        ("const", object.const_value.is_some()),
        ("not", subschemas.is_some_and(|all| all.not.is_some())),
        ("if", subschemas.is_some_and(|all| all.if_schema.is_some())),
        ("then", subschemas.is_some_and(|all| all.then_schema.is_some())),
        ("else", subschemas.is_some_and(|all| all.else_schema.is_some())),
        ("additionalItems", array.is_some_and(|array| array.additional_items.is_some())),
        ("contains", array.is_some_and(|array| array.contains.is_some())),
        ("patternProperties", own.is_some_and(|own| !own.pattern_properties.is_empty())),
        ("propertyNames", own.is_some_and(|own| own.property_names.is_some())),
    ];
    let known = known.into_iter().filter_map(|(keyword, is_there)| is_there.then_some(keyword));
    known.chain(object.extensions.keys().map(String::as_str))
}

/// The innermost node that is no schema, and why.
fn deepest(value: &Value, pointer: String) -> (String, String) {
    let mut children: Vec<(String, &Value)> = Vec::new();
    for keyword in ["properties", "oneOf", "anyOf", "allOf"] {
        let pointer = below(&pointer, keyword);
        match value.get(keyword) {
            Some(Value::Object(all)) => children.extend(all.iter().map(|(name, one)| (below(&pointer, name), one))),
            Some(Value::Array(all)) => {
                children.extend(all.iter().enumerate().map(|(index, one)| (format!("{pointer}/{index}"), one)));
            }
            _ => {}
        }
    }
    for keyword in ["items", "additionalProperties"] {
        children.extend(value.get(keyword).filter(|one| !one.is_array()).map(|one| (below(&pointer, keyword), one)));
    }
    match children.into_iter().find(|(_, one)| Schema::deserialize(*one).is_err()) {
        Some((pointer, one)) => deepest(one, pointer),
        None if value.is_object() => {
            // The error of the one form that it can have says more.
            let error = SchemaObject::deserialize(value).err();
            (pointer, error.map_or_else(String::new, |error| error.to_string()))
        }
        None => (pointer, "it is neither an object nor a boolean".to_owned()),
    }
}

/// The definitions of a bundle as JSON, in one namespace.
struct Merged {
    entries: BTreeMap<String, Entry>,
    /// Every `$ref` that points to something.
    references: BTreeSet<String>,
}

struct Entry {
    pointer: String,
    value: Value,
}

/// Reads the definitions of a bundle.
fn merge(text: &str, file: &str) -> Result<Merged, Problems> {
    let again = "the export is torn or was edited: run `cargo xtask pull` again";
    let mut root: Value = serde_json::from_str(text)
        .map_err(|error| Problem::new(format!("not JSON: {error}")).in_file(file).help(again))?;
    let Some(Value::Object(mut definitions)) = root.get_mut("definitions").map(Value::take) else {
        return Err(Problem::new("there are no `definitions`").in_file(file).help(again).into());
    };
    let nested = match definitions.remove("v2") {
        Some(Value::Object(nested)) => nested,
        None => serde_json::Map::new(),
        Some(_) => {
            let problem = Problem::new("these are no definitions").in_file(file).at("/definitions/v2").help(again);
            return Err(problem.into());
        }
    };
    let mut merged = Merged { entries: BTreeMap::new(), references: BTreeSet::new() };
    let mut problems = Vec::new();
    for (prefix, definitions) in [("definitions", definitions), ("definitions/v2", nested)] {
        for (name, value) in definitions {
            merged.references.insert(format!("#/{prefix}/{name}"));
            match merged.entries.get(&name) {
                Some(other) if without_title(&other.value) != without_title(&value) => problems.push(
                    Problem::new(format!("`{name}` stands at the root and under v2 and is not the same in both"))
                        .in_file(file)
                        .at(&other.pointer)
                        .help("two types need two names: teach crates/codex-rpc-codegen/src/load.rs which is which"),
                ),
                Some(_) => {}
                None => {
                    let pointer = below(&format!("/{prefix}"), &name);
                    merged.entries.insert(name, Entry { pointer, value });
                }
            }
        }
    }
    if problems.is_empty() { Ok(merged) } else { Err(Problems(problems)) }
}

fn without_title(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        map.remove("title");
        map.remove("$schema");
    }
    value
}

/// Visits every schema object below `schema`, itself included, with its pointer.
fn walk(schema: &Schema, pointer: &mut String, visit: &mut impl FnMut(&SchemaObject, &str)) {
    let Schema::Object(object) = schema else { return };
    visit(object, pointer);
    if let Some(subschemas) = &object.subschemas {
        let unions = [("allOf", &subschemas.all_of), ("anyOf", &subschemas.any_of), ("oneOf", &subschemas.one_of)];
        for (keyword, arms) in unions {
            for (index, arm) in arms.iter().flatten().enumerate() {
                walk_below(arm, &[keyword, &index.to_string()], pointer, visit);
            }
        }
    }
    if let Some(validation) = &object.object {
        for (name, property) in &validation.properties {
            walk_below(property, &["properties", name], pointer, visit);
        }
        if let Some(values) = &validation.additional_properties {
            walk_below(values, &["additionalProperties"], pointer, visit);
        }
    }
    match object.array.as_ref().and_then(|array| array.items.as_ref()) {
        Some(SingleOrVec::Single(item)) => walk_below(item, &["items"], pointer, visit),
        Some(SingleOrVec::Vec(items)) => {
            for (index, item) in items.iter().enumerate() {
                walk_below(item, &["items", &index.to_string()], pointer, visit);
            }
        }
        None => {}
    }
}

fn walk_below(schema: &Schema, steps: &[&str], pointer: &mut String, visit: &mut impl FnMut(&SchemaObject, &str)) {
    let length = pointer.len();
    for step in steps {
        crate::problem::push_step(pointer, step);
    }
    walk(schema, pointer, visit);
    pointer.truncate(length);
}
