//! The rules of methods.

use super::*;

/// Errata that say what answers a method.
fn answered(method: &str, response: &str) -> String {
    format!("{UNREVIEWED}[[response]]\nmethod = \"{method}\"\nresponse = \"{response}\"\nREVIEW")
}

#[test]
fn a_method_is_added_and_removed() {
    let one = json!({});
    let both = |side: &str, name: &str, response: bool| {
        let mut with =
            json!({side: methods(&[(name, json!({"params": named("SunParams")})), ("initialized", json!({}))])});
        let base = if side == "ClientNotification" { "initialized" } else { "moon/read" };
        if base == "moon/read" {
            let (own, params) = match side {
                "ClientRequest" => ("moon/read", "MoonReadParams"),
                "ServerRequest" => ("moon/ask", "MoonAskParams"),
                _ => ("moon/risen", "MoonRisenNotification"),
            };
            with[side]["oneOf"][1] =
                methods(&[(own, json!({"params": named(params), "required": ["method", "params"]}))])["oneOf"][0]
                    .clone();
        }
        with["SunParams"] = json!({"type": "object"});
        if response {
            with["SunResponse"] = json!({"type": "object"});
        }
        with
    };
    for (side, response, direction, added, removed) in [
        ("ClientRequest", true, Direction::Sent, (None, A), (R, C)),
        ("ClientNotification", false, Direction::Sent, (None, A), (R, C)),
        ("ServerRequest", true, Direction::Received, (T, A), (T, C)),
        ("ServerNotification", false, Direction::Received, (T, A), (T, C)),
    ] {
        let with = both(side, "sun/rise", response);
        let of_method = |difference: &Difference| -> Vec<Short> {
            shorts(difference).into_iter().filter(|short| short.1 == "sun/rise").collect()
        };
        let place = "sun/rise".to_owned();
        assert_eq!(
            of_method(&between(&one, &with)),
            [(Kind::MethodAdded, place.clone(), direction, added.0, added.1)],
            "{side}"
        );
        assert_eq!(
            of_method(&between(&with, &one)),
            [(Kind::MethodRemoved, place, direction, removed.0, removed.1)],
            "{side}"
        );
    }
}

#[test]
fn the_params_of_a_method_are_another_type_required_or_optional() {
    let with = |params: &Value, required: bool| {
        let required = if required { json!(["method", "params"]) } else { json!(["method"]) };
        json!({
            "ClientRequest": methods(&[("moon/read", json!({"params": params, "required": required}))]),
            "ServerNotification": methods(&[("moon/risen", json!({"params": params, "required": required}))]),
            "MoonReadParams": object(&json!({}), &[]),
            "OtherParams": object(&json!({"sent": named("Sent"), "both": named("Both")}), &["sent"]),
        })
    };
    let required = with(&named("MoonReadParams"), true);
    let optional = with(&json!({"anyOf": [named("MoonReadParams"), {"type": "null"}]}), false);
    let sent = |kind, old| (kind, "moon/read".to_owned(), Direction::Sent, old, C);
    let received = |kind, old| (kind, "moon/risen".to_owned(), Direction::Received, old, C);
    assert_eq!(
        shorts(&between(&optional, &required)),
        [sent(Kind::ParamsRequired, R), received(Kind::ParamsRequired, None)]
    );
    assert_eq!(
        shorts(&between(&required, &optional)),
        [sent(Kind::ParamsOptional, None), received(Kind::ParamsOptional, R)]
    );
    // The server wants a member that old bindings don't write, and writes no more than they read.
    let mut other = required.clone();
    other["ClientRequest"]["oneOf"][0]["properties"]["params"] = named("OtherParams");
    other["ServerNotification"]["oneOf"][0]["properties"]["params"] = named("OtherParams");
    other["MoonReadResponse"] = object(&json!({"received": named("Received")}), &[]);
    let errata = &answered("moon/read", "MoonReadResponse");
    let of = |definitions: &Value, errata: &str| {
        let bundle = bundle(definitions);
        release_of("1.0.0", &bundle, &bundle, &Harvest::default(), errata)
    };
    let changed = diff(&of(&required, UNREVIEWED), &of(&other, errata));
    let changed: Vec<Short> = shorts(&changed).into_iter().filter(|short| short.0 == Kind::ParamsChanged).collect();
    assert_eq!(changed, [sent(Kind::ParamsChanged, R), received(Kind::ParamsChanged, T)]);
}

#[test]
fn a_method_without_params_gets_some() {
    let none = json!({"ClientRequest": methods(&[("moon/read", json!({"params": {"type": "null"}}))])});
    let errata = &answered("moon/read", "MoonReadResponse");
    let old = bundle(&none);
    let old = release_of("1.0.0", &old, &old, &Harvest::default(), errata);
    for (params, expected) in [
        (json!({"params": {"anyOf": [named("MoonReadParams"), {"type": "null"}]}}), T),
        (json!({"params": named("MoonReadParams"), "required": ["method", "params"]}), R),
    ] {
        let new = release(&json!({"ClientRequest": methods(&[("moon/read", params)])}));
        let changes = diff(&old, &new).changes;
        let change = changes.iter().find(|change| change.kind == Kind::ParamsChanged).unwrap();
        assert_eq!(short(change).3, expected, "{}", change.detail);
        assert!(change.detail.starts_with("`NoParams` → `"), "{}", change.detail);
    }
}

