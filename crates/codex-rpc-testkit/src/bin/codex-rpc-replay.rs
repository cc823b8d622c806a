//! `codex-rpc-replay`: plays a transcript over stdin and stdout, started instead of
//! `codex app-server`. `--help` holds the manual.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use codex_rpc_testkit::replay::{Answers, Options, Order, Params, Replay, serve};

/// The environment variable that names the transcript.
const TRANSCRIPT: &str = "CODEX_RPC_REPLAY";

const AFTER: &str = "\
Environment:
  CODEX_RPC_REPLAY  The transcript. If it is set and not empty, all command line
                    arguments are ignored and it is played with the defaults: a
                    program that starts `$CODEX_BIN app-server …` works unchanged
                    with CODEX_BIN=codex-rpc-replay.

Exit status:
  0  the client said all that was recorded, and closed its end
  1  it said something else, or (without --partial) stopped early, or the connection
     failed; stderr says what was expected and what came, and a request that does not
     match is answered with a JSON-RPC error
  2  the command line is wrong or the transcript can't be read";

/// Plays a recorded session over stdin and stdout, instead of `codex app-server`.
///
/// The server's messages are written in the recorded order, each as soon as all client
/// messages that were recorded before it have come. Client messages are matched by
/// method, answers by the request of the server that they belong to. Ids are fresh. Lines
/// that are no messages are ignored. A client that does not read stalls the program, as
/// it stalls codex.
#[derive(Parser)]
#[command(name = "codex-rpc-replay", version, max_term_width = 100, after_help = AFTER)]
struct Arguments {
    /// The recorded session, a .jsonl file.
    transcript: PathBuf,
    /// Which client messages may come next: those that were recorded next, or any that
    /// did not come yet, for clients with concurrent calls.
    #[arg(long, value_enum, default_value_t = OrderArgument::Recorded)]
    order: OrderArgument,
    /// Whether params must be the recorded ones.
    #[arg(long, value_enum, default_value_t = Contents::Ignore)]
    params: Contents,
    /// Whether answers to the server must be the recorded ones. If not, still none may
    /// be an error where a result was recorded, or the other way round.
    #[arg(long, value_enum, default_value_t = Contents::Ignore)]
    answers: Contents,
    /// A place that may differ, with all below it: a JSON pointer as mismatches show
    /// them, /params/cwd or /result/decision.
    #[arg(long, value_name = "POINTER", value_parser = pointer)]
    except: Vec<String>,
    /// Play this one of several recorded processes (the lines with "process": N).
    #[arg(long, value_name = "N")]
    process: Option<u32>,
    /// The client may stop before it said all that was recorded.
    #[arg(long)]
    partial: bool,
    /// Ignored: what is meant for codex, such as `app-server` and its options.
    #[arg(trailing_var_arg = true, value_name = "ARGUMENT")]
    _ignored: Vec<OsString>,
}

#[derive(Clone, Copy, ValueEnum)]
enum OrderArgument {
    Recorded,
    Any,
}

#[derive(Clone, Copy, ValueEnum)]
enum Contents {
    Ignore,
    Same,
}

fn pointer(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("a JSON pointer starts with /") }
}

impl Arguments {
    fn options(&self) -> Options {
        let order = match self.order {
            OrderArgument::Recorded => Order::Recorded,
            OrderArgument::Any => Order::Any,
        };
        let params = match self.params {
            Contents::Ignore => Params::Ignore,
            Contents::Same => Params::Same,
        };
        let answers = match self.answers {
            Contents::Ignore => Answers::Ignore,
            Contents::Same => Answers::Same,
        };
        let options = Options::new().order(order).params(params).answers(answers).partial(self.partial);
        let options = self.process.into_iter().fold(options, Options::process);
        self.except.iter().fold(options, Options::except)
    }
}

fn main() -> ExitCode {
    if let Some(path) = env::var_os(TRANSCRIPT).filter(|path| !path.is_empty()) {
        return play(Path::new(&path), Options::new());
    }
    let arguments = Arguments::parse();
    play(&arguments.transcript, arguments.options())
}

fn play(path: &Path, options: Options) -> ExitCode {
    let name = path.display().to_string();
    let file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) => {
            return fail(2, &format!("{name}: the transcript can't be opened: {error}"));
        }
    };
    let mut replay = match Replay::with_options(&name, file, options) {
        Ok(replay) => replay,
        Err(error) => return fail(2, &error),
    };
    match serve(&mut replay, io::stdin().lock(), BufWriter::new(io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &error),
    }
}

fn fail(status: u8, error: &dyn fmt::Display) -> ExitCode {
    // Whoever started this may have closed stderr; the status still tells.
    let _ = writeln!(io::stderr(), "codex-rpc-replay: {error}");
    ExitCode::from(status)
}
