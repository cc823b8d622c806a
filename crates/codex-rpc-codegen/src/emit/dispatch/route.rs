//! Where messages carry the ids of threads, turns and items.
//!
//! What must always hold: an id that the schema requires is found. The names are
//! those of the wire, so that another release's messages are routed by what they
//! hold.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::shared_fields;
use super::Emitter;
use crate::model::{Field, Method, Presence, Record, Shape, Side, Type};

/// Where the id of something stands.
struct Place {
    /// Members that are the id, the first that is there.
    ids: &'static [&'static str],
    /// A member that is the thing itself, with its `id`.
    whole: &'static str,
}

/// The thread, the turn, the item. Messages of the first protocol call a thread a
/// conversation.
const PLACES: [Place; 3] = [
    Place { ids: &["threadId", "conversationId"], whole: "thread" },
    Place { ids: &["turnId"], whole: "turn" },
    Place { ids: &["itemId"], whole: "item" },
];

/// How a reference to a string is made of one to something.
#[derive(Clone, Copy)]
enum Id {
    /// It is the string, or a name of its own for one.
    Itself,
    /// It has the string as `id`.
    Member,
    /// It is a union whose accessor `id` may have none.
    Accessor,
}

impl Emitter<'_> {
    pub(super) fn routes(&self) -> Vec<TokenStream> {
        let mut items = vec![quote!(
            use crate::route::{Route, Routed, unrecognized};
        )];
        for side in [Side::ServerNotification, Side::ServerRequest] {
            let message = format_ident!("{}", side.definition());
            let arms = self.protocol.of(side).filter_map(|method| self.route_arm(method));
            items.push(quote! {
                impl Routed for codex_rpc::#message {
                    fn route(&self) -> Route<'_> {
                        match self {
                            #(#arms)*
                            Self::Unrecognized(method) => unrecognized(method),
                            #[allow(unreachable_patterns, reason = "a release may route every method")]
                            _ => Route::default(),
                        }
                    }
                }
            });
        }
        items
    }

    fn route_arm(&self, method: &Method) -> Option<TokenStream> {
        let shape = &self.protocol.definitions.get(method.params.as_ref()?)?.shape;
        let ids: Vec<Option<TokenStream>> = PLACES.iter().map(|place| self.id(shape, place)).collect();
        if ids.iter().all(Option::is_none) {
            return None;
        }
        let ids = ids.into_iter().map(|id| id.unwrap_or_else(|| quote!(None)));
        let variant = format_ident!("{}", method.rust);
        let pattern = if method.params_optional { quote!(Some(params)) } else { quote!(params) };
        Some(quote!(Self::#variant(#pattern) => Route::new(#(#ids),*),))
    }

    /// An expression for the id of something in `params`.
    fn id(&self, shape: &Shape, place: &Place) -> Option<TokenStream> {
        let (fields, accessors): (Vec<&Field>, bool) = match shape {
            Shape::Record(record) => (record.fields.iter().collect(), false),
            Shape::Tagged { arms, .. } => (shared_fields(arms), true),
            _ => return None,
        };
        let find = |wire: &str| fields.iter().find(|field| field.wire == wire).copied();
        let ids = place.ids.iter().filter_map(|wire| find(wire).map(|field| (field, self.string(&field.ty))));
        let whole = find(place.whole).map(|field| (field, self.whole(&field.ty)));
        let (field, id) = ids.chain(whole).find_map(|(field, id)| Some((field, id?)))?;
        Some(read(field, id, accessors))
    }

    /// Whether a type is a string, by whatever name.
    fn string(&self, ty: &Type) -> Option<Id> {
        match ty {
            Type::String => Some(Id::Itself),
            Type::Named(name) => match &self.protocol.definitions.get(name)?.shape {
                Shape::Newtype(Type::String) => Some(Id::Itself),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a type is something with an id.
    fn whole(&self, ty: &Type) -> Option<Id> {
        let required = |field: &&Field| {
            field.wire == "id" && field.presence == Presence::Required && self.string(&field.ty).is_some()
        };
        let Type::Named(name) = ty else { return None };
        match &self.protocol.definitions.get(name)?.shape {
            Shape::Record(Record { fields, .. }) => fields.iter().find(required).map(|_| Id::Member),
            Shape::Tagged { arms, .. } => {
                shared_fields(arms).iter().find(|field| required(field)).map(|_| Id::Accessor)
            }
            _ => None,
        }
    }
}

/// An expression for the id that a member of `params` is or has.
fn read(field: &Field, id: Id, accessor: bool) -> TokenStream {
    let name = format_ident!("{}", field.rust);
    let plain = matches!(field.presence, Presence::Required | Presence::Always);
    // What an accessor gives is an option of a reference, as the others become one.
    let option = match (accessor, field.presence) {
        (true, _) => quote!(params.#name()),
        (false, Presence::Tristate) => quote!(params.#name.value()),
        (false, _) => quote!(params.#name.as_ref()),
    };
    match (id, plain && !accessor) {
        (Id::Itself, true) => quote!(Some(params.#name.as_str())),
        (Id::Member, true) => quote!(Some(params.#name.id.as_str())),
        (Id::Accessor, true) => quote!(params.#name.id().map(|id| id.as_str())),
        (Id::Itself, false) => quote!(#option.map(|id| id.as_str())),
        (Id::Member, false) => quote!(#option.map(|whole| whole.id.as_str())),
        (Id::Accessor, false) => quote!(#option.and_then(|whole| whole.id()).map(|id| id.as_str())),
    }
}
