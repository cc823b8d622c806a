//! The pinned release's types as serde derive makes them.
//!
//! A method enum reads `method` and `params` in one pass, but only when the caller
//! knows which kind of message the line is. [`Response`] and [`Request`] are what a
//! user would write around them.

#![allow(clippy::all, clippy::pedantic)]

mod types {
    include!(concat!(env!("OUT_DIR"), "/derived.rs"));
}

pub use types::*;

/// The types' own source, to measure what it costs to build.
pub const SOURCE: &str = include_str!(concat!(env!("OUT_DIR"), "/derived.rs"));

use serde_json::value::RawValue;

/// An answer; its result stays text, as it does in ours.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Response {
    pub id: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<serde_json::Value>,
}

/// A request with its id.
#[derive(serde::Serialize)]
pub struct Request<M> {
    pub id: i64,
    #[serde(flatten)]
    pub payload: M,
}
