//! Sessions, threads and turns against a server that does what a test says.

mod answers;
mod errors;
mod judge;
mod peer;
#[cfg(unix)]
mod recovery;
mod tools;
mod turns;
mod watchdog;
