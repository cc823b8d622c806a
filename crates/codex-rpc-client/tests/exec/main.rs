//! Exec mode: recordings of the real executable, and processes that misbehave.

mod recordings;

#[cfg(unix)]
mod faults;
