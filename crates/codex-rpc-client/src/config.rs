//! Codex's settings, as its command line takes them: `-c key=value`.

use serde_json::Value;

use crate::Error;

/// What stands behind `-c`.
///
/// # Errors
/// A key that is none, or a value that TOML does not have.
pub(crate) fn setting(key: &str, value: &Value) -> Result<String, Error> {
    let refuse = |reason: &str| Error::Unsendable(format!("the setting `{key}`: {reason}"));
    if key.trim().is_empty() || key.contains('=') {
        return Err(refuse("a key is a dotted path, without `=`"));
    }
    let value = inline(value).map_err(|reason| refuse(&reason))?;
    Ok(format!("{key}={value}"))
}

/// The value on one line.
///
/// # Errors
/// TOML has no null and no integer of more than 64 bits with a sign.
fn inline(value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Err("TOML has no null".to_owned()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            Err(format!("{number} is too large for an integer of TOML"))
        }
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(quoted(text)),
        Value::Array(values) => {
            let values: Result<Vec<_>, _> = values.iter().map(inline).collect();
            Ok(format!("[{}]", values?.join(", ")))
        }
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| Ok(format!("{} = {}", quoted(key), inline(value)?));
            let members: Result<Vec<_>, String> = members.iter().map(member).collect();
            Ok(format!("{{{}}}", members?.join(", ")))
        }
    }
}

/// A basic string. JSON escapes as TOML does, but leaves DEL alone.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::inline;

    #[test]
    fn a_value_is_written_as_toml() {
        let value = json!({
            "text": "a \"b\" \\ \u{7f} \n ü", "list": [1, -2, 1.5, true], "table": {"a.b": {}}, "big": 1e300, "whole": 2.0
        });
        assert_eq!(
            inline(&value).unwrap(),
            r#"{"big" = 1e+300, "list" = [1, -2, 1.5, true], "table" = {"a.b" = {}}, "text" = "a \"b\" \\ \u007f \n ü", "whole" = 2.0}"#
        );
    }

    #[test]
    fn what_toml_reads_back_is_what_was_written() {
        let value = json!({
            "text": "a \"b\" \\ \u{7f}\u{1} \n\t\u{8}\u{c}\r ü😀'", "list": [1, -2, 1.5, [true, "x"]], "table": {"a.b ": {"": ""}},
            "big": 1e300, "small": 1.5e-9, "whole": 2.0, "max": i64::MAX, "min": i64::MIN
        });
        let text = format!("value = {}", inline(&value).unwrap());
        let back: toml::Table = text.parse().unwrap();
        assert_eq!(serde_json::to_value(&back["value"]).unwrap(), value);
    }

    #[test]
    fn what_toml_does_not_have_is_refused() {
        assert_eq!(inline(&json!([null])).unwrap_err(), "TOML has no null");
        assert!(inline(&json!({"a": u64::MAX})).unwrap_err().contains("too large"));
    }
}
