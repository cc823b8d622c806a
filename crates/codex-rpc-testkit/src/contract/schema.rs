//! The exported schema against the tables of the bindings.
//!
//! Names, values and types are compared, not the text: which definitions, methods,
//! members, enum values and union arms there are, of which type, and what is required.

use std::collections::{BTreeMap, BTreeSet};

use codex_rpc::registry::{Definition, Member, Members, Presence, Shape, Type, definitions, find};
use codex_rpc::{METHODS, MethodKind};
use serde_json::{Map, Value};

use super::census::is_left_out;
use super::export::Export;
use super::{Finding, Row, Step};

/// Methods that only upstream's TypeScript export names; the census says whether the
/// server accepts them.
fn is_request_of_typescript_only(info: &codex_rpc::MethodInfo, export: &Export) -> bool {
    info.kind == MethodKind::Request && info.params.is_some_and(|params| !export.definitions.contains_key(params))
}

struct Check {
    findings: Vec<Finding>,
    notes: Vec<String>,
    /// By what is compared: how many, and how many findings.
    rows: BTreeMap<What, (usize, usize)>,
}

/// What is compared; the order is that of the report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Method,
    Definition,
    Member,
    Value,
    Variant,
    Presence,
    Type,
}

impl What {
    /// One, in a sentence.
    fn one(self) -> &'static str {
        match self {
            Self::Method => "the method",
            Self::Definition => "the definition",
            Self::Member => "the member",
            Self::Value => "the value",
            Self::Variant => "the variant",
            Self::Presence => "the member's presence",
            Self::Type => "the type",
        }
    }

    /// All, in a table.
    fn all(self) -> &'static str {
        match self {
            Self::Method => "methods",
            Self::Definition => "definitions",
            Self::Member => "members",
            Self::Value => "enum values",
            Self::Variant => "union variants",
            Self::Presence => "members required or not",
            Self::Type => "types of members",
        }
    }
}

impl Check {
    fn compared(&mut self, what: What, count: usize) {
        self.rows.entry(what).or_default().0 += count;
    }

    fn found(&mut self, what: What, place: impl Into<String>, message: impl Into<String>) {
        self.rows.entry(what).or_default().1 += 1;
        self.findings.push(Finding { place: place.into(), message: message.into() });
    }

    /// Names that only one side has.
    fn names<'a>(
        &mut self,
        place: &str,
        what: What,
        ours: impl IntoIterator<Item = &'a str>,
        theirs: impl IntoIterator<Item = &'a str>,
    ) {
        let ours: BTreeSet<&str> = ours.into_iter().collect();
        let theirs: BTreeSet<&str> = theirs.into_iter().collect();
        self.compared(what, theirs.len());
        let one = what.one();
        for name in theirs.difference(&ours) {
            self.found(what, place, format!("{one} `{name}` is new: the bindings do not know it"));
        }
        for name in ours.difference(&theirs) {
            self.found(what, place, format!("{one} `{name}` is gone"));
        }
    }
}

pub(super) fn check(export: &Export) -> Step {
    let mut check = Check { findings: Vec::new(), notes: Vec::new(), rows: BTreeMap::new() };
    methods(&mut check, export);
    let theirs: BTreeSet<&str> = export.definitions.keys().map(String::as_str).collect();
    check.compared(What::Definition, theirs.len());
    for name in &theirs {
        if find(name).is_none() {
            check.found(What::Definition, *name, "the definition is new: the bindings do not know it");
        }
    }
    let of_typescript = reachable_only_from_typescript(export);
    for definition in definitions().iter().filter(|definition| !definition.inner) {
        match export.definitions.get(definition.name) {
            Some(schema) => compare(&mut check, definition, schema),
            None if of_typescript.contains(definition.name) => {}
            None => check.found(What::Definition, definition.name, "the definition is gone"),
        }
    }
    let Check { mut findings, notes, rows } = check;
    findings.sort();
    let compared = rows.values().map(|(count, _)| count).sum();
    let rows = rows.into_iter().map(|(what, (count, findings))| Row::new(what.all(), count, findings)).collect();
    Step { name: "schema", title: "the schema that it exports", compared, rows, findings, notes }
}

