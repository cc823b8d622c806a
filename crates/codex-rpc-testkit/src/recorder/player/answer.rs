//! What a scenario answers to the server's requests.

use std::collections::BTreeMap;

use codex_rpc::registry::find;
use codex_rpc::{Direction, MethodInfo, MethodKind};
use serde_json::{Value, json};

use super::{Player, matches};
use crate::recorder::Answering;
use crate::scenario::Answer;

/// The answers to one method's requests, and which were used.
#[derive(Default)]
pub(super) struct Answers {
    answers: Vec<Answer>,
    used: Vec<bool>,
}

impl Player<'_> {
    pub(super) fn expect_answers(&mut self, answers: &BTreeMap<String, Vec<Answer>>) {
        for (method, answers) in answers {
            let used = vec![false; answers.len()];
            self.answers.insert(method.clone(), Answers { answers: answers.clone(), used });
        }
    }

    /// Answers a server request.
    pub(super) fn respond(&mut self, method: &str, id: &Value, params: &Value) -> Result<(), String> {
        let answer = self.answers.get_mut(method).and_then(|answers| {
            let suits = |index: &usize| matches(params, &answers.answers[*index].when);
            let all = || (0..answers.answers.len()).filter(suits);
            let index = all().find(|index| !answers.used[*index]).or_else(|| all().next_back())?;
            answers.used[index] = true;
            Some(answers.answers[index].clone())
        });
        let Some(answer) = answer else {
            self.problems.push(format!("the scenario has no answer to {method}"));
            let message = format!("the scenario has no answer to {method}");
            return self.say(&json!({"id": id, "error": {"code": -32601, "message": message}}));
        };
        let (member, body, name) = match (&answer.result, &answer.error) {
            (Some(result), _) => ("result", result, response(method)),
            (None, Some(error)) => ("error", error, Some("JSONRPCErrorError")),
            (None, None) => return Ok(()),
        };
        let mut body = self.variables.in_value(body)?;
        if self.answering == Answering::Typed {
            match typed(method, name, &body) {
                Ok(typed) => body = typed,
                Err(problem) => self.problems.push(problem),
            }
        }
        self.say(&json!({"id": id, member: body}))
    }
}

/// The definition of the answer to a method.
fn response(method: &str) -> Option<&'static str> {
    let info = MethodInfo::find(Direction::ServerToClient, method);
    info.filter(|info| info.kind == MethodKind::Request).and_then(|info| info.response)
}

/// The body of an answer as the bindings write it: decoded as this definition, which the
/// request's method names, and encoded.
fn typed(method: &str, name: Option<&str>, body: &Value) -> Result<Value, String> {
    let definition = name.and_then(find);
    let definition = definition.ok_or_else(|| format!("the bindings have no type for the answer to {method}"))?;
    let recoded = definition.recode(&body.to_string());
    recoded
        .map(|recoded| recoded.value)
        .map_err(|error| format!("the answer to {method} is no {}: {error}", definition.name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{response, typed};

    #[test]
    fn an_answer_is_sent_as_the_bindings_write_it() {
        let method = "item/commandExecution/requestApproval";
        let name = response(method);
        assert_eq!(typed(method, name, &json!({"decision": "accept"})), Ok(json!({"decision": "accept"})));
        let error = typed(method, name, &json!({})).expect_err("a decision is required");
        assert!(error.contains(method) && error.contains("decision"), "{error}");
        let error = typed("item/none", response("item/none"), &json!({})).expect_err("no such method");
        assert_eq!(error, "the bindings have no type for the answer to item/none");
    }
}
