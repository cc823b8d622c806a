use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use miette::Report;
use tempfile::TempDir;

use super::release::{Wanted, wanted};
use super::*;

#[cfg(unix)]
mod programs;

/// Neither npm nor a cache, and little patience.
fn tools() -> Tools {
    Tools {
        npm: "there-is-no-npm-of-this-name".into(),
        cache: None,
        quick: Duration::from_secs(20),
        export: Duration::from_secs(20),
        fetch: Duration::from_secs(20),
    }
}

fn bundle(methods: usize) -> String {
    let methods = vec!["{}"; methods].join(", ");
    format!("{{\"definitions\": {{\"ClientRequest\": {{\"oneOf\": [{methods}]}}, \"v2\": {{}}}}}}\n")
}

fn requests(methods: &[&str]) -> String {
    let arms: Vec<_> = methods.iter().map(|method| format!("{{ \"method\": \"{method}\" }}")).collect();
    format!("export type ClientRequest = {};\n", arms.join(" | "))
}

fn write(path: PathBuf, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A temporary folder with an export of two releases' worth of nothing.
fn export() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (kind, methods) in [("stable", &["a"][..]), ("experimental", &["a", "b"][..])] {
        let at = folder.path().join(kind);
        write(at.join("json").join(folder::BUNDLE), bundle(methods.len()));
        write(at.join("ts/ClientRequest.ts"), requests(methods));
        write(at.join("ts/v2/index.ts"), "export type { X } from \"./X\";\n");
        write(at.join("ts/v2/X.ts"), "export type X = string | null | null;\n");
    }
    folder
}

/// A target that holds something already.
fn target() -> (TempDir, PathBuf) {
    let work = tempfile::tempdir().unwrap();
    let target = work.path().join("protocol-schema");
    write(target.join("errata.toml"), "# reviewed\n");
    write(target.join("notes/a.md"), "a note\n");
    write(target.join(STABLE), "old");
    (work, target)
}

/// Every file below a folder by path.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

fn code(report: &Report) -> String {
    report.code().map(|code| code.to_string()).unwrap_or_default()
}

/// What is asked for.
fn request<'a>(release: Option<&'a str>, hint: Option<&'a str>, schema: &'a Path) -> Request<'a> {
    Request { release, hint, schema, command: "cargo xtask pull 0.169.0" }
}

/// Pulls a folder.
fn from(folder: &Path, hint: Option<&str>, target: &Path) -> miette::Result<Pulled> {
    let folder = folder.to_str().unwrap();
    pull_with(&tools(), request(Some(folder), hint, target), Progress::Silent)
}

/// Pulls what must fail with a code, and checks that nothing changed.
fn refused(tools: &Tools, release: Option<&str>, hint: Option<&str>, expected: &str) -> Report {
    let (work, target) = target();
    let before = snapshot(work.path());
    let error = pull_with(tools, request(release, hint, &target), Progress::Silent).unwrap_err();
    assert_eq!(code(&error), expected, "{error}");
    assert_eq!(snapshot(work.path()), before);
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1);
    error
}

#[test]
fn a_folder_becomes_a_schema_folder() {
    let export = export();
    let (work, target) = target();
    let pulled = from(export.path(), Some("v1.2.3"), &target).unwrap();
    assert_eq!((pulled.release.as_str(), pulled.changed), ("1.2.3", true));
    assert_eq!(pulled.warnings, Vec::<String>::new());
    let text = |name: &str| fs::read_to_string(target.join(name)).unwrap();
    assert_eq!(text(STABLE), bundle(1));
    assert_eq!(text(EXPERIMENTAL), bundle(2));
    assert_eq!(text("errata.toml"), "# reviewed\n");
    assert_eq!(text("notes/a.md"), "a note\n");
    assert!(text(PIN).contains("obtained = \"folder\""), "{}", text(PIN));
    let harvest = codex_rpc_codegen::harvest::Harvest::from_json(&text(HARVEST)).unwrap();
    assert_eq!(harvest.stable_methods["ClientRequest"], ["a"]);
    assert!(harvest.types.contains_key("X"));
    let pin = verify(&target).unwrap();
    assert_eq!((pin.release.as_str(), pin.files.len()), ("1.2.3", 3));
    // Nothing is left beside the folder.
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1);
    // No byte depends on where this ran.
    for bytes in snapshot(&target).values() {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(export.path().to_str().unwrap()), "{text}");
    }

    let before = snapshot(&target);
    assert!(!from(export.path(), Some("1.2.3"), &target).unwrap().changed);
    assert_eq!(snapshot(&target), before);

    // Our own layout, into another place and onto itself.
    let copy = work.path().join("copy");
    let pulled = from(&target, None, &copy).unwrap();
    assert_eq!(pulled.release, "1.2.3");
    assert_eq!(fs::read(copy.join(PIN)).unwrap(), fs::read(target.join(PIN)).unwrap());
    assert!(!from(&target, None, &target).unwrap().changed);
}

