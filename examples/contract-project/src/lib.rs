//! Asks codex one question.

use std::error::Error;
use std::ffi::OsStr;

use codex_rpc::ServerNotification;
use codex_rpc::types::{
    ClientInfo, InitializeParams, TextUserInput, ThreadItem, ThreadStartParams, TurnStartParams, TurnStatus, UserInput,
};
use codex_rpc_dispatch::blocking::{Builder, Client, Delivery};

/// What any part may fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A client that says who it is. It handles no approval: codex is told no.
pub fn builder() -> Builder {
    Builder::new(InitializeParams::new(ClientInfo::new("ask", env!("CARGO_PKG_VERSION"))))
}

/// Starts `codex app-server`.
///
/// # Errors
/// If it can't be started or does not answer `initialize`.
pub fn start(codex: impl AsRef<OsStr>) -> Result<Client, Failure> {
    Ok(builder().spawn(codex)?)
}

/// Asks a question on a thread of its own and gives the last message of the answer.
///
/// # Errors
/// If the turn fails or is interrupted, or the connection ends.
pub fn ask(client: &Client, question: &str) -> Result<String, Failure> {
    let thread = client.thread_start(ThreadStartParams::new())?.thread;
    // Before the turn, so that nothing of it is missed.
    let told = client.subscribe_thread(&thread.id);
    let input = vec![UserInput::from(TextUserInput::new(question))];
    client.turn_start(TurnStartParams::new(&thread.id, input))?;

    let mut answer = None;
    for delivery in told {
        let Delivery::Notification(message) = delivery else { continue };
        match &message.payload {
            ServerNotification::ItemCompleted(completed) => {
                if let ThreadItem::AgentMessage(message) = &completed.item {
                    answer = Some(message.text.clone());
                }
            }
            ServerNotification::TurnCompleted(completed) => {
                let turn = &completed.turn;
                return match (&turn.status, &turn.error) {
                    (TurnStatus::Completed, _) => answer.ok_or_else(|| "codex said nothing".into()),
                    (status, Some(error)) => Err(format!("the turn is {status}: {}", error.message).into()),
                    (status, None) => Err(format!("the turn is {status}").into()),
                };
            }
            _ => {}
        }
    }
    Err(client.ended().into())
}
