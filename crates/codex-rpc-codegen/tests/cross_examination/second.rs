//! The second reading: what typify made of the definitions, as plain data.
//!
//! What must always hold: an item, attribute or type that this module does not
//! know is a panic that shows it, so that nothing typify says is passed over.

use std::collections::{BTreeMap, BTreeSet};

use codex_rpc_codegen::load::Definitions;
use quote::ToTokens;
use serde_json::Value;
use typify::{TypeSpace, TypeSpaceSettings};

use crate::attributes::{DefaultAttribute, Serde, serde};

/// The types that typify wrote, by their names in Rust.
#[derive(Debug)]
pub struct Second {
    pub items: BTreeMap<String, Item>,
}

/// A type.
#[derive(Clone, Debug)]
pub enum Item {
    Record(Object),
    /// A struct around one type.
    Wrapper(Ty),
    Union(Tagging, Vec<Variant>),
    /// A union that typify writes as a struct of flattened options, because more
    /// than one arm may fit.
    Parts(Vec<Ty>),
}

/// The members of a struct or a variant.
#[derive(Clone, Debug, Default)]
pub struct Object {
    pub members: BTreeMap<String, Member>,
    /// The type of members that are no fields, where a map takes them.
    pub rest: Option<Ty>,
    /// Whether other members are an error.
    pub closed: bool,
}

/// A member.
#[derive(Clone, Debug)]
pub struct Member {
    /// The type, without null.
    pub ty: Ty,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether it is an `Option`.
    pub nullable: bool,
    pub fallback: Fallback,
}

/// What a missing member is.
#[derive(Clone, Debug, PartialEq)]
pub enum Fallback {
    /// None, or an error.
    Nothing,
    /// What Rust takes for its type's default.
    Intrinsic,
    /// This value.
    Value(Value),
}

#[derive(Clone, Debug)]
pub enum Tagging {
    External,
    Internal(String),
    Adjacent(String, String),
    Untagged,
}

#[derive(Clone, Debug)]
pub struct Variant {
    pub wire: String,
    pub payload: Payload,
}

#[derive(Clone, Debug)]
pub enum Payload {
    Unit,
    Type(Ty),
    Object(Object),
}

/// A type where it is used.
#[derive(Clone, Debug)]
pub enum Ty {
    Bool,
    /// An integer, by its name in Rust.
    Integer(String),
    Double,
    String,
    /// Any JSON.
    Value,
    /// Any JSON object.
    JsonObject,
    /// `()`, which is null.
    Null,
    List(Box<Ty>),
    Map(Box<Ty>),
    Option(Box<Ty>),
    /// One string and no other.
    Constant(String),
    /// The members of a struct variant.
    Inline(Box<Object>),
    Named(String),
}

/// Wire names of variants by enum and variant.
type Wires = BTreeMap<(String, String), String>;

/// Lets typify read the definitions and reads what it wrote.
pub fn read(definitions: &Definitions) -> Second {
    let mut space = TypeSpace::new(&TypeSpaceSettings::default());
    space.add_ref_types(definitions.clone()).expect("typify reads the definitions");
    let file: syn::File = syn::parse2(space.to_stream()).expect("typify writes Rust");

    let mut wires = Wires::new();
    for item in &file.items {
        if let syn::Item::Enum(item) = item {
            for variant in &item.variants {
                let key = (item.ident.to_string(), variant.ident.to_string());
                wires.insert(key, serde(&variant.attrs).wire(&variant.ident));
            }
        }
    }
    let reader = Reader { fallbacks: fallbacks(&file, &wires) };
    let mut items = BTreeMap::new();
    let mut twice = BTreeSet::new();
    for item in &file.items {
        let (name, read) = match item {
            syn::Item::Struct(item) => (item.ident.to_string(), reader.record(item)),
            syn::Item::Enum(item) => (item.ident.to_string(), reader.union(item)),
            // What a type is stands in its declaration; `error` and `defaults` are typify's own.
            syn::Item::Impl(_) => continue,
            syn::Item::Mod(module) if module.ident == "error" || module.ident == "defaults" => continue,
            other => panic!("typify wrote an item of a new kind: {}", other.to_token_stream()),
        };
        if items.insert(name.clone(), read).is_some() {
            twice.insert(name);
        }
    }
    assert!(twice.is_empty(), "typify wrote two types called {twice:?}: prepare the definitions so that it does not");
    Second { items }
}

