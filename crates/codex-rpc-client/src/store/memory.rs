//! A store that is gone with the program.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{SessionStore, StoreFuture};

/// Sessions in memory: they are forgotten with the program. Its methods never fail.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tenants: Mutex<Tenants>,
}

/// Threads by tenant and session.
type Tenants = BTreeMap<String, BTreeMap<String, String>>;

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Tenants> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionStore for MemoryStore {
    fn get<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>> {
        Box::pin(async move { Ok(self.lock().get(tenant).and_then(|sessions| sessions.get(session)).cloned()) })
    }

    fn put<'a>(
        &'a self,
        tenant: &'a str,
        session: &'a str,
        expected: Option<&'a str>,
        thread: &'a str,
    ) -> StoreFuture<'a, Option<String>> {
        Box::pin(async move {
            let mut tenants = self.lock();
            Ok(match (tenants.entry(tenant.to_owned()).or_default().entry(session.to_owned()), expected) {
                (Entry::Vacant(free), None) => Some(free.insert(thread.to_owned()).clone()),
                (Entry::Vacant(_), Some(_)) => None,
                (Entry::Occupied(mut taken), expected) => {
                    if Some(taken.get().as_str()) == expected {
                        taken.insert(thread.to_owned());
                    }
                    Some(taken.get().clone())
                }
            })
        })
    }

    fn remove<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>> {
        Box::pin(async move { Ok(self.lock().get_mut(tenant).and_then(|sessions| sessions.remove(session))) })
    }

    fn list<'a>(&'a self, tenant: &'a str) -> StoreFuture<'a, Vec<(String, String)>> {
        let sessions = self.lock().get(tenant).cloned().unwrap_or_default();
        Box::pin(ready(Ok(sessions.into_iter().collect())))
    }
}
