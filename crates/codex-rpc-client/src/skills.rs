//! Skills that the model can be given.

use codex_rpc::requests;
use codex_rpc::types::{SkillsConfigWriteParams, SkillsExtraRootsSetParams, SkillsListEntry, SkillsListParams};

use crate::{Codex, Error};

/// The skills that a server finds; see [`Codex::skills`].
#[derive(Clone, Debug)]
pub struct Skills {
    codex: Codex,
}

impl Codex {
    /// The skills that the server finds. That they changed is told with `skills/changed`,
    /// see [`Codex::subscribe`].
    ///
    /// ```no_run
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// for folder in codex.skills().list(["/work"]).await? {
    ///     for skill in folder.skills {
    ///         println!("{}: {}", skill.name, skill.description);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn skills(&self) -> Skills {
        Skills { codex: self.clone() }
    }
}

impl Skills {
    /// The skills of each of these working folders, and what is wrong with those that
    /// can't be read. Without a folder: of the server's.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list<F: Into<String>>(
        &self,
        folders: impl IntoIterator<Item = F>,
    ) -> Result<Vec<SkillsListEntry>, Error> {
        self.read(folders.into_iter().map(Into::into).collect(), SkillsListParams::new()).await
    }

    /// As [`list`](Self::list), but the server looks at the disk again.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn reload<F: Into<String>>(
        &self,
        folders: impl IntoIterator<Item = F>,
    ) -> Result<Vec<SkillsListEntry>, Error> {
        self.read(folders.into_iter().map(Into::into).collect(), SkillsListParams::new().force_reload(true)).await
    }

    async fn read(&self, folders: Vec<String>, mut params: SkillsListParams) -> Result<Vec<SkillsListEntry>, Error> {
        params.cwds = (!folders.is_empty()).then_some(folders);
        Ok(self.codex.call::<requests::SkillsList>(params).await?.data)
    }

    /// Switches the skill of this name on or off, in the user's configuration; whether it
    /// is on now.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_enabled(&self, name: impl Into<String>, enabled: bool) -> Result<bool, Error> {
        self.write(SkillsConfigWriteParams::new(enabled).name(name)).await
    }

    /// Switches the skill of this file on or off, in the user's configuration; whether it
    /// is on now. The path is absolute, as [`list`](Self::list) gives it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_enabled_at(&self, path: impl Into<String>, enabled: bool) -> Result<bool, Error> {
        self.write(SkillsConfigWriteParams::new(enabled).path(path.into())).await
    }

    async fn write(&self, params: SkillsConfigWriteParams) -> Result<bool, Error> {
        Ok(self.codex.call::<requests::SkillsConfigWrite>(params).await?.effective_enabled)
    }

    /// Sets the folders in which the server looks for skills beside the usual ones, until
    /// its process ends. The paths are absolute.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_extra_roots<F: Into<String>>(&self, folders: impl IntoIterator<Item = F>) -> Result<(), Error> {
        let folders = folders.into_iter().map(|folder| folder.into().into()).collect();
        self.codex.call::<requests::SkillsExtraRootsSet>(SkillsExtraRootsSetParams::new(folders)).await?;
        Ok(())
    }
}
