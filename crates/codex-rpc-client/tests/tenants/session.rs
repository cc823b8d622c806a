//! An application's sessions, and the threads that go with them.

use std::fs;
use std::sync::{Arc, Mutex};

use codex_rpc_client::protocol::types::{SandboxMode, ThreadStartParams};
use codex_rpc_client::store::{MemoryStore, SessionStore, StoreError, StoreFuture};
use codex_rpc_client::{Error, MissingThread, Session, Tenants, TenantsBuilder};
use serde_json::Value;

use super::fake::{World, soon};

fn pool(world: &World) -> TenantsBuilder {
    Tenants::builder(world.root(), world.codex()).wait_limit(None).idle_timeout(None)
}

async fn session(tenants: &Tenants, tenant: &str, id: &str) -> Session {
    soon(tenants.session(tenant, id)).await.expect("a session")
}

async fn say(session: &Session, text: &str) -> String {
    soon(session.run(text)).await.expect("a turn").text().to_owned()
}

/// The threads that a tenant's codex has kept.
fn threads(tenants: &Tenants, tenant: &str) -> Vec<String> {
    let folder = tenants.home(tenant).expect("a folder").join("threads");
    fs::read_dir(folder)
        .expect("a folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("text"))
        .collect()
}

#[tokio::test]
async fn a_session_goes_on_in_the_next_process_where_it_left_off() {
    let world = World::new();
    let tenants = pool(&world).limit(1).build();
    let first = session(&tenants, "a", "s").await;
    assert!(first.is_new());
    assert_eq!((first.session_id(), first.lease().tenant()), ("s", "a"));
    assert_eq!(say(&first, "one").await, "one");
    let id = first.id().to_owned();
    drop(first);
    // It needs the only room.
    let other = session(&tenants, "b", "s").await;
    assert_eq!(say(&other, "other").await, "other");
    drop(other);
    let again = session(&tenants, "a", "s").await;
    assert!(!again.is_new());
    assert_eq!(again.id(), id);
    assert_eq!(say(&again, "two").await, "one, two");
    assert_eq!(world.starts(), 3);
}

#[tokio::test]
async fn a_session_without_a_turn_goes_on_too() {
    let world = World::new();
    let tenants = pool(&world).limit(1).build();
    let id = session(&tenants, "a", "s").await.id().to_owned();
    assert_eq!(session(&tenants, "a", "s").await.id(), id, "in the same process");
    drop(session(&tenants, "b", "s").await);
    assert_eq!(session(&tenants, "a", "s").await.id(), id, "in another");
}

#[tokio::test]
async fn many_first_messages_of_a_session_at_once_make_one_thread() {
    let world = World::new();
    let tenants = pool(&world).build();
    let all = (0..20).map(|user| {
        let tenants = tenants.clone();
        tokio::spawn(async move {
            let session = tenants.session("a", if user < 10 { "s" } else { "t" }).await.expect("a session");
            (session.id().to_owned(), session.is_new())
        })
    });
    let mut new = 0;
    let mut ids = Vec::new();
    for user in all.collect::<Vec<_>>() {
        let (id, is_new) = soon(user).await.expect("no panic");
        new += usize::from(is_new);
        ids.push(id);
    }
    assert!(ids[..10].iter().all(|id| *id == ids[0]) && ids[10..].iter().all(|id| *id == ids[10]));
    assert_ne!(ids[0], ids[10]);
    assert_eq!((new, threads(&tenants, "a").len()), (2, 2));
}

#[tokio::test]
async fn a_session_is_resumed_with_the_params_that_it_was_started_with() {
    let world = World::new();
    let threads = |tenant: &str, _session: &str| {
        ThreadStartParams::new().sandbox(SandboxMode::ReadOnly).developer_instructions(format!("You serve {tenant}."))
    };
    let tenants = pool(&world).limit(1).threads(threads).build();
    drop(session(&tenants, "a", "s").await);
    drop(session(&tenants, "b", "s").await);
    let again = session(&tenants, "a", "s").await;
    let resumed =
        fs::read_to_string(tenants.home("a").expect("a folder").join("resumed.json")).expect("it was resumed");
    let resumed: Value = serde_json::from_str(&resumed).expect("JSON");
    assert_eq!(resumed["threadId"], again.id());
    assert_eq!(resumed["sandbox"], "read-only");
    assert_eq!(resumed["developerInstructions"], "You serve a.");
    assert_eq!(resumed["excludeTurns"], true);
}

#[tokio::test]
async fn a_session_whose_thread_is_gone_is_an_error_that_says_so() {
    let world = World::new();
    let tenants = pool(&world).build();
    let gone = session(&tenants, "a", "s").await;
    soon(gone.delete()).await.expect("it is deleted");
    drop(gone);
    let error = soon(tenants.session("a", "s")).await.expect_err("it is gone");
    assert!(matches!(error, Error::ThreadNotFound(_)), "{error:?}");
    assert_eq!(tenants.stats().leased, 0);
    tenants.store().remove("a", "s").await.expect("it is forgotten");
    assert!(session(&tenants, "a", "s").await.is_new());
}

#[tokio::test]
async fn a_session_whose_thread_is_gone_starts_anew_where_that_is_wanted() {
    let world = World::new();
    let tenants = pool(&world).missing_thread(MissingThread::StartAnew).build();
    let gone = session(&tenants, "a", "s").await;
    soon(gone.delete()).await.expect("it is deleted");
    let old = gone.id().to_owned();
    drop(gone);
    let new = session(&tenants, "a", "s").await;
    assert!(new.is_new());
    assert_ne!(new.id(), old);
    assert_eq!(tenants.store().get("a", "s").await.expect("a store").as_deref(), Some(new.id()));
    assert_eq!(say(&new, "one").await, "one");
}

#[tokio::test]
async fn threads_that_do_not_last_are_refused() {
    let world = World::new();
    let tenants = pool(&world).threads(|_, _| ThreadStartParams::new().ephemeral(true)).build();
    let error = soon(tenants.session("a", "s")).await.expect_err("ephemeral");
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    assert_eq!(world.starts(), 0);
}

/// A store that another program uses, too: what that puts comes first.
#[derive(Default)]
struct Contested {
    store: MemoryStore,
    other: Mutex<Option<String>>,
    broken: bool,
}

impl SessionStore for Contested {
    fn get<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>> {
        self.store.get(tenant, session)
    }

    fn put<'a>(
        &'a self,
        tenant: &'a str,
        session: &'a str,
        expected: Option<&'a str>,
        thread: &'a str,
    ) -> StoreFuture<'a, Option<String>> {
        Box::pin(async move {
            if self.broken {
                return Err(StoreError::failed("the database", "no connection"));
            }
            let other = self.other.lock().expect("a lock").take();
            if let Some(other) = other {
                self.store.put(tenant, session, None, &other).await?;
            }
            self.store.put(tenant, session, expected, thread).await
        })
    }

    fn remove<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>> {
        self.store.remove(tenant, session)
    }

    fn list<'a>(&'a self, tenant: &'a str) -> StoreFuture<'a, Vec<(String, String)>> {
        self.store.list(tenant)
    }
}

#[tokio::test]
async fn where_another_program_was_faster_its_thread_is_taken_and_the_own_one_deleted() {
    let world = World::new();
    let store = Arc::new(Contested::default());
    let tenants = pool(&world).store(Arc::clone(&store)).build();
    let other = session(&tenants, "a", "other").await.id().to_owned();
    *store.other.lock().expect("a lock") = Some(other.clone());
    let taken = session(&tenants, "a", "s").await;
    assert_eq!(taken.id(), other);
    assert!(!taken.is_new());
    assert_eq!(threads(&tenants, "a"), [other]);
}

#[tokio::test]
async fn a_store_that_fails_leaves_no_thread_behind() {
    let world = World::new();
    let store = Arc::new(Contested { broken: true, ..Contested::default() });
    let tenants = pool(&world).store(store).build();
    let error = soon(tenants.session("a", "s")).await.expect_err("no store");
    assert!(matches!(&error, Error::Store(StoreError::Failed { .. })), "{error:?}");
    assert_eq!(error.to_string(), "the database: no connection");
    assert!(threads(&tenants, "a").is_empty());
    assert_eq!(tenants.stats().leased, 0);
}
