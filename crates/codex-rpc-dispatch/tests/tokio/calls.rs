//! Calls: many at a time, again when the server is overloaded, given up.

use std::time::Duration;

use codex_rpc::requests::ModelList;
use codex_rpc::types::{ClientInfo, InitializeParams, ModelListParams, ServerDiagnosticsParams};
use codex_rpc_dispatch::tokio::{Builder, CallOptions, Client};
use codex_rpc_dispatch::{Backoff, CallError};
use serde_json::json;
use tokio::time::Instant;

use super::peer::{Peer, builder, calling, connect, connect_with, models, next, pair, soon, until_pending};

/// Numbers that look like chance, always the same for a seed (xorshift).
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).expect("it fits")).expect("it fits")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_at_a_time_all_get_their_own_answers() {
    const CALLS: usize = 10_000;
    let (client, peer) = pair().await;
    let calls: Vec<_> = (0..CALLS).map(|n| calling(&client, &n.to_string())).collect();
    let Peer { mut from_client, mut to_client } = peer;
    let mut requests = Vec::new();
    for _ in 0..CALLS {
        requests.push(from_client.asked("model/list").await);
    }
    assert_eq!(client.pending(), CALLS);
    let mut chance = Chance(0x0ddb_1a5e_5bad_5eed);
    for last in (0..CALLS).rev() {
        let request = requests.swap_remove(chance.below(last + 1));
        to_client.say(models(&request)).await;
    }
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(soon(call).await.expect("no panic"), Ok(n.to_string()));
    }
    assert_eq!(client.pending(), 0);
}

fn overloaded(request: &serde_json::Value) -> serde_json::Value {
    json!({"id": request["id"], "error": {"code": -32001, "message": "Server overloaded; retry later."}})
}

fn retrying(client: &Client, options: CallOptions) -> tokio::task::JoinHandle<Result<Option<String>, CallError>> {
    let client = client.clone();
    tokio::spawn(async move {
        let params = ModelListParams::new().cursor("again");
        Ok(client.call_with::<ModelList>(&params, &options).await?.next_cursor)
    })
}

