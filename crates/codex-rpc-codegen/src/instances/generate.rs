//! Valid values: minimal, full, and one for everything special a schema allows.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value, json};

use super::range::Range;
use super::shape::{Additional, Alternative, Object, Schemas};
use super::{Made, place, step};

/// How deep the full value of a definition goes, in objects, lists and maps.
const DEEP: usize = 5;
/// How deep a full value goes below a property of another one.
const SHALLOW: usize = 2;

/// All that is awkward in one string: quotes, escapes, control characters,
/// letters beyond ASCII and beyond the basic plane, line separators.
const AWKWARD: &str = "\"quoted\" \\ / \n\r\t\u{8}\u{c} \u{1}\u{1f}\u{7f} ключ é 日本 🦀𝄞 \u{2028} ";
/// The same one by one, for definitions that are strings.
const STRINGS: [&str; 8] = [
    "a \"quoted\" word",
    "back\\slash and /slash",
    "line\nbreak\r\n\ttab",
    "control \u{1}\u{8}\u{c}\u{1f}\u{7f}",
    "ключ naïve 日本語",
    "🦀 astral 𝄞",
    " \u{2028}\u{feff} ",
    "null",
];
/// Keys that are no identifiers.
const KEYS: [&str; 5] = ["", "a b", "ключ 🦀", "quote\" back\\slash", "a/b~c.d"];

/// How many steps into a value special values are made. Only a list or map that
/// contains itself through a reference ever gets there.
const FAR: usize = 8;

/// The definitions and properties on the way to a value, by address: meeting
/// one again means that there is no end this way.
type Path = Vec<*const Value>;

impl<'a> Schemas<'a> {
    /// A value with required fields only; `None` if there is none that ends.
    pub fn minimal(self, schema: &'a Value) -> Option<Value> {
        self.least(schema, &mut Path::new())
    }

    /// The same of one alternative.
    pub fn minimal_of(self, alternative: &Alternative<'a>) -> Option<Value> {
        self.least_of(alternative, &mut Path::new())
    }

    fn least(self, schema: &'a Value, path: &mut Path) -> Option<Value> {
        let address = std::ptr::from_ref(schema);
        if path.contains(&address) {
            return None;
        }
        path.push(address);
        let alternatives = self.alternatives(schema);
        let found = sorted(&alternatives).find_map(|each| self.least_of(each, path));
        path.pop();
        found
    }

    fn least_of(self, alternative: &Alternative<'a>, path: &mut Path) -> Option<Value> {
        Some(match alternative {
            Alternative::Anything => json!("anything"),
            Alternative::Null => Value::Null,
            Alternative::Boolean => json!(false),
            Alternative::Integer(range) => integer(1.clamp(range.low, range.high)),
            Alternative::Number { .. } => json!(0.5),
            Alternative::Text { .. } => json!("text"),
            Alternative::Choice(values) => values.first()?.clone(),
            Alternative::List(_) => json!([]),
            Alternative::Object(object) => {
                let mut fields = Map::new();
                for (name, property) in &object.properties {
                    if property.required {
                        let value = self.least(property.schema, path)?;
                        fields.insert((*name).to_owned(), tagged(object, name).unwrap_or(value));
                    }
                }
                Value::Object(fields)
            }
        })
    }

    /// A value with all properties, down to a depth; from there on minimal.
    pub fn full(self, schema: &'a Value, depth: usize) -> Option<Value> {
        let alternatives = self.alternatives(schema);
        sorted(&alternatives).find_map(|each| self.full_of(each, depth))
    }

    /// The same of one alternative.
    pub fn full_of(self, alternative: &Alternative<'a>, depth: usize) -> Option<Value> {
        let Some(below) = depth.checked_sub(1) else {
            return self.minimal_of(alternative);
        };
        match alternative {
            Alternative::Boolean => Some(json!(true)),
            Alternative::Text { .. } => Some(json!(AWKWARD)),
            Alternative::Choice(values) => values.last().cloned(),
            Alternative::Number { .. } => Some(json!(-2.25)),
            Alternative::List(items) => Some(Value::Array(vec![self.full(items, below)?])),
            Alternative::Object(object) if object.open_arm => Some(json!({ "openArm": { "why": ["upstream", null] } })),
            Alternative::Object(object) => {
                let mut fields = Map::new();
                for (name, property) in &object.properties {
                    if object.hidden.contains(name) {
                        continue;
                    }
                    match self.full(property.schema, below) {
                        Some(value) => {
                            let value = tagged(object, name).unwrap_or(value);
                            fields.insert((*name).to_owned(), value);
                        }
                        None if property.required => return None,
                        None => {}
                    }
                }
                if object.is_map()
                    && let Additional::Declared(schema) = object.additional
                {
                    fields.insert("key".to_owned(), self.full(schema, below)?);
                }
                Some(Value::Object(fields))
            }
            _ => self.minimal_of(alternative),
        }
    }

