//! What every store of sessions does, and what the one in a file does besides.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use codex_rpc_client::store::{MemoryStore, SessionStore};
use proptest::prelude::*;

/// Waits for something that has to come; at most a minute.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("in time")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(soon(future))
}

/// A call of a store: tenant, session, threads.
#[derive(Clone, Debug)]
enum Call {
    Get(String, String),
    Put(String, String, Option<String>, String),
    Remove(String, String),
    List(String),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    // Few, so that they meet; texts that a careless store mixes up.
    let name = || prop::sample::select(vec!["a", "A", "", "a\0", "a'; DROP TABLE sessions; --", "ä", "b"]);
    let thread = || prop::sample::select(vec!["1", "2", "3"]);
    let call =
        (0..6, name(), name(), prop::option::of(thread()), thread()).prop_map(|(kind, a, b, expected, thread)| {
            let (tenant, session) = (a.to_owned(), b.to_owned());
            match kind {
                0 => Call::Get(tenant, session),
                1 => Call::Remove(tenant, session),
                2 => Call::List(tenant),
                _ => Call::Put(tenant, session, expected.map(str::to_owned), thread.to_owned()),
            }
        });
    prop::collection::vec(call, 1..40)
}

/// What a store must say to calls, one after the other.
async fn obeys(store: &impl SessionStore, calls: Vec<Call>) {
    let mut model: BTreeMap<(String, String), String> = BTreeMap::new();
    for call in calls {
        let shown = format!("{call:?}");
        match call {
            Call::Get(tenant, session) => {
                let got = store.get(&tenant, &session).await.expect("an answer");
                assert_eq!(got, model.get(&(tenant, session)).cloned(), "{shown}");
            }
            Call::Put(tenant, session, expected, thread) => {
                let got = store.put(&tenant, &session, expected.as_deref(), &thread).await.expect("an answer");
                let key = (tenant, session);
                if model.get(&key) == expected.as_ref() {
                    model.insert(key.clone(), thread);
                }
                assert_eq!(got, model.get(&key).cloned(), "{shown}");
            }
            Call::Remove(tenant, session) => {
                let got = store.remove(&tenant, &session).await.expect("an answer");
                assert_eq!(got, model.remove(&(tenant, session)), "{shown}");
            }
            Call::List(tenant) => {
                let got = store.list(&tenant).await.expect("an answer");
                let all = model.iter().filter(|((of, _), _)| *of == tenant);
                let all: Vec<_> = all.map(|((_, session), thread)| (session.clone(), thread.clone())).collect();
                assert_eq!(got, all, "{shown}");
            }
        }
    }
}

