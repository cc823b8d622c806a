//! What a schema says, taken apart: the alternatives of which a value is one.
//!
//! References, `allOf` of one, unions within unions and properties beside a
//! union are resolved here, so that the rest sees flat alternatives. The
//! schemas of properties, items and map values stay as they are: that is where
//! recursion stops.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::range::Range;

/// The properties that upstream tells arms apart with. They win if several
/// would do.
const TAGS: [&str; 6] = ["type", "mode", "kind", "handlerType", "method", "state"];

/// Stands in for a property that is required but not described.
static ANYTHING: Value = Value::Bool(true);

/// One namespace of definitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schemas<'a>(pub &'a Map<String, Value>);

/// One of the forms a value may take.
#[derive(Clone, Debug)]
pub(super) enum Alternative<'a> {
    Anything,
    Null,
    Boolean,
    Integer(Range),
    /// `single`: of the precision of an `f32`.
    Number {
        single: bool,
    },
    Text {
        min_length: u64,
        /// Upstream's own open arm: any string.
        open_arm: bool,
    },
    Choice(&'a [Value]),
    List(&'a Value),
    Object(Object<'a>),
}

/// An object, or a map if it has `additional` and no properties.
#[derive(Clone, Debug, Default)]
pub(super) struct Object<'a> {
    pub properties: BTreeMap<&'a str, Property<'a>>,
    pub additional: Additional<'a>,
    /// The property that tells this arm from others, and its value.
    pub tag: Option<(&'a str, &'a str)>,
    /// Optional properties which would make this another arm's value.
    pub hidden: BTreeSet<&'a str>,
    /// In a union without a tag: the property by which a note names the arm.
    pub form: Option<&'a str>,
    /// Whether another definition is in charge of this object's properties.
    pub via_reference: bool,
    /// Upstream's own open arm: any object.
    pub open_arm: bool,
    pub envelope: Envelope,
}

/// Whether an object is a whole message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Envelope {
    #[default]
    None,
    /// The first of its union: all of it is tried.
    First,
    /// One of the others: only the payload is tried.
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Property<'a> {
    pub schema: &'a Value,
    pub required: bool,
}

/// What may stand beside an object's properties.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Additional<'a> {
    /// The schema does not say: nothing known, everything preserved.
    #[default]
    Unsaid,
    Closed,
    Declared(&'a Value),
}

/// How the arms of a union are told apart.
#[derive(Clone, Debug)]
pub(super) enum Family<'a> {
    /// All arms are strings of a given set.
    Enum,
    Tagged(Tag<'a>),
    /// Strings, and objects with one key that names the arm.
    OneKey {
        keys: BTreeSet<&'a str>,
    },
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Tag<'a> {
    pub name: &'a str,
    /// The value of each arm, in order.
    pub values: Vec<&'a str>,
}

impl<'a> Object<'a> {
    pub fn is_map(&self) -> bool {
        self.properties.is_empty() && matches!(self.additional, Additional::Declared(_))
    }

    /// A closed object with one required property: how an arm with content
    /// looks beside arms that are strings.
    pub fn is_one_key(&self) -> bool {
        matches!(self.additional, Additional::Closed)
            && self.properties.len() == 1
            && self.properties.values().all(|property| property.required)
    }

    /// The properties to try out: those that are not hidden, and of most
    /// messages only the payload.
    pub fn tried(&self) -> impl Iterator<Item = (&'a str, Property<'a>)> {
        self.properties
            .iter()
            .map(|(name, property)| (*name, *property))
            .filter(|(name, _)| !self.hidden.contains(name) && (self.envelope != Envelope::Other || *name == "params"))
    }

    /// The first required property, or else the first of all.
    fn first(&self) -> Option<&'a str> {
        let mut required = self.properties.iter().filter(|(_, p)| p.required);
        let found = required.next().or_else(|| self.properties.iter().next())?;
        Some(found.0)
    }

    /// What to append to a note to say which arm of a union this is; empty if
    /// it is none.
    pub fn label(&self) -> String {
        match (self.tag, self.form) {
            (Some((name, value)), None) => format!(" ({name}={value})"),
            (Some((name, value)), Some(form)) => format!(" ({name}={value} with {form})"),
            (None, Some(form)) => format!(" (with {form})"),
            (None, None) => String::new(),
        }
    }

    /// Lays what stands beside a union into one of its arms.
    fn absorb(&mut self, shared: &Object<'a>) {
        for (name, property) in &shared.properties {
            let own = self.properties.entry(name).or_insert(*property);
            own.required |= property.required;
        }
        if matches!(self.additional, Additional::Unsaid) {
            self.additional = shared.additional;
        }
    }
}

