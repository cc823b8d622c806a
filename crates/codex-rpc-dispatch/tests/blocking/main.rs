//! The blocking driver and scripted servers.
#![cfg(all(feature = "blocking", unix))]

mod calls;
mod ends;
mod handlers;
mod peer;
mod subscriptions;
#[cfg(feature = "websocket")]
mod websocket;