#[test]
fn one_export_serves_as_both_with_a_warning() {
    let export = export();
    fs::remove_dir_all(export.path().join("stable")).unwrap();
    let (_work, target) = target();
    let pulled = from(export.path(), Some("1.2.3"), &target).unwrap();
    assert_eq!(pulled.warnings.len(), 1, "{:?}", pulled.warnings);
    assert_eq!(fs::read_to_string(target.join(STABLE)).unwrap(), bundle(2));

    fs::remove_dir_all(export.path().join("experimental/ts")).unwrap();
    let pulled = from(export.path(), Some("1.2.3"), &target).unwrap();
    assert_eq!(pulled.warnings.len(), 2, "{:?}", pulled.warnings);
}

#[test]
fn an_export_inside_an_export_is_another_export() {
    let export = export();
    let outer = tempfile::tempdir().unwrap();
    for (path, bytes) in snapshot(export.path()) {
        let path = path.strip_prefix(export.path()).unwrap();
        // The stable export lies in the folder itself, the other below it.
        let path = path.strip_prefix("stable").unwrap_or(path);
        let path: PathBuf = path.iter().filter(|part| *part != "ts" && *part != "json").collect();
        write(outer.path().join(path), bytes);
    }
    let (_other, flat) = target();
    let (_work, target) = target();
    let pulled = from(outer.path(), Some("1.2.3"), &target).unwrap();
    assert_eq!(pulled.warnings, Vec::<String>::new());
    from(export.path(), Some("1.2.3"), &flat).unwrap();
    for name in [STABLE, EXPERIMENTAL, HARVEST, PIN] {
        assert_eq!(fs::read(target.join(name)).unwrap(), fs::read(flat.join(name)).unwrap());
    }
    // What is not the stable export's own is not read as a part of it.
    write(outer.path().join("experimental/v2/X.ts"), "export type X = null;\n");
    from(outer.path(), Some("1.2.3"), &target).unwrap();
    let files = folder::sources(outer.path()).unwrap();
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["ClientRequest.ts", "v2/X.ts", "v2/index.ts"]);
}

#[test]
fn the_release_of_a_folder_is_told_by_names() {
    let export = export();
    let (_work, target) = target();
    for inner in ["0.9.1", "rust-v0.9.1/out"] {
        let outer = tempfile::tempdir().unwrap();
        let named = outer.path().join(inner);
        fs::create_dir_all(named.parent().unwrap()).unwrap();
        for (path, bytes) in snapshot(export.path()) {
            write(named.join(path.strip_prefix(export.path()).unwrap()), bytes);
        }
        let levels_below = inner.contains('/');
        for folder in [Some(named.as_path()), (!levels_below).then(|| outer.path())] {
            let Some(folder) = folder else { continue };
            assert_eq!(from(folder, None, &target).unwrap().release, "0.9.1", "{inner}");
        }
    }
    let folder = export.path().to_str();
    let error = refused(&tools(), folder, None, "pull::which_release");
    assert!(error.help().unwrap().to_string().contains("--as"));
    // Two halves of two releases.
    fs::rename(export.path().join("stable"), export.path().join("0.1.0")).unwrap();
    fs::rename(export.path().join("experimental"), export.path().join("0.2.0")).unwrap();
    refused(&tools(), folder, None, "pull::many_exports");
    write(export.path().join("3").join(folder::BUNDLE), bundle(3));
    refused(&tools(), folder, Some("1.2.3"), "pull::many_exports");
}