impl<'a> Schemas<'a> {
    /// The definition a schema refers to; `None` if it is dangling.
    pub fn target(self, reference: &str) -> Option<&'a Value> {
        self.0.get(reference.rsplit('/').next()?)
    }

    /// The forms a value of this schema may take, references followed.
    pub fn alternatives(self, schema: &'a Value) -> Vec<Alternative<'a>> {
        let Value::Object(keywords) = schema else {
            return match schema {
                Value::Bool(true) => vec![Alternative::Anything],
                _ => Vec::new(),
            };
        };
        if let Some(Value::String(reference)) = keywords.get("$ref") {
            let Some(target) = self.target(reference) else {
                return Vec::new();
            };
            let mut found = self.alternatives(target);
            for alternative in &mut found {
                if let Alternative::Object(object) = alternative {
                    object.via_reference = true;
                }
            }
            return found;
        }
        if let Some(Value::Array(values)) = keywords.get("enum") {
            return vec![Alternative::Choice(values)];
        }
        let arms = union_arms(schema);
        if !arms.is_empty() {
            return self.union(schema, &arms);
        }
        if let Some(Value::Array(parts)) = keywords.get("allOf") {
            return self.intersection(parts);
        }
        match keywords.get("type") {
            Some(Value::String(name)) => vec![typed(schema, name)],
            Some(Value::Array(names)) => {
                let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                let open = names.iter().filter(|name| **name != "null").count() > 1;
                names
                    .into_iter()
                    .map(|name| {
                        let mut alternative = typed(schema, name);
                        match &mut alternative {
                            Alternative::Object(Object { open_arm, .. }) | Alternative::Text { open_arm, .. } => {
                                *open_arm = open;
                            }
                            _ => {}
                        }
                        alternative
                    })
                    .collect()
            }
            _ if keywords.contains_key("properties") || keywords.contains_key("required") => {
                vec![Alternative::Object(object(schema))]
            }
            _ => vec![Alternative::Anything],
        }
    }

    fn union(self, schema: &'a Value, arms: &[&'a Value]) -> Vec<Alternative<'a>> {
        let shared = object(schema);
        let tag = self.tag(arms);
        let is_null = |arm: &&&Value| arm.get("type").is_some_and(|name| name == "null");
        let several = arms.len() - arms.iter().filter(is_null).count() > 1;
        let mut found: Vec<Alternative<'a>> = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            for mut alternative in self.alternatives(arm) {
                if let Alternative::Object(object) = &mut alternative {
                    match &tag {
                        Some(tag) => object.tag = Some((tag.name, tag.values[index])),
                        None if several && object.tag.is_none() => {
                            object.form = object.form.or_else(|| object.first());
                        }
                        None => {}
                    }
                    object.absorb(&shared);
                }
                found.push(alternative);
            }
        }
        if tag.is_none() {
            hide(&mut found);
        }
        found
    }

    /// `allOf`: in practice one reference with a description beside it.
    fn intersection(self, parts: &'a [Value]) -> Vec<Alternative<'a>> {
        let mut parts = parts.iter();
        let mut found = parts.next().map_or_else(Vec::new, |first| self.alternatives(first));
        for part in parts {
            for other in self.alternatives(part) {
                for alternative in &mut found {
                    if let (Alternative::Object(own), Alternative::Object(other)) = (alternative, &other) {
                        own.absorb(other);
                    }
                }
            }
        }
        found
    }

    /// The tag of a union: a property that every arm requires and of which every
    /// arm allows one value only.
    pub fn tag(self, arms: &[&'a Value]) -> Option<Tag<'a>> {
        let mut candidates: Option<BTreeMap<&'a str, Vec<&'a str>>> = None;
        for arm in arms {
            let (arm, _) = self.core(arm);
            let mut own: BTreeMap<&str, &str> = constants(arm).collect();
            let required: BTreeSet<&str> = required(arm).collect();
            own.retain(|name, _| required.contains(name));
            candidates = Some(match candidates {
                None => own.into_iter().map(|(name, value)| (name, vec![value])).collect(),
                Some(candidates) => candidates
                    .into_iter()
                    .filter_map(|(name, mut values)| {
                        values.push(own.get(name)?);
                        Some((name, values))
                    })
                    .collect(),
            });
        }
        let mut candidates = candidates?;
        let preferred = TAGS.into_iter().find(|name| candidates.contains_key(name));
        let name = preferred.or_else(|| candidates.keys().next().copied())?;
        let (name, values) = candidates.remove_entry(name)?;
        Some(Tag { name, values })
    }

    /// How values of this schema are told apart, `null` left aside.
    pub fn family(self, schema: &'a Value) -> Family<'a> {
        let (schema, arms) = self.core(schema);
        if arms.is_empty() {
            return match schema.get("enum") {
                Some(values) if all_strings(values) => Family::Enum,
                _ => Family::Other,
            };
        }
        if let Some(tag) = self.tag(&arms) {
            return Family::Tagged(tag);
        }
        let mut keys = BTreeSet::new();
        for arm in arms {
            if arm.get("enum").is_some_and(all_strings) {
                continue;
            }
            for alternative in self.alternatives(arm) {
                match alternative {
                    Alternative::Object(object) if object.is_one_key() => {
                        keys.extend(object.properties.keys());
                    }
                    Alternative::Object(object) if object.open_arm => {}
                    Alternative::Text { open_arm: true, .. } => {}
                    _ => return Family::Other,
                }
            }
        }
        if keys.is_empty() { Family::Enum } else { Family::OneKey { keys } }
    }

    /// The schema behind references, `allOf` of one and `anyOf [.., null]`,
    /// and its arms without `null`.
    pub fn core(self, schema: &'a Value) -> (&'a Value, Vec<&'a Value>) {
        let target = schema.get("$ref").and_then(Value::as_str);
        if let Some(target) = target.and_then(|reference| self.target(reference)) {
            return self.core(target);
        }
        if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            return self.core(only);
        }
        let mut arms = union_arms(schema);
        arms.retain(|arm| arm.get("type").is_none_or(|name| name != "null"));
        match arms.as_slice() {
            [only] if union_arms(schema).len() == 2 => self.core(only),
            _ => (schema, arms),
        }
    }
}

/// The arms of a union, as they are written; empty if it is none.
pub(super) fn union_arms(schema: &Value) -> Vec<&Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten().collect()
}

/// The alternative that a schema is for one of its types.
fn typed<'a>(schema: &'a Value, name: &str) -> Alternative<'a> {
    match name {
        "null" => Alternative::Null,
        "boolean" => Alternative::Boolean,
        "integer" => Alternative::Integer(Range::of(schema)),
        "number" => Alternative::Number { single: schema.get("format").is_some_and(|format| format == "float") },
        "string" => Alternative::Text {
            min_length: schema.get("minLength").and_then(Value::as_u64).unwrap_or(0),
            open_arm: false,
        },
        "array" => Alternative::List(schema.get("items").unwrap_or(&ANYTHING)),
        _ => Alternative::Object(object(schema)),
    }
}

