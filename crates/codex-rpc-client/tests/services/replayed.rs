//! Recorded sessions of codex 0.169.0, said again by this crate.

use std::time::Duration;

use codex_rpc_client::protocol::requests;
use codex_rpc_client::protocol::types::{
    Account, AmazonBedrockLoginAccountParams, CancelLoginAccountParams, CancelLoginAccountStatus,
    ChatgptAuthTokensRefreshReason, CommandExecTerminateParams, CommandExecWriteParams, ConfigBatchWriteParams,
    ConfigEdit, ConfigReadParams, ConfigValueWriteParams, DangerFullAccessSandboxPolicy, FsUnwatchParams,
    ListMcpServerStatusParams, McpResourceReadParams, McpServerOauthLoginParams, McpServerStatusDetail,
    McpServerToolCallParams, MergeStrategy, ModelListParams, ReadOnlySandboxPolicy, ThreadStartParams,
};
use codex_rpc_client::{ChatgptTokens, Codex, CommandStream, Error};
use serde_json::json;

use crate::peer::soon;
use crate::recorded::recorded;

const SERVICES: &[&str] = &[
    "account/read",
    "account/login/start",
    "account/login/cancel",
    "account/logout",
    "account/rateLimits/read",
    "account/usage/read",
];

#[tokio::test]
async fn the_account_with_a_key_is_read_logged_out_and_a_browser_login_is_cancelled() {
    let (codex, played) = recorded("account_key").only(SERVICES).any_params().play(Codex::builder()).await;
    let account = codex.account();
    assert_eq!(account.read().await.expect("an answer").account, None);
    account.login_api_key("sk-placeholder-key").await.expect("a login");
    let read = account.read().await.expect("an answer");
    assert!(matches!(read.account, Some(Account::ApiKey(_))), "{read:?}");
    for refused in [account.rate_limits().await.map(|_| ()), account.usage().await.map(|_| ())] {
        assert!(matches!(refused, Err(Error::Unauthorized(_))), "{refused:?}");
    }
    let unknown = CancelLoginAccountParams::new("00000000-0000-4000-8000-000000000000");
    let cancelled = codex.call::<requests::AccountLoginCancel>(unknown).await.expect("an answer");
    assert_eq!(cancelled.status, CancelLoginAccountStatus::NotFound);
    account.logout().await.expect("an answer");
    assert_eq!(account.read().await.expect("an answer").account, None);
    let bedrock = AmazonBedrockLoginAccountParams::new("placeholder", "us-east-1");
    codex.call::<requests::AccountLoginStart>(bedrock.into()).await.expect("an answer");
    let mut login = account.login_chatgpt().await.expect("a login");
    assert!(login.auth_url().starts_with("https://auth.openai.com/oauth/authorize?"), "{}", login.auth_url());
    assert!(login.cancel().await.expect("an answer"));
    let failed = soon(login.wait()).await;
    assert!(matches!(&failed, Err(Error::LoginFailed { reason }) if reason.contains("not completed")), "{failed:?}");
    played.finish(codex).await;
}

#[tokio::test]
async fn the_limits_and_the_usage_of_a_chatgpt_account_are_read() {
    let (codex, played) = recorded("chatgpt_account").only(SERVICES).play(Codex::builder()).await;
    let account = codex.account();
    account.login_tokens(ChatgptTokens::new("placeholder-token", "acct-1").with_plan("pro")).await.expect("a login");
    account.read().await.expect_err("its workspace was not found");
    let limits = account.rate_limits().await.expect("an answer").rate_limits;
    assert_eq!(limits.primary.expect("a limit").used_percent, 12);
    let usage = account.usage().await.expect("an answer");
    assert_eq!(usage.summary.lifetime_tokens, Some(12_345));
    account.logout().await.expect("an answer");
    played.finish(codex).await;
}

#[tokio::test]
async fn tokens_are_refreshed_during_a_turn() {
    let builder = Codex::builder().on_token_refresh(|asked| async move {
        assert_eq!(asked.reason, ChatgptAuthTokensRefreshReason::Unauthorized);
        let account = asked.previous_account_id.ok_or("no account")?;
        Ok::<_, &str>(ChatgptTokens::new("placeholder-new-token", account).with_plan("pro"))
    });
    let recorded = recorded("token_refresh").any_params();
    let (codex, played) = recorded.play(builder).await;
    let tokens = ChatgptTokens::new("placeholder-old-token", "acct-1").with_plan("pro");
    codex.account().login_tokens(tokens).await.expect("a login");
    codex.account().read().await.expect_err("its workspace was not found");
    codex.call_raw("getAuthStatus", None).await.expect("an answer");
    let thread = codex.start_thread(ThreadStartParams::new()).await.expect("a thread");
    let result = soon(thread.run("Hello")).await.expect("a result");
    assert_eq!(result.text(), "Welcome back.");
    codex.account().logout().await.expect("an answer");
    drop(thread);
    played.finish(codex).await;
}

