//! A place of its own for one run of the program: a copy of the schema with one
//! change, a folder for the bindings, and nothing of this machine's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// Starting a program while another test has a script open for writing would hand
/// the open file over, and a script that is open for writing can't be started.
static SPAWN: Mutex<()> = Mutex::new(());

/// The repository's schema folder, read once.
static SCHEMA: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol-schema");
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
});

static EXPERIMENTAL: LazyLock<Value> = LazyLock::new(|| serde_json::from_slice(&SCHEMA["experimental.json"]).unwrap());

/// Every file and folder below a folder; a folder has no bytes.
type Snapshot = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// The place. In it: `schema`, `out` with something older, empty `bin` (the whole
/// PATH), `cache`, `home`, `here` (where the program is started) and `tmp`.
pub struct Bench {
    work: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let bench = Self { work: tempfile::tempdir().unwrap() };
        for folder in ["out/src/generated", "bin", "cache", "home", "here", "tmp"] {
            fs::create_dir_all(bench.path(folder)).unwrap();
        }
        bench.write("out/Cargo.toml", "[package]\nname = \"codex-rpc\"\n");
        bench.write("out/src/generated/older.rs", "// older\n");
        bench.write("out/notes.txt", "somebody's own\n");
        bench.schema("schema");
        bench
    }

    /// One with a change to the bundle, and a pin that does not mind.
    pub fn with(change: impl FnOnce(&mut Value)) -> Self {
        let bench = Self::new();
        bench.bundle("schema", change);
        bench
    }

    /// One with a change to the errata.
    pub fn with_errata(change: impl FnOnce(String) -> String) -> Self {
        let bench = Self::new();
        bench.edit("schema/errata.toml", change);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// The path as an argument.
    pub fn at(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let before = fs::read_to_string(self.path(name)).unwrap();
        let after = change(before.clone());
        assert_ne!(before, after, "the change of {name} is one");
        self.write(name, after);
    }

    /// A copy of the repository's schema folder.
    pub fn schema(&self, folder: &str) {
        for (name, bytes) in &*SCHEMA {
            self.write(&format!("{folder}/{name}"), bytes);
        }
    }

    /// Cuts a file in the middle.
    pub fn cut(&self, name: &str) {
        let bytes = fs::read(self.path(name)).unwrap();
        self.write(name, &bytes[..bytes.len() / 2]);
    }

    /// Changes the definitions of the experimental bundle, and the pin with them.
    pub fn bundle(&self, folder: &str, change: impl FnOnce(&mut Value)) {
        let mut root = EXPERIMENTAL.clone();
        change(&mut root["definitions"]);
        assert_ne!(root, *EXPERIMENTAL, "the change is one");
        self.write(&format!("{folder}/experimental.json"), serde_json::to_vec_pretty(&root).unwrap());
        self.pin(folder);
    }

    /// Writes the hashes of what is there into the pin.
    pub fn pin(&self, folder: &str) {
        let name = format!("{folder}/pin.toml");
        let mut pin: toml::Table = fs::read_to_string(self.path(&name)).unwrap().parse().unwrap();
        for (file, hash) in pin["files"].as_table_mut().unwrap() {
            let mut hex = String::new();
            for byte in Sha256::digest(fs::read(self.path(&format!("{folder}/{file}"))).unwrap()) {
                write!(hex, "{byte:02x}").unwrap();
            }
            *hash = hex.into();
        }
        self.write(&name, pin.to_string());
    }

    /// A program that is a shell script. It has no PATH.
    #[cfg(unix)]
    pub fn script(&self, name: &str, text: &str) -> String {
        let _alone = SPAWN.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(name, text);
        self.executable(name);
        self.at(name)
    }

    #[cfg(unix)]
    pub fn executable(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(arguments)
            .current_dir(self.path("here"))
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("CODEX_RPC_CACHE", self.path("cache"))
            .env("TMPDIR", self.path("tmp"))
            .env("TMP", self.path("tmp"))
            .env("TEMP", self.path("tmp"))
            .env("LC_ALL", "en_US.UTF-8")
            .env("NO_COLOR", "1")
            .env_remove("NO_GRAPHICS")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let _alone = SPAWN.lock().unwrap_or_else(PoisonError::into_inner);
        command.spawn().unwrap()
    }

    /// Runs the program, whatever comes of it.
    pub fn run(&self, arguments: &[&str]) -> Said {
        let output = self.spawn(arguments).wait_with_output().unwrap();
        Said {
            arguments: arguments.join(" "),
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program and demands what every bad input has a right to: status 1,
    /// an error with what to do on standard error and nothing on standard output,
    /// no panic, and not a byte, file or folder that is another than before.
    pub fn refuses(&self, arguments: &[&str]) -> Said {
        self.refuses_with(1, arguments)
    }

    /// As `refuses`, for the command line itself: status 2.
    pub fn refuses_command_line(&self, arguments: &[&str]) -> Said {
        self.refuses_with(2, arguments)
    }

    /// As `refuses`, for `generate` from `schema` to `out`.
    pub fn refuses_to_generate(&self) -> Said {
        self.refuses(&["generate", "--schema", &self.at("schema"), "--out", &self.at("out")])
    }

    /// As `refuses`, for `pull` of a release into `schema`.
    pub fn refuses_to_pull(&self, release: &str) -> Said {
        self.refuses(&["pull", release, "--schema", &self.at("schema")])
    }

    /// As `refuses`, for `regenerate` of a release into `schema` and `out`.
    pub fn refuses_to_regenerate(&self, release: &str) -> Said {
        self.refuses(&["regenerate", release, "--schema", &self.at("schema"), "--out", &self.at("out")])
    }

    fn refuses_with(&self, status: i32, arguments: &[&str]) -> Said {
        let before = snapshot(self.work.path());
        let said = self.run(arguments);
        let after = snapshot(self.work.path());
        let mut wrong = Vec::new();
        if said.status != Some(status) {
            wrong.push(format!("the exit status is {:?} and not {status}", said.status));
        }
        if said.stderr.contains("panicked at") {
            wrong.push("it panicked".to_owned());
        }
        if !said.stdout.is_empty() {
            wrong.push(format!("standard output says: {}", said.stdout));
        }
        let helps = said.stderr.split("help: ").nth(1).is_some_and(|help| !help.trim().is_empty());
        if status == 1 && !helps {
            wrong.push("it does not say what to do".to_owned());
        }
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in names {
            let what = match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(_), Some(_)) => "was changed",
                (Some(_), None) => "is gone",
                (None, _) => "is new",
            };
            wrong.push(format!("{} {what}", name.display()));
        }
        if wrong.len() > 10 {
            let more = wrong.split_off(10).len();
            wrong.push(format!("and {more} more"));
        }
        assert!(wrong.is_empty(), "{}\n{said}", wrong.join("\n"));
        said
    }
}

