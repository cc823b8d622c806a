//! Plays the steps of a scenario.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value, json};

use super::connection::{Connection, Event, Log};
use super::places::{self, Places};
use super::processes::{Process, Processes};
use super::sanitise::Sanitiser;
use super::surroundings::{command, prepare, run, spawn, stand_in};
use super::variables::Variables;
use super::{Answering, AppServer, LIMIT, RecordError, files};
use crate::recording::Recording;
use crate::scenario::{Action, Scenario, Step};

mod answer;
mod burst;

use self::answer::Answers;

/// How long a replaying app-server is given for what a scenario waits for: it writes
/// all that it may at once.
const REPLAY_QUIET: Duration = Duration::from_millis(50);

const NOT_RUNNING: &str = "no app-server is running";

/// A message from the server.
struct Received {
    method: Option<String>,
    value: Value,
    /// Whether a step has waited for it.
    awaited: bool,
}

struct Player<'a> {
    scenario: &'a Scenario,
    server: &'a AppServer,
    processes: &'a Processes,
    answering: Answering,
    places: Option<Places>,
    variables: Variables,
    /// None only while one process ends and the next begins.
    connection: Option<Connection>,
    log: Log,
    process: u32,
    next_id: i64,
    /// What the current process said.
    received: Vec<Received>,
    /// Where what came after the last request begins.
    fresh: usize,
    answers: BTreeMap<String, Answers>,
    /// Requests whose answers `finish` waits for.
    begun: BTreeMap<String, i64>,
    spawned: BTreeMap<String, Process>,
    problems: Vec<String>,
    ended: bool,
}

pub(super) fn play(
    name: &str,
    scenario: &Scenario,
    server: &AppServer,
    processes: &Processes,
    answering: Answering,
) -> Result<Recording, RecordError> {
    let setup = RecordError::Setup;
    let started = SystemTime::now();
    let (places, mut variables) = match server {
        AppServer::Codex { executable, .. } => {
            let places = Places::new(executable).map_err(|error| setup(format!("temporary folders: {error}")))?;
            let variables = places.variables();
            (Some(places), variables)
        }
        AppServer::Replay { .. } => (None, places::recorded_variables()),
    };
    for (name, claims) in &scenario.tokens {
        let token = if places.is_some() { files::token(claims) } else { placeholder(name) };
        variables.set(name, token);
    }
    let stand_in = match &places {
        Some(_) => Some(stand_in(scenario, &mut variables)?),
        None => None,
    };
    if let Some(places) = &places {
        prepare(scenario, places, &variables, processes).map_err(setup)?;
    }
    let log = Log::default();
    let command = command(scenario, server, places.as_ref(), &variables, 1).map_err(setup)?;
    let home = places.as_ref().map(Places::codex_home);
    let connection = Connection::start(command, home, log.clone(), 1, processes)
        .map_err(|error| setup(format!("can't start {}: {error}", program(server))))?;
    let mut player = Player {
        scenario,
        server,
        processes,
        answering,
        places,
        variables,
        connection: Some(connection),
        log,
        process: 1,
        next_id: 0,
        received: Vec::new(),
        fresh: 0,
        answers: BTreeMap::new(),
        begun: BTreeMap::new(),
        spawned: BTreeMap::new(),
        problems: Vec::new(),
        ended: false,
    };
    player.expect_answers(&scenario.answers);
    let outcome = player.steps();
    let mut recording = Recording {
        codex: match server {
            AppServer::Codex { release, .. } => Some(release.to_string()),
            AppServer::Replay { .. } => None,
        },
        scenario: name.to_owned(),
        entries: Vec::new(),
        problems: Vec::new(),
    };
    let Player { connection, log, places, variables, mut problems, spawned, .. } = player;
    if let Err((step, reason)) = outcome {
        let stderr = connection.as_ref().map(Connection::stderr).unwrap_or_default();
        drop(connection);
        recording.entries = log.entries();
        return Err(RecordError::Step { step, reason, stderr, recording: Box::new(recording) });
    }
    problems.extend(connection.and_then(|connection| connection.stop().err()));
    drop(spawned);
    recording.entries = log.entries();
    if let Some(stand_in) = &stand_in {
        problems.extend(stand_in.problems());
    }
    if let Some(places) = &places {
        let mut replacements = places.replacements();
        if let Some(stand_in) = &stand_in {
            replacements.extend(places::port(stand_in.port(), places::PORT));
        }
        for name in scenario.tokens.keys() {
            if let Some(Value::String(token)) = variables.get(name) {
                replacements.push((token.clone(), placeholder(name)));
            }
        }
        Sanitiser::new(replacements, started, SystemTime::now()).sanitise(&mut recording.entries);
    }
    recording.problems = problems;
    Ok(recording)
}

