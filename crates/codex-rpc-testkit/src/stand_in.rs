//! A stand-in for the model: an HTTP server on loopback that speaks the streaming
//! Responses API, as far as codex needs it, and answers what a [`Script`] says.
//!
//! With it the real `codex app-server` runs without an account and without a network:
//! name its address in the `config.toml` of a fresh `CODEX_HOME`.
//!
//! ```
//! use codex_rpc_testkit::stand_in::{Answer, Item, Script, StandIn};
//!
//! let script: Script = serde_json::from_str(r#"{
//!     "answers": [
//!         [{"reasoning": {"summary": "**Looking**", "text": "What is there?"}},
//!          {"call": {"name": "exec_command", "arguments": {"cmd": "ls"}}}],
//!         {"items": [{"message": "There is nothing."}], "headers": {"openai-model": "gpt-5.5"}},
//!         {"status": 429, "body": {"error": {"message": "Slow down"}}, "headers": {"retry-after": "1"}}
//!     ]
//! }"#)?;
//! let model = StandIn::start(script)?;
//! model.push(Answer::items([Item::patch("*** Begin Patch\n*** Add File: x\n+y\n*** End Patch")]));
//!
//! let config = format!(
//!     r#"
//! model = "gpt-5.5"
//! model_provider = "stand_in"
//! [model_providers.stand_in]
//! name = "Stand-in"
//! base_url = "{}/v1"
//! wire_api = "responses"
//! request_max_retries = 0
//! stream_max_retries = 0
//! [features]
//! plugins = false
//! "#,
//!     model.url()
//! );
//! # assert!(config.contains("http://127.0.0.1:"));
//! // Start `codex app-server` with this config, talk to it, then:
//! assert_eq!(model.requests().len(), 0);
//! assert!(model.problems().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What comes later can depend on what codex sent before. A capture takes text from
//! the requests, and a `match` picks the answer:
//!
//! ```
//! # use codex_rpc_testkit::stand_in::Script;
//! let script: Script = serde_json::from_str(r#"{
//!     "captures": {"session": "session ID (\\d+)"},
//!     "answers": [
//!         {"items": [{"message": "Hi from the child."}], "match": {"contains": ["CHILD"]}, "repeat": true},
//!         [{"call": {"name": "exec_command", "arguments": {"cmd": "cat", "tty": true}}}],
//!         [{"call": {"name": "write_stdin", "arguments": {"session_id": "${session}", "chars": "hi"}}}]
//!     ]
//! }"#)?;
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! In an answer, `${name}` of a capture is replaced when the answer is served. A JSON
//! string that is the placeholder and nothing else becomes a number if the capture is
//! one. Other `${…}` are left alone.

use std::fmt;
use std::io;

use serde_json::Value;

mod data;
mod events;
mod placeholder;
mod script;
mod server;
mod state;

pub use script::{Answer, Item, Route, Script};

/// The [`Request::method`] of a text message on a WebSocket connection.
pub const WEBSOCKET: &str = "WEBSOCKET";

/// A running stand-in. It has a thread of its own, so that blocking and async programs
/// can use it. Dropping it ends the thread, closes the port and cuts all connections,
/// also those of answers that are still being sent.
pub struct StandIn {
    handle: server::Handle,
    server: server::Server,
}

impl StandIn {
    /// Starts to listen on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if a capture is no regular expression of one
    /// group or the key of a route is not `METHOD /path`; else what the system says
    /// when it gives no port or no thread.
    pub fn start(script: Script) -> io::Result<Self> {
        let handle = server::Handle::new(state::State::new(script)?);
        let server = server::Server::start(handle.clone())?;
        Ok(Self { handle, server })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end. Codex wants `/v1` after it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Replaces the script; what was captured is forgotten. So a script can name the
    /// port.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn set_script(&self, script: Script) -> io::Result<()> {
        self.handle.lock().set_script(script)
    }

    /// Appends an answer to the script.
    pub fn push(&self, answer: Answer) {
        self.handle.lock().push(answer);
    }

    /// What was received so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.handle.lock().requests().to_vec()
    }

    /// What went wrong so far: a placeholder that nothing was captured for, a model
    /// request that is no JSON, a header or status that HTTP does not have, a pause
    /// after the end. The requests were answered nevertheless.
    pub fn problems(&self) -> Vec<String> {
        self.handle.lock().problems().to_vec()
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// A request that the stand-in received. Headers and the query are not kept: they can
/// hold tokens. `Debug` leaves the body out.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The HTTP method, or [`WEBSOCKET`].
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The body, if it is JSON.
    pub body: Option<Value>,
    /// The size of the body, in bytes.
    pub body_size: usize,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.path, self.body_size)
    }
}
