//! The serde attributes that typify writes.

use quote::ToTokens;

/// What they say.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute that is there or not")]
pub struct Serde {
    pub rename: Option<String>,
    pub default: DefaultAttribute,
    /// An `Option` that may be null and not missing.
    pub must_be_there: bool,
    pub flatten: bool,
    pub deny_unknown_fields: bool,
    pub tag: Option<String>,
    pub content: Option<String>,
    pub untagged: bool,
}

/// The attribute `default`.
#[derive(Debug, Default, PartialEq)]
pub enum DefaultAttribute {
    #[default]
    Absent,
    /// What Rust takes for the type's default.
    Intrinsic,
    /// What this function returns.
    Function(String),
}

impl Serde {
    /// The name on the wire of what they stand on.
    pub fn wire(&self, ident: &syn::Ident) -> String {
        let ident = ident.to_string();
        self.rename.clone().unwrap_or_else(|| ident.strip_prefix("r#").unwrap_or(&ident).to_owned())
    }
}

/// Reads them.
pub fn serde(attributes: &[syn::Attribute]) -> Serde {
    let mut read = Serde::default();
    for attribute in attributes {
        if attribute.path().is_ident("doc") || attribute.path().is_ident("derive") {
            continue;
        }
        let text = attribute.to_token_stream().to_string();
        assert!(attribute.path().is_ident("serde"), "typify wrote a new attribute: {text}");
        let nested = attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let value = if meta.input.peek(syn::Token![=]) {
                Some(meta.value()?.parse::<syn::LitStr>()?.value())
            } else {
                None
            };
            match (name.as_str(), value) {
                ("rename", Some(value)) => read.rename = Some(value),
                ("default", None) => read.default = DefaultAttribute::Intrinsic,
                ("default", Some(function)) => read.default = DefaultAttribute::Function(function),
                ("deserialize_with", Some(function)) if function == "::std::option::Option::deserialize" => {
                    read.must_be_there = true;
                }
                ("flatten", None) => read.flatten = true,
                ("deny_unknown_fields", None) => read.deny_unknown_fields = true,
                ("tag", Some(value)) => read.tag = Some(value),
                ("content", Some(value)) => read.content = Some(value),
                ("untagged", None) => read.untagged = true,
                // Neither changes what may be read.
                ("transparent", None) | ("skip_serializing_if", Some(_)) => {}
                (name, value) => return Err(meta.error(format!("a new attribute: {name} {value:?}"))),
            }
            Ok(())
        });
        nested.unwrap_or_else(|error| panic!("{error} in {text}"));
    }
    read
}
