//! The trait with a method for all that the server asks and tells, and the
//! functions that find the method of a message.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::docs::{doc, experimental};
use super::{Driver, Emitter, handler_name, marker, typescript, upstream};
use crate::model::{Method, Side};

impl Emitter<'_> {
    pub(super) fn handler(&mut self, driver: Driver) -> Vec<TokenStream> {
        let protocol = self.protocol;
        let requests: Vec<&Method> = protocol.of(Side::ServerRequest).collect();
        let notifications: Vec<&Method> = protocol.of(Side::ServerNotification).collect();
        let request_methods: Vec<TokenStream> =
            requests.iter().map(|method| self.request_method(method, driver)).collect();
        let notification_methods: Vec<TokenStream> =
            notifications.iter().map(|method| self.notification_method(method, driver)).collect();
        let unrecognized_request = Item {
            docs: doc(&[
                "A request of a method that this release does not know.",
                "The answer is the JSON of its result. By default it is refused with -32601.",
            ]),
            name: "unrecognized_request".to_owned(),
            argument: Some(quote!(request: codex_rpc::UnrecognizedMethod)),
            unused: quote!(context),
            response: Some(quote!(codex_rpc::RawJson)),
            default: quote!(Err(crate::defaults::refusal(&request.method))),
        }
        .emit(driver);
        let unrecognized_notification = Item {
            docs: doc(&["A notification of a method that this release does not know.", "By default it is ignored."]),
            name: "on_unrecognized_notification".to_owned(),
            argument: Some(quote!(notification: codex_rpc::UnrecognizedMethod)),
            unused: quote!((notification, context)),
            response: None,
            default: quote!(),
        }
        .emit(driver);
        let tokio = driver == Driver::Tokio;
        let how = if tokio {
            "The methods may be written as `async fn`. They run beside each other and beside the\n\
             reading of messages: one may wait for a person, or call the client of its context."
        } else {
            "The methods run in threads of their own beside the reading of messages: one may wait\n\
             for a person, or call the client of its context."
        };
        let docs = doc(&[
            "What becomes of the server's requests and notifications.",
            "Every method has a default: approvals are declined, other requests are refused with\n\
             -32601 (method not found), notifications are ignored.",
            how,
        ]);
        let request_arms: Vec<TokenStream> =
            requests.iter().map(|method| self.arm(method, &quote!(ServerRequest), driver)).collect();
        let notification_arms: Vec<TokenStream> =
            notifications.iter().map(|method| self.arm(method, &quote!(ServerNotification), driver)).collect();
        let (name, future) = (
            driver.name(),
            tokio.then(|| {
                quote!(
                    use std::future::{Future, ready};
                )
            }),
        );
        let (asyncness, wait) = (tokio.then(|| quote!(async)), tokio.then(|| quote!(.await)));
        vec![
            quote!(#future),
            quote!(
                #[allow(unused_imports, reason = "not all are needed by every release")]
                use codex_rpc::{RpcError, ServerNotification, ServerRequest, notifications, server_requests, types};
            ),
            quote!(
                use crate::#name::Context;
            ),
            quote! {
                #docs
                pub trait Handler: Send + Sync + 'static {
                    #(#request_methods)*
                    #unrecognized_request
                    #(#notification_methods)*
                    #unrecognized_notification
                }
            },
            quote! {
                /// Has a request handled; gives the result as JSON.
                pub(crate) #asyncness fn handle_request<H: Handler>(
                    handler: &H,
                    request: ServerRequest,
                    context: Context,
                ) -> Result<codex_rpc::RawJson, RpcError> {
                    match request {
                        #(#request_arms)*
                        ServerRequest::Unrecognized(request) => handler.unrecognized_request(request, context)#wait,
                    }
                }
            },
            quote! {
                /// Has a notification handled.
                pub(crate) #asyncness fn handle_notification<H: Handler>(
                    handler: &H,
                    notification: ServerNotification,
                    context: Context,
                ) {
                    match notification {
                        #(#notification_arms)*
                        ServerNotification::Unrecognized(notification) => {
                            handler.on_unrecognized_notification(notification, context)#wait;
                        }
                    }
                }
            },
        ]
    }

    fn request_method(&self, method: &Method, driver: Driver) -> TokenStream {
        let default = match self.default_of(method) {
            Some(default) => default.words,
            None => "By default it is refused with -32601.",
        };
        let docs = doc(&[
            &format!("`{}`, a request of the server.", method.wire),
            &upstream(method),
            &self.response_doc(method),
            default,
            experimental(method.experimental),
            typescript(method),
        ]);
        let marker = marker(method);
        self.item(method, docs, quote!(crate::defaults::answer::<#marker>())).emit(driver)
    }

    fn notification_method(&self, method: &Method, driver: Driver) -> TokenStream {
        let docs = doc(&[
            &format!("`{}`, a notification of the server.", method.wire),
            &upstream(method),
            experimental(method.experimental),
            typescript(method),
        ]);
        self.item(method, docs, quote!()).emit(driver)
    }

    fn item(&self, method: &Method, docs: TokenStream, default: TokenStream) -> Item {
        let params = self.params_type(method);
        Item {
            docs,
            name: handler_name(method),
            unused: if params.is_some() { quote!((params, context)) } else { quote!(context) },
            argument: params.map(|params| quote!(params: #params)),
            response: method.side.is_request().then(|| self.response_type(method)),
            default,
        }
    }

    /// From a variant to its method.
    fn arm(&mut self, method: &Method, message: &TokenStream, driver: Driver) -> TokenStream {
        let boxed = self.is_boxed(method);
        let (variant, name) = (format_ident!("{}", method.rust), format_ident!("{}", handler_name(method)));
        let (pattern, value) = match (&method.params, boxed) {
            (None, _) => (quote!(_), TokenStream::new()),
            (Some(_), false) => (quote!(params), quote!(params,)),
            (Some(_), true) => (quote!(params), quote!(*params,)),
        };
        let wait = (driver == Driver::Tokio).then(|| quote!(.await));
        let call = quote!(handler.#name(#value context)#wait);
        if method.side.is_request() {
            quote!(#message::#variant(#pattern) => crate::defaults::encode(&#call?),)
        } else {
            quote!(#message::#variant(#pattern) => #call,)
        }
    }
}

/// A method of the trait.
struct Item {
    docs: TokenStream,
    name: String,
    argument: Option<TokenStream>,
    /// What the default has no use for.
    unused: TokenStream,
    /// What answers a request.
    response: Option<TokenStream>,
    default: TokenStream,
}

impl Item {
    fn emit(self, driver: Driver) -> TokenStream {
        let Self { docs, name, argument, unused, response, default } = self;
        let name = format_ident!("{name}");
        let argument = argument.map(|argument| quote!(#argument,));
        let output = response.map(|response| quote!(Result<#response, RpcError>));
        let (output, default) = match driver {
            Driver::Tokio => {
                let (output, default) =
                    if output.is_some() { (quote!(#output), default) } else { (quote!(()), quote!(())) };
                (quote!(-> impl Future<Output = #output> + Send), quote!(ready(#default)))
            }
            Driver::Blocking => (output.map(|output| quote!(-> #output)).unwrap_or_default(), default),
        };
        quote! {
            #docs
            fn #name(&self, #argument context: Context) #output {
                let _ = #unused;
                #default
            }
        }
    }
}
