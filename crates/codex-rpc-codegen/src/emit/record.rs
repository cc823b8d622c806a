//! Objects: the struct, its constructors and setters, and the table that the
//! runtime reads and writes it by.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::docs::{doc, experimental, or};
use super::{Emitter, index, type_path};
use crate::model::{Field, Presence, Record, Rest, Shape, Type};

impl Emitter<'_> {
    pub(super) fn record(
        &mut self,
        name: &Ident,
        record: &Record,
        docs: &TokenStream,
        input: bool,
    ) -> Vec<TokenStream> {
        let fields = record.fields.iter().map(|field| {
            let (rust, ty) = (format_ident!("{}", field.rust), self.field_type(field));
            let docs = doc(&[
                &or(field.doc.as_deref(), &format!("`{}` on the wire.", field.wire)),
                experimental(field.experimental),
            ]);
            quote!(#docs pub #rust: #ty)
        });
        let (rest_name, rest_field) = match &record.rest {
            Rest::Unknown => (
                format_ident!("extra"),
                quote! {
                    /// Members that this release does not know.
                    pub extra: Extra
                },
            ),
            Rest::Open => (
                format_ident!("extra"),
                quote! {
                    /// All other members: the schema allows any.
                    pub extra: Extra
                },
            ),
            Rest::Entries { rust, ty } => {
                let (rust, ty) = (format_ident!("{rust}"), type_path(self.protocol, ty));
                (
                    rust.clone(),
                    quote! {
                        /// All other members, by name.
                        pub #rust: Map<#ty>
                    },
                )
            }
        };
        let private = record.fields.iter().any(|field| field.secret || shows_json(&field.ty));
        let derives = if private { quote!(Clone, PartialEq) } else { quote!(Clone, Debug, PartialEq) };
        let mut items = vec![quote! {
            #docs
            #[derive(#derives)]
            #[non_exhaustive]
            pub struct #name { #(#fields,)* #rest_field, }
        }];
        if private {
            items.push(debug(name, record, &rest_name));
        }
        items.push(self.constructors(name, record, input));
        let can_default = record.one_of.is_empty() && record.fields.iter().all(|field| !field.presence.is_required());
        if can_default {
            items.push(quote! {
                impl Default for #name {
                    #[inline]
                    fn default() -> Self {
                        Record::blank()
                    }
                }
            });
        }
        items.push(self.record_impl(name, record, &rest_name));
        items
    }

    fn constructors(&self, name: &Ident, record: &Record, input: bool) -> TokenStream {
        let constructor = |method: &Ident, fields: &[&Field], docs: &TokenStream| {
            let arguments = fields.iter().map(|field| {
                let (rust, ty) = (format_ident!("{}", field.rust), self.argument(field));
                quote!(#rust: #ty)
            });
            let assignments = fields.iter().map(|field| {
                let (rust, value) = (format_ident!("{}", field.rust), self.assigned(field));
                quote!(new.#rust = #value;)
            });
            if fields.is_empty() {
                return quote!(#docs #[inline] pub fn #method() -> Self { Record::blank() });
            }
            quote! {
                #docs
                #[inline]
                pub fn #method(#(#arguments),*) -> Self {
                    let mut new: Self = Record::blank();
                    #(#assignments)*
                    new
                }
            }
        };
        let required: Vec<&Field> = record.fields.iter().filter(|field| field.presence.is_required()).collect();
        let mut methods = Vec::new();
        if record.one_of.is_empty() {
            let docs = doc(&[if required.is_empty() { "Nothing is required." } else { "With what is required." }]);
            methods.push(constructor(&format_ident!("new"), &required, &docs));
        }
        for set in &record.one_of {
            let chosen = record.fields.iter().filter(|field| set.contains(&field.wire) || field.presence.is_required());
            let names: Vec<&str> = record
                .fields
                .iter()
                .filter(|field| set.contains(&field.wire))
                .map(|field| field.rust.as_str())
                .collect();
            let docs = doc(&[&format!("With `{}` and what else is required.", set.join("` and `"))]);
            methods.push(constructor(
                &format_ident!("from_{}", names.join("_and_")),
                &chosen.collect::<Vec<_>>(),
                &docs,
            ));
        }
        if input {
            for field in record.fields.iter().filter(|field| !field.presence.is_required()) {
                let rust = format_ident!("{}", field.rust);
                let method = if field.rust == "new" { format_ident!("new_") } else { rust.clone() };
                let (ty, value) = (self.argument(field), self.assigned(field));
                let docs = doc(&[&format!("Sets [`{}`](Self::{}).", field.wire, field.rust)]);
                methods.push(quote! {
                    #docs
                    #[must_use]
                    pub fn #method(mut self, #rust: #ty) -> Self {
                        self.#rust = #value;
                        self
                    }
                });
            }
        }
        quote!(impl #name { #(#methods)* })
    }

    /// What a constructor or setter takes for a field.
    fn argument(&self, field: &Field) -> TokenStream {
        let ty = type_path(self.protocol, &field.ty);
        match field.presence {
            Presence::RequiredNullable if field.ty != Type::Any => quote!(impl Into<Option<#ty>>),
            Presence::Tristate => quote!(impl Into<Tristate<#ty>>),
            _ if self.converts(&field.ty) => quote!(impl Into<#ty>),
            _ => ty,
        }
    }

    /// What becomes of the argument.
    fn assigned(&self, field: &Field) -> TokenStream {
        let name = format_ident!("{}", field.rust);
        let value = match field.presence {
            Presence::RequiredNullable if field.ty != Type::Any => {
                return if field.boxed { quote!(#name.into().map(Box::new)) } else { quote!(#name.into()) };
            }
            Presence::Tristate => return quote!(#name.into()),
            _ if self.converts(&field.ty) => quote!(#name.into()),
            _ => quote!(#name),
        };
        let value = if field.boxed { quote!(Box::new(#value)) } else { value };
        match field.presence {
            Presence::Required | Presence::Always => value,
            _ if field.ty == Type::Any && field.presence != Presence::Optional => value,
            _ => quote!(Some(#value)),
        }
    }

    /// Whether a type is mostly made from another: a string from a literal, a map from a
    /// standard one.
    fn converts(&self, ty: &Type) -> bool {
        match ty {
            Type::String | Type::Any | Type::Map(_) => true,
            Type::Named(name) => {
                self.protocol.definitions.get(name).is_some_and(|definition| match &definition.shape {
                    Shape::Newtype(inner) => *inner == Type::String,
                    Shape::StringEnum(_) | Shape::Tagged { .. } | Shape::External { .. } | Shape::Untagged(_) => true,
                    Shape::Record(_) | Shape::Nullable(_) | Shape::Methods => false,
                })
            }
            _ => false,
        }
    }

    fn field_type(&self, field: &Field) -> TokenStream {
        let ty = type_path(self.protocol, &field.ty);
        let ty = if field.boxed { quote!(Box<#ty>) } else { ty };
        match field.presence {
            Presence::Required | Presence::Always => ty,
            Presence::RequiredNullable | Presence::AlwaysNullable if field.ty == Type::Any => ty,
            Presence::RequiredNullable | Presence::AlwaysNullable | Presence::Optional => quote!(Option<#ty>),
            Presence::Tristate => quote!(Tristate<#ty>),
        }
    }

    fn record_impl(&self, name: &Ident, record: &Record, others: &Ident) -> TokenStream {
        let wire_name = name.to_string();
        let keys: Vec<&str> = record.fields.iter().map(|field| field.wire.as_str()).collect();
        let mask = |wanted: &dyn Fn(&Field) -> bool| {
            let bits = record.fields.iter().enumerate().filter(|(_, field)| wanted(field));
            Literal::u128_unsuffixed(bits.fold(0, |mask, (bit, _)| mask | 1 << bit))
        };
        let required = mask(&|field| field.presence.is_required());
        let one_of: Vec<Literal> = record.one_of.iter().map(|set| mask(&|field| set.contains(&field.wire))).collect();
        let blanks = record.fields.iter().map(|field| {
            let (rust, blank) = (format_ident!("{}", field.rust), self.blank(field));
            quote!(#rust: #blank)
        });
        let blank_rest =
            if matches!(record.rest, Rest::Entries { .. }) { quote!(Map::new()) } else { quote!(Extra::new()) };
        let reads = record.fields.iter().enumerate().map(|(place, field)| {
            let (place, rust) = (index(place), format_ident!("{}", field.rust));
            let never_null = field.presence == Presence::Optional && !field.nullable;
            let plain = matches!(field.presence, Presence::Required | Presence::Always);
            match (field.boxed && !plain, field.presence) {
                (true, Presence::Tristate) => quote!(#place => runtime::boxed_tristate(&mut self.#rust, input)),
                (true, _) if never_null => quote!(#place => runtime::boxed_some(&mut self.#rust, input)),
                (true, _) => quote!(#place => runtime::boxed_option(&mut self.#rust, input)),
                (false, _) if never_null => quote!(#place => Slot::fill(&mut &mut self.#rust, input)),
                // Only what is blank can be filled.
                (false, _) if has_items(field) => quote!(#place => {
                    self.#rust = runtime::blank();
                    self.#rust.decode(input)
                }),
                (false, _) => quote!(#place => self.#rust.decode(input)),
            }
        });
        let other = match &record.rest {
            Rest::Unknown => quote!(runtime::unknown_member(name, input, &mut self.extra)),
            Rest::Open => quote!(runtime::open_member(name, input, &mut self.extra)),
            Rest::Entries { .. } => quote!(runtime::entry(name, input, &mut self.#others)),
        };
        let writes = record.fields.iter().map(|field| {
            let (key, rust) = (format!(",\"{}\":", field.wire), format_ident!("{}", field.rust));
            let how = match field.presence {
                Presence::Optional => format_ident!("omit"),
                Presence::Tristate => format_ident!("tristate"),
                _ => format_ident!("field"),
            };
            quote!(output.#how(#key, &self.#rust);)
        });
        let write_rest = match &record.rest {
            Rest::Entries { .. } => quote!(output.entries(&self.#others); output.close_map();),
            Rest::Unknown | Rest::Open => quote!(output.end(&self.extra);),
        };
        let read = if record.fields.is_empty() {
            quote!(
                fn read(&mut self, _: usize, name: &str, input: &mut dyn Input) -> Done {
                    #other
                }
            )
        } else {
            quote! {
                #[inline(never)]
                fn read(&mut self, index: usize, name: &str, input: &mut dyn Input) -> Done {
                    match index {
                        #(#reads,)*
                        _ => #other,
                    }
                }
            }
        };
        quote! {
            impl Record for #name {
                const SHAPE: &'static Shape = &Shape {
                    name: #wire_name,
                    keys: &[#(#keys),*],
                    required: #required,
                    one_of: &[#(#one_of),*],
                };

                fn blank() -> Self {
                    Self { #(#blanks,)* #others: #blank_rest }
                }

                #read
            }

            impl Encode for #name {
                #[inline(never)]
                fn encode(&self, output: &mut Output<'_>) {
                    output.begin();
                    #(#writes)*
                    #write_rest
                }
            }
        }
    }

    /// What a field holds before it is read: its default if it has one.
    fn blank(&self, field: &Field) -> TokenStream {
        match field.presence {
            Presence::Always => {
                let value = field.default.as_ref().and_then(|default| self.literal(&field.ty, default));
                return value.unwrap_or_else(|| quote!(runtime::blank()));
            }
            Presence::Tristate => return quote!(Tristate::Absent),
            Presence::Required => {}
            _ if field.ty == Type::Any && field.presence != Presence::Optional => {}
            _ => return quote!(None),
        }
        if field.boxed {
            return quote!(Box::new(runtime::blank()));
        }
        match &field.ty {
            Type::Bool => quote!(false),
            Type::Integer(_) => quote!(0),
            Type::Double => quote!(0.0),
            Type::String => quote!(String::new()),
            Type::Any => quote!(Value::Null),
            Type::List(_) => quote!(Vec::new()),
            Type::Map(_) => quote!(Map::new()),
            Type::Nullable(_) => quote!(None),
            Type::Named(_) => quote!(runtime::blank()),
        }
    }

    /// A default of the schema as Rust.
    fn literal(&self, ty: &Type, value: &Value) -> Option<TokenStream> {
        Some(match (ty, value) {
            (Type::Bool, Value::Bool(value)) => quote!(#value),
            (Type::Integer(_), Value::Number(number)) => number.to_string().parse().ok()?,
            (Type::Double, Value::Number(number)) => {
                let number = Literal::f64_unsuffixed(number.as_f64()?);
                quote!(#number)
            }
            (Type::String, Value::String(value)) => quote!(String::from(#value)),
            (Type::List(_), Value::Array(items)) if items.is_empty() => quote!(Vec::new()),
            (Type::List(ty), Value::Array(items)) => {
                let items: Option<Vec<TokenStream>> = items.iter().map(|item| self.literal(ty, item)).collect();
                let items = items?;
                quote!(vec![#(#items),*])
            }
            (Type::Map(_), Value::Object(map)) if map.is_empty() => quote!(Map::new()),
            (Type::Named(name), value) => {
                let definition = self.protocol.definitions.get(name)?;
                let rust = format_ident!("{}", definition.rust);
                match (&definition.shape, value) {
                    (Shape::StringEnum(values), Value::String(value)) => {
                        let known = values.iter().find(|known| known.wire == *value)?;
                        let variant = format_ident!("{}", known.rust);
                        quote!(#rust::#variant)
                    }
                    (Shape::External { units, .. }, Value::String(value)) => {
                        let known = units.iter().find(|known| known.wire == *value)?;
                        let variant = format_ident!("{}", known.rust);
                        quote!(#rust::#variant)
                    }
                    (Shape::Newtype(Type::String), Value::String(value)) => quote!(#rust::from(#value)),
                    (Shape::Record(_), Value::Object(map)) if map.is_empty() => quote!(runtime::blank()),
                    _ => {
                        let text = value.to_string();
                        quote!(runtime::decoded(#text))
                    }
                }
            }
            _ => return None,
        })
    }

    /// Whether a field's default can be written down in Rust.
    pub(super) fn has_literal(&self, field: &Field) -> bool {
        field.presence != Presence::Always
            || field.default.as_ref().is_some_and(|default| self.literal(&field.ty, default).is_some())
    }
}

/// Whether a field that is not there has items or members by default.
fn has_items(field: &Field) -> bool {
    field.presence == Presence::Always
        && field.default.as_ref().is_some_and(|default| match default {
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => false,
        })
}

/// Whether `Debug` of a type would show JSON or text by name, where secrets may
/// stand.
fn shows_json(ty: &Type) -> bool {
    let text = |ty: &Type| *ty == Type::String || matches!(ty, Type::Nullable(inner) if **inner == Type::String);
    ty.holds_any() || matches!(ty, Type::Map(values) if text(values))
}

fn debug(name: &Ident, record: &Record, others: &Ident) -> TokenStream {
    let text = name.to_string();
    let fields = record.fields.iter().map(|field| {
        let (rust, name) = (format_ident!("{}", field.rust), &field.rust);
        if field.secret {
            quote!(.field(#name, redact::secret(&self.#rust)))
        } else if shows_json(&field.ty) {
            quote!(.field(#name, &redact::json(&self.#rust)))
        } else {
            quote!(.field(#name, &self.#rust))
        }
    });
    let rest_text = others.to_string();
    quote! {
        impl fmt::Debug for #name {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(#text)#(#fields)*.field(#rest_text, &self.#others).finish()
            }
        }
    }
}
