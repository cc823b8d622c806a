//! Runs of the real executable that are recorded.

use std::fs;

use codex_rpc::types::SandboxMode;
use codex_rpc_client::Error;
use codex_rpc_client::exec::{Exec, ExecResult};
use serde_json::{Value, json};

use super::codex::Codex;

/// A run, or two of one thread.
pub struct Scenario {
    pub name: &'static str,
    script: Value,
    config: &'static str,
    prepare: fn(&Codex),
    exec: fn(&Codex, Exec) -> Exec,
    /// Whether the thread is resumed afterwards.
    resumed: bool,
    pub fails: bool,
}

const MCP: &str = r#"
import json
import sys

TOOLS = [
    {"name": name, "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": harmless}}
    for name, harmless in [("echo", True), ("fail", True), ("danger", False)]
]

for line in sys.stdin:
    request = json.loads(line)
    method, params = request["method"], request.get("params") or {}
    if "id" not in request:
        continue
    if method == "initialize":
        version = params["protocolVersion"]
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "tiny", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": TOOLS}
    elif params["name"] == "fail":
        result = {"content": [{"type": "text", "text": "it broke"}], "isError": True}
    else:
        arguments = params["arguments"]
        result = {"content": [{"type": "text", "text": arguments["text"]}], "structuredContent": arguments}
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
"#;

fn base(name: &'static str, script: Value) -> Scenario {
    Scenario { name, script, config: "", prepare: |_| {}, exec: |_, exec| exec, resumed: false, fails: false }
}

fn answers(answers: &Value) -> Value {
    json!({"answers": answers})
}

