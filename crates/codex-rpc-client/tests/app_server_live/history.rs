//! What becomes of threads.

use codex_rpc_client::Error;
use codex_rpc_client::protocol::types::{ThreadItem, ThreadListParams, ThreadStartParams};
use serde_json::json;

use super::{Real, message, soon};

#[tokio::test]
async fn compaction_is_a_turn_and_the_next_one_goes_on_from_the_summary() {
    let answers = json!([message("Hello."), message("SUMMARY of it all."), message("After.")]);
    let Some(real) = Real::answering(&answers) else { return };
    let thread = real.thread().await;
    soon(thread.run("Hello")).await.unwrap();
    let mut turns = thread.turns();
    thread.compact().await.unwrap();
    let compaction = soon(turns.next()).await;
    let result = soon(compaction.join()).await.unwrap();
    assert!(result.items.iter().any(|item| matches!(item, ThreadItem::ContextCompaction(_))), "{result:?}");
    assert_eq!(soon(thread.run("And?")).await.unwrap().text(), "After.");
    let input = real.input(2);
    assert!(input.contains("SUMMARY of it all.") && !input.contains("\"Hello.\""), "{input}");
}

#[tokio::test]
async fn a_goal_starts_turns_that_are_observed_until_it_is_cleared() {
    let working = json!({"items": [{"message": "Working on it."}], "delay": 0.3, "repeat": true});
    let Some(real) = Real::answering(&json!([message("Hello."), working])) else { return };
    let thread = real.thread().await;
    soon(thread.run("Hello")).await.unwrap();
    assert_eq!(thread.goal().await.unwrap(), None);
    let mut turns = thread.turns();
    assert_eq!(thread.set_goal("Write a poem").await.unwrap().objective, "Write a poem");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let turn = soon(turns.next()).await;
        assert_eq!(soon(turn.join()).await.unwrap().text(), "Working on it.");
        seen.push(turn.id().to_owned());
    }
    assert_ne!(seen[0], seen[1]);
    assert!(thread.clear_goal().await.unwrap());
    assert_eq!(thread.goal().await.unwrap(), None);
}

#[tokio::test]
async fn a_thread_is_read_named_forked_listed_archived_and_deleted() {
    let answers = json!([message("One."), message("Two."), message("Three.")]);
    let Some(real) = Real::answering(&answers) else { return };
    let thread = real.thread().await;
    let codex = thread.codex();
    soon(thread.run("First")).await.unwrap();
    thread.set_name("a heron").await.unwrap();
    let fork = thread.fork().await.unwrap();
    assert_ne!(fork.id(), thread.id());
    assert_eq!(soon(fork.run("Second")).await.unwrap().text(), "Two.");
    assert!(real.input(1).contains("One."), "a fork knows what was said before it");

    let kept = thread.read_with_turns().await.unwrap();
    assert_eq!((kept.name.as_deref(), kept.turns.len()), (Some("a heron"), 1));
    assert_eq!(fork.history().all().await.unwrap().len(), 2);

    let listed = async |archived: bool| {
        let threads = codex.threads(ThreadListParams::new().limit(1u32).archived(archived)).all().await.unwrap();
        let mut ids: Vec<_> = threads.into_iter().map(|thread| thread.id).collect();
        ids.sort();
        ids
    };
    let mut both = [thread.id().to_owned(), fork.id().to_owned()];
    both.sort();
    assert_eq!(listed(false).await, both);
    fork.archive().await.unwrap();
    assert_eq!((listed(false).await, listed(true).await), (vec![thread.id().to_owned()], vec![fork.id().to_owned()]));
    codex.unarchive_thread(fork.id()).await.unwrap();
    assert_eq!(listed(false).await, both);

    fork.delete().await.unwrap();
    assert_eq!(listed(false).await, [thread.id()]);
    let error = codex.resume_thread(fork.id()).await.unwrap_err();
    assert!(matches!(error, Error::ThreadNotFound(_)), "{error:?}");
}

#[tokio::test]
async fn another_process_goes_on_with_a_thread_once_the_first_has_closed() {
    let Some(real) = Real::answering(&json!([message("One."), message("Two.")])) else { return };
    let thread = real.thread().await;
    soon(thread.run("First")).await.unwrap();
    thread.codex().close().await;
    assert!(matches!(thread.run("Nobody is there").await, Err(Error::Closed { .. })));

    let codex = real.builder().start().await.unwrap();
    let again = codex.resume_thread(thread.id()).await.unwrap();
    assert_eq!(again.id(), thread.id());
    assert_eq!(soon(again.run("Second")).await.unwrap().text(), "Two.");
    assert!(real.input(1).contains("One."), "{}", real.input(1));
}

#[tokio::test]
async fn an_ephemeral_thread_is_nowhere_afterwards() {
    let Some(real) = Real::answering(&json!([message("One.")])) else { return };
    let codex = real.builder().start().await.unwrap();
    let thread = codex.start_thread(ThreadStartParams::new().ephemeral(true)).await.unwrap();
    assert_eq!(soon(thread.run("First")).await.unwrap().text(), "One.");
    assert_eq!(codex.threads(ThreadListParams::new()).all().await.unwrap(), []);
    assert!(thread.read_with_turns().await.is_err());
}
