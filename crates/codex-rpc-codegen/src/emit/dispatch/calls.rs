//! One method of the client for each of its requests.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::docs::doc;
use super::check::HANDSHAKE;
use super::{Driver, Emitter, call_name, marker, typescript, upstream};
use crate::model::{Method, Side};

impl Emitter<'_> {
    pub(super) fn calls(&self, driver: Driver) -> Vec<TokenStream> {
        let methods = self.protocol.of(Side::ClientRequest).filter(|method| method.wire != HANDSHAKE);
        let methods = methods.map(|method| self.call(method, driver));
        let driver = driver.name();
        vec![
            quote!(
                use codex_rpc::{requests, types};
            ),
            quote!(
                use crate::CallError;
            ),
            quote!(impl crate::#driver::Client { #(#methods)* }),
        ]
    }

    fn call(&self, method: &Method, driver: Driver) -> TokenStream {
        let (name, marker) = (format_ident!("{}", call_name(method)), marker(method));
        let own = format!("Calls `{}`.", method.wire);
        let experimental = "Experimental: needs a connection that was initialised with `experimentalApi`.";
        let docs = doc(&[
            &own,
            &upstream(method),
            &self.response_doc(method),
            if method.experimental { experimental } else { "" },
            typescript(method),
            "# Errors\nSee [`CallError`].",
        ]);
        let response = self.response_type(method);
        let (argument, value) = match self.params_type(method) {
            Some(params) => (quote!(, params: #params), quote!(params)),
            None => (TokenStream::new(), quote!(codex_rpc::NoParams::new())),
        };
        let (asyncness, wait) = match driver {
            Driver::Tokio => (quote!(async), quote!(.await)),
            Driver::Blocking => (TokenStream::new(), TokenStream::new()),
        };
        quote! {
            #docs
            #[inline]
            pub #asyncness fn #name(&self #argument) -> Result<#response, CallError> {
                self.call::<#marker>(#value)#wait
            }
        }
    }
}
