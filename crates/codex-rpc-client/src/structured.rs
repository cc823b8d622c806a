//! Answers of the shape of a type.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The JSON schema of a type, as a model's provider wants it: objects allow no other
/// members, and all members are required (an `Option` is one that may be null).
///
/// ```
/// #[derive(schemars::JsonSchema)]
/// struct Verdict {
///     passed: bool,
///     reason: Option<String>,
/// }
///
/// let schema = codex_rpc_client::output_schema::<Verdict>();
/// assert_eq!(schema["additionalProperties"], false);
/// assert_eq!(schema["required"], serde_json::json!(["passed", "reason"]));
/// ```
pub fn output_schema<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(strict).transform(&mut schema);
    schema.into()
}

/// The JSON schema of a type.
pub(crate) fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().into()
}

fn strict(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let Some(Value::Object(properties)) = object.get("properties") else { return };
    let required: Vec<Value> = properties.keys().map(|name| name.as_str().into()).collect();
    object.insert("required".to_owned(), required.into());
    object.insert("additionalProperties".to_owned(), false.into());
}

/// The response as a value.
pub(crate) fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, crate::Error> {
    serde_json::from_str(text).map_err(|error| crate::Error::invalid("the response", error, text))
}
