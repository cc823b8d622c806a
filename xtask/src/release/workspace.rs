//! The packages of the workspace, as cargo tells them: no list of ours to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use miette::miette;
use semver::Version;
use serde::Deserialize;

use super::program::{cargo, output};

/// A package of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its manifest, below the workspace's root.
    pub manifest: PathBuf,
    /// Whether it may be published.
    pub published: bool,
    /// The packages of the workspace that must be published before it.
    pub needs: BTreeSet<String>,
    /// Whether it has a library, whose API can be compared.
    pub library: bool,
}

/// The packages, and the folder that builds go to.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// By name.
    pub packages: BTreeMap<String, Package>,
    /// Cargo's target folder.
    pub target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    version: Version,
    manifest_path: PathBuf,
    publish: Option<Vec<String>>,
    dependencies: Vec<MetadataDependency>,
    targets: Vec<MetadataTarget>,
}

#[derive(Deserialize)]
struct MetadataDependency {
    name: String,
    req: String,
    kind: Option<String>,
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    kind: Vec<String>,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    /// If there is no workspace that cargo can read.
    pub fn read(root: &Path) -> miette::Result<Self> {
        let mut command = cargo(root);
        command.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
        let text = output(&mut command)?;
        let metadata: Metadata = serde_json::from_slice(&text).map_err(|error| {
            miette!(code = "release::metadata", help = "this is a fault of xtask", "cargo metadata: {error}")
        })?;
        let names: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
        let package = |package: &MetadataPackage| Package {
            name: package.name.clone(),
            version: package.version.clone(),
            manifest: package
                .manifest_path
                .strip_prefix(&metadata.workspace_root)
                .unwrap_or(&package.manifest_path)
                .to_owned(),
            published: package.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
            needs: package
                .dependencies
                .iter()
                // A dev-dependency by path alone is left out of what is published.
                .filter(|dependency| dependency.kind.as_deref() != Some("dev") || dependency.req != "*")
                .filter(|dependency| dependency.path.is_some() && names.contains(dependency.name.as_str()))
                .map(|dependency| dependency.name.clone())
                .collect(),
            library: package.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "lib")),
        };
        let packages = metadata.packages.iter().map(|read| (read.name.clone(), package(read))).collect();
        Ok(Self { packages, target: metadata.target_directory })
    }

    /// The published packages, each after those that it needs.
    ///
    /// # Errors
    /// If packages need one another, or one that is not published.
    pub fn published(&self) -> miette::Result<Vec<&Package>> {
        let mut left: BTreeMap<&str, &Package> =
            self.packages.values().filter(|package| package.published).map(|it| (it.name.as_str(), it)).collect();
        for package in left.values() {
            if let Some(private) = package.needs.iter().find(|name| !left.contains_key(name.as_str())) {
                return Err(miette!(
                    code = "release::order",
                    help = format!("publish {private}, or don't need it: a dev-dependency by `path` alone is left out"),
                    "{} is published and needs {private}, which is not",
                    package.name
                ));
            }
        }
        let mut order: Vec<&Package> = Vec::new();
        while !left.is_empty() {
            let free: Vec<&str> = left
                .values()
                .filter(|package| !package.needs.iter().any(|name| left.contains_key(name.as_str())))
                .map(|package| package.name.as_str())
                .collect();
            if free.is_empty() {
                let names: Vec<&str> = left.into_keys().collect();
                return Err(miette!(
                    code = "release::order",
                    help = "give the dev-dependencies among them by `path` alone, without a version",
                    "{} need one another: none can be published first",
                    names.join(", ")
                ));
            }
            order.extend(free.into_iter().filter_map(|name| left.remove(name)));
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(packages: &[(&str, bool, &[&str])]) -> Workspace {
        let package = |(name, published, needs): &(&str, bool, &[&str])| Package {
            name: (*name).to_owned(),
            version: Version::new(0, 1, 0),
            manifest: PathBuf::new(),
            published: *published,
            needs: needs.iter().map(|name| (*name).to_owned()).collect(),
            library: true,
        };
        let packages = packages.iter().map(|it| (it.0.to_owned(), package(it))).collect();
        Workspace { packages, target: PathBuf::new() }
    }

    #[test]
    fn what_is_needed_is_published_first() {
        let workspace =
            workspace(&[("a", true, &["c", "b"]), ("b", true, &["c"]), ("c", true, &[]), ("x", false, &["a"])]);
        let order: Vec<&str> = workspace.published().unwrap().iter().map(|package| package.name.as_str()).collect();
        assert_eq!(order, ["c", "b", "a"]);
    }

    #[test]
    fn packages_that_can_not_be_published_are_named() {
        let error = workspace(&[("a", true, &["b"]), ("b", true, &["a"])]).published().unwrap_err();
        assert_eq!(error.to_string(), "a, b need one another: none can be published first");
        let error = workspace(&[("a", true, &["x"]), ("x", false, &[])]).published().unwrap_err();
        assert_eq!(error.to_string(), "a is published and needs x, which is not");
    }

    #[test]
    fn the_packages_of_this_workspace_have_an_order() {
        let workspace = Workspace::read(&crate::root()).unwrap();
        let order: Vec<&str> = workspace.published().unwrap().iter().map(|package| package.name.as_str()).collect();
        assert_eq!(order[0], "codex-rpc");
        assert!(!order.contains(&"xtask") && order.len() >= 3, "{order:?}");
    }
}
