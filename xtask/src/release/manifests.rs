//! The version in the manifests of a workspace.

use std::collections::BTreeSet;

use miette::miette;
use semver::Version;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::version::requirement;

/// Sets the version of the workspace's packages, and what packages of it ask of one
/// another. Everything else stays as it is written.
///
/// `members` are the packages of the workspace; `own` says whether a version that the
/// manifest itself gives its package is set: those of published packages are.
///
/// # Errors
/// If it is no TOML.
pub fn bump(
    text: &str,
    path: &str,
    members: &BTreeSet<String>,
    own: bool,
    version: &Version,
) -> miette::Result<String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        miette!(code = "release::manifest", help = "put it right; nothing was written", "{path}: {error}")
    })?;
    if let Some(workspace) = document.get_mut("workspace").and_then(Item::as_table_like_mut) {
        if let Some(package) = workspace.get_mut("package").and_then(Item::as_table_like_mut) {
            set(package, version);
        }
        dependencies(workspace, members, version);
    }
    if own && let Some(package) = document.get_mut("package").and_then(Item::as_table_like_mut) {
        set(package, version);
    }
    dependencies(document.as_table_mut(), members, version);
    if let Some(targets) = document.get_mut("target").and_then(Item::as_table_like_mut) {
        for (_, target) in targets.iter_mut() {
            if let Some(target) = target.as_table_like_mut() {
                dependencies(target, members, version);
            }
        }
    }
    Ok(document.to_string())
}

/// Whether a lock file has another version of packages of the workspace, or can't be
/// read. What else is the matter with it is not looked at: that came with no release.
pub fn is_behind(lock: &str, packages: &BTreeSet<String>, version: &Version) -> bool {
    #[derive(serde::Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Package>,
    }
    #[derive(serde::Deserialize)]
    struct Package {
        name: String,
        version: String,
        /// None for what is on this machine.
        source: Option<String>,
    }
    let version = version.to_string();
    let behind =
        |package: &Package| package.source.is_none() && packages.contains(&package.name) && package.version != version;
    toml::from_str::<Lock>(lock).map_or(true, |lock| lock.package.iter().any(behind))
}

fn dependencies(of: &mut dyn TableLike, members: &BTreeSet<String>, version: &Version) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(dependencies) = of.get_mut(kind).and_then(Item::as_table_like_mut) else { continue };
        for (key, dependency) in dependencies.iter_mut() {
            if let Some(value) = dependency.as_value_mut().filter(|value| value.is_str()) {
                if members.contains(key.get()) {
                    asked(value, version);
                }
                continue;
            }
            let Some(dependency) = dependency.as_table_like_mut() else { continue };
            let name = dependency.get("package").and_then(Item::as_str).unwrap_or(key.get()).to_owned();
            if !members.contains(&name) {
                continue;
            }
            if dependency.contains_key("path") {
                set(dependency, version);
            } else if let Some(value) = dependency.get_mut("version").and_then(Item::as_value_mut) {
                asked(value, version);
            }
        }
    }
}

/// Sets a version that is there, with its operator and with the space around it.
fn set(table: &mut dyn TableLike, version: &Version) {
    if let Some(value) = table.get_mut("version").and_then(Item::as_value_mut) {
        write(value, &version.to_string());
    }
}

/// Sets what a user asks for: as a minor, or whole as before.
fn asked(value: &mut Value, version: &Version) {
    let whole =
        value.as_str().and_then(|old| old.split(['-', '+']).next()).is_some_and(|old| old.matches('.').count() == 2);
    write(value, &requirement(version, whole));
}

