//! The stand-in model over real connections.
#![cfg(feature = "record")]

mod answers;
mod client;
mod connections;
mod faults;
mod streams;
