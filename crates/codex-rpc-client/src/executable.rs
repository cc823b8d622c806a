//! Finding the codex executable.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf, absolute};

use crate::{Error, ExecutableNotFound};

/// The variable that names the executable.
const VARIABLE: &str = "CODEX_BIN";

/// What the executable is called, the likeliest first.
const NAMES: &[&str] = if cfg!(windows) { &["codex.exe", "codex.cmd"] } else { &["codex"] };

/// The codex executable: the explicit one, else what `CODEX_BIN` names, else the first on
/// the `PATH`. The answer is absolute, so that a child's working folder doesn't change
/// what it means.
///
/// One that is named and isn't there is an error: another one than the named is never
/// taken. A name without a folder, such as `codex-beta`, is looked for on the `PATH`.
///
/// # Errors
/// [`Error::ExecutableNotFound`], which says where it was looked for.
pub(crate) fn find(explicit: Option<&Path>) -> Result<PathBuf, Error> {
    find_in(explicit, env::var_os(VARIABLE).as_deref(), env::var_os("PATH").as_deref())
}

fn find_in(explicit: Option<&Path>, variable: Option<&OsStr>, path: Option<&OsStr>) -> Result<PathBuf, Error> {
    let mut looked = Vec::new();
    let variable = variable.filter(|value| !value.is_empty());
    let found = if let Some(named) = explicit {
        find_named(named, "the path that was given", path, &mut looked)
    } else if let Some(named) = variable {
        find_named(Path::new(named), VARIABLE, path, &mut looked)
    } else {
        looked.push(format!("{VARIABLE} (not set)"));
        let names: Vec<_> = NAMES.iter().map(|name| OsString::from(*name)).collect();
        find_on_path(&names, path, &mut looked)
    };
    found.ok_or(Error::ExecutableNotFound(ExecutableNotFound { looked }))
}

fn find_named(named: &Path, source: &str, path: Option<&OsStr>, looked: &mut Vec<String>) -> Option<PathBuf> {
    if named.parent() == Some(Path::new("")) {
        let mut candidates = vec![named.as_os_str().to_owned()];
        if cfg!(windows) && named.extension().is_none() {
            candidates.extend([".exe", ".cmd"].map(|extension| {
                let mut name = named.as_os_str().to_owned();
                name.push(extension);
                name
            }));
        }
        looked.push(format!("{source}: `{}`", named.display()));
        return find_on_path(&candidates, path, looked);
    }
    let complete = absolute(named).unwrap_or_else(|_| named.to_owned());
    let Some(reason) = why_not(&complete) else { return Some(complete) };
    looked.push(format!("{source}: `{}` ({reason})", complete.display()));
    None
}

fn find_on_path(names: &[OsString], path: Option<&OsStr>, looked: &mut Vec<String>) -> Option<PathBuf> {
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        looked.push("PATH (not set)".to_owned());
        return None;
    };
    for folder in env::split_paths(path).filter(|folder| !folder.as_os_str().is_empty()) {
        let Ok(folder) = absolute(folder) else { continue };
        for name in names {
            let candidate = folder.join(name);
            if why_not(&candidate).is_none() {
                return Some(candidate);
            }
        }
        looked.push(format!("PATH: `{}`", folder.display()));
    }
    None
}

/// Why the file can't be started, if that can be told.
fn why_not(file: &Path) -> Option<&'static str> {
    let Ok(metadata) = file.metadata() else { return Some("no such file") };
    if !metadata.is_file() {
        return Some("no file");
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 == 0 {
        return Some("not executable");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with an executable of each of the names, and a plain file `notes`.
    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let file = folder.path().join(name);
            fs::write(&file, "").unwrap();
            #[cfg(unix)]
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        fs::write(folder.path().join("notes"), "").unwrap();
        folder
    }

    fn looked(result: Result<PathBuf, Error>) -> Vec<String> {
        match result {
            Err(Error::ExecutableNotFound(error)) => error.looked,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_explicit_one_comes_before_the_variable_and_that_before_the_path() {
        let [given, variable, path] = [folder(NAMES), folder(NAMES), folder(NAMES)];
        let [given, variable] = [given.path().join(NAMES[0]), variable.path().join(NAMES[0])];
        let find = |explicit, variable| find_in(explicit, variable, Some(path.path().as_os_str())).unwrap();
        assert_eq!(find(Some(given.as_path()), Some(variable.as_os_str())), given);
        assert_eq!(find(None, Some(variable.as_os_str())), variable);
        assert_eq!(find(None, Some(OsStr::new(""))), path.path().join(NAMES[0]), "an empty variable is none");
        assert_eq!(find(None, None), path.path().join(NAMES[0]));
    }

    #[test]
    fn one_that_is_named_and_missing_is_never_replaced_by_another() {
        let path = folder(NAMES);
        let missing = path.path().join("missing");
        let on_path = Some(path.path().as_os_str());
        let said = [format!("the path that was given: `{}` (no such file)", missing.display())];
        assert_eq!(looked(find_in(Some(&missing), None, on_path)), said);
        let said = [format!("CODEX_BIN: `{}` (no such file)", missing.display())];
        assert_eq!(looked(find_in(None, Some(missing.as_os_str()), on_path)), said);
    }

    #[test]
    fn a_folder_is_no_executable() {
        let path = folder(&[]);
        let said = looked(find_in(Some(path.path()), None, None));
        assert!(said[0].ends_with("(no file)"), "{said:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_may_not_be_executed_is_none() {
        let path = folder(&[]);
        let said = looked(find_in(Some(&path.path().join("notes")), None, None));
        assert!(said[0].ends_with("(not executable)"), "{said:?}");
        assert_eq!(looked(find_in(Some(Path::new("notes")), None, Some(path.path().as_os_str()))).len(), 2);
    }

    #[test]
    fn a_name_without_a_folder_is_looked_for_on_the_path() {
        let path = folder(&["codex-beta"]);
        let found = find_in(Some(Path::new("codex-beta")), None, Some(path.path().as_os_str())).unwrap();
        assert_eq!(found, path.path().join("codex-beta"));
    }

    #[test]
    fn the_error_lists_every_place_in_order() {
        let [first, second] = [folder(&[]), folder(&[])];
        let path = env::join_paths([first.path(), second.path()]).unwrap();
        let said = looked(find_in(None, None, Some(&path)));
        let expected = [
            "CODEX_BIN (not set)".to_owned(),
            format!("PATH: `{}`", first.path().display()),
            format!("PATH: `{}`", second.path().display()),
        ];
        assert_eq!(said, expected);
        assert_eq!(looked(find_in(None, None, None)), ["CODEX_BIN (not set)", "PATH (not set)"]);
    }

    #[test]
    fn what_is_found_is_absolute() {
        let here = env::current_dir().unwrap();
        let test = env::current_exe().unwrap();
        let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
        let relative = up.join(test.strip_prefix(test.ancestors().last().unwrap()).unwrap());
        assert!(relative.is_relative());
        let found = find_in(Some(&relative), None, None).unwrap();
        assert!(found.is_absolute(), "{}", found.display());
    }
}
