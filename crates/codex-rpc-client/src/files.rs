//! Files of the server's machine.

mod watch;

use std::path::Path;

use codex_rpc::requests;
use codex_rpc::types::{
    AbsolutePathBuf, FsCopyParams, FsCreateDirectoryParams, FsGetMetadataParams, FsGetMetadataResponse,
    FsReadDirectoryEntry, FsReadDirectoryParams, FsReadFileParams, FsRemoveParams, FsWriteFileParams,
};

use crate::{Codex, Error, base64};

pub use watch::Watch;

/// The files of the machine that the server runs on; see [`Codex::files`].
///
/// Neither sandbox nor approvals apply: the server may do what its user may. Paths are
/// absolute and UTF-8. A file is sent as one message, in base64, so it must fit into
/// memory and into the limit for messages.
#[derive(Clone, Debug)]
pub struct Files {
    codex: Codex,
}

impl Codex {
    /// The files of the machine that the server runs on.
    ///
    /// ```no_run
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let files = codex.files();
    /// files.write("/workspace/notes.txt", "Remember.\n").await?;
    /// assert_eq!(files.read("/workspace/notes.txt").await?, b"Remember.\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn files(&self) -> Files {
        Files { codex: self.clone() }
    }
}

impl Files {
    /// What a file holds.
    ///
    /// # Errors
    /// If it can't be read; see [`Error`]. A path that is not absolute is
    /// [`Error::InvalidParams`], here and everywhere else.
    pub async fn read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, Error> {
        let answer = self.codex.call::<requests::FsReadFile>(FsReadFileParams::new(text(path.as_ref())?)).await?;
        base64::decode("the answer to fs/readFile", &answer.data_base64)
    }

    /// What a text file holds.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`Error::Invalid`] if it is not UTF-8.
    pub async fn read_to_string(&self, path: impl AsRef<Path>) -> Result<String, Error> {
        let path = path.as_ref();
        String::from_utf8(self.read(path).await?)
            .map_err(|error| Error::invalid(path.display().to_string(), error.utf8_error(), ""))
    }

    /// Writes a file; one that is there is replaced.
    ///
    /// # Errors
    /// If it can't be written; see [`Error`].
    pub async fn write(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Result<(), Error> {
        let params = FsWriteFileParams::new(text(path.as_ref())?, base64::encode(contents));
        self.codex.call::<requests::FsWriteFile>(params).await?;
        Ok(())
    }

    /// Creates a folder in one that is there.
    ///
    /// # Errors
    /// If it can't be created; see [`Error`].
    pub async fn create_dir(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.create(path.as_ref(), false).await
    }

    /// Creates a folder and those above it, as far as they are not there.
    ///
    /// # Errors
    /// If they can't be created; see [`Error`].
    pub async fn create_dir_all(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.create(path.as_ref(), true).await
    }

    async fn create(&self, path: &Path, recursive: bool) -> Result<(), Error> {
        let params = FsCreateDirectoryParams::new(text(path)?).recursive(recursive);
        self.codex.call::<requests::FsCreateDirectory>(params).await?;
        Ok(())
    }

    /// What a path leads to, and when that was changed.
    ///
    /// # Errors
    /// If there is nothing, or it can't be asked; see [`Error`].
    pub async fn metadata(&self, path: impl AsRef<Path>) -> Result<FsGetMetadataResponse, Error> {
        self.codex.call::<requests::FsGetMetadata>(FsGetMetadataParams::new(text(path.as_ref())?)).await
    }

    /// What is in a folder.
    ///
    /// # Errors
    /// If it can't be read; see [`Error`].
    pub async fn read_dir(&self, path: impl AsRef<Path>) -> Result<Vec<FsReadDirectoryEntry>, Error> {
        let params = FsReadDirectoryParams::new(text(path.as_ref())?);
        Ok(self.codex.call::<requests::FsReadDirectory>(params).await?.entries)
    }

    /// Removes a file, or a folder that is empty.
    ///
    /// # Errors
    /// If there is nothing, or it can't be removed; see [`Error`].
    pub async fn remove(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let params = FsRemoveParams::new(text(path.as_ref())?).recursive(false).force(false);
        self.codex.call::<requests::FsRemove>(params).await?;
        Ok(())
    }

    /// Removes a file, or a folder with all that is in it. That there is nothing is no
    /// error.
    ///
    /// # Errors
    /// If it can't be removed; see [`Error`].
    pub async fn remove_all(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let params = FsRemoveParams::new(text(path.as_ref())?).recursive(true).force(true);
        self.codex.call::<requests::FsRemove>(params).await?;
        Ok(())
    }

    /// Copies a file.
    ///
    /// # Errors
    /// If it is a folder, or can't be copied; see [`Error`].
    pub async fn copy(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Error> {
        let params = FsCopyParams::new(text(from.as_ref())?, text(to.as_ref())?);
        self.codex.call::<requests::FsCopy>(params).await?;
        Ok(())
    }

    /// Copies a file, or a folder with all that is in it.
    ///
    /// # Errors
    /// If it can't be copied; see [`Error`].
    pub async fn copy_all(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Error> {
        let params = FsCopyParams::new(text(from.as_ref())?, text(to.as_ref())?).recursive(true);
        self.codex.call::<requests::FsCopy>(params).await?;
        Ok(())
    }

    /// Watches a file, or what is directly in a folder, until the watch is dropped.
    ///
    /// ```no_run
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let mut watch = codex.files().watch("/work").await?;
    /// while let Some(changed) = watch.next().await {
    ///     println!("{changed:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Error`]. That there is nothing yet at the path is none.
    pub async fn watch(&self, path: impl AsRef<Path>) -> Result<Watch, Error> {
        Watch::begin(&self.codex, text(path.as_ref())?).await
    }
}

/// A path as the protocol writes it.
fn text(path: &Path) -> Result<AbsolutePathBuf, Error> {
    match path.to_str() {
        Some(path) => Ok(path.into()),
        None => Err(Error::invalid("a path", "it is not UTF-8", path.to_string_lossy())),
    }
}
