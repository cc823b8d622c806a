//! Two questions in one thread, each in a `codex exec` of its own: the second process
//! resumes what the first one left on disk.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example exec_resume -- "Remember the word heron." "Which word was it?"
//! ```

use std::env;

use codex_rpc_client::Error;
use codex_rpc_client::exec::Exec;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut prompts = env::args().skip(1);
    let first = prompts.next().unwrap_or_else(|| "Remember the word heron.".to_owned());
    let second = prompts.next().unwrap_or_else(|| "Which word was it?".to_owned());

    let result = Exec::new().prompt(first).run().await?;
    println!("{}", result.text());

    // The id is all that has to be kept between the two.
    let thread = result.thread_id;
    let result = Exec::new().resume(&thread).prompt(second).run().await?;
    println!("{}", result.text());
    eprintln!("thread {thread}, {} tokens in all", result.usage.input_tokens + result.usage.output_tokens);
    Ok(())
}
