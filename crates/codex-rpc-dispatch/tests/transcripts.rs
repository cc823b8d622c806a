//! Every recorded session through the dispatcher.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use codex_rpc::types::InitializeParams;
use codex_rpc::{CODEX_VERSION, RawJson};
use codex_rpc_dispatch::{ClientConnection, ClientSide, Event, Handshake, Limits, Progress, ServerConnection};
use codex_rpc_testkit::replay::{Options, Order, Replay};
use codex_rpc_testkit::transcript::{From, Line, Reader};
use serde_json::Value;

struct Entry {
    from: From,
    process: u32,
    text: String,
    message: Value,
}

impl Entry {
    fn method(&self) -> Option<&str> {
        self.message.get("method")?.as_str()
    }

    fn id(&self) -> Option<String> {
        self.message.get("id").map(Value::to_string)
    }

    fn raw(&self, member: &str) -> Option<RawJson> {
        self.message.get(member).map(|value| codex_rpc::from_json(&value.to_string()).expect("JSON"))
    }
}

fn paths() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts").join(CODEX_VERSION);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    assert!(paths.len() >= 96, "{}", paths.len());
    paths
}

fn entries(path: &Path) -> Vec<Entry> {
    let lines = Reader::new(BufReader::new(File::open(path).expect("a transcript")));
    lines
        .filter_map(|(_, line)| match line {
            Line::Message { from, message, process, .. } => {
                let text = message.get().to_owned();
                let message = serde_json::from_str(&text).expect("JSON");
                Some(Entry { from, process, text, message })
            }
            _ => None,
        })
        .collect()
}

/// How bytes are cut.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    Lines,
    Bytes,
    Whole,
}

/// What comes of the lines of one side, as text that can be compared.
fn feed<S: codex_rpc_dispatch::Side>(
    connection: &mut codex_rpc_dispatch::Connection<S>,
    lines: &[&str],
    cut: Cut,
) -> Vec<String> {
    let bytes: Vec<u8> = lines.iter().flat_map(|line| line.bytes().chain([b'\n'])).collect();
    let pieces: Vec<&[u8]> = match cut {
        Cut::Lines => bytes.split_inclusive(|byte| *byte == b'\n').collect(),
        Cut::Bytes => bytes.chunks(1).collect(),
        Cut::Whole => vec![&bytes],
    };
    let mut events = Vec::new();
    for piece in pieces {
        connection.push(piece);
        events.extend(std::iter::from_fn(|| connection.next_event()).map(|event| format!("{event:?}")));
    }
    events
}

/// A connection that has sent the requests of a transcript; the ids that it gave them.
fn sent(entries: &[Entry], process: u32) -> (ClientConnection, HashMap<String, i64>) {
    let mut handshake =
        Handshake::new(&InitializeParams::new(codex_rpc::types::ClientInfo::new("x", "1")), Limits::default())
            .expect("sent");
    handshake.next_outgoing().expect("initialize");
    handshake.push(b"{\"id\":0,\"result\":{\"userAgent\":\"x/0.169.0\",\"codexHome\":\"/h\",\"platformFamily\":\"unix\",\"platformOs\":\"linux\"}}\n");
    let Progress::Ready(mut connection, _) = handshake.advance().expect("answered") else { panic!("answered") };
    let mut ids = HashMap::new();
    for entry in entries.iter().filter(|entry| entry.from == From::Client && entry.process == process) {
        if let (Some(method), Some(id)) = (entry.method(), entry.id()) {
            ids.insert(id, connection.request_raw(method, entry.raw("params").as_ref(), ()).expect("sent"));
        }
    }
    (connection, ids)
}

