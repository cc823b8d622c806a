//! Asking a codex executable for its exports.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use miette::miette;

use super::{Material, Tools, folder, harvested, release};
use crate::command::{self, Failure, Finished, Group};
use crate::progress::Progress;

const HELP: &str = "name the codex executable itself: in a package of codex it is \
                    vendor/<target>/bin/codex, and `codex --version` prints `codex-cli 0.169.0`";

/// Whether the path can be a program at all.
pub(super) fn check(path: &Path) -> miette::Result<()> {
    let no = |why: String| miette!(code = "pull::no_executable", help = HELP, "{} {why}", path.display());
    let metadata = fs::metadata(path).map_err(|error| no(format!("can't be read: {error}")))?;
    if !metadata.is_file() {
        return Err(no("is no file".into()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o111 == 0 {
            return Err(no("is not marked as executable".into()));
        }
    }
    Ok(())
}

/// The release that an executable says it is.
pub(super) fn version(tools: &Tools, path: &Path) -> miette::Result<String> {
    check(path)?;
    let home = tempfile::tempdir().map_err(no_room)?;
    let finished = run_one(path, home.path(), &["--version"], tools.quick)?;
    let said = finished.stdout.trim();
    said.strip_prefix("codex-cli ")
        .or_else(|| said.strip_prefix("codex "))
        .and_then(|version| release::parse(version.trim()))
        .ok_or_else(|| {
            let said: String = said.lines().next().unwrap_or("").chars().take(80).collect();
            miette!(
                code = "pull::no_codex",
                help = HELP,
                "{} is no codex: `--version` printed `{said}`; {}",
                path.display(),
                command::tail(&finished.stderr)
            )
        })
}

/// Runs the four exports and reads them.
pub(super) fn run(
    tools: &Tools,
    path: &Path,
    release: String,
    obtained: String,
    progress: Progress,
) -> miette::Result<Material> {
    let _step = progress.step(format!("Exporting the protocol of codex {release}"));
    let work = tempfile::tempdir().map_err(no_room)?;
    let out = |kind: &str, language: &str| work.path().join(kind).join(language);
    for kind in ["stable", "experimental"] {
        for (language, verb) in [("json", "generate-json-schema"), ("ts", "generate-ts")] {
            let out = out(kind, language);
            fs::create_dir_all(&out).map_err(no_room)?;
            let folder = out.to_string_lossy();
            let mut arguments = vec!["app-server", verb, "--out", &folder];
            if kind == "experimental" {
                arguments.push("--experimental");
            }
            run_one(path, work.path(), &arguments, tools.export)?;
        }
    }
    let bundle = |kind: &str| {
        fs::read(out(kind, "json").join(folder::BUNDLE)).map_err(|error| {
            miette!(
                code = "pull::export",
                help = HELP,
                "`{} app-server generate-json-schema` ended well but wrote no {} for the {kind} protocol: {error}",
                path.display(),
                folder::BUNDLE
            )
        })
    };
    let experimental = folder::sources(&out("experimental", "ts"))?;
    let stable = folder::sources(&out("stable", "ts"))?;
    if experimental.is_empty() || stable.is_empty() {
        return Err(miette!(
            code = "pull::export",
            help = HELP,
            "`{} app-server generate-ts` ended well but wrote no TypeScript",
            path.display()
        ));
    }
    Ok(Material {
        release,
        obtained,
        stable: bundle("stable")?,
        experimental: bundle("experimental")?,
        harvest: harvested(&experimental, &stable)?,
        warnings: Vec::new(),
    })
}

/// Runs the executable once, away from the user's own codex settings. An error does not
/// name the folder that it works in: that is gone by then.
fn run_one(path: &Path, work: &Path, arguments: &[&str], limit: Duration) -> miette::Result<Finished> {
    let home = work.join("home");
    let codex_home = home.join(".codex");
    fs::create_dir_all(&codex_home).map_err(no_room)?;
    let mut command = Command::new(path);
    command
        .args(arguments)
        .current_dir(work)
        .env("HOME", &home)
        .env("USERPROFILE", &home)
        .env("CODEX_HOME", &codex_home);
    let ours = work.to_string_lossy();
    let shown = command::shown(&command).replace(&*ours, "DIR");
    let failed = |what: String| miette!(code = "pull::executable", help = HELP, "`{shown}` {what}");
    match command::run(&mut command, Group::Own, limit, &mut || ()) {
        Ok(finished) if finished.status.success() => Ok(finished),
        Ok(finished) => Err(failed(format!("failed ({}); {}", finished.status, command::tail(&finished.stderr)))),
        Err(Failure::Start(error)) => Err(failed(format!("can't be started: {error}"))),
        Err(Failure::Late { limit, stderr }) => Err(failed(format!(
            "was still running after {} s and was stopped; {}",
            limit.as_secs_f32(),
            command::tail(&stderr)
        ))),
        Err(Failure::Io(error)) => Err(failed(format!("can't be watched: {error}"))),
    }
}

// A function for `map_err`, which hands the error over.
#[allow(clippy::needless_pass_by_value)]
fn no_room(error: std::io::Error) -> miette::Report {
    miette!(
        code = "pull::temporary",
        help = "make room in the folder for temporary files, or name another in TMPDIR",
        "can't write a temporary folder: {error}"
    )
}