#[test]
fn the_response_of_a_method_travels_the_other_way() {
    let with = |name: &str, fields: Value, required: &[&str]| {
        let bundle = bundle(&json!({
            "ClientRequest": methods(&[
                ("moon/read", json!({"params": named("MoonReadParams"), "required": ["method", "params"]})),
                ("moon/look", json!({})),
            ]),
            name: object(&fields, required),
        }));
        release_of("1.0.0", &bundle, &bundle, &Harvest::default(), &answered("moon/look", name))
    };
    let one = with("OneResponse", json!({"a": string()}), &["a"]);
    for (fields, required, expected) in [
        (json!({"a": string(), "b": string()}), &["a"][..], T),
        (json!({"a": string()}), &[], R),
        (json!({"a": {"type": "integer"}}), &["a"], R),
    ] {
        let changes = diff(&one, &with("TwoResponse", fields, required)).changes;
        let change = changes.iter().find(|change| change.kind == Kind::ResponseChanged).unwrap();
        let place = "moon/look".to_owned();
        assert_eq!(short(change), (Kind::ResponseChanged, place, Direction::Received, expected, C));
        assert_eq!(change.detail, "`OneResponse` → `TwoResponse`");
    }
}

#[test]
fn a_mark_of_the_experimental_part_comes_and_goes() {
    let all = json!({"Sent": object(&json!({"a": string(), "b": string()}), &["b"]),
        "Received": object(&json!({"a": string(), "b": string()}), &["b"]),
        "Both": {"type": "string", "enum": ["new", "full"]}});
    let mut part = bundle(&all);
    for (name, field) in [("Sent", "a"), ("Received", "a"), ("Received", "b")] {
        part["definitions"]["v2"][name]["properties"].as_object_mut().unwrap().remove(field);
    }
    part["definitions"]["v2"]["Received"]["required"] = json!([]);
    part["definitions"]["v2"]["Both"]["enum"] = json!(["new"]);
    part["definitions"]["ServerNotification"]["oneOf"] = json!([]);
    part["definitions"]["ClientRequest"]["oneOf"] = json!([]);
    let harvest = Harvest::default();
    let stable = release(&all);
    let experimental = release_of("1.0.0", &bundle(&all), &part, &harvest, UNREVIEWED);
    let change = |kind, place: &str, direction, verdict| (kind, place.to_owned(), direction, verdict, verdict);
    let became = Kind::BecameExperimental;
    assert_eq!(
        shorts(&diff(&stable, &experimental)),
        [
            change(became, "Both[full]", Direction::Both, R),
            change(became, "Received.b", Direction::Received, R),
            change(became, "Sent.a", Direction::Sent, R),
            change(became, "moon/read", Direction::Sent, R),
            change(became, "moon/risen", Direction::Received, R),
            change(became, "Received.a", Direction::Received, T),
        ]
    );
    let became = Kind::BecameStable;
    assert_eq!(
        shorts(&diff(&experimental, &stable)),
        [
            change(became, "Both[full]", Direction::Both, A),
            change(became, "Received.a", Direction::Received, A),
            change(became, "Received.b", Direction::Received, A),
            change(became, "Sent.a", Direction::Sent, A),
            change(became, "moon/read", Direction::Sent, A),
            change(became, "moon/risen", Direction::Received, A),
        ]
    );
}

#[test]
fn a_method_is_deprecated_and_no_longer_so() {
    let params = |doc: &str| {
        json!({"ClientRequest": methods(&[("moon/read",
            json!({"params": named("MoonReadParams"), "required": ["method", "params"], "description": doc}))])})
    };
    let (plain, deprecated) = (params("Reads."), params("Deprecated: look up."));
    let told = |difference: &Difference| shorts(difference)[0].clone();
    let place = "moon/read".to_owned();
    assert_eq!(told(&between(&plain, &deprecated)), (Kind::Deprecated, place.clone(), Direction::Sent, A, A));
    assert_eq!(told(&between(&deprecated, &plain)), (Kind::NoLongerDeprecated, place, Direction::Sent, A, A));
}

#[test]
fn a_method_whose_params_grow_holds_them_in_a_box() {
    let fields = |count: usize| -> Value {
        let fields: serde_json::Map<String, Value> = (0..count).map(|index| (format!("f{index}"), string())).collect();
        json!({"MoonRisenNotification": object(&Value::Object(fields), &[])})
    };
    let changes = between(&fields(2), &fields(9)).changes;
    let change = changes.iter().find(|change| change.kind == Kind::Boxing).unwrap();
    assert_eq!(short(change), (Kind::Boxing, "moon/risen".to_owned(), Direction::Received, None, C));
    assert_eq!(change.detail, "`ServerNotification::MoonRisen`");
}
