//! Many questions at once over one app-server, each in a thread of its own, at most two
//! at a time. One that fails costs no other.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example fan_out -- "What is in src?" "What is in tests?" "Is there a licence?"
//! ```

use std::env;

use codex_rpc_client::protocol::types::{SandboxMode, ThreadStartParams};
use codex_rpc_client::{Codex, Error, TurnResult};
use futures_util::{StreamExt as _, stream};

const AT_A_TIME: usize = 2;

async fn ask(codex: &Codex, question: &str) -> Result<TurnResult, Error> {
    let params = ThreadStartParams::new().sandbox(SandboxMode::ReadOnly).ephemeral(true);
    codex.start_thread(params).await?.run(question).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut questions: Vec<String> = env::args().skip(1).collect();
    if questions.is_empty() {
        questions = ["What is in src?", "What is in tests?", "Is there a licence?"].map(str::to_owned).into();
    }

    let codex = Codex::start().await?;
    let answers = questions.iter().map(async |question| (question, ask(&codex, question).await));
    let mut answers = stream::iter(answers).buffer_unordered(AT_A_TIME);
    let mut failed = None;
    while let Some((question, answer)) = answers.next().await {
        match answer {
            Ok(result) => println!("{question}\n  {}", result.text()),
            Err(error) => {
                println!("{question}\n  failed: {error}");
                failed = Some(error);
            }
        }
    }
    drop(answers);
    codex.close().await;
    failed.map_or(Ok(()), Err)
}
