//! How a codex process is started and spoken to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_rpc::types::{ClientInfo, InitializeCapabilities, InitializeParams};
use codex_rpc_dispatch::Backoff;
use codex_rpc_dispatch::tokio::{Builder, Client, ConnectError, Router};
use serde_json::Value;
use tokio::process::Command;

use super::restart::Restart;
use crate::{Error, ProcessError, config, executable};

/// All settings of a session but what answers the server.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) executable: Option<PathBuf>,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) overrides: Vec<(String, Value)>,
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
    pub(crate) clear_environment: bool,
    pub(crate) home: Option<PathBuf>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) title: Option<String>,
    pub(crate) capabilities: InitializeCapabilities,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) start_limit: Duration,
    pub(crate) retry: Option<Backoff>,
    pub(crate) restart: Option<Restart>,
    pub(crate) watchdog: Option<Duration>,
    pub(crate) turn_log: usize,
    pub(crate) minimum: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            executable: None,
            arguments: Vec::new(),
            overrides: Vec::new(),
            environment: Vec::new(),
            clear_environment: false,
            home: None,
            directory: None,
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: None,
            capabilities: InitializeCapabilities::new(),
            time_limit: Some(Duration::from_secs(600)),
            start_limit: Duration::from_secs(30),
            retry: Some(Backoff::default()),
            restart: None,
            watchdog: None,
            turn_log: 4_096,
            minimum: None,
        }
    }
}

impl Settings {
    /// The command line and the surroundings of the process.
    fn command(&self, program: &Path) -> Result<Command, Error> {
        let mut command = Command::new(program);
        for (key, value) in &self.overrides {
            command.arg("-c").arg(config::setting(key, value)?);
        }
        command.args(&self.arguments).arg("app-server");
        if self.clear_environment {
            command.env_clear();
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(home) = &self.home {
            command.env("CODEX_HOME", home);
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        Ok(command)
    }

    /// Starts the process and shakes hands.
    pub(crate) async fn spawn(&self, router: Router) -> Result<Client, Error> {
        let program = executable::find(self.executable.as_deref())?;
        let command = self.command(&program)?;
        self.dispatcher(router).spawn_command(command).await.map_err(|error| match error {
            ConnectError::Spawn { error, .. } => Error::Process(Box::new(ProcessError {
                program,
                status: None,
                stderr: String::new(),
                error: Some(error),
            })),
            other => Error::Connect(Box::new(other)),
        })
    }

    pub(crate) fn dispatcher(&self, router: Router) -> Builder {
        let mut info = ClientInfo::new(&self.name, &self.version);
        if let Some(title) = &self.title {
            info = info.title(title);
        }
        let params = InitializeParams::new(info).capabilities(self.capabilities.clone());
        Builder::new(params).router(router).time_limit(self.time_limit).handshake_limit(self.start_limit)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::Settings;

    #[test]
    fn settings_are_put_in_front_of_the_verb_and_into_the_environment() {
        let settings = Settings {
            overrides: vec![("model".to_owned(), json!("gpt")), ("a.b".to_owned(), json!([1, true]))],
            arguments: vec!["--profile".into(), "p".into()],
            environment: vec![("SET".into(), Some("1".into())), ("GONE".into(), None)],
            home: Some("/home".into()),
            directory: Some("/work".into()),
            ..Settings::default()
        };
        let command = settings.command(Path::new("/bin/codex")).unwrap();
        let command = command.as_std();
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
        assert_eq!(arguments, ["-c", "model=\"gpt\"", "-c", "a.b=[1, true]", "--profile", "p", "app-server"]);
        let mut environment: Vec<_> = command
            .get_envs()
            .map(|(name, value)| (name.to_str().unwrap(), value.and_then(|value| value.to_str())))
            .collect();
        environment.sort_unstable();
        assert_eq!(environment, [("CODEX_HOME", Some("/home")), ("GONE", None), ("SET", Some("1"))]);
        assert_eq!(command.get_current_dir(), Some(Path::new("/work")));
    }

    #[test]
    fn a_setting_that_toml_has_no_word_for_is_refused_before_anything_is_started() {
        let settings = Settings { overrides: vec![("model".to_owned(), json!(null))], ..Settings::default() };
        let error = settings.command(Path::new("codex")).unwrap_err();
        assert!(error.to_string().contains("`model`"), "{error}");
    }
}
