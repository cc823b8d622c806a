//! A pool of the real executable, where `CODEX_BIN` names one: three tenants, two places.
#![cfg(target_os = "linux")]

use std::fs;
use std::time::Duration;

use codex_rpc_client::protocol::types::ThreadListParams;
use codex_rpc_client::{Codex, Error, Tenants};
use codex_rpc_testkit::stand_in::{Script, StandIn};

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), future).await.expect("in time")
}

fn is_there(process: u32) -> bool {
    fs::metadata(format!("/proc/{process}")).is_ok()
}

/// The codex processes that this program has started and that are there.
fn processes() -> Vec<u32> {
    let own = std::process::id().to_string();
    let all =
        fs::read_dir("/proc").expect("a folder").filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parent = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        fields.split_whitespace().nth(1).map(str::to_owned)
    };
    all.filter(|process| parent(process).as_ref() == Some(&own)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_tenants_with_two_processes_each_have_their_own_threads_and_history() {
    let Some(executable) = std::env::var_os("CODEX_BIN") else {
        eprintln!("CODEX_BIN is not set: the real executable was not tried");
        return;
    };
    // It answers with what it was asked last.
    let script = r#"{"captures": {"word": "the word (\\w+)"},
        "answers": [{"items": [{"message": "You said ${word}."}], "repeat": true}]}"#;
    let model = StandIn::start(serde_json::from_str::<Script>(script).expect("a script")).expect("a stand-in");
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().to_owned();
    let template = move |_tenant: &str| {
        let mut builder = Codex::builder().executable(&executable).directory(&folder).env("HOME", &folder);
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            builder = builder.env(proxy, "http://127.0.0.1:9");
        }
        builder.env("NO_PROXY", "127.0.0.1")
    };
    let tenants = Tenants::builder(root.path().join("tenants"), template).limit(2).wait_limit(None).build();
    let names = ["one", "two", "three"];
    for tenant in names {
        let home = tenants.home(tenant).expect("a folder");
        fs::create_dir_all(&home).expect("a folder");
        let config = format!(
            "model = \"gpt-5.5\"\napproval_policy = \"never\"\nsandbox_mode = \"read-only\"\nmodel_provider = \"stand_in\"\n\
             [model_providers.stand_in]\nname = \"Stand-in\"\nbase_url = \"{}/v1\"\nwire_api = \"responses\"\n\
             request_max_retries = 0\nstream_max_retries = 0\n[features]\nplugins = false\n",
            model.url()
        );
        fs::write(home.join("config.toml"), config).expect("a configuration");
    }
    // Twice, so that each tenant comes again in another process.
    let mut most = 0;
    let mut ids = Vec::new();
    for round in 0..2 {
        let all = names.map(|tenant| {
            let tenants = tenants.clone();
            tokio::spawn(async move {
                let session = tenants.session(tenant, "chat").await.expect("a session");
                let counted = processes();
                assert_eq!(session.is_new(), round == 0);
                let result = session.run(format!("This is the word {tenant}{round}.")).await.expect("a turn");
                let listed = session.codex().threads(ThreadListParams::new()).all().await.expect("a list");
                let listed: Vec<_> = listed.into_iter().map(|thread| (thread.id, thread.name)).collect();
                let expected = [(session.id().to_owned(), Some("chat".to_owned()))];
                assert_eq!(listed, expected, "its own thread, and no other");
                let turns = session.history().all().await.expect("its history").len();
                (session.id().to_owned(), turns, counted, result)
            })
        });
        let mut round_ids = Vec::new();
        for user in all {
            let (id, turns, counted, result) = soon(user).await.expect("no panic");
            assert!(result.text().starts_with("You said "), "{}", result.text());
            assert_eq!(turns, round + 1);
            assert!(counted.len() <= 2, "{counted:?}");
            most = most.max(counted.len());
            round_ids.push(id);
        }
        ids.push(round_ids);
    }
    assert_eq!(ids[0], ids[1], "they went on");
    assert!(most >= 1);
    let stranger = ids[0][1].as_str();
    let lease = soon(tenants.acquire("one")).await.expect("a process");
    let error = soon(lease.resume_thread(stranger)).await.expect_err("another tenant's");
    assert!(matches!(error, Error::ThreadNotFound(_)), "{error:?}");
    drop(lease);
    let left = processes();
    assert_eq!(left.len(), tenants.stats().running);
    soon(tenants.close()).await;
    assert!(processes().is_empty() && !left.into_iter().any(is_there), "none is left");
    assert!(model.problems().is_empty(), "{:?}", model.problems());
}
