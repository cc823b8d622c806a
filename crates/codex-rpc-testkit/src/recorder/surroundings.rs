//! What is around codex in a recording: the stand-in model, files, an environment,
//! other programs.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::places::Places;
use super::processes::{Process, Processes};
use super::variables::Variables;
use super::{AppServer, LIMIT, RecordError, files, output};
use crate::scenario::Scenario;
use crate::stand_in::{Script, StandIn};

/// Starts the stand-in model; the variables learn its address.
pub(super) fn stand_in(scenario: &Scenario, variables: &mut Variables) -> Result<StandIn, RecordError> {
    let fail = |error: String| RecordError::Setup(format!("the stand-in model: {error}"));
    // Its script may name its own port, so it starts without one.
    let stand_in = StandIn::start(Script::default()).map_err(|error| fail(error.to_string()))?;
    variables.set("port", stand_in.port());
    variables.set("stand_in", stand_in.url());
    let mut script = variables.clone();
    for name in scenario.captures.keys() {
        script.keep(name);
    }
    let script = script
        .in_value(&json!({
            "answers": scenario.model,
            "routes": scenario.routes,
            "websocket": scenario.websocket,
        }))
        .and_then(|mut script| {
            script["captures"] = json!(scenario.captures);
            serde_json::from_value::<Script>(script).map_err(|error| error.to_string())
        })
        .map_err(fail)?;
    stand_in.set_script(script).map_err(|error| fail(error.to_string()))?;
    Ok(stand_in)
}

/// Writes the configuration and the files, runs the setup.
pub(super) fn prepare(
    scenario: &Scenario,
    places: &Places,
    variables: &Variables,
    among: &Processes,
) -> Result<(), String> {
    let stand_in = variables.get("stand_in").and_then(Value::as_str).unwrap_or_default();
    let config = files::config(stand_in, &variables.in_map(&scenario.config)?)?;
    let path = places.codex_home().join("config.toml");
    fs::write(&path, config).map_err(|error| format!("{}: {error}", path.display()))?;
    files::write(&scenario.files, variables)?;
    for line in &scenario.setup {
        run(line, places, variables, among)?;
    }
    Ok(())
}

/// Runs a command in the workspace.
pub(super) fn run(line: &[String], places: &Places, variables: &Variables, among: &Processes) -> Result<(), String> {
    let line: Vec<String> = line.iter().map(|word| variables.in_text(word)).collect::<Result<_, _>>()?;
    let [program, arguments @ ..] = line.as_slice() else { return Err("a command without a word".to_owned()) };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(places.workspace());
    environment(&mut command, places);
    let ended = output::of(&mut command, LIMIT, None, among).map_err(|error| format!("{program}: {error}"))?;
    match ended.status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{}: {status}: {}", line.join(" "), ended.stderr.trim())),
        None => Err(format!("{} did not end within {LIMIT:?}", line.join(" "))),
    }
}

/// An environment that does not depend on the machine's, and leads nowhere but to
/// loopback.
fn environment(command: &mut Command, places: &Places) {
    command.env_clear();
    let nowhere = "http://127.0.0.1:9";
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env(proxy, nowhere);
    }
    command
        .env("PATH", &places.programs)
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("no_proxy", "127.0.0.1,localhost")
        .env("HOME", places.home())
        .env("CODEX_HOME", places.codex_home())
        .env("TMPDIR", places.tmp())
        .env("USER", "user")
        .env("LOGNAME", "user")
        .env("SHELL", "/bin/bash")
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "A User")
            .env(format!("GIT_{role}_EMAIL"), "user@example.com")
            .env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
    }
}

pub(super) fn command(
    scenario: &Scenario,
    server: &AppServer,
    places: Option<&Places>,
    variables: &Variables,
    process: u32,
) -> Result<Command, String> {
    match server {
        AppServer::Codex { executable, .. } => {
            let mut command = Command::new(executable);
            command.arg("app-server");
            if let Some(places) = places {
                command.current_dir(places.workspace());
                environment(&mut command, places);
            }
            for (name, value) in &scenario.environment {
                command.env(name, variables.in_text(value)?);
            }
            Ok(command)
        }
        AppServer::Replay { executable, transcript } => {
            let mut command = Command::new(executable);
            command.arg(transcript).args(["--process", &process.to_string()]);
            Ok(command)
        }
    }
}

/// Starts a program and waits until it listens.
pub(super) fn spawn(
    line: &[String],
    places: &Places,
    variables: &Variables,
    among: &Processes,
) -> Result<Process, String> {
    let line: Vec<String> = line.iter().map(|word| variables.in_text(word)).collect::<Result<_, _>>()?;
    let [program, arguments @ ..] = line.as_slice() else { return Err("a command without a word".to_owned()) };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(places.workspace());
    environment(&mut command, places);
    command.env("CODEX_HOME", places.tmp());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut spawned = among.spawn(&mut command).map_err(|error| format!("{program}: {error}"))?;
    let deadline = Instant::now() + LIMIT;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, places.free_port)).is_err() {
        if Instant::now() > deadline {
            return Err(format!("{program} did not listen on {} in time", places.free_port));
        }
        if let Ok(Some(status)) = spawned.child.try_wait() {
            return Err(format!("{program} ended: {status}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(spawned)
}
