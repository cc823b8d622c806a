//! Pools of processes.

use codex_rpc_client::Error;
#[cfg(feature = "sqlite")]
use codex_rpc_client::blocking;
use codex_rpc_client::blocking::Tenants;
use serde_json::json;

use super::server::{ORDERLY, Server, answer, end, soon, thread, turn};

#[test]
fn a_session_of_a_tenant_runs_turns_until_the_pool_is_closed() {
    soon(|| {
        let server = Server::new();
        let script = thread("t") + &answer(&json!({})) + &turn("u") + &end("t", "u", "Hello.", "completed") + ORDERLY;
        let root = tempfile::tempdir().unwrap();
        let template = {
            let folder = server.folder().to_owned();
            // Each process has what the first was made with.
            move |_tenant: &str| Server::of(&folder, &script)
        };
        let tenants = Tenants::builder(root.path(), template).limit(1).build().unwrap();
        let session = tenants.session("acme", "ticket-17").unwrap();
        assert_eq!((session.session_id(), session.id(), session.is_new()), ("ticket-17", "t", true));
        assert_eq!(session.run("Say hello.").unwrap().text(), "Hello.");
        assert_eq!((session.lease().tenant(), tenants.stats().leased), ("acme", 1));
        assert!(!session.lease().has_ended());
        let stored = tenants.block_on(tenants.store().get("acme", "ticket-17")).unwrap();
        assert_eq!(stored.as_deref(), Some("t"));
        drop(session);
        assert!(server.runs() && tenants.stats().leased == 0, "the process is kept");
        tenants.close();
        assert!(!server.runs());
        assert_eq!(server.read("orderly"), "yes\n", "it was not killed");
        assert!(matches!(tenants.acquire("acme"), Err(Error::Closed { .. })));
    });
}

#[cfg(feature = "sqlite")]
#[test]
fn a_pool_keeps_its_sessions_in_a_file() {
    soon(|| {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("sessions.sqlite");
        for expected in [None, Some("t")] {
            let store = blocking::open_store(&file).unwrap();
            let tenants = Tenants::builder(root.path(), |_| blocking::Codex::builder()).store(store).build().unwrap();
            let found = tenants.block_on(tenants.store().get("acme", "s")).unwrap();
            assert_eq!(found.as_deref(), expected);
            tenants.block_on(tenants.store().put("acme", "s", None, "t")).unwrap();
        }
        let error = blocking::open_store(root.path()).unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error:?}");
    });
}
