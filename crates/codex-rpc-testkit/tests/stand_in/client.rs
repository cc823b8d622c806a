//! A small HTTP client, which sees what is written to the connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use codex_rpc_testkit::stand_in::{Script, StandIn};
use serde_json::Value;

/// What a test waits for at most.
const LIMIT: Duration = Duration::from_secs(60);

pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

/// A connection on which one request was sent.
pub struct Client {
    pub reader: BufReader<TcpStream>,
    chunked: bool,
}

pub struct Head {
    pub status: u16,
    headers: Vec<(String, String)>,
}

pub struct Response {
    pub head: Head,
    pub body: String,
}

impl Client {
    pub fn send(model: &StandIn, method: &str, path: &str, body: &str) -> Self {
        let mut stream = connect(model.port());
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        Self { reader: BufReader::new(stream), chunked: false }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn head(&mut self) -> Head {
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        while let Some((name, value)) = self.line().split_once(": ") {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self.chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
        Head { status, headers }
    }

    /// A chunk of the body. `None` at the end.
    pub fn chunk(&mut self) -> Option<String> {
        assert!(self.chunked);
        let size = usize::from_str_radix(&self.line(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        Some(String::from_utf8(chunk).unwrap()).filter(|chunk| !chunk.is_empty())
    }

    fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.reader.read_to_string(&mut rest).unwrap();
        rest
    }

    pub fn response(mut self) -> Response {
        let head = self.head();
        let body = if self.chunked {
            let body = std::iter::from_fn(|| self.chunk()).collect();
            assert_eq!(self.rest(), "", "the connection is closed after the last chunk");
            body
        } else {
            self.rest()
        };
        Response { head, body }
    }
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn events(&self) -> Vec<Value> {
        self.body.split_terminator("\n\n").map(event).collect()
    }

    /// The text of the first message that is done.
    pub fn message(&self) -> String {
        let events = self.events();
        let done = events.iter().find(|event| event["item"]["type"] == "message" && is_done(event)).unwrap();
        done["item"]["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

fn is_done(event: &Value) -> bool {
    event["type"] == "response.output_item.done"
}

pub fn event(frame: &str) -> Value {
    let (name, data) = frame.trim_end().split_once('\n').unwrap();
    let event: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(name.strip_prefix("event: "), event["type"].as_str());
    event
}

pub fn request(model: &StandIn, method: &str, path: &str, body: &str) -> Response {
    Client::send(model, method, path, body).response()
}

pub fn post(model: &StandIn, body: &Value) -> Response {
    request(model, "POST", "/v1/responses", &body.to_string())
}

pub fn script(text: &str) -> Script {
    serde_json::from_str(text).unwrap()
}

pub fn start(text: &str) -> StandIn {
    StandIn::start(script(text)).unwrap()
}
