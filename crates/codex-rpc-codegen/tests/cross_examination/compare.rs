//! The comparison of our model with the second reading, definition by definition.
//!
//! What must always hold: every definition, member and variant of the model was
//! looked up in the second reading, and every type of the second reading was
//! looked at; see [`Report::counts`] and the assertions in `main`.

use std::collections::{BTreeMap, BTreeSet};

use codex_rpc_codegen::model::{Arm, Definition, EnumValue, KeyArm, Protocol, Shape, Type, UntaggedArm};

use crate::second::{Object, Second, Ty};
use crate::view::{Alternative, View};

/// Definitions whose names are no Rust names to typify, and what it calls them.
const RENAMED: [(&str, &str); 6] = [
    ("JSONRPCError", "JsonrpcError"),
    ("JSONRPCErrorError", "JsonrpcErrorError"),
    ("JSONRPCMessage", "JsonrpcMessage"),
    ("JSONRPCNotification", "JsonrpcNotification"),
    ("JSONRPCRequest", "JsonrpcRequest"),
    ("JSONRPCResponse", "JsonrpcResponse"),
];

/// A place where the readings disagree, and how.
pub type Difference = (String, String);

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Definitions of the schema.
    pub definitions: usize,
    /// Objects and enums without a name in the schema.
    pub inner: usize,
    /// Members of records, those of arms included.
    pub members: usize,
    /// Values, arms, units and keys of unions.
    pub variants: usize,
    /// Methods.
    pub methods: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    pub differences: BTreeSet<Difference>,
    pub counts: Counts,
    /// Types of the second reading that were looked at.
    pub types: usize,
    /// Types of the second reading that nothing looked at.
    pub overlooked: BTreeSet<String>,
}

/// What was compared, by its place in the model.
#[derive(Default)]
pub(crate) struct Seen {
    definitions: BTreeSet<String>,
    inner: BTreeSet<String>,
    pub(crate) members: BTreeSet<String>,
    variants: BTreeSet<String>,
    pub(crate) methods: BTreeSet<String>,
}

pub(crate) struct Comparison<'a> {
    pub(crate) protocol: &'a Protocol,
    pub(crate) view: View<'a>,
    /// Definitions by typify's names.
    names: BTreeMap<String, &'a str>,
    pub(crate) seen: Seen,
    differences: BTreeSet<Difference>,
}

/// Compares a model with the second reading of `definitions`.
pub fn compare<'a>(protocol: &'a Protocol, definitions: &BTreeSet<&'a str>, second: &'a Second) -> Report {
    let rust = |name: &str| RENAMED.iter().find(|(from, _)| *from == name).map_or(name, |(_, to)| *to).to_owned();
    let names: BTreeMap<String, &str> = definitions.iter().map(|name| (rust(name), *name)).collect();
    assert_eq!(names.len(), definitions.len(), "typify has one name for two definitions");
    let mut comparison =
        Comparison { protocol, view: View::new(second), names, seen: Seen::default(), differences: BTreeSet::new() };
    for (rust, name) in comparison.names.clone() {
        match (protocol.definitions.get(name), second.items.contains_key(&rust)) {
            (Some(definition), true) => comparison.shape(name, definition, &Ty::Named(rust)),
            (model, typify) => {
                let said = |has| if has { "has it" } else { "lacks it" };
                comparison.differ(name, format!("the model {}, typify {}", said(model.is_some()), said(typify)));
            }
        }
    }
    for definition in protocol.definitions.values().filter(|definition| !definition.inner) {
        if !definitions.contains(definition.name.as_str()) {
            comparison.differ(&definition.name, "the model has it, the schema does not".to_owned());
        }
    }
    let Seen { definitions, inner, members, variants, methods } = &comparison.seen;
    let counts = Counts {
        definitions: definitions.len(),
        inner: inner.len(),
        members: members.len(),
        variants: variants.len(),
        methods: methods.len(),
    };
    let overlooked = comparison.view.overlooked();
    Report { types: comparison.view.looked_at(), overlooked, counts, differences: comparison.differences }
}

