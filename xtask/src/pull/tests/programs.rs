//! Pulls that start programs: scripts that stand in for codex and npm.

use std::process::Command;

use super::*;

/// Writes a script through another process: a descriptor of ours, open for
/// writing while another test starts a program, would make it "busy".
fn script(path: &Path, body: &str) {
    let status = Command::new("sh")
        .args(["-c", "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod +x \"$2\"", "sh", body])
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
}

/// What a codex does that exports `export`.
fn codex(export: &Path, version: &str) -> String {
    format!(
        "[ -d \"$HOME\" ] && [ -d \"$CODEX_HOME\" ] || exit 7\n\
         if [ \"$1\" = --version ]; then echo 'codex-cli {version}'; exit; fi\n\
         case $2 in generate-ts) l=ts;; generate-json-schema) l=json;; *) exit 8;; esac\n\
         case $5 in --experimental) k=experimental;; *) k=stable;; esac\n\
         cp -r '{}'/$k/$l/. \"$4\"",
        export.display()
    )
}

#[test]
fn an_executable_is_asked_for_its_exports() {
    let export = export();
    let (_work, target) = target();
    let path = export.path().join("codex");
    script(&path, &codex(export.path(), "1.2.3"));
    let release = path.to_str();
    let pulled = pull_with(&tools(), request(release, None, &target), Progress::Silent).unwrap();
    assert_eq!(pulled.release, "1.2.3");
    assert_eq!(pulled.source, Source::Executable(path.clone()));
    assert_eq!(fs::read_to_string(target.join(STABLE)).unwrap(), bundle(1));
    assert_eq!(fs::read_to_string(target.join(EXPERIMENTAL)).unwrap(), bundle(2));
    assert_eq!(verify(&target).unwrap().obtained, "executable");
    let pulled = pull_with(&tools(), request(release, Some("2.0.0"), &target), Progress::Silent);
    assert_eq!(pulled.unwrap().release, "2.0.0");
    // A codex that writes half of what it should.
    let bundle = export.path().join("stable/json").join(folder::BUNDLE);
    fs::write(bundle, "{\"definitions\": {").unwrap();
    refused(&tools(), release, None, "pull::bundle");
    fs::remove_file(export.path().join("stable/json").join(folder::BUNDLE)).unwrap();
    let error = refused(&tools(), release, None, "pull::export");
    assert!(error.to_string().contains("generate-json-schema"), "{error}");
}

#[test]
fn what_is_no_codex_is_an_error() {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("program");
    for (body, expected, says) in [
        ("exit 0", "pull::no_codex", "printed ``"),
        ("echo 'other-cli 1.2.3'", "pull::no_codex", "other-cli"),
        ("echo boom >&2; exit 3", "pull::executable", "boom"),
        (
            "if [ \"$1\" = --version ]; then echo 'codex-cli 1.2.3'; exit; fi; echo no >&2; exit 2",
            "pull::executable",
            "generate-json-schema",
        ),
        ("if [ \"$1\" = --version ]; then echo 'codex-cli 1.2.3'; fi", "pull::export", "no TypeScript"),
    ] {
        script(&path, body);
        let error = refused(&tools(), path.to_str(), None, expected);
        assert!(error.to_string().contains(says), "{error}");
    }
    fs::write(work.path().join("text"), "text").unwrap();
    let text = work.path().join("text");
    refused(&tools(), text.to_str(), None, "pull::no_executable");
    // Marked as executable, but no program.
    let mark = Command::new("chmod").arg("+x").arg(&text).status();
    assert!(mark.unwrap().success());
    fs::write(&text, [0, 1, 2, 3]).unwrap();
    refused(&tools(), text.to_str(), None, "pull::executable");
}

