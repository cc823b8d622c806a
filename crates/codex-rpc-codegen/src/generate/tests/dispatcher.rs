//! What the dispatcher has for each method, and what it refuses.

use super::*;

/// The methods of a side, each with the definition of its params.
fn list(methods: &[(&str, Option<&str>)]) -> Value {
    let arm = |(method, params): &(&str, Option<&str>)| {
        let mut properties = json!({"method": {"type": "string", "enum": [method]}});
        let mut required = vec!["method"];
        if let Some(params) = params {
            properties["params"] = json!({"$ref": format!("#/definitions/v2/{params}")});
            required.push("params");
        }
        json!({"type": "object", "required": required, "properties": properties})
    };
    json!({"oneOf": methods.iter().map(arm).collect::<Vec<_>>()})
}

/// The dispatcher's files for definitions and the methods of some sides. Every request
/// `X` needs its `XResponse` among the definitions.
fn files(definitions: &Value, methods: &[(&str, Value)]) -> Result<Files, Vec<String>> {
    let mut bundle = json!({"definitions": {
        "ClientRequest": list(&[("moon/read", None)]),
        "ServerRequest": list(&[("moon/ask", None)]),
        "ServerNotification": list(&[("moon/risen", None)]),
        "ClientNotification": list(&[("initialized", None)]),
        "v2": definitions,
    }});
    for (side, methods) in methods {
        bundle["definitions"][*side] = methods.clone();
    }
    let mut links = Vec::new();
    for side in ["ClientRequest", "ServerRequest"] {
        for arm in bundle["definitions"][side]["oneOf"].as_array().unwrap().clone() {
            let method = arm["properties"]["method"]["enum"][0].as_str().unwrap();
            let response = format!("{}Response", crate::names::pascal(method));
            links.push(format!("[[response]]\nmethod = \"{method}\"\nresponse = \"{response}\"\n{REVIEW}"));
            let known = &mut bundle["definitions"]["v2"][&response];
            if known.is_null() {
                *known = json!({"type": "object"});
            }
        }
    }
    let errata = Errata::parse(&format!("reviewed = \"1.0.0\"\n{}", links.concat()), "errata.toml").unwrap();
    let text = bundle.to_string();
    let input = Input {
        release: "1.0.0",
        stable: &text,
        experimental: &text,
        harvest: &Harvest::default(),
        errata: &errata,
        hashes: BTreeMap::new(),
    };
    let outcome = model(&input).unwrap();
    source(&outcome.protocol, &input).unwrap();
    dispatcher_source(&outcome.protocol, &input).map_err(|problems| {
        assert!(problems.0.iter().all(|problem| problem.help.is_some()), "{problems:#?}");
        problems.0.iter().map(ToString::to_string).collect()
    })
}

/// Text without line breaks and indentation, in which something can be found.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(").replace(", )", ")").replace(" )", ")")
}

#[track_caller]
fn has(text: &str, wanted: &str) {
    assert!(flat(text).contains(wanted), "there is no `{wanted}` in\n{text}");
}

#[test]
fn a_request_whose_method_the_client_has_by_hand_is_refused() {
    let said = files(&json!({}), &[("ClientRequest", list(&[("server/info", None), ("call", None)]))]).unwrap_err();
    let what = |wire: &str, name: &str| {
        format!(
            "experimental.json: /definitions/ClientRequest: `{wire}` can't be the method `{name}` of the dispatcher's \
             client: it has one of that name by hand"
        )
    };
    assert_eq!(said, [what("server/info", "server_info"), what("call", "call")]);
}

#[test]
fn the_handshake_is_no_method_of_the_client() {
    let methods = list(&[("initialize", None), ("moon/read", None)]);
    let files = files(&json!({}), &[("ClientRequest", methods)]).unwrap();
    for name in ["tokio_calls.rs", "blocking_calls.rs"] {
        has(&files[name], "fn moon_read(&self)");
        assert!(!files[name].contains("fn initialize"), "{}", files[name]);
    }
    has(&files["payload.rs"], "Initialize, MoonRead");
}