/// How much there is to compare in a model.
pub fn all(protocol: &Protocol) -> Counts {
    let mut counts = Counts::default();
    for definition in protocol.definitions.values() {
        *if definition.inner { &mut counts.inner } else { &mut counts.definitions } += 1;
        counts.members += definition.records().iter().map(|(_, record)| record.fields.len()).sum::<usize>();
        counts.variants += match &definition.shape {
            Shape::StringEnum(values) => values.len(),
            Shape::Tagged { arms, .. } => arms.len(),
            Shape::External { units, keys, open: _ } => units.len() + keys.len(),
            Shape::Untagged(arms) => arms.len(),
            Shape::Record(_) | Shape::Newtype(_) | Shape::Nullable(_) | Shape::Methods => 0,
        };
    }
    counts.methods = protocol.methods.iter().filter(|method| !method.typescript_only).count();
    counts
}

impl Comparison<'_> {
    pub(crate) fn differ(&mut self, place: &str, what: String) {
        self.differences.insert((place.to_owned(), what));
    }

    /// Names that only one reading has.
    pub(crate) fn same_names(&mut self, place: &str, kind: &str, model: &BTreeSet<String>, typify: &BTreeSet<String>) {
        for name in model.difference(typify) {
            self.differ(place, format!("the model has the {kind} `{name}`, typify lacks it"));
        }
        for name in typify.difference(model) {
            self.differ(place, format!("typify has the {kind} `{name}`, the model lacks it"));
        }
    }

    fn shape(&mut self, place: &str, definition: &Definition, ty: &Ty) {
        let seen = if definition.inner { &mut self.seen.inner } else { &mut self.seen.definitions };
        seen.insert(definition.name.clone());
        let owner = &definition.name;
        match &definition.shape {
            Shape::Record(record) => {
                let objects = self.objects(place, ty);
                self.record(place, owner, record, &objects);
            }
            Shape::StringEnum(values) => self.values(place, owner, values, ty),
            Shape::Tagged { tag, arms } => self.tagged(place, owner, tag, arms, ty),
            Shape::External { units, keys, open } => {
                let arms_are_open = self.external(place, owner, units, keys, ty);
                if *open != arms_are_open {
                    let said = |open| if open { "open" } else { "closed" };
                    self.differ(
                        place,
                        format!(
                            "upstream's arms are {} in the model and {} in typify",
                            said(*open),
                            said(arms_are_open)
                        ),
                    );
                }
            }
            Shape::Untagged(arms) => self.untagged(place, owner, arms, ty),
            Shape::Newtype(inner) => match self.view.wrapped(ty) {
                Some(wrapped) => self.ty(place, inner, wrapped),
                None => self.differ(place, "the model has another name for a type, typify a type".to_owned()),
            },
            Shape::Nullable(inner) => match self.view.wrapped(ty) {
                Some(Ty::Option(wrapped)) => self.ty(place, inner, wrapped),
                _ => self.differ(place, "the model has a type or null, typify a type".to_owned()),
            },
            Shape::Methods => self.methods(place, ty),
        }
    }

    /// The objects that a type takes; what else it takes is a difference.
    pub(crate) fn objects(&mut self, place: &str, ty: &Ty) -> Vec<Object> {
        let mut objects = Vec::new();
        for alternative in self.view.alternatives(ty) {
            match alternative {
                Alternative::Object(object) => objects.push(object),
                Alternative::Constant(value) => {
                    self.differ(place, format!("typify takes the string `{value}`, the model objects only"));
                }
                Alternative::Other(ty) => {
                    self.differ(place, format!("typify takes {}, the model objects only", says(&ty)));
                }
            }
        }
        objects
    }

    /// Objects by the value of a member, which they lose.
    pub(crate) fn by_tag(&mut self, place: &str, tag: &str, ty: &Ty) -> BTreeMap<String, Vec<Object>> {
        let mut arms: BTreeMap<String, Vec<Object>> = BTreeMap::new();
        for mut object in self.objects(place, ty) {
            let member = object.members.remove(tag);
            match member
                .filter(|member| !member.optional && !member.nullable)
                .and_then(|member| self.view.constant(&member.ty))
            {
                Some(value) => arms.entry(value).or_default().push(object),
                None => self.differ(place, format!("typify has an arm without the tag `{tag}`")),
            }
        }
        arms
    }

    fn values(&mut self, place: &str, owner: &str, values: &[EnumValue], ty: &Ty) {
        let mut typify = BTreeSet::new();
        for alternative in self.view.alternatives(ty) {
            match alternative {
                Alternative::Constant(value) => {
                    typify.insert(value);
                }
                Alternative::Object(_) => {
                    self.differ(place, "typify takes an object, the model strings only".to_owned());
                }
                Alternative::Other(ty) => {
                    self.differ(place, format!("typify takes {}, the model known strings only", says(&ty)));
                }
            }
        }
        self.seen.variants.extend(values.iter().map(|value| format!("{owner} {}", value.wire)));
        let model = values.iter().map(|value| value.wire.clone()).collect();
        self.same_names(place, "value", &model, &typify);
    }

    fn tagged(&mut self, place: &str, owner: &str, tag: &str, arms: &[Arm], ty: &Ty) {
        let mut typify = self.by_tag(place, tag, ty);
        let model = arms.iter().map(|arm| arm.wire.clone()).collect();
        self.same_names(place, "arm", &model, &typify.keys().cloned().collect());
        for arm in arms {
            self.seen.variants.insert(format!("{owner} {}", arm.wire));
            let owner = format!("{owner}/{}", arm.wire);
            match typify.remove(&arm.wire) {
                Some(objects) => self.record(&format!("{place}/{}", arm.wire), &owner, &arm.record, &objects),
                // It is a difference by now.
                None => {
                    self.seen.members.extend(arm.record.fields.iter().map(|field| format!("{owner}.{}", field.wire)));
                }
            }
        }
    }

    /// The answer is whether typify found an arm for any other string and object.
    fn external(&mut self, place: &str, owner: &str, units: &[EnumValue], keys: &[KeyArm], ty: &Ty) -> bool {
        let (mut strings, mut objects) = (BTreeSet::new(), BTreeMap::new());
        let (mut any_string, mut any_object) = (false, false);
        for alternative in self.view.alternatives(ty) {
            match alternative {
                Alternative::Constant(value) => {
                    strings.insert(value);
                }
                Alternative::Object(mut object) => match (object.members.pop_first(), object.members.len()) {
                    (Some((wire, member)), 0) if !member.optional => {
                        objects.insert(wire, if member.nullable { Ty::Option(Box::new(member.ty)) } else { member.ty });
                    }
                    (None, _) => any_object = true,
                    (Some((wire, _)), _) => {
                        self.differ(place, format!("typify has an arm with `{wire}` that is no key of its own"));
                    }
                },
                Alternative::Other(Ty::String) => any_string = true,
                Alternative::Other(ty) => self.differ(place, format!("typify has an arm for {}", says(&ty))),
            }
        }
        if any_string != any_object {
            self.differ(place, "typify has an arm for any string or for any object, and not for both".to_owned());
        }
        let model = units.iter().map(|unit| unit.wire.clone()).collect();
        self.same_names(place, "string", &model, &strings);
        let model = keys.iter().map(|key| key.wire.clone()).collect();
        self.same_names(place, "key", &model, &objects.keys().cloned().collect());
        self.seen.variants.extend(units.iter().map(|unit| format!("{owner} {}", unit.wire)));
        for key in keys {
            self.seen.variants.insert(format!("{owner} {{{}}}", key.wire));
            if let Some(ty) = objects.get(&key.wire) {
                self.ty(&format!("{place}/{}", key.wire), &key.ty, ty);
            }
        }
        any_string
    }

    fn untagged(&mut self, place: &str, owner: &str, arms: &[UntaggedArm], ty: &Ty) {
        let Some(typify) = self.view.arms(ty) else {
            self.differ(place, "the model has an untagged union, typify none".to_owned());
            return;
        };
        if arms.len() != typify.len() {
            self.differ(place, format!("the model has {} untagged arms, typify {}", arms.len(), typify.len()));
        }
        self.seen.variants.extend(arms.iter().map(|arm| format!("{owner} {}", arm.variant)));
        for (arm, ty) in arms.iter().zip(&typify) {
            self.ty(&format!("{place}/{}", arm.variant), &arm.ty, ty);
        }
    }

    /// The types of the same member, item or arm.
    pub(crate) fn ty(&mut self, place: &str, model: &Type, ty: &Ty) {
        if let (Type::Named(name), Ty::Named(other)) = (model, ty)
            && let Some(other) = self.names.get(other)
        {
            if name != other {
                self.differ(place, format!("the model refers to `{name}`, typify to `{other}`"));
            }
            return;
        }
        let same = match (model, ty) {
            (Type::Named(name), ty) => {
                let protocol = self.protocol;
                let Some(definition) = protocol.definitions.get(name) else {
                    self.differ(place, format!("the model refers to `{name}`, which it lacks"));
                    return;
                };
                // What has no name in the schema is compared member by member; so is a
                // copy that typify made of a type that has one.
                let place = if definition.inner { name.clone() } else { format!("{place}, a {name}") };
                return self.shape(&place, definition, ty);
            }
            (Type::List(model), Ty::List(ty))
            | (Type::Map(model), Ty::Map(ty))
            | (Type::Nullable(model), Ty::Option(ty)) => {
                return self.ty(place, model, ty);
            }
            (Type::Bool, Ty::Bool)
            | (Type::Double, Ty::Double)
            | (Type::String, Ty::String)
            | (Type::Any, Ty::Value) => true,
            (Type::Integer(name), Ty::Integer(other)) => name == other,
            (Type::Map(values), Ty::JsonObject) => **values == Type::Any,
            (
                Type::Bool
                | Type::Integer(_)
                | Type::Double
                | Type::String
                | Type::Any
                | Type::List(_)
                | Type::Map(_)
                | Type::Nullable(_),
                _,
            ) => false,
        };
        if !same {
            self.differ(place, format!("the type is {} in the model and {} in typify", model_says(model), says(ty)));
        }
    }
}

