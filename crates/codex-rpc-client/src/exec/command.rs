//! The command line of a run.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempPath;
use tokio::process::Command;

use super::stream::Start;
use super::{Exec, Thread};
use crate::{Error, config, executable};

/// The process, and the files that it needs.
pub(super) fn start(exec: &Exec) -> Result<Start, Error> {
    let program = executable::find(exec.executable.as_deref())?;
    let schema = exec.output_schema.as_ref().map(write_schema).transpose()?;
    let mut command = Command::new(&program);
    command.args(arguments(exec, schema.as_deref())?);
    for (name, value) in &exec.environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Ok(Start { program, command, prompt: exec.prompt.clone(), schema, limit: exec.limit, line: exec.line })
}

/// Everything stands before `resume`: the subcommand knows only some of the options, and
/// takes those of `exec` as its own.
fn arguments(exec: &Exec, schema: Option<&Path>) -> Result<Vec<OsString>, Error> {
    let mut all: Vec<OsString> = vec!["exec".into(), "--json".into()];
    all.extend(exec.arguments.iter().cloned());
    let mut option = |name: &str, value: OsString| {
        // In one argument, as codex takes several values after `--image`, and so that a
        // value can begin with a dash.
        let mut argument = OsString::from(name);
        argument.push("=");
        argument.push(value);
        all.push(argument);
    };
    for (key, value) in &exec.config {
        option("--config", config::setting(key, value)?.into());
    }
    for (name, enabled) in &exec.features {
        option(if *enabled { "--enable" } else { "--disable" }, name.into());
    }
    for image in &exec.images {
        option("--image", image.into());
    }
    for directory in &exec.directories {
        option("--add-dir", directory.into());
    }
    let texts = [
        ("--model", exec.model.as_deref()),
        ("--profile", exec.profile.as_deref()),
        ("--sandbox", exec.sandbox.as_ref().map(codex_rpc::types::SandboxMode::as_str)),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            option(name, value.into());
        }
    }
    let paths = [("--cd", exec.working_directory.as_deref()), ("--output-schema", schema)];
    for (name, path) in paths {
        if let Some(path) = path {
            option(name, path.into());
        }
    }
    all.extend(exec.flags.iter().filter(|(_, set)| **set).map(|(name, _)| name.into()));
    match &exec.thread {
        Thread::New => all.push("-".into()),
        // A name can begin with a dash.
        Thread::Resume(thread) => all.extend(["resume".into(), "--".into(), thread.into(), "-".into()]),
        // The prompt comes from stdin, as nothing else is there.
        Thread::Last => all.extend(["resume".into(), "--last".into()]),
    }
    Ok(all)
}

/// Writes the schema to a file that only this user can read.
fn write_schema(schema: &Value) -> Result<TempPath, Error> {
    let fail = |error| Error::Io { what: "writing the output schema to a temporary file".to_owned(), error };
    let mut file = tempfile::Builder::new().prefix("codex-schema-").suffix(".json").tempfile().map_err(fail)?;
    file.write_all(schema.to_string().as_bytes()).map_err(fail)?;
    Ok(file.into_temp_path())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use codex_rpc::types::SandboxMode;
    use serde_json::json;

    use super::*;

    fn line(exec: &Exec) -> Vec<String> {
        let arguments = arguments(exec, Some(Path::new("/tmp/s.json"))).unwrap();
        arguments.into_iter().map(|argument| argument.into_string().unwrap()).collect()
    }

    #[test]
    fn every_setting_is_an_argument_and_the_prompt_is_none() {
        let exec = Exec::new()
            .prompt("secret")
            .argument("--oss")
            .config("a.b", "x = \"y\"")
            .config("tools", json!({"update_plan": {"enabled": true}}))
            .feature("plugins", false)
            .feature("shell", true)
            .image("/a.png")
            .image("b.png")
            .add_dir("/more")
            .model("-m")
            .profile("p")
            .sandbox(SandboxMode::WorkspaceWrite)
            .directory("/w")
            .ephemeral(true)
            .skip_git_repo_check(true)
            .ignore_rules(true)
            .ignore_rules(false);
        let expected = [
            "exec",
            "--json",
            "--oss",
            r#"--config=a.b="x = \"y\"""#,
            r#"--config=tools={"update_plan" = {"enabled" = true}}"#,
            "--disable=plugins",
            "--enable=shell",
            "--image=/a.png",
            "--image=b.png",
            "--add-dir=/more",
            "--model=-m",
            "--profile=p",
            "--sandbox=workspace-write",
            "--cd=/w",
            "--output-schema=/tmp/s.json",
            "--ephemeral",
            "--skip-git-repo-check",
            "-",
        ];
        assert_eq!(line(&exec), expected);
    }

    #[test]
    fn a_thread_is_resumed_by_its_id_or_as_the_last() {
        assert_eq!(line(&Exec::new().resume("-t"))[3..], ["resume", "--", "-t", "-"]);
        assert_eq!(line(&Exec::new().resume_last())[3..], ["resume", "--last"]);
    }

    #[test]
    fn a_setting_that_toml_does_not_have_is_refused_before_anything_is_started() {
        for (key, value) in [("a", json!(null)), ("", json!(1)), ("a=b", json!(1))] {
            let error = arguments(&Exec::new().config(key, value), None).unwrap_err();
            assert!(matches!(error, Error::Unsendable(_)), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_prompt_and_no_values() {
        let exec = Exec::new().prompt("SECRET").env("TOKEN", "SECRET").config("key", "SECRET").argument("SECRET");
        let text = format!("{exec:?}");
        assert!(!text.contains("SECRET") && text.contains("TOKEN") && text.contains("key"), "{text}");
    }
}