#[tokio::test]
async fn commands_are_run_written_to_resized_and_terminated() {
    let names = ["", "", "", "pipe", "terminal"];
    let (codex, played) = recorded("command_exec").named(&names).play(Codex::builder()).await;
    let shell = |script: &str| codex.command(["/bin/sh", "-c", script]);
    let output = shell("echo out; echo err >&2; exit 2").cwd("/workspace").env("A", "1").env_remove("LANG").run();
    let output = soon(output).await.expect("an output");
    assert!(!output.success());
    assert_eq!((output.exit_code, output.stdout_text(), output.stderr_text()), (2, "out\n".into(), "err\n".into()));
    let late = soon(shell("sleep 5").time_limit(Some(Duration::from_millis(200))).run()).await.expect("an output");
    assert_eq!(late.exit_code, 124);
    let cut = shell("printf 0123456789abcdefghijklmnopqrstuvwxyz").output_limit(Some(20)).run();
    assert_eq!(soon(cut).await.expect("an output").stdout, b"0123456789abcdefghij");

    let pipe = shell("printf 'ready\\n'; exec cat").stdin().time_limit(None).spawn().await.expect("a command");
    assert_eq!(soon(pipe.next()).await.expect("output").bytes, b"ready\n");
    soon(pipe.write("hello\n")).await.expect("an answer");
    let chunk = soon(pipe.next()).await.expect("output");
    assert_eq!((chunk.stream, &chunk.bytes[..]), (CommandStream::Stdout, &b"hello\n"[..]));
    soon(pipe.close_stdin()).await.expect("an answer");
    assert_eq!(soon(pipe.next()).await, None);
    assert_eq!(soon(pipe.wait()).await.expect("an exit code"), 0);

    let script = "stty -echo; printf ready; read line; stty size; read line";
    let terminal = shell(script).tty(70, 20).output_limit(None).spawn().await.expect("a command");
    assert_eq!(soon(terminal.next()).await.expect("output").bytes, b"ready");
    soon(terminal.resize(100, 30)).await.expect("an answer");
    soon(terminal.write("go\n")).await.expect("an answer");
    assert_eq!(soon(terminal.next()).await.expect("output").bytes, b"30 100\r\n");
    soon(terminal.terminate()).await.expect("an answer");
    assert_eq!(soon(terminal.wait()).await.expect("an exit code"), 1);

    let read_only = shell("(: > x) 2> /dev/null || printf refused").cwd("/workspace");
    let read_only = read_only.sandbox(ReadOnlySandboxPolicy::new().network_access(false)).run();
    assert_eq!(soon(read_only).await.expect("an output").stdout, b"refused");
    let free = codex.command(["/bin/echo", "allowed"]).sandbox(DangerFullAccessSandboxPolicy::new()).run();
    assert_eq!(soon(free).await.expect("an output").stdout, b"allowed\n");
    let empty = soon(codex.command::<&str>([]).run()).await;
    assert!(matches!(empty, Err(Error::Refused(_))), "{empty:?}");
    let missing = soon(codex.command(["/no/such"]).run()).await.expect_err("there is none").to_string();
    assert!(missing.contains("No such file"), "{missing}");
    let terminate = CommandExecTerminateParams::new("nope");
    codex.call::<requests::CommandExecTerminate>(terminate).await.expect_err("there is none");
    let write = CommandExecWriteParams::new("nope");
    codex.call::<requests::CommandExecWrite>(write).await.expect_err("there is nothing to write");
    played.finish(codex).await;
}

