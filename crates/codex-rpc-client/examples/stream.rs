//! What the model says, while it says it; commands and their ends go to stderr.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example stream -- "List the files here."
//! ```

use std::env;
use std::io::{self, Write as _};

use codex_rpc_client::Codex;
use codex_rpc_client::protocol::ServerNotification;
use codex_rpc_client::protocol::types::{ThreadItem, ThreadStartParams};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prompt = env::args().nth(1).unwrap_or_else(|| "List the files here.".to_owned());

    let codex = Codex::start().await?;
    let thread = codex.start_thread(ThreadStartParams::new()).await?;
    let turn = thread.turn(prompt).await?;
    let mut events = turn.stream();
    let mut out = io::stdout();
    while let Some(event) = events.next().await {
        if let Some(text) = event.text_delta() {
            write!(out, "{text}")?;
            out.flush()?;
        }
        match event.notification() {
            Some(ServerNotification::ItemStarted(started)) => {
                if let ThreadItem::CommandExecution(command) = &started.item {
                    eprintln!("$ {}", command.command);
                }
            }
            Some(ServerNotification::ItemCompleted(completed)) => match &completed.item {
                ThreadItem::AgentMessage(_) => writeln!(out)?,
                ThreadItem::CommandExecution(command) => {
                    eprintln!("  {} in {} ms", command.status, command.duration_ms.unwrap_or_default());
                }
                _ => {}
            },
            _ => {}
        }
    }
    // The stream ends with the turn; how it ended is the result.
    let result = turn.join().await?;
    eprintln!("{}", result.status);
    codex.close().await;
    Ok(())
}
