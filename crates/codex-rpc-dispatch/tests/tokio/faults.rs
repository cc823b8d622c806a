//! What a server may do wrong. Each time: nothing hangs or panics, calls that are
//! concerned end with the reason, and what is not concerned goes on.

use std::time::Duration;

use codex_rpc::requests::ModelList;
use codex_rpc::types::ModelListParams;
use codex_rpc_dispatch::tokio::{Buffer, CallOptions, Delivery};
use codex_rpc_dispatch::{CallError, Limits, MalformedKind};
use serde_json::{Value, json};

use super::peer::{
    approval, archived, builder, calling, connect, connect_with, list, models, next, pair, soon, until_pending,
};

#[tokio::test]
async fn an_unknown_notification_is_delivered_and_costs_nothing() {
    let (client, mut peer) = pair().await;
    let (mut all, mut thread) = (client.subscribe(), client.subscribe_thread("t"));
    peer.say(json!({"method": "moon/risen", "params": {"threadId": "t"}})).await;
    peer.say(archived("t")).await;
    for told in [&mut all, &mut thread] {
        assert_eq!(next(told).await, "moon/risen");
        assert_eq!(next(told).await, "archived t");
    }
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn an_unknown_request_of_the_server_is_refused_with_method_not_found() {
    let (client, mut peer) = pair().await;
    peer.say(json!({"method": "moon/rise", "id": "m", "params": []})).await;
    let answer = peer.message().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("m"), &json!(-32601)));
    assert!(answer["error"]["message"].as_str().is_some_and(|text| text.contains("moon/rise")), "{answer}");
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn a_malformed_notification_is_told_with_its_raw_text_and_costs_nothing() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let line = r#"{"method":"thread/archived","params":{"threadId":7}}"#;
    peer.say(line).await;
    peer.say(archived("t")).await;
    let Some(Delivery::Malformed(malformed)) = soon(told.next()).await else { panic!("it is told") };
    assert_eq!((malformed.kind, malformed.raw.as_str()), (MalformedKind::Notification, line));
    assert_eq!(
        (malformed.method.as_deref(), malformed.pointer.as_str()),
        (Some("thread/archived"), "/params/threadId")
    );
    assert_eq!(next(&mut told).await, "archived t");
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn a_malformed_request_of_the_server_is_refused_with_invalid_params() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    peer.say(r#"{"method":"item/tool/call","id":7,"params":{}}"#).await;
    let answer = peer.message().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32602)));
    assert_eq!(next(&mut told).await, "Request");
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn a_malformed_response_fails_its_own_call_with_the_raw_text() {
    let (client, mut peer) = pair().await;
    let call = || {
        let client = client.clone();
        tokio::spawn(async move { client.model_list(ModelListParams::new().cursor("own")).await })
    };
    // A result of another shape, and neither a result nor an error.
    for bad in [r#""result":{"data":5}"#, r#""result":7"#, r#""outcome":1"#, r#""error":"no""#] {
        let (broken, whole) = (call(), call());
        let requests = [peer.asked("model/list").await, peer.asked("model/list").await];
        peer.say(format!(r#"{{"id":{},{bad}}}"#, requests[0]["id"])).await;
        peer.say(models(&requests[1])).await;
        let outcomes = [soon(broken).await.expect("no panic"), soon(whole).await.expect("no panic")];
        // Which of the two calls came first is not known.
        let (bads, goods): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_err);
        assert_eq!((bads.len(), goods.len()), (1, 1), "{bad}");
        let Some(Err(CallError::Malformed(malformed))) = bads.into_iter().next() else { panic!("{bad}") };
        assert_eq!(malformed.kind, MalformedKind::Response);
        assert!(bad.contains(malformed.raw.as_str()) || malformed.raw.contains(bad), "{bad}: {}", malformed.raw);
    }
    assert_eq!(client.pending(), 0);
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn two_requests_of_the_server_with_one_id_are_both_answered() {
    let (client, mut peer) = pair().await;
    peer.say(approval(5, "ls")).await;
    peer.say(approval(5, "rm")).await;
    for _ in 0..2 {
        assert_eq!(peer.message().await, json!({"id": 5, "result": {"decision": "decline"}}));
    }
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn a_second_answer_is_told_and_does_not_change_the_first() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let call = calling(&client, "one");
    let request = peer.asked("model/list").await;
    let other = json!({"id": request["id"], "error": {"code": -1, "message": "two"}});
    peer.to_client.bytes(format!("{}\n{other}\n", models(&request)).as_bytes()).await;
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("one"));
    assert_eq!(next(&mut told).await, "UnexpectedAnswer");
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn an_answer_to_nothing_is_told_and_ends_no_call() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let call = calling(&client, "own");
    let request = peer.asked("model/list").await;
    let id = request["id"].as_i64().expect("a number");
    let text = Value::from(id.to_string());
    for id in [json!(id + 1), json!(-id), json!(i64::MAX), text, json!("x")] {
        peer.say(json!({"id": id, "result": {"data": [], "nextCursor": "other"}})).await;
        assert_eq!(next(&mut told).await, "UnexpectedAnswer", "{id}");
    }
    assert_eq!(client.pending(), 1);
    peer.say(models(&request)).await;
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
}

#[tokio::test]
async fn answers_out_of_order_find_their_calls() {
    let (client, mut peer) = pair().await;
    let calls: Vec<_> = (0..5).map(|n| calling(&client, &n.to_string())).collect();
    let mut requests = Vec::new();
    for _ in &calls {
        requests.push(peer.asked("model/list").await);
    }
    for request in requests.iter().rev() {
        peer.say(models(request)).await;
    }
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(soon(call).await.expect("no panic"), Ok(n.to_string()));
    }
}

