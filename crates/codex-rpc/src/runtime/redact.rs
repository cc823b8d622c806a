//! Keeps secrets out of `Debug`.

use std::fmt;

use serde_json::Value;

use crate::Map;

/// Stands for a secret in `Debug` output.
#[derive(Clone, Copy)]
pub(crate) struct Placeholder;

impl fmt::Debug for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A field that is a secret by name: shows whether it is there, never what it is.
pub(crate) trait Secret {
    fn placeholder(&self) -> &dyn fmt::Debug;
}

impl Secret for String {
    fn placeholder(&self) -> &dyn fmt::Debug {
        &Placeholder
    }
}

impl Secret for Value {
    fn placeholder(&self) -> &dyn fmt::Debug {
        if self.is_null() { &None::<Placeholder> } else { &Placeholder }
    }
}

impl<T> Secret for Vec<T> {
    fn placeholder(&self) -> &dyn fmt::Debug {
        &Placeholder
    }
}

impl<T> Secret for Map<T> {
    fn placeholder(&self) -> &dyn fmt::Debug {
        &Placeholder
    }
}

impl<T: Secret> Secret for Option<T> {
    fn placeholder(&self) -> &dyn fmt::Debug {
        match self {
            Some(_) => &Some(Placeholder),
            None => &None::<Placeholder>,
        }
    }
}

impl<T: Secret> Secret for crate::Tristate<T> {
    fn placeholder(&self) -> &dyn fmt::Debug {
        match self {
            Self::Value(_) => &crate::Tristate::Value(Placeholder),
            Self::Null => &crate::Tristate::<Placeholder>::Null,
            Self::Absent => &crate::Tristate::<Placeholder>::Absent,
        }
    }
}

pub(crate) fn secret(value: &impl Secret) -> &dyn fmt::Debug {
    value.placeholder()
}

/// Free-form JSON, with the values of secret-looking names hidden at any depth.
pub(crate) trait Json {
    fn fmt_json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

pub(crate) struct Hidden<'a, T: ?Sized>(&'a T);

impl<T: Json + ?Sized> fmt::Debug for Hidden<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_json(f)
    }
}

/// A field of free-form JSON or a map of strings.
pub(crate) fn json<T: Json + ?Sized>(value: &T) -> Hidden<'_, T> {
    Hidden(value)
}

/// A value under a name of its own: hidden if the name looks like a secret's.
pub(crate) struct Named<'a, T: ?Sized>(&'a str, &'a T);

impl<T: Json + ?Sized> fmt::Debug for Named<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_secret_name(self.0) { Placeholder.fmt(f) } else { self.1.fmt_json(f) }
    }
}

pub(crate) fn named<'a, T: Json + ?Sized>(name: &'a str, value: &'a T) -> Named<'a, T> {
    Named(name, value)
}

impl Json for Value {
    fn fmt_json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(map) => {
                f.debug_map().entries(map.iter().map(|(name, value)| (name, named(name, value)))).finish()
            }
            Self::Array(items) => f.debug_list().entries(items.iter().map(json)).finish(),
            Self::Null => f.write_str("null"),
            Self::Bool(value) => fmt::Debug::fmt(value, f),
            Self::Number(value) => fmt::Display::fmt(value, f),
            Self::String(value) => fmt::Debug::fmt(value, f),
        }
    }
}

impl Json for String {
    fn fmt_json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<T: Json> Json for Vec<T> {
    fn fmt_json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(json)).finish()
    }
}

impl<T: Json> Json for Map<T> {
    fn fmt_json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, named(name, value)))).finish()
    }
}

impl<T: Json> Json for Option<T> {
    fn fmt_json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Some(value) => f.debug_tuple("Some").field(&json(value)).finish(),
            None => f.write_str("None"),
        }
    }
}

impl<T: Json> Json for crate::Tristate<T> {
    fn fmt_json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => f.debug_tuple("Value").field(&json(value)).finish(),
            Self::Null => f.write_str("Null"),
            Self::Absent => f.write_str("Absent"),
        }
    }
}

/// Whether a member of this name holds a secret: a key, a token, a password.
///
/// Counts are no secrets, so `tokens` and `tokenUsage` stay visible, and neither
/// is the name of an environment variable that holds one (`bearerTokenEnvVar`).
pub(crate) fn is_secret_name(name: &str) -> bool {
    const SUFFIXES: [&str; 20] = [
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "signingkey",
        "accesskeyid",
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "credential",
        "credentials",
        "authorization",
        "cookie",
        "jwt",
        "secrets",
        "usercode",
        "pairingcode",
        "signature",
    ];
    let flat: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SUFFIXES.iter().any(|suffix| flat.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_names_of_counts() {
        for name in
            ["apiKey", "api_key", "OPENAI_API_KEY", "accessToken", "authToken", "token", "password", "Authorization"]
        {
            assert!(is_secret_name(name), "{name} is a secret");
        }
        for name in ["tokens", "tokenUsage", "inputTokens", "bearerTokenEnvVar", "key", "keyboard"] {
            assert!(!is_secret_name(name), "{name} is no secret");
        }
    }

    #[test]
    fn free_form_json_hides_secrets_at_any_depth() {
        let value = serde_json::json!({"env": [{"OPENAI_API_KEY": "sk-1", "HOME": "/home"}]});
        let shown = format!("{:?}", json(&value));
        assert!(!shown.contains("sk-1"), "{shown}");
        assert!(shown.contains("/home"), "{shown}");
    }
}