/// What a run of the program said.
pub struct Said {
    arguments: String,
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MOST: usize = 4000;
        let start: String = self.stderr.chars().take(MOST).collect();
        write!(f, "`cargo xtask {}` said:\n{start}", self.arguments)
    }
}

impl Said {
    /// Demands that the error says all of this, wherever its lines break.
    #[track_caller]
    pub fn says(&self, all: &[&str]) -> &Self {
        let text = flat(&self.stderr);
        let missing: Vec<_> = all.iter().filter(|one| !text.contains(&flat(one))).collect();
        assert!(missing.is_empty(), "it does not say {missing:?}\n{self}");
        self
    }

    /// Demands that the error does not say any of this.
    #[track_caller]
    pub fn never_says(&self, all: &[&str]) -> &Self {
        let text = flat(&self.stderr);
        let found: Vec<_> = all.iter().filter(|one| text.contains(&flat(one))).collect();
        assert!(found.is_empty(), "it says {found:?}\n{self}");
        self
    }

    /// Demands that all of this stands in the error in one piece, to be copied.
    #[track_caller]
    pub fn says_in_one_piece(&self, all: &[&str]) -> &Self {
        let broken: Vec<_> = all.iter().filter(|one| !self.stderr.contains(**one)).collect();
        assert!(broken.is_empty(), "it does not say {broken:?} in one piece\n{self}");
        self
    }
}

/// Text without what a terminal's width does to it.
fn flat(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '│' | '×')).collect()
}

fn snapshot(root: &Path) -> Snapshot {
    let mut all = Snapshot::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
                all.insert(name, None);
            } else {
                all.insert(name, Some(fs::read(path).unwrap()));
            }
        }
    }
    all
}
