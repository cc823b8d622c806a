//! Which answer a request gets.

use codex_rpc_testkit::stand_in::{Answer, Item, Script, StandIn};
use serde_json::{Value, json};

use crate::client::{Response, post, request, start};

#[test]
fn answers_come_in_order_then_the_default_and_ids_go_on() {
    let model = start(r#"{"answers": [[{"message": "One."}], [{"message": "Two."}]]}"#);
    model.push(Answer::items([Item::message("Three.")]));
    let responses: Vec<_> = (0..5).map(|_| post(&model, &json!({}))).collect();
    let texts: Vec<_> = responses.iter().map(Response::message).collect();
    assert_eq!(texts, ["One.", "Two.", "Three.", "Done.", "Done."]);
    for (k, response) in (1..).zip(&responses) {
        let events = response.events();
        assert_eq!(events[0]["response"]["id"], format!("resp-{k}"));
        assert_eq!(events[1]["item"]["id"], format!("msg-{k}"));
        assert_eq!(events.last().unwrap()["response"]["id"], events[0]["response"]["id"]);
    }
}

#[test]
fn a_match_picks_the_request_and_repeat_keeps_the_answer() {
    let model = start(
        r#"{"answers": [
            {"items": [{"message": "child"}], "repeat": true,
             "match": {"contains": ["CHILD", "task"], "lacks": ["PARENT"]}},
            {"items": [{"message": "once"}], "match": {"contains": ["\"quoted\""]}},
            [{"message": "first"}], [{"message": "second"}]]}"#,
    );
    let ask = |text: &str| post(&model, &json!({"input": [{"content": [{"text": text}]}, "task"]})).message();
    assert_eq!(ask("PARENT says CHILD"), "first");
    assert_eq!(ask("CHILD"), "child");
    assert_eq!(ask("CHILD"), "child");
    assert_eq!(ask("a \"quoted\" word"), "once");
    assert_eq!(ask("a \"quoted\" word"), "second");
    assert_eq!(ask("nothing"), "Done.");
    assert_eq!(post(&model, &json!({"instructions": "CHILD task", "input": []})).message(), "Done.");
}

#[test]
fn a_capture_replaces_placeholders_and_the_latest_match_wins() {
    let call = r#"[{"call": {"name": "write_stdin", "arguments":
        {"session_id": "${session}", "list": ["${session}"], "chars": "${session}!", "other": "${none}"}}},
        {"message": "${word} ${session} ${"}]"#;
    let model = start(&format!(
        r#"{{"captures": {{"session": "session ID (\\d+)", "word": "\"word\": *\"(\\w+)\""}},
            "answers": [{call}, {call}, {call}]}}"#
    ));
    let ask = |input: Value| {
        let response = post(&model, &json!({"input": input, "instructions": "session ID 99"}));
        let arguments = response.events()[1]["item"]["arguments"].as_str().unwrap().to_owned();
        (serde_json::from_str::<Value>(&arguments).unwrap(), response.message())
    };

    let (arguments, text) = ask(json!(["nothing yet"]));
    assert_eq!(arguments["session_id"], "${session}");
    assert_eq!(text, "${word} ${session} ${");
    let problems = model.problems();
    let noted = |place: usize, name: &str| {
        problems[place].contains("request 1, POST /v1/responses") && problems[place].contains(name)
    };
    assert!(problems.len() == 2 && noted(0, "${session}") && noted(1, "${word}"), "{problems:?}");

    let output = json!({"output": "{\"word\": \"abc\"}"});
    let (arguments, text) = ask(json!(["session ID 7, session ID 8", "{\"word\": \"first\"}", output]));
    assert_eq!(arguments, json!({"session_id": 8, "list": [8], "chars": "8!", "other": "${none}"}));
    assert_eq!(text, "abc 8 ${");

    let (arguments, _) = ask(json!(["session ID 9", "no more"]));
    assert_eq!(arguments["session_id"], 9);
    assert_eq!(model.problems().len(), 2);
}

#[test]
fn a_captured_text_that_looks_like_a_placeholder_stays() {
    let model = start(
        r#"{"captures": {"a": "a=(\\S+)", "b": "b=(\\S+)"},
            "answers": [[{"message": "${a} ${b}"}], {"events": [{"type": "x", "v": "${b}", "w": "${a}", "n": "12"}]}]}"#,
    );
    let body = json!({"input": "a=${b} b=007"});
    assert_eq!(post(&model, &body).message(), "${b} 007");
    assert_eq!(post(&model, &body).events(), [json!({"type": "x", "v": "007", "w": "${b}", "n": "12"})]);
}

