//! A stopwatch that a busy neighbour does not move.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Counts the time that this thread has a core, so that waiting for one is not counted.
#[derive(Clone, Copy)]
pub struct Stopwatch(Duration);

impl Stopwatch {
    /// Starts counting.
    #[must_use]
    pub fn start() -> Self {
        Self(now())
    }

    /// How long the thread had a core since.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        now().saturating_sub(self.0)
    }
}

fn now() -> Duration {
    // It fails only where there is no such clock; nix has no such system.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