#[test]
fn the_same_events_come_however_the_bytes_are_cut_and_none_is_malformed() {
    let mut messages = 0;
    for path in paths() {
        let entries = entries(&path);
        for process in 1..=entries.iter().map(|entry| entry.process).max().unwrap_or(1) {
            let side = |from: From| entries.iter().filter(move |entry| entry.from == from && entry.process == process);
            // Answers under the ids that this connection gave.
            let (_, ids) = sent(&entries, process);
            let of_server: Vec<String> = side(From::Server)
                .map(|entry| match (entry.method(), entry.id()) {
                    (None, Some(id)) => {
                        let mut message = entry.message.clone();
                        message["id"] = ids[&id].into();
                        message.to_string()
                    }
                    _ => entry.text.clone(),
                })
                .collect();
            let of_server: Vec<&str> = of_server.iter().map(String::as_str).collect();
            let mut outcomes =
                [Cut::Lines, Cut::Bytes, Cut::Whole].map(|cut| feed(&mut sent(&entries, process).0, &of_server, cut));
            assert_eq!(outcomes[0].len(), of_server.len(), "{}", path.display());
            assert!(outcomes[0] == outcomes[1] && outcomes[0] == outcomes[2], "{}", path.display());
            let bad = outcomes[0].iter().find(|event| event.starts_with("Malformed"));
            assert!(bad.is_none(), "{}: {bad:?}", path.display());
            messages += outcomes[0].len();

            // The other side: what the client said, its answers left out, for nothing was asked.
            let of_client: Vec<&str> =
                side(From::Client).filter(|entry| entry.method().is_some()).map(|entry| entry.text.as_str()).collect();
            outcomes = [Cut::Lines, Cut::Bytes, Cut::Whole]
                .map(|cut| feed(&mut ServerConnection::server(Limits::default()), &of_client, cut));
            assert_eq!(outcomes[0].len(), of_client.len(), "{}", path.display());
            assert!(outcomes[0] == outcomes[1] && outcomes[0] == outcomes[2], "{}", path.display());
            messages += outcomes[0].len();
        }
    }
    assert!(messages > 4_500, "{messages}");
}

