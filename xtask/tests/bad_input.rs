//! Bad input: each a clear error that says what happened, where and what to do,
//! and nothing is written.
//!
//! Every test runs the program as a user does, on a copy of the pinned schema with
//! one change. `Bench::refuses` demands what all have in common.

#[path = "bad_input/bench.rs"]
mod bench;
#[path = "bad_input/command_line.rs"]
mod command_line;
#[path = "bad_input/errata.rs"]
mod errata;
#[path = "bad_input/output.rs"]
mod output;
#[path = "bad_input/release.rs"]
mod release;
#[path = "bad_input/schema.rs"]
mod schema;
