//! What values a type of the second reading takes, whatever form typify chose for
//! it: a tagged union may be a tagged enum, an untagged one whose variants carry
//! the tag, or one whose variants are structs of their own.

use std::collections::BTreeSet;

use crate::second::{Fallback, Item, Member, Object, Payload, Second, Tagging, Ty, Variant};

/// One alternative of a type.
#[derive(Clone, Debug)]
pub enum Alternative {
    /// One string.
    Constant(String),
    Object(Object),
    Other(Ty),
}

/// The second reading, and which of its types were looked at.
pub struct View<'a> {
    second: &'a Second,
    looked_at: BTreeSet<String>,
}

impl<'a> View<'a> {
    pub fn new(second: &'a Second) -> Self {
        Self { second, looked_at: BTreeSet::new() }
    }

    /// The types that nothing looked at.
    pub fn overlooked(&self) -> BTreeSet<String> {
        self.second.items.keys().filter(|name| !self.looked_at.contains(*name)).cloned().collect()
    }

    /// How many types were looked at.
    pub fn looked_at(&self) -> usize {
        self.looked_at.len()
    }

    pub fn item(&mut self, name: &str) -> &'a Item {
        self.looked_at.insert(name.to_owned());
        self.second.items.get(name).unwrap_or_else(|| panic!("typify names the type {name} and does not write it"))
    }

    /// The type inside a struct around one type.
    pub fn wrapped(&mut self, ty: &Ty) -> Option<&'a Ty> {
        let Ty::Named(name) = ty else { return None };
        match self.item(name) {
            Item::Wrapper(inner) => Some(inner),
            Item::Record(_) | Item::Union(..) | Item::Parts(_) => None,
        }
    }

    /// The only string that a type takes.
    pub fn constant(&mut self, ty: &Ty) -> Option<String> {
        match self.alternatives(ty).as_slice() {
            [Alternative::Constant(only)] => Some(only.clone()),
            _ => None,
        }
    }

    /// The types of the arms of a union whose arms nothing tells apart, in order.
    pub fn arms(&mut self, ty: &Ty) -> Option<Vec<Ty>> {
        let Ty::Named(name) = ty else { return None };
        match self.item(name) {
            Item::Parts(parts) => Some(parts.clone()),
            Item::Union(Tagging::Untagged, variants) => Some(variants.iter().map(untagged).collect()),
            // typify found what tells the arms apart, such as the only member of each.
            Item::Union(tagging @ (Tagging::External | Tagging::Internal(_) | Tagging::Adjacent(..)), variants) => {
                let alternatives = variants.iter().flat_map(|variant| self.variant(name, tagging, variant));
                let ty = |alternative| match alternative {
                    Alternative::Constant(only) => Ty::Constant(only),
                    Alternative::Object(object) => Ty::Inline(Box::new(object)),
                    Alternative::Other(ty) => ty,
                };
                Some(alternatives.map(ty).collect())
            }
            Item::Record(_) | Item::Wrapper(_) => None,
        }
    }

    /// All alternatives, those of unions inside unions too.
    pub fn alternatives(&mut self, ty: &Ty) -> Vec<Alternative> {
        let name = match ty {
            Ty::Named(name) => name,
            Ty::Constant(only) => return vec![Alternative::Constant(only.clone())],
            Ty::Inline(object) => return vec![Alternative::Object((**object).clone())],
            // An object of which nothing is known.
            Ty::JsonObject => return vec![Alternative::Object(Object::default())],
            Ty::Map(values) => {
                return vec![Alternative::Object(Object { rest: Some((**values).clone()), ..Object::default() })];
            }
            Ty::Bool
            | Ty::Integer(_)
            | Ty::Double
            | Ty::String
            | Ty::Value
            | Ty::Null
            | Ty::List(_)
            | Ty::Option(_) => {
                return vec![Alternative::Other(ty.clone())];
            }
        };
        match self.item(name) {
            Item::Record(object) => vec![Alternative::Object(object.clone())],
            Item::Wrapper(inner) => self.alternatives(inner),
            Item::Parts(parts) => parts.iter().flat_map(|part| self.alternatives(part)).collect(),
            Item::Union(tagging, variants) => {
                variants.iter().flat_map(|variant| self.variant(name, tagging, variant)).collect()
            }
        }
    }

    fn variant(&mut self, of: &str, tagging: &Tagging, variant: &Variant) -> Vec<Alternative> {
        let tag = |object: &mut Object, tag: &str| {
            let before = object.members.insert(tag.to_owned(), required(Ty::Constant(variant.wire.clone())));
            assert!(before.is_none(), "the tag of {of} is a member too");
        };
        let payload = match &variant.payload {
            Payload::Unit => None,
            Payload::Type(ty) => Some(ty.clone()),
            Payload::Object(object) => Some(Ty::Inline(Box::new(object.clone()))),
        };
        match (tagging, payload) {
            (Tagging::External, None) => vec![Alternative::Constant(variant.wire.clone())],
            (Tagging::External, Some(ty)) => {
                let members = [(variant.wire.clone(), required(ty))].into();
                vec![Alternative::Object(Object { members, ..Object::default() })]
            }
            (Tagging::Internal(name), None) => {
                let mut object = Object::default();
                tag(&mut object, name);
                vec![Alternative::Object(object)]
            }
            (Tagging::Internal(name), Some(ty)) => {
                let mut alternatives = self.alternatives(&ty);
                for alternative in &mut alternatives {
                    let Alternative::Object(object) = alternative else { panic!("a tagged arm of {of} is no object") };
                    tag(object, name);
                }
                alternatives
            }
            (Tagging::Adjacent(name, content), payload) => {
                let members = payload.map(|ty| (content.clone(), required(ty))).into_iter().collect();
                let mut object = Object { members, ..Object::default() };
                tag(&mut object, name);
                vec![Alternative::Object(object)]
            }
            (Tagging::Untagged, None) => vec![Alternative::Other(Ty::Null)],
            (Tagging::Untagged, Some(ty)) => self.alternatives(&ty),
        }
    }
}

fn untagged(variant: &Variant) -> Ty {
    match &variant.payload {
        Payload::Unit => Ty::Null,
        Payload::Type(ty) => ty.clone(),
        Payload::Object(object) => Ty::Inline(Box::new(object.clone())),
    }
}

fn required(ty: Ty) -> Member {
    let (ty, nullable) = match ty {
        Ty::Option(inner) => (*inner, true),
        ty => (ty, false),
    };
    Member { ty, optional: false, nullable, fallback: Fallback::Nothing }
}
