//! `codex-contract`: does a codex executable fit the bindings of codex-rpc?
//!
//! For a CI that has no checkout of this repository: `cargo install codex-rpc-testkit`.

#[path = "codex-rpc-testkit/contract.rs"]
mod contract;
#[path = "codex-rpc-testkit/replace.rs"]
mod replace;

use std::process::ExitCode;

use clap::Parser;

/// Checks whether a codex executable fits the bindings of codex-rpc.
///
/// Compares the schema that it exports, the methods that its server accepts, what the
/// server says in scenarios against a stand-in model on loopback, and its release.
/// Exit status 0 if it fits, 1 if it does not, 2 if the checks could not run or the
/// command line is wrong.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Program {
    #[command(flatten)]
    arguments: contract::Arguments,
}

fn main() -> ExitCode {
    contract::contract(Program::parse().arguments)
}