fn methods(check: &mut Check, export: &Export) {
    let ours: BTreeMap<_, _> = METHODS
        .iter()
        .filter(|info| !is_left_out(info.method) && !is_request_of_typescript_only(info, export))
        .map(|info| ((info.direction, info.kind, info.method.to_owned()), info.experimental))
        .collect();
    check.compared(What::Method, export.methods.len());
    for (method, experimental) in &export.methods {
        let name = &method.2;
        match ours.get(method) {
            None => check.found(What::Method, name, "the method is new: the bindings do not know it"),
            Some(known) if known != experimental => {
                let now = if *experimental { "experimental" } else { "stable" };
                check.found(What::Method, name, format!("the method is {now} now"));
            }
            Some(_) => {}
        }
    }
    for method in ours.keys().filter(|method| !export.methods.contains_key(*method)) {
        check.found(What::Method, &method.2, "the method is gone");
    }
}

/// Definitions of the bindings that come from upstream's TypeScript export alone.
fn reachable_only_from_typescript(export: &Export) -> BTreeSet<&'static str> {
    let roots = METHODS.iter().filter(|info| is_request_of_typescript_only(info, export) || is_left_out(info.method));
    let mut names: Vec<&'static str> = roots.flat_map(|info| [info.params, info.response]).flatten().collect();
    let mut all = BTreeSet::new();
    while let Some(name) = names.pop() {
        let Some(definition) = find(name) else { continue };
        if export.definitions.contains_key(name) || !all.insert(definition.name) {
            continue;
        }
        let mut types: Vec<Type> = Vec::new();
        match definition.shape {
            Shape::Record(members) => types.extend(members.known.iter().map(|member| member.ty)),
            Shape::Tagged { arms, .. } => {
                types.extend(arms.iter().flat_map(|(_, members)| members.known.iter().map(|member| member.ty)));
            }
            Shape::External { keys, .. } => types.extend(keys.iter().map(|(_, ty)| *ty)),
            Shape::Untagged(arms) => types.extend(arms),
            Shape::Newtype(ty) | Shape::Nullable(ty) => types.push(ty),
            Shape::StringEnum(_) | Shape::Methods => {}
        }
        names.extend(types.into_iter().filter_map(named));
    }
    all
}

fn named(ty: Type) -> Option<&'static str> {
    match ty {
        Type::Named(name) => Some(name),
        Type::List(inner) | Type::Map(inner) | Type::Nullable(inner) => named(*inner),
        _ => None,
    }
}

fn compare(check: &mut Check, definition: &Definition, schema: &Value) {
    let name = definition.name;
    match definition.shape {
        Shape::Record(members) => record(check, name, members, schema),
        Shape::StringEnum(values) => {
            let theirs = strings(schema);
            check.names(name, What::Value, values.iter().copied(), theirs);
        }
        Shape::Tagged { tag, arms } => {
            let theirs = tagged(schema, tag);
            check.names(name, What::Variant, arms.iter().map(|(tag, _)| *tag), theirs.keys().copied());
            for (value, members) in arms {
                if let Some(arms) = theirs.get(value) {
                    let place = format!("{name}::{value}");
                    let ours = members.known.iter().map(|member| member.name);
                    let shared = names_of(schema).filter(|name| *name != tag);
                    let own = arms.iter().flat_map(|arm| all_names(arm)).filter(|name| *name != tag);
                    let known: BTreeSet<&str> = ours.clone().collect();
                    let mut theirs = Vec::new();
                    for name in shared.chain(own) {
                        let camel = camel_case(name);
                        match known.get(camel.as_str()) {
                            Some(known) if camel != name => {
                                check.notes.push(format!("{place}: `{name}` in the export is `{camel}` on the wire"));
                                theirs.push(*known);
                            }
                            _ => theirs.push(name),
                        }
                    }
                    check.names(&place, What::Member, ours, theirs);
                }
            }
        }
        Shape::External { units, keys, open: false } => {
            let arms = arms(schema);
            let theirs = arms.iter().flat_map(|arm| strings(arm));
            check.names(name, What::Value, units.iter().copied(), theirs);
            let theirs = arms.iter().flat_map(|arm| names_of(arm));
            check.names(name, What::Variant, keys.iter().map(|(key, _)| *key), theirs);
        }
        Shape::External { .. } | Shape::Untagged(_) | Shape::Methods => {}
        Shape::Newtype(ty) | Shape::Nullable(ty) => ty_of(check, name, ty, schema),
    }
}

/// Upstream's JSON Schema has the Rust names of some variants' members, which are
/// renamed on the wire.
fn camel_case(name: &str) -> String {
    let mut parts = name.split('_').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |camel, part| {
        let (head, rest) = part.split_at_checked(1).unwrap_or((part, ""));
        camel + &head.to_ascii_uppercase() + rest
    })
}

