//! What a session offers beside threads: the account, commands, files, MCP servers, the
//! configuration, catalogs. Against recorded sessions where there is one, else against a
//! peer that does what the test says.

mod commands;
mod logins;
mod peer;
mod recorded;
mod replayed;
mod watches;
