//! The core without a driver.

use codex_rpc::requests::{Initialize, ModelList, ThreadArchive, ThreadStart};
use codex_rpc::server_requests::{ItemCommandExecutionRequestApproval, ItemToolCall};
use codex_rpc::types::{
    ClientInfo, CommandExecutionApprovalDecision, CommandExecutionRequestApprovalResponse, InitializeCapabilities,
    InitializeParams, InitializeResponse, ModelListParams, ThreadArchiveParams, ThreadStartParams,
};
use codex_rpc::{NoParams, RawJson, RpcError, ServerNotification, notifications};
use codex_rpc_dispatch::{
    CallError, ClientConnection, Event, Handshake, HandshakeError, Limits, MalformedKind, Progress, SendError,
    ServerConnection,
};
use codex_rpc_testkit::fixtures;
use serde_json::{Value, json};

const INITIALIZED: &str = r#"{"id":0,"result":{"userAgent":"me/0.169.0 (Linux)","codexHome":"/h","platformFamily":"unix","platformOs":"linux"}}"#;

fn params(experimental: bool) -> InitializeParams {
    let capabilities = InitializeCapabilities::new().experimental_api(experimental);
    InitializeParams::new(ClientInfo::new("me", "1.0.0")).capabilities(capabilities)
}

fn text(frame: Option<Vec<u8>>) -> String {
    String::from_utf8(frame.expect("a frame")).expect("UTF-8")
}

/// An initialised connection; what it has written until then is gone.
fn connection(experimental: bool, limits: Limits) -> ClientConnection<&'static str> {
    let mut handshake = Handshake::new(&params(experimental), limits).expect("a handshake");
    handshake.next_outgoing().expect("initialize");
    handshake.push(format!("{INITIALIZED}\n").as_bytes());
    let Progress::Ready(mut connection, _) = handshake.advance().expect("an answer") else { panic!("it is answered") };
    assert_eq!(text(connection.next_outgoing()), r#"{"method":"initialized"}"#);
    connection
}

fn ready() -> ClientConnection<&'static str> {
    connection(true, Limits::default())
}

/// What comes of these lines.
fn events(
    connection: &mut ClientConnection<&'static str>,
    lines: &[&str],
) -> Vec<Event<codex_rpc_dispatch::ClientSide, &'static str>> {
    connection.push((lines.join("\n") + "\n").as_bytes());
    std::iter::from_fn(|| connection.next_event()).collect()
}

#[test]
fn what_comes_before_and_after_the_answer_to_initialize_is_kept_in_order() {
    let mut handshake = Handshake::<()>::new(&params(true), Limits::default()).expect("a handshake");
    let early = fixtures::notification("thread/archived", &json!({"threadId": "early"})).to_string();
    let late = fixtures::notification("thread/archived", &json!({"threadId": "late"})).to_string();
    // In two pieces, cut in the middle of a line.
    let bytes = format!("{early}\n{INITIALIZED}\n{late}\n");
    let (first, second) = bytes.split_at(early.len() + 20);
    handshake.push(first.as_bytes());
    let Progress::Waiting(mut handshake) = handshake.advance().expect("no answer yet") else { panic!("too soon") };
    handshake.push(second.as_bytes());
    let Progress::Ready(mut connection, server) = handshake.advance().expect("an answer") else { panic!("answered") };
    assert_eq!(server.user_agent, "me/0.169.0 (Linux)");
    let mut threads = Vec::new();
    while let Some(Event::Notification(message)) = connection.next_event() {
        if let ServerNotification::ThreadArchived(params) = message.payload {
            threads.push(params.thread_id);
        }
    }
    assert_eq!(threads, ["early", "late"]);
}

