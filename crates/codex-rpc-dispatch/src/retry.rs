//! When to try again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

/// Exponential backoff with jitter, for a server that is overloaded (-32001).
///
/// The server has not executed a request that it refuses so, therefore any request may
/// be repeated. A request that was not answered in time is another matter: it may have
/// been executed, and is never repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// How many attempts there are after the first. Default: 5.
    pub retries: u32,
    /// The longest delay before the second attempt; it doubles with each one. Default:
    /// 100 ms.
    pub first: Duration,
    /// The longest delay of all. Default: 5 s.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { retries: 5, first: Duration::from_millis(100), longest: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// Backoff with so many attempts after the first.
    pub fn new(retries: u32) -> Self {
        Self { retries, ..Self::default() }
    }

    /// Sets the longest delay before the second attempt.
    #[must_use]
    pub fn with_first(mut self, delay: Duration) -> Self {
        self.first = delay;
        self
    }

    /// Sets the longest delay of all.
    #[must_use]
    pub fn with_longest(mut self, delay: Duration) -> Self {
        self.longest = delay;
        self
    }

    /// How long to wait after the `attempt`th attempt, from 0; none if it was the last.
    /// Chance decides between half the longest delay and all of it, so that clients that
    /// were refused together do not come back together.
    pub fn delay(&self, attempt: u32) -> Option<Duration> {
        if attempt >= self.retries {
            return None;
        }
        let longest = self.first.saturating_mul(2_u32.saturating_pow(attempt)).min(self.longest);
        // Every state is seeded by chance.
        let chance = RandomState::new().build_hasher().finish();
        let share = f64::from(u32::try_from(chance >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        Some(longest.mul_f64(0.5 + share / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn delays_double_up_to_the_longest_vary_and_end() {
        let backoff = Backoff::new(4).with_first(Duration::from_millis(100)).with_longest(Duration::from_millis(300));
        for (attempt, most) in [(0, 100), (1, 200), (2, 300), (3, 300)] {
            let delays: BTreeSet<Duration> = (0..100).filter_map(|_| backoff.delay(attempt)).collect();
            let most = Duration::from_millis(most);
            assert!(delays.iter().all(|delay| *delay <= most && *delay >= most / 2), "{attempt}: {delays:?}");
            assert!(delays.len() > 50, "{attempt}: {}", delays.len());
        }
        assert_eq!(backoff.delay(4), None);
        assert_eq!(Backoff::new(0).delay(0), None);
    }
}
