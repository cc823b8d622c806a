//! The steps of a scenario.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, FileContent, present};

/// One thing that the client does. Which of the first group of members is there says
/// what; the others go with it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Step {
    request: Option<String>,
    thread: Option<Value>,
    turn: Option<String>,
    notify: Option<String>,
    send: Option<Value>,
    write: Option<String>,
    wait: Option<String>,
    finish: Option<String>,
    settle: Option<f64>,
    answers: Option<BTreeMap<String, Vec<Answer>>>,
    files: Option<BTreeMap<String, FileContent>>,
    run: Option<Vec<String>>,
    spawn: Option<Vec<String>>,
    kill: Option<String>,
    restart: Option<bool>,

    /// Goes with `request`, `turn` and `notify`: the params; for a turn, members
    /// beside `threadId` and `input`.
    #[serde(deserialize_with = "present")]
    pub params: Option<Value>,
    /// Goes with `request`: go on without the answer, which `finish` waits for under
    /// this name. Goes with `spawn`: the name for `kill`.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// Goes with `request`, `thread`, `finish` and `wait`: variables from the result
    /// or the params, by name: the JSON pointer.
    pub save: BTreeMap<String, String>,
    /// Goes with `wait`: only a message whose params have these values, by JSON
    /// pointer.
    #[serde(rename = "where")]
    pub matching: BTreeMap<String, Value>,
    /// Goes with `wait`: only a message that came after the last request was sent.
    pub fresh: bool,
    /// Goes with `request`: write so many at once, as often as it takes until one is
    /// refused with -32001. Only that one is recorded: which ones are refused, and
    /// whether the others are answered, is chance.
    pub burst: Option<usize>,
    /// Goes with `turn`: go on without its end.
    pub unfinished: bool,
    /// How many seconds to wait at most. Default: 20.
    pub limit: Option<f64>,
}

/// What a step does.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Action<'a> {
    /// Sends a request and waits for the answer.
    Request(&'a str),
    /// Starts a thread in the workspace, with these params beside; saves `thread`.
    Thread(&'a Value),
    /// Starts a turn on `${thread}` with this text, waits for `turn/completed`; saves
    /// `turn`.
    Turn(&'a str),
    /// Sends a notification.
    Notify(&'a str),
    /// Sends a message as it is.
    Send(&'a Value),
    /// Writes a line that need not be a message.
    Write(&'a str),
    /// Waits for a server message of this method that no step has waited for yet.
    Wait(&'a str),
    /// Waits for the answer of a request that was sent under this name.
    Finish(&'a str),
    /// Waits until the server has been quiet for so many seconds.
    Settle(f64),
    /// Changes what server requests are answered with.
    Answers(&'a BTreeMap<String, Vec<Answer>>),
    /// Writes files.
    Files(&'a BTreeMap<String, FileContent>),
    /// Runs a command in the workspace and waits for its end.
    Run(&'a [String]),
    /// Starts a program and waits until it listens on `${free_port}`.
    Spawn(&'a [String]),
    /// Ends a program that was started under this name.
    Kill(&'a str),
    /// Ends codex and starts it again.
    Restart,
}

impl Step {
    /// What the step does.
    ///
    /// # Errors
    /// If it says nothing or more than one thing.
    pub fn action(&self) -> Result<Action<'_>, String> {
        let actions: Vec<Action<'_>> = [
            self.request.as_deref().map(Action::Request),
            self.thread.as_ref().map(Action::Thread),
            self.turn.as_deref().map(Action::Turn),
            self.notify.as_deref().map(Action::Notify),
            self.send.as_ref().map(Action::Send),
            self.write.as_deref().map(Action::Write),
            self.wait.as_deref().map(Action::Wait),
            self.finish.as_deref().map(Action::Finish),
            self.settle.map(Action::Settle),
            self.answers.as_ref().map(Action::Answers),
            self.files.as_ref().map(Action::Files),
            self.run.as_deref().map(Action::Run),
            self.spawn.as_deref().map(Action::Spawn),
            self.kill.as_deref().map(Action::Kill),
            self.restart.filter(|restart| *restart).map(|_| Action::Restart),
        ]
        .into_iter()
        .flatten()
        .collect();
        match actions[..] {
            [action] => Ok(action),
            [] => Err("says nothing to do".to_owned()),
            [first, second, ..] => Err(format!("says two things to do: {first:?} and {second:?}")),
        }
    }
}
