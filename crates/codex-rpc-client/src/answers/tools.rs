//! Calls of the tools that a thread was started with.

use std::sync::Arc;

use codex_rpc::server_requests::ItemToolCall;
use codex_rpc::types::{DynamicToolCallParams, DynamicToolCallResponse};
use codex_rpc_dispatch::tokio::RouterBuilder;

use super::{Answers, Asked, Surroundings};
use crate::tools::ToolOutput;

pub(super) fn register(router: RouterBuilder, answers: &Arc<Answers>, surroundings: &Surroundings) -> RouterBuilder {
    let (answers, surroundings) = (Arc::clone(answers), surroundings.clone());
    router.on::<ItemToolCall, _, _>(move |params: DynamicToolCallParams, context| {
        let (answers, surroundings) = (Arc::clone(&answers), surroundings.clone());
        async move {
            let _asking = surroundings.hub.asking(Some(&params.thread_id));
            let asked = Asked::new(context);
            if let Some(answer) = answers.hook::<ItemToolCall>(&params, &asked).await? {
                return Ok(answer);
            }
            Ok(call(&surroundings, params).await)
        }
    })
}

async fn call(surroundings: &Surroundings, params: DynamicToolCallParams) -> DynamicToolCallResponse {
    let tools = surroundings.hub.tools(&params.thread_id);
    let tool = tools.as_ref().and_then(|tools| tools.get(params.namespace.as_deref(), &params.tool));
    let output = if let Some(tool) = tool {
        tool.call(params.arguments.clone(), &params).await
    } else {
        tracing::warn!(thread = %params.thread_id, tool = %params.tool, "the thread has no such tool");
        ToolOutput::failed(format!("there is no tool `{}`", params.tool))
    };
    output.into_response()
}
