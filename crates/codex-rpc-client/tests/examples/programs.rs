//! Running the examples.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// The program of an example, which cargo puts beside those of the tests.
///
/// `cargo test` builds the examples. `cargo test --test examples` does not, and neither
/// does `--examples`, which builds tests of them: so one that is missing, or older than
/// what it is made from, is a failure.
pub fn program(name: &str) -> PathBuf {
    const BUILD: &str = "cargo build -p codex-rpc-client --all-features --examples";
    let test = std::env::current_exe().expect("this program");
    let folder = test.parent().and_then(Path::parent).expect("a target folder").join("examples");
    let program = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let built = modified(&program).unwrap_or_else(|| panic!("{} is not built: {BUILD}", program.display()));
    // What cargo says that it is made from: `program: source source`.
    let made_from = std::fs::read_to_string(program.with_extension("d")).expect("its sources");
    for source in made_from.trim_end().replace("\\ ", "\0").split(' ').skip(1) {
        let source = PathBuf::from(source.replace('\0', " "));
        let is_older = modified(&source).is_none_or(|changed| changed > built);
        assert!(!is_older, "{} is older than {}: {BUILD}", program.display(), source.display());
    }
    program
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// How an example ended.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// Waits for what has to come.
#[track_caller]
pub fn soon<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let outcome = tokio::time::timeout(Duration::from_secs(60), future).await;
        outcome.unwrap_or_else(|_| panic!("{caller}: it did not come"))
    }
}

/// A run of an example.
pub struct Run {
    command: Command,
    input: &'static str,
    /// Text on stdout after which the example gets a Ctrl-C.
    interrupt: Option<&'static str>,
}

impl Run {
    pub fn new(name: &str, folder: &Path) -> Self {
        let mut command = Command::new(program(name));
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        for variable in ["NO_COLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE"] {
            command.env_remove(variable);
        }
        Self { command, input: "", interrupt: None }
    }

    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn input(mut self, input: &'static str) -> Self {
        self.input = input;
        self
    }

    pub fn interrupt_after(mut self, text: &'static str) -> Self {
        self.interrupt = Some(text);
        self
    }

    pub async fn end(mut self) -> Ended {
        let mut child = self.command.spawn().expect("the example starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(self.input.as_bytes()).await.expect("it reads");
        drop(stdin);
        let (mut out, mut err) = (String::new(), String::new());
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut stderr = child.stderr.take().expect("a pipe");
        if let Some(text) = self.interrupt {
            while !out.contains(text) {
                let read = soon(stdout.fill_buf()).await.expect("stdout");
                assert!(!read.is_empty(), "it ended before it said {text:?}: {out}");
                out.push_str(std::str::from_utf8(read).expect("ASCII"));
                let length = read.len();
                stdout.consume(length);
            }
            interrupt(&child);
        }
        let reading = async {
            let (out, err) = tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err));
            (out.expect("UTF-8"), err.expect("UTF-8"))
        };
        soon(reading).await;
        let status = soon(child.wait()).await.expect("it ends").code().unwrap_or(-1);
        Ended { status, out, err }
    }
}

/// As Ctrl-C does.
fn interrupt(child: &Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(id.expect("it runs"), rustix::process::Signal::INT).expect("a signal");
}
