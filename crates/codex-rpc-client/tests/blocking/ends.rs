//! How sessions that block end.

use codex_rpc_client::Error;
use codex_rpc_client::protocol::requests::ModelList;
use codex_rpc_client::protocol::types::{ModelListParams, ThreadStartParams};

use super::server::{ORDERLY, Server, soon, thread, turn};

#[test]
fn the_end_of_the_process_is_an_error_that_says_what_it_wrote() {
    soon(|| {
        let server = Server::new();
        let script = thread("t") + &turn("u") + "ask; echo 'out of memory' >&2; exit 7";
        let codex = server.start(&script);
        let turn = codex.start_thread(ThreadStartParams::new()).unwrap().turn("go").unwrap();
        let errors = [
            codex.call::<ModelList>(ModelListParams::new()).map(drop).unwrap_err(),
            turn.join().map(drop).unwrap_err(),
        ];
        for error in errors {
            let Error::Process(process) = &error else { panic!("{error:?}") };
            assert_eq!(process.status.and_then(|status| status.code()), Some(7), "{error}");
            assert_eq!(process.stderr, "out of memory");
        }
        assert!(codex.ended().contains("out of memory"));
        assert!(codex.has_ended());
    });
}

#[test]
fn the_last_handle_that_is_dropped_ends_the_process_in_order_and_waits_for_it() {
    soon(|| {
        let server = Server::new();
        let codex = server.start(&(thread("t") + ORDERLY));
        let thread = codex.start_thread(ThreadStartParams::new()).unwrap();
        drop(codex);
        assert!(server.runs(), "there is a thread");
        drop(thread);
        assert!(!server.runs());
        assert_eq!(server.read("orderly"), "yes\n", "it was not killed");
    });
}

#[test]
fn a_process_that_does_not_want_to_end_is_gone_after_the_drop() {
    soon(|| {
        let server = Server::new();
        let codex = server.start("trap '' TERM HUP INT; while :; do sleep 1; done");
        drop(codex);
        assert!(!server.runs());
    });
}

#[test]
fn a_session_that_is_closed_has_ended_for_all_handles() {
    soon(|| {
        let server = Server::new();
        let codex = server.start(&(thread("t") + ORDERLY));
        let thread = codex.start_thread(ThreadStartParams::new()).unwrap();
        codex.close();
        assert!(!server.runs());
        assert_eq!(server.read("orderly"), "yes\n", "it was not killed");
        assert_eq!(codex.ended(), "the session was closed");
        let failed = thread.read();
        assert!(matches!(failed, Err(Error::Closed { .. })), "{failed:?}");
        codex.close();
    });
}
