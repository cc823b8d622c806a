//! Errors, by what a caller can do about them.

use std::collections::BTreeMap;
use std::path::Path;

use codex_rpc_client::Error;
use codex_rpc_client::protocol::RpcError;
use codex_rpc_client::protocol::requests::{ModelList, ThreadArchive};
use codex_rpc_client::protocol::types::{ModelListParams, ThreadArchiveParams};
use serde_json::{Value, json};

use super::peer::{pair, soon};

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Overloaded(_) => "overloaded",
        Error::NotInitialized(_) => "not initialised",
        Error::ExperimentalApiNeeded { .. } => "experimental",
        Error::ThreadNotFound(_) => "thread not found",
        Error::InvalidParams(_) => "invalid params",
        Error::Unauthorized(_) => "unauthorized",
        Error::Refused(_) => "refused",
        _ => "other",
    }
}

/// Every error that a real server said, in all recordings: each text that is classified is
/// there, so that a server that says it otherwise is noticed.
#[test]
fn the_errors_of_recorded_servers_are_told_apart() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let mut kinds: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut refused = Vec::new();
    for release in ["0.150.1", "0.160.1", "0.166.0", "0.169.0"] {
        for file in std::fs::read_dir(folder.join(release)).expect("recordings") {
            let text = std::fs::read_to_string(file.expect("a file").path()).expect("a recording");
            for line in text.lines() {
                // Some recordings have lines that are garbage on purpose.
                let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
                let error = &line["message"]["error"];
                if line["from"] != "server" || error["code"].is_null() {
                    continue;
                }
                let error: RpcError = serde_json::from_value(error.clone()).expect("an error");
                let message = error.message.clone();
                let kind = kind(&error.into());
                if kind == "refused" {
                    refused.push(message);
                }
                *kinds.entry((release.to_owned(), kind)).or_default() += 1;
            }
        }
    }
    for release in ["0.150.1", "0.160.1", "0.166.0", "0.169.0"] {
        for kind in
            ["overloaded", "not initialised", "experimental", "thread not found", "invalid params", "unauthorized"]
        {
            assert!(kinds.contains_key(&(release.to_owned(), kind)), "{release} says no {kind}: {kinds:?}");
        }
    }
    for message in refused {
        let lower = message.to_lowercase();
        for word in [
            "experimentalapi",
            "not initialized",
            "thread not",
            "no rollout",
            "authentication required",
            "invalid request: ",
        ] {
            assert!(!lower.contains(word), "taken for an ordinary refusal: {message}");
        }
    }
}

#[tokio::test]
async fn an_overloaded_server_is_asked_again() {
    let (codex, mut peer) = pair().await;
    let calling = tokio::spawn(async move { codex.call::<ThreadArchive>(ThreadArchiveParams::new("t")).await });
    for _ in 0..2 {
        peer.refuse("thread/archive", -32001, "Server overloaded; retry later.").await;
    }
    peer.answer("thread/archive", json!({})).await;
    soon(calling).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_method_that_an_older_server_does_not_know_is_told_as_that() {
    let text = "Invalid request: unknown variant `model/list`, expected one of `initialize`, `thread/start`";
    let (codex, mut peer) = super::peer::connect_as("0.110.0").await;
    let (models, ()) = soon(async {
        tokio::join!(codex.call::<ModelList>(ModelListParams::new()), peer.refuse("model/list", -32600, text))
    })
    .await;
    let Err(Error::ServerTooOld { what, found, .. }) = models else { panic!("{models:?}") };
    assert_eq!((what.as_str(), found.as_str()), ("model/list", "0.110.0"));
    assert!(matches!(codex.require("0.111.0", "this"), Err(Error::ServerTooOld { .. })));
    assert!(codex.require("0.110.0", "this").is_ok());
}

#[tokio::test]
async fn what_is_no_answer_is_told_with_its_text() {
    let (codex, mut peer) = pair().await;
    let (models, _) = soon(async {
        tokio::join!(codex.call::<ModelList>(ModelListParams::new()), peer.answer("model/list", json!({"data": 5})))
    })
    .await;
    let Err(Error::Malformed(malformed)) = models else { panic!("{models:?}") };
    assert_eq!((malformed.raw.as_str(), malformed.pointer.as_str()), (r#"{"data":5}"#, "/result/data"));
}
