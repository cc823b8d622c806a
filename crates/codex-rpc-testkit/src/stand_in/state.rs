//! What the stand-in has been asked, and which answer comes next.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use super::Request;
use super::events::{self, Ids};
use super::placeholder::{Captures, input_texts};
use super::script::{Answer, Content, Pause, Route, Script};

/// What is sent for a request.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) delay: Duration,
    pub(super) pause: Option<Pause>,
    pub(super) chunks: Vec<String>,
}

#[derive(Debug)]
pub(super) struct State {
    answers: Vec<Answer>,
    captures: Captures,
    routes: BTreeMap<String, Route>,
    websocket: Vec<Vec<Value>>,
    ids: Ids,
    requests: Vec<Request>,
    problems: Vec<String>,
}

impl State {
    /// # Errors
    /// A capture or a route that can't be used.
    pub(super) fn new(script: Script) -> io::Result<Self> {
        let Script { answers, captures, routes, websocket } = script;
        for route in routes.keys() {
            let why = match route.split_once(' ') {
                Some((method, path)) if is_model_request(method, path) => "`answers` answer the model's requests",
                Some((method, path)) if is_method(method) && path.starts_with('/') && !path.contains(['?', ' ']) => {
                    continue;
                }
                _ => "a route is written `METHOD /path`, without a query",
            };
            let message = format!("route `{route}` of the script: {why}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(Self {
            answers,
            captures: Captures::new(captures)?,
            routes,
            websocket,
            ids: Ids::default(),
            requests: Vec::new(),
            problems: Vec::new(),
        })
    }

    /// # Errors
    /// As [`Self::new`].
    pub(super) fn set_script(&mut self, script: Script) -> io::Result<()> {
        let new = Self::new(script)?;
        let (requests, problems) = (std::mem::take(&mut self.requests), std::mem::take(&mut self.problems));
        *self = Self { requests, problems, ..new };
        Ok(())
    }

    pub(super) fn push(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    pub(super) fn requests(&self) -> &[Request] {
        &self.requests
    }

    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    pub(super) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    pub(super) fn speaks_websocket(&self) -> bool {
        !self.websocket.is_empty()
    }

    /// Notes a request. Returns its body if it is JSON.
    pub(super) fn note(&mut self, method: &str, path: &str, body: &[u8]) -> Option<Value> {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let (method, path) = (method.to_owned(), path.to_owned());
        self.requests.push(Request { method, path, body: json.clone(), body_size: body.len() });
        json
    }

    /// Notes a text message on a WebSocket connection, the k-th from 0. Returns the
    /// messages to answer with.
    pub(super) fn websocket_message(&mut self, path: &str, k: usize, text: &str) -> Vec<Value> {
        self.note(super::WEBSOCKET, path, text.as_bytes());
        self.websocket.get(k).cloned().unwrap_or_default()
    }

    /// Notes a request and decides its reply.
    pub(super) fn reply(&mut self, method: &str, path: &str, body: &[u8]) -> Reply {
        let number = self.requests.len() + 1;
        let body = self.note(method, path, body);
        let place = format!("request {number}, {method} {path}");
        let texts = body.as_ref().map(input_texts).unwrap_or_default();
        self.captures.search(&texts);
        if !is_model_request(method, path) {
            return self.route(method, path);
        }
        if body.is_none() {
            self.problem(format!("{place}: the body is no JSON"));
        }
        let answer = self.next(&texts);
        self.serve(&place, answer)
    }

    fn route(&self, method: &str, path: &str) -> Reply {
        let route = format!("{method} {path}");
        if let Some(Route { status, body }) = self.routes.get(&route) {
            return Reply::json(*status, body);
        }
        Reply::json(404, &json!({"error": {"message": format!("the stand-in has no route {route}")}}))
    }

    fn next(&mut self, texts: &[&str]) -> Answer {
        match self.answers.iter().position(|answer| answer.pattern.accepts(texts)) {
            Some(at) if self.answers[at].repeat => self.answers[at].clone(),
            Some(at) => self.answers.remove(at),
            None => Answer::message("Done."),
        }
    }

    fn serve(&mut self, place: &str, mut answer: Answer) -> Reply {
        for placeholder in self.captures.fill(&mut answer) {
            self.problem(format!("{place}: nothing was captured for {placeholder} before it was served"));
        }
        let Answer { content, headers, delay, pause, .. } = answer;
        let mut reply = match content {
            Content::Items { items, usage, response_id, end } => {
                Reply::stream(&events::stream(&mut self.ids, items, usage, response_id, end))
            }
            Content::Events(events) => Reply::stream(&events),
            Content::Http { status, body: Value::String(text) } => {
                Reply { status, content_type: "text/plain; charset=utf-8", ..Reply::text(text) }
            }
            Content::Http { status, body } => Reply::json(status, &body),
        };
        if let Some(pause) = &pause
            && pause.after > reply.chunks.len()
        {
            let (after, events) = (pause.after, reply.chunks.len());
            self.problem(format!("{place}: a pause after {after} events, but the answer has {events}"));
        }
        reply.headers = headers;
        reply.delay = delay;
        reply.pause = pause;
        reply
    }
}

impl Reply {
    fn text(text: String) -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            headers: BTreeMap::new(),
            delay: Duration::ZERO,
            pause: None,
            chunks: vec![text],
        }
    }

    fn json(status: u16, body: &Value) -> Self {
        Self { status, ..Self::text(body.to_string()) }
    }

    fn stream(events: &[Value]) -> Self {
        let chunks = events.iter().map(events::frame).collect();
        Self { content_type: "text/event-stream", chunks, ..Self::text(String::new()) }
    }
}

fn is_model_request(method: &str, path: &str) -> bool {
    method == "POST" && path.ends_with("/responses")
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
