//! Sessions that block, and async runtimes.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use codex_rpc_client::blocking::Codex;
use codex_rpc_client::protocol::requests::ModelList;
use codex_rpc_client::protocol::types::{ModelListParams, ThreadStartParams};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::server::{Server, answer, soon, thread};

fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.enable_all().build().expect("a runtime"))
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).expect("text")
}

#[test]
fn a_call_where_a_runtime_must_not_block_panics_and_says_what_to_do() {
    soon(|| {
        let server = Server::new();
        let codex = server.start("cat > /dev/null");
        for runtime in runtimes() {
            runtime.block_on(async {
                let panics = [
                    catch_unwind(AssertUnwindSafe(|| drop(codex.call::<ModelList>(ModelListParams::new())))),
                    catch_unwind(AssertUnwindSafe(|| drop(Codex::start()))),
                    catch_unwind(AssertUnwindSafe(|| codex.close())),
                    catch_unwind(AssertUnwindSafe(|| drop(codex.subscribe()))),
                ];
                for panic in panics {
                    let panic = panic.unwrap_err();
                    let text = text(panic.as_ref());
                    assert!(text.contains("codex_rpc_client::blocking"), "{text}");
                    assert!(text.contains("spawn_blocking"), "{text}");
                }
            });
        }
        assert!(!codex.has_ended(), "the session goes on");
    });
}

#[test]
fn a_call_where_a_runtime_may_block_is_made() {
    soon(|| {
        let server = Server::new();
        let codex = server.start(&format!("while :; do {}done", answer(&json!({"data": []}))));
        for runtime in runtimes() {
            let codex = codex.clone();
            let call = move || codex.call::<ModelList>(ModelListParams::new()).map(drop);
            runtime.block_on(async { tokio::task::spawn_blocking(call).await }).unwrap().unwrap();
        }
    });
}

#[test]
fn handles_that_are_dropped_on_a_thread_of_a_runtime_end_the_process_without_a_panic() {
    soon(|| {
        for runtime in runtimes() {
            let server = Server::new();
            let codex = server.start(&(thread("t") + "cat > /dev/null"));
            let thread = codex.start_thread(ThreadStartParams::new()).unwrap();
            let (told, recoveries, turns) = (codex.subscribe().unwrap(), codex.recoveries(), thread.turns());
            let pages = codex.models(ModelListParams::new());
            runtime.block_on(async move { drop((codex, thread, told, recoveries, turns, pages)) });
            while server.runs() {
                // Nothing else tells.
                std::thread::yield_now();
            }
        }
    });
}