#[tokio::test]
async fn files_are_written_read_copied_watched_and_removed() {
    let (codex, played) =
        recorded("filesystem").but(&["recursive", "force"]).named(&["folder", "file"]).play(Codex::builder()).await;
    let files = codex.files();
    files.create_dir_all("/workspace/dir/sub").await.expect("an answer");
    let entries = files.read_dir("/workspace/dir").await.expect("entries");
    assert_eq!((entries.len(), &entries[0].file_name[..], entries[0].is_directory), (1, "sub", true));
    files.write("/workspace/dir/sub/a.txt", "hello\n").await.expect("an answer");
    assert_eq!(files.read("/workspace/dir/sub/a.txt").await.expect("a file"), b"hello\n");
    assert!(files.metadata("/workspace/dir/sub/a.txt").await.expect("an answer").is_file);
    assert!(files.metadata("/workspace/dir").await.expect("an answer").is_directory);
    assert_eq!(files.read_dir("/workspace/dir/sub").await.expect("entries")[0].file_name, "a.txt");
    let mut folder = files.watch("/workspace/dir/sub").await.expect("a watch");
    let mut file = files.watch("/workspace/dir/sub/a.txt").await.expect("a watch");
    files.write("/workspace/dir/sub/a.txt", "changed\n").await.expect("an answer");
    for watch in [&mut folder, &mut file] {
        assert_eq!(soon(watch.next()).await, Some(vec!["/workspace/dir/sub/a.txt".into()]));
    }
    // Unwatching is recorded for both, and for one that never was.
    drop((folder, file));
    codex.call::<requests::FsUnwatch>(FsUnwatchParams::new("none")).await.expect("an answer");
    let missing = files.watch("/workspace/nothing").await.expect("a watch of what is not there yet");
    files.copy("/workspace/dir/sub/a.txt", "/workspace/dir/b.txt").await.expect("an answer");
    files.copy_all("/workspace/dir", "/workspace/copy").await.expect("an answer");
    files.remove_all("/workspace/copy").await.expect("an answer");
    files.remove_all("/workspace/nothing").await.expect("nothing is what was asked for");
    let refused = files.copy("/workspace/dir", "/workspace/copy").await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    files.remove("/workspace/nothing").await.expect_err("there is nothing");
    files.read("/workspace/nothing").await.expect_err("there is nothing");
    let relative = files.read("relative.txt").await;
    assert!(matches!(relative, Err(Error::InvalidParams(_))), "{relative:?}");
    files.create_dir("/workspace/x/y/z").await.expect_err("there is nothing above it");
    played.finish(codex).await;
    drop(missing);
}

#[tokio::test]
async fn a_write_of_the_configuration_fails_by_what_can_be_done_about_it() {
    let (codex, played) = recorded("config").any_params().play(Codex::builder()).await;
    let config = codex.config();
    let read = config.read().await.expect("a configuration");
    assert_eq!(read.config.model.as_deref(), Some("gpt-5.5"));
    let version = config.user_version().await.expect("an answer").expect("a version");
    assert!(version.starts_with("sha256:"), "{version}");
    let written = config.set("model_reasoning_effort", "high").await.expect("an answer");
    assert_ne!(written.version, version);
    let mut stale = ConfigValueWriteParams::new("tui.notifications", true, MergeStrategy::Upsert);
    stale.expected_version = Some("sha256:stale".to_owned());
    let changed = config.write(stale).await;
    assert!(matches!(changed, Err(Error::ConfigChanged(_))), "{changed:?}");
    let edits = || vec![ConfigEdit::new("hide_agent_reasoning", false, MergeStrategy::Replace)];
    config.write_all(ConfigBatchWriteParams::new(edits())).await.expect("an answer");
    let invalid = config.write_all(ConfigBatchWriteParams::new(edits())).await;
    assert!(matches!(invalid, Err(Error::InvalidParams(_))), "{invalid:?}");
    for (key, value) in [("approval_policy", json!("nonsense")), ("model", json!(1))] {
        let invalid = config.set(key, value).await;
        assert!(matches!(invalid, Err(Error::InvalidParams(_))), "{invalid:?}");
    }
    let read_only = config.set("model", "gpt-5.5").await;
    assert!(matches!(read_only, Err(Error::Refused(_))), "{read_only:?}");
    assert_eq!(config.requirements().await.expect("an answer").requirements, None);
    codex.mcp().reload().await.expect("an answer");
    let read = config.read_with(ConfigReadParams::new()).await.expect("a configuration");
    assert_eq!(read.config.model_reasoning_effort.map(|effort| effort.to_string()).as_deref(), Some("high"));
    played.finish(codex).await;
}

