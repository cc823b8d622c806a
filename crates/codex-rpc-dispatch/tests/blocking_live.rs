//! The blocking driver and the real executable, where `CODEX_BIN` names one: a conversation
//! with approvals over each transport.
#![cfg(all(feature = "blocking", feature = "process", feature = "websocket", unix))]

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codex_rpc::types::{
    AskForApproval, ClientInfo, CommandExecutionApprovalDecision, CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse, InitializeCapabilities, InitializeParams, TextUserInput, ThreadItem,
    ThreadStartParams, TurnStartParams, TurnStatus, UserInput,
};
use codex_rpc::{ReleaseMatch, RpcError, ServerNotification};
use codex_rpc_dispatch::blocking::{Builder, Client, ConnectError, Context, Delivery, Handler};
use codex_rpc_testkit::stand_in::{Script, StandIn};
use tempfile::TempDir;

/// Codex with a stand-in model, in folders of its own.
struct Codex {
    executable: PathBuf,
    folder: TempDir,
    _model: StandIn,
}

impl Codex {
    /// None, with a note, where there is no executable.
    fn find() -> Option<Self> {
        let Some(executable) = std::env::var_os("CODEX_BIN") else {
            eprintln!("CODEX_BIN is not set: the real executable was not tried");
            return None;
        };
        let turn = r#"[{"call": {"name": "exec_command", "arguments": {"cmd": "echo hi", "sandbox_permissions": "require_escalated", "justification": "May I?"}}}],
            [{"message": "Done."}]"#;
        let script: Script = serde_json::from_str(&format!(r#"{{"answers": [{turn}, {turn}]}}"#)).expect("a script");
        let model = StandIn::start(script).expect("a stand-in");
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "model = \"gpt-5.5\"\napproval_policy = \"on-request\"\nsandbox_mode = \"read-only\"\nmodel_provider = \"stand_in\"\n\
             [model_providers.stand_in]\nname = \"Stand-in\"\nbase_url = \"{}/v1\"\nwire_api = \"responses\"\n\
             request_max_retries = 0\nstream_max_retries = 0\n[features]\nplugins = false\n",
            model.url()
        );
        fs::write(folder.path().join("config.toml"), config).expect("a configuration");
        Some(Self { executable: executable.into(), folder, _model: model })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.arg("app-server").current_dir(self.folder.path());
        command.env("CODEX_HOME", self.folder.path()).env("HOME", self.folder.path());
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(proxy, "http://127.0.0.1:9");
        }
        command.env("NO_PROXY", "127.0.0.1");
        command
    }

    /// A server that listens.
    fn listen(&self, address: &str) -> Server {
        let mut command = self.command();
        command.args(["--listen", address]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Server(command.stderr(Stdio::null()).spawn().expect("codex starts"))
    }
}

/// Ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Clone, Default)]
struct Decisions(Arc<Mutex<Vec<String>>>);

impl Handler for Decisions {
    /// Accepts the first, declines the second.
    fn item_command_execution_request_approval(
        &self,
        params: CommandExecutionRequestApprovalParams,
        context: Context,
    ) -> Result<CommandExecutionRequestApprovalResponse, RpcError> {
        // A handler may call the client.
        let client = context.client().expect("the client is there");
        client.model_list(codex_rpc::types::ModelListParams::new()).expect("models");
        let mut asked = self.0.lock().expect("a lock");
        asked.push(params.command.unwrap_or_default());
        let decision = match asked.len() {
            1 => CommandExecutionApprovalDecision::Accept,
            _ => CommandExecutionApprovalDecision::Decline,
        };
        Ok(CommandExecutionRequestApprovalResponse::new(decision))
    }
}

fn builder(handler: Decisions) -> Builder {
    let capabilities = InitializeCapabilities::new().experimental_api(true);
    let params = InitializeParams::new(ClientInfo::new("codex-rpc-dispatch", "0.0.0")).capabilities(capabilities);
    Builder::new(params).handler(handler).time_limit(Some(Duration::from_secs(30)))
}

/// Two turns, each with an approval.
fn converse(client: &Client, decisions: &Decisions) {
    assert_eq!(client.release(), ReleaseMatch::Same, "{}", client.server().user_agent);
    let start = ThreadStartParams::new().approval_policy(AskForApproval::OnRequest);
    let thread = client.thread_start(start).expect("a thread").thread;
    let mut statuses = Vec::new();
    for text in ["one", "two"] {
        let told = client.subscribe_thread(&thread.id);
        let input = vec![UserInput::from(TextUserInput::new(text))];
        let turn = client.turn_start(TurnStartParams::new(&thread.id, input)).expect("a turn").turn;
        let mut told = told.only_turn(&turn.id);
        let (mut started, mut completed) = (false, false);
        while !completed {
            let next = told.next_timeout(Duration::from_secs(30)).expect("in time");
            let Some(Delivery::Notification(message)) = next else { panic!("{next:?}") };
            match &message.payload {
                ServerNotification::TurnStarted(_) => started = true,
                ServerNotification::ItemCompleted(completed) => {
                    if let ThreadItem::CommandExecution(item) = &completed.item {
                        statuses.push(item.status.as_str().to_owned());
                    }
                }
                ServerNotification::TurnCompleted(end) => {
                    assert_eq!(end.turn.status, TurnStatus::Completed);
                    completed = true;
                }
                _ => {}
            }
        }
        assert!(started, "the subscription was made before the turn");
    }
    assert_eq!(statuses, ["completed", "declined"]);
    assert_eq!(decisions.0.lock().expect("a lock").len(), 2);
}

#[test]
fn a_conversation_with_approvals_over_stdio() {
    let Some(codex) = Codex::find() else { return };
    let decisions = Decisions::default();
    let client = builder(decisions.clone()).spawn_command(codex.command()).expect("a client");
    converse(&client, &decisions);
    client.close();
    assert!(client.end_reason().expect("it ended").contains("exit status: 0"), "{:?}", client.end_reason());
}

#[test]
fn a_conversation_with_approvals_over_websocket() {
    let Some(codex) = Codex::find() else { return };
    let port =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
    let url = format!("ws://127.0.0.1:{port}");
    let _server = codex.listen(&url);
    let decisions = Decisions::default();
    let client = connected(|| builder(decisions.clone()).connect_websocket(&url, None));
    converse(&client, &decisions);
    client.close();
}

#[test]
fn a_conversation_with_approvals_over_a_unix_socket() {
    let Some(codex) = Codex::find() else { return };
    let path = codex.folder.path().join("s.sock");
    let _server = codex.listen(&format!("unix://{}", path.display()));
    let decisions = Decisions::default();
    let client = connected(|| builder(decisions.clone()).connect_unix(&path));
    converse(&client, &decisions);
    client.close();
}

/// Tries until the server listens.
fn connected(connect: impl Fn() -> Result<Client, ConnectError>) -> Client {
    let mut last = None;
    for _ in 0..100 {
        match connect() {
            Ok(client) => return client,
            Err(error) => last = Some(error),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{last:?}");
}
