//! App-servers that are shell scripts.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use codex_rpc_client::blocking::{Codex, CodexBuilder};
use codex_rpc_testkit::fixtures;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Answers requests one after the other and writes down what it is told.
const SERVER: &str = r#"
cd "$FOLDER"
echo $$ > pid
echo start >> starts
ask() { IFS= read -r line || exit 0; printf '%s\n' "$line" >> asked; id=$(printf '%s' "$line" | sed 's/.*"id":\([0-9]*\).*/\1/'); }
answer() { ask; printf '{"id":%s,"result":%s}\n' "$id" "$1"; }
refuse() { ask; printf '{"id":%s,"error":{"code":-32600,"message":"%s"}}\n' "$id" "$1"; }
say() { printf '%s\n' "$1"; }
run() { [ "$(wc -l < starts)" -eq "$1" ]; }
answer '{"userAgent":"tests/0.169.0 (Linux)","codexHome":"/h","platformFamily":"unix","platformOs":"linux"}'
IFS= read -r initialized
"#;

/// Waits for the server's input to end, and says that it was not killed.
pub const ORDERLY: &str = "cat > /dev/null; echo yes > orderly\n";

pub struct Server {
    folder: TempDir,
}

impl Server {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A session with a server that does this after the handshake.
    pub fn builder(&self, script: &str) -> CodexBuilder {
        Self::of(self.folder.path(), script)
    }

    /// The same with a server of this folder.
    pub fn of(folder: &Path, script: &str) -> CodexBuilder {
        Codex::builder()
            .executable("/bin/sh")
            .argument("-c")
            .argument(format!("{SERVER}\n{script}"))
            .env("FOLDER", folder)
            .experimental_api(true)
    }

    pub fn start(&self, script: &str) -> Codex {
        self.builder(script).start().expect("a session")
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    pub fn asked(&self) -> Vec<Value> {
        self.read("asked").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The methods of what it was asked after the handshake.
    pub fn methods(&self) -> Vec<String> {
        let method = |message: &Value| message["method"].as_str().unwrap_or_default().to_owned();
        self.asked().iter().skip(1).map(method).collect()
    }

    /// Whether its process is there.
    pub fn runs(&self) -> bool {
        let pid = self.read("pid");
        assert!(!pid.is_empty(), "it was started");
        let kill = std::process::Command::new("kill").args(["-0", pid.trim()]).output().expect("kill");
        kill.status.success()
    }
}

/// Waits for the end of a test; at most a minute.
pub fn soon(test: impl FnOnce() + Send + 'static) {
    let (tell, ended) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = tell.send(());
    });
    let ended = ended.recv_timeout(Duration::from_secs(60));
    assert_ne!(ended, Err(mpsc::RecvTimeoutError::Timeout), "the test does not end");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn quoted(command: &str, value: &Value) -> String {
    let text = value.to_string();
    assert!(!text.contains('\''), "{text}");
    format!("{command} '{text}'\n")
}

pub fn answer(result: &Value) -> String {
    quoted("answer", result)
}

pub fn say(message: &Value) -> String {
    quoted("say", message)
}

/// Answers `thread/start`.
pub fn thread(id: &str) -> String {
    answer(&fixtures::value("ThreadStartResponse", &json!({"thread": {"id": id}})))
}

/// Answers `turn/start`.
pub fn turn(id: &str) -> String {
    answer(&json!({"turn": {"id": id, "items": [], "status": "inProgress", "error": null}}))
}

pub fn delta(thread: &str, turn: &str, delta: &str) -> String {
    let about = json!({"threadId": thread, "turnId": turn, "itemId": "m", "delta": delta});
    say(&fixtures::notification("item/agentMessage/delta", &about))
}

/// Says what a turn said, and its end.
pub fn end(thread: &str, turn: &str, text: &str, status: &str) -> String {
    let item = json!({"threadId": thread, "turnId": turn, "item": {"type": "agentMessage", "id": "m", "text": text}});
    let about = json!({"threadId": thread, "turn": {"id": turn, "items": [], "status": status}});
    say(&fixtures::notification("item/completed", &item)) + &say(&fixtures::notification("turn/completed", &about))
}
