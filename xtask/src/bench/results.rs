//! What was measured: `crates/bench/results.json`.

use serde::{Deserialize, Serialize};

use super::Part;
use super::machine::Machine;

/// All parts that were measured, each with what it ran on.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decode: Option<Measured<Codec>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encode: Option<Measured<Codec>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<Measured<Dispatch>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Measured<Builds>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generate: Option<Measured<Generates>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Measured<T> {
    pub machine: Machine,
    pub results: T,
}

impl Results {
    /// Puts in what a part's program wrote.
    pub fn set(&mut self, part: Part, machine: Machine, json: &str) -> serde_json::Result<()> {
        match part {
            Part::Decode => self.decode = Some(Measured { machine, results: serde_json::from_str(json)? }),
            Part::Encode => self.encode = Some(Measured { machine, results: serde_json::from_str(json)? }),
            Part::Dispatch => self.dispatch = Some(Measured { machine, results: serde_json::from_str(json)? }),
            Part::Build => self.build = Some(Measured { machine, results: serde_json::from_str(json)? }),
            Part::Generate => self.generate = Some(Measured { machine, results: serde_json::from_str(json)? }),
        }
        Ok(())
    }

    /// What each part ran on.
    pub fn machines(&self) -> Vec<(Part, &Machine)> {
        [
            (Part::Decode, self.decode.as_ref().map(|part| &part.machine)),
            (Part::Encode, self.encode.as_ref().map(|part| &part.machine)),
            (Part::Dispatch, self.dispatch.as_ref().map(|part| &part.machine)),
            (Part::Build, self.build.as_ref().map(|part| &part.machine)),
            (Part::Generate, self.generate.as_ref().map(|part| &part.machine)),
        ]
        .into_iter()
        .filter_map(|(part, machine)| Some((part, machine?)))
        .collect()
    }
}

/// Decoding or encoding.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codec {
    /// What the recorded messages are, in a sentence or two.
    pub corpus: String,
    pub rows: Vec<CodecRow>,
    /// By method.
    pub kinds: Vec<CodecRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecRow {
    pub what: String,
    pub messages: u64,
    /// The average message.
    pub bytes: u64,
    pub contenders: Vec<Contender>,
}

/// Figures a message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contender {
    pub name: String,
    /// In the fastest round.
    pub ns: f64,
    pub ns_median: f64,
    pub allocations: f64,
    pub allocated_bytes: f64,
}

impl CodecRow {
    /// Nanoseconds of a contender; none for one that can't do it.
    pub fn ns(&self, name: &str) -> Option<f64> {
        self.contenders.iter().find(|contender| contender.name == name).map(|contender| contender.ns)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    /// Messages a round.
    pub messages: u64,
    /// Calls in flight at a time.
    pub callers: u64,
    pub rows: Vec<DispatchRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DispatchRow {
    pub what: String,
    /// What `count` counts; empty if nothing.
    pub of: String,
    pub count: u64,
    /// Nanoseconds a message, in the fastest round.
    pub ns: f64,
    /// How much of it decoding and encoding take by themselves.
    pub codec_ns: f64,
}

impl DispatchRow {
    /// Nanoseconds beyond decoding and encoding.
    pub fn overhead(&self) -> f64 {
        self.ns - self.codec_ns
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builds {
    /// `--jobs` of every build.
    pub jobs: u64,
    pub rows: Vec<BuildRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRow {
    pub what: String,
    /// In the tree, proc macros and build scripts' too, without the program itself.
    pub crates: u64,
    pub check: Usage,
    /// The types alone, their dependencies having been checked before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_alone: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Usage>,
    /// Of the stripped release program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    pub cpu_seconds: f64,
    pub wall_seconds: f64,
    /// Of the largest process.
    pub peak_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generates {
    pub rows: Vec<GenerateRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerateRow {
    pub release: String,
    /// Of the experimental bundle, which has everything.
    pub schema_bytes: u64,
    /// Of what was made.
    pub source_bytes: u64,
    pub debug: Usage,
    pub release_build: Usage,
}
