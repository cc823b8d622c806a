//! Commands, files, the configuration and catalogs of the real executable, where
//! `CODEX_BIN` names one. Nothing but loopback is reached.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_rpc_client::protocol::types::{
    Account, ConfigValueWriteParams, DangerFullAccessSandboxPolicy, ExperimentalFeatureListParams,
    ListMcpServerStatusParams, MergeStrategy, ModelListParams, PermissionProfileListParams, WriteStatus,
};
use codex_rpc_client::{Codex, CommandBuilder, CommandHandle, CommandStream, Error};
use tempfile::TempDir;

/// A session with the real executable, in folders of its own; none, with a note, where
/// there is no executable.
async fn session() -> Option<(Codex, TempDir)> {
    let Some(executable) = std::env::var_os("CODEX_BIN") else {
        eprintln!("CODEX_BIN is not set: the real executable was not tried");
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    std::fs::create_dir(&home).expect("a folder");
    std::fs::write(home.join("config.toml"), "model = \"gpt-5.5\"\n[features]\nplugins = false\n")
        .expect("a configuration");
    let mut builder = Codex::builder().executable(executable).home(&home).directory(folder.path());
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        builder = builder.env(proxy, "http://127.0.0.1:9");
    }
    let codex = builder.env("HOME", folder.path()).env("NO_PROXY", "127.0.0.1").start().await.expect("codex starts");
    Some((codex, folder))
}

#[track_caller]
fn soon<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let outcome = tokio::time::timeout(Duration::from_secs(30), future).await;
        outcome.unwrap_or_else(|_| panic!("{caller}: it did not come"))
    }
}

/// A shell script that may do everything: the sandbox is another's test.
fn shell(codex: &Codex, script: &str) -> CommandBuilder {
    codex.command(["/bin/sh", "-c", script]).sandbox(DangerFullAccessSandboxPolicy::new())
}

/// Reads until a text has come.
async fn until(command: &CommandHandle, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let chunk = soon(command.next()).await.unwrap_or_else(|| panic!("it has ended after {read:?}"));
        read.push_str(&String::from_utf8_lossy(&chunk.bytes));
    }
    read
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().expect("a path")
}

#[tokio::test]
async fn commands_are_run_written_to_resized_and_terminated() {
    let Some((codex, folder)) = session().await else { return };
    let run = shell(&codex, "pwd; printf %s \"$A$B\" >&2; exit 3").cwd(folder.path().to_str().expect("UTF-8"));
    let output = soon(run.env("A", "a").run()).await.expect("an output");
    assert_eq!((output.exit_code, output.stderr_text()), (3, "a".into()));
    assert_eq!(Path::new(output.stdout_text().trim_end()), folder.path());

    // Written at once, before anything has come.
    for _ in 0..20 {
        let cat = shell(&codex, "exec cat").stdin().time_limit(None).spawn().await.expect("a command");
        soon(cat.write("early\n")).await.expect("it is there already");
        soon(cat.close_stdin()).await.expect("an answer");
        let output = soon(cat.wait_with_output()).await.expect("an output");
        assert_eq!((output.exit_code, output.stdout), (0, b"early\n".to_vec()));
    }

    let both = shell(&codex, "printf '\\377'; printf x >&2").spawn().await.expect("a command");
    let mut read = Vec::new();
    while let Some(chunk) = soon(both.next()).await {
        read.push((chunk.stream, chunk.bytes));
    }
    read.sort_by_key(|(stream, _)| *stream == CommandStream::Stderr);
    assert_eq!(read, [(CommandStream::Stdout, vec![0xff]), (CommandStream::Stderr, b"x".to_vec())]);
    assert_eq!(soon(both.wait()).await.expect("an exit code"), 0);

    let script = "stty -echo; printf ready; read line; stty size; read line";
    let terminal = shell(&codex, script).tty(70, 20).time_limit(None).spawn().await.expect("a command");
    until(&terminal, "ready").await;
    soon(terminal.resize(100, 30)).await.expect("an answer");
    soon(terminal.write("go\n")).await.expect("an answer");
    until(&terminal, "30 100").await;
    soon(terminal.terminate()).await.expect("an answer");
    assert_ne!(soon(terminal.wait()).await.expect("an exit code"), 0);

    let late = shell(&codex, "sleep 60").time_limit(Some(Duration::from_millis(100))).run();
    assert_eq!(soon(late).await.expect("an output").exit_code, 124);
    let missing = codex.command(["/no/such"]).sandbox(DangerFullAccessSandboxPolicy::new());
    soon(missing.run()).await.expect_err("there is none");
    let pipe = shell(&codex, "sleep 60").time_limit(None).spawn().await.expect("a command");
    let refused = soon(pipe.write("x")).await.expect_err("it has no stdin");
    assert!(matches!(refused, Error::Refused(_) | Error::InvalidParams(_)), "{refused:?}");
    soon(codex.close()).await;
    soon(pipe.wait()).await.expect_err("the connection has ended");
}

