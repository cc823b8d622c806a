//! The conversation of `turn_by_turn`, without async.
//!
//! ```sh
//! cargo run -p codex-rpc-client --features blocking --example blocking -- "My name is Ada." "What is my name?"
//! ```

use std::env;

use codex_rpc_client::Error;
use codex_rpc_client::blocking::Codex;
use codex_rpc_client::protocol::types::{SandboxMode, ThreadStartParams};

fn main() -> Result<(), Error> {
    let mut prompts: Vec<String> = env::args().skip(1).collect();
    if prompts.is_empty() {
        prompts = ["My name is Ada.", "What is my name?"].map(str::to_owned).into();
    }

    let codex = Codex::builder().client("blocking", "1.0.0").start()?;
    let thread = codex.start_thread(ThreadStartParams::new().sandbox(SandboxMode::ReadOnly))?;
    for prompt in prompts {
        let result = thread.run(&prompt)?;
        println!("> {prompt}\n{}\n", result.text());
        if let Some(usage) = result.usage {
            eprintln!("{} items, {} tokens until now", result.items.len(), usage.total.total_tokens);
        }
    }
    codex.close();
    Ok(())
}
