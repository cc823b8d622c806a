//! Methods: markers, the enums over them, the table.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::docs::{doc, experimental, or};
use super::{Emitter, index, type_path};
use crate::model::{Method, Shape, Side, Type};

/// The module that holds the markers of a side.
pub(crate) fn marker_module(side: Side) -> &'static str {
    match side {
        Side::ClientRequest => "requests",
        Side::ServerRequest => "server_requests",
        Side::ServerNotification | Side::ClientNotification => "notifications",
    }
}

impl Emitter<'_> {
    /// The files that list methods: name, documentation, items.
    pub(super) fn method_files(&mut self) -> Vec<(&'static str, String, Vec<TokenStream>)> {
        let markers = |emitter: &Self, sides: &[Side]| {
            let methods = emitter.protocol.methods.iter().filter(|method| sides.contains(&method.side));
            methods.flat_map(|method| emitter.marker(method)).collect::<Vec<_>>()
        };
        let uses = quote!(
            #[allow(unused_imports, reason = "the same in every file")]
            use crate::generated::types;
        );
        let with = |items: Vec<TokenStream>| [vec![uses.clone()], items].concat();
        let requests = with(markers(self, &[Side::ClientRequest]));
        let server = with(markers(self, &[Side::ServerRequest]));
        let notifications = with(markers(self, &[Side::ServerNotification, Side::ClientNotification]));
        let mut messages = with(Side::ALL.iter().flat_map(|side| self.message_enum(*side)).collect());
        let params: BTreeSet<&String> =
            self.protocol.methods.iter().filter_map(|method| method.params.as_ref()).collect();
        let params = params.iter().map(|name| self.definition_path(name));
        messages.push(quote!(crate::method::params!(#(#params),*);));
        vec![
            ("requests", "Requests of the client, as types.".to_owned(), requests),
            ("server_requests", "Requests of the server, as types.".to_owned(), server),
            ("notifications", "Notifications of both sides, as types.".to_owned(), notifications),
            ("messages", "All methods of a side and kind, as enums.".to_owned(), messages),
            ("table", "The methods as a table.".to_owned(), vec![self.table()]),
        ]
    }

    /// A definition in a module where a marker may have the same name.
    fn definition_path(&self, name: &str) -> TokenStream {
        let path = type_path(self.protocol, &Type::Named(name.to_owned()));
        match self.protocol.definitions.get(name) {
            Some(definition) if definition.by_hand || matches!(definition.shape, Shape::Nullable(_)) => path,
            _ => quote!(types::#path),
        }
    }

    fn params_type(&self, method: &Method) -> TokenStream {
        match &method.params {
            None => quote!(crate::NoParams),
            Some(name) => {
                let path = self.definition_path(name);
                if method.params_optional { quote!(Option<#path>) } else { path }
            }
        }
    }

    fn method_doc(method: &Method) -> TokenStream {
        let kind = match method.side {
            Side::ClientRequest => "a request of the client",
            Side::ServerRequest => "a request of the server",
            Side::ServerNotification => "a notification of the server",
            Side::ClientNotification => "a notification of the client",
        };
        let own = format!("`{}`, {kind}.", method.wire);
        let upstream = method.doc.as_deref().map(|text| or(Some(text), "")).unwrap_or_default();
        let typescript = if method.typescript_only { "Only upstream's TypeScript export names it." } else { "" };
        doc(&[&own, &upstream, experimental(method.experimental), typescript])
    }

    fn marker(&self, method: &Method) -> Vec<TokenStream> {
        let (name, wire, experimental) = (format_ident!("{}", method.rust), &method.wire, method.experimental);
        let (docs, params) = (Self::method_doc(method), self.params_type(method));
        let definition = quote! {
            #docs
            pub enum #name {}
        };
        let answer = method.response.as_ref().map(|response| {
            let path = self.definition_path(response);
            quote!(type Response = #path;)
        });
        let method_trait = match method.side {
            Side::ClientRequest => quote!(crate::ClientRequestMethod),
            Side::ServerRequest => quote!(crate::ServerRequestMethod),
            Side::ServerNotification | Side::ClientNotification => quote!(crate::NotificationMethod),
        };
        let implementation = quote! {
            impl #method_trait for #name {
                type Params = #params;
                #answer
                const METHOD: &'static str = #wire;
                const EXPERIMENTAL: bool = #experimental;
            }
        };
        vec![definition, implementation]
    }

    fn message_enum(&mut self, side: Side) -> Vec<TokenStream> {
        let name = format_ident!("{}", side.definition());
        let mut methods: Vec<&Method> = self.protocol.of(side).collect();
        methods.sort_by(|left, right| left.wire.cmp(&right.wire));
        let mut variants = Vec::new();
        let mut table = Vec::new();
        for (place, method) in methods.iter().enumerate() {
            let (variant, wire) = (format_ident!("{}", method.rust), &method.wire);
            let params = self.params_type(method);
            let held = if self.sizes.boxes_params(method) { quote!(Box<#params>) } else { params.clone() };
            let docs = Self::method_doc(method);
            variants.push(quote!(#docs #variant(#held)));
            let place = index(place);
            table.push(quote!(#place: #variant(#params) = #wire));
        }
        let own = match side {
            Side::ClientRequest => "All requests of the client.",
            Side::ServerRequest => "All requests of the server.",
            Side::ServerNotification => "All notifications of the server.",
            Side::ClientNotification => "All notifications of the client.",
        };
        let docs = doc(&[own]);
        vec![
            quote! {
                #docs
                #[derive(Clone, Debug, PartialEq)]
                pub enum #name {
                    #(#variants,)*
                    /// A method that this release does not know.
                    Unrecognized(crate::UnrecognizedMethod),
                }
            },
            quote!(crate::runtime::methods! { #name { #(#table,)* } }),
        ]
    }

    fn table(&self) -> TokenStream {
        let rows = self.protocol.methods.iter().map(|method| {
            let wire = &method.wire;
            let direction = match method.side {
                Side::ClientRequest | Side::ClientNotification => quote!(crate::Direction::ClientToServer),
                Side::ServerRequest | Side::ServerNotification => quote!(crate::Direction::ServerToClient),
            };
            let kind = if method.side.is_request() {
                quote!(crate::MethodKind::Request)
            } else {
                quote!(crate::MethodKind::Notification)
            };
            let option =
                |name: &Option<String>| name.as_ref().map_or_else(|| quote!(None), |name| quote!(Some(#name)));
            let (params, response) = (option(&method.params), option(&method.response));
            let (optional, experimental, deprecated) = (method.params_optional, method.experimental, method.deprecated);
            let text = method.doc.as_deref().unwrap_or_default();
            quote! {
                crate::MethodInfo::new(#wire, #direction, #kind, #params, #optional, #response, #experimental, #deprecated, #text)
            }
        });
        quote! {
            /// Every method of the protocol, with what the schema says about it.
            pub static METHODS: &[crate::MethodInfo] = &[#(#rows,)*];
        }
    }
}