#[tokio::test]
async fn garbage_and_blank_lines_cost_nothing() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let call = calling(&client, "own");
    let request = peer.asked("model/list").await;
    let garbage = ["not json", "[1]", "{}", "null", "7", r#"{"id":null,"result":1}"#, r#"{"id":1.5,"result":1}"#, "{"];
    for line in garbage {
        peer.say(format!("\n \t\r\n{line}\n")).await;
        assert_eq!(next(&mut told).await, "Garbage", "{line}");
    }
    peer.say(models(&request)).await;
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
    assert!(told.try_next().is_none(), "a blank line is nothing");
}

#[tokio::test]
async fn a_line_that_is_no_utf8_costs_nothing_else() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let call = calling(&client, "own");
    let request = peer.asked("model/list").await;
    let good = models(&request);
    let mut bytes = b"{\"method\":\"thread/archived\",\"params\":{\"threadId\":\"\xff\"}}\n".to_vec();
    bytes.extend_from_slice(format!("{good}\n{}\n", archived("t")).as_bytes());
    peer.to_client.bytes(&bytes).await;
    let Some(Delivery::Malformed(malformed)) = soon(told.next()).await else { panic!("it is told") };
    assert!(malformed.raw.contains('\u{fffd}'), "{}", malformed.raw);
    assert_eq!(next(&mut told).await, "archived t");
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
}

#[tokio::test]
async fn a_line_over_the_limit_is_told_and_costs_nothing_else() {
    let (client, mut peer) = connect(builder().limits(Limits::default().with_incoming(1_000))).await;
    let mut told = client.subscribe();
    // In several pieces, and in one with what follows.
    for length in [1_001, 300_000] {
        let mut bytes = vec![b'x'; length];
        bytes.extend_from_slice(format!("\n{}\n", archived("t")).as_bytes());
        peer.to_client.bytes(&bytes).await;
        let Some(Delivery::Malformed(malformed)) = soon(told.next()).await else { panic!("it is told") };
        assert_eq!(malformed.kind, MalformedKind::TooLong);
        assert!(malformed.reason.contains(&length.to_string()), "{}", malformed.reason);
        assert_eq!(next(&mut told).await, "archived t");
    }
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn a_request_over_the_limit_is_not_sent_and_costs_nothing_else() {
    let (client, mut peer) = connect(builder().limits(Limits::default().with_outgoing(200))).await;
    let error = soon(list(&client, &"x".repeat(200))).await.expect_err("too long");
    assert!(error.contains("200 are the most"), "{error}");
    assert_eq!(client.pending(), 0);
    peer.goes_on(&client).await;
}

#[tokio::test]
async fn the_end_of_the_stream_in_the_middle_of_a_line_ends_calls_with_the_reason() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe();
    let calls = [calling(&client, "a"), calling(&client, "b")];
    let request = peer.asked("model/list").await;
    peer.asked("model/list").await;
    let line = models(&request).to_string();
    peer.to_client.bytes(&line.as_bytes()[..line.len() - 4]).await;
    drop(peer);
    for call in calls {
        let error = soon(call).await.expect("no panic").expect_err("no answer");
        assert_eq!(error, "the connection ended: the server closed the connection");
    }
    assert_eq!(next(&mut told).await, "Garbage");
    assert_eq!(next(&mut told).await, "end");
    assert_eq!(soon(client.ended()).await, "the server closed the connection");
    assert_eq!(
        soon(list(&client, "c")).await,
        Err("the connection ended: the server closed the connection".to_owned())
    );
}

#[tokio::test]
async fn a_last_line_without_its_line_break_counts() {
    let (client, mut peer) = pair().await;
    let call = calling(&client, "own");
    let request = peer.asked("model/list").await;
    peer.to_client.bytes(models(&request).to_string().as_bytes()).await;
    drop(peer);
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
}

#[tokio::test(start_paused = true)]
async fn calls_to_a_server_that_does_not_read_end_within_their_time_limits() {
    let (client, mut peer) = connect_with(builder().write_queue(2), 300).await;
    let options = CallOptions::default().with_time_limit(Duration::from_secs(5));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (client, options) = (client.clone(), options.clone());
            tokio::spawn(async move { client.call_with::<ModelList>(&ModelListParams::new(), &options).await })
        })
        .collect();
    let begin = tokio::time::Instant::now();
    for call in calls {
        let outcome = soon(call).await.expect("no panic");
        assert!(matches!(outcome, Err(CallError::TimedOut { ref method }) if method == "model/list"), "{outcome:?}");
    }
    assert_eq!(begin.elapsed().as_secs(), 5);
    assert_eq!(client.pending(), 0);
    // What it says is read nevertheless.
    let mut told = client.subscribe();
    peer.say(archived("t")).await;
    assert_eq!(next(&mut told).await, "archived t");
    // Once it reads, things go on.
    let call = calling(&client, "own");
    loop {
        let request = peer.asked("model/list").await;
        if request["params"]["cursor"] == "own" {
            peer.say(models(&request)).await;
            break;
        }
    }
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
}

