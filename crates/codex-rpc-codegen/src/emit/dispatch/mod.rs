//! The dispatcher's source: what it has once for each method.
//!
//! What must always hold: it names the types, markers and variants exactly as the
//! protocol crate's source does, so that both are made by one run.

mod calls;
mod check;
mod defaults;
mod handlers;
mod params;
mod route;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::docs::or;
use super::methods::marker_module;
use super::{Files, insert};
use crate::layout::Sizes;
use crate::model::{Method, Protocol, Shape, Side};
use crate::names::snake;
use crate::problem::Problems;

/// How a driver of the dispatcher waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    /// In futures, on tokio.
    Tokio,
    /// In threads.
    Blocking,
}

impl Driver {
    /// The name of its feature and module.
    fn name(self) -> Ident {
        match self {
            Self::Tokio => format_ident!("tokio"),
            Self::Blocking => format_ident!("blocking"),
        }
    }
}

struct Emitter<'a> {
    protocol: &'a Protocol,
    sizes: Sizes<'a>,
}

/// Writes the dispatcher's source of a release.
///
/// # Errors
/// When a name that it makes of a method is taken.
pub fn dispatch(protocol: &Protocol) -> Result<Files, Problems> {
    check::check(protocol)?;
    let mut emitter = Emitter { protocol, sizes: Sizes::new(protocol) };
    let mut files = Files::new();
    let mut problems = Vec::new();
    let mut file = |name, doc, items| insert(&mut files, name, doc, items, &mut problems);
    file("payload", "From the enums of all methods to one method's params.", emitter.params());
    file("route", "Where messages carry the ids of threads, turns and items.", emitter.routes());
    file("defaults", "What requests are answered with that nobody handles.", emitter.defaults());
    file("tokio_calls", "The client's requests, as methods of the tokio client.", emitter.calls(Driver::Tokio));
    file(
        "blocking_calls",
        "The client's requests, as methods of the blocking client.",
        emitter.calls(Driver::Blocking),
    );
    file("tokio_handler", "What the server asks and tells, as a trait of futures.", emitter.handler(Driver::Tokio));
    file("blocking_handler", "What the server asks and tells, as a trait.", emitter.handler(Driver::Blocking));
    file("mod", "What the generator made of the schema.", root());
    if problems.is_empty() { Ok(files) } else { Err(Problems(problems)) }
}

fn root() -> Vec<TokenStream> {
    vec![
        quote!(
            mod payload;
        ),
        quote!(
            mod route;
        ),
        quote!(
            #[cfg(any(feature = "blocking", feature = "tokio", test))]
            pub(crate) mod defaults;
        ),
        quote!(
            #[cfg(feature = "tokio")]
            mod tokio_calls;
        ),
        quote!(
            #[cfg(feature = "tokio")]
            pub(crate) mod tokio_handler;
        ),
        quote!(
            #[cfg(feature = "blocking")]
            mod blocking_calls;
        ),
        quote!(
            #[cfg(feature = "blocking")]
            pub(crate) mod blocking_handler;
        ),
    ]
}

/// What a client's method for a request is called.
fn call_name(method: &Method) -> String {
    snake(&method.rust)
}

/// What a handler's method is called.
fn handler_name(method: &Method) -> String {
    let name = snake(&method.rust);
    if method.side.is_request() { name } else { format!("on_{}", name.trim_end_matches('_')) }
}

impl Emitter<'_> {
    fn is_boxed(&mut self, method: &Method) -> bool {
        self.sizes.boxes_params(method)
    }

    /// A definition's path, if it is a type of its own with a name.
    fn plain(&self, name: &str) -> Option<TokenStream> {
        let definition = self.protocol.definitions.get(name)?;
        let plain = !definition.by_hand && !matches!(definition.shape, Shape::Nullable(_));
        let rust = format_ident!("{}", definition.rust);
        plain.then(|| quote!(types::#rust))
    }

    /// A type that the trait of the method's marker knows.
    fn of_marker(method: &Method, what: &str) -> TokenStream {
        let (marker, what) = (marker(method), format_ident!("{what}"));
        let method_trait = match method.side {
            Side::ClientRequest => quote!(ClientRequestMethod),
            Side::ServerRequest => quote!(ServerRequestMethod),
            Side::ServerNotification | Side::ClientNotification => quote!(NotificationMethod),
        };
        quote!(<#marker as codex_rpc::#method_trait>::#what)
    }

    /// What a method takes; none if it takes nothing.
    fn params_type(&self, method: &Method) -> Option<TokenStream> {
        let path = match self.plain(method.params.as_ref()?) {
            Some(path) if method.params_optional => quote!(Option<#path>),
            Some(path) => path,
            None => Self::of_marker(method, "Params"),
        };
        Some(path)
    }

    /// What answers a request.
    fn response_type(&self, method: &Method) -> TokenStream {
        let plain = method.response.as_deref().and_then(|name| self.plain(name));
        plain.unwrap_or_else(|| Self::of_marker(method, "Response"))
    }

    /// A sentence about what answers a request.
    fn response_doc(&self, method: &Method) -> String {
        let named = method.response.as_deref().and_then(|name| self.protocol.definitions.get(name));
        match named.filter(|definition| self.plain(&definition.name).is_some()) {
            Some(definition) => format!("Answered with [`{0}`](types::{0}).", definition.rust),
            None => String::new(),
        }
    }
}

/// The path of a method's marker.
fn marker(method: &Method) -> TokenStream {
    let (module, name) = (format_ident!("{}", marker_module(method.side)), format_ident!("{}", method.rust));
    quote!(#module::#name)
}

/// What upstream says about a method.
fn upstream(method: &Method) -> String {
    method.doc.as_deref().map(|text| or(Some(text), "")).unwrap_or_default()
}

/// What is said of a method that only upstream's TypeScript names.
fn typescript(method: &Method) -> &'static str {
    if method.typescript_only { "Only upstream's TypeScript export names it." } else { "" }
}
