//! A session.

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use codex_rpc::types::{
    InitializeCapabilities, InitializeResponse, Thread as ThreadData, ThreadForkParams, ThreadListParams,
    ThreadReadParams, ThreadSearchParams, ThreadSearchResult, ThreadStartParams,
};
use codex_rpc::{ClientRequestMethod, RawJson, ReleaseMatch};
use codex_rpc_dispatch::{Backoff, TakeServerRequest};
use serde_json::Value;

use super::{Pages, Runtime, Thread};
use crate::approval::{ApprovalRequest, Decision};
use crate::{Asked, CallSettings, Error, HookAnswer, Restart, Resume, Tools};

/// Makes sessions; see [`CodexBuilder`](crate::CodexBuilder).
#[must_use]
#[derive(Debug, Default)]
pub struct CodexBuilder {
    builder: crate::CodexBuilder,
}

impl From<crate::CodexBuilder> for CodexBuilder {
    fn from(builder: crate::CodexBuilder) -> Self {
        Self { builder }
    }
}

/// Settings that are those of the async builder.
macro_rules! settings {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            #[doc = concat!("As [`CodexBuilder::", stringify!($name), "`](crate::CodexBuilder::", stringify!($name), ").")]
            pub fn $name(mut self, $($argument: $type),*) -> Self {
                self.builder = self.builder.$name($($argument),*);
                self
            }
        )*
    };
}

impl CodexBuilder {
    settings! {
        executable(path: impl Into<PathBuf>);
        argument(argument: impl Into<OsString>);
        config(key: impl Into<String>, value: impl Into<Value>);
        env(name: impl Into<OsString>, value: impl Into<OsString>);
        env_remove(name: impl Into<OsString>);
        env_clear();
        home(folder: impl Into<PathBuf>);
        directory(folder: impl Into<PathBuf>);
        client(name: impl Into<String>, version: impl Into<String>);
        title(title: impl Into<String>);
        experimental_api(experimental: bool);
        capabilities(capabilities: InitializeCapabilities);
        time_limit(limit: Option<Duration>);
        start_limit(limit: Duration);
        retry(backoff: Option<Backoff>);
        restart(restart: Restart);
        turn_watchdog(limit: Duration);
        turn_log(notifications: usize);
        minimum_release(release: impl Into<String>);
    }

    /// As [`CodexBuilder::on`](crate::CodexBuilder::on): the hook is a future, which runs
    /// on the session's thread.
    pub fn on<M, H, F>(mut self, hook: H) -> Self
    where
        M: TakeServerRequest + 'static,
        M::Params: Clone + Send + Sync,
        M::Response: Send,
        H: Fn(M::Params, Asked) -> F + Send + Sync + 'static,
        F: Future<Output = HookAnswer<M::Response>> + Send + 'static,
    {
        self.builder = self.builder.on::<M, H, F>(hook);
        self
    }

    /// As [`CodexBuilder::ask`](crate::CodexBuilder::ask): the answer is a future, which
    /// runs on the session's thread.
    pub fn ask<H, F>(mut self, asker: H) -> Self
    where
        H: Fn(ApprovalRequest) -> F + Send + Sync + 'static,
        F: Future<Output = Option<Decision>> + Send + 'static,
    {
        self.builder = self.builder.ask(asker);
        self
    }

    #[cfg(feature = "policy")]
    settings! {
        policy(policy: crate::policy::Policy);
        audit(log: crate::policy::AuditLog);
    }

    #[cfg(feature = "judge")]
    settings! {
        judge(judge: crate::Judge);
    }

    /// Starts the process.
    ///
    /// # Errors
    /// As [`CodexBuilder::start`](crate::CodexBuilder::start).
    pub fn start(self) -> Result<Codex, Error> {
        let runtime = Runtime::new()?;
        let codex = runtime.block_on(self.builder.start())?;
        Ok(Codex { codex, runtime })
    }
}

/// A session with a codex app-server; see [`Codex`](crate::Codex).
#[derive(Clone, Debug)]
pub struct Codex {
    codex: crate::Codex,
    runtime: Runtime,
}

impl Codex {
    /// A session with the codex executable that is found in `CODEX_BIN` or on `PATH`.
    ///
    /// # Errors
    /// As [`CodexBuilder::start`].
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// How a session is made.
    pub fn builder() -> CodexBuilder {
        CodexBuilder::default()
    }

    /// The session as async programs see it, for what is not here; its futures run on
    /// the session's thread, by [`block_on`](Self::block_on).
    pub fn as_async(&self) -> &crate::Codex {
        &self.codex
    }