    /// Every special value of a definition, minimal and full ones first.
    pub fn specials_of(self, arms: &[Alternative<'a>], at: &str) -> Vec<Made> {
        let mut made = Vec::new();
        let (null, rest): (Vec<_>, Vec<_>) = arms.iter().partition(|arm| matches!(arm, Alternative::Null));
        let single = rest.len() == 1;
        for arm in &rest {
            if let Alternative::Object(object) = arm {
                let depth = if at.is_empty() { DEEP } else { SHALLOW };
                let full = self.full_of(arm, depth);
                let both = [("minimal", self.minimal_of(arm)), ("full", full)];
                for (what, value) in both {
                    // A union reached through a property shows each arm once.
                    let passing = !at.is_empty() && !single && object.via_reference;
                    let skipped = if what == "full" { passing } else { object.open_arm };
                    if let Some(value) = value.filter(|_| !skipped) {
                        let open = if object.open_arm { "open arm, " } else { "" };
                        let arm = object.label();
                        made.push(Made::new(value, format!("{open}{what}{}{arm}", of(at))));
                    }
                }
            }
        }
        for arm in rest {
            self.special(arm, at, &mut made);
        }
        for _ in null {
            made.push(Made::new(Value::Null, format!("null at {}", place(at))));
        }
        made
    }

    fn special(self, alternative: &Alternative<'a>, at: &str, made: &mut Vec<Made>) {
        let place = place(at);
        let mut put = |value: Value, note: String| made.push(Made::new(value, note));
        match alternative {
            Alternative::Null => {}
            Alternative::Anything => {
                for value in anything() {
                    put(value.clone(), format!("free JSON at {place}: {value}"));
                }
            }
            Alternative::Boolean => {
                put(json!(true), format!("true at {place}"));
                put(json!(false), format!("false at {place}"));
            }
            Alternative::Integer(range) => {
                for number in bounds(*range) {
                    put(integer(number), format!("integer {number} at {place}"));
                }
            }
            Alternative::Number { single } => {
                for number in numbers(*single) {
                    put(number.clone(), format!("number {number} at {place}"));
                }
            }
            Alternative::Text { open_arm: true, .. } => {
                put(json!("openArm"), format!("open arm, a string at {place}"));
            }
            Alternative::Text { min_length, .. } => {
                put(json!("text"), format!("plain string at {place}"));
                put(json!(AWKWARD), format!("awkward string at {place}"));
                if *min_length == 0 {
                    put(json!(""), format!("empty string at {place}"));
                }
                if at.is_empty() {
                    for text in STRINGS {
                        put(json!(text), format!("string {text:?} at {place}"));
                    }
                }
            }
            Alternative::Choice(values) => {
                for value in *values {
                    put(value.clone(), format!("enum value {value} at {place}"));
                }
            }
            Alternative::List(items) => self.list(items, at, made),
            Alternative::Object(object) => {
                if object.is_map() {
                    self.map(object, at, made);
                } else if !object.via_reference {
                    self.properties(alternative, object, at, made);
                }
            }
        }
    }

    fn list(self, items: &'a Value, at: &str, made: &mut Vec<Made>) {
        let at_list = place(at);
        made.push(Made::new(json!([]), format!("empty list at {at_list}")));
        let inner = self.specials(items, &step(at, "0"));
        let some: Vec<Value> = inner.iter().map(|made| made.value.clone()).collect();
        if !some.is_empty() {
            let three = some.iter().cycle().take(3).cloned().collect();
            let note = format!("list of three at {at_list}");
            made.push(Made::new(Value::Array(three), note));
        }
        made.extend(inner.into_iter().map(|Made { value, note }| {
            let note = format!("list of one at {at_list}: {note}");
            Made::new(Value::Array(vec![value]), note)
        }));
    }

    fn map(self, object: &Object<'a>, at: &str, made: &mut Vec<Made>) {
        let Additional::Declared(schema) = object.additional else {
            return;
        };
        let at_map = place(at);
        made.push(Made::new(json!({}), format!("empty map at {at_map}")));
        if let Some(value) = self.minimal(schema) {
            let odd = KEYS.map(|key| (key.to_owned(), value.clone()));
            let note = format!("map with odd keys at {at_map}");
            made.push(Made::new(Value::Object(Map::from_iter(odd)), note));
        }
        for Made { value, note } in self.specials(schema, &step(at, "key")) {
            made.push(Made::new(json!({ "key": value }), format!("map of one at {at_map}: {note}")));
        }
    }

    /// Each property of an object in turn: all its special values in an object
    /// that is minimal otherwise, and its absence from one that is full.
    fn properties(self, alternative: &Alternative<'a>, object: &Object<'a>, at: &str, made: &mut Vec<Made>) {
        let Some(Value::Object(minimal)) = self.minimal_of(alternative) else {
            return;
        };
        let full = match self.full_of(alternative, 1) {
            Some(Value::Object(full)) => full,
            _ => minimal.clone(),
        };
        let arm = object.label();
        for (name, property) in object.tried() {
            let at = step(at, name);
            if tagged(object, name).is_some() {
                continue;
            }
            let mut specials = self.specials(property.schema, &at);
            if let Some(default) = property.schema.get("default") {
                let note = format!("the default, {default}, written at {at}");
                specials.push(Made::new(default.clone(), note));
            }
            for Made { value, note } in specials {
                let mut fields = minimal.clone();
                fields.insert(name.to_owned(), value);
                made.push(Made::new(Value::Object(fields), format!("{note}{arm}")));
            }
            if !property.required && full.contains_key(name) {
                let mut fields = full.clone();
                fields.remove(name);
                made.push(Made::new(Value::Object(fields), format!("absent: {at}{arm}")));
            }
        }
        if let Additional::Declared(schema) = object.additional
            && let Some(value) = self.minimal(schema)
        {
            let mut fields = minimal;
            fields.insert("an additional 🦀 field".to_owned(), value);
            let note = format!("declared additional field at {}{arm}", place(at));
            made.push(Made::new(Value::Object(fields), note));
        }
    }

    fn specials(self, schema: &'a Value, at: &str) -> Vec<Made> {
        if is_far(at) {
            return Vec::new();
        }
        self.specials_of(&self.alternatives(schema), at)
    }
}

/// Whether a pointer leads too deep to go on.
pub(super) fn is_far(at: &str) -> bool {
    at.matches('/').count() > FAR
}

/// Alternatives in order, `null` last: it says least.
fn sorted<'s, 'a>(all: &'s [Alternative<'a>]) -> impl Iterator<Item = &'s Alternative<'a>> {
    let is_null = |each: &&Alternative<'_>| matches!(each, Alternative::Null);
    let others = all.iter().filter(move |each| !is_null(each));
    others.chain(all.iter().filter(is_null))
}