/// The values of the functions in `mod defaults`; generic ones are read where
/// they are used.
fn fallbacks(file: &syn::File, wires: &Wires) -> BTreeMap<String, Value> {
    let modules = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.ident == "defaults" => module.content.as_ref(),
        _ => None,
    });
    let mut fallbacks = BTreeMap::new();
    for item in modules.flat_map(|(_, items)| items) {
        let syn::Item::Fn(function) = item else { panic!("no function: {}", item.to_token_stream()) };
        if function.sig.generics.params.is_empty() {
            let [syn::Stmt::Expr(value, None)] = function.block.stmts.as_slice() else {
                panic!("a default of a new form: {}", function.to_token_stream());
            };
            fallbacks.insert(function.sig.ident.to_string(), literal(value, wires));
        }
    }
    fallbacks
}

/// The value of an expression: a unit variant, or a list of them.
fn literal(value: &syn::Expr, wires: &Wires) -> Value {
    match value {
        syn::Expr::Path(path) => {
            let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let [.., of, variant] = names.as_slice() else { panic!("a default of a new form: {names:?}") };
            wires[&(of.clone(), variant.clone())].clone().into()
        }
        syn::Expr::Macro(list) if list.mac.path.is_ident("vec") => {
            let items =
                list.mac.parse_body_with(syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated);
            items.expect("a list").iter().map(|item| literal(item, wires)).collect()
        }
        other => panic!("a default of a new form: {}", other.to_token_stream()),
    }
}

struct Reader {
    fallbacks: BTreeMap<String, Value>,
}

impl Reader {
    fn record(&self, item: &syn::ItemStruct) -> Item {
        let attributes = serde(&item.attrs);
        match &item.fields {
            syn::Fields::Named(fields) => {
                let flattened: Vec<&syn::Field> =
                    fields.named.iter().filter(|field| serde(&field.attrs).flatten).collect();
                let parts: Option<Vec<Ty>> = flattened.iter().map(|field| option(ty(&field.ty))).collect();
                match parts {
                    Some(parts) if !parts.is_empty() && parts.len() == fields.named.len() => Item::Parts(parts),
                    _ => Item::Record(self.object(fields, attributes.deny_unknown_fields)),
                }
            }
            syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Item::Wrapper(ty(&fields.unnamed[0].ty)),
            syn::Fields::Unnamed(_) | syn::Fields::Unit => panic!("a struct of a new form: {}", item.to_token_stream()),
        }
    }

    fn object(&self, fields: &syn::FieldsNamed, closed: bool) -> Object {
        let mut object = Object { closed, ..Object::default() };
        for field in &fields.named {
            let attributes = serde(&field.attrs);
            let written = ty(&field.ty);
            if attributes.flatten {
                let (Ty::Map(values), None) = (written, &object.rest) else {
                    panic!("a flattened field that is no map, or a second one: {}", field.to_token_stream());
                };
                object.rest = Some(*values);
                continue;
            }
            let nullable = matches!(written, Ty::Option(_));
            let fallback = self.fallback(&attributes);
            let member = Member {
                optional: attributes.default != DefaultAttribute::Absent || nullable && !attributes.must_be_there,
                ty: if let Ty::Option(inner) = written { *inner } else { written },
                nullable,
                fallback,
            };
            let wire = attributes.wire(field.ident.as_ref().expect("a named field"));
            assert!(object.members.insert(wire.clone(), member).is_none(), "two members are called {wire}");
        }
        object
    }

