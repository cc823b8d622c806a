//! Running the examples.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// The program of an example, which cargo puts beside those of the tests.
///
/// `cargo test` builds the examples; `cargo test --test examples` alone does not.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let folder = test.parent().and_then(Path::parent).expect("a target folder").join("examples");
    let program = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        program.is_file(),
        "{} is not built: cargo test -p codex-rpc-client --all-features --test examples --examples",
        program.display()
    );
    program
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
