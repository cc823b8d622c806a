//! Permissions: what is asked for, and what is granted of it.

use std::fmt;
use std::path::{Path, PathBuf};

use codex_rpc::types::{
    AdditionalFileSystemPermissions, AdditionalNetworkPermissions, FileSystemAccessMode, FileSystemPath,
    FileSystemSandboxEntry, FileSystemSpecialPath, GrantedPermissionProfile, LegacyAppPathString,
    PermissionsRequestApprovalParams,
};

use super::path::absolute;

/// One permission that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// To use the network.
    Network,
    /// To read files.
    Read(FileScope),
    /// To write files, which includes reading them.
    Write(FileScope),
    /// Something that this release can't read. It is never granted.
    Unrecognized,
}

/// The files that a permission is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileScope {
    /// A file, or a folder and everything below it.
    Path(PathBuf),
    /// A pattern or a place that only the server can resolve, described.
    Other(String),
}

/// `network`, `read PATH`, `write PATH` or `unrecognized`.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network => f.write_str("network"),
            Self::Read(scope) => write!(f, "read {scope}"),
            Self::Write(scope) => write!(f, "write {scope}"),
            Self::Unrecognized => f.write_str("unrecognized"),
        }
    }
}

impl fmt::Display for FileScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Other(description) => f.write_str(description),
        }
    }
}

/// What is asked for, read by one of the two types it comes in.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub network: Option<&'a AdditionalNetworkPermissions>,
    pub file_system: Option<&'a AdditionalFileSystemPermissions>,
    pub has_unknown: bool,
    pub cwd: Option<&'a Path>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(params: &'a PermissionsRequestApprovalParams) -> Self {
        let asked = &params.permissions;
        Self {
            network: asked.network.as_ref(),
            file_system: asked.file_system.as_ref(),
            has_unknown: !asked.extra.is_empty(),
            cwd: Some(Path::new(&params.cwd.0)),
        }
    }

    pub(super) fn permissions(self) -> Vec<Permission> {
        let mut found = Vec::new();
        let mut add = |permission| {
            if !found.contains(&permission) {
                found.push(permission);
            }
        };
        if let Some(network) = self.network {
            if network.enabled == Some(true) {
                add(Permission::Network);
            }
            if !network.extra.is_empty() {
                add(Permission::Unrecognized);
            }
        }
        if let Some(files) = self.file_system {
            let scope = |path: &LegacyAppPathString| FileScope::Path(absolute(&path.0, self.cwd));
            files.read.iter().flatten().for_each(|path| add(Permission::Read(scope(path))));
            files.write.iter().flatten().for_each(|path| add(Permission::Write(scope(path))));
            files.entries.iter().flatten().filter_map(|entry| self.entry(entry)).for_each(&mut add);
            if !files.extra.is_empty() {
                add(Permission::Unrecognized);
            }
        }
        if self.has_unknown {
            add(Permission::Unrecognized);
        }
        found
    }

    /// What an entry asks for; none if it takes something away.
    fn entry(self, entry: &FileSystemSandboxEntry) -> Option<Permission> {
        let scope = match &entry.path {
            FileSystemPath::Path(path) if path.extra.is_empty() => FileScope::Path(absolute(&path.path.0, self.cwd)),
            FileSystemPath::GlobPattern(glob) if glob.extra.is_empty() => FileScope::Other(glob.pattern.clone()),
            FileSystemPath::Special(place) if place.extra.is_empty() => match special(&place.value) {
                Some(name) => FileScope::Other(name),
                None => return Some(Permission::Unrecognized),
            },
            _ => return Some(Permission::Unrecognized),
        };
        match entry.access {
            _ if !entry.extra.is_empty() => Some(Permission::Unrecognized),
            FileSystemAccessMode::Read => Some(Permission::Read(scope)),
            FileSystemAccessMode::Write => Some(Permission::Write(scope)),
            FileSystemAccessMode::Deny => None,
            FileSystemAccessMode::Unrecognized(_) => Some(Permission::Unrecognized),
        }
    }

    /// The part of what is asked for that `keep` agrees to.
    ///
    /// Entries that take something away are kept: without them the rest would be wider.
    pub(super) fn granted(self, keep: impl Fn(&Permission) -> bool) -> GrantedPermissionProfile {
        let mut granted = GrantedPermissionProfile::new();
        if let Some(network) = self.network.filter(|network| network.enabled == Some(true) && network.extra.is_empty())
        {
            if keep(&Permission::Network) {
                granted.network = Some(network.clone());
            }
        }
        // One thing that can't be read may narrow all the others.
        let files = Asked { network: None, has_unknown: false, ..self };
        let unreadable = files.permissions().contains(&Permission::Unrecognized);
        if let Some(asked) = self.file_system.filter(|_| !unreadable) {
            let path = |path: &LegacyAppPathString| FileScope::Path(absolute(&path.0, self.cwd));
            let mut kept = asked.clone();
            retain(&mut kept.read, |read| keep(&Permission::Read(path(read))));
            retain(&mut kept.write, |write| keep(&Permission::Write(path(write))));
            retain(&mut kept.entries, |entry| self.entry(entry).is_none_or(|permission| keep(&permission)));
            let left = Asked { file_system: Some(&kept), ..files };
            if !left.permissions().is_empty() {
                granted.file_system = Some(kept);
            }
        }
        granted
    }
}

fn retain<T>(list: &mut Option<Vec<T>>, keep: impl Fn(&T) -> bool) {
    if let Some(list) = list {
        list.retain(keep);
    }
}

/// A place that the server knows; none if this release does not.
fn special(place: &FileSystemSpecialPath) -> Option<String> {
    Some(match place {
        FileSystemSpecialPath::Root(_) => "the root folder".to_owned(),
        FileSystemSpecialPath::Minimal(_) => "the minimal set of system files".to_owned(),
        FileSystemSpecialPath::ProjectRoots(_) => "the project's folders".to_owned(),
        FileSystemSpecialPath::Tmpdir(_) => "the folder for temporary files".to_owned(),
        FileSystemSpecialPath::SlashTmp(_) => "/tmp".to_owned(),
        _ => return None,
    })
}
