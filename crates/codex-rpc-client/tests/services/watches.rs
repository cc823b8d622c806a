//! Files that are watched.

use std::path::PathBuf;

use codex_rpc_client::{Codex, Watch};
use serde_json::{Value, json};

use crate::peer::{Peer, pair, soon};

fn changed(id: &Value, paths: &[&str]) -> Value {
    json!({"method": "fs/changed", "params": {"watchId": id, "changedPaths": paths}})
}

/// A watch, its id, and what is told right before the answer.
async fn watch(codex: &Codex, peer: &mut Peer, before: &[&str]) -> (Watch, Value) {
    let files = codex.files();
    let (watch, id) = tokio::join!(soon(files.watch("/w")), async {
        let request = peer.asked("fs/watch").await;
        let id = request["params"]["watchId"].clone();
        if !before.is_empty() {
            peer.say(changed(&id, before)).await;
        }
        peer.answer(&request, json!({"path": "/real/w"})).await;
        id
    });
    (watch.expect("a watch"), id)
}

fn paths(paths: &[&str]) -> Vec<PathBuf> {
    paths.iter().map(PathBuf::from).collect()
}

#[tokio::test]
async fn changes_are_collected_until_they_are_asked_for_each_path_once() {
    let (codex, mut peer) = pair().await;
    let (mut watch, id) = watch(&codex, &mut peer, &["/w/early"]).await;
    assert_eq!(watch.path(), PathBuf::from("/real/w"));
    assert_eq!(soon(watch.next()).await, Some(paths(&["/w/early"])));
    for told in [&["/w/b", "/w/a"][..], &["/w/a"]] {
        peer.say(changed(&id, told)).await;
    }
    peer.flood(&codex, &changed(&json!("another"), &["/w/x"])).await;
    // What was told before the last answer is collected soon, in one piece or in two.
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.extend(soon(watch.next()).await.expect("changes"));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, paths(&["/w/a", "/w/b"]));
    drop(peer);
    assert_eq!(soon(watch.next()).await, None, "it ends with the connection");
}

#[tokio::test]
async fn a_watch_that_nobody_asks_does_not_hold_up_the_connection_and_does_not_grow() {
    let (codex, mut peer) = pair().await;
    let (mut watch, id) = watch(&codex, &mut peer, &[]).await;
    peer.flood(&codex, &changed(&id, &["/w/a"])).await;
    drop(peer);
    let mut seen = 0;
    while let Some(changed) = soon(watch.next()).await {
        assert_eq!(changed, paths(&["/w/a"]));
        seen += 1;
    }
    assert!((1..=2).contains(&seen), "3,000 changes are told as {seen}");
}

#[tokio::test]
async fn a_watch_that_is_dropped_is_ended() {
    let (codex, mut peer) = pair().await;
    let (watch, id) = watch(&codex, &mut peer, &[]).await;
    drop(watch);
    assert_eq!(peer.asked("fs/unwatch").await["params"], json!({"watchId": id}));
    let files = codex.files();
    let waiting = tokio::spawn(async move { files.watch("/w").await.map(|_| ()) });
    let id = peer.asked("fs/watch").await["params"]["watchId"].clone();
    waiting.abort();
    assert_eq!(peer.asked("fs/unwatch").await["params"], json!({"watchId": id}), "given up before the answer");
}
