//! `ask QUESTION`: asks codex one question and prints the answer. `CODEX_BIN` names the
//! executable; without it, it is `codex` on `PATH`.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(question) = env::args().nth(1) else {
        eprintln!("usage: ask QUESTION");
        return ExitCode::from(2);
    };
    let codex = env::var_os("CODEX_BIN").unwrap_or_else(|| "codex".into());
    let answer = ask::start(codex).and_then(|client| {
        let answer = ask::ask(&client, &question);
        client.close();
        answer
    });
    match answer {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