#[test]
fn methods_of_a_handler_that_have_the_same_name_are_refused() {
    let methods = [
        ("ServerRequest", list(&[("on/moon/risen", None), ("unrecognized/request", None)])),
        ("ServerNotification", list(&[("moon/risen", None), ("unrecognized/notification", None)])),
    ];
    let said = files(&json!({}), &methods).unwrap_err();
    let endings = [
        "`unrecognized/request` can't be the method `unrecognized_request` of the dispatcher's handler: it has one of \
         that name by hand",
        "`moon/risen` can't be the method `on_moon_risen` of the dispatcher's handler: `on/moon/risen` has that name",
        "`unrecognized/notification` can't be the method `on_unrecognized_notification` of the dispatcher's handler: it \
         has one of that name by hand",
    ];
    assert_eq!(said.len(), endings.len(), "{said:#?}");
    for (said, ending) in said.iter().zip(endings) {
        assert!(said.ends_with(ending), "{said}");
    }
}

#[test]
fn a_request_and_a_notification_of_one_name_are_two_methods_of_a_handler() {
    let methods =
        [("ServerRequest", list(&[("moon/phase", None)])), ("ServerNotification", list(&[("moon/phase", None)]))];
    let handler = &files(&json!({}), &methods).unwrap()["blocking_handler.rs"];
    has(handler, "fn moon_phase(&self, context: Context) -> Result<types::MoonPhaseResponse, RpcError>");
    has(handler, "fn on_moon_phase(&self, context: Context) {");
    has(handler, "ServerNotification::MoonPhase(_) => handler.on_moon_phase(context)");
}

#[test]
fn params_are_none_or_optional_or_boxed_as_the_messages_hold_them() {
    let string = json!({"type": "string"});
    let large: serde_json::Map<String, Value> = (0..7).map(|number| (format!("s{number}"), string.clone())).collect();
    let definitions = json!({
        "Small": {"type": "object", "properties": {"a": string}},
        "Large": {"type": "object", "properties": large},
    });
    let mut optional = list(&[("moon/read", Some("Small")), ("moon/set", Some("Large")), ("moon/clear", None)]);
    optional["oneOf"][0]["required"] = json!(["method"]);
    let asked = list(&[("moon/ask", Some("Large"))]);
    let files = files(&definitions, &[("ClientRequest", optional), ("ServerRequest", asked)]).unwrap();
    has(&files["payload.rs"], "plain { MoonRead, MoonClear } boxed { MoonSet }");
    let calls = &files["tokio_calls.rs"];
    has(
        calls,
        "pub async fn moon_read(&self, params: Option<types::Small>) -> Result<types::MoonReadResponse, CallError>",
    );
    has(calls, "self.call::<requests::MoonSet>(params).await");
    has(calls, "pub async fn moon_clear(&self) -> Result<types::MoonClearResponse, CallError>");
    has(calls, "self.call::<requests::MoonClear>(codex_rpc::NoParams::new()).await");
    has(&files["blocking_handler.rs"], "fn moon_ask(&self, params: types::Large, context: Context)");
    has(&files["blocking_handler.rs"], "handler.moon_ask(*params, context)?");
    has(&files["tokio_handler.rs"], "handler.moon_ask(*params, context).await?");
}