/// The tag of an arm, if that is what the property is.
pub(super) fn tagged(object: &Object<'_>, name: &str) -> Option<Value> {
    let (_, value) = object.tag.filter(|(tag, _)| *tag == name)?;
    Some(json!(value))
}

fn of(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!(" at {at}") }
}

fn anything() -> [Value; 6] {
    [
        Value::Null,
        json!(false),
        json!(u64::MAX),
        json!([0.1, -1.5e300, [], {}]),
        json!(AWKWARD),
        json!({ "": { "a/b": [1, null, "ключ"] }, "null": null }),
    ]
}

/// The ends of a range, and zero.
fn bounds(range: Range) -> Vec<i128> {
    let mut all: Vec<i128> =
        [range.low, -1, 0, 1, range.high].into_iter().filter(|number| range.contains(*number)).collect();
    all.dedup();
    all
}

/// `single`: numbers that an `f32` can tell exactly.
fn numbers(single: bool) -> [Value; 4] {
    if single {
        [json!(0.5), json!(-1_048_576.5), json!(3.0), json!(7)]
    } else {
        [json!(0.1), json!(-1.5e300), json!(3.0), json!(7)]
    }
}

/// An integer as JSON. All formats lie within i64 and u64.
pub(super) fn integer(number: i128) -> Value {
    Value::Number(match i64::try_from(number) {
        Ok(number) => Number::from(number),
        Err(_) => Number::from(u64::try_from(number).unwrap_or(u64::MAX)),
    })
}

/// The required fields that all arms of a union have in common, minimal.
pub(super) fn common<'a>(schemas: Schemas<'a>, arms: &[Alternative<'a>]) -> Map<String, Value> {
    let mut shared: Option<BTreeMap<&str, &Value>> = None;
    for arm in arms {
        let Alternative::Object(object) = arm else {
            continue;
        };
        let mut own = object.properties.clone();
        own.retain(|name, property| property.required && tagged(object, name).is_none());
        shared = Some(match shared {
            None => own.into_iter().map(|(name, p)| (name, p.schema)).collect(),
            Some(mut shared) => {
                shared.retain(|name, _| own.contains_key(name));
                shared
            }
        });
    }
    let shared = shared.unwrap_or_default().into_iter();
    shared.filter_map(|(name, schema)| Some((name.to_owned(), schemas.minimal(schema)?))).collect()
}
