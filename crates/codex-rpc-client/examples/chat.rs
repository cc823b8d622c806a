//! A small chat in the terminal: a line is a turn. Ctrl-C interrupts the turn that runs,
//! or ends the chat between turns; so do `/quit` and the end of the input.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example chat
//! ```

use std::io::{self, IsTerminal as _, Write as _};
use std::pin::pin;
use std::thread;

use codex_rpc_client::protocol::types::ThreadStartParams;
use codex_rpc_client::{Codex, Error, Thread};
use tokio::signal::ctrl_c;
use tokio::sync::mpsc;

/// The lines of stdin. They are read on a thread of their own, which nothing waits for at
/// the end: a read from a terminal can't be given up.
fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A turn, said while it runs.
async fn answer(thread: &Thread, line: &str) -> Result<(), Box<dyn std::error::Error>> {
    let turn = thread.turn(line).await?;
    let mut events = turn.stream();
    // One that listens all the time: a signal that comes between two texts counts, too.
    let mut stop = pin!(ctrl_c());
    loop {
        tokio::select! {
            biased;
            signal = &mut stop => {
                signal?;
                stop.set(ctrl_c());
                // It may have ended just now.
                if let Err(error) = turn.interrupt().await {
                    eprintln!("{error}");
                }
            }
            text = events.next_text() => match text {
                Some(text) => say(&text)?,
                None => break,
            },
        }
    }
    match turn.join().await {
        Ok(result) if result.is_interrupted() => say("\n(interrupted)\n")?,
        Ok(_) => say("\n")?,
        // The next one may do better.
        Err(Error::TurnFailed(failed)) => eprintln!("{failed}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let codex = Codex::builder().client("chat", "1.0.0").start().await?;
    let thread = codex.start_thread(ThreadStartParams::new()).await?;
    let mut lines = lines();
    loop {
        if io::stdin().is_terminal() {
            say("> ")?;
        }
        let line = tokio::select! {
            line = lines.recv() => line,
            signal = ctrl_c() => signal.map(|()| None)?,
        };
        match line.as_deref().map(str::trim) {
            None | Some("/quit") => break,
            Some("") => {}
            Some(line) => answer(&thread, line).await?,
        }
    }
    codex.close().await;
    Ok(())
}