pub fn all() -> Vec<Scenario> {
    let call = |name: &str, arguments: Value| json!([{"call": {"name": name, "arguments": arguments}}]);
    let run = |command: &str| call("exec_command", json!({"cmd": command}));
    let mcp = |name: &str, arguments: Value| json!([{"call": {"namespace": "mcp__tiny", "name": name, "arguments": arguments}}]);
    let done = json!([{"message": "Done."}]);
    let plan = |second: &str| {
        let plan = json!([{"step": "Look", "status": "completed"}, {"step": "Act", "status": second}]);
        call("update_plan", json!({"explanation": "First things first.", "plan": plan}))
    };
    let search = |id: &str, action: Value| json!({"item": {"type": "web_search_call", "id": id, "status": "completed", "action": action}});
    let patch = "*** Begin Patch\n*** Add File: new.txt\n+new\n*** Update File: old.txt\n*** Move to: moved.txt\n@@\n-old\n+newer\n\
                 *** Delete File: gone.txt\n*** End Patch";
    vec![
        base("reply", answers(&json!([[{"message": "Hello from the stand-in model."}]]))),
        base(
            "reasoning",
            answers(&json!([[
                {"reasoning": {"summary": "**Thinking** about it", "text": "raw thought"}},
                {"message": {"text": "I look.", "phase": "commentary"}},
                {"message": {"text": "It is so.", "phase": "final_answer"}}
            ]])),
        ),
        base("command", answers(&json!([run("echo hi; sleep 0.5"), run("echo no >&2; sleep 0.5; exit 3"), done]))),
        base(
            "command_sandboxed",
            // A refusal right at the start is told to the model alone.
            answers(&json!([run("sleep 0.5; : > x.txt"), done])),
        ),
        Scenario {
            prepare: |codex| {
                for name in ["old", "gone"] {
                    fs::write(codex.workspace().join(format!("{name}.txt")), format!("{name}\n")).expect("a file");
                }
            },
            exec: |_, exec| exec.sandbox(SandboxMode::WorkspaceWrite),
            ..base("file_change", answers(&json!([[{"patch": patch}], done])))
        },
        base("todo_list", answers(&json!([plan("in_progress"), plan("completed"), done]))),
        base(
            "web_search",
            answers(&json!([[
                search("ws-1", json!({"type": "search", "query": "weather"})),
                search("ws-2", json!({"type": "search", "query": "a", "queries": ["a", "b"]})),
                search("ws-3", json!({"type": "open_page", "url": "http://127.0.0.1:9/"})),
                search("ws-4", json!({"type": "find_in_page", "url": "http://127.0.0.1:9/", "pattern": "x"})),
                {"message": "Found."}
            ]])),
        ),
        Scenario {
            prepare: |codex| fs::write(codex.path.join("tiny.py"), MCP).expect("a file"),
            exec: |codex, exec| {
                let server = json!({"command": "python3", "args": [codex.path.join("tiny.py").display().to_string()]});
                exec.config("mcp_servers.tiny", server)
            },
            ..base(
                "mcp_tool_call",
                answers(&json!([
                    mcp("echo", json!({"text": "hi"})),
                    mcp("fail", json!({})),
                    mcp("danger", json!({})),
                    done
                ])),
            )
        },
        Scenario {
            config: "[features]\nmulti_agent = true",
            ..base(
                "collab_tool_call",
                json!({
                    "captures": {"agent": "agent_id[^0-9a-f]+([0-9a-f-]{36})"},
                    "answers": [
                        {"match": {"contains": ["CHILD"], "lacks": ["PARENT"]}, "items": [{"message": "Hi from the child."}], "delay": 0.5},
                        {"match": {"contains": ["CHILD"], "lacks": ["PARENT"]}, "items": [{"message": "Hi again."}], "delay": 0.5},
                        [{"item": {"type": "tool_search_call", "call_id": "search-1", "status": "completed", "execution": "client",
                            "arguments": {"query": "spawn agent wait close", "limit": 10}}}],
                        [{"call": {"namespace": "multi_agent_v1", "name": "spawn_agent",
                            "arguments": {"message": "CHILD say hi", "agent_type": "default"}}}],
                        [{"call": {"namespace": "multi_agent_v1", "name": "wait_agent",
                            "arguments": {"targets": ["${agent}"], "timeout_ms": 10000}}}],
                        [{"call": {"namespace": "multi_agent_v1", "name": "send_input",
                            "arguments": {"target": "${agent}", "message": "CHILD more"}}}],
                        [{"call": {"namespace": "multi_agent_v1", "name": "wait_agent",
                            "arguments": {"targets": ["${agent}"], "timeout_ms": 10000}}}],
                        [{"call": {"namespace": "multi_agent_v1", "name": "close_agent", "arguments": {"target": "${agent}"}}}],
                        [{"call": {"namespace": "multi_agent_v1", "name": "resume_agent", "arguments": {"id": "${agent}"}}}],
                        [{"message": "All done."}]
                    ]
                }),
            )
        },
        Scenario {
            exec: |_, exec| exec.config("model_providers.stand_in.stream_max_retries", 2),
            ..base("retry", answers(&json!([{"items": [{"message": "Half a"}], "end": "none"}, done])))
        },
        Scenario {
            fails: true,
            ..base("failed_http", answers(&json!([{"status": 500, "body": {"error": {"message": "It broke."}}}])))
        },
        Scenario {
            fails: true,
            ..base(
                "failed_after_command",
                answers(
                    &json!([run("echo hi; sleep 0.5"), {"failed": {"code": "context_length_exceeded", "message": "Too long."}}]),
                ),
            )
        },
        Scenario { exec: |_, exec| exec.model("no-such-model"), ..base("warning", answers(&json!([done]))) },
        Scenario { resumed: true, ..base("resume", answers(&json!([[{"message": "One."}], [{"message": "Two."}]]))) },
        Scenario { exec: |_, exec| exec.ephemeral(true), ..base("ephemeral", answers(&json!([done]))) },
        Scenario {
            exec: |_, exec| exec.output_schema(schema()),
            ..base("output_schema", answers(&json!([[{"message": "{\"answer\":42}"}]])))
        },
    ]
}

/// The schema of `{"answer": 42}`.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"answer": {"type": "integer"}},
        "required": ["answer"],
        "additionalProperties": false
    })
}

impl Scenario {
    /// Runs it; what codex wrote, sanitised, and what came of it.
    pub async fn play(&self, executable: &std::path::Path) -> (String, Result<ExecResult, Error>) {
        let mut codex = Codex::new(executable, &self.script, self.config);
        codex.keep_output();
        (self.prepare)(&codex);
        let exec = (self.exec)(&codex, codex.exec());
        let mut result = exec.prompt("PARENT hello").run().await;
        if let (true, Ok(first)) = (self.resumed, &result) {
            result = (self.exec)(&codex, codex.exec()).resume(&first.thread_id).prompt("And again").run().await;
        }
        assert_eq!(codex.model.problems(), [""; 0], "{}", self.name);
        let mut sanitiser = codex.sanitiser();
        (sanitiser.text(&codex.output()), result)
    }
}
