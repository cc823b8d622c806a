//! Values beyond the schema: unknowns, which a decoder has to preserve, and
//! mutations, which it has to refuse.
//!
//! What is made here is a candidate. Whether a mutation really is refused
//! depends on the other arms of the unions around it, so the caller asks the
//! validator about the whole value.

use serde_json::{Map, Value, json};

use super::generate::{common, integer, is_far, tagged};
use super::shape::{Additional, Alternative, Envelope, Family, Object, Schemas};
use super::validate::{Reading, accepts};
use super::{Made, place, step};

/// A word that upstream will never use.
const UNKNOWN: &str = "xUnknown";

/// What to write in place of a value of another type.
fn wrong_types() -> [Value; 5] {
    [json!(5), json!("x"), json!([]), json!({}), json!(true)]
}

fn content() -> Value {
    json!({ "list": [1, null, -2.5, { "ключ": "\" \\ \n 🦀" }], "": true })
}

impl<'a> Schemas<'a> {
    /// Unknown fields, enum values and tags, in the object itself and in the
    /// objects written inside it. What another definition is in charge of is
    /// left to it, but for unknown enum values and tags: those are tried
    /// through every property.
    pub fn unknowns_of(self, arms: &[Alternative<'a>], schema: &'a Value, at: &str) -> Vec<Made> {
        let mut made = Vec::new();
        let place = place(at);
        match self.family(schema) {
            Family::Enum => {
                let note = format!("unknown enum value at {place}");
                made.push(Made::new(json!(UNKNOWN), note));
            }
            Family::Tagged(tag) => {
                let (core, _) = self.core(schema);
                let mut fields = common(self, arms);
                let envelope = arms.iter().any(|arm| match arm {
                    Alternative::Object(object) => object.envelope != Envelope::None,
                    _ => false,
                });
                let value = if envelope { "x/unknown" } else { UNKNOWN };
                if !envelope && core.get("required").is_none() {
                    let bare = json!({ tag.name: value });
                    made.push(Made::new(bare, format!("unknown tag at {place}, bare")));
                }
                let payload = if envelope { "params" } else { "xPayload" };
                fields.insert(tag.name.to_owned(), json!(value));
                fields.insert(payload.to_owned(), content());
                let note = format!("unknown tag at {place}, with content");
                made.push(Made::new(Value::Object(fields), note));
            }
            Family::OneKey { .. } => {
                let is_choice = |arm: &Alternative<'_>| matches!(arm, Alternative::Choice(_));
                if arms.iter().any(is_choice) {
                    let note = format!("unknown string at {place}");
                    made.push(Made::new(json!(UNKNOWN), note));
                }
                let note = format!("unknown one-key object at {place}");
                made.push(Made::new(json!({ UNKNOWN: content() }), note));
            }
            Family::Other => {}
        }
        let one_key = matches!(self.family(schema), Family::OneKey { .. });
        for arm in arms {
            match arm {
                Alternative::List(items) => {
                    let inner = self.unknowns(items, &step(at, "0"));
                    made.extend(inner.into_iter().map(in_list));
                }
                Alternative::Object(object) if object.is_map() => {
                    if let Additional::Declared(schema) = object.additional {
                        let inner = self.unknowns(schema, &step(at, "key"));
                        made.extend(inner.into_iter().map(in_map));
                    }
                }
                Alternative::Object(object) if !object.via_reference && !object.open_arm => {
                    self.unknowns_in(arm, object, one_key, at, &mut made);
                }
                _ => {}
            }
        }
        made
    }

    fn unknowns_in(self, arm: &Alternative<'a>, object: &Object<'a>, one_key: bool, at: &str, made: &mut Vec<Made>) {
        let Some(Value::Object(base)) = self.minimal_of(arm) else {
            return;
        };
        let message = object.envelope != Envelope::None;
        let arm = object.label();
        // What stands beside a payload is the envelope's, and a one-key object
        // has one key.
        let declared = matches!(object.additional, Additional::Declared(_));
        if !(declared || message || one_key && object.is_one_key()) {
            let closed = match object.additional {
                Additional::Closed => ", closed object",
                _ => "",
            };
            let mut fields = base.clone();
            fields.insert("xUnknownField".to_owned(), content());
            let note = format!("unknown field at {}{arm}{closed}", place(at));
            made.push(Made::new(Value::Object(fields), note));
        }
        for (name, property) in object.tried() {
            if tagged(object, name).is_none() {
                let inner = self.unknowns(property.schema, &step(at, name));
                for Made { value, note } in inner {
                    let unknown = Made::new(value, format!("{note}{arm}"));
                    made.push(in_field(&base, name, unknown));
                }
            }
        }
    }

    fn unknowns(self, schema: &'a Value, at: &str) -> Vec<Made> {
        if is_far(at) {
            return Vec::new();
        }
        self.unknowns_of(&self.alternatives(schema), schema, at)
    }

    /// Values that differ from a valid one by one mutation.
    pub fn mutations_of(self, arms: &[Alternative<'a>], schema: &'a Value, at: &str) -> Vec<Made> {
        let mut made: Vec<Made> = self.wrong_type(arms, schema, at).into_iter().collect();
        for arm in arms {
            match arm {
                Alternative::Integer(range) => {
                    let (low, high) = range.format;
                    let mut put = |value: Value, what: &str| {
                        let note = format!("{what} at {}: {value}", place(at));
                        made.push(Made::new(value, note));
                    };
                    put(json!(1.5), "fraction");
                    if low >= 0 {
                        put(json!(-1), "negative");
                    } else if i64::try_from(low - 1).is_ok() {
                        put(integer(low - 1), "out of range");
                    }
                    if u64::try_from(high + 1).is_ok() {
                        put(integer(high + 1), "out of range");
                    }
                }
                Alternative::List(items) => {
                    let inner = self.mutations(items, &step(at, "0"));
                    made.extend(inner.into_iter().map(in_list));
                }
                Alternative::Object(object) if object.is_map() => {
                    if let Additional::Declared(schema) = object.additional {
                        let inner = self.mutations(schema, &step(at, "key"));
                        made.extend(inner.into_iter().map(in_map));
                    }
                }
                Alternative::Object(object) if !object.via_reference && !object.open_arm => {
                    self.mutations_in(arm, object, at, &mut made);
                }
                _ => {}
            }
        }
        made
    }

    fn mutations_in(self, arm: &Alternative<'a>, object: &Object<'a>, at: &str, made: &mut Vec<Made>) {
        let Some(Value::Object(base)) = self.minimal_of(arm) else {
            return;
        };
        let arm = object.label();
        for (name, property) in object.tried() {
            let at = step(at, name);
            let is_tag = tagged(object, name).is_some();
            if property.required {
                let mut fields = base.clone();
                fields.remove(name);
                let what = if is_tag { "missing tag" } else { "missing required field" };
                made.push(Made::new(Value::Object(fields), format!("{what} {at}{arm}")));
                let null = Made::new(Value::Null, format!("null for required {at}{arm}"));
                made.push(in_field(&base, name, null));
            }
            let body = match object.tag {
                Some(_) if !is_tag => format!("{arm}, known tag with a bad body"),
                _ => arm.clone(),
            };
            for Made { value, note } in self.mutations(property.schema, &at) {
                let bad = Made::new(value, format!("{note}{body}"));
                made.push(in_field(&base, name, bad));
            }
        }
    }

    fn mutations(self, schema: &'a Value, at: &str) -> Vec<Made> {
        if is_far(at) {
            return Vec::new();
        }
        self.mutations_of(&self.alternatives(schema), schema, at)
    }

    /// The first value of another type that no arm has room for. None for a
    /// schema that is nothing but `null`: a decoder has nothing to decode there.
    fn wrong_type(self, arms: &[Alternative<'a>], schema: &'a Value, at: &str) -> Option<Made> {
        let first = match arms.iter().find(|arm| !matches!(arm, Alternative::Null))? {
            Alternative::Boolean | Alternative::Integer(_) | Alternative::Number { .. } => {
                json!("x")
            }
            Alternative::List(_) => json!({}),
            Alternative::Object(_) => json!([]),
            _ => json!(5),
        };
        let refused = |value: &Value| !accepts(self, Reading::Lenient, schema, value);
        let mut values = std::iter::once(first).chain(wrong_types());
        let value = values.find(refused)?;
        let note = format!("wrong type at {}: {value}", place(at));
        Some(Made::new(value, note))
    }
}

fn in_list(Made { value, note }: Made) -> Made {
    Made::new(Value::Array(vec![value]), note)
}

fn in_map(Made { value, note }: Made) -> Made {
    Made::new(json!({ "key": value }), note)
}

fn in_field(base: &Map<String, Value>, name: &str, Made { value, note }: Made) -> Made {
    let mut fields = base.clone();
    fields.insert(name.to_owned(), value);
    Made::new(Value::Object(fields), note)
}
