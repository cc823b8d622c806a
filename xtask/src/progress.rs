//! What a long verb says while it works.
//!
//! On a terminal a spinner or a bar on standard error, gone when the step is
//! done; anywhere else one short line a step, so that a log of a build server
//! stays readable. Nothing here uses colour, so `NO_COLOR` has nothing to
//! switch off; standard output belongs to the verbs.

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::say;

/// Where progress goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Spinners and bars.
    Live,
    /// One line a step.
    Lines,
    /// Nothing at all; for tests and for output that programs read.
    Silent,
}

impl Progress {
    /// Live on a terminal, lines elsewhere.
    pub fn stderr() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if std::io::stderr().is_terminal() && !dumb { Self::Live } else { Self::Lines }
    }

    /// Starts a step that runs until the returned value is dropped.
    pub fn step(self, what: impl Display) -> Step {
        let bar = match self {
            Self::Live => {
                let bar = ProgressBar::new_spinner()
                    .with_style(style("{spinner} {msg} {elapsed}"))
                    .with_message(what.to_string());
                bar.enable_steady_tick(Duration::from_millis(120));
                Some(bar)
            }
            Self::Lines => {
                say(what);
                None
            }
            Self::Silent => None,
        };
        Step { bar, sized: false }
    }

    /// Says something that stays: a result or a warning.
    pub fn say(self, what: impl Display) {
        if self != Self::Silent {
            say(what);
        }
    }
}

/// A step under way; it ends when this is dropped.
#[derive(Debug)]
pub struct Step {
    bar: Option<ProgressBar>,
    sized: bool,
}

impl Step {
    /// Says what the step is at: on a terminal in place of what it said before, else as a
    /// line.
    pub fn at(&self, progress: Progress, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => progress.say(what),
        }
    }

    /// Bytes done so far, of as many as are known to come.
    pub fn bytes(&mut self, done: u64, total: Option<u64>) {
        let Some(bar) = &self.bar else { return };
        if let (Some(total), false) = (total, self.sized) {
            self.sized = true;
            bar.set_length(total);
            bar.set_style(style("{spinner} {msg} [{bar:30}] {bytes}/{total_bytes} {eta}"));
        } else if total.is_none() && done > 0 {
            bar.set_style(style("{spinner} {msg} {bytes} {elapsed}"));
        }
        bar.set_position(done);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_one_that_indicatif_takes() {
        for template in [
            "{spinner} {msg} {elapsed}",
            "{spinner} {msg} {bytes} {elapsed}",
            "{spinner} {msg} [{bar:30}] {bytes}/{total_bytes} {eta}",
        ] {
            ProgressStyle::with_template(template).expect(template);
        }
    }
}