fn write(value: &mut Value, version: &str) {
    let Some(old) = value.as_str() else { return };
    let operator: String = old.chars().take_while(|c| !c.is_ascii_digit()).collect();
    let mut new = Value::from(format!("{operator}{version}"));
    if new.as_str() != value.as_str() {
        *new.decor_mut() = value.decor().clone();
        *value = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bumped(text: &str, own: bool) -> String {
        let members = ["codex-rpc", "codex-rpc-dispatch"].map(str::to_owned).into();
        bump(text, "Cargo.toml", &members, own, &Version::new(0, 170, 1)).unwrap()
    }

    #[test]
    fn versions_move_and_nothing_else_does() {
        let text = "# A comment.\n[workspace]\nmembers = [ \"a\",\"b\" ]\n\n[workspace.package]\n\
                    version = \"0.169.0\" # that of codex\nedition = \"2024\"\n\n[workspace.dependencies]\n\
                    codex-rpc = { path = \"crates/codex-rpc\",  version = \"0.169.0\" }\n\
                    other = { path = \"other\", version = \"0.169.0\" }\nserde = { version = \"0.169.0\" }\n";
        let expected = text.replacen("version = \"0.169.0\" #", "version = \"0.170.1\" #", 1).replacen(
            "rpc\",  version = \"0.169.0\"",
            "rpc\",  version = \"0.170.1\"",
            1,
        );
        assert_eq!(bumped(text, true), expected);
        assert_eq!(bumped(&expected, true), expected);
    }

    #[test]
    fn a_published_package_may_have_a_version_of_its_own() {
        let text = "[package]\nname = \"codex-rpc-dispatch\"\nversion = \"0.169.0\"\n";
        assert_eq!(bumped(text, true), text.replace("0.169.0", "0.170.1"));
        assert_eq!(bumped(text, false), text);
        let inherited = "[package]\nname = \"x\"\nversion.workspace = true\n";
        assert_eq!(bumped(inherited, true), inherited);
    }

    #[test]
    fn what_packages_ask_of_one_another_moves_with_its_operator() {
        let text = "[dev-dependencies.codex-rpc]\npath = \"..\"\nversion = \"=0.169.0\"\n\n\
                    [target.'cfg(unix)'.dependencies]\n\
                    renamed = { package = \"codex-rpc-dispatch\", path = \"x\", version = \"0.169.0\" }\n\
                    codex-rpc-dispatch = { path = \"x\" }\n";
        let expected = text.replace("=0.169.0", "=0.170.1").replace("\"0.169.0\"", "\"0.170.1\"");
        assert_eq!(bumped(text, false), expected);
    }

    #[test]
    fn a_lock_file_is_behind_if_it_has_another_version_of_ours() {
        let packages = ["codex-rpc".to_owned()].into();
        let behind = |lock: &str| is_behind(lock, &packages, &Version::new(0, 170, 1));
        let lock = "version = 4\n\n[[package]]\nname = \"codex-rpc\"\nversion = \"0.170.1\"\n\n\
                    [[package]]\nname = \"x\"\nversion = \"0.169.0\"\n";
        assert!(!behind(lock) && !behind("version = 4\n"));
        assert!(behind(&lock.replace("0.170.1", "0.170.0")) && behind("[[package]]\n"));
        let published = lock.replace("0.170.1\"", "0.169.0\"\nsource = \"registry+x\"");
        assert!(!behind(&published), "a published one is asked for as it is");
    }

    #[test]
    fn what_a_project_asks_for_as_a_user_moves_as_it_is_written() {
        let text = "[dependencies]\ncodex-rpc = \"0.169\" # ours\nserde = \"0.169\"\n\
                    codex-rpc-dispatch = { version = \"^0.169.0\", features = [] }\n";
        let expected = text.replacen("\"0.169\"", "\"0.170\"", 1).replace("^0.169.0", "^0.170.1");
        assert_eq!(bumped(text, false), expected);
    }

    #[test]
    fn what_is_no_toml_is_named() {
        let error = bump("[package\n", "a/Cargo.toml", &BTreeSet::new(), true, &Version::new(1, 0, 0)).unwrap_err();
        assert!(error.to_string().starts_with("a/Cargo.toml: "), "{error}");
    }
}
