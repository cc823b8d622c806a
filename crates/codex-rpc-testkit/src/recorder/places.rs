//! Where a recording takes place: temporary folders, ports, programs.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::variables::Variables;

/// What stands for a place in a recording.
pub(super) const WORKSPACE: &str = "/workspace";
pub(super) const CODEX_HOME: &str = "/codex-home";
pub(super) const HOME: &str = "/home/user";
pub(super) const TMP: &str = "/tmp";
pub(super) const SCRATCH: &str = "/scratch";
pub(super) const PORT: u16 = 8080;
pub(super) const FREE_PORT: u16 = 8081;
pub(super) const PYTHON: &str = "/usr/bin/python3";
pub(super) const CODEX: &str = "/usr/bin/codex";

/// Codex tells where it finds this program, or that it does not.
const HIDDEN: &str = "bwrap";

/// The folders of one recording; they go when this is dropped.
pub(super) struct Places {
    root: TempDir,
    path: PathBuf,
    /// `PATH`, without what is hidden.
    pub(super) programs: OsString,
    pub(super) free_port: u16,
    python: Option<PathBuf>,
    codex: PathBuf,
}

impl Places {
    pub(super) fn new(codex: &Path) -> io::Result<Self> {
        let root = tempfile::Builder::new().prefix("codex-rpc-").tempdir()?;
        // codex resolves links in the paths that it reports.
        let path = root.path().canonicalize()?;
        for folder in ["workspace", "codex-home", "home", "tmp"] {
            fs::create_dir(path.join(folder))?;
        }
        let programs = programs(&path.join("programs"))?;
        let free_port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        Ok(Self { root, path, programs, free_port, python: on_path(Path::new("python3")), codex: codex.to_owned() })
    }

    pub(super) fn workspace(&self) -> PathBuf {
        self.path.join("workspace")
    }

    pub(super) fn codex_home(&self) -> PathBuf {
        self.path.join("codex-home")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// What is to be replaced in a recording, and by what; longer paths first.
    pub(super) fn replacements(&self) -> Vec<(String, String)> {
        let text = |path: PathBuf| path.display().to_string();
        let mut all = vec![
            (text(self.workspace()), WORKSPACE.to_owned()),
            (text(self.codex_home()), CODEX_HOME.to_owned()),
            (text(self.home()), HOME.to_owned()),
            (text(self.tmp()), TMP.to_owned()),
            (text(self.path.clone()), SCRATCH.to_owned()),
            (text(self.root.path().to_owned()), SCRATCH.to_owned()),
            (text(self.path.clone()).trim_start_matches('/').to_owned(), SCRATCH.trim_start_matches('/').to_owned()),
            (text(self.path.file_name().map(PathBuf::from).unwrap_or_default()), "scratch".to_owned()),
            (text(self.codex.clone()), CODEX.to_owned()),
        ];
        if let Some(python) = &self.python {
            all.push((text(python.clone()), PYTHON.to_owned()));
        }
        all.extend(port(self.free_port, FREE_PORT));
        all
    }

    pub(super) fn variables(&self) -> Variables {
        let text = |path: PathBuf| path.display().to_string();
        let mut variables = Variables::default();
        variables.set("workspace", text(self.workspace()));
        variables.set("codex_home", text(self.codex_home()));
        variables.set("home", text(self.home()));
        variables.set("tmp", text(self.tmp()));
        variables.set("scratch", text(self.path.clone()));
        variables.set("codex", text(self.codex.clone()));
        variables.set("free_port", self.free_port);
        if let Some(python) = &self.python {
            variables.set("python", text(python.clone()));
        }
        variables
    }
}

/// `PATH` without what is hidden: a folder that has it is replaced by one of links to
/// everything else in it.
fn programs(shadow: &Path) -> io::Result<OsString> {
    let mut folders = Vec::new();
    for (index, folder) in env::split_paths(&env::var_os("PATH").unwrap_or_default()).enumerate() {
        if !folder.join(HIDDEN).is_file() {
            folders.push(folder);
            continue;
        }
        let links = shadow.join(index.to_string());
        fs::create_dir_all(&links)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name() != HIDDEN {
                link(&entry.path(), &links.join(entry.file_name()))?;
            }
        }
        folders.push(links);
    }
    env::join_paths(folders).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    fs::copy(to, at).map(|_| ())
}

/// What is to be replaced for a port, in an address and in one that is part of a URL's
/// query.
pub(super) fn port(found: u16, recorded: u16) -> [(String, String); 2] {
    [":", "%3A"].map(|colon| (format!("127.0.0.1{colon}{found}"), format!("127.0.0.1{colon}{recorded}")))
}

/// The variables as a recording has them.
pub(super) fn recorded_variables() -> Variables {
    let mut variables = Variables::default();
    for (name, value) in [
        ("workspace", WORKSPACE),
        ("codex_home", CODEX_HOME),
        ("home", HOME),
        ("tmp", TMP),
        ("scratch", SCRATCH),
        ("codex", CODEX),
        ("python", PYTHON),
    ] {
        variables.set(name, value);
    }
    variables.set("port", PORT);
    variables.set("free_port", FREE_PORT);
    variables.set("stand_in", format!("http://127.0.0.1:{PORT}"));
    variables
}

/// The program of this name in the folders of `PATH`.
pub(crate) fn on_path(program: &Path) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}
