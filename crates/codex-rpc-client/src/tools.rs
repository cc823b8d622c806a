//! Tools that the model can call, as closures.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use codex_rpc::types::{
    DynamicToolCallOutputContentItem, DynamicToolCallParams, DynamicToolCallResponse, DynamicToolNamespaceTool,
    DynamicToolSpec, FunctionDynamicToolSpec, InputImageDynamicToolCallOutputContentItem,
    InputTextDynamicToolCallOutputContentItem,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answers::Boxed;

/// What a tool gives back to the model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolOutput {
    /// What the model reads.
    pub content: Vec<DynamicToolCallOutputContentItem>,
    /// Whether the call worked.
    pub success: bool,
}

impl ToolOutput {
    /// A text, of a call that worked.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![item(text)], success: true }
    }

    /// A text that says why the call did not work: the model reads it and goes on.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self { content: vec![item(reason)], success: false }
    }

    /// Adds an image by its URL, which may be a `data:` URL.
    #[must_use]
    pub fn with_image(mut self, url: impl Into<String>) -> Self {
        self.content.push(InputImageDynamicToolCallOutputContentItem::new(url).into());
        self
    }

    pub(crate) fn into_response(self) -> DynamicToolCallResponse {
        DynamicToolCallResponse::new(self.content, self.success)
    }
}

fn item(text: impl Into<String>) -> DynamicToolCallOutputContentItem {
    InputTextDynamicToolCallOutputContentItem::new(text).into()
}

impl From<&str> for ToolOutput {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for ToolOutput {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// Where a call of a tool comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolCall {
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id.
    pub turn_id: String,
    /// The call's id.
    pub call_id: String,
}

type Call = Arc<dyn Fn(Value, ToolCall) -> Boxed<ToolOutput> + Send + Sync>;

/// A tool that the model can call.
#[derive(Clone)]
pub struct Tool {
    name: String,
    description: String,
    schema: Value,
    call: Call,
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool").field("name", &self.name).field("description", &self.description).finish_non_exhaustive()
    }
}

impl Tool {
    /// A tool whose arguments are of this JSON schema, an object's. Arguments that are of
    /// another shape than `A` are not given to the closure: the model is told why. What
    /// the closure gives as an error is told to the model, too.
    ///
    /// ```
    /// use codex_rpc_client::{Tool, ToolOutput};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Arguments {
    ///     city: String,
    /// }
    ///
    /// let schema = serde_json::json!({
    ///     "type": "object",
    ///     "properties": {"city": {"type": "string"}},
    ///     "required": ["city"],
    /// });
    /// let tool = Tool::with_schema("weather", "Tells the weather.", schema, |arguments: Arguments, _call| async move {
    ///     Ok::<_, std::convert::Infallible>(ToolOutput::text(format!("Rain in {}.", arguments.city)))
    /// });
    /// assert_eq!(tool.name(), "weather");
    /// ```
    pub fn with_schema<A, O, E, H, F>(
        name: impl Into<String>,
        description: impl Into<String>,
        schema: Value,
        handler: H,
    ) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        O: Into<ToolOutput>,
        E: fmt::Display,
        H: Fn(A, ToolCall) -> F + Send + Sync + 'static,
        F: Future<Output = Result<O, E>> + Send + 'static,
    {
        let call: Call = Arc::new(move |arguments, call| match serde_json::from_value(arguments) {
            Ok(arguments) => {
                let output = handler(arguments, call);
                Box::pin(async move {
                    match output.await {
                        Ok(output) => output.into(),
                        Err(error) => ToolOutput::failed(error.to_string()),
                    }
                })
            }
            Err(error) => {
                Box::pin(std::future::ready(ToolOutput::failed(format!("the arguments can't be read: {error}"))))
            }
        });
        Self { name: name.into(), description: description.into(), schema, call }
    }

    /// A tool whose arguments are a type; their JSON schema is made from it.
    ///
    /// ```
    /// use codex_rpc_client::{Tool, ToolOutput};
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Arguments {
    ///     city: String,
    /// }
    ///
    /// let tool = Tool::new("weather", "Tells the weather.", |arguments: Arguments, _call| async move {
    ///     Ok::<_, std::convert::Infallible>(ToolOutput::text(format!("Rain in {}.", arguments.city)))
    /// });
    /// assert_eq!(tool.schema()["required"], serde_json::json!(["city"]));
    /// ```
    #[cfg(feature = "schemars")]
    pub fn new<A, O, E, H, F>(name: impl Into<String>, description: impl Into<String>, handler: H) -> Self
    where
        A: DeserializeOwned + schemars::JsonSchema + Send + 'static,
        O: Into<ToolOutput>,
        E: fmt::Display,
        H: Fn(A, ToolCall) -> F + Send + Sync + 'static,
        F: Future<Output = Result<O, E>> + Send + 'static,
    {
        Self::with_schema(name, description, crate::structured::schema::<A>(), handler)
    }

    /// The tool's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The JSON schema of its arguments.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Calls it.
    pub(crate) async fn call(&self, arguments: Value, from: &DynamicToolCallParams) -> ToolOutput {
        let call = ToolCall {
            thread_id: from.thread_id.clone(),
            turn_id: from.turn_id.clone(),
            call_id: from.call_id.clone(),
        };
        (self.call)(arguments, call).await
    }
}

/// The tools of a thread. Tools in a namespace are shown to the model together.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    plain: Vec<Tool>,
    namespaces: BTreeMap<String, (String, Vec<Tool>)>,
}

impl Tools {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, tool: Tool) -> Self {
        add(&mut self.plain, tool);
        self
    }

    /// Adds a tool to a namespace, which has a description of its own.
    #[must_use]
    pub fn with_in(mut self, namespace: impl Into<String>, description: impl Into<String>, tool: Tool) -> Self {
        let (text, tools) = self.namespaces.entry(namespace.into()).or_default();
        *text = description.into();
        add(tools, tool);
        self
    }

    pub(crate) fn get(&self, namespace: Option<&str>, name: &str) -> Option<&Tool> {
        let tools = match namespace {
            Some(namespace) => &self.namespaces.get(namespace)?.1,
            None => &self.plain,
        };
        tools.iter().find(|tool| tool.name == name)
    }

    /// As `thread/start` takes them.
    pub(crate) fn specs(&self) -> Vec<DynamicToolSpec> {
        let plain = self.plain.iter().map(|tool| {
            DynamicToolSpec::from(FunctionDynamicToolSpec::new(&tool.name, &tool.description, tool.schema.clone()))
        });
        let spaced = self.namespaces.iter().map(|(name, (description, tools))| {
            let tools = tools.iter().map(namespaced).collect();
            codex_rpc::types::NamespaceDynamicToolSpec::new(name, description, tools).into()
        });
        plain.chain(spaced).collect()
    }
}

fn namespaced(tool: &Tool) -> DynamicToolNamespaceTool {
    codex_rpc::types::FunctionDynamicToolNamespaceTool::new(&tool.name, &tool.description, tool.schema.clone()).into()
}

fn add(tools: &mut Vec<Tool>, tool: Tool) {
    tools.retain(|other| other.name != tool.name);
    tools.push(tool);
}

impl From<Tool> for Tools {
    fn from(tool: Tool) -> Self {
        Self::new().with(tool)
    }
}

impl FromIterator<Tool> for Tools {
    fn from_iter<I: IntoIterator<Item = Tool>>(tools: I) -> Self {
        tools.into_iter().fold(Self::new(), Self::with)
    }
}