#[tokio::test(start_paused = true)]
async fn a_call_to_an_overloaded_server_is_made_again_later_and_later_with_jitter() {
    let (client, mut peer) = pair().await;
    let backoff = Backoff::new(4).with_first(Duration::from_secs(1)).with_longest(Duration::from_secs(3));
    let mut delays = Vec::new();
    for _ in 0..20 {
        let call = retrying(&client, CallOptions::default().with_retry(backoff));
        let mut request = peer.asked("model/list").await;
        for most in [1_000, 2_000, 3_000, 3_000] {
            peer.say(overloaded(&request)).await;
            let refused = Instant::now();
            let again = peer.asked("model/list").await;
            assert_ne!(again["id"], request["id"], "each attempt is a request of its own");
            assert_eq!(again["params"], request["params"]);
            request = again;
            // The timer of tokio rounds up to a millisecond.
            let delay = refused.elapsed().as_millis();
            assert!((most / 2..=most + 1).contains(&delay), "{delay} of {most}");
            delays.push(delay);
        }
        peer.say(models(&request)).await;
        assert_eq!(soon(call).await.expect("no panic").expect("an answer").as_deref(), Some("again"));
    }
    let firsts: std::collections::BTreeSet<_> = delays.iter().step_by(4).collect();
    assert!(firsts.len() > 10, "chance has a part in it: {firsts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_up_after_the_stated_number_of_attempts() {
    let (client, mut peer) = pair().await;
    let call = retrying(&client, CallOptions::default().with_retry(Backoff::new(3)));
    for _ in 0..4 {
        let request = peer.asked("model/list").await;
        peer.say(overloaded(&request)).await;
    }
    let error = soon(call).await.expect("no panic").expect_err("overloaded");
    assert!(error.is_overloaded(), "{error}");
    soon(client.close()).await;
    assert_eq!(peer.from_client.rest().await, Vec::<serde_json::Value>::new());
}

#[tokio::test(start_paused = true)]
async fn only_an_overloaded_server_is_called_again_and_only_if_asked_to() {
    let (client, mut peer) = pair().await;
    let retry = CallOptions::default().with_retry(Backoff::new(3));
    for (options, code) in [(&retry, -32603), (&retry, -32600), (&retry, -32002), (&CallOptions::default(), -32001)] {
        let call = retrying(&client, options.clone());
        let request = peer.asked("model/list").await;
        peer.say(json!({"id": request["id"], "error": {"code": code, "message": "no"}})).await;
        let Err(CallError::Rpc(error)) = soon(call).await.expect("no panic") else { panic!("{code}") };
        assert_eq!(error.code, codex_rpc::ErrorCode(code));
    }
    // Nor one whose answer can't be read.
    let call = retrying(&client, retry);
    let request = peer.asked("model/list").await;
    peer.say(json!({"id": request["id"], "result": 1})).await;
    assert!(matches!(soon(call).await.expect("no panic"), Err(CallError::Malformed(_))));
    soon(client.close()).await;
    assert_eq!(peer.from_client.rest().await, Vec::<serde_json::Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_answered_in_time_is_never_repeated() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let options = CallOptions::default().with_retry(Backoff::new(5)).with_time_limit(Duration::from_secs(7));
    let begin = Instant::now();
    let call = retrying(&client, options);
    let request = peer.asked("model/list").await;
    let outcome = soon(call).await.expect("no panic");
    assert!(matches!(outcome, Err(CallError::TimedOut { ref method }) if method == "model/list"), "{outcome:?}");
    assert_eq!((begin.elapsed().as_secs(), client.pending()), (7, 0));
    // Its late answer is harmless.
    peer.say(models(&request)).await;
    assert_eq!(next(&mut told).await, "UnexpectedAnswer");
    soon(client.close()).await;
    assert_eq!(peer.from_client.rest().await, Vec::<serde_json::Value>::new());
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_of_the_client_holds_unless_a_call_has_its_own() {
    let (client, mut peer) = connect(builder().time_limit(Some(Duration::from_secs(3)))).await;
    for (options, seconds) in
        [(CallOptions::default(), 3), (CallOptions::default().with_time_limit(Duration::from_secs(9)), 9)]
    {
        let begin = Instant::now();
        let call = retrying(&client, options);
        peer.asked("model/list").await;
        assert!(matches!(soon(call).await.expect("no panic"), Err(CallError::TimedOut { .. })));
        assert_eq!(begin.elapsed().as_secs(), seconds);
    }
}

#[tokio::test]
async fn a_call_whose_future_is_dropped_is_forgotten_and_its_late_answer_harmless() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let call = calling(&client, "gone");
    let request = peer.asked("model/list").await;
    assert_eq!(client.pending(), 1);
    call.abort();
    assert!(soon(call).await.expect_err("aborted").is_cancelled());
    assert_eq!(client.pending(), 0);
    peer.say(models(&request)).await;
    assert_eq!(next(&mut told).await, "UnexpectedAnswer");
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_for_room_is_not_sent() {
    let (client, mut peer) = connect_with(builder().write_queue(1), 64).await;
    let filling = "f".repeat(100);
    let fill: Vec<_> = (0..4).map(|_| calling(&client, &filling)).collect();
    until_pending(&client, 2).await;
    let waiting = calling(&client, "waits");
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    assert!(soon(waiting).await.expect_err("aborted").is_cancelled());
    for _ in &fill {
        let request = peer.asked("model/list").await;
        assert_eq!(request["params"]["cursor"], *filling);
        peer.say(models(&request)).await;
    }
    for call in fill {
        assert_eq!(soon(call).await.expect("no panic"), Ok(filling.clone()));
    }
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn an_experimental_method_without_the_capability_is_not_sent() {
    let builder = Builder::new(InitializeParams::new(ClientInfo::new("tests", "1.0.0")));
    let (client, mut peer) = connect(builder).await;
    let error = soon(client.server_diagnostics(ServerDiagnosticsParams::new())).await.expect_err("experimental");
    assert!(matches!(error, CallError::ExperimentalApiNeeded { method: "server/diagnostics" }), "{error}");
    assert_eq!(client.pending(), 0);
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn clones_are_the_same_connection() {
    let (client, mut peer) = pair().await;
    let clone = client.clone();
    drop(client);
    peer.goes_on(&clone).await;
    drop(clone);
    assert_eq!(peer.from_client.rest().await, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_write_queue_of_any_size_is_taken() {
    for size in [0, usize::MAX] {
        let (client, mut peer) = connect(builder().write_queue(size)).await;
        peer.goes_on(&client).await;
    }
}
