//! Transcripts and round trips for programs that talk to `codex app-server`.
//!
//! - [`transcript`]: recorded sessions, one message a line, read without losing a
//!   line: what can't be read is reported with its place and the rest goes on.
//! - [`round_trip`]: decodes every message as what it is, encodes it, and compares
//!   the two as JSON values. What is unknown or different is named with file, line,
//!   method and JSON pointer.
//! - [`fixtures`]: valid messages for tests, from what the test is about, and
//!   assertions.
//! - [`report`]: the outcome as text or JSON.
//! - [`differences`]: what recordings of another release may not give back, reviewed.
//! - [`coverage`]: what recorded sessions cover, as a table.
//! - [`replay`]: plays a transcript as the app-server, in memory or as the program
//!   `codex-rpc-replay` that is started instead of `codex app-server`.
#![cfg_attr(
    feature = "record",
    doc = "- [`scenario`]: what a client does in a session, as data; this crate comes with many.\n\
           - [`stand_in`]: a stand-in for the model, so that codex runs without an account.\n\
           - [`contract`]: whether a codex executable fits these bindings.\n\
           - [`recorder`]: plays scenarios against the real executable and records them, sanitised."
)]
//!
//! It stands on the registry of [`codex_rpc`] and names none of its types, so it
//! compiles against the bindings of any codex release.
//!
//! ```
//! use codex_rpc_testkit::round_trip::RoundTrip;
//!
//! let transcript = r#"{"transcript":1,"codex":"0.169.0","scenario":"archive"}
//! {"from":"client","message":{"method":"thread/archive","id":7,"params":{"threadId":"t1"}}}
//! {"from":"server","message":{"id":7,"result":{}}}
//! "#;
//! let mut trip = RoundTrip::new();
//! trip.transcript("archive.jsonl", transcript.as_bytes());
//! let outcome = trip.finish();
//! assert!(outcome.is_exact(), "{outcome:?}");
//! assert_eq!(outcome.total().messages, 2);
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod compare;
#[cfg(feature = "record")]
pub mod contract;
pub mod coverage;
pub mod differences;
pub mod fixtures;
mod outcome;
#[cfg(feature = "record")]
pub mod recorder;
pub mod recording;
pub mod replay;
pub mod report;
pub mod round_trip;
#[cfg(feature = "record")]
pub mod scenario;
#[cfg(feature = "record")]
pub mod stand_in;
pub mod transcript;
mod unknown;
