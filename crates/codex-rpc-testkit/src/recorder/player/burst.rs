//! More requests at once than a server takes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Player, Received, request_line};
use crate::recording::Entry;
use crate::transcript::From;

/// Ids far from those that are recorded.
const FIRST: i64 = 1_000_000;

impl Player<'_> {
    /// Sends many requests at once until one is refused because they are too many;
    /// records that one.
    pub(super) fn burst(
        &mut self,
        method: &str,
        params: Option<&Value>,
        size: usize,
        limit: Duration,
    ) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        let line = |id: i64| request_line(id, method, params);
        let before = self.log.entries().len();
        let mut next = FIRST;
        let refused = loop {
            let seen = self.received.len();
            let lines: Vec<String> =
                (0..size).map(|index| line(next + i64::try_from(index).unwrap_or_default())).collect();
            next += i64::try_from(size).unwrap_or_default();
            self.write(&lines.join("\n"), false)?;
            self.settle(Duration::from_millis(300))?;
            let overloaded = |message: &&Received| message.value.pointer("/error/code") == Some(&json!(-32001));
            if let Some(refused) = self.received[seen..].iter().find(overloaded) {
                break refused.value.clone();
            }
            if Instant::now() > deadline {
                return Err(format!("no burst of {size} {method} was refused"));
            }
        };
        let id = refused.get("id").and_then(Value::as_i64).unwrap_or_default();
        self.next_id += 1;
        let answers = |entry: &Entry| {
            let message: Value = serde_json::from_str(&entry.text).unwrap_or_default();
            message.get("method").is_some() || message.get("id").and_then(Value::as_i64).is_none_or(|id| id < FIRST)
        };
        let answer = self.log.entries().into_iter().find(|entry| {
            let message: Value = serde_json::from_str(&entry.text).unwrap_or_default();
            message.get("id").and_then(Value::as_i64) == Some(id)
        });
        self.log.retain_since(before, answers);
        let own = self.next_id;
        let answer = answer.ok_or("the refused request's answer is not in the log")?;
        self.log.push(Entry { from: From::Client, process: self.process, text: line(own) });
        self.log.push(Entry { text: answer.text.replacen(&id.to_string(), &own.to_string(), 1), ..answer });
        Ok(())
    }
}
