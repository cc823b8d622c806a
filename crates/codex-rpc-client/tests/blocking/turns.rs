//! Turns of a session that blocks.

use std::sync::{Arc, OnceLock, mpsc};

use codex_rpc_client::blocking::Thread;
use codex_rpc_client::protocol::requests::ModelList;
use codex_rpc_client::protocol::server_requests::CurrentTimeRead;
use codex_rpc_client::protocol::types::{CurrentTimeReadResponse, ModelListParams, ThreadStartParams, TurnStatus};
use codex_rpc_testkit::fixtures;
use serde_json::json;

use super::server::{Server, answer, delta, end, say, soon, thread, turn};

#[test]
fn a_turn_runs_to_its_end() {
    soon(|| {
        let server = Server::new();
        let script = thread("t") + &turn("u") + &end("t", "u", "Hello.", "completed") + "cat > /dev/null";
        let codex = server.start(&script);
        let thread = codex.start_thread(ThreadStartParams::new()).unwrap();
        assert_eq!(thread.run("Say hello.").unwrap().text(), "Hello.");
        assert_eq!((thread.id(), thread.codex().release().as_deref()), ("t", Some("0.169.0")));
        assert_eq!(server.methods(), ["thread/start", "turn/start"]);
    });
}

#[test]
fn a_stream_is_an_iterator_that_ends_with_the_turn() {
    soon(|| {
        let server = Server::new();
        let said = delta("t", "u", "Hel") + &delta("t", "u", "lo.");
        let script = thread("t") + &turn("u") + &said + &end("t", "u", "Hello.", "completed") + "cat > /dev/null";
        let codex = server.start(&script);
        let thread = codex.start_thread(ThreadStartParams::new()).unwrap();
        let turn = thread.turn("Say hello.").unwrap();
        let events: Vec<_> = turn.stream().collect();
        let texts: Vec<_> = events.iter().filter_map(|event| event.text_delta()).collect();
        assert_eq!((events.len(), texts), (4, vec!["Hel", "lo."]));
        let mut stream = turn.stream();
        assert_eq!(stream.next_text().as_deref(), Some("Hel"));
        assert_eq!(stream.next_text().as_deref(), Some("lo."));
        assert_eq!(stream.next_text(), None);
        assert!(turn.has_ended() && turn.result().unwrap().is_ok());
        assert_eq!((turn.items().len(), turn.thread().id()), (1, "t"));
    });
}

#[test]
fn a_turn_that_one_thread_waits_for_is_interrupted_by_another() {
    soon(|| {
        let server = Server::new();
        let script =
            thread("t") + &turn("u") + &answer(&json!({})) + &end("t", "u", "Hel", "interrupted") + "cat > /dev/null";
        let codex = server.start(&script);
        let turn = codex.start_thread(ThreadStartParams::new()).unwrap().turn("Say hello.").unwrap();
        let (tell, waits) = mpsc::channel();
        let joining = std::thread::spawn({
            let turn = turn.clone();
            move || {
                tell.send(()).unwrap();
                turn.join()
            }
        });
        waits.recv().unwrap();
        turn.interrupt().unwrap();
        let result = joining.join().unwrap().unwrap();
        assert_eq!(result.status, TurnStatus::Interrupted);
        assert_eq!(server.methods(), ["thread/start", "turn/start", "turn/interrupt"]);
    });
}

#[test]
fn a_hook_answers_while_the_caller_waits_and_may_use_the_session_where_it_may_block() {
    soon(|| {
        let server = Server::new();
        let asks = say(&fixtures::request("currentTime/read", 7, &json!({"threadId": "t"})));
        let script = thread("t")
            + &turn("u")
            + &asks
            + &answer(&json!({"data": []}))
            + "ask\n"
            + &end("t", "u", "Noon.", "completed")
            + "cat > /dev/null";
        let shared: Arc<OnceLock<Thread>> = Arc::default();
        let builder = server.builder(&script).on::<CurrentTimeRead, _, _>({
            let shared = Arc::clone(&shared);
            move |_, _| {
                let thread = shared.get().expect("a thread").clone();
                async move {
                    let call = move || thread.codex().call::<ModelList>(ModelListParams::new());
                    tokio::task::spawn_blocking(call).await.expect("no panic").expect("an answer");
                    Ok(Some(CurrentTimeReadResponse::new(1_700_000_000)))
                }
            }
        });
        let codex = builder.start().unwrap();
        let thread = shared.get_or_init(|| codex.start_thread(ThreadStartParams::new()).unwrap());
        assert_eq!(thread.run("What time is it?").unwrap().text(), "Noon.");
        let asked = server.asked();
        assert_eq!(asked[3]["method"], "model/list");
        assert_eq!(asked[4], json!({"id": 7, "result": {"currentTimeAt": 1_700_000_000}}));
        // The hook holds the session.
        codex.close();
    });
}

#[test]
fn turns_are_told_as_they_begin_until_the_session_ends() {
    soon(|| {
        let server = Server::new();
        let begun = json!({"threadId": "t", "turn": {"id": "u", "items": [], "status": "inProgress"}});
        let script = thread("t") + "ask\n" + &say(&fixtures::notification("turn/started", &begun)) + "ask; exit 0";
        let codex = server.start(&script);
        let thread = codex.start_thread(ThreadStartParams::new()).unwrap();
        let mut turns = thread.turns();
        let asking = std::thread::spawn({
            let codex = codex.clone();
            // What it asks for is never answered.
            move || codex.call::<ModelList>(ModelListParams::new()).map(drop)
        });
        assert_eq!(turns.next().expect("a turn").id(), "u");
        assert_eq!(thread.running().len(), 1);
        assert_eq!(thread.follow("u").id(), "u");
        codex.close();
        assert!(turns.next().is_none());
        assert!(asking.join().unwrap().is_err());
    });
}