#[test]
fn a_damaged_export_changes_nothing() {
    for (path, text, expected) in [
        ("experimental/json", &bundle(2)[..30], "pull::bundle"),
        ("stable/json", "{\"definitions\": {}}", "pull::bundle"),
        ("stable/json", "{}", "pull::bundle"),
        ("stable/ts/v2/X.ts", "export type X = ", "pull::harvest"),
        ("experimental/ts/v2/X.ts", "export type X = keyof X;", "pull::harvest"),
        ("experimental/ts/ClientRequest.ts", "export type Client", "pull::harvest"),
    ] {
        let export = export();
        let mut file = export.path().join(path);
        if file.is_dir() {
            file = file.join(folder::BUNDLE);
        }
        write(file, text);
        refused(&tools(), export.path().to_str(), Some("1.2.3"), expected);
    }
    let empty = tempfile::tempdir().unwrap();
    refused(&tools(), empty.path().to_str(), Some("1.2.3"), "pull::no_export");
}

#[test]
fn a_target_that_cannot_be_written_is_an_error() {
    let export = export();
    let file = tempfile::NamedTempFile::new().unwrap();
    for target in [file.path().to_owned(), file.path().join("below")] {
        let error = from(export.path(), Some("1.2.3"), &target).unwrap_err();
        assert_eq!(code(&error), "replace::unwritable", "{error}");
    }
}

#[test]
fn a_changed_file_is_noticed() {
    let export = export();
    let (_work, target) = target();
    from(export.path(), Some("1.2.3"), &target).unwrap();
    let whole = snapshot(&target);
    for name in [STABLE, EXPERIMENTAL, HARVEST] {
        write(target.join(name), "changed");
        let error = verify(&target).unwrap_err();
        assert_eq!(code(&error), "pull::changed");
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.help().unwrap().to_string().contains("cargo xtask pull 1.2.3"));
        fs::remove_file(target.join(name)).unwrap();
        assert_eq!(code(&verify(&target).unwrap_err()), "pull::changed");
        let path = target.join(name);
        fs::write(&path, &whole[&path]).unwrap();
        verify(&target).unwrap();
    }
    let pin = fs::read_to_string(target.join(PIN)).unwrap();
    let lines: Vec<_> = pin.lines().filter(|line| !line.contains(HARVEST)).collect();
    write(target.join(PIN), lines.join("\n"));
    assert_eq!(code(&verify(&target).unwrap_err()), "pull::changed");
    write(target.join(PIN), "release = 1");
    assert_eq!(code(&verify(&target).unwrap_err()), "pull::pin");
    fs::remove_file(target.join(PIN)).unwrap();
    assert_eq!(code(&verify(&target).unwrap_err()), "pull::no_pin");
}

#[test]
fn what_an_argument_means() {
    let version = |text: &str| Wanted::Version(text.into());
    for text in ["0.169.0", "v0.169.0", "rust-v0.169.0"] {
        assert_eq!(wanted(text).unwrap(), version("0.169.0"));
    }
    assert_eq!(wanted("0.170.0-alpha.1").unwrap(), version("0.170.0-alpha.1"));
    assert_eq!(wanted("latest").unwrap(), Wanted::Latest);
    let here = tempfile::tempdir().unwrap();
    let path = here.path().join("0.169.0");
    fs::create_dir(&path).unwrap();
    assert_eq!(wanted(path.to_str().unwrap()).unwrap(), Wanted::Path(path));
    for (text, expected) in
        [("0.169", "pull::release"), ("newest", "pull::release"), ("./newest", "pull::no_such_path")]
    {
        let error = wanted(text).unwrap_err();
        assert_eq!(code(&error), expected, "{text}");
        assert!(error.help().unwrap().to_string().contains("latest"));
    }
}

#[test]
fn a_missing_npm_says_what_to_install() {
    let cache = tempfile::tempdir().unwrap();
    let mut tools = tools();
    tools.cache = Some(cache.path().to_owned());
    for release in ["1.2.3", "latest"] {
        let error = refused(&tools, Some(release), None, "pull::npm_missing");
        assert!(error.help().unwrap().to_string().contains("install Node.js"));
    }
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
    // Without an argument the pinned release is wanted, and here is none.
    refused(&tools, None, None, "pull::no_pin");
    refused(&tools, Some("1.2.3"), Some("1.2.4"), "pull::two_releases");
}
