//! The same types with serde derive: the baseline that our own emitter is measured
//! against. Nothing depends on it.
//!
//! It is what a careful user would write by hand: every wire name spelled out,
//! unknown values and members kept, absent fields left out. Without `flatten` it
//! keeps no unknown members, which is lighter and loses them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{named_path, type_path};
use crate::model::{Definition, EnumValue, Presence, Protocol, Record, Rest, Shape, Side, Type};
use crate::problem::Problem;

/// The source of one file with all types.
///
/// # Errors
/// When the result is no Rust, which would be a fault of this module.
pub fn derived(protocol: &Protocol, flatten: bool) -> Result<String, Problem> {
    let definitions = protocol.definitions.values().filter(|definition| !definition.by_hand);
    let mut items: Vec<TokenStream> =
        definitions.flat_map(|definition| definition_items(protocol, definition, flatten)).collect();
    items.extend(Side::ALL.map(|side| methods(protocol, side)));
    let uses = quote!(
        use std::collections::BTreeMap;
        use serde_json::Value;
    );
    let file = syn::parse2::<syn::File>(quote!(#uses #(#items)*))
        .map_err(|error| Problem::new(format!("the baseline is no Rust: {error}")))?;
    Ok(prettyplease::unparse(&file))
}

fn derives() -> TokenStream {
    quote!(#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)])
}

fn path(protocol: &Protocol, ty: &Type) -> TokenStream {
    match ty {
        // What the protocol crate writes by hand is JSON here.
        Type::Named(name) if protocol.definitions.get(name).is_some_and(|definition| definition.by_hand) => {
            quote!(Value)
        }
        Type::Named(name) => named_path(protocol, name),
        Type::List(item) => {
            let item = path(protocol, item);
            quote!(Vec<#item>)
        }
        Type::Map(value) => {
            let value = path(protocol, value);
            quote!(BTreeMap<String, #value>)
        }
        Type::Nullable(inner) => {
            let inner = path(protocol, inner);
            quote!(Option<#inner>)
        }
        ty => type_path(protocol, ty),
    }
}

fn definition_items(protocol: &Protocol, definition: &Definition, flatten: bool) -> Vec<TokenStream> {
    let name = format_ident!("{}", definition.rust);
    let derives = derives();
    match &definition.shape {
        Shape::Record(members) => vec![record(protocol, &definition.rust, members, flatten)],
        Shape::StringEnum(values) => {
            let variants = values.iter().map(unit);
            vec![quote!(#derives pub enum #name { #(#variants,)* #[serde(untagged)] Unrecognized(String) })]
        }
        Shape::Tagged { tag, arms } => {
            let variants = arms.iter().map(|arm| {
                let (wire, variant, payload) =
                    (&arm.wire, format_ident!("{}", arm.variant), format_ident!("{}", arm.rust));
                quote!(#[serde(rename = #wire)] #variant(Box<#payload>))
            });
            let union = quote!(#derives #[serde(tag = #tag)] pub enum #name { #(#variants,)* #[serde(untagged)] Unrecognized(Value) });
            let records = arms.iter().map(|arm| record(protocol, &arm.rust, &arm.record, flatten));
            [union].into_iter().chain(records).collect()
        }
        Shape::External { units, keys, .. } => {
            let units = units.iter().map(unit);
            let keys = keys.iter().map(|arm| {
                let (wire, variant, ty) = (&arm.wire, format_ident!("{}", arm.variant), path(protocol, &arm.ty));
                quote!(#[serde(rename = #wire)] #variant(#ty))
            });
            vec![quote!(#derives pub enum #name { #(#units,)* #(#keys,)* #[serde(untagged)] Unrecognized(Value) })]
        }
        Shape::Untagged(arms) => {
            let arms = arms.iter().map(|arm| {
                let (variant, ty) = (format_ident!("{}", arm.variant), path(protocol, &arm.ty));
                quote!(#variant(#ty))
            });
            vec![quote!(#derives #[serde(untagged)] pub enum #name { #(#arms,)* })]
        }
        Shape::Newtype(ty) => {
            let ty = path(protocol, ty);
            vec![quote!(#derives #[serde(transparent)] pub struct #name(pub #ty);)]
        }
        Shape::Nullable(_) | Shape::Methods => Vec::new(),
    }
}

fn unit(value: &EnumValue) -> TokenStream {
    let (wire, variant) = (&value.wire, format_ident!("{}", value.rust));
    quote!(#[serde(rename = #wire)] #variant)
}

fn record(protocol: &Protocol, name: &str, record: &Record, flatten: bool) -> TokenStream {
    let (name, derives) = (format_ident!("{name}"), derives());
    let fields = record.fields.iter().map(|field| {
        let (wire, rust, ty) = (&field.wire, format_ident!("{}", field.rust), path(protocol, &field.ty));
        let ty = if field.boxed { quote!(Box<#ty>) } else { ty };
        match field.presence {
            Presence::Required => quote!(#[serde(rename = #wire)] pub #rust: #ty),
            Presence::Always => quote!(#[serde(rename = #wire)] pub #rust: Option<#ty>),
            Presence::RequiredNullable | Presence::AlwaysNullable => {
                quote!(#[serde(rename = #wire, default)] pub #rust: Option<#ty>)
            }
            Presence::Optional | Presence::Tristate => {
                quote!(#[serde(rename = #wire, default, skip_serializing_if = "Option::is_none")] pub #rust: Option<#ty>)
            }
        }
    });
    let rest = match &record.rest {
        Rest::Entries { rust, ty } => {
            let (rust, ty) = (format_ident!("{rust}"), path(protocol, ty));
            quote!(#[serde(flatten)] pub #rust: BTreeMap<String, #ty>)
        }
        Rest::Unknown | Rest::Open if flatten => quote!(#[serde(flatten)] pub extra: BTreeMap<String, Value>),
        Rest::Unknown | Rest::Open => TokenStream::new(),
    };
    quote!(#derives pub struct #name { #(#fields,)* #rest })
}

fn methods(protocol: &Protocol, side: Side) -> TokenStream {
    let (name, derives) = (format_ident!("{}", side.definition()), derives());
    let variants = protocol.of(side).map(|method| {
        let (wire, variant) = (&method.wire, format_ident!("{}", method.rust));
        match &method.params {
            None => quote!(#[serde(rename = #wire)] #variant),
            Some(params) => {
                let ty = path(protocol, &Type::Named(params.clone()));
                let ty = if method.params_optional { quote!(Option<#ty>) } else { ty };
                quote!(#[serde(rename = #wire)] #variant(Box<#ty>))
            }
        }
    });
    quote!(#derives #[serde(tag = "method", content = "params")] pub enum #name { #(#variants,)* })
}
