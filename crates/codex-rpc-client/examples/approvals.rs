//! Approvals by a policy: `approvals.toml` allows and denies, what it says `ask` about is
//! asked on the terminal, and every decision is written to `approvals.jsonl`.
//!
//! ```sh
//! cargo run -p codex-rpc-client --example approvals -- "Make a file notes.txt."
//! ```

use std::env;
use std::io::{self, BufRead as _};

use codex_rpc_client::Codex;
use codex_rpc_client::approval::{ApprovalRequest, Decision};
use codex_rpc_client::policy::{AuditLog, Policy};
use codex_rpc_client::protocol::types::{AskForApproval, SandboxMode, ThreadStartParams};

/// Asks the person at the terminal. At the end of the input, nobody decides, and that is
/// a refusal.
async fn ask(request: ApprovalRequest) -> Option<Decision> {
    let about = match &request.command {
        Some(command) => format!("run `{}`", command.script()),
        None => format!("do this: {}", request.kind.name()),
    };
    let answer = tokio::task::spawn_blocking(move || {
        eprintln!("May the agent {about}? [y]es, [s]ession, [N]o");
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|read| (read > 0).then_some(line))
    });
    match answer.await.ok()?.ok()??.trim() {
        "y" => Some(Decision::Allow),
        "s" => Some(Decision::AllowForSession),
        _ => Some(Decision::Deny),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prompt = env::args().nth(1).unwrap_or_else(|| "Make a file notes.txt.".to_owned());

    let policy = Policy::from_toml(include_str!("approvals.toml"))?;
    let codex = Codex::builder().policy(policy).audit(AuditLog::to_file("approvals.jsonl")?).ask(ask).start().await?;
    // The sandbox allows nothing but reading: whatever needs more is asked about.
    let params = ThreadStartParams::new().sandbox(SandboxMode::ReadOnly).approval_policy(AskForApproval::OnRequest);
    let thread = codex.start_thread(params).await?;
    println!("{}", thread.run(prompt).await?.text());
    codex.close().await;
    Ok(())
}
