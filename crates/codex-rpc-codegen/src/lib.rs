//! From the schema export of a codex release to Rust source.
//!
//! Pure stages over plain data, one module each: [`load`], [`normalise`],
//! [`errata`], [`model`] (read by [`shape`]), links, [`emit`]. [`generate`] runs
//! them in a row. What must always hold: the same input gives the same bytes;
//! what does not fit is an error with its place and what to do, never a guess.

#![forbid(unsafe_code)]

mod complete;
pub mod diff;
pub mod emit;
pub mod errata;
mod experimental;
pub mod family;
pub mod generate;
pub mod harvest;
pub mod instances;
pub mod layout;
mod link;
pub mod load;
pub mod model;
pub mod names;
pub mod normalise;
pub mod problem;
mod reach;
pub mod shape;
pub mod ts;
mod typescript_only;
