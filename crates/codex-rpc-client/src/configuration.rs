//! The configuration of codex, as its server reads and writes it.

use codex_rpc::types::{
    ConfigBatchWriteParams, ConfigLayerSource, ConfigReadParams, ConfigReadResponse, ConfigRequirementsReadResponse,
    ConfigValueWriteParams, ConfigWriteResponse, MergeStrategy,
};
use codex_rpc::{NoParams, requests};
use serde_json::Value;

use crate::{Codex, Error};

/// The configuration of a session's server; see [`Codex::config`].
#[derive(Clone, Debug)]
pub struct Configuration {
    codex: Codex,
}

impl Codex {
    /// The configuration: what is in effect, and the user's `config.toml`.
    ///
    /// ```no_run
    /// use codex_rpc_client::Error;
    ///
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// use codex_rpc_client::protocol::types::{ConfigValueWriteParams, MergeStrategy};
    ///
    /// let config = codex.config();
    /// loop {
    ///     let mut write = ConfigValueWriteParams::new("model_reasoning_effort", "high", MergeStrategy::Replace);
    ///     write.expected_version = config.user_version().await?;
    ///     match config.write(write).await {
    ///         // Somebody else wrote in between.
    ///         Err(Error::ConfigChanged(_)) => {}
    ///         written => break written.map(|_| ()),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn config(&self) -> Configuration {
        Configuration { codex: self.clone() }
    }
}

impl Configuration {
    /// What is in effect in the server's working folder, and which layer each value is
    /// from.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read(&self) -> Result<ConfigReadResponse, Error> {
        self.read_with(ConfigReadParams::new()).await
    }

    /// What is in effect in a certain working folder; with all layers, if the params say
    /// so.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read_with(&self, params: ConfigReadParams) -> Result<ConfigReadResponse, Error> {
        self.codex.call::<requests::ConfigRead>(params).await
    }

    /// The version of the user's `config.toml`, for the `expected_version` of a write;
    /// none if the server names no such layer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn user_version(&self) -> Result<Option<String>, Error> {
        let read = self.read_with(ConfigReadParams::new().include_layers(true)).await?;
        let user = read.layers.unwrap_or_default().into_iter().find(|layer| match &layer.name {
            // A profile's layer is another file.
            ConfigLayerSource::User(user) => user.profile.is_none(),
            _ => false,
        });
        Ok(user.map(|layer| layer.version))
    }

    /// Sets a value in the user's `config.toml`, whatever is there. Dots in the key lead
    /// into tables; null removes the value. What is written takes effect in new threads.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn set(&self, key: impl Into<String>, value: impl Into<Value>) -> Result<ConfigWriteResponse, Error> {
        self.write(ConfigValueWriteParams::new(key, value, MergeStrategy::Replace)).await
    }

    /// Writes a value. The answer says so if another layer overrides it.
    ///
    /// # Errors
    /// [`Error::ConfigChanged`] if the file has another version than the params expect;
    /// [`Error::InvalidParams`] if the configuration would not be valid;
    /// [`Error::Refused`] if it is another file than the user's; see [`Error`]. Nothing is
    /// written then.
    pub async fn write(&self, params: ConfigValueWriteParams) -> Result<ConfigWriteResponse, Error> {
        self.codex.call::<requests::ConfigValueWrite>(params).await
    }

    /// Writes several values, all or none.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_all(&self, params: ConfigBatchWriteParams) -> Result<ConfigWriteResponse, Error> {
        self.codex.call::<requests::ConfigBatchWrite>(params).await
    }

    /// What an administrator requires of the configuration.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn requirements(&self) -> Result<ConfigRequirementsReadResponse, Error> {
        self.codex.call::<requests::ConfigRequirementsRead>(NoParams::default()).await
    }
}