#[tokio::test]
async fn a_command_that_is_dropped_is_gone() {
    let Some((codex, folder)) = session().await else { return };
    // The reader of the pipe learns that its only writer is gone.
    let pipe = folder.path().join("pipe");
    let script = format!("mkfifo '{0}' && exec cat '{0}'", pipe.display());
    let reader = shell(&codex, &script).time_limit(None).spawn().await.expect("a command");
    while soon(codex.files().metadata(&pipe)).await.is_err() {}
    let writer = shell(&codex, &format!("exec > '{}'; echo open; exec sleep 600", pipe.display()));
    let writer = writer.time_limit(None).spawn().await.expect("a command");
    until(&reader, "open").await;
    drop(writer);
    assert_eq!(soon(reader.next()).await, None);
    assert_eq!(soon(reader.wait()).await.expect("an exit code"), 0);

    // Dropped before anything was answered, too: one that stayed would keep the lock.
    for _ in 0..10 {
        let lock = format!("exec 9> '{}' && flock 9", folder.path().join("lock").display());
        drop(shell(&codex, &format!("{lock} && exec sleep 600")).time_limit(None).spawn().await);
        let locked = shell(&codex, &lock).time_limit(None).run();
        assert_eq!(soon(locked).await.expect("an output").exit_code, 0);
    }
    soon(codex.close()).await;
}

#[tokio::test]
async fn files_are_written_read_copied_watched_and_removed() {
    let Some((codex, folder)) = session().await else { return };
    let (files, root) = (codex.files(), real(folder.path()));
    let (dir, file) = (root.join("a/b"), root.join("a/b/c.bin"));
    files.create_dir(&dir).await.expect_err("there is nothing above it");
    files.create_dir_all(&dir).await.expect("an answer");
    let mut watch = files.watch(&dir).await.expect("a watch");
    assert_eq!(watch.path(), dir);
    let bytes: Vec<u8> = (0..=255).collect();
    files.write(&file, &bytes).await.expect("an answer");
    assert_eq!(files.read(&file).await.expect("a file"), bytes);
    let changed = soon(watch.next()).await.expect("a change");
    assert!(changed.contains(&file), "{changed:?}");
    drop(watch);
    assert!(matches!(files.read_to_string(&file).await, Err(Error::Invalid { .. })), "it is not UTF-8");
    let metadata = files.metadata(&file).await.expect("an answer");
    assert!(metadata.is_file && !metadata.is_directory && metadata.modified_at_ms > 0, "{metadata:?}");
    files.copy(&dir, root.join("copy")).await.expect_err("it is a folder");
    files.copy_all(&dir, root.join("copy")).await.expect("an answer");
    let names: Vec<_> =
        files.read_dir(root.join("copy")).await.expect("entries").into_iter().map(|entry| entry.file_name).collect();
    assert_eq!(names, ["c.bin"]);
    files.copy(&file, root.join("d.bin")).await.expect("an answer");
    files.remove(root.join("copy")).await.expect_err("it is not empty");
    files.remove_all(root.join("copy")).await.expect("an answer");
    files.remove_all(root.join("copy")).await.expect("there is nothing any more");
    files.remove(root.join("copy")).await.expect_err("there is nothing any more");
    files.remove(root.join("d.bin")).await.expect("an answer");
    assert!(!root.join("d.bin").exists() && !root.join("copy").exists());
    assert!(matches!(files.read("c.bin").await, Err(Error::InvalidParams(_))), "paths are absolute");
    soon(codex.close()).await;
}

