//! What the example `render` shows of recorded sessions.

#[path = "../examples/render/screen.rs"]
mod screen;

use std::fs;
use std::path::Path;

use codex_rpc_client::protocol::types::{Thread, ThreadStartResponse};
use codex_rpc_client::protocol::{ServerMessage, ServerNotification, from_json};
use screen::Screen;
use serde_json::Value;

/// The server's messages of a recorded session, as text.
fn rendered(scenario: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/0.169.0").join(scenario);
    let transcript = fs::read_to_string(path.with_extension("jsonl")).expect("a transcript");
    let (mut text, mut screen) = (String::new(), Screen::default());
    let messages = transcript.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    for line in messages.filter(|line| line["from"] == "server") {
        let message = line["message"].to_string();
        if let Some(thread) = thread(&line["message"]["result"]) {
            text.push_str(&screen::header("0.169.0", &thread));
        }
        if let Some(notification) = notification(&message) {
            text.push_str(&screen.show(&notification));
        }
    }
    text
}

fn thread(result: &Value) -> Option<Thread> {
    let started: ThreadStartResponse = from_json(&result.to_string()).ok()?;
    Some(started.thread)
}

fn notification(message: &str) -> Option<ServerNotification> {
    match ServerMessage::from_json(message) {
        Ok(codex_rpc_client::protocol::Message::Notification(notification)) => Some(notification.payload),
        _ => None,
    }
}

fn plain(scenario: &str) -> String {
    anstream::adapter::strip_str(&rendered(scenario)).to_string()
}

#[test]
fn a_conversation_with_reasoning_is_shown_as_it_was() {
    insta::assert_snapshot!(plain("conversation"));
}

#[test]
fn commands_are_shown_with_their_ends_and_outputs() {
    insta::assert_snapshot!(plain("command_run"));
}

#[test]
fn patches_are_shown_as_diffs() {
    insta::assert_snapshot!(plain("patch_applied"));
}

#[test]
fn plans_are_shown_with_their_steps() {
    insta::assert_snapshot!(plain("plan_update"));
}

#[test]
fn turns_that_are_interrupted_or_fail_say_so() {
    insta::assert_snapshot!(
        [plain("interrupt"), plain("failures_retry"), plain("failures_context")].join("\n======\n")
    );
}

#[test]
fn styles_mark_who_speaks_and_how_it_ended() {
    let styled = [rendered("command_run"), rendered("patch_applied"), rendered("plan_update")].join("\n");
    insta::assert_snapshot!(styled.replace('\x1b', "␛"));
}

#[test]
fn every_recorded_session_can_be_shown_and_without_styles_nothing_is_left_of_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/0.169.0");
    let mut shown = 0;
    for entry in fs::read_dir(folder).expect("transcripts") {
        let path = entry.expect("an entry").path();
        let scenario = path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
        shown += usize::from(!rendered(&scenario).is_empty());
        // What a command wrote is not ours.
        assert!(!plain(&scenario).contains("\x1b["), "{scenario}");
    }
    assert!(shown > 50, "{shown}");
}
