//! Files of the server's machine.

use std::path::{Path, PathBuf};

use codex_rpc::types::{FsGetMetadataResponse, FsReadDirectoryEntry};

use super::Runtime;
use crate::Error;

wrapper! {
    /// The files of the machine that the server runs on; see [`Files`](crate::Files).
    #[derive(Clone)]
    Files(crate::Files)
}

impl Files {
    same! { Files:
        /// What a file holds.
        read(path: impl AsRef<Path>) -> Vec<u8>;
        /// What a text file holds.
        read_to_string(path: impl AsRef<Path>) -> String;
        /// Writes a file; one that is there is replaced.
        write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> ();
        /// Creates a folder in one that is there.
        create_dir(path: impl AsRef<Path>) -> ();
        /// Creates a folder and those above it, as far as they are not there.
        create_dir_all(path: impl AsRef<Path>) -> ();
        /// What a path leads to, and when that was changed.
        metadata(path: impl AsRef<Path>) -> FsGetMetadataResponse;
        /// What is in a folder.
        read_dir(path: impl AsRef<Path>) -> Vec<FsReadDirectoryEntry>;
        /// Removes a file, or a folder that is empty.
        remove(path: impl AsRef<Path>) -> ();
        /// Removes a file, or a folder with all that is in it.
        remove_all(path: impl AsRef<Path>) -> ();
        /// Copies a file.
        copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> ();
        /// Copies a file, or a folder with all that is in it.
        copy_all(from: impl AsRef<Path>, to: impl AsRef<Path>) -> ();
    }

    handles! { Files:
        /// Watches a file, or what is directly in a folder, until the watch is dropped.
        watch(path: impl AsRef<Path>) -> Watch;
    }
}

wrapper! {
    /// A file or a folder that is watched; see [`Watch`](crate::Watch).
    #[must_use = "the watch ends when this is dropped"]
    Watch(crate::Watch)
}

impl Watch {
    /// The path that is watched, as the server resolved it.
    pub fn path(&self) -> &Path {
        self.inner.path()
    }
}

/// Each time the paths that have changed since the last, each once. Ends with the codex
/// process.
impl Iterator for Watch {
    type Item = Vec<PathBuf>;

    #[track_caller]
    fn next(&mut self) -> Option<Vec<PathBuf>> {
        self.runtime.block_on(self.inner.next())
    }
}
