//! Tools of threads.

use std::convert::Infallible;

use codex_rpc_client::protocol::types::ThreadStartParams;
use codex_rpc_client::{Error, Tool, ToolOutput, Tools};
use serde_json::{Value, json};

use super::peer::{Peer, connect, pair, soon, started};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct City {
    /// Where.
    city: String,
}

fn weather(says: &'static str) -> Tool {
    Tool::new("weather", "Tells the weather.", move |city: City, call| async move {
        Ok::<_, Infallible>(format!("{says} in {} for {}", city.city, call.call_id))
    })
}

async fn with_tools(
    codex: &codex_rpc_client::Codex,
    peer: &mut Peer,
    id: &str,
    tools: Tools,
) -> (codex_rpc_client::Thread, Value) {
    let (thread, request) = soon(async {
        tokio::join!(
            codex.start_thread_with_tools(ThreadStartParams::new(), tools),
            peer.answer("thread/start", started(id))
        )
    })
    .await;
    (thread.unwrap(), request)
}

fn call(thread: &str, namespace: Option<&str>, tool: &str, arguments: &Value) -> Value {
    json!({"threadId": thread, "turnId": "u", "callId": "c", "namespace": namespace, "tool": tool, "arguments": arguments})
}

fn said(answer: &Value) -> (&str, bool) {
    (answer["result"]["contentItems"][0]["text"].as_str().unwrap(), answer["result"]["success"].as_bool().unwrap())
}

#[tokio::test]
async fn a_tool_is_told_to_the_server_with_its_schema_and_called_with_its_type() {
    let (codex, mut peer) = pair().await;
    let (_thread, request) = with_tools(&codex, &mut peer, "t", weather("Rain").into()).await;
    let spec = &request["params"]["dynamicTools"][0];
    assert_eq!((&spec["type"], &spec["name"]), (&json!("function"), &json!("weather")));
    assert_eq!(spec["inputSchema"]["properties"]["city"]["description"], "Where.");
    let answer = peer.ask("item/tool/call", &call("t", None, "weather", &json!({"city": "Kiel"}))).await;
    assert_eq!(said(&answer), ("Rain in Kiel for c", true));
}

#[tokio::test]
async fn arguments_of_another_shape_and_errors_are_told_to_the_model() {
    let (codex, mut peer) = pair().await;
    let failing = Tool::with_schema("fail", "Fails.", json!({"type": "object"}), |_: Value, _| async {
        Err::<ToolOutput, _>("the sky is closed")
    });
    let (_thread, _) = with_tools(&codex, &mut peer, "t", Tools::from(weather("Rain")).with(failing)).await;
    let answer = peer.ask("item/tool/call", &call("t", None, "weather", &json!({"town": "Kiel"}))).await;
    let (text, success) = said(&answer);
    assert!(text.contains("missing field `city`") && !success, "{text}");
    let answer = peer.ask("item/tool/call", &call("t", None, "fail", &json!({}))).await;
    assert_eq!(said(&answer), ("the sky is closed", false));
    let answer = peer.ask("item/tool/call", &call("t", None, "other", &json!({}))).await;
    assert_eq!(said(&answer), ("there is no tool `other`", false));
}

#[tokio::test]
async fn threads_have_tools_of_their_own_and_namespaces_keep_names_apart() {
    let (codex, mut peer) = pair().await;
    let (first, _) = with_tools(&codex, &mut peer, "a", weather("Rain").into()).await;
    let spaced = Tools::from(weather("Sun")).with_in("sea", "At sea.", weather("Storm"));
    let (_second, request) = with_tools(&codex, &mut peer, "b", spaced).await;
    assert_eq!(request["params"]["dynamicTools"][1]["type"], "namespace");
    let arguments = json!({"city": "Kiel"});
    for (thread, namespace, expected) in
        [("a", None, "Rain in Kiel for c"), ("b", None, "Sun in Kiel for c"), ("b", Some("sea"), "Storm in Kiel for c")]
    {
        let answer = peer.ask("item/tool/call", &call(thread, namespace, "weather", &arguments)).await;
        assert_eq!(said(&answer), (expected, true));
    }
    // Its handle is gone, and its tools with it.
    drop(first);
    let answer = peer.ask("item/tool/call", &call("a", None, "weather", &arguments)).await;
    assert!(!said(&answer).1);
}

#[tokio::test]
async fn tools_need_the_experimental_api() {
    let (codex, mut peer) = connect(codex_rpc_client::Codex::builder()).await;
    let refused = "thread/start.dynamicTools requires experimentalApi capability";
    let (thread, ()) = soon(async {
        tokio::join!(
            codex.start_thread_with_tools(ThreadStartParams::new(), weather("Rain")),
            peer.refuse("thread/start", -32600, refused)
        )
    })
    .await;
    let Err(Error::ExperimentalApiNeeded { what }) = thread else { panic!("{thread:?}") };
    assert_eq!(what, "thread/start.dynamicTools");
}
