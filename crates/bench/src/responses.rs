//! Results of responses whose type the caller knows from the request.

use std::collections::HashMap;
use std::hint::black_box;
use std::io;

use codex_rpc::RawJson;
use codex_rpc_derived as derived;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::contender::{Contender as _, Derived, Ignored, Untyped};
use crate::corpus::{self, Line};
use crate::measure::Pass;

/// A recorded result, and how each contender decodes it.
struct Answer {
    line: Line,
    result: RawJson,
    decoders: [Decoder; 5],
}

type Decoder = fn(&RawJson);

const NAMES: [&str; 5] = ["codex-rpc", "codex-rpc by serde", Derived::NAME, Untyped::NAME, Ignored::NAME];

fn by_serde<T: DeserializeOwned>(result: &RawJson) {
    black_box(&serde_json::from_str::<T>(result.get()).ok());
}

macro_rules! responses {
    ($method:expr, $($wire:literal => $response:ident),* $(,)?) => {
        match $method {
            $($wire => {
                let quick: Decoder = |result| {
                    black_box(&result.decode_response::<codex_rpc::types::$response>().ok());
                };
                let read = |result: &RawJson| {
                    result.decode_response::<codex_rpc::types::$response>().is_ok()
                        && serde_json::from_str::<derived::$response>(result.get()).is_ok()
                };
                let decoders = [
                    quick,
                    by_serde::<codex_rpc::types::$response>,
                    by_serde::<derived::$response>,
                    by_serde::<Value>,
                    by_serde::<IgnoredAny>,
                ];
                Some((decoders, read as fn(&RawJson) -> bool))
            })*
            _ => None,
        }
    };
}

/// The recorded results of the methods that the most bytes come from.
pub struct Answers(Vec<Answer>);

impl Answers {
    pub fn recorded() -> io::Result<Self> {
        let mut answers = Vec::new();
        for session in corpus::sessions()? {
            let mut methods = HashMap::new();
            for (from, text) in session {
                let message: Value = serde_json::from_str(&text)?;
                let id = message.get("id").map(Value::to_string);
                if from == "client" {
                    methods.extend(id.zip(message.get("method").and_then(Value::as_str).map(str::to_owned)));
                    continue;
                }
                let Some(method) = id.and_then(|id| methods.get(&id)) else { continue };
                let Ok(response) = serde_json::from_str::<codex_rpc::Response>(&text) else { continue };
                answers.extend(Self::answer(method, response.result));
            }
        }
        Ok(Self(answers))
    }

    fn answer(method: &str, result: RawJson) -> Option<Answer> {
        let (decoders, read) = responses!(
            method,
            "config/read" => ConfigReadResponse,
            "experimentalFeature/list" => ExperimentalFeatureListResponse,
            "hooks/list" => HooksListResponse,
            "initialize" => InitializeResponse,
            "model/list" => ModelListResponse,
            "skills/list" => SkillsListResponse,
            "thread/list" => ThreadListResponse,
            "thread/read" => ThreadReadResponse,
            "thread/resume" => ThreadResumeResponse,
            "thread/start" => ThreadStartResponse,
            "turn/start" => TurnStartResponse,
        )?;
        let line = Line { kind: corpus::Kind::Answer, method: method.to_owned(), text: result.get().to_owned() };
        read(&result).then_some(Answer { line, result, decoders })
    }

    pub fn lines(&self) -> Vec<&Line> {
        self.0.iter().map(|answer| &answer.line).collect()
    }

    pub fn passes(&self) -> Vec<Pass<'_>> {
        let pass = |(place, name): (usize, &'static str)| Pass {
            name,
            run: Box::new(move || {
                for answer in &self.0 {
                    answer.decoders[place](&answer.result);
                }
            }),
        };
        NAMES.into_iter().enumerate().map(pass).collect()
    }
}
