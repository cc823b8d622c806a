//! One question and one answer, in a `codex exec` of its own. Nothing of it is kept.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example exec_once -- "What does this repository do?"
//! ```

use std::env;

use codex_rpc_client::Error;
use codex_rpc_client::exec::Exec;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let prompt = env::args().nth(1).unwrap_or_else(|| "What does this repository do?".to_owned());

    let result = Exec::new().prompt(prompt).ephemeral(true).run().await?;
    println!("{}", result.text());
    eprintln!("tokens: {} in, {} out", result.usage.input_tokens, result.usage.output_tokens);
    Ok(())
}