#[tokio::test]
async fn the_configuration_is_written_and_a_stale_write_is_refused() {
    let Some((codex, folder)) = session().await else { return };
    let config = codex.config();
    assert_eq!(config.read().await.expect("a configuration").config.model.as_deref(), Some("gpt-5.5"));
    let version = config.user_version().await.expect("an answer");
    assert!(version.is_some());
    let write = |value: &str, version: Option<String>| {
        let mut write = ConfigValueWriteParams::new("model_reasoning_effort", value, MergeStrategy::Replace);
        write.expected_version = version;
        config.write(write)
    };
    assert_eq!(write("high", version.clone()).await.expect("an answer").status, WriteStatus::Ok);
    let stale = write("low", version).await;
    assert!(matches!(stale, Err(Error::ConfigChanged(_))), "{stale:?}");
    write("medium", config.user_version().await.expect("an answer")).await.expect("the version is the newest");
    let read = config.read().await.expect("a configuration");
    assert_eq!(read.config.model_reasoning_effort.map(|effort| effort.to_string()).as_deref(), Some("medium"));
    let invalid = config.set("approval_policy", "nonsense").await;
    assert!(matches!(invalid, Err(Error::InvalidParams(_))), "{invalid:?}");
    config.set("model_reasoning_effort", serde_json::Value::Null).await.expect("an answer");
    let text = std::fs::read_to_string(folder.path().join("home/config.toml")).expect("a configuration");
    assert!(text.contains("gpt-5.5") && !text.contains("model_reasoning_effort"), "{text}");
    soon(codex.close()).await;
}

#[tokio::test]
async fn models_providers_features_and_skills_are_listed() {
    let Some((codex, folder)) = session().await else { return };
    let skill = folder.path().join("home/skills/tidy");
    std::fs::create_dir_all(&skill).expect("a folder");
    std::fs::write(skill.join("SKILL.md"), "---\nname: tidy\ndescription: Tidies a folder.\n---\nTidy it.\n")
        .expect("a skill");
    let all = codex.models(ModelListParams::new()).all().await.expect("models");
    let paged = codex.models(ModelListParams::new().limit(1u32)).all().await.expect("models");
    assert!(all.len() > 1 && all == paged, "{} and {}", all.len(), paged.len());
    let providers = codex.model_providers().await.expect("providers");
    assert_eq!(providers.default_provider_id, "openai");
    let features = codex.features(ExperimentalFeatureListParams::default()).all().await.expect("features");
    assert!(features.iter().any(|feature| feature.name == "plugins" && !feature.enabled), "{features:?}");
    assert!(
        !codex.permission_profiles(PermissionProfileListParams::default()).all().await.expect("profiles").is_empty()
    );
    let enabled = || async {
        let folders = codex.skills().reload::<&str>([]).await.expect("skills");
        let skill = folders.into_iter().flat_map(|folder| folder.skills).find(|skill| skill.name == "tidy");
        skill.expect("the skill").enabled
    };
    assert!(enabled().await);
    assert!(!codex.skills().set_enabled("tidy", false).await.expect("an answer"));
    assert!(!enabled().await);
    assert!(codex.mcp().servers(ListMcpServerStatusParams::default()).all().await.expect("servers").is_empty());
    soon(codex.close()).await;
}

#[tokio::test]
async fn a_key_logs_in_and_out_and_a_browser_login_is_cancelled() {
    let Some((codex, folder)) = session().await else { return };
    let (account, auth) = (codex.account(), folder.path().join("home/auth.json"));
    assert_eq!(account.read().await.expect("an answer").account, None);
    account.login_api_key("sk-not-a-key").await.expect("a login");
    assert!(matches!(account.read().await.expect("an answer").account, Some(Account::ApiKey(_))));
    assert!(std::fs::read_to_string(&auth).expect("it was written").contains("sk-not-a-key"));
    assert!(matches!(account.rate_limits().await, Err(Error::Unauthorized(_))));
    account.logout().await.expect("an answer");
    assert!(!auth.exists());
    let mut login = account.login_chatgpt().await.expect("a login");
    assert!(login.auth_url().starts_with("https://"), "it is an address");
    assert!(login.cancel().await.expect("an answer"));
    assert!(matches!(soon(login.wait()).await, Err(Error::LoginFailed { .. })));
    assert!(!login.cancel().await.expect("an answer"), "it has ended");
    soon(codex.close()).await;
}
