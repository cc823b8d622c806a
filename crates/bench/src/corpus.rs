//! What is decoded and encoded: recorded lines, and made ones of a given size.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use serde_json::Value;
use serde_json::value::RawValue;

/// What a line is, which the derived types must be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Notification,
    Request,
    Answer,
}

/// A message as it stood on the wire.
#[derive(Clone)]
pub struct Line {
    pub kind: Kind,
    /// The method; what it is for an answer.
    pub method: String,
    pub text: String,
}

impl Line {
    fn new(text: String) -> Option<Self> {
        let value: Value = serde_json::from_str(&text).ok()?;
        let method = value.get("method").and_then(Value::as_str);
        let (kind, method) = match (method, value.get("id")) {
            (Some(method), None) => (Kind::Notification, method),
            (Some(method), Some(_)) => (Kind::Request, method),
            (None, Some(_)) if value.get("error").is_some() => (Kind::Answer, "(error)"),
            (None, Some(_)) => (Kind::Answer, "(response)"),
            (None, None) => return None,
        };
        Some(Self { kind, method: method.to_owned(), text })
    }
}

/// The recorded messages of one side.
pub fn recorded(from: &str) -> io::Result<Vec<Line>> {
    let messages = sessions()?.into_iter().flatten();
    Ok(messages.filter(|(sender, _)| sender == from).filter_map(|(_, text)| Line::new(text)).collect())
}

/// Who sent what, session by session.
pub fn sessions() -> io::Result<Vec<Vec<(String, String)>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/0.169.0");
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut sessions = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "jsonl")) {
        let mut messages = Vec::new();
        for line in fs::read_to_string(file)?.lines() {
            let Ok(entry) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(line) else { continue };
            let sender = entry.get("from").map(|from| from.get().trim_matches('"'));
            if let (Some(sender), Some(message)) = (sender, entry.get("message")) {
                messages.push((sender.to_owned(), message.get().to_owned()));
            }
        }
        sessions.push(messages);
    }
    Ok(sessions)
}

/// A delta of about this many bytes: one long string with a line break every 80
/// characters.
pub fn text(bytes: usize) -> Line {
    let frame = |text: &str| {
        format!(
            r#"{{"method":"item/agentMessage/delta","params":{{"threadId":"t","turnId":"u","itemId":"i","delta":"{text}"}}}}"#
        )
    };
    let mut text = String::new();
    while text.len() + frame("").len() < bytes {
        text.push_str(if text.len() % 82 == 80 { "\\n" } else { "x" });
    }
    line(frame(&text))
}

/// A completed turn of about this many bytes: many items of the usual size.
pub fn items(bytes: usize) -> Line {
    let mut items = String::new();
    let mut count = 0;
    while items.len() < bytes {
        let comma = if count == 0 { "" } else { "," };
        let _ = write!(
            items,
            r#"{comma}{{"type":"agentMessage","id":"msg_{count}","text":"All done: the tests pass and the file is written.","phase":"final_answer","memoryCitation":null}},{{"type":"commandExecution","id":"call_{count}","command":"/bin/bash -lc 'cargo test'","cwd":"/workspace","processId":"{count}","source":"agent","status":"completed","commandActions":[{{"type":"unknown","command":"cargo test"}}],"aggregatedOutput":"ok\n","exitCode":0,"durationMs":153}}"#
        );
        count += 1;
    }
    line(format!(
        r#"{{"method":"turn/completed","params":{{"threadId":"t","turn":{{"id":"u","items":[{items}],"itemsView":"full","status":"completed","error":null,"startedAt":1795203522,"completedAt":1795203523,"durationMs":1000}}}},"emittedAtMs":1795203522649}}"#
    ))
}

fn line(text: String) -> Line {
    Line::new(text).expect("a message")
}