#[test]
fn a_program_that_hangs_is_killed_with_what_it_started() {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("program");
    let pipe = work.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    // The pipe ends when nobody holds it for writing any more.
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    let child = format!("(sleep 30; echo survived) > '{}' &", pipe.display());
    script(&path, &format!("{child} wait"));
    let tools = Tools { quick: Duration::from_millis(400), ..tools() };
    let error = refused(&tools, path.to_str(), None, "pull::executable");
    assert!(error.to_string().contains("still running"), "{error}");
    // If the program never got to open the pipe, the reader still waits.
    // For both ways at once, which waits for nobody.
    let both = fs::OpenOptions::new().read(true).write(true).open(&pipe);
    drop(both.unwrap());
    assert_eq!(reader.join().unwrap(), "");
}

/// An npm that packs `codex` as the platform package of every version.
fn npm(work: &Path, codex: &str) -> Tools {
    let bin = work.join("package/vendor/some-target/bin");
    fs::create_dir_all(&bin).unwrap();
    script(&bin.join("codex"), codex);
    let npm = work.join("npm");
    script(
        &npm,
        &format!(
            "case $1 in\n\
             view) echo '\"1.2.3\"';;\n\
             pack) case $5 in *9.9.9*) echo 'npm error code ETARGET' >&2; exit 1;; esac\n\
             echo run >> '{0}/runs'\n\
             tar czf \"$4/p.tgz\" -C '{0}' package; echo '[{{}}]';;\n\
             esac",
            work.display()
        ),
    );
    Tools { npm: npm.into(), cache: Some(work.join("cache")), ..tools() }
}

#[test]
fn a_version_is_fetched_once() {
    let export = export();
    let work = tempfile::tempdir().unwrap();
    let tools = npm(work.path(), &codex(export.path(), "1.2.3"));
    let (_work, target) = target();
    for release in [Some("1.2.3"), Some("latest"), None] {
        let pulled = pull_with(&tools, request(release, None, &target), Progress::Silent).unwrap();
        assert_eq!(pulled.release, "1.2.3");
        assert_eq!(pulled.source, Source::Npm("@openai/codex@1.2.3".into()));
        assert_eq!(pulled.changed, release == Some("1.2.3"));
    }
    assert_eq!(fs::read_to_string(work.path().join("runs")).unwrap(), "run\n");
    assert_eq!(verify(&target).unwrap().obtained, "npm:@openai/codex@1.2.3");
    // The cache holds the package and nothing half done.
    assert_eq!(fs::read_dir(work.path().join("cache")).unwrap().count(), 1);
}

#[test]
fn a_version_that_npm_does_not_have_is_an_error() {
    let export = export();
    let work = tempfile::tempdir().unwrap();
    let tools = npm(work.path(), &codex(export.path(), "1.2.3"));
    let error = refused(&tools, Some("9.9.9"), None, "pull::no_such_version");
    assert!(error.to_string().contains("ETARGET"), "{error}");
    // A package that is not what its name says.
    refused(&tools, Some("1.2.4"), None, "pull::another_release");
}

#[test]
fn a_damaged_package_leaves_no_half_cache() {
    let work = tempfile::tempdir().unwrap();
    let tools = Tools { npm: work.path().join("npm").into(), cache: Some(work.path().join("cache")), ..tools() };
    for (body, expected) in [
        ("head -c 99 /dev/zero > \"$4/p.tgz\"", "pull::package"),
        ("mkdir package && tar czf \"$4/p.tgz\" package && rmdir package", "pull::package"),
        ("touch p && tar czf \"$4/p.tgz\" p && echo '[{\"integrity\":\"sha512-x\"}]'", "pull::integrity"),
        ("true", "pull::npm_answer"),
        ("echo no >&2; exit 1", "pull::npm"),
    ] {
        script(&work.path().join("npm"), &format!("cd '{}'\n{body}", work.path().display()));
        let (_work, target) = target();
        let error = pull_with(&tools, request(Some("1.2.3"), None, &target), Progress::Silent);
        assert_eq!(code(&error.unwrap_err()), expected, "{body}");
        assert_eq!(fs::read_dir(work.path().join("cache")).unwrap().count(), 0, "{body}");
    }
}