/// A type of the model in a sentence.
fn model_says(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Integer(name) => (*name).to_owned(),
        Type::Double => "f64".to_owned(),
        Type::String => "a string".to_owned(),
        Type::Any => "any JSON".to_owned(),
        Type::List(item) => format!("a list of {}", model_says(item)),
        Type::Map(value) => format!("a map of {}", model_says(value)),
        Type::Nullable(inner) => format!("{} or null", model_says(inner)),
        Type::Named(name) => format!("`{name}`"),
    }
}

/// A type of the second reading in a sentence.
pub(crate) fn says(ty: &Ty) -> String {
    match ty {
        Ty::Bool => "bool".to_owned(),
        Ty::Integer(name) => name.clone(),
        Ty::Double => "f64".to_owned(),
        Ty::String => "a string".to_owned(),
        Ty::Value => "any JSON".to_owned(),
        Ty::JsonObject => "any object".to_owned(),
        Ty::Null => "null".to_owned(),
        Ty::List(item) => format!("a list of {}", says(item)),
        Ty::Map(value) => format!("a map of {}", says(value)),
        Ty::Option(inner) => format!("{} or null", says(inner)),
        Ty::Constant(only) => format!("the string `{only}`"),
        Ty::Inline(_) => "an object".to_owned(),
        Ty::Named(name) => format!("`{name}`"),
    }
}
