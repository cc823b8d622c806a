//! Runs a turn and shows it the way `codex exec` does: what happens goes to stderr, the
//! final message to stdout. Colours only on terminals, and not where `NO_COLOR` is set.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example render -- "List the files here."
//! ```
//!
//! It is an example, and no program of the crate: so the crate needs no terminal library.

mod screen;

use std::env;
use std::io::Write as _;

use codex_rpc_client::Codex;
use codex_rpc_client::protocol::types::ThreadStartParams;
use screen::Screen;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prompt = env::args().nth(1).unwrap_or_else(|| "List the files here.".to_owned());

    let codex = Codex::builder().client("render", "1.0.0").start().await?;
    let thread = codex.start_thread(ThreadStartParams::new()).await?;
    // Both take the styles out where they are not wanted.
    let (mut err, mut out) = (anstream::stderr(), anstream::stdout());
    let mut screen = Screen::default();
    write!(err, "{}", screen::header(&codex.release().unwrap_or_default(), &thread.read().await?))?;
    let turn = thread.turn(prompt).await?;
    let mut events = turn.stream();
    while let Some(event) = events.next().await {
        if let Some(notification) = event.notification() {
            write!(err, "{}", screen.show(notification))?;
        }
    }
    let result = turn.join().await;
    codex.close().await;
    writeln!(out, "{}", result?.text())?;
    Ok(())
}
