//! A codex that plays recordings, for tests/examples.rs. `app-server` plays the session
//! that `REPLAY` names, and writes to the file `OUTCOME` whether all of it was said;
//! `exec --json` plays the run of its thread and writes what it was asked to `OUTCOME`.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader, Write as _};
use std::{env, process};

use codex_rpc_testkit::replay::{Answers, Options, Order, Params, Replay, serve};

fn app_server(transcript: &str) -> Result<(), Box<dyn Error>> {
    // Who the client is, and where it works, differs from the recording.
    let mut options = Options::new().params(Params::Same).answers(Answers::Same);
    for pointer in ["/params/clientInfo", "/params/capabilities", "/params/cwd"] {
        options = options.except(pointer);
    }
    if env::var_os("REPLAY_ANY_ORDER").is_some() {
        options = options.order(Order::Any);
    }
    let mut replay = Replay::with_options(transcript, BufReader::new(File::open(transcript)?), options)?;
    serve(&mut replay, io::stdin().lock(), io::stdout().lock())?;
    Ok(())
}

/// A recording of two runs is of a thread that was resumed.
fn exec(transcript: &str, resumed: bool) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(transcript)?;
    let runs: Vec<String> = text.split_inclusive('\n').fold(Vec::new(), |mut runs, line| {
        match runs.last_mut() {
            Some(run) if !line.contains(r#""type":"thread.started""#) => run.push_str(line),
            _ => runs.push(line.to_owned()),
        }
        runs
    });
    let run = runs.get(usize::from(resumed)).ok_or("there is no such run")?;
    io::stdout().write_all(run.as_bytes())?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (transcript, outcome) = (env::var("REPLAY")?, env::var("OUTCOME")?);
    let mut outcome = File::options().append(true).create(true).open(outcome)?;
    if arguments.iter().any(|argument| argument == "exec") {
        let prompt = io::read_to_string(io::stdin())?;
        writeln!(outcome, "{} < {prompt}", arguments.join(" "))?;
        return exec(&transcript, arguments.iter().any(|argument| argument == "resume"));
    }
    match app_server(&transcript) {
        Ok(()) => writeln!(outcome, "all was said")?,
        Err(error) => {
            writeln!(outcome, "{error}")?;
            process::exit(1);
        }
    }
    Ok(())
}
