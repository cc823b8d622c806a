//! The tokio driver against a peer that does what a test says, and against child
//! processes. The peer is in this process, so that nothing depends on time: where time
//! matters, the clock of the runtime is paused.
#![cfg(feature = "tokio")]

mod calls;
#[cfg(all(feature = "process", target_os = "linux"))]
mod child;
mod ends;
mod faults;
mod flood;
mod handlers;
mod peer;
mod peers;
mod subscriptions;
