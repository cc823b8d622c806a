//! A conversation, turn by turn: one app-server, one thread, an answer at a time.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example turn_by_turn -- "My name is Ada." "What is my name?"
//! ```

use std::env;

use codex_rpc_client::protocol::types::{SandboxMode, ThreadStartParams};
use codex_rpc_client::{Codex, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut prompts: Vec<String> = env::args().skip(1).collect();
    if prompts.is_empty() {
        prompts = ["My name is Ada.", "What is my name?"].map(str::to_owned).into();
    }

    let codex = Codex::builder().client("turn-by-turn", "1.0.0").start().await?;
    let thread = codex.start_thread(ThreadStartParams::new().sandbox(SandboxMode::ReadOnly)).await?;
    for prompt in prompts {
        let result = thread.run(&prompt).await?;
        println!("> {prompt}\n{}\n", result.text());
        if let Some(usage) = result.usage {
            eprintln!("{} items, {} tokens until now", result.items.len(), usage.total.total_tokens);
        }
    }
    codex.close().await;
    Ok(())
}
