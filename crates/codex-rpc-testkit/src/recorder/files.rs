//! The files that codex finds: its configuration and a scenario's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::variables::Variables;
use crate::scenario::FileContent;

/// Writes files by path; their folders are made.
pub(super) fn write(files: &BTreeMap<String, FileContent>, variables: &Variables) -> Result<(), String> {
    for (path, content) in files {
        let path = variables.in_text(path)?;
        let bytes = match content {
            FileContent::Text(text) => variables.in_text(text)?.into_bytes(),
            FileContent::Base64 { base64 } => STANDARD.decode(base64).map_err(|error| format!("{path}: {error}"))?,
        };
        let path = Path::new(&path);
        let fail = |error: std::io::Error| format!("{}: {error}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        fs::write(path, bytes).map_err(fail)?;
    }
    Ok(())
}

/// The text of `config.toml`: what every recording needs, with the scenario's own
/// members merged over it.
pub(super) fn config(stand_in: &str, own: &Map<String, Value>) -> Result<String, String> {
    let mut config = json!({
        // Has the tool apply_patch; later models work in code mode only.
        "model": "gpt-5.5",
        "approval_policy": "on-request",
        "sandbox_mode": "read-only",
        // Else a sandboxed command leaves marks in the system's folder that another
        // recording would see.
        "sandbox_workspace_write": {"exclude_slash_tmp": true},
        "model_provider": "mock_provider",
        "model_providers": {"mock_provider": {
            "name": "Stand-in",
            "base_url": format!("{stand_in}/v1"),
            "wire_api": "responses",
            "request_max_retries": 0,
            "stream_max_retries": 0,
        }},
        // Else codex tries to reach the network in the background.
        "features": {"plugins": false},
        "tools": {"update_plan": {"enabled": true}},
    });
    merge(&mut config, own);
    toml::to_string(&config).map_err(|error| format!("config: {error}"))
}

fn merge(base: &mut Value, over: &Map<String, Value>) {
    if !base.is_object() {
        *base = Value::Object(Map::new());
    }
    let Value::Object(members) = base else { return };
    for (key, value) in over {
        match value {
            Value::Null => {
                members.remove(key);
            }
            Value::Object(inner) => merge(members.entry(key.clone()).or_insert(Value::Null), inner),
            other => {
                members.insert(key.clone(), other.clone());
            }
        }
    }
}

/// An unsigned JSON Web Token with these claims.
pub(super) fn token(claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let signature = URL_SAFE_NO_PAD.encode("none");
    format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_scenarios_configuration_is_merged_into_the_tables_and_null_removes() {
        let own = json!({"model": "other", "features": {"hooks": true, "plugins": null}, "mcp_servers": {"a": {"command": "x"}}});
        let text = super::config("http://127.0.0.1:1", own.as_object().expect("an object")).expect("TOML");
        let config: toml::Table = text.parse().expect("TOML");
        assert_eq!(config["model"].as_str(), Some("other"));
        assert_eq!(config["features"].as_table().expect("a table").len(), 1);
        assert_eq!(config["mcp_servers"]["a"]["command"].as_str(), Some("x"));
        assert_eq!(config["model_providers"]["mock_provider"]["base_url"].as_str(), Some("http://127.0.0.1:1/v1"));
    }
}
