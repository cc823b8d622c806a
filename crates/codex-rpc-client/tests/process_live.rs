//! The processes of a real session, where `CODEX_BIN` names the executable: none is left.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use codex_rpc_client::Codex;
use codex_rpc_client::protocol::types::{AskForApproval, SandboxMode, ThreadStartParams};
use codex_rpc_testkit::stand_in::{Script, StandIn};

/// Whether a process runs whose environment or command line has this text.
fn runs(text: &str) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    processes.filter_map(Result::ok).any(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains(text)
    })
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let waiting = async {
        while !is() {
            // There is nothing else that tells.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "not within 20 s: {what}");
}

fn configure(home: &Path, model: &StandIn) {
    let config = format!(
        "model = \"gpt-5.5\"\nmodel_provider = \"stand_in\"\n[model_providers.stand_in]\nname = \"Stand-in\"\n\
         base_url = \"{}/v1\"\nwire_api = \"responses\"\nrequest_max_retries = 0\nstream_max_retries = 0\n\
         [features]\nplugins = false\n",
        model.url()
    );
    fs::write(home.join("config.toml"), config).expect("a configuration");
}

#[tokio::test]
async fn a_command_that_runs_ends_with_the_session_however_that_ends() {
    let Some(executable) = std::env::var_os("CODEX_BIN") else {
        eprintln!("CODEX_BIN is not set: the real executable was not tried");
        return;
    };
    for end in ["drop", "close", "kill"] {
        // A number that no other process sleeps for.
        let mark = format!("sleep {}.{}", 86_000 + std::process::id() % 1_000, end.len());
        let call = format!(r#"{{"call": {{"name": "exec_command", "arguments": {{"cmd": "{mark}"}}}}}}"#);
        let script: Script = serde_json::from_str(&format!(r#"{{"answers": [[{call}]]}}"#)).expect("a script");
        let model = StandIn::start(script).expect("a stand-in");
        let home = tempfile::tempdir().expect("a folder");
        configure(home.path(), &model);
        let mut builder = Codex::builder().executable(&executable).home(home.path()).directory(home.path());
        builder = builder.env("HOME", home.path()).env("NO_PROXY", "127.0.0.1");
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            builder = builder.env(proxy, "http://127.0.0.1:9");
        }
        let codex = builder.start().await.expect("a session");
        let params =
            ThreadStartParams::new().sandbox(SandboxMode::DangerFullAccess).approval_policy(AskForApproval::Never);
        let thread = codex.start_thread(params).await.expect("a thread");
        let turn = thread.turn("Sleep.").await.expect("a turn");
        until("the command runs", || runs(&mark)).await;
        match end {
            "close" => codex.close().await,
            "kill" => {
                let pid = fs::read_dir("/proc").expect("processes").filter_map(Result::ok).find(|process| {
                    let line = fs::read(process.path().join("environ")).unwrap_or_default();
                    let program = fs::read(process.path().join("cmdline")).unwrap_or_default();
                    String::from_utf8_lossy(&line).contains(home.path().to_str().expect("UTF-8"))
                        && String::from_utf8_lossy(&program).contains("app-server")
                });
                let pid = pid.expect("the process").file_name();
                let killed = std::process::Command::new("kill").arg("-9").arg(pid).status().expect("kill");
                assert!(killed.success());
                assert!(turn.join().await.is_err());
            }
            _ => {}
        }
        drop((turn, thread, codex));
        until(&format!("after {end} the command is gone"), || !runs(&mark)).await;
    }
}