#[tokio::test(start_paused = true)]
async fn a_client_of_a_server_that_does_not_read_can_be_closed() {
    let (client, _peer) = connect_with(builder().write_queue(1), 100).await;
    let calls: Vec<_> = (0..20).map(|_| calling(&client, "x")).collect();
    // All of them wait for room, or for an answer.
    until_pending(&client, 3).await;
    soon(client.close()).await;
    for call in calls {
        let error = soon(call).await.expect("no panic").expect_err("no answer");
        assert_eq!(error, "the connection ended: the client closed the connection");
    }
}

#[tokio::test]
async fn a_client_of_a_server_that_does_not_read_can_be_dropped() {
    let (client, mut peer) = connect_with(builder().write_queue(1), 100).await;
    let calls: Vec<_> = (0..5).map(|_| calling(&client, &"x".repeat(100))).collect();
    until_pending(&client, 2).await;
    for call in &calls {
        call.abort();
    }
    for call in calls {
        assert!(soon(call).await.is_err());
    }
    drop(client);
    // Its end is closed: there is an end of what can be read.
    while peer.from_client.line().await.is_some() {}
}

#[tokio::test]
async fn a_subscription_that_nobody_reads_holds_nothing_up() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe_with(Buffer::dropping(10));
    for n in 0..1_000 {
        peer.say(archived(&n.to_string())).await;
    }
    peer.goes_on(&client).await;
    assert_eq!(next(&mut told).await, "lagged 990");
    for n in 990..1_000 {
        assert_eq!(next(&mut told).await, format!("archived {n}"));
    }
}

#[tokio::test]
async fn a_subscription_that_waits_holds_the_connection_up_until_it_is_read() {
    let (client, mut peer) = pair().await;
    let mut told = client.subscribe_with(Buffer::waiting(2));
    let call = calling(&client, "own");
    let request = peer.asked("model/list").await;
    for n in 0..4 {
        peer.say(archived(&n.to_string())).await;
    }
    peer.say(models(&request)).await;
    // Two are held, one is in the reader's hand.
    stalled(&told).await;
    assert_eq!(client.pending(), 1, "the answer is behind what waits");
    for n in 0..4 {
        assert_eq!(next(&mut told).await, format!("archived {n}"));
    }
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
}

#[tokio::test]
async fn a_subscription_that_waits_holds_nothing_up_once_it_is_dropped() {
    let (client, mut peer) = pair().await;
    let told = client.subscribe_with(Buffer::waiting(1));
    let mut other = client.subscribe();
    let call = calling(&client, "own");
    let request = peer.asked("model/list").await;
    for n in 0..4 {
        peer.say(archived(&n.to_string())).await;
    }
    peer.say(models(&request)).await;
    stalled(&told).await;
    assert_eq!(client.pending(), 1);
    drop(told);
    assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("own"));
    for n in 0..4 {
        assert_eq!(next(&mut other).await, format!("archived {n}"));
    }
}

/// Lets the reader run until it can't: all there is for it to do takes a few turns of
/// this runtime, which has one thread.
async fn stalled(told: &codex_rpc_dispatch::tokio::Subscription) {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!format!("{told:?}").contains("waiting: 0"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_its_input_ends_calls_with_the_reason() {
    let (client, peer) = pair().await;
    let (before, mut told) = (calling(&client, "before"), client.subscribe());
    let super::peer::Peer { mut from_client, mut to_client } = peer;
    let request = from_client.asked("model/list").await;
    drop(from_client);
    let after = calling(&client, "after");
    // What it still says counts.
    until_pending(&client, 2).await;
    to_client.say(archived("late")).await;
    to_client.say(models(&request)).await;
    assert_eq!(next(&mut told).await, "archived late");
    assert_eq!(soon(before).await.expect("no panic").as_deref(), Ok("before"));
    let error = soon(after).await.expect("no panic").expect_err("no answer");
    assert!(error.starts_with("the connection ended: the server can't be written to: "), "{error}");
    // So do calls that come after it.
    assert_eq!(soon(list(&client, "late")).await, Err(error));
    assert_eq!(next(&mut told).await, "end");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_its_input_and_then_its_output_is_said_to_have_closed() {
    let (client, peer) = pair().await;
    let super::peer::Peer { from_client, to_client } = peer;
    drop(from_client);
    let call = calling(&client, "x");
    until_pending(&client, 1).await;
    drop(to_client);
    let error = soon(call).await.expect("no panic").expect_err("no answer");
    assert_eq!(error, "the connection ended: the server closed the connection");
}
