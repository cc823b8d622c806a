//! The use of a tenant's process.

use std::fmt;
use std::ops::Deref;
use std::sync::Weak;

use super::pool::Place;
use super::shared::Shared;
use crate::Codex;

/// The use of a tenant's process: as long as there is a lease, the pool does not end it.
/// Dropping it gives the process back.
///
/// Clones of the [`Codex`] and its threads outlive the lease, but not the process: once
/// the last lease is dropped, it may be ended at any time. So keep the lease for as long
/// as a turn runs.
#[must_use = "the process is given back when this is dropped"]
pub struct Lease {
    codex: Codex,
    place: Place,
    pool: Weak<Shared>,
}

impl Lease {
    pub(super) fn new(codex: Codex, place: Place, pool: Weak<Shared>) -> Self {
        Self { codex, place, pool }
    }

    /// Whose process it is.
    pub fn tenant(&self) -> &str {
        &self.place.tenant
    }
}

impl Deref for Lease {
    type Target = Codex;

    fn deref(&self) -> &Codex {
        &self.codex
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("tenant", &self.tenant()).field("codex", &self.codex).finish_non_exhaustive()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.take(|state| state.released(&self.place));
        }
    }
}
