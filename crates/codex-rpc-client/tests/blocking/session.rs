//! Calls of a session that blocks.

use std::time::Duration;

use codex_rpc_client::dispatch::tokio::Delivery;
use codex_rpc_client::protocol::RawJson;
use codex_rpc_client::protocol::requests::{ModelList, ThreadArchive};
use codex_rpc_client::protocol::types::{
    ExperimentalFeatureListParams, ListMcpServerStatusParams, ModelListParams, ThreadArchiveParams, ThreadListParams,
};
use codex_rpc_client::{Error, Restart};
use codex_rpc_testkit::fixtures;
use serde_json::json;

use super::server::{Server, answer, say, soon};

#[test]
fn pages_are_fetched_as_they_are_read_and_end_after_an_error() {
    soon(|| {
        let server = Server::new();
        let thread = fixtures::value("Thread", &json!({"id": "t"}));
        let page = answer(&json!({"data": [thread], "nextCursor": "c"}));
        let last = answer(&json!({"data": [thread], "nextCursor": null}));
        let script = format!("{page}refuse broken\n{page}{last}cat > /dev/null");
        let codex = server.start(&script);
        let mut threads = codex.threads(ThreadListParams::new());
        assert_eq!(threads.next().unwrap().unwrap().id, "t");
        let error = threads.next().unwrap().unwrap_err();
        assert!(error.to_string().contains("broken"), "{error}");
        assert!(threads.next().is_none());
        assert_eq!(server.methods(), ["thread/list", "thread/list"], "it is not asked again");
        assert_eq!(codex.threads(ThreadListParams::new()).all().unwrap().len(), 2);
    });
}

#[test]
fn threads_share_a_session() {
    soon(|| {
        let server = Server::new();
        let codex = server.start(&format!("while :; do {}done", answer(&json!({"data": []}))));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        codex.call::<ModelList>(ModelListParams::new()).unwrap();
                    }
                });
            }
        });
        assert_eq!(server.methods().len(), 20);
    });
}

#[test]
fn the_services_call_the_server() {
    soon(|| {
        let server = Server::new();
        let results = [
            json!({"dataBase64": "UmVtZW1iZXIu"}),
            json!({}),
            json!({"requiresOpenaiAuth": false}),
            json!({"data": []}),
            json!({"effectiveEnabled": true}),
            json!({"exitCode": 3, "stdout": "out", "stderr": "err"}),
            json!({"data": []}),
            json!({"data": []}),
            json!({"any": "thing"}),
        ];
        let script: String = results.iter().map(answer).collect();
        let codex = server.start(&(script + "cat > /dev/null"));
        assert_eq!(codex.files().read_to_string("/f").unwrap(), "Remember.");
        codex.files().remove_all("/f").unwrap();
        assert!(codex.account().read().unwrap().account.is_none());
        assert!(codex.skills().list(["/w"]).unwrap().is_empty());
        assert!(codex.skills().set_enabled("s", true).unwrap());
        let output = codex.command(["false"]).cwd("/w").run().unwrap();
        assert_eq!((output.exit_code, output.stdout_text().as_ref()), (3, "out"));
        assert!(codex.mcp().servers(ListMcpServerStatusParams::new()).next().is_none());
        assert!(codex.features(ExperimentalFeatureListParams::new()).all().unwrap().is_empty());
        let params: Box<RawJson> = serde_json::from_str("{}").unwrap();
        assert_eq!(codex.call_raw("x/y", Some(&params)).unwrap().get(), r#"{"any":"thing"}"#);
        let methods = [
            "fs/readFile",
            "fs/remove",
            "account/read",
            "skills/list",
            "skills/config/write",
            "command/exec",
            "mcpServerStatus/list",
            "experimentalFeature/list",
            "x/y",
        ];
        assert_eq!(server.methods(), methods);
    });
}

#[test]
fn what_is_told_is_an_iterator_that_ends_with_the_session_and_does_not_keep_it() {
    soon(|| {
        let server = Server::new();
        let told = say(&fixtures::notification("skills/changed", &json!({})));
        let codex = server.start(&format!("ask\n{told}cat > /dev/null"));
        let mut told = codex.subscribe().unwrap();
        assert!(told.try_next().is_none());
        let calling = std::thread::spawn({
            let codex = codex.clone();
            move || codex.call::<ModelList>(ModelListParams::new()).map(drop)
        });
        let Some(Delivery::Notification(message)) = told.next() else { panic!("a notification") };
        assert_eq!(message.payload.method(), "skills/changed");
        codex.close();
        assert!(told.next().is_none());
        assert!(calling.join().unwrap().is_err());

        let codex = server.start("cat > /dev/null");
        let told = codex.subscribe().unwrap();
        let reading = std::thread::spawn(move || told.count());
        drop(codex);
        assert_eq!(reading.join().unwrap(), 0);
    });
}

#[test]
fn recoveries_are_an_iterator_that_ends_with_the_session() {
    soon(|| {
        let server = Server::new();
        let restart = Restart::attempts(2).with_first(Duration::from_millis(1)).with_settled(Duration::ZERO);
        let codex = server.builder("if run 1; then ask; exit 9; fi\ncat > /dev/null").restart(restart).start().unwrap();
        let mut recoveries = codex.recoveries();
        let failed = codex.call::<ThreadArchive>(ThreadArchiveParams::new("t"));
        assert!(matches!(failed, Err(Error::Process(_))), "{failed:?}");
        let recovery = recoveries.next().unwrap();
        assert!(recovery.running && recovery.reason.contains('9'), "{recovery:?}");
        codex.close();
        assert!(recoveries.next().is_none());
        assert!(codex.recoveries().next().is_none(), "there will be none");
    });
}
