//! `${name}` in the strings of a scenario.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What the names stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, Value>,
    /// Names that are left as they are: the stand-in replaces them.
    kept: Vec<String>,
}

impl Variables {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    pub(super) fn keep(&mut self, name: &str) {
        self.kept.push(name.to_owned());
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// `value` with every variable replaced, in keys too.
    pub(super) fn in_value(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => self.in_string(text)?,
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.in_value(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => Value::Object(self.in_map(members)?),
            other => other.clone(),
        })
    }

    pub(super) fn in_map(&self, members: &Map<String, Value>) -> Result<Map<String, Value>, String> {
        members.iter().map(|(key, value)| Ok((self.in_text(key)?, self.in_value(value)?))).collect()
    }

    fn in_string(&self, text: &str) -> Result<Value, String> {
        if let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'))
            && let Some(value) = self.values.get(name)
        {
            return Ok(value.clone());
        }
        self.in_text(text).map(Value::String)
    }

    /// `text` with every variable replaced.
    pub(super) fn in_text(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            out.push_str(&rest[..start]);
            let after = &rest[start + 2..];
            let end = after.find('}').ok_or_else(|| format!("a `${{` without `}}` in {text:?}"))?;
            let name = &after[..end];
            match self.values.get(name) {
                Some(Value::String(value)) => out.push_str(value),
                Some(value) => out.push_str(&value.to_string()),
                None if self.kept.iter().any(|kept| kept == name) => out.push_str(&rest[start..start + 3 + end]),
                None => {
                    let known: Vec<&str> = self.values.keys().map(String::as_str).collect();
                    return Err(format!("there is no variable `{name}`; there are {}", known.join(", ")));
                }
            }
            rest = &after[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Variables;

    #[test]
    fn a_variable_alone_keeps_its_type_and_in_a_text_it_is_written() {
        let mut variables = Variables::default();
        variables.set("n", 5);
        variables.set("s", "x");
        variables.keep("later");
        let value = json!({"${s}": ["${n}", "n=${n}, ${s}", "${later}"]});
        assert_eq!(variables.in_value(&value).expect("known"), json!({"x": [5, "n=5, x", "${later}"]}));
    }

    #[test]
    fn an_unknown_variable_is_an_error_that_lists_the_known_ones() {
        let mut variables = Variables::default();
        variables.set("workspace", "/w");
        let error = variables.in_text("${workspac}").expect_err("unknown");
        assert_eq!(error, "there is no variable `workspac`; there are workspace");
        assert!(variables.in_text("${open").is_err());
    }
}