/// Of many who put at once one wins, and all learn who.
async fn has_one_winner(stores: &[impl SessionStore + Clone + 'static]) {
    for round in 0..10 {
        let session = format!("{round}");
        let all = (0..16).map(|number| {
            let (store, session) = (stores[number % stores.len()].clone(), session.clone());
            tokio::spawn(async move { store.put("a", &session, None, &number.to_string()).await.expect("an answer") })
        });
        let mut told = Vec::new();
        for put in all.collect::<Vec<_>>() {
            told.push(put.await.expect("no panic"));
        }
        let kept = stores[0].get("a", &session).await.expect("an answer");
        assert!(kept.is_some());
        assert!(told.iter().all(|told| *told == kept), "{told:?}");
    }
}

proptest! {
    #[test]
    fn the_one_in_memory_obeys(calls in calls()) {
        block_on(obeys(&MemoryStore::new(), calls));
    }
}

#[test]
fn in_memory_of_many_who_put_one_wins() {
    block_on(has_one_winner(&[std::sync::Arc::new(MemoryStore::new())]));
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::fs;

    use codex_rpc_client::store::{SqliteStore, StoreError};
    use rusqlite::Connection;

    use super::*;

    async fn open(path: &std::path::Path) -> SqliteStore {
        SqliteStore::open(path).await.expect("a store")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_one_in_a_file_obeys(calls in calls()) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("s.sqlite");
            block_on(async { obeys(&open(&path).await, calls).await });
        }
    }

    #[test]
    fn in_a_file_of_many_who_put_over_several_connections_one_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sqlite");
        block_on(async {
            // Opened at the same time, the file being new.
            let opening = (0..8).map(|_| tokio::spawn(SqliteStore::open(path.clone())));
            let mut stores = Vec::new();
            for store in opening.collect::<Vec<_>>() {
                stores.push(store.await.expect("no panic").expect("a store"));
            }
            has_one_winner(&stores).await;
        });
    }

    #[test]
    fn what_was_stored_is_there_when_the_file_is_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sqlite");
        block_on(async {
            let store = open(&path).await;
            assert_eq!(store.put("a", "s", None, "1").await.expect("it is put"), Some("1".to_owned()));
            drop(store);
            assert_eq!(open(&path).await.get("a", "s").await.expect("an answer"), Some("1".to_owned()));
        });
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_told_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sqlite");
        let refused = || block_on(SqliteStore::open(path.clone())).expect_err("no store");
        fs::write(&path, "Not a database, but a text of some length. ".repeat(50)).expect("a file");
        let before = fs::read(&path).expect("a file");
        let error = refused();
        assert!(matches!(&error, StoreError::NotAStore { path: of, .. } if *of == path), "{error:?}");
        assert!(error.to_string().contains("is no store of sessions, or is damaged"), "{error}");
        assert_eq!(fs::read(&path).expect("a file"), before);

        fs::remove_file(&path).expect("it is gone");
        Connection::open(&path).and_then(|other| other.execute_batch("CREATE TABLE notes (a)")).expect("a database");
        let before = fs::read(&path).expect("a file");
        let error = refused().to_string();
        assert!(error.contains("another program's"), "{error}");
        assert_eq!(fs::read(&path).expect("a file"), before);
    }

    #[test]
    fn a_file_that_was_damaged_later_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sqlite");
        block_on(async {
            let store = open(&path).await;
            for session in 0..200 {
                store.put("a", &format!("{session}"), None, &"x".repeat(100)).await.expect("it is put");
            }
        });
        let mut bytes = fs::read(&path).expect("a file");
        // All but the first page, which has the schema.
        bytes[4_096..].fill(0xAA);
        fs::write(&path, bytes).expect("a file");
        let error = block_on(async { open(&path).await.list("a").await }).expect_err("it is damaged");
        assert!(matches!(error, StoreError::NotAStore { .. }), "{error:?}");
    }

    #[test]
    fn a_file_of_a_later_version_is_told_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sqlite");
        drop(block_on(open(&path)));
        Connection::open(&path).and_then(|other| other.pragma_update(None, "user_version", 7)).expect("a database");
        let error = block_on(SqliteStore::open(path.clone())).expect_err("it is newer");
        assert!(matches!(error, StoreError::TooNew { found: 7, known: 1, .. }), "{error:?}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = block_on(SqliteStore::open(folder.path().join("none/s.sqlite"))).expect_err("no folder");
        assert!(matches!(&error, StoreError::Failed { what, .. } if what.contains("none/s.sqlite")), "{error:?}");
    }

    #[test]
    fn one_waits_for_another_who_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sqlite");
        block_on(async {
            let store = open(&path).await;
            let writer = Connection::open(&path).expect("a database");
            writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO sessions VALUES ('a', 's', 'theirs')").expect("a lock");
            let waiting = store.clone();
            let mut put = tokio::spawn(async move { waiting.put("a", "s", None, "ours").await });
            // What is not committed is not there yet, and readers don't wait.
            assert_eq!(open(&path).await.get("a", "s").await.expect("an answer"), None);
            tokio::select! {
                biased;
                _ = &mut put => panic!("it did not wait"),
                () = tokio::task::yield_now() => {}
            }
            writer.execute_batch("COMMIT").expect("it is written");
            assert_eq!(put.await.expect("no panic").expect("it is put"), Some("theirs".to_owned()));
        });
    }

    #[test]
    fn the_file_has_a_write_ahead_log_and_can_be_read_by_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sqlite");
        block_on(async {
            let store = open(&path).await;
            store.put("a", "s", None, "1").await.expect("it is put");
            let other = Connection::open(&path).expect("a database");
            let mode: String = other.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("a mode");
            assert_eq!(mode, "wal");
            let thread: String = other.query_row("SELECT thread FROM sessions", [], |row| row.get(0)).expect("a row");
            assert_eq!(thread, "1");
        });
    }
}
