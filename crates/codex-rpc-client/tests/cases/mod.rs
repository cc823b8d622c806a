//! What the classic cases leave behind: `cases/NAME.json` with the sanitised conversation
//! of each, and `cases/summary.json`, in the target folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// The cases that must have succeeded for `all_success`.
pub const CASES: [&str; 3] = ["exec", "exec_resume", "app_server_turn"];

static WRITING: Mutex<()> = Mutex::new(());

/// A case that runs. One that is dropped before its end has failed.
pub struct Case {
    name: &'static str,
    codex: String,
    folder: PathBuf,
}

impl Case {
    pub fn start(name: &'static str, codex: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder").join("cases");
        Self::start_in(folder, name, codex)
    }

    fn start_in(folder: PathBuf, name: &'static str, codex: &str) -> Self {
        assert!(CASES.contains(&name), "{name} is no case");
        let case = Self { name, codex: codex.to_owned(), folder };
        case.write(false, &json!([]));
        case
    }

    /// The case has succeeded; its conversation must be sanitised.
    pub fn succeed(self, conversation: &Value) {
        self.write(true, conversation);
    }

    fn write(&self, success: bool, conversation: &Value) {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(&self.folder).expect("a folder");
        let case = json!({"case": self.name, "codex": self.codex, "success": success, "conversation": conversation});
        replace(&self.folder.join(format!("{}.json", self.name)), &case);
        let cases: BTreeMap<_, _> = CASES.iter().map(|name| (name, outcome(&self.folder, name))).collect();
        let all = cases.values().all(|outcome| *outcome == "success");
        replace(&self.folder.join("summary.json"), &json!({"all_success": all, "cases": cases}));
    }
}

fn outcome(folder: &Path, name: &str) -> &'static str {
    let Ok(text) = fs::read_to_string(folder.join(format!("{name}.json"))) else { return "not run" };
    match serde_json::from_str::<Value>(&text) {
        Ok(case) if case["success"] == true => "success",
        _ => "failure",
    }
}

fn replace(path: &Path, value: &Value) {
    let new = path.with_extension("json.new");
    fs::write(&new, format!("{value:#}\n")).expect("a file");
    fs::rename(new, path).expect("a file");
}

#[test]
fn all_have_succeeded_only_when_each_of_them_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let summary = || -> Value {
        serde_json::from_str(&fs::read_to_string(folder.path().join("summary.json")).expect("a summary")).expect("JSON")
    };
    let start = |name| Case::start_in(folder.path().to_owned(), name, "0");
    for name in CASES {
        start(name).succeed(&json!(["hello"]));
        assert_eq!(summary()["all_success"], name == CASES[2], "after {name}");
    }
    drop(start(CASES[1]));
    assert_eq!(
        summary(),
        json!({"all_success": false, "cases": {"exec": "success", "exec_resume": "failure", "app_server_turn": "success"}})
    );
}
