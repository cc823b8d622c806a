//! What the benchmarks' programs have in common.

pub mod child;
pub mod options;
