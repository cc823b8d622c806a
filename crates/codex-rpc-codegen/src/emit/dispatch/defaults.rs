//! What a request of the server is answered with that nobody handles.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::Emitter;
use crate::model::{Method, Presence, Record, Rest, Shape, Side, Type};

/// A default that is no refusal of the request.
pub(super) struct Default {
    methods: &'static [&'static str],
    /// What it does, for the documentation.
    pub(super) words: &'static str,
    /// The answers, as releases know them: the first that fits is taken.
    answers: &'static [&'static str],
}

/// Everything else is refused with -32601.
const DEFAULTS: [Default; 4] = [
    Default {
        methods: &["item/commandExecution/requestApproval", "item/fileChange/requestApproval"],
        words: "By default it is declined.",
        answers: &[r#"{"decision":"decline"}"#],
    },
    Default {
        methods: &["applyPatchApproval", "execCommandApproval"],
        words: "By default it is denied.",
        answers: &[
            r#"{"decision":{"denied":{"rejection":"this client has no handler for approvals"}}}"#,
            r#"{"decision":"denied"}"#,
        ],
    },
    Default {
        methods: &["item/permissions/requestApproval"],
        words: "By default no permission is granted.",
        answers: &[r#"{"permissions":{}}"#],
    },
    Default {
        methods: &["mcpServer/elicitation/request"],
        words: "By default it is declined.",
        answers: &[r#"{"action":"decline","content":null,"_meta":null}"#],
    },
];

impl Emitter<'_> {
    /// The default of a method, if it is no refusal.
    pub(super) fn default_of(&self, method: &Method) -> Option<&'static Default> {
        let default = DEFAULTS.iter().find(|default| default.methods.contains(&method.wire.as_str()))?;
        self.answer(default, method).map(|_| default)
    }

    fn answer(&self, default: &Default, method: &Method) -> Option<&'static str> {
        let response = Type::Named(method.response.clone()?);
        let fits = |answer: &&&str| serde_json::from_str(answer).is_ok_and(|value| self.fits(&response, &value));
        default.answers.iter().find(fits).copied()
    }

    pub(super) fn defaults(&self) -> Vec<TokenStream> {
        let arms = self.protocol.of(Side::ServerRequest).filter_map(|method| {
            let (wire, answer) = (&method.wire, self.answer(self.default_of(method)?, method)?);
            Some(quote!(#wire => Some(#answer),))
        });
        vec![quote! {
            /// What a request of the server is answered with by default, as JSON; none
            /// if it is refused.
            pub(crate) fn default_answer(method: &str) -> Option<&'static str> {
                match method {
                    #(#arms)*
                    _ => None,
                }
            }
        }]
    }

    /// Whether a value is of a type, and all of it known to the release.
    fn fits(&self, ty: &Type, value: &Value) -> bool {
        match ty {
            Type::Bool => value.is_boolean(),
            Type::Integer(_) => value.is_i64() || value.is_u64(),
            Type::Double => value.is_number(),
            Type::String => value.is_string(),
            Type::Any => true,
            Type::List(item) => value.as_array().is_some_and(|items| items.iter().all(|value| self.fits(item, value))),
            Type::Map(item) => value.as_object().is_some_and(|map| map.values().all(|value| self.fits(item, value))),
            Type::Nullable(inner) => value.is_null() || self.fits(inner, value),
            Type::Named(name) => {
                self.protocol.definitions.get(name).is_some_and(|definition| self.fits_shape(&definition.shape, value))
            }
        }
    }

    fn fits_shape(&self, shape: &Shape, value: &Value) -> bool {
        match shape {
            Shape::Record(record) => self.fits_record(record, value),
            Shape::StringEnum(values) => values.iter().any(|known| *value == known.wire.as_str()),
            Shape::External { units, keys, .. } => match value.as_object() {
                None => units.iter().any(|known| *value == known.wire.as_str()),
                Some(object) => {
                    object.len() == 1
                        && keys.iter().any(|arm| object.get(&arm.wire).is_some_and(|value| self.fits(&arm.ty, value)))
                }
            },
            Shape::Untagged(arms) => arms.iter().any(|arm| self.fits(&arm.ty, value)),
            Shape::Newtype(ty) => self.fits(ty, value),
            Shape::Nullable(ty) => value.is_null() || self.fits(ty, value),
            // No default is one.
            Shape::Tagged { .. } | Shape::Methods => false,
        }
    }

    fn fits_record(&self, record: &Record, value: &Value) -> bool {
        let Some(object) = value.as_object() else { return false };
        let there = |field: &crate::model::Field| match object.get(&field.wire) {
            None => !field.presence.is_required(),
            Some(Value::Null) => {
                field.nullable || field.ty == Type::Any || field.presence == Presence::RequiredNullable
            }
            Some(value) => self.fits(&field.ty, value),
        };
        let known = |name: &String| record.fields.iter().any(|field| field.wire == *name);
        let one_of = record.one_of.is_empty()
            || record.one_of.iter().any(|set| set.iter().all(|name| object.contains_key(name)));
        record.rest == Rest::Unknown && one_of && record.fields.iter().all(there) && object.keys().all(known)
    }
}