#[test]
fn an_http_answer_has_its_status_headers_and_body() {
    let model = start(
        r#"{"answers": [
            {"status": 429, "body": {"error": {"code": "slow"}}, "headers": {"retry-after": "1"}},
            {"status": 503, "body": "overloaded", "delay": 0.001},
            {"status": 500, "body": [], "headers": {"content-type": "x/y"}}]}"#,
    );
    let response = post(&model, &json!({}));
    assert_eq!((response.head.status, response.body.as_str()), (429, r#"{"error":{"code":"slow"}}"#));
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(response.header("content-type"), Some("application/json"));
    let response = post(&model, &json!({}));
    assert_eq!((response.head.status, response.body.as_str()), (503, "overloaded"));
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    let response = post(&model, &json!({}));
    assert_eq!((response.head.status, response.body.as_str()), (500, "[]"));
    assert_eq!(response.header("content-type"), Some("x/y"));
    assert_eq!(model.problems(), [""; 0]);
}

#[test]
fn headers_and_statuses_that_http_does_not_have_are_problems() {
    let model =
        start(r#"{"answers": [{"items": [], "headers": {"openai-model": "gpt", "bad name": "x", "bad": "a\nb"}}]}"#);
    model.push(Answer::http(100, "no"));
    let response = post(&model, &json!({}));
    assert_eq!((response.head.status, response.header("openai-model")), (200, Some("gpt")));
    assert_eq!(response.events().len(), 2);
    assert_eq!(post(&model, &json!({})).head.status, 500);
    let problems = model.problems();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].contains("`bad`") && problems[1].contains("`bad name`"), "{problems:?}");
    assert!(problems[2].contains("100"), "{problems:?}");
}

#[test]
fn routes_answer_other_requests_and_the_rest_is_not_found() {
    let model = start(
        r#"{"routes": {"GET /v1/models": {"models": []}, "POST /backend-api/x": {"status": 402, "body": {"a": 1}},
            "GET /status": {"status": "fine"}, "GET /three": {"status": 200, "body": 1, "id": 2}}}"#,
    );
    let get = |path: &str| {
        let response = request(&model, "GET", path, "");
        (response.head.status, serde_json::from_str::<Value>(&response.body).unwrap())
    };
    assert_eq!(get("/v1/models?client_version=secret"), (200, json!({"models": []})));
    assert_eq!(get("/status"), (200, json!({"status": "fine"})));
    assert_eq!(get("/three"), (200, json!({"status": 200, "body": 1, "id": 2})));
    let missing = json!({"error": {"message": "the stand-in has no route GET /v1/other"}});
    assert_eq!(get("/v1/other"), (404, missing));
    assert_eq!(get("/v1/responses").0, 404);
    let response = request(&model, "POST", "/backend-api/x", "no JSON");
    assert_eq!((response.head.status, response.body.as_str()), (402, r#"{"a":1}"#));

    let requests = model.requests();
    assert_eq!(format!("{:?}", requests[0]), "GET /v1/models (0 bytes)");
    assert_eq!(format!("{:?}", requests[5]), "POST /backend-api/x (7 bytes)");
    assert_eq!(requests[5].body, None);
    assert_eq!(model.problems(), [""; 0]);
}

#[test]
fn requests_keep_bodies_and_debug_leaves_them_out() {
    let model = start("{}");
    post(&model, &json!({"input": "secret"}));
    let requests = model.requests();
    assert_eq!(requests[0].body, Some(json!({"input": "secret"})));
    assert_eq!(format!("{requests:?}"), "[POST /v1/responses (18 bytes)]");
    assert_eq!(format!("{model:?}"), format!("StandIn {{ url: \"{}\", .. }}", model.url()));

    assert_eq!(request(&model, "POST", "/v1/responses", "{").message(), "Done.");
    assert_eq!(model.problems(), ["request 2, POST /v1/responses: the body is no JSON"]);
}

#[test]
fn two_stand_ins_run_side_by_side() {
    let (one, two) = (start("{}"), StandIn::start(Script::from(vec![Answer::message("Two.")])).unwrap());
    assert_ne!(one.port(), two.port());
    assert_eq!(post(&two, &json!({})).message(), "Two.");
    assert_eq!((one.requests().len(), two.requests().len()), (0, 1));
}

#[test]
fn a_new_script_replaces_the_old_one_and_keeps_what_was_seen() {
    let model = start(r#"{"captures": {"a": "a=(\\w+)"}, "answers": [[{"message": "${a}"}], [{"message": "old"}]]}"#);
    assert_eq!(post(&model, &json!({"input": "nothing"})).message(), "${a}");
    model.set_script(serde_json::from_str(r#"{"answers": [[{"message": "new"}]]}"#).unwrap()).unwrap();
    assert_eq!(post(&model, &json!({})).message(), "new");
    assert_eq!(post(&model, &json!({})).message(), "Done.");
    assert_eq!((model.requests().len(), model.problems().len()), (3, 1));

    let bad: Script = serde_json::from_str(r#"{"captures": {"a": "("}}"#).unwrap();
    assert!(model.set_script(bad).is_err());
    assert_eq!(model.requests().len(), 3);
}
