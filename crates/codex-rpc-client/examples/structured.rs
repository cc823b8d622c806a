//! An answer of the shape of a type.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example structured
//! ```

use codex_rpc_client::protocol::types::{SandboxMode, ThreadStartParams};
use codex_rpc_client::{Codex, Error};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Repository {
    /// What it is for, in one sentence.
    purpose: String,
    /// Programming languages, the most used first.
    languages: Vec<String>,
    /// How its tests are run, if it has any.
    test_command: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let codex = Codex::start().await?;
    let thread = codex.start_thread(ThreadStartParams::new().sandbox(SandboxMode::ReadOnly)).await?;
    let (repository, _) = thread.run_typed::<Repository>("Describe this repository.").await?;
    println!("purpose:   {}", repository.purpose);
    println!("languages: {}", repository.languages.join(", "));
    println!("tests:     {}", repository.test_command.as_deref().unwrap_or("none"));
    codex.close().await;
    Ok(())
}