/// The object a schema describes, unions beside it left aside.
fn object(schema: &Value) -> Object<'_> {
    let mut properties = BTreeMap::new();
    if let Some(Value::Object(described)) = schema.get("properties") {
        for (name, schema) in described {
            let required = false;
            properties.insert(name.as_str(), Property { schema, required });
        }
    }
    for name in required(schema) {
        let property = properties.entry(name).or_insert(Property { schema: &ANYTHING, required: true });
        property.required = true;
    }
    Object {
        properties,
        additional: match schema.get("additionalProperties") {
            None => Additional::Unsaid,
            Some(Value::Bool(false)) => Additional::Closed,
            Some(schema) => Additional::Declared(schema),
        },
        ..Object::default()
    }
}

pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    let names = schema.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// In a union without a tag, hides what would make a value of one arm a value
/// of an earlier one.
fn hide(alternatives: &mut [Alternative<'_>]) {
    for index in 1..alternatives.len() {
        let (earlier, rest) = alternatives.split_at_mut(index);
        let Some(Alternative::Object(own)) = rest.first_mut() else {
            continue;
        };
        for earlier in earlier.iter() {
            let Alternative::Object(earlier) = earlier else {
                continue;
            };
            let required = || earlier.properties.iter().filter(|(_, p)| p.required);
            if required().all(|(name, _)| own.properties.contains_key(name)) {
                let optional = required().filter(|(name, _)| !own.properties[*name].required);
                let names: Vec<&str> = optional.map(|(name, _)| *name).collect();
                own.hidden.extend(names);
            }
        }
    }
}

/// The properties of a schema for which one string only will do.
pub(super) fn constants(schema: &Value) -> impl Iterator<Item = (&str, &str)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().filter_map(|(name, schema)| match schema.get("enum")?.as_array()?.as_slice() {
        [Value::String(value)] => Some((name.as_str(), value.as_str())),
        _ => None,
    })
}

fn all_strings(values: &Value) -> bool {
    let values = values.as_array();
    values.is_some_and(|values| values.iter().all(Value::is_string))
}