#[test]
fn ids_are_found_however_the_schema_writes_them() {
    let string = json!({"type": "string"});
    let at = |name: &str| json!({"$ref": format!("#/definitions/v2/{name}")});
    let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "properties": properties});
    let arm = |tag: &str, id: &Value| {
        let mut arm = object(&["type", "id"], json!({"type": {"type": "string", "enum": [tag]}, "id": id}));
        arm["title"] = json!(tag);
        arm
    };
    let definitions = json!({
        "ThreadId": string,
        "Thread": object(&["id"], json!({"id": string})),
        "Anonymous": object(&[], json!({"id": string})),
        "Item": {"oneOf": [arm("a", &string), arm("b", &string)]},
        "Odd": {"oneOf": [arm("a", &string), arm("b", &json!({"type": "integer"}))]},
        "Plain": object(&["threadId", "turnId"], json!({"threadId": string, "turnId": string, "itemId": string})),
        "Named": object(&["threadId"], json!({"threadId": at("ThreadId"), "turnId": {"type": ["string", "null"]}})),
        "First": object(&["conversationId"], json!({"conversationId": at("ThreadId")})),
        "Whole": object(&["thread", "item"], json!({"thread": at("Thread"), "turn": at("Thread"), "item": at("Item")})),
        "Nowhere": object(&["thread", "item", "turnId"], json!({
            "thread": at("Anonymous"), "item": at("Odd"), "turnId": {"type": "integer"}, "itemId": at("Thread"),
        })),
    });
    let names = ["Plain", "Named", "First", "Whole", "Nowhere"];
    let wires = names.map(|name| (format!("moon/{}", name.to_lowercase()), name));
    let methods: Vec<(&str, Option<&str>)> = wires.iter().map(|(wire, name)| (wire.as_str(), Some(*name))).collect();
    let route = &files(&definitions, &[("ServerNotification", list(&methods))]).unwrap()["route.rs"];
    has(
        route,
        "Self::MoonPlain(params) => { Route::new(Some(params.thread_id.as_str()), Some(params.turn_id.as_str()), \
         params.item_id.as_ref().map(|id| id.as_str()))",
    );
    has(
        route,
        "Self::MoonNamed(params) => { Route::new(Some(params.thread_id.as_str()), \
         params.turn_id.as_ref().map(|id| id.as_str()), None)",
    );
    has(route, "Self::MoonFirst(params) => { Route::new(Some(params.conversation_id.as_str()), None, None)");
    has(
        route,
        "Self::MoonWhole(params) => { Route::new(Some(params.thread.id.as_str()), \
         params.turn.as_ref().map(|whole| whole.id.as_str()), params.item.id().map(|id| id.as_str()))",
    );
    assert!(!route.contains("MoonNowhere"), "{route}");
}

#[test]
fn a_default_is_the_first_that_the_release_knows() {
    let denied = |properties: Value| json!({"type": "object", "required": ["denied"], "additionalProperties": false, "properties": properties});
    let rejection = json!({"denied": {
        "type": "object", "required": ["rejection"], "properties": {"rejection": {"type": "string"}},
    }});
    let string = |value: &str| json!({"type": "string", "enum": [value]});
    for (decision, expected) in [
        (
            json!({"oneOf": [string("approved"), denied(rejection)]}),
            r#"Some("{\"decision\":{\"denied\":{\"rejection\":\"this client has no handler for approvals\"}}}""#,
        ),
        (json!({"type": "string", "enum": ["approved", "denied"]}), r#"Some("{\"decision\":\"denied\"}")"#),
        (json!({"type": "string", "enum": ["approved", "abort"]}), ""),
    ] {
        let definitions = json!({"Decision": decision, "ExecCommandApprovalResponse": {
            "type": "object", "required": ["decision"], "properties": {"decision": {"$ref": "#/definitions/v2/Decision"}},
        }});
        let files = files(&definitions, &[("ServerRequest", list(&[("execCommandApproval", None)]))]).unwrap();
        if expected.is_empty() {
            assert!(!files["defaults.rs"].contains("Some("), "{}", files["defaults.rs"]);
            has(&files["tokio_handler.rs"], "/// By default it is refused with -32601.");
        } else {
            has(&files["defaults.rs"], expected);
            has(&files["tokio_handler.rs"], "/// By default it is denied.");
        }
    }
}

#[test]
fn a_default_that_lacks_a_member_or_has_one_too_many_is_none() {
    let granted = json!({"$ref": "#/definitions/v2/Granted"});
    let permissions = json!({"permissions": granted});
    let other = json!({"permissions": granted, "until": {"type": "string"}});
    for (properties, required, fits) in [
        (&permissions, json!(["permissions"]), true),
        (&other, json!(["permissions"]), true),
        (&other, json!(["permissions", "until"]), false),
        (&json!({}), json!([]), false),
    ] {
        let response = json!({"type": "object", "properties": properties, "required": required});
        let definitions = json!({
            "Granted": {"type": "object", "properties": {"network": {"type": "boolean"}}},
            "ItemPermissionsRequestApprovalResponse": response,
        });
        let methods = list(&[("item/permissions/requestApproval", None)]);
        let files = files(&definitions, &[("ServerRequest", methods)]).unwrap();
        assert_eq!(files["defaults.rs"].contains("Some("), fits, "{response}");
    }
}
