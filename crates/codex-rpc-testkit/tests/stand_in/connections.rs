//! Slow streams, WebSocket connections and the end of the stand-in.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::{Client, connect, event, post, start};

/// Two answers wait for an hour, so whatever waited for them would run into the limit.
#[test]
fn a_delayed_and_a_paused_stream_block_no_other_request_and_end_on_drop() {
    let model = start(
        r#"{"answers": [
            {"items": [{"message": "late"}], "delay": 3600, "match": {"contains": ["delay"]}},
            {"items": [{"message": "half"}], "pause": {"after": 2, "seconds": 3600}, "match": {"contains": ["pause"]}},
            [{"message": "now"}]]}"#,
    );
    let send = |text: &str| Client::send(&model, "POST", "/v1/responses", &json!({"input": text}).to_string());
    let mut delayed = send("delay");
    assert_eq!(delayed.head().status, 200);
    let mut paused = send("pause");
    paused.head();
    for kind in ["response.created", "response.output_item.added"] {
        assert_eq!(event(&paused.chunk().unwrap())["type"], kind);
    }

    assert_eq!(post(&model, &json!({"input": "now"})).message(), "now");
    assert_eq!(model.requests().len(), 3);

    drop(model);
    for mut client in [delayed, paused] {
        let mut rest = Vec::new();
        match client.reader.read_to_end(&mut rest) {
            Ok(_) => assert_eq!(rest, b"", "cut, not ended"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

#[test]
fn a_pause_ends_and_the_stream_goes_on() {
    let model = start(
        r#"{"answers": [{"items": [], "delay": 0.001, "pause": {"after": 1, "seconds": 0.001}},
            {"items": [], "pause": {"after": 2, "seconds": 0}}, {"items": [], "pause": {"after": 3, "seconds": 0}}]}"#,
    );
    for _ in 0..3 {
        assert_eq!(post(&model, &json!({})).events().len(), 2);
    }
    assert_eq!(model.problems(), ["request 3, POST /v1/responses: a pause after 3 events, but the answer has 2"]);
}

#[test]
fn a_client_that_leaves_is_no_problem() {
    let model = start(r#"{"answers": [{"items": [], "pause": {"after": 1, "seconds": 3600}}]}"#);
    let mut client = Client::send(&model, "POST", "/v1/responses", "{}");
    client.head();
    drop(client);
    assert_eq!(post(&model, &json!({})).message(), "Done.");
    assert_eq!(model.problems(), [""; 0]);
}

#[test]
fn dropping_closes_the_port_and_open_connections() {
    let model = start(r#"{"websocket": [[]]}"#);
    let port = model.port();
    let (mut socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}/"), connect(port)).unwrap();
    let mut idle = connect(port);
    drop(model);
    assert!(!matches!(socket.read(), Ok(_) | Err(tungstenite::Error::Io(_))), "cut, not timed out");
    match idle.read(&mut [0]) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    let refused = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_websocket_gets_the_replies_of_its_own_count() {
    let model = start(r#"{"websocket": [[{"n": 1}, {"n": 2}], [], [{"n": 3}]]}"#);
    for _ in 0..2 {
        let url = format!("ws://127.0.0.1:{}/v1/realtime?model=x", model.port());
        let (mut socket, _) = tungstenite::client(url, connect(model.port())).unwrap();
        let mut ask = |text: &str, count: usize| -> Vec<Value> {
            socket.send(tungstenite::Message::text(text)).unwrap();
            (0..count).map(|_| serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap()).collect()
        };
        assert_eq!(ask(r#"{"type": "session.update"}"#, 2), [json!({"n": 1}), json!({"n": 2})]);
        ask("no JSON", 0);
        assert_eq!(ask("{}", 1), [json!({"n": 3})]);
        ask("{}", 0);
        socket.close(None).unwrap();
        let closing = std::iter::from_fn(|| socket.read().ok()).all(|message| message.is_close());
        assert!(closing, "nothing after the last list");
    }
    let requests: Vec<_> = model.requests().iter().map(|request| format!("{request:?}")).collect();
    let one = [
        "GET /v1/realtime (0 bytes)",
        "WEBSOCKET /v1/realtime (26 bytes)",
        "WEBSOCKET /v1/realtime (7 bytes)",
        "WEBSOCKET /v1/realtime (2 bytes)",
        "WEBSOCKET /v1/realtime (2 bytes)",
    ];
    assert_eq!(requests, [one, one].concat());
    assert_eq!(model.requests()[1].body, Some(json!({"type": "session.update"})));
}

#[test]
fn without_websocket_answers_a_handshake_is_not_found() {
    let model = start("{}");
    let url = format!("ws://127.0.0.1:{}/v1/realtime", model.port());
    let error = tungstenite::client(url, connect(model.port())).unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
}
