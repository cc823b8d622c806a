//! Runs an executable for a short answer.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use semver::Version;
use wait_timeout::ChildExt as _;

use crate::recorder::end_process;

/// As much of the output as is read: 1 MiB.
const OUTPUT: u64 = 1 << 20;

/// What it writes to stdout, if it ends well and in time. Its home is a folder that goes
/// again.
pub(super) fn run(executable: &Path, arguments: &[&OsStr], limit: Duration) -> Result<String, String> {
    let home = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
    let mut command = Command::new(executable);
    command.args(arguments).env("CODEX_HOME", home.path()).env("HOME", home.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| format!("can't start it: {error}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let drain = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(pipe) = pipe {
                let _ = pipe.take(OUTPUT).read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = drain(stdout.map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>));
    let stderr = drain(stderr.map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>));
    let ended = child.wait_timeout(limit);
    // All that it started, too, so that the pipes end.
    end_process(&mut child);
    let output = stdout.join().unwrap_or_default();
    let errors = stderr.join().unwrap_or_default();
    let what = arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ");
    match ended {
        Ok(Some(status)) if status.success() => Ok(output),
        Ok(Some(status)) => {
            let errors = errors.trim();
            let tail = errors.char_indices().rev().nth(1_000).map_or(errors, |(start, _)| &errors[start..]);
            Err(format!("`{what}` ended with {status}{}{tail}", if tail.is_empty() { "" } else { ": " }))
        }
        Ok(None) => Err(format!("`{what}` did not end within {limit:?}")),
        Err(error) => Err(format!("`{what}` can't be waited for: {error}")),
    }
}

/// The release that an executable says it is.
pub(super) fn version(executable: &Path, limit: Duration) -> Result<Version, String> {
    let output = run(executable, &["--version".as_ref()], limit)?;
    let found = output.split_whitespace().find_map(|word| Version::parse(word).ok());
    found.ok_or_else(|| {
        let shown: String = output.trim().chars().take(200).collect();
        format!("`--version` does not say a version but {shown:?}: is it codex?")
    })
}
