//! Paths by their text alone.

use std::path::{Component, Path, PathBuf};

/// A path joined to the working folder, without `.` and `..`.
///
/// A path stays relative where there is no absolute folder to join it to.
pub(crate) fn absolute(path: impl AsRef<Path>, cwd: Option<&Path>) -> PathBuf {
    match cwd {
        Some(cwd) => normalise(&cwd.join(path)),
        None => normalise(path.as_ref()),
    }
}

fn normalise(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match result.components().next_back() {
                Some(Component::Normal(_)) => {
                    result.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                Some(Component::ParentDir | Component::CurDir) | None => result.push(".."),
            },
            other => result.push(other),
        }
    }
    result
}