#[tokio::test]
async fn models_are_listed_page_by_page() {
    let (codex, played) = recorded("models").only(&["model/list"]).play(Codex::builder()).await;
    let all = codex.models(ModelListParams::new()).all().await.expect("models");
    assert!(all.iter().any(|model| model.is_default), "{all:?}");
    let mut hidden = codex.models(ModelListParams::new().include_hidden(true).limit(2u32));
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(hidden.next().await.expect("a page").expect("a model").id);
    }
    assert_eq!(ids[2], "gpt-6-sol", "the second page begins where the first ended");
    played.finish(codex).await;
}

#[tokio::test]
async fn skills_are_listed_and_switched_off() {
    let methods = ["skills/list", "skills/config/write", "skills/extraRoots/set"];
    let (codex, played) = recorded("skills").only(&methods).play(Codex::builder()).await;
    let skills = codex.skills();
    let names = |folders: &[codex_rpc_client::protocol::types::SkillsListEntry]| -> Vec<String> {
        folders.iter().flat_map(|folder| &folder.skills).map(|skill| skill.name.clone()).collect()
    };
    let listed = skills.list::<&str>([]).await.expect("skills");
    assert!(names(&listed).contains(&"tidy".to_owned()), "{listed:?}");
    skills.reload(["/workspace"]).await.expect("skills");
    assert!(!skills.set_enabled("greet", false).await.expect("an answer"));
    assert!(!skills.set_enabled_at("/workspace/.agents/skills/tidy/SKILL.md", false).await.expect("an answer"));
    skills.set_extra_roots(["/scratch/more"]).await.expect("an answer");
    let listed = skills.reload(["/workspace"]).await.expect("skills");
    assert!(names(&listed).contains(&"extra".to_owned()), "{listed:?}");
    assert!(listed.iter().flat_map(|folder| &folder.skills).any(|skill| skill.name == "tidy" && !skill.enabled));
    played.finish(codex).await;
}

#[tokio::test]
async fn a_login_to_an_mcp_server_that_takes_too_long_has_failed() {
    let (codex, played) = recorded("mcp_login").play(Codex::builder()).await;
    let servers = codex.mcp().servers(ListMcpServerStatusParams::new()).all().await.expect("servers");
    assert_eq!(servers[0].name, "web");
    let params = McpServerOauthLoginParams::new("web").scopes(vec!["read".to_owned()]).timeout_secs(1);
    let mut login = codex.mcp().login(params).await.expect("a login");
    assert!(login.authorization_url().starts_with("http://127.0.0.1:8080/authorize?"));
    let failed = soon(login.wait()).await;
    assert!(matches!(&failed, Err(Error::LoginFailed { reason }) if reason.contains("timed out")), "{failed:?}");
    played.finish(codex).await;
}

#[tokio::test]
async fn resources_of_mcp_servers_are_read_and_their_tools_called() {
    const THREAD: &str = "01900000-0000-7000-8000-000000000001";
    let methods = [
        "mcpServerStatus/list",
        "mcpServer/resource/read",
        "mcpServer/tool/call",
        "mcpServer/oauth/login",
        "config/mcpServer/reload",
    ];
    let (codex, played) = recorded("mcp_requests").only(&methods).play(Codex::builder()).await;
    let mcp = codex.mcp();
    let all = mcp.servers(ListMcpServerStatusParams::new()).all().await.expect("servers");
    assert!(all[0].tools.contains_key("echo"), "{all:?}");
    let some =
        ListMcpServerStatusParams::new().detail(McpServerStatusDetail::ToolsAndAuthOnly).limit(1u32).thread_id(THREAD);
    assert_eq!(mcp.servers(some).next().await.expect("a page").expect("a server").name, "tiny");
    let read = |server: &str| mcp.read_resource(McpResourceReadParams::new(server, "tiny://one").thread_id(THREAD));
    assert_eq!(read("tiny").await.expect("a resource").contents.len(), 2);
    read("none").await.expect_err("there is none");
    let call = |tool: &str| McpServerToolCallParams::new(THREAD, "tiny", tool);
    let called = mcp.call_tool(call("echo").arguments(json!({"text": "direct"}))).await.expect("an answer");
    assert_eq!(called.structured_content, Some(json!({"text": "direct"})));
    assert_eq!(mcp.call_tool(call("echo")).await.expect("an answer").is_error, Some(true));
    mcp.call_tool(call("danger")).await.expect_err("it is refused");
    mcp.login(McpServerOauthLoginParams::new("tiny")).await.expect_err("it has no login");
    mcp.reload().await.expect("an answer");
    played.finish(codex).await;
}
