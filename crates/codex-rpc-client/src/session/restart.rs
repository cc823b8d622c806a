//! What happens when a codex process ends by itself.

use std::time::Duration;

/// How often and how soon a process that ended by itself is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restart {
    /// How many attempts there are before the session is given up. An attempt that leads
    /// to a session that lives for [`settled`](Self::settled) makes all of them available
    /// again. Default: 3.
    pub attempts: u32,
    /// The delay before the second attempt; it doubles with each one. Default: 250 ms.
    pub first: Duration,
    /// The longest delay. Default: 10 s.
    pub longest: Duration,
    /// How long a session must live to count as one. Default: 10 s.
    pub settled: Duration,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            attempts: 3,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(10),
            settled: Duration::from_secs(10),
        }
    }
}

impl Restart {
    /// At most so many attempts.
    pub fn attempts(attempts: u32) -> Self {
        Self { attempts, ..Self::default() }
    }

    /// Sets the delay before the second attempt.
    #[must_use]
    pub fn with_first(mut self, delay: Duration) -> Self {
        self.first = delay;
        self
    }

    /// Sets the longest delay.
    #[must_use]
    pub fn with_longest(mut self, delay: Duration) -> Self {
        self.longest = delay;
        self
    }

    /// Sets how long a session must live to count as one.
    #[must_use]
    pub fn with_settled(mut self, time: Duration) -> Self {
        self.settled = time;
        self
    }

    /// The delay before an attempt, from 0; none if there are no more.
    pub(crate) fn delay(&self, attempt: u32) -> Option<Duration> {
        match attempt {
            _ if attempt >= self.attempts => None,
            0 => Some(Duration::ZERO),
            _ => Some(self.first.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(self.longest)),
        }
    }
}

/// What became of a session whose process ended by itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovery {
    /// Why it ended; with the end of what it wrote to stderr.
    pub reason: String,
    /// How many attempts were made to start it again.
    pub attempts: u32,
    /// Whether it runs again.
    pub running: bool,
    /// The threads that were resumed, by id.
    pub resumed: Vec<String>,
    /// The threads that could not be resumed, and why.
    pub lost: Vec<(String, String)>,
    /// The turns that were running, and are not any more: thread and turn ids.
    pub turns: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Restart;

    #[test]
    fn the_first_attempt_is_at_once_and_the_delays_double_up_to_the_longest() {
        let restart = Restart::attempts(5).with_first(Duration::from_secs(1)).with_longest(Duration::from_secs(3));
        let delays: Vec<_> = (0..6).map(|attempt| restart.delay(attempt).map(|delay| delay.as_secs())).collect();
        assert_eq!(delays, [Some(0), Some(1), Some(2), Some(3), Some(3), None]);
    }
}