    fn fallback(&self, attributes: &Serde) -> Fallback {
        let function = match &attributes.default {
            DefaultAttribute::Absent => return Fallback::Nothing,
            DefaultAttribute::Intrinsic => return Fallback::Intrinsic,
            DefaultAttribute::Function(function) => function,
        };
        let path: syn::Path = syn::parse_str(function).expect("a path");
        let last = path.segments.last().expect("a name");
        match &last.arguments {
            syn::PathArguments::None => Fallback::Value(self.fallbacks[&last.ident.to_string()].clone()),
            arguments => {
                let text = arguments.to_token_stream().to_string();
                let argument = text.trim_matches([':', '<', '>', ' ']).rsplit(',').next().unwrap_or_default().trim();
                Fallback::Value(
                    serde_json::from_str(argument).unwrap_or_else(|_| panic!("a default of a new form: {text}")),
                )
            }
        }
    }

    fn union(&self, item: &syn::ItemEnum) -> Item {
        let attributes = serde(&item.attrs);
        let tagging = match (attributes.tag.clone(), attributes.content.clone(), attributes.untagged) {
            (None, None, false) => Tagging::External,
            (None, None, true) => Tagging::Untagged,
            (Some(tag), None, false) => Tagging::Internal(tag),
            (Some(tag), Some(content), false) => Tagging::Adjacent(tag, content),
            other => panic!("{} is tagged in a new way: {other:?}", item.ident),
        };
        let read = |variant: &syn::Variant| Variant {
            wire: serde(&variant.attrs).wire(&variant.ident),
            payload: match &variant.fields {
                syn::Fields::Unit => Payload::Unit,
                syn::Fields::Named(fields) => Payload::Object(self.object(fields, attributes.deny_unknown_fields)),
                syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Payload::Type(ty(&fields.unnamed[0].ty)),
                syn::Fields::Unnamed(_) => panic!("a variant of a new form: {}", variant.to_token_stream()),
            },
        };
        Item::Union(tagging, item.variants.iter().map(read).collect())
    }
}

fn option(ty: Ty) -> Option<Ty> {
    match ty {
        Ty::Option(inner) => Some(*inner),
        _ => None,
    }
}

fn ty(written: &syn::Type) -> Ty {
    let path = match written {
        syn::Type::Path(path) => &path.path,
        syn::Type::Tuple(tuple) if tuple.elems.is_empty() => return Ty::Null,
        other => panic!("a type of a new form: {}", other.to_token_stream()),
    };
    let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let arguments: Vec<Ty> = match path.segments.last().map(|segment| &segment.arguments) {
        Some(syn::PathArguments::AngleBracketed(arguments)) => arguments
            .args
            .iter()
            .map(|argument| match argument {
                syn::GenericArgument::Type(argument) => ty(argument),
                other => panic!("a type of a new form: {}", other.to_token_stream()),
            })
            .collect(),
        _ => Vec::new(),
    };
    match (names.join("::").as_str(), arguments.as_slice()) {
        ("bool", []) => Ty::Bool,
        ("f64", []) => Ty::Double,
        ("i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64", []) => Ty::Integer(names[0].clone()),
        ("std::num::NonZeroU32" | "std::num::NonZeroU64", []) => Ty::Integer(names[2].clone()),
        ("std::string::String", []) => Ty::String,
        ("serde_json::Value", []) => Ty::Value,
        ("serde_json::Map", [Ty::String, Ty::Value]) => Ty::JsonObject,
        ("std::vec::Vec", [item]) => Ty::List(Box::new(item.clone())),
        ("std::collections::HashMap", [Ty::String, value]) => Ty::Map(Box::new(value.clone())),
        ("std::option::Option", [inner]) => Ty::Option(Box::new(inner.clone())),
        // It is there because a type contains itself, and means nothing on the wire.
        ("std::boxed::Box", [inner]) => inner.clone(),
        (name, []) if names.len() == 1 => Ty::Named(name.to_owned()),
        _ => panic!("a type of a new form: {}", written.to_token_stream()),
    }
}