/// What stands for a token in a recording.
fn placeholder(name: &str) -> String {
    format!("placeholder-{name}")
}

fn program(server: &AppServer) -> String {
    match server {
        AppServer::Codex { executable, .. } | AppServer::Replay { executable, .. } => executable.display().to_string(),
    }
}

impl Player<'_> {
    fn steps(&mut self) -> Result<(), (usize, String)> {
        self.handshake().map_err(|reason| (0, reason))?;
        for (index, step) in self.scenario.steps.iter().enumerate() {
            self.step(step).map_err(|reason| (index + 1, reason))?;
        }
        self.settle(Duration::from_millis(200)).map_err(|reason| (self.scenario.steps.len(), reason))
    }

    fn handshake(&mut self) -> Result<(), String> {
        if !self.scenario.handshake {
            return Ok(());
        }
        let mut params = json!({"clientInfo": {"name": "recorder", "title": "Recorder", "version": "0.1.0"}});
        if let Some(capabilities) = &self.scenario.capabilities {
            params["capabilities"] = self.variables.in_value(capabilities)?;
        }
        self.request("initialize", Some(&params), LIMIT)?;
        self.say(&json!({"method": "initialized"}))
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let limit = step.limit.map_or(LIMIT, Duration::from_secs_f64);
        let params = step.params.as_ref().map(|params| self.variables.in_value(params)).transpose()?;
        match step.action()? {
            Action::Request(method) => {
                if let (Some(size), true) = (step.burst, self.places.is_some()) {
                    self.burst(method, params.as_ref(), size, limit)?;
                } else if let Some(name) = &step.name {
                    let id = self.begin(method, params.as_ref())?;
                    self.begun.insert(name.clone(), id);
                } else {
                    let answer = self.request(method, params.as_ref(), limit)?;
                    self.save(&step.save, answer.get("result"))?;
                }
            }
            Action::Thread(own) => {
                let own = self.variables.in_value(own)?;
                let params = with(json!({"cwd": self.variables.get("workspace")}), Some(own));
                let answer = self.request("thread/start", Some(&params), limit)?;
                let thread =
                    answer.pointer("/result/thread/id").ok_or("thread/start was not answered with a thread")?;
                self.variables.set("thread", thread.clone());
                self.save(&step.save, answer.get("result"))?;
            }
            Action::Turn(text) => {
                let text = self.variables.in_text(text)?;
                let thread = self.variables.get("thread").ok_or("there is no thread to start a turn on")?;
                let input = json!([{"type": "text", "text": text, "text_elements": []}]);
                let params = with(json!({"threadId": thread, "input": input}), params);
                let answer = self.request("turn/start", Some(&params), limit)?;
                if let Some(turn) = answer.pointer("/result/turn/id") {
                    self.variables.set("turn", turn.clone());
                    if !step.unfinished {
                        let own = BTreeMap::from([("/turn/id".to_owned(), turn.clone())]);
                        self.wait("turn/completed", &own, false, limit)?;
                    }
                }
            }
            Action::Notify(method) => {
                let mut message = Map::new();
                message.insert("method".to_owned(), method.into());
                message.extend(params.map(|params| ("params".to_owned(), params)));
                self.say(&Value::Object(message))?;
            }
            Action::Send(message) => {
                self.fresh = self.received.len();
                self.say(&self.variables.in_value(message)?)?;
            }
            Action::Write(line) => {
                self.fresh = self.received.len();
                let line = self.variables.in_text(line)?;
                let recorded = serde_json::from_str::<Map<String, Value>>(&line).is_ok();
                self.write(&line, recorded)?;
            }
            Action::Wait(method) => {
                let matching =
                    step.matching.iter().map(|(pointer, value)| Ok((pointer.clone(), self.variables.in_value(value)?)));
                let matching = matching.collect::<Result<_, String>>()?;
                let params = self.wait(method, &matching, step.fresh, limit)?;
                self.save(&step.save, Some(&params))?;
            }
            Action::Finish(name) => {
                let id = self.begun.remove(name).ok_or_else(|| format!("no request was sent as `{name}`"))?;
                let answer = self.answer(id, name, limit)?;
                self.save(&step.save, answer.get("result"))?;
            }
            Action::Settle(seconds) => {
                let quiet = if self.places.is_some() { Duration::from_secs_f64(seconds) } else { REPLAY_QUIET };
                self.settle(quiet)?;
            }
            Action::Answers(answers) => self.expect_answers(answers),
            Action::Restart => self.restart()?,
            Action::Files(_) | Action::Run(_) | Action::Spawn(_) | Action::Kill(_) => self.around(step)?,
        }
        Ok(())
    }

    /// A step that changes what is around codex; a replay has nothing there.
    fn around(&mut self, step: &Step) -> Result<(), String> {
        let Some(places) = &self.places else { return Ok(()) };
        match step.action()? {
            Action::Files(files) => files::write(files, &self.variables),
            Action::Run(line) => run(line, places, &self.variables, self.processes),
            Action::Spawn(line) => {
                let name = step.name.clone().ok_or("what is started needs a name: `as`")?;
                let spawned = spawn(line, places, &self.variables, self.processes)?;
                self.spawned.insert(name, spawned);
                Ok(())
            }
            Action::Kill(name) => match self.spawned.remove(name) {
                Some(spawned) => {
                    drop(spawned);
                    Ok(())
                }
                None => Err(format!("nothing was started as `{name}`")),
            },
            _ => Ok(()),
        }
    }

    fn restart(&mut self) -> Result<(), String> {
        self.settle(Duration::from_millis(200))?;
        self.process += 1;
        let command = command(self.scenario, self.server, self.places.as_ref(), &self.variables, self.process)?;
        // The old process has the thread until it is gone: it goes first.
        if let Some(old) = self.connection.take() {
            self.problems.extend(old.stop().err());
        }
        let home = self.places.as_ref().map(Places::codex_home);
        let new = Connection::start(command, home, self.log.clone(), self.process, self.processes)
            .map_err(|error| error.to_string())?;
        self.connection = Some(new);
        (self.next_id, self.fresh, self.ended) = (0, 0, false);
        self.received.clear();
        self.begun.clear();
        self.handshake()
    }

    fn save(&mut self, save: &BTreeMap<String, String>, from: Option<&Value>) -> Result<(), String> {
        for (name, pointer) in save {
            let value = from.and_then(|value| value.pointer(pointer));
            let value = value.ok_or_else(|| match from {
                Some(from) => format!("there is no {pointer} to save as `{name}` in {from}"),
                None => format!("there is no result to save `{name}` from"),
            })?;
            self.variables.set(name, value.clone());
        }
        Ok(())
    }

    fn say(&mut self, message: &Value) -> Result<(), String> {
        self.write(&message.to_string(), true)
    }

    fn write(&mut self, line: &str, recorded: bool) -> Result<(), String> {
        let connection = self.connection.as_mut().ok_or(NOT_RUNNING)?;
        connection.write(line, recorded).map_err(|error| format!("the app-server does not read: {error}"))
    }

    /// Sends a request.
    fn begin(&mut self, method: &str, params: Option<&Value>) -> Result<i64, String> {
        self.fresh = self.received.len();
        self.next_id += 1;
        let id = self.next_id;
        self.write(&request_line(id, method, params), true)?;
        Ok(id)
    }

    fn request(&mut self, method: &str, params: Option<&Value>, limit: Duration) -> Result<Value, String> {
        let id = self.begin(method, params)?;
        self.answer(id, method, limit)
    }

    /// Waits for the answer of a request.
    fn answer(&mut self, id: i64, what: &str, limit: Duration) -> Result<Value, String> {
        let deadline = Instant::now() + limit;
        let mut seen = 0;
        loop {
            for message in &self.received[seen..] {
                if message.method.is_none() && message.value.get("id").and_then(Value::as_i64) == Some(id) {
                    return Ok(message.value.clone());
                }
            }
            seen = self.received.len();
            self.pump(deadline, || format!("the answer of {what}"))?;
        }
    }

    /// Waits for a message of a method that was not waited for yet; gives its params.
    fn wait(
        &mut self,
        method: &str,
        matching: &BTreeMap<String, Value>,
        fresh: bool,
        limit: Duration,
    ) -> Result<Value, String> {
        let deadline = Instant::now() + limit;
        let mut seen = if fresh { self.fresh } else { 0 };
        loop {
            for message in &mut self.received[seen..] {
                let params = message.value.get("params").unwrap_or(&Value::Null);
                if !message.awaited && message.method.as_deref() == Some(method) && matches(params, matching) {
                    message.awaited = true;
                    return Ok(params.clone());
                }
            }
            seen = self.received.len();
            self.pump(deadline, || {
                let matching = if matching.is_empty() { String::new() } else { format!(" with {}", json!(matching)) };
                format!("{method}{matching}")
            })?;
        }
    }

    /// Waits until nothing has come for `quiet`.
    fn settle(&mut self, quiet: Duration) -> Result<(), String> {
        let end = Instant::now() + LIMIT;
        while !self.ended {
            self.going_on()?;
            let deadline = (Instant::now() + quiet).min(end);
            match self.connection.as_ref().ok_or(NOT_RUNNING)?.next(deadline) {
                Some(event) => self.take(event)?,
                None => break,
            }
        }
        Ok(())
    }

    /// An error if the run was stopped. Its processes are killed then, but what they
    /// wrote before may be much.
    fn going_on(&self) -> Result<(), String> {
        if self.processes.is_stopped() { Err("the run was stopped".to_owned()) } else { Ok(()) }
    }

    /// Takes what comes next.
    fn pump(&mut self, deadline: Instant, what: impl Fn() -> String) -> Result<(), String> {
        self.going_on()?;
        if self.ended {
            return Err(format!("the app-server ended before {}", what()));
        }
        if let Some(event) = self.connection.as_ref().ok_or(NOT_RUNNING)?.next(deadline) {
            return self.take(event);
        }
        let last = self.received.iter().rev().take(5);
        let last: Vec<String> = last.map(|message| shortened(&message.value.to_string())).collect();
        Err(format!("{} did not come in time; the last messages, newest first: {}", what(), last.join(" ")))
    }

    fn take(&mut self, event: Event) -> Result<(), String> {
        let line = match event {
            Event::Line(line) => line,
            Event::Garbage(error) => {
                self.problems.push(format!("the app-server wrote a line that is no UTF-8: {error}"));
                return Ok(());
            }
            Event::End => {
                self.ended = true;
                return Ok(());
            }
        };
        let value: Value = match serde_json::from_str(&line) {
            Ok(value) => value,
            Err(error) => {
                self.problems.push(format!("the app-server wrote a line that is no JSON: {error}"));
                return Ok(());
            }
        };
        let method = value.get("method").and_then(Value::as_str).map(str::to_owned);
        let request = method.as_deref().zip(value.get("id").cloned());
        if let Some((method, id)) = request {
            self.respond(method, &id, value.get("params").unwrap_or(&Value::Null))?;
        }
        self.received.push(Received { method, value, awaited: false });
        Ok(())
    }
}

fn request_line(id: i64, method: &str, params: Option<&Value>) -> String {
    let params = params.map(|params| format!(r#","params":{params}"#)).unwrap_or_default();
    format!(r#"{{"id":{id},"method":{}{params}}}"#, json!(method))
}

/// Whether the values at the pointers are these.
fn matches(params: &Value, matching: &BTreeMap<String, Value>) -> bool {
    matching.iter().all(|(pointer, expected)| params.pointer(pointer).unwrap_or(&Value::Null) == expected)
}

/// `base` with the members of `over`.
fn with(mut base: Value, over: Option<Value>) -> Value {
    if let (Value::Object(base), Some(Value::Object(over))) = (&mut base, over) {
        base.extend(over);
    }
    base
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
