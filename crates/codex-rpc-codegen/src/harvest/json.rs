//! `harvest.json`: small, and one type a line, so that a diff between two
//! releases shows the types that changed and no others.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Harvest, HarvestError};

impl Harvest {
    /// The text of `harvest.json`. The same harvest gives the same bytes.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\n");
        lines(&mut out, "types", &self.types);
        out.push_str(",\n");
        lines(&mut out, "docs", &self.docs);
        out.push_str(",\n\"stable_methods\": {");
        for (index, (name, methods)) in self.stable_methods.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(out, "{comma}\n{}: [", text(name));
            for (index, method) in methods.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let _ = write!(out, "{comma}\n{}", text(method));
            }
            out.push_str("\n]");
        }
        out.push_str("\n}\n}\n");
        out
    }

    /// Reads what [`Harvest::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// [`HarvestError::Json`] if it is anything else.
    pub fn from_json(json: &str) -> Result<Self, HarvestError> {
        serde_json::from_str(json).map_err(|error| HarvestError::Json { message: error.to_string() })
    }
}

fn lines<T: Serialize>(out: &mut String, title: &str, map: &BTreeMap<String, T>) {
    let _ = write!(out, "{}: {{", text(title));
    for (index, (name, value)) in map.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(out, "{comma}\n{}: {}", text(name), text(value));
    }
    out.push_str("\n}");
}

/// Strings, lists of them and [`super::TsType`] have string keys and finite
/// numbers only, so serialising them cannot fail.
fn text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
