//! Values of codex's configuration, as its command line takes them.

use serde_json::Value;

/// A value as TOML on one line. What TOML has no word for, null, is left out.
pub(crate) fn toml(value: &Value) -> String {
    match value {
        // What JSON escapes, TOML escapes alike, but for DEL.
        Value::String(text) => Value::from(text.as_str()).to_string().replace('\u{7f}', "\\u007f"),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().filter(|value| !value.is_null()).map(toml).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| format!("{} = {}", toml(&Value::from(key.as_str())), toml(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::toml;

    #[test]
    fn every_kind_of_value_is_written_as_toml() {
        let value = json!({"a.b": "x\"\n\\\u{7f}é", "n": [1, 2.5, true, null], "none": null, "in": {"k": "v"}});
        let written = toml(&value);
        assert_eq!(
            written,
            r#"{"a.b" = "x\"\n\\\u007fé", "in" = {"k" = "v"}, "n" = [1, 2.5, true]}"#
        );
    }
}