    /// Waits for a future of the session.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn thread(&self, thread: crate::Thread) -> Thread {
        Thread { runtime: self.runtime.clone(), thread }
    }

    /// What the server said about itself.
    pub fn server(&self) -> InitializeResponse {
        self.codex.server()
    }

    /// The server's release, if its `userAgent` names one.
    pub fn release(&self) -> Option<String> {
        self.codex.release()
    }

    /// How the server's release relates to that of the bindings.
    pub fn release_match(&self) -> ReleaseMatch {
        self.codex.release_match()
    }

    /// Whether the server is of this release or a later one.
    ///
    /// # Errors
    /// As [`Codex::require`](crate::Codex::require).
    pub fn require(&self, release: &str, what: &str) -> Result<(), Error> {
        self.codex.require(release, what)
    }

    /// Calls a method.
    ///
    /// # Errors
    /// As [`Codex::call`](crate::Codex::call).
    pub fn call<M: ClientRequestMethod>(&self, params: M::Params) -> Result<M::Response, Error> {
        self.runtime.block_on(self.codex.call::<M>(params))
    }

    /// Calls a method in a certain way.
    ///
    /// # Errors
    /// As [`Codex::call_with`](crate::Codex::call_with).
    pub fn call_with<M: ClientRequestMethod>(
        &self,
        params: &M::Params,
        settings: CallSettings,
    ) -> Result<M::Response, Error> {
        self.runtime.block_on(self.codex.call_with::<M>(params, settings))
    }

    /// Calls a method by its name, with params that are JSON already.
    ///
    /// # Errors
    /// As [`Codex::call_raw`](crate::Codex::call_raw).
    pub fn call_raw(&self, method: &str, params: Option<&RawJson>) -> Result<RawJson, Error> {
        self.runtime.block_on(self.codex.call_raw(method, params))
    }

    /// Starts a thread.
    ///
    /// # Errors
    /// As [`Codex::start_thread`](crate::Codex::start_thread).
    pub fn start_thread(&self, params: ThreadStartParams) -> Result<Thread, Error> {
        Ok(self.thread(self.runtime.block_on(self.codex.start_thread(params))?))
    }

    /// Starts a thread whose model can call these tools.
    ///
    /// # Errors
    /// As [`Codex::start_thread_with_tools`](crate::Codex::start_thread_with_tools).
    pub fn start_thread_with_tools(&self, params: ThreadStartParams, tools: impl Into<Tools>) -> Result<Thread, Error> {
        Ok(self.thread(self.runtime.block_on(self.codex.start_thread_with_tools(params, tools))?))
    }

    /// Goes on with a thread.
    ///
    /// # Errors
    /// As [`Codex::resume_thread`](crate::Codex::resume_thread).
    pub fn resume_thread(&self, params: impl Into<Resume>) -> Result<Thread, Error> {
        Ok(self.thread(self.runtime.block_on(self.codex.resume_thread(params))?))
    }

    /// A new thread with the history of another, or a part of it.
    ///
    /// # Errors
    /// As [`Codex::fork_thread`](crate::Codex::fork_thread).
    pub fn fork_thread(&self, params: ThreadForkParams) -> Result<Thread, Error> {
        Ok(self.thread(self.runtime.block_on(self.codex.fork_thread(params))?))
    }

    /// What the server knows about a thread.
    ///
    /// # Errors
    /// As [`Codex::read_thread`](crate::Codex::read_thread).
    pub fn read_thread(&self, params: ThreadReadParams) -> Result<ThreadData, Error> {
        self.runtime.block_on(self.codex.read_thread(params))
    }

    /// The threads that the server knows, page by page.
    pub fn threads(&self, params: ThreadListParams) -> Pages<ThreadData> {
        Pages::new(&self.runtime, self.codex.threads(params))
    }

    /// The threads in which something is found, page by page.
    pub fn search_threads(&self, params: ThreadSearchParams) -> Pages<ThreadSearchResult> {
        Pages::new(&self.runtime, self.codex.search_threads(params))
    }

    /// Archives a thread: lists leave it out.
    ///
    /// # Errors
    /// As [`Codex::archive_thread`](crate::Codex::archive_thread).
    pub fn archive_thread(&self, thread: &str) -> Result<(), Error> {
        self.runtime.block_on(self.codex.archive_thread(thread))
    }

    /// Takes a thread out of the archive.
    ///
    /// # Errors
    /// As [`Codex::unarchive_thread`](crate::Codex::unarchive_thread).
    pub fn unarchive_thread(&self, thread: &str) -> Result<ThreadData, Error> {
        self.runtime.block_on(self.codex.unarchive_thread(thread))
    }

    /// Deletes a thread with its history.
    ///
    /// # Errors
    /// As [`Codex::delete_thread`](crate::Codex::delete_thread).
    pub fn delete_thread(&self, thread: &str) -> Result<(), Error> {
        self.runtime.block_on(self.codex.delete_thread(thread))
    }

    /// Whether the session has ended.
    pub fn has_ended(&self) -> bool {
        self.codex.has_ended()
    }

    /// Waits until the session has ended; why.
    pub fn ended(&self) -> String {
        self.runtime.block_on(self.codex.ended())
    }

    /// Ends the session in order; the process is gone when this returns.
    pub fn close(&self) {
        self.runtime.block_on(self.codex.close());
    }
}