fn record(check: &mut Check, place: &str, members: Members, schema: &Value) {
    let ours = members.known.iter().map(|member| member.name);
    check.names(place, What::Member, ours, names_of(schema));
    let required: BTreeSet<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    for member in members.known {
        let Some(theirs) = properties.and_then(|properties| properties.get(member.name)) else { continue };
        let place = format!("{place}.{}", member.name);
        presence(check, &place, member, required.contains(member.name));
        ty_of(check, &place, member.ty, theirs);
    }
}

fn presence(check: &mut Check, place: &str, member: &Member, required: bool) {
    check.compared(What::Presence, 1);
    match (member.presence, required) {
        (Presence::Required, false) => check.found(What::Presence, place, "the member is no longer required"),
        // What is always written may be required, too.
        (Presence::Optional | Presence::ThreeState, true) => {
            check.found(What::Presence, place, "the member is required now");
        }
        _ => {}
    }
}

/// Compares types as far as both say what they are.
fn ty_of(check: &mut Check, place: &str, ours: Type, schema: &Value) {
    let Some(theirs) = text_of_schema(schema) else { return };
    check.compared(What::Type, 1);
    let ours = text_of(ours);
    if !same(&ours, &theirs) {
        check.found(What::Type, place, format!("the type was {ours} and is {theirs}"));
    }
}

/// A name that the export inlines is as good as what it stands for.
fn same(ours: &str, theirs: &str) -> bool {
    ours == theirs || ours == "any" || theirs == "any"
}

fn text_of(ty: Type) -> String {
    match ty {
        Type::Bool => "boolean".to_owned(),
        Type::Integer => "integer".to_owned(),
        Type::Double => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::Any => "any".to_owned(),
        Type::List(item) => format!("list of {}", text_of(*item)),
        Type::Map(entry) => format!("map of {}", text_of(*entry)),
        Type::Nullable(inner) => text_of(*inner),
        Type::Named(name) if find(name).is_some_and(|found| found.inner) => "any".to_owned(),
        Type::Named(name) => name.to_owned(),
    }
}

/// None where the schema has a form that the tables write another way.
fn text_of_schema(schema: &Value) -> Option<String> {
    let Value::Object(schema) = schema else { return Some("any".to_owned()) };
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return Some(name.rsplit('/').next()?.to_owned());
    }
    for union in ["anyOf", "oneOf", "allOf"] {
        if let Some(arms) = schema.get(union).and_then(Value::as_array) {
            let mut arms = arms.iter().filter(|arm| arm.get("type").and_then(Value::as_str) != Some("null"));
            return match (arms.next(), arms.next()) {
                (Some(only), None) => text_of_schema(only),
                _ => None,
            };
        }
    }
    if schema.contains_key("enum") || schema.contains_key("properties") {
        return None;
    }
    match single_type(schema)? {
        "array" => {
            let item = schema.get("items").map_or(Some("any".to_owned()), text_of_schema)?;
            Some(format!("list of {item}"))
        }
        "object" => match schema.get("additionalProperties") {
            Some(Value::Object(entry)) => Some(format!("map of {}", text_of_schema(&Value::Object(entry.clone()))?)),
            _ => None,
        },
        other => Some(other.to_owned()),
    }
}

/// The type, without null.
fn single_type(schema: &Map<String, Value>) -> Option<&str> {
    match schema.get("type")? {
        Value::String(only) => Some(only),
        Value::Array(types) => {
            let mut types = types.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            match (types.next(), types.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            }
        }
        _ => None,
    }
}

fn arms(schema: &Value) -> Vec<&Value> {
    let unions = ["oneOf", "anyOf"].into_iter().filter_map(|union| schema.get(union).and_then(Value::as_array));
    unions.flatten().collect()
}

/// The values of an enum, whichever way it is written.
fn strings(schema: &Value) -> Vec<&str> {
    let own = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let own: Vec<&str> = own.collect();
    own.into_iter().chain(arms(schema).into_iter().flat_map(strings)).collect()
}

fn names_of(schema: &Value) -> impl Iterator<Item = &str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|members| members.keys().map(String::as_str))
}

/// The members of an arm, those of its own arms too.
fn all_names(schema: &Value) -> Vec<&str> {
    names_of(schema).chain(arms(schema).into_iter().flat_map(all_names)).collect()
}

/// The arms of a tagged union by the value of their tag; several may have the same.
fn tagged<'a>(schema: &'a Value, tag: &str) -> BTreeMap<&'a str, Vec<&'a Value>> {
    let mut all: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for arm in arms(schema) {
        let value = arm.get("properties").and_then(|members| members.get(tag)).map(strings).unwrap_or_default();
        for value in value {
            all.entry(value).or_default().push(arm);
        }
    }
    all
}
