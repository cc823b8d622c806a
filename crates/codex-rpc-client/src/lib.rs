//! A client for OpenAI Codex: sessions with `codex app-server`, threads and turns,
//! approvals, and `codex exec`.
//!
//! ```no_run
//! use codex_rpc_client::Codex;
//! use codex_rpc_client::protocol::types::ThreadStartParams;
//!
//! # async fn run() -> Result<(), codex_rpc_client::Error> {
//! let codex = Codex::start().await?;
//! let thread = codex.start_thread(ThreadStartParams::new()).await?;
//!
//! // A turn, from beginning to end.
//! println!("{}", thread.run("What does this project do?").await?.text());
//!
//! // A turn, as it happens.
//! let turn = thread.turn("Say it in one sentence.").await?;
//! let mut stream = turn.stream();
//! while let Some(text) = stream.next_text().await {
//!     print!("{text}");
//! }
//! codex.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to begin
//! | to | see |
//! |---|---|
//! | start codex, and say how | [`Codex::builder`] |
//! | talk | [`Codex::start_thread`], [`Thread::run`], [`Thread::turn`], [`TurnHandle`] |
//! | give images, audio, skills, messages from outside | [`Input`] |
//! | get answers of a type | [`Thread::run_typed`] |
//! | let the model call this program | [`Tool`], [`Codex::start_thread_with_tools`] |
//! | decide what codex may do | [`CodexBuilder::on`], [`CodexBuilder::policy`], [`CodexBuilder::ask`], [`approval`], [`policy`] |
//! | log in | [`Codex::account`] |
//! | run commands, read and write files, MCP servers, skills, settings | [`Codex::command`], [`Codex::files`], [`Codex::mcp`], [`Codex::skills`], [`Codex::config`] |
//! | serve many users | [`Tenants`], [`store`] |
//! | run `codex exec` | [`exec`] |
//! | do it without async | `blocking` |
//! | everything else that the protocol has | [`Codex::call`], [`Codex::client`] |
//!
//! # What holds
//! - **Nothing is allowed that nobody allowed.** What no hook, rule or person decides is
//!   declined, and the log says so. An answer never permits more than was decided.
//! - **A slow reader keeps nobody waiting.** Turns are collected whether or not anybody
//!   reads their streams; a result has all of a turn, a stream that was too slow says how
//!   much it missed.
//! - **Nothing waits for ever that has a limit.** Calls have time limits, turns may have a
//!   [watchdog](CodexBuilder::turn_watchdog), and the end of the process ends all that
//!   waits for it, with the reason.
//! - **No process is left.** It ends with the last handle of its session.
//! - **Only what is safe is done twice**: what an overloaded server refused, which it has
//!   not executed, and after a [restart](CodexBuilder::restart) what only reads.
//! - **Errors say what to do about them**: see [`Error`].
//!
//! # For those who come from the Python SDK
//! | `openai_codex` | here |
//! |---|---|
//! | `Codex()`, `AsyncCodex()` | `blocking::Codex::start`, [`Codex::start`] |
//! | `CodexConfig(codex_bin=…, config_overrides=…, env=…)` | [`CodexBuilder::executable`], [`config`](CodexBuilder::config), [`env`](CodexBuilder::env) |
//! | `codex.metadata` | [`Codex::server`] |
//! | `codex.close()` | [`Codex::close`] |
//! | `codex.login_api_key(key)` | [`Account::login_api_key`] |
//! | `codex.login_chatgpt()`, `.wait()`, `.cancel()` | [`Account::login_chatgpt`], [`Login::wait`], [`Login::cancel`] |
//! | `codex.login_chatgpt_device_code()` | [`Account::login_device_code`] |
//! | `codex.account()`, `codex.logout()` | [`Account::read`], [`Account::logout`] |
//! | `codex.thread_start(…)` | [`Codex::start_thread`] |
//! | `codex.thread_resume(id)`, `thread_fork(id)` | [`Codex::resume_thread`], [`Codex::fork_thread`] |
//! | `codex.thread_list()` | [`Codex::threads`] |
//! | `codex.thread_archive(id)`, `thread_unarchive(id)` | [`Codex::archive_thread`], [`Codex::unarchive_thread`] |
//! | `codex.models()` | [`Codex::models`] |
//! | `thread.run(input, model=…)` | [`Thread::run`], [`Thread::run_with`] |
//! | `thread.turn(input)` | [`Thread::turn`] |
//! | `thread.read(include_turns=True)` | [`Thread::read_with_turns`] |
//! | `thread.set_name(name)`, `thread.compact()` | [`Thread::set_name`], [`Thread::compact`] |
//! | `turn.stream()`, `turn.run()` | [`TurnHandle::stream`], [`TurnHandle::join`] |
//! | `turn.steer(input)`, `turn.interrupt()` | [`TurnHandle::steer`], [`TurnHandle::interrupt`] |
//! | `TextInput`, `ImageInput`, `LocalImageInput`, `SkillInput`, `MentionInput`, `ExternalMessage` | [`Input`] and its methods |
//! | `result.final_response`, `.items`, `.usage` | [`TurnResult`] |
//! | `ApprovalMode` | a [`policy::Policy`], or [`CodexBuilder::ask`] |
//! | `retry_on_overload(…)` | [`CodexBuilder::retry`], which is on by default |
//! | `client.request(method, params)` | [`Codex::call`], [`Codex::call_raw`] |
//! | `ServerBusyError`, `TransportClosedError`, `JsonRpcError` | [`Error::Overloaded`], [`Error::Closed`] and [`Error::Process`], the other errors with an [`rpc`](Error::rpc) |
//!
//! Other than there, a command or a file change is declined unless something allows it, a
//! failed turn is an error that has the whole turn, and -32001 is retried.
//!
//! # Features
//! | feature | what it brings |
//! |---|---|
//! | `policy` (default) | the policy engine, its TOML files and its audit log |
//! | `schemars` (default) | structured output, and tools whose schemas are made from types |
//! | `blocking` | everything without async |
//! | `judge` | a model that decides about approvals |
//! | `sqlite` | sessions of many tenants in an SQLite file; needs Rust 1.89 |
//! | `websocket` | servers over WebSocket, on TCP and on Unix sockets |
//!
//! # Companions
//! | crate | what it is |
//! |---|---|
//! | [`codex-rpc`](protocol) | the protocol: types of all messages |
//! | [`codex-rpc-dispatch`](dispatch) | the connection: bytes in, typed messages out |
//! | `codex-rpc-testkit` | recorded sessions, a replaying app-server, a stand-in model |

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod account;
mod answers;
pub mod approval;
mod base64;
#[cfg(feature = "blocking")]
pub mod blocking;
mod catalog;
mod command;
mod config;
mod configuration;
mod error;
pub mod exec;
mod executable;
mod files;
mod input;
#[cfg(feature = "judge")]
mod judge;
mod mcp;
#[cfg(feature = "policy")]
pub mod policy;
mod result;
mod retry;
mod session;
mod skills;
pub mod store;
#[cfg(feature = "schemars")]
mod structured;
mod tenants;
mod thread;
mod told;
mod tools;
mod turn;
mod version;

pub use account::{Account, ChatgptTokens, DeviceCodeLogin, Login};
pub use answers::{Asked, HookAnswer};
pub use codex_rpc as protocol;
pub use codex_rpc_dispatch as dispatch;
pub use command::{Chunk, CommandBuilder, CommandHandle, CommandOutput, CommandStream};
pub use configuration::Configuration;
pub use error::{Error, ExecutableNotFound, ProcessError};
pub use files::{Files, Watch};
pub use input::Input;
#[cfg(feature = "judge")]
pub use judge::Judge;
pub use mcp::{Mcp, McpLogin};
pub use result::{TurnFailed, TurnResult, final_response};
pub use retry::is_read_only;
pub use session::{CallSettings, Codex, CodexBuilder, Recovery, Restart};
pub use skills::Skills;
#[cfg(feature = "schemars")]
pub use structured::output_schema;
pub use tenants::{Lease, MissingThread, Session, Stats, Tenants, TenantsBuilder};
pub use thread::{Pages, Resume, Thread, Turning};
pub use tools::{Tool, ToolCall, ToolOutput, Tools};
pub use turn::{TurnEvent, TurnHandle, TurnStream};
