//! The events of each kind of item and end.

use serde_json::json;

use crate::client::{post, start};

/// The events of one answer, one a line.
fn events_of(answer: &str) -> String {
    let model = start(&format!(r#"{{"answers": [{answer}]}}"#));
    let response = post(&model, &json!({"input": []}));
    assert_eq!(model.problems(), [""; 0]);
    assert_eq!(response.head.status, 200);
    let events: Vec<String> = response.events().iter().map(ToString::to_string).collect();
    events.join("\n") + "\n"
}

#[test]
fn a_message_has_deltas_at_character_boundaries() {
    insta::assert_snapshot!(events_of(r#"[{"message": "Grüße, 🦀!"}]"#), @r##"
    {"response":{"id":"resp-1"},"type":"response.created"}
    {"item":{"content":[],"id":"msg-1","role":"assistant","type":"message"},"output_index":0,"type":"response.output_item.added"}
    {"content_index":0,"delta":"Grü","item_id":"msg-1","output_index":0,"type":"response.output_text.delta"}
    {"content_index":0,"delta":"ße,","item_id":"msg-1","output_index":0,"type":"response.output_text.delta"}
    {"content_index":0,"delta":" 🦀!","item_id":"msg-1","output_index":0,"type":"response.output_text.delta"}
    {"item":{"content":[{"text":"Grüße, 🦀!","type":"output_text"}],"id":"msg-1","role":"assistant","type":"message"},"output_index":0,"type":"response.output_item.done"}
    {"response":{"id":"resp-1","usage":{"input_tokens":120,"input_tokens_details":null,"output_tokens":30,"output_tokens_details":null,"total_tokens":150}},"type":"response.completed"}
    "##);
}

#[test]
fn a_message_takes_an_id_a_phase_and_a_number_of_deltas() {
    insta::assert_snapshot!(events_of(
        r#"[{"message": {"text": "abcd", "id": "m", "phase": "commentary", "deltas": 2}},
            {"message": {"text": "abcd", "deltas": false}}, {"message": {"text": "", "deltas": true}}]"#
    ), @r##"
    {"response":{"id":"resp-1"},"type":"response.created"}
    {"item":{"content":[],"id":"m","phase":"commentary","role":"assistant","type":"message"},"output_index":0,"type":"response.output_item.added"}
    {"content_index":0,"delta":"ab","item_id":"m","output_index":0,"type":"response.output_text.delta"}
    {"content_index":0,"delta":"cd","item_id":"m","output_index":0,"type":"response.output_text.delta"}
    {"item":{"content":[{"text":"abcd","type":"output_text"}],"id":"m","phase":"commentary","role":"assistant","type":"message"},"output_index":0,"type":"response.output_item.done"}
    {"item":{"content":[{"text":"abcd","type":"output_text"}],"id":"msg-1","role":"assistant","type":"message"},"output_index":1,"type":"response.output_item.done"}
    {"item":{"content":[],"id":"msg-2","role":"assistant","type":"message"},"output_index":2,"type":"response.output_item.added"}
    {"item":{"content":[{"text":"","type":"output_text"}],"id":"msg-2","role":"assistant","type":"message"},"output_index":2,"type":"response.output_item.done"}
    {"response":{"id":"resp-1","usage":{"input_tokens":120,"input_tokens_details":null,"output_tokens":30,"output_tokens_details":null,"total_tokens":150}},"type":"response.completed"}
    "##);
}

#[test]
fn reasoning_has_a_summary_and_a_text() {
    insta::assert_snapshot!(events_of(r#"[{"reasoning": {"summary": "**Look**", "text": "raw"}}]"#), @r##"
    {"response":{"id":"resp-1"},"type":"response.created"}
    {"item":{"id":"rs-1","summary":[],"type":"reasoning"},"output_index":0,"type":"response.output_item.added"}
    {"item_id":"rs-1","output_index":0,"summary_index":0,"type":"response.reasoning_summary_part.added"}
    {"delta":"**Lo","item_id":"rs-1","output_index":0,"summary_index":0,"type":"response.reasoning_summary_text.delta"}
    {"delta":"ok**","item_id":"rs-1","output_index":0,"summary_index":0,"type":"response.reasoning_summary_text.delta"}
    {"content_index":0,"delta":"raw","item_id":"rs-1","output_index":0,"type":"response.reasoning_text.delta"}
    {"item":{"content":[{"text":"raw","type":"reasoning_text"}],"id":"rs-1","summary":[{"text":"**Look**","type":"summary_text"}],"type":"reasoning"},"output_index":0,"type":"response.output_item.done"}
    {"response":{"id":"resp-1","usage":{"input_tokens":120,"input_tokens_details":null,"output_tokens":30,"output_tokens_details":null,"total_tokens":150}},"type":"response.completed"}
    "##);
}

#[test]
fn calls_have_ids_and_arguments_as_text() {
    insta::assert_snapshot!(events_of(
        r#"[{"call": {"name": "exec_command", "arguments": {"cmd": "ls"}}},
            {"call": {"name": "x", "arguments": "no JSON", "namespace": "mcp__t", "call_id": "c"}},
            {"call": {"name": "y"}},
            {"custom": {"name": "exec", "input": "text(1)"}},
            {"patch": "*** Begin Patch\n*** End Patch"}]"#
    ), @r##"
    {"response":{"id":"resp-1"},"type":"response.created"}
    {"item":{"arguments":"{\"cmd\":\"ls\"}","call_id":"call-1","name":"exec_command","type":"function_call"},"output_index":0,"type":"response.output_item.done"}
    {"item":{"arguments":"no JSON","call_id":"c","name":"x","namespace":"mcp__t","type":"function_call"},"output_index":1,"type":"response.output_item.done"}
    {"item":{"arguments":"{}","call_id":"call-2","name":"y","type":"function_call"},"output_index":2,"type":"response.output_item.done"}
    {"item":{"call_id":"call-3","input":"text(1)","name":"exec","type":"custom_tool_call"},"output_index":3,"type":"response.output_item.done"}
    {"item":{"call_id":"call-4","input":"*** Begin Patch\n*** End Patch","name":"apply_patch","type":"custom_tool_call"},"output_index":4,"type":"response.output_item.done"}
    {"response":{"id":"resp-1","usage":{"input_tokens":120,"input_tokens_details":null,"output_tokens":30,"output_tokens_details":null,"total_tokens":150}},"type":"response.completed"}
    "##);
}

#[test]
fn a_streamed_patch_comes_in_pieces() {
    insta::assert_snapshot!(events_of(
        r#"[{"patch_streamed": {"input": "*** Begin Patch\n*** End Patch"}},
            {"patch_streamed": {"input": "abc", "piece": 2, "call_id": "c"}}]"#
    ), @r##"
    {"response":{"id":"resp-1"},"type":"response.created"}
    {"item":{"call_id":"call-1","id":"ct-1","input":"","name":"apply_patch","type":"custom_tool_call"},"output_index":0,"type":"response.output_item.added"}
    {"call_id":"call-1","delta":"*** Begin Pa","item_id":"ct-1","output_index":0,"type":"response.custom_tool_call_input.delta"}
    {"call_id":"call-1","delta":"tch\n*** End ","item_id":"ct-1","output_index":0,"type":"response.custom_tool_call_input.delta"}
    {"call_id":"call-1","delta":"Patch","item_id":"ct-1","output_index":0,"type":"response.custom_tool_call_input.delta"}
    {"item":{"call_id":"call-1","id":"ct-1","input":"*** Begin Patch\n*** End Patch","name":"apply_patch","type":"custom_tool_call"},"output_index":0,"type":"response.output_item.done"}
    {"item":{"call_id":"c","id":"ct-2","input":"","name":"apply_patch","type":"custom_tool_call"},"output_index":1,"type":"response.output_item.added"}
    {"call_id":"c","delta":"ab","item_id":"ct-2","output_index":1,"type":"response.custom_tool_call_input.delta"}
    {"call_id":"c","delta":"c","item_id":"ct-2","output_index":1,"type":"response.custom_tool_call_input.delta"}
    {"item":{"call_id":"c","id":"ct-2","input":"abc","name":"apply_patch","type":"custom_tool_call"},"output_index":1,"type":"response.output_item.done"}
    {"response":{"id":"resp-1","usage":{"input_tokens":120,"input_tokens_details":null,"output_tokens":30,"output_tokens_details":null,"total_tokens":150}},"type":"response.completed"}
    "##);
}

#[test]
fn raw_items_and_events_are_sent_as_they_are() {
    insta::assert_snapshot!(events_of(
        r#"[{"message": {"text": "x", "deltas": false}}, {"added": {"type": "a"}}, {"item": {"type": "a", "n": 1e3}},
            {"event": {"type": "safety_buffering", "reasons": []}}, {"item": {"type": "b"}}]"#
    ), @r##"
    {"response":{"id":"resp-1"},"type":"response.created"}
    {"item":{"content":[{"text":"x","type":"output_text"}],"id":"msg-1","role":"assistant","type":"message"},"output_index":0,"type":"response.output_item.done"}
    {"item":{"type":"a"},"output_index":1,"type":"response.output_item.added"}
    {"item":{"n":1000.0,"type":"a"},"output_index":1,"type":"response.output_item.done"}
    {"reasons":[],"type":"safety_buffering"}
    {"item":{"type":"b"},"output_index":2,"type":"response.output_item.done"}
    {"response":{"id":"resp-1","usage":{"input_tokens":120,"input_tokens_details":null,"output_tokens":30,"output_tokens_details":null,"total_tokens":150}},"type":"response.completed"}
    "##);
}

#[test]
fn a_stream_of_raw_events_has_nothing_added() {
    let model = start(
        r#"{"answers": [{"events": [{"type": "response.created", "x": "\n"}, {"no": "type"}, {"type": "a\nb"}, 5]}]}"#,
    );
    let response = post(&model, &json!({}));
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.header("connection"), Some("close"));
    insta::assert_snapshot!(response.body, @r##"
    event: response.created
    data: {"type":"response.created","x":"\n"}

    data: {"no":"type"}

    data: {"type":"a\nb"}

    data: 5
    "##);
}

#[test]
fn a_stream_can_end_in_other_ways() {
    insta::assert_snapshot!(
        events_of(r#"{"end": "none"}"#),
        @r#"{"response":{"id":"resp-1"},"type":"response.created"}"#
    );
    insta::assert_snapshot!(events_of(r#"{"failed": {"code": "context_length_exceeded", "message": "Long"}}"#), @r##"
    {"response":{"id":"resp-1"},"type":"response.created"}
    {"response":{"error":{"code":"context_length_exceeded","message":"Long"},"id":"resp-1"},"type":"response.failed"}
    "##);
    insta::assert_snapshot!(events_of(r#"{"incomplete": "max_output_tokens", "response_id": "r"}"#), @r##"
    {"response":{"id":"r"},"type":"response.created"}
    {"response":{"id":"r","incomplete_details":{"reason":"max_output_tokens"}},"type":"response.incomplete"}
    "##);
}

#[test]
fn usage_replaces_members_of_the_default() {
    insta::assert_snapshot!(
        events_of(r#"{"items": [], "usage": {"total_tokens": 9007199254740993, "extra": null}}"#),
        @r##"
    {"response":{"id":"resp-1"},"type":"response.created"}
    {"response":{"id":"resp-1","usage":{"extra":null,"input_tokens":120,"input_tokens_details":null,"output_tokens":30,"output_tokens_details":null,"total_tokens":9007199254740993}},"type":"response.completed"}
    "##
    );
}
