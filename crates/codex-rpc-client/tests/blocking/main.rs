//! The client without async.
#![cfg(all(feature = "blocking", unix))]

mod contexts;
mod ends;
mod exec;
mod parity;
mod server;
mod session;
mod tenants;
mod turns;
