//! What a flood takes of memory when its consumer is slow. Alone in its process, so that
//! nothing else is measured.
#![cfg(all(feature = "tokio", target_os = "linux"))]

use std::fs;

use codex_rpc::notifications::ItemAgentMessageDelta;
use codex_rpc::types::{ClientInfo, InitializeParams};
use codex_rpc_dispatch::tokio::{Buffer, Builder, Delivery, Router};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const FLOOD: u64 = 100_000;
/// Bytes of text in each; all of them would be 98 MiB.
const TEXT: usize = 1_024;
/// How much more memory the process may take, in KiB. 1,000 held by the subscription and
/// 4,096 held for the handler are 5 MiB of text; the rest is what surrounds it.
const BOUND: u64 = 24 * 1_024;

/// The most that this process ever took, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_with_a_slow_consumer_takes_no_more_than_its_buffers() {
    let (from_server, mut server) = tokio::io::duplex(64 * 1_024);
    let (to_server, requests) = tokio::io::duplex(64 * 1_024);
    let mut requests = BufReader::new(requests).lines();
    // A handler that never comes to an end, so that all others wait.
    let router = Router::builder().on_notification::<ItemAgentMessageDelta, _, _>(|_, _| std::future::pending());
    let builder = Builder::new(InitializeParams::new(ClientInfo::new("tests", "1.0.0"))).router(router.build());
    let greet = async {
        requests.next_line().await.expect("a line").expect("initialize");
        let result = json!({"userAgent": "tests/0.169.0 (Linux)", "codexHome": "/h", "platformFamily": "unix", "platformOs": "linux"});
        server.write_all(format!("{}\n", json!({"id": 0, "result": result})).as_bytes()).await.expect("written");
    };
    let (client, ()) = tokio::join!(builder.connect(from_server, to_server), greet);
    let client = client.expect("a client");
    let mut told = client.subscribe_with(Buffer::dropping(1_000));

    let before = peak();
    let params = json!({"threadId": "t", "turnId": "u", "itemId": "i", "delta": "x".repeat(TEXT)});
    let line = format!("{}\n", json!({"method": "item/agentMessage/delta", "params": params}));
    for _ in 0..FLOOD {
        server.write_all(line.as_bytes()).await.expect("it is read");
    }
    drop(server);
    client.ended().await;
    let taken = peak() - before;
    eprintln!("{FLOOD} notifications of {} bytes: {taken} KiB more", line.len());
    assert!(taken < BOUND, "{taken} KiB");

    let (mut delivered, mut lagged) = (0, 0);
    while let Some(delivery) = told.next().await {
        match delivery {
            Delivery::Notification(_) => delivered += 1,
            Delivery::Lagged(count) => lagged += count,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((delivered, lagged), (1_000, FLOOD - 1_000));
}
