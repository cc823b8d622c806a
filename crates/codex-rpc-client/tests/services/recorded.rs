//! Recorded sessions, played in memory.

use std::fs;
use std::path::Path;

use codex_rpc_client::{Codex, CodexBuilder};
use codex_rpc_testkit::replay::{Answers, Options, Params, Replay};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::task::JoinHandle;

use crate::peer::soon;

/// A recorded session.
pub struct Recorded {
    scenario: String,
    messages: Vec<Value>,
    params: Params,
    but: Vec<String>,
    names: Vec<String>,
}

/// A recorded session that is played. It must be [`Played::finish`]ed.
#[must_use]
pub struct Played {
    playing: JoinHandle<Result<(), String>>,
}

pub fn recorded(scenario: &str) -> Recorded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/transcripts/0.169.0/{scenario}.jsonl"));
    let text = fs::read_to_string(path).expect("a transcript");
    let messages = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    Recorded { scenario: scenario.to_owned(), messages, params: Params::Same, but: Vec::new(), names: Vec::new() }
}

impl Recorded {
    /// Leaves out the requests of other methods, their answers, and what is told about
    /// threads.
    pub fn only(mut self, methods: &[&str]) -> Self {
        let mut left_out = Vec::new();
        self.messages.retain(|line| {
            let (message, from_client) = (&line["message"], line["from"] == "client");
            match (message["method"].as_str(), message.get("id")) {
                (Some(method), Some(id)) if from_client => {
                    let keep = method == "initialize" || methods.contains(&method);
                    if !keep {
                        left_out.push(id.clone());
                    }
                    keep
                }
                (Some(_), Some(_)) => false,
                (Some(_), None) => message.pointer("/params/threadId").is_none_or(Value::is_null),
                (None, Some(id)) => !from_client && !left_out.contains(id),
                (None, None) => true,
            }
        });
        self
    }

    /// Does not compare params.
    pub fn any_params(mut self) -> Self {
        self.params = Params::Ignore;
        self
    }

    /// Does not compare these members of params.
    pub fn but(mut self, names: &[&str]) -> Self {
        self.but = names.iter().map(ToString::to_string).collect();
        self
    }

    /// The ids of commands or watches as they were recorded, in the order in which the
    /// session makes new ones.
    pub fn named(mut self, names: &[&str]) -> Self {
        self.names = names.iter().map(ToString::to_string).collect();
        self
    }

    pub async fn play(self, builder: CodexBuilder) -> (Codex, Played) {
        let options = Options::new().params(self.params).answers(Answers::Same);
        let options = ["clientInfo", "capabilities", "processId", "watchId"]
            .into_iter()
            .chain(self.but.iter().map(String::as_str))
            .fold(options, |options, name| options.except(format!("/params/{name}")));
        let lines: Vec<String> = self.messages.iter().map(Value::to_string).collect();
        let text = lines.join("\n");
        let replay = Replay::with_options(&self.scenario, text.as_bytes(), options).expect("a transcript");
        let (client_reads, to) = tokio::io::duplex(64 * 1024);
        let (client_writes, from) = tokio::io::duplex(64 * 1024);
        let playing = tokio::spawn(play(replay, self.names, BufReader::new(from), to));
        let codex = soon(builder.experimental_api(true).connect(client_reads, client_writes)).await;
        (codex.expect("a session"), Played { playing })
    }
}

async fn play(
    mut replay: Replay,
    names: Vec<String>,
    mut from: BufReader<DuplexStream>,
    mut to: DuplexStream,
) -> Result<(), String> {
    let (mut names, mut given) = (names.into_iter(), Vec::<(String, String)>::new());
    let mut lines = replay.start();
    loop {
        for mut line in lines {
            for (name, id) in &given {
                line = line.replace(name, id);
            }
            to.write_all(format!("{line}\n").as_bytes()).await.map_err(|error| error.to_string())?;
        }
        let mut line = String::new();
        if from.read_line(&mut line).await.map_err(|error| error.to_string())? == 0 {
            return replay.finish().map_err(|error| error.to_string());
        }
        let message: Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        let id = ["/params/processId", "/params/watchId"].iter().find_map(|path| message.pointer(path)?.as_str());
        if let Some(id) = id.filter(|id| !given.iter().any(|(_, other)| other == &format!("\"{id}\""))) {
            if let Some(name) = names.next() {
                given.push((format!("\"{name}\""), format!("\"{id}\"")));
            }
        }
        // The client is answered with a mismatch, so that nothing waits.
        lines = match replay.receive(&line) {
            Ok(lines) => lines,
            Err(mismatch) => {
                if let Some(answer) = mismatch.answer() {
                    let _ = to.write_all(format!("{answer}\n").as_bytes()).await;
                }
                return Err(mismatch.to_string());
            }
        };
    }
}

impl Played {
    /// Ends the session; everything that was recorded has been said.
    pub async fn finish(self, codex: Codex) {
        soon(codex.close()).await;
        let played = soon(self.playing).await.expect("no panic");
        played.unwrap_or_else(|error| panic!("{error}"));
    }
}
