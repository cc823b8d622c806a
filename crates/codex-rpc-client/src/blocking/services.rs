//! Skills and settings.

use codex_rpc::types::{
    ConfigBatchWriteParams, ConfigReadParams, ConfigReadResponse, ConfigRequirementsReadResponse,
    ConfigValueWriteParams, ConfigWriteResponse, SkillsListEntry,
};
use serde_json::Value;

use super::Runtime;
use crate::Error;

wrapper! {
    /// The skills that a server finds; see [`Skills`](crate::Skills).
    #[derive(Clone)]
    Skills(crate::Skills)
}

impl Skills {
    same! { Skills:
        /// The skills of each of these working folders, and what is wrong with those that
        /// can't be read. Without a folder: of the server's.
        list(folders: impl IntoIterator<Item = impl Into<String>>) -> Vec<SkillsListEntry>;
        /// As [`list`](Self::list), but the server looks at the disk again.
        reload(folders: impl IntoIterator<Item = impl Into<String>>) -> Vec<SkillsListEntry>;
        /// Switches the skill of this name on or off, in the user's configuration; whether
        /// it is on now.
        set_enabled(name: impl Into<String>, enabled: bool) -> bool;
        /// Switches the skill of this file on or off, in the user's configuration; whether
        /// it is on now.
        set_enabled_at(path: impl Into<String>, enabled: bool) -> bool;
        /// Sets the folders in which the server looks for skills beside the usual ones,
        /// until its process ends.
        set_extra_roots(folders: impl IntoIterator<Item = impl Into<String>>) -> ();
    }
}

wrapper! {
    /// The configuration of a session's server; see
    /// [`Configuration`](crate::Configuration).
    #[derive(Clone)]
    Configuration(crate::Configuration)
}

impl Configuration {
    same! { Configuration:
        /// What is in effect in the server's working folder, and which layer each value is
        /// from.
        read() -> ConfigReadResponse;
        /// What is in effect in a certain working folder.
        read_with(params: ConfigReadParams) -> ConfigReadResponse;
        /// The version of the user's `config.toml`, for the `expected_version` of a write.
        user_version() -> Option<String>;
        /// Sets a value in the user's `config.toml`, whatever is there.
        set(key: impl Into<String>, value: impl Into<Value>) -> ConfigWriteResponse;
        /// Writes a value.
        write(params: ConfigValueWriteParams) -> ConfigWriteResponse;
        /// Writes several values, all or none.
        write_all(params: ConfigBatchWriteParams) -> ConfigWriteResponse;
        /// What an administrator requires of the configuration.
        requirements() -> ConfigRequirementsReadResponse;
    }
}