#[test]
fn a_server_that_refuses_or_is_none_is_an_error() {
    let shake = |line: &str| {
        let mut handshake = Handshake::<()>::new(&params(true), Limits::default()).expect("a handshake");
        handshake.push(format!("{line}\n").as_bytes());
        handshake.advance().map(|_| ()).expect_err("no server")
    };
    let refused = shake(r#"{"id":0,"error":{"code":-32600,"message":"Already initialized"}}"#);
    assert!(matches!(&refused, HandshakeError::Refused(error) if error.message == "Already initialized"));
    let other = shake(r#"{"id":0,"result":{"version":"1"}}"#);
    assert!(matches!(&other, HandshakeError::Malformed(malformed) if malformed.raw.contains("version")), "{other}");
}

#[test]
fn a_request_gives_its_id_its_bytes_and_its_typed_answer() {
    let mut connection = ready();
    let call = connection.request::<ThreadArchive>(&ThreadArchiveParams::new("t"), "tag").expect("sent");
    assert_eq!(text(connection.next_outgoing()), r#"{"method":"thread/archive","id":1,"params":{"threadId":"t"}}"#);
    assert_eq!((call.id(), connection.pending()), (1, 1));
    let [Event::Answer(answer)] = &mut events(&mut connection, &[r#"{"id":1,"result":{}}"#])[..] else {
        panic!("an answer")
    };
    assert_eq!((answer.id, answer.tag, &*answer.method), (1, "tag", "thread/archive"));
    assert_eq!(connection.pending(), 0);
}

#[test]
fn answers_come_in_any_order_and_each_finds_its_request() {
    let mut connection = ready();
    for tag in ["a", "b", "c"] {
        connection.request::<ModelList>(&ModelListParams::new(), tag).expect("sent");
    }
    let lines =
        [r#"{"id":3,"result":3}"#, r#"{"error":{"code":-32001,"message":"x"},"id":1}"#, r#"{"id":2,"result":2}"#];
    let tags: Vec<&str> = events(&mut connection, &lines)
        .into_iter()
        .map(|event| match event {
            Event::Answer(answer) => answer.tag,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tags, ["c", "a", "b"]);
}

#[test]
fn a_result_of_another_shape_is_an_error_with_the_raw_text() {
    let mut connection = ready();
    connection.request::<ThreadStart>(&ThreadStartParams::new(), "").expect("sent");
    let Some(Event::Answer(answer)) = events(&mut connection, &[r#"{"id":1,"result":{"thread":5}}"#]).pop() else {
        panic!("an answer")
    };
    let error = answer.into_response::<ThreadStart>().expect_err("a bad result");
    let CallError::Malformed(malformed) = error else { panic!("{error}") };
    assert_eq!((malformed.kind, malformed.pointer.as_str()), (MalformedKind::Response, "/result/thread"));
    assert_eq!(malformed.raw, r#"{"thread":5}"#);
}

/// A line, and what it seems to be: its kind, method and id.
type Broken<'a> = (&'a [u8], MalformedKind, Option<&'a str>, Option<&'a str>);

#[test]
fn a_broken_line_is_one_malformed_event_and_costs_nothing_else() {
    let good = fixtures::notification("thread/archived", &json!({"threadId": "t"})).to_string();
    let bad: [Broken<'_>; 9] = [
        (b"not json", MalformedKind::Garbage, None, None),
        (b"[1]", MalformedKind::Garbage, None, None),
        (b"{}", MalformedKind::Garbage, None, None),
        (b"{\"method\":\"thread/archived\",\"params\":{\"threadId\":\"\xff\"}}", MalformedKind::Garbage, None, None),
        (br#"{"method":"thread/archived","params":{}}"#, MalformedKind::Notification, Some("thread/archived"), None),
        (
            br#"{"method":"item/tool/call","id":7,"params":{}}"#,
            MalformedKind::Request,
            Some("item/tool/call"),
            Some("7"),
        ),
        (br#"{"id":99,"result":{}}"#, MalformedKind::UnexpectedAnswer, None, Some("99")),
        (br#"{"id":"x","error":{"code":1,"message":"m"}}"#, MalformedKind::UnexpectedAnswer, None, Some("x")),
        (b"{\"id\":1.5,\"result\":{}}", MalformedKind::Garbage, None, None),
    ];
    for (line, kind, method, id) in bad {
        let mut connection = ready();
        connection.push(&[good.as_bytes(), b"\n", line, b"\n\n \n", good.as_bytes(), b"\n"].concat());
        let events: Vec<_> = std::iter::from_fn(|| connection.next_event()).collect();
        let shown = String::from_utf8_lossy(line).into_owned();
        let [Event::Notification(_), Event::Malformed(malformed), Event::Notification(_)] = &events[..] else {
            panic!("{shown}: {events:?}")
        };
        assert_eq!((malformed.kind, malformed.method.as_deref()), (kind, method), "{shown}");
        assert_eq!(malformed.id.as_ref().map(ToString::to_string).as_deref(), id, "{shown}");
        assert_eq!(malformed.raw, shown);
    }
}

#[test]
fn an_answer_that_is_no_answer_ends_its_request() {
    let mut connection = ready();
    connection.request::<ModelList>(&ModelListParams::new(), "a").expect("sent");
    let Some(Event::Answer(answer)) = events(&mut connection, &[r#"{"id":1}"#]).pop() else { panic!("an answer") };
    assert!(matches!(&answer.outcome, Err(CallError::Malformed(malformed)) if malformed.raw == r#"{"id":1}"#));
}

#[test]
fn a_line_over_the_limit_is_passed_over_and_a_request_over_it_is_not_sent() {
    let mut connection = connection(true, Limits::default().with_incoming(300).with_outgoing(300));
    let long = format!(r#"{{"method":"x","params":"{}"}}"#, "y".repeat(400));
    let [Event::Malformed(malformed), Event::Notification(_)] =
        &events(&mut connection, &[&long, r#"{"method":"x"}"#])[..]
    else {
        panic!("two events")
    };
    assert_eq!((malformed.kind, malformed.raw.len()), (MalformedKind::TooLong, 0));
    let start = ThreadStartParams::new().model("m".repeat(400));
    let error = connection.request::<ThreadStart>(&start, "").expect_err("too long");
    assert!(error.to_string().contains("300 are the most"), "{error}");
    assert_eq!((connection.pending(), connection.next_outgoing()), (0, None));
}

#[test]
fn the_end_in_the_middle_of_a_line_gives_what_is_there() {
    let mut connection = ready();
    connection.push(br#"{"method":"moon/rose"}"#);
    assert!(connection.next_event().is_none());
    assert!(matches!(connection.end_of_stream(), Some(Event::Notification(_))));
    connection.push(br#"{"method":"moon"#);
    let Some(Event::Malformed(malformed)) = connection.end_of_stream() else { panic!("torn") };
    assert_eq!(malformed.raw, r#"{"method":"moon"#);
    assert!(connection.end_of_stream().is_none());
}

#[test]
fn everything_pending_ends_with_the_reason_when_the_connection_closes() {
    let mut connection = ready();
    for tag in ["a", "b"] {
        connection.request::<ModelList>(&ModelListParams::new(), tag).expect("sent");
    }
    assert_eq!(connection.forget(2), Some("b"));
    let answers = connection.close("the server died");
    let [answer] = &answers[..] else { panic!("{answers:?}") };
    let error = answer.outcome.as_ref().expect_err("no result");
    assert_eq!((answer.tag, error.to_string().as_str()), ("a", "the connection ended: the server died"));
    assert_eq!(connection.pending(), 0);
    // The late answer of a request that was given up.
    let late = events(&mut connection, &[r#"{"id":2,"result":{}}"#]);
    assert!(matches!(&late[..], [Event::Malformed(malformed)] if malformed.kind == MalformedKind::UnexpectedAnswer));
}

#[test]
fn an_experimental_method_needs_the_capability() {
    let mut connection = connection(false, Limits::default());
    let params = codex_rpc::types::ServerDiagnosticsParams::new();
    let error = connection.request::<codex_rpc::requests::ServerDiagnostics>(&params, "").expect_err("refused here");
    assert!(error.to_string().contains("experimentalApi"), "{error}");
    assert_eq!(connection.next_outgoing(), None);
}

#[test]
fn a_server_request_is_answered_with_the_response_of_its_method() {
    let mut connection = ready();
    let line = fixtures::request("item/commandExecution/requestApproval", 0, &json!({"command": "ls"})).to_string();
    let Some(Event::Request(request)) = events(&mut connection, &[&line]).pop() else { panic!("a request") };
    // It is no other method's.
    let request = request.take::<ItemToolCall>().expect_err("another method");
    let (params, ticket) = request.take::<ItemCommandExecutionRequestApproval>().expect("this method");
    assert_eq!(params.command.as_deref(), Some("ls"));
    let response = CommandExecutionRequestApprovalResponse::new(CommandExecutionApprovalDecision::Decline);
    connection.respond(ticket, &response).expect("answered");
    assert_eq!(text(connection.next_outgoing()), r#"{"id":0,"result":{"decision":"decline"}}"#);
    connection.refuse("x", RpcError::new(-32601, "no"));
    assert_eq!(text(connection.next_outgoing()), r#"{"id":"x","error":{"code":-32601,"message":"no"}}"#);
}

#[test]
fn a_method_that_is_not_known_can_be_called_and_its_params_stay_one_line() {
    let mut connection = ready();
    let params: RawJson = codex_rpc::from_json("{\n  \"a\": \"x\\n\",\r\n  \"b\": 1.50\n}").expect("JSON");
    connection.request_raw("moon/rise", Some(&params), "a").expect("sent");
    let line = text(connection.next_outgoing());
    assert!(!line.contains('\n'), "{line:?}");
    assert_eq!(
        serde_json::from_str::<Value>(&line).expect("JSON"),
        json!({"method": "moon/rise", "id": 1, "params": {"a": "x\n", "b": 1.50}})
    );
    let Some(Event::Answer(answer)) = events(&mut connection, &[r#"{"id":1,"result":1e30}"#]).pop() else {
        panic!("an answer")
    };
    assert_eq!((&*answer.method, answer.outcome.expect("a result").get()), ("moon/rise", "1e30"));
}

#[test]
fn a_notification_of_the_other_side_is_not_sent() {
    let mut connection = ready();
    let params = fixtures::value("ThreadArchivedNotification", &json!({"threadId": "t"})).to_string();
    let params = codex_rpc::from_json(&params).expect("params");
    let error = connection.notify::<notifications::ThreadArchived>(&params).expect_err("not ours");
    assert_eq!(error, SendError::WrongSide { method: "thread/archived" });
    connection.notify::<notifications::Initialized>(&NoParams::new()).expect("ours");
}

#[test]
fn both_roles_talk_to_each_other() {
    let mut server = ServerConnection::<()>::server(Limits::default());
    let mut handshake = Handshake::<()>::new(&params(true), Limits::default()).expect("a handshake");
    let send = |frame: Option<Vec<u8>>| [frame.expect("a frame"), b"\n".to_vec()].concat();
    server.push(&send(handshake.next_outgoing()));
    let Some(Event::Request(request)) = server.next_event() else { panic!("initialize") };
    let (params, ticket) = request.take::<Initialize>().expect("initialize");
    assert_eq!(params.client_info.name, "me");
    let response: InitializeResponse =
        serde_json::from_value(fixtures::value("InitializeResponse", &Value::Null)).expect("a response");
    server.respond(ticket, &response).expect("answered");
    handshake.push(&send(server.next_outgoing()));
    let Progress::Ready(mut client, _) = handshake.advance().expect("an answer") else { panic!("answered") };
    server.push(&send(client.next_outgoing()));
    assert!(matches!(server.next_event(), Some(Event::Notification(_))));

    let params = fixtures::value("CommandExecutionRequestApprovalParams", &Value::Null).to_string();
    let params = codex_rpc::from_json(&params).expect("params");
    server.request::<ItemCommandExecutionRequestApproval>(&params, ()).expect("sent");
    client.push(&send(server.next_outgoing()));
    let Some(Event::Request(request)) = client.next_event() else { panic!("an approval") };
    let (_, ticket) = request.take::<ItemCommandExecutionRequestApproval>().expect("an approval");
    let response = CommandExecutionRequestApprovalResponse::new(CommandExecutionApprovalDecision::Accept);
    client.respond(ticket, &response).expect("answered");
    server.push(&send(client.next_outgoing()));
    let Some(Event::Answer(answer)) = server.next_event() else { panic!("an answer") };
    let decision = answer.into_server_response::<ItemCommandExecutionRequestApproval>().expect("a response").decision;
    assert_eq!(decision, CommandExecutionApprovalDecision::Accept);
}
