//! Types: enums, unions, and the structs of [`super::record`].

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::docs::{doc, experimental, or};
use super::{Emitter, index, type_path};
use crate::model::{Arm, Definition, EnumValue, Field, KeyArm, Presence, Shape, Type, UntaggedArm};

impl Emitter<'_> {
    /// The items of a definition.
    pub(super) fn definition(&mut self, definition: &Definition) -> Vec<TokenStream> {
        let used = self.used_by(definition);
        let own = or(definition.doc.as_deref(), &used);
        let docs = doc(&[&own, experimental(definition.experimental)]);
        let name = format_ident!("{}", definition.rust);
        match &definition.shape {
            Shape::Record(record) => self.record(&name, record, &docs, definition.input),
            Shape::StringEnum(values) => string_enum(&name, values, &docs),
            Shape::Tagged { tag, arms } => self.tagged(&name, tag, arms, &docs, definition),
            Shape::External { units, keys, open } => self.external(&name, units, keys, *open, &docs),
            Shape::Untagged(arms) => self.untagged(&name, arms, &docs),
            Shape::Newtype(ty) => self.newtype(&name, ty, &docs),
            Shape::Nullable(_) | Shape::Methods => Vec::new(),
        }
    }

    fn newtype(&self, name: &Ident, ty: &Type, docs: &TokenStream) -> Vec<TokenStream> {
        let inner = type_path(self.protocol, ty);
        let text = *ty == Type::String;
        let derives = if text {
            quote!(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)
        } else {
            quote!(Clone, Debug, PartialEq)
        };
        let implement = if text { format_ident!("named_strings") } else { format_ident!("newtypes") };
        vec![
            quote!(#docs #[derive(#derives)] pub struct #name(pub #inner);),
            quote!(crate::runtime::#implement!(#name);),
        ]
    }

    fn tagged(
        &mut self,
        name: &Ident,
        tag: &str,
        arms: &[Arm],
        docs: &TokenStream,
        of: &Definition,
    ) -> Vec<TokenStream> {
        let mut variants = Vec::new();
        let mut table = Vec::new();
        let mut items = Vec::new();
        for (place, arm) in arms.iter().enumerate() {
            let variant = format_ident!("{}", arm.variant);
            let payload = format_ident!("{}", arm.rust);
            let own = format!("`{}` on the wire.", arm.wire);
            let docs = doc(&[&or(arm.doc.as_deref(), &own), experimental(arm.experimental)]);
            let large = self.sizes.boxes_arm(&arm.record);
            let held = if large { quote!(Box<#payload>) } else { quote!(#payload) };
            variants.push(quote!(#docs #variant(#held)));
            let (place, wire) = (index(place), &arm.wire);
            table.push(quote!(#place: #variant(#payload) = #wire));
            let own = or(arm.doc.as_deref(), &format!("`{}` of [`{name}`].", arm.wire));
            let docs = doc(&[&own, &format!("A variant of [`{name}`], which writes its `{tag}`.")]);
            items.extend(self.record(&payload, &arm.record, &docs, of.input));
        }
        let mut all = vec![
            quote! {
                #docs
                #[derive(Clone, Debug, PartialEq)]
                pub enum #name {
                    #(#variants,)*
                    /// A variant that this release does not know.
                    Unrecognized(crate::UnrecognizedVariant),
                }
            },
            quote!(crate::runtime::tagged_union! { #name by #tag { #(#table,)* } }),
        ];
        all.extend(self.accessors(name, arms));
        all.extend(items);
        all
    }

    /// Methods for the members that all arms have alike.
    fn accessors(&self, name: &Ident, arms: &[Arm]) -> Option<TokenStream> {
        let methods: Vec<TokenStream> = shared_fields(arms)
            .into_iter()
            .map(|field| {
                let (method, ty) = (format_ident!("{}", field.rust), type_path(self.protocol, &field.ty));
                let ty = if field.boxed { quote!(Box<#ty>) } else { ty };
                let variants = arms.iter().map(|arm| format_ident!("{}", arm.variant));
                let own = format!("`{}`, which all variants have.", field.wire);
                let docs = doc(&[&or(field.doc.as_deref(), &own), "None for an unrecognised variant."]);
                let plain = matches!(field.presence, Presence::Required | Presence::Always)
                    || (field.ty == Type::Any && field.presence != Presence::Optional);
                let get = if plain { quote!(Some(&arm.#method)) } else { quote!(arm.#method.as_ref()) };
                quote! {
                    #docs
                    #[inline]
                    pub fn #method(&self) -> Option<&#ty> {
                        match self {
                            #(Self::#variants(arm) => #get,)*
                            Self::Unrecognized(_) => None,
                        }
                    }
                }
            })
            .collect();
        (!methods.is_empty()).then(|| quote!(impl #name { #(#methods)* }))
    }

    fn external(
        &self,
        name: &Ident,
        units: &[EnumValue],
        keys: &[KeyArm],
        open: bool,
        docs: &TokenStream,
    ) -> Vec<TokenStream> {
        let unit_variants = units.iter().map(enum_variant);
        let key_variants = keys.iter().map(|arm| {
            let (variant, ty) = (format_ident!("{}", arm.variant), type_path(self.protocol, &arm.ty));
            let own = format!("An object with `{}`.", arm.wire);
            let docs = doc(&[&or(arm.doc.as_deref(), &own), experimental(arm.experimental)]);
            quote!(#docs #variant(#ty))
        });
        let unit_table = units.iter().enumerate().map(|(place, value)| {
            let (place, variant, wire) = (index(place), format_ident!("{}", value.rust), &value.wire);
            quote!(#place: #variant = #wire)
        });
        let key_table = keys.iter().enumerate().map(|(place, arm)| {
            let (place, variant, wire) = (index(place), format_ident!("{}", arm.variant), &arm.wire);
            let ty = type_path(self.protocol, &arm.ty);
            quote!(#place: #variant(#ty) = #wire)
        });
        vec![
            quote! {
                #docs
                #[derive(Clone, PartialEq)]
                pub enum #name {
                    #(#unit_variants,)*
                    #(#key_variants,)*
                    /// A value that this release does not know.
                    Unrecognized(Value),
                }
            },
            quote! {
                crate::runtime::external_union! {
                    #name open #open {
                        units { #(#unit_table,)* }
                        keys { #(#key_table,)* }
                    }
                }
            },
        ]
    }

    fn untagged(&self, name: &Ident, arms: &[UntaggedArm], docs: &TokenStream) -> Vec<TokenStream> {
        let variants = arms.iter().map(|arm| {
            let (variant, ty) = (format_ident!("{}", arm.variant), type_path(self.protocol, &arm.ty));
            let docs = doc(&[&or(arm.doc.as_deref(), &format!("{}.", describe(&arm.ty)))]);
            quote!(#docs #variant(#ty))
        });
        let table = arms.iter().map(|arm| {
            let (variant, ty) = (format_ident!("{}", arm.variant), type_path(self.protocol, &arm.ty));
            quote!(#variant(#ty))
        });
        vec![
            quote!(#docs #[derive(Clone, Debug, PartialEq)] pub enum #name { #(#variants,)* }),
            quote!(crate::runtime::untagged_union! { #name { #(#table,)* } }),
        ]
    }
}

/// The members that all arms have alike, which the union has accessors for.
pub(crate) fn shared_fields(arms: &[Arm]) -> Vec<&Field> {
    let Some((first, others)) = arms.split_first().filter(|(_, others)| !others.is_empty()) else { return Vec::new() };
    let alike = |field: &&Field| {
        others.iter().all(|arm| {
            arm.record.fields.iter().any(|other| {
                (&other.wire, &other.ty, other.presence, other.boxed)
                    == (&field.wire, &field.ty, field.presence, field.boxed)
            })
        })
    };
    let fields = first.record.fields.iter().filter(alike);
    fields.filter(|field| !matches!(field.presence, Presence::Tristate) && field.rust != "tag").collect()
}

fn enum_variant(value: &EnumValue) -> TokenStream {
    let variant = format_ident!("{}", value.rust);
    let own = format!("`{}` on the wire.", value.wire);
    let docs = doc(&[&or(value.doc.as_deref(), &own), experimental(value.experimental)]);
    quote!(#docs #variant)
}

fn string_enum(name: &Ident, values: &[EnumValue], docs: &TokenStream) -> Vec<TokenStream> {
    let variants = values.iter().map(enum_variant);
    let table = values.iter().enumerate().map(|(place, value)| {
        let (place, variant, wire) = (index(place), format_ident!("{}", value.rust), &value.wire);
        quote!(#place: #variant = #wire)
    });
    vec![
        quote! {
            #docs
            #[derive(Clone, Debug, PartialEq, Eq, Hash)]
            pub enum #name {
                #(#variants,)*
                /// A value that this release does not know.
                Unrecognized(String),
            }
        },
        quote!(crate::runtime::open_enum! { #name { #(#table,)* } }),
    ]
}

fn describe(ty: &Type) -> String {
    match ty {
        Type::Bool => "A boolean".to_owned(),
        Type::Integer(_) => "An integer".to_owned(),
        Type::Double => "A number".to_owned(),
        Type::String => "A string".to_owned(),
        Type::Any => "Any JSON".to_owned(),
        Type::List(_) => "A list".to_owned(),
        Type::Map(_) => "A map".to_owned(),
        Type::Nullable(inner) => format!("{} or null", describe(inner)),
        Type::Named(name) => format!("[`{}`]", crate::names::type_name(name)),
    }
}
