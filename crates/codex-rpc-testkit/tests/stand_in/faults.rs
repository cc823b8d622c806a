//! Scripts of the stand-in model that are refused.

use codex_rpc_testkit::stand_in::{Script, StandIn};

#[test]
fn faults_of_a_script_name_what_is_wrong() {
    for (text, expected) in [
        (r#"{"answer": []}"#, "unknown field `answer`"),
        (r#"{"answers": [{"itmes": []}]}"#, "unknown field `itmes`"),
        (r#"{"answers": [[{"mesage": "x"}]]}"#, "unknown field `mesage`"),
        (r#"{"answers": [[{"message": {"text": "x", "fase": 1}}]]}"#, "unknown field `fase`"),
        (r#"{"answers": [[{"call": {"name": "x", "args": 1}}]]}"#, "unknown field `args`"),
        (r#"{"answers": [{"items": [], "match": {"has": []}}]}"#, "unknown field `has`"),
        (r#"{"answers": [{"items": [], "pause": {"for": 1}}]}"#, "unknown field `for`"),
        (r#"{"answers": [{"failed": {"code": "x", "message": "y", "z": 1}}]}"#, "unknown field `z`"),
        (r#"{"answers": [{"items": [], "end": "never"}]}"#, "unknown variant `never`"),
        (r#"{"answers": [[{"message": "x", "patch": "y"}]]}"#, "exactly one key"),
        (r#"{"answers": [[{}]]}"#, "exactly one key"),
        (r#"{"answers": ["x"]}"#, "a list of items or an object"),
        (r#"{"answers": [[{"message": 5}]]}"#, "text or an object"),
        (r#"{"answers": [[{"message": {"text": "x", "deltas": -1}}]]}"#, "out of range"),
        (r#"{"answers": [[{"patch_streamed": {"input": "x", "piece": 0}}]]}"#, "nonzero"),
        (r#"{"answers": [{"headers": {}}]}"#, "an answer needs `items`"),
        (r#"{"answers": [{"events": [], "usage": {}}]}"#, "`usage` can't go with `events`"),
        (r#"{"answers": [{"status": 400, "items": []}]}"#, "`items` can't go with `status`"),
        (r#"{"answers": [{"status": 400, "pause": {"after": 1, "seconds": 1}}]}"#, "`pause` can't go with `status`"),
        (r#"{"answers": [{"status": 400, "events": []}]}"#, "`events` can't go with `status`"),
        (r#"{"answers": [{"items": [], "body": 1}]}"#, "`body` needs `status`"),
        (r#"{"answers": [{"events": [], "body": 1}]}"#, "`body` needs `status`"),
        (r#"{"answers": [{"status": 101}]}"#, "status 101"),
        (r#"{"answers": [{"end": "none", "incomplete": "x"}]}"#, "only one of `end`"),
        (r#"{"answers": [{"items": [], "delay": -1}]}"#, "`delay`: -1 seconds"),
        (r#"{"answers": [{"items": [], "pause": {"after": 1, "seconds": -2.5}}]}"#, "`pause.seconds`: -2.5 seconds"),
    ] {
        let error = serde_json::from_str::<Script>(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn captures_and_routes_that_cannot_be_used_are_refused_at_the_start() {
    for (text, expected) in [
        (r#"{"captures": {"a": "("}}"#, "capture `a`"),
        (r#"{"captures": {"a": "x"}}"#, "`x` has 0 groups"),
        (r#"{"captures": {"a": "(x)(y)"}}"#, "has 2 groups"),
        (r#"{"routes": {"/v1/models": 1}}"#, "route `/v1/models`"),
        (r#"{"routes": {"get /v1/models": 1}}"#, "METHOD /path"),
        (r#"{"routes": {"GET v1/models": 1}}"#, "METHOD /path"),
        (r#"{"routes": {"GET /v1/models?x": 1}}"#, "METHOD /path"),
        (r#"{"routes": {"POST /v1/responses": 1}}"#, "`answers` answer"),
    ] {
        let script: Script = serde_json::from_str(text).unwrap();
        let error = StandIn::start(script).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
}
