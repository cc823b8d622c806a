//! The real executable with a stand-in model, in folders of its own.

use std::fs;
use std::path::{Path, PathBuf};

use codex_rpc_client::exec::Exec;
use codex_rpc_testkit::stand_in::{Script, StandIn};
use serde_json::Value;
use tempfile::TempDir;

use super::sanitise::Sanitiser;

/// The executable that `CODEX_BIN` names, and its release. None, with a note, where
/// there is none.
pub fn executable() -> Option<(PathBuf, String)> {
    let Some(executable) = std::env::var_os("CODEX_BIN") else {
        eprintln!("CODEX_BIN is not set: the real executable was NOT tried");
        return None;
    };
    let output = std::process::Command::new(&executable).arg("--version").output().expect("codex starts");
    let text = String::from_utf8(output.stdout).expect("a version");
    let release = text.split_whitespace().last().expect("a version").to_owned();
    Some((executable.into(), release))
}

/// The folders and the model of a case.
pub struct Codex {
    executable: PathBuf,
    folder: TempDir,
    pub path: PathBuf,
    pub model: StandIn,
    proxied: bool,
}

impl Codex {
    /// `more` is added to `config.toml`.
    pub fn new(executable: &Path, script: &Value, more: &str) -> Self {
        let script: Script = serde_json::from_value(script.clone()).expect("a script");
        let model = StandIn::start(script).expect("a stand-in");
        let folder = tempfile::Builder::new().prefix("codex-exec-").tempdir().expect("a folder");
        let path = folder.path().canonicalize().expect("a path");
        for name in ["workspace", "home", "codex-home"] {
            fs::create_dir(path.join(name)).expect("a folder");
        }
        let config = format!(
            "model = \"gpt-5.5\"\napproval_policy = \"never\"\nsandbox_mode = \"read-only\"\nsandbox_workspace_write.exclude_slash_tmp = true\nmodel_provider = \"stand_in\"\n\
             show_raw_agent_reasoning = true\n\
             [model_providers.stand_in]\nname = \"Stand-in\"\nbase_url = \"{}/v1\"\nwire_api = \"responses\"\n\
             request_max_retries = 0\nstream_max_retries = 0\n[tools.update_plan]\nenabled = true\n{more}\n",
            model.url()
        );
        fs::write(path.join("codex-home/config.toml"), config).expect("a configuration");
        Self { executable: executable.to_owned(), folder, path, model, proxied: false }
    }

    pub fn workspace(&self) -> PathBuf {
        self.path.join("workspace")
    }

    /// From now on, what codex writes to stdout is kept as it is.
    pub fn keep_output(&mut self) {
        let script = "#!/bin/sh\n\"$REAL_CODEX\" \"$@\" > \"$OUTPUT.last\"\nstatus=$?\n\
                      cat \"$OUTPUT.last\" >> \"$OUTPUT\"\ncat \"$OUTPUT.last\"\nexit $status\n";
        let path = self.path.join("codex.sh");
        fs::write(&path, script).expect("a script");
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
        self.proxied = true;
    }

    pub fn output(&self) -> String {
        fs::read_to_string(self.path.join("output")).expect("the output")
    }

    pub fn exec(&self) -> Exec {
        let mut exec = Exec::new()
            .executable(if self.proxied { self.path.join("codex.sh") } else { self.executable.clone() })
            .env("REAL_CODEX", &self.executable)
            .env("OUTPUT", self.path.join("output"))
            .home(self.path.join("codex-home"))
            .env("HOME", self.path.join("home"))
            .env("SHELL", "/bin/bash")
            .env("NO_PROXY", "127.0.0.1")
            // Else it tries to reach the network in the background.
            .feature("plugins", false)
            .directory(self.workspace())
            .skip_git_repo_check(true)
            .time_limit(std::time::Duration::from_secs(60));
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            exec = exec.env(proxy, "http://127.0.0.1:9");
        }
        exec
    }

    pub fn sanitiser(&self) -> Sanitiser {
        let [workspace, home, codex_home] = ["workspace", "home", "codex-home"].map(|name| self.path.join(name));
        Sanitiser::new(&[
            (&workspace, "/workspace"),
            (&codex_home, "/codex-home"),
            (&home, "/home/user"),
            (&self.path, "/scratch"),
            (self.folder.path(), "/scratch"),
        ])
    }
}