#[test]
fn what_goes_out_is_what_was_recorded() {
    let mut messages = 0;
    for path in paths() {
        let entries = entries(&path);
        let (mut connection, ids) = sent(&entries, 1);
        assert_eq!(connection.next_outgoing().expect("a frame"), br#"{"method":"initialized"}"#);
        for entry in entries.iter().filter(|entry| entry.from == From::Client && entry.process == 1) {
            match (entry.method(), entry.id()) {
                (Some(_), Some(_)) => {}
                (Some(method), None) => connection.notify_raw(method, entry.raw("params").as_ref()).expect("sent"),
                (None, Some(_)) => {
                    let id: codex_rpc::RequestId = serde_json::from_value(entry.message["id"].clone()).expect("an id");
                    match (entry.raw("result"), entry.raw("error")) {
                        (Some(result), _) => connection.respond_raw(id, result),
                        (_, Some(error)) => connection.refuse(id, error.decode().expect("an error")),
                        _ => panic!("no answer: {}", entry.text),
                    }
                }
                (None, None) => panic!("no message: {}", entry.text),
            }
        }
        // Requests were written first, the rest in order.
        let recorded = |request: bool| {
            entries.iter().filter(move |entry| {
                entry.from == From::Client
                    && entry.process == 1
                    && request == (entry.method().is_some() && entry.id().is_some())
            })
        };
        for entry in recorded(true).chain(recorded(false)) {
            let frame = connection.next_outgoing().unwrap_or_else(|| panic!("{}: {}", path.display(), entry.text));
            let mut written: Value = serde_json::from_slice(&frame).expect("JSON");
            if let Some(id) = entry.id().filter(|_| entry.method().is_some()) {
                assert_eq!(written["id"], ids[&id]);
                written["id"] = entry.message["id"].clone();
            }
            let mut expected = entry.message.clone();
            // Tolerated by the server, and not written here.
            for member in ["jsonrpc", "trace"] {
                expected.as_object_mut().expect("an object").remove(member);
            }
            assert_eq!(written, expected, "{}", path.display());
            messages += 1;
        }
        assert_eq!(connection.next_outgoing(), None);
    }
    assert!(messages > 900, "{messages}");
}

/// A client of the dispatcher over a replaying app-server in memory.
struct Session {
    replay: Replay,
    connection: ClientConnection,
    answers: usize,
    /// Requests of the server that wait, in order.
    asked: Vec<codex_rpc_dispatch::IncomingRequest<ClientSide>>,
}

impl Session {
    fn take(&mut self, lines: &[String]) {
        for line in lines {
            self.connection.push(format!("{line}\n").as_bytes());
        }
        while let Some(event) = self.connection.next_event() {
            match event {
                Event::Answer(_) => self.answers += 1,
                Event::Request(request) => self.asked.push(request),
                Event::Notification(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn flush(&mut self) {
        while let Some(frame) = self.connection.next_outgoing() {
            let line = String::from_utf8(frame).expect("UTF-8");
            let lines = self.replay.receive(&line).unwrap_or_else(|mismatch| panic!("{mismatch}"));
            self.take(&lines);
        }
    }
}

#[test]
fn a_client_talks_every_scenario_with_the_replaying_app_server() {
    let (mut sessions, mut answers, mut asked) = (0, 0, 0);
    for path in paths() {
        let name = path.display().to_string();
        let entries = entries(&path);
        for process in 1..=entries.iter().map(|entry| entry.process).max().unwrap_or(1) {
            let own: Vec<&Entry> = entries.iter().filter(|entry| entry.process == process).collect();
            // Sessions that are not initialised first are no conversation of a client.
            if own.first().and_then(|entry| entry.method()) != Some("initialize") {
                continue;
            }
            let options = Options::new().order(Order::Any).process(process).partial(true);
            let mut replay = Replay::with_options(&name, BufReader::new(File::open(&path).expect("it")), options)
                .expect("a transcript");
            let params: InitializeParams = own[0].raw("params").expect("params").decode().expect("params");
            let mut handshake = Handshake::new(&params, Limits::default()).expect("sent");
            let mut lines = replay.start();
            let line = String::from_utf8(handshake.next_outgoing().expect("initialize")).expect("UTF-8");
            lines.extend(replay.receive(&line).unwrap_or_else(|mismatch| panic!("{name}: {mismatch}")));
            for line in lines {
                handshake.push(format!("{line}\n").as_bytes());
            }
            let Progress::Ready(mut connection, _) =
                handshake.advance().unwrap_or_else(|error| panic!("{name}: {error}"))
            else {
                panic!("{name}: not answered")
            };
            let says_initialized =
                own.iter().any(|entry| entry.from == From::Client && entry.method() == Some("initialized"));
            if !says_initialized {
                connection.next_outgoing().expect("initialized");
            }
            let mut session = Session { replay, connection, answers: 0, asked: Vec::new() };
            session.flush();
            let mut first_initialized = true;
            for entry in own.iter().filter(|entry| entry.from == From::Client).skip(1) {
                match (entry.method(), entry.id()) {
                    (Some("initialized"), None) if std::mem::take(&mut first_initialized) => {}
                    (Some(method), Some(_)) => {
                        session.connection.request_raw(method, entry.raw("params").as_ref(), ()).expect("sent");
                    }
                    (Some(method), None) => {
                        session.connection.notify_raw(method, entry.raw("params").as_ref()).expect("sent");
                    }
                    (None, _) => {
                        let id = session.asked.remove(0).id().clone();
                        asked += 1;
                        match (entry.raw("result"), entry.raw("error")) {
                            (Some(result), _) => session.connection.respond_raw(id, result),
                            (_, error) => {
                                session.connection.refuse(id, error.expect("an error").decode().expect("an error"));
                            }
                        }
                    }
                }
                session.flush();
            }
            session.replay.finish().unwrap_or_else(|missing| panic!("{name}: {missing}"));
            assert_eq!(session.connection.pending(), 0, "{name}: every request was answered");
            answers += session.answers;
            sessions += 1;
        }
    }
    assert!(sessions >= 95 && answers > 700 && asked > 30, "{sessions} sessions, {answers} answers, {asked} requests");
}
