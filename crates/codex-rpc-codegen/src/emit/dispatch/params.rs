//! Taking one method's params out of the enum of all.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::methods::marker_module;
use super::Emitter;
use crate::model::{Method, Side};

impl Emitter<'_> {
    pub(super) fn params(&mut self) -> Vec<TokenStream> {
        [Side::ServerRequest, Side::ServerNotification, Side::ClientRequest].map(|side| self.take(side)).into()
    }

    fn take(&mut self, side: Side) -> TokenStream {
        let protocol = self.protocol;
        let (boxed, plain): (Vec<&Method>, Vec<&Method>) = protocol.of(side).partition(|method| self.is_boxed(method));
        let names = |methods: Vec<&Method>| {
            let names = methods.into_iter().map(|method| format_ident!("{}", method.rust));
            quote!(#(#names),*)
        };
        let (plain, boxed) = (names(plain), names(boxed));
        let message = format_ident!("{}", side.definition());
        let (take, markers) = (format_ident!("Take{message}"), format_ident!("{}", marker_module(side)));
        quote!(crate::payload::take! { #take from #message of #markers { plain { #plain } boxed { #boxed } } })
    }
}
