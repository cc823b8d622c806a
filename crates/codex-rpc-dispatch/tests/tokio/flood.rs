//! A hundred thousand notifications, a slow consumer, and an approval in the middle.
//! What it takes of memory is in `tests/tokio_memory.rs`.

use codex_rpc_dispatch::tokio::{Buffer, Delivery, Subscription};

use super::peer::{Peer, ToClient, approval, builder, calling, connect_with, delta, models, next, pair, short, soon};

const FLOOD: usize = 100_000;
/// How many calls are answered in the flood.
const CALLS: usize = 100;

fn line(message: &serde_json::Value) -> String {
    format!("{message}\n")
}

/// Says all of it, with an approval in the middle and an answer now and then.
async fn flood(mut to_client: ToClient, mut requests: Vec<serde_json::Value>) -> ToClient {
    let mut lines = String::new();
    for n in 0..FLOOD {
        if n == FLOOD / 2 {
            lines += &line(&approval("middle", "ls"));
        }
        if n % (FLOOD / CALLS) == 7 {
            let request = requests.pop().expect("a call is left");
            lines += &line(&models(&request));
        }
        lines += &line(&delta("t", "u", &n.to_string()));
        if n % 64 == 0 {
            to_client.bytes(std::mem::take(&mut lines).as_bytes()).await;
        }
    }
    to_client.bytes(lines.as_bytes()).await;
    to_client
}

/// Takes what is left until the connection ends: how many were delivered and how many
/// dropped. The order is asserted.
async fn drain(told: &mut Subscription) -> (usize, u64) {
    let (mut delivered, mut lagged, mut last) = (0, 0, None);
    while let Some(delivery) = soon(told.next()).await {
        match delivery {
            Delivery::Lagged(count) => lagged += count,
            other => {
                delivered += 1;
                let number = short(&other).trim_start_matches("delta ").parse::<usize>().expect("a number");
                assert!(last < Some(number), "{number} after {last:?}");
                last = Some(number);
            }
        }
    }
    assert_eq!(last, Some(FLOOD - 1), "the last one is never dropped");
    (delivered, lagged)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_flood_an_approval_is_answered_no_response_is_lost_and_what_is_dropped_is_counted() {
    let (client, peer) = pair().await;
    let Peer { mut from_client, to_client } = peer;
    // The slow consumer: it takes nothing until the approval was answered.
    let mut slow = client.subscribe_with(Buffer::dropping(1_000));
    let calls: Vec<_> = (0..CALLS).map(|n| calling(&client, &n.to_string())).collect();
    let mut requests = Vec::new();
    for _ in 0..CALLS {
        requests.push(from_client.asked("model/list").await);
    }
    let flooding = tokio::spawn(flood(to_client, requests));
    let answer = from_client.message().await;
    assert_eq!((&answer["id"], &answer["result"]["decision"]), (&"middle".into(), &"decline".into()));
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(soon(call).await.expect("no panic"), Ok(n.to_string()));
    }
    drop(soon(flooding).await.expect("no panic"));
    let (delivered, lagged) = drain(&mut slow).await;
    assert_eq!(delivered as u64 + lagged, FLOOD as u64);
    assert!(delivered >= 1_000 && lagged > 0, "{delivered} and {lagged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_flood_a_subscription_that_is_waited_for_loses_nothing() {
    let (client, peer) = pair().await;
    let Peer { mut from_client, to_client } = peer;
    let mut told = client.subscribe_with(Buffer::waiting(16));
    let calls: Vec<_> = (0..CALLS).map(|n| calling(&client, &n.to_string())).collect();
    let mut requests = Vec::new();
    for _ in 0..CALLS {
        requests.push(from_client.asked("model/list").await);
    }
    let flooding = tokio::spawn(async move { drop(flood(to_client, requests).await) });
    let approved = tokio::spawn(async move { from_client.message().await });
    assert_eq!(drain(&mut told).await, (FLOOD, 0));
    assert_eq!(soon(approved).await.expect("no panic")["id"], "middle");
    for call in calls {
        soon(call).await.expect("no panic").expect("an answer");
    }
    soon(flooding).await.expect("no panic");
}

/// On a runtime of one thread the reader must let others run.
#[tokio::test]
async fn a_consumer_that_keeps_up_loses_nothing_to_a_flood_on_one_thread() {
    const LINES: usize = 10_000;
    let (client, peer) = connect_with(builder(), 4 << 20).await;
    let Peer { mut to_client, .. } = peer;
    let mut told = client.subscribe_with(Buffer::dropping(512));
    let consumer = tokio::spawn(async move {
        for n in 0..LINES {
            assert_eq!(next(&mut told).await, format!("delta {n}"));
        }
    });
    let lines: String = (0..LINES).map(|n| line(&delta("t", "u", &n.to_string()))).collect();
    to_client.bytes(lines.as_bytes()).await;
    soon(consumer).await.expect("no panic");
}
