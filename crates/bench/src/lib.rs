//! What the benchmarks' programs have in common.

pub mod child;
pub mod clock;
pub mod options;
