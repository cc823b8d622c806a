//! The registry: every definition as data, with a way to decode and encode it.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Emitter, type_path};
use crate::model::{Presence, Record, Rest, Shape, Side, Type};

impl Emitter<'_> {
    pub(super) fn registry(&self) -> Vec<TokenStream> {
        let rows = self.protocol.definitions.values().map(|definition| {
            let (name, experimental, inner) = (&definition.name, definition.experimental, definition.inner);
            let shape = Self::shape_info(&definition.shape);
            let side = Side::ALL.iter().find(|side| side.definition() == definition.name);
            let ty = match side {
                Some(side) => {
                    let methods = quote::format_ident!("{}", side.definition());
                    if side.is_request() {
                        quote!(crate::Request<crate::#methods>)
                    } else {
                        quote!(crate::Notification<crate::#methods>)
                    }
                }
                None => type_path(self.protocol, &Type::Named(definition.name.clone())),
            };
            quote!(Definition::new(#name, #shape, #experimental, #inner, recode::<#ty>, debug::<#ty>))
        });
        vec![
            quote!(
                use crate::generated::types::*;
                use crate::registry::{Definition, Member, Members, Presence, Rest, Shape, Type, debug, recode};
            ),
            quote! {
                pub(crate) static DEFINITIONS: &[Definition] = &[#(#rows,)*];
            },
        ]
    }

    fn shape_info(shape: &Shape) -> TokenStream {
        match shape {
            Shape::Record(record) => {
                let members = Self::members_info(record);
                quote!(Shape::Record(#members))
            }
            Shape::StringEnum(values) => {
                let values = values.iter().map(|value| &value.wire);
                quote!(Shape::StringEnum(&[#(#values),*]))
            }
            Shape::Tagged { tag, arms } => {
                let arms = arms.iter().map(|arm| {
                    let (wire, members) = (&arm.wire, Self::members_info(&arm.record));
                    quote!((#wire, #members))
                });
                quote!(Shape::Tagged { tag: #tag, arms: &[#(#arms),*] })
            }
            Shape::External { units, keys, open } => {
                let units = units.iter().map(|value| &value.wire);
                let keys = keys.iter().map(|arm| {
                    let (wire, ty) = (&arm.wire, type_info(&arm.ty));
                    quote!((#wire, #ty))
                });
                quote!(Shape::External { units: &[#(#units),*], keys: &[#(#keys),*], open: #open })
            }
            Shape::Untagged(arms) => {
                let arms = arms.iter().map(|arm| type_info(&arm.ty));
                quote!(Shape::Untagged(&[#(#arms),*]))
            }
            Shape::Newtype(ty) => {
                let ty = type_info(ty);
                quote!(Shape::Newtype(#ty))
            }
            Shape::Nullable(ty) => {
                let ty = type_info(ty);
                quote!(Shape::Nullable(#ty))
            }
            Shape::Methods => quote!(Shape::Methods),
        }
    }

    fn members_info(record: &Record) -> TokenStream {
        let members = record.fields.iter().map(|field| {
            let (name, ty, nullable) = (&field.wire, type_info(&field.ty), field.nullable);
            let presence = match field.presence {
                Presence::Required | Presence::RequiredNullable => quote!(Presence::Required),
                Presence::Always | Presence::AlwaysNullable => quote!(Presence::AlwaysWritten),
                Presence::Optional => quote!(Presence::Optional),
                Presence::Tristate => quote!(Presence::ThreeState),
            };
            let default = field.default.as_ref().map(ToString::to_string);
            let default = default.map_or_else(|| quote!(None), |text| quote!(Some(#text)));
            let experimental = field.experimental;
            quote!(Member::new(#name, #ty, #nullable, #presence, #default, #experimental))
        });
        let rest = match &record.rest {
            Rest::Unknown => quote!(Rest::Unknown),
            Rest::Open => quote!(Rest::Open),
            Rest::Entries { ty, .. } => {
                let ty = type_info(ty);
                quote!(Rest::Entries(#ty))
            }
        };
        quote!(Members::new(&[#(#members),*], #rest))
    }
}

fn type_info(ty: &Type) -> TokenStream {
    match ty {
        Type::Bool => quote!(Type::Bool),
        Type::Integer(_) => quote!(Type::Integer),
        Type::Double => quote!(Type::Double),
        Type::String => quote!(Type::String),
        Type::Any => quote!(Type::Any),
        Type::List(item) => {
            let item = type_info(item);
            quote!(Type::List(&#item))
        }
        Type::Map(value) => {
            let value = type_info(value);
            quote!(Type::Map(&#value))
        }
        Type::Nullable(inner) => {
            let inner = type_info(inner);
            quote!(Type::Nullable(&#inner))
        }
        Type::Named(name) => quote!(Type::Named(#name)),
    }
}
