//! A session.

use std::future::Future;

use codex_rpc::types::{
    ExperimentalFeature, ExperimentalFeatureListParams, InitializeResponse, Model, ModelListParams,
    ModelProviderListResponse, PermissionProfileListParams, PermissionProfileSummary, Thread as ThreadData,
    ThreadForkParams, ThreadListParams, ThreadReadParams, ThreadSearchParams, ThreadSearchResult, ThreadStartParams,
};
use codex_rpc::{ClientRequestMethod, RawJson, ReleaseMatch};

use super::{
    Account, CodexBuilder, CommandBuilder, Configuration, Files, Mcp, Pages, Recoveries, Runtime, Skills, Subscription,
    Thread,
};
use crate::{CallSettings, Error, Resume, Tools};

wrapper! {
    /// A session with a codex app-server; see [`Codex`](crate::Codex), and for its end
    /// [the module](super#what-is-dropped).
    #[derive(Clone)]
    Codex(crate::Codex)
}

impl Codex {
    /// A session with the codex executable that is found in `CODEX_BIN` or on `PATH`.
    ///
    /// # Errors
    /// As [`CodexBuilder::start`].
    #[track_caller]
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// How a session is made.
    pub fn builder() -> CodexBuilder {
        CodexBuilder::default()
    }

    /// The session as async programs see it, for what is not here; its futures are waited
    /// for by [`block_on`](Self::block_on). It does not keep the session open.
    pub fn as_async(&self) -> &crate::Codex {
        &self.inner
    }

    /// Waits for a future of the session.
    ///
    /// ```no_run
    /// # fn run(codex: codex_rpc_client::blocking::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let client = codex.block_on(codex.as_async().client())?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// What the server said about itself.
    pub fn server(&self) -> InitializeResponse {
        self.inner.server()
    }

    /// The server's release, if its `userAgent` names one.
    pub fn release(&self) -> Option<String> {
        self.inner.release()
    }

    /// How the server's release relates to that of the bindings.
    pub fn release_match(&self) -> ReleaseMatch {
        self.inner.release_match()
    }

    /// Whether the server is of this release or a later one.
    ///
    /// # Errors
    /// As [`Codex::require`](crate::Codex::require).
    pub fn require(&self, release: &str, what: &str) -> Result<(), Error> {
        self.inner.require(release, what)
    }

    /// Calls a method.
    ///
    /// # Errors
    /// As [`Codex::call`](crate::Codex::call).
    #[track_caller]
    pub fn call<M: ClientRequestMethod>(&self, params: M::Params) -> Result<M::Response, Error> {
        self.runtime.block_on(self.inner.call::<M>(params))
    }

    /// Calls a method in a certain way.
    ///
    /// # Errors
    /// As [`Codex::call_with`](crate::Codex::call_with).
    #[track_caller]
    pub fn call_with<M: ClientRequestMethod>(
        &self,
        params: &M::Params,
        settings: CallSettings,
    ) -> Result<M::Response, Error> {
        self.runtime.block_on(self.inner.call_with::<M>(params, settings))
    }

    same! { Codex:
        /// Calls a method by its name, with params that are JSON already.
        call_raw(method: &str, params: Option<&RawJson>) -> RawJson;
        /// What the server knows about a thread.
        read_thread(params: ThreadReadParams) -> ThreadData;
        /// Archives a thread: lists leave it out.
        archive_thread(thread: &str) -> ();
        /// Takes a thread out of the archive.
        unarchive_thread(thread: &str) -> ThreadData;
        /// Deletes a thread with its history.
        delete_thread(thread: &str) -> ();
        /// The providers of models, and which one is the default.
        model_providers() -> ModelProviderListResponse;
    }

    /// A handle of a thread that this session has started or resumed by other means; see
    /// [`Codex::thread`](crate::Codex::thread).
    pub fn thread(&self, id: &str) -> Thread {
        Thread::new(&self.runtime, self.inner.thread(id))
    }

    handles! { Codex:
        /// Starts a thread.
        start_thread(params: ThreadStartParams) -> Thread;
        /// Starts a thread whose model can call these tools.
        start_thread_with_tools(params: ThreadStartParams, tools: impl Into<Tools>) -> Thread;
        /// Goes on with a thread.
        resume_thread(params: impl Into<Resume>) -> Thread;
        /// A new thread with the history of another, or a part of it.
        fork_thread(params: ThreadForkParams) -> Thread;
        /// All notifications from now on, until the process ends.
        subscribe() -> Subscription;
    }

    pages! {
        /// The threads that the server knows, page by page.
        threads(params: ThreadListParams) -> ThreadData;
        /// The threads in which something is found, page by page.
        search_threads(params: ThreadSearchParams) -> ThreadSearchResult;
        /// The models that can be chosen, page by page.
        models(params: ModelListParams) -> Model;
        /// Codex's feature flags and whether each is on, page by page.
        features(params: ExperimentalFeatureListParams) -> ExperimentalFeature;
        /// The permission profiles that threads and commands can be given, page by page.
        permission_profiles(params: PermissionProfileListParams) -> PermissionProfileSummary;
    }

    /// The account: logins, limits, logout.
    pub fn account(&self) -> Account {
        Account::new(&self.runtime, self.inner.account())
    }

    /// A command that the server runs in its sandbox: a program and its arguments, without
    /// a shell.
    ///
    /// ```no_run
    /// # fn run(codex: codex_rpc_client::blocking::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let output = codex.command(["git", "status", "--short"]).cwd("/work").run()?;
    /// print!("{}", output.stdout_text());
    /// # Ok(())
    /// # }
    /// ```
    pub fn command<A: Into<String>>(&self, command: impl IntoIterator<Item = A>) -> CommandBuilder {
        CommandBuilder::new(&self.runtime, self.inner.command(command))
    }

    /// The files of the machine that the server runs on.
    pub fn files(&self) -> Files {
        Files::new(&self.runtime, self.inner.files())
    }

    /// The MCP servers of the configuration.
    pub fn mcp(&self) -> Mcp {
        Mcp::new(&self.runtime, self.inner.mcp())
    }

    /// The skills that the server finds.
    pub fn skills(&self) -> Skills {
        Skills::new(&self.runtime, self.inner.skills())
    }

    /// The configuration: what is in effect, and the user's `config.toml`.
    pub fn config(&self) -> Configuration {
        Configuration::new(&self.runtime, self.inner.config())
    }

    /// Every recovery from now on: what became of the session when its process ended by
    /// itself, see [`CodexBuilder::restart`].
    pub fn recoveries(&self) -> Recoveries {
        Recoveries::new(&self.runtime, self.inner.recoveries())
    }

    /// Whether the session has ended.
    pub fn has_ended(&self) -> bool {
        self.inner.has_ended()
    }

    /// Waits until the session has ended; why.
    #[track_caller]
    pub fn ended(&self) -> String {
        self.runtime.block_on(self.inner.ended())
    }

    /// Ends the session in order; the process is gone when this returns.
    #[track_caller]
    pub fn close(&self) {
        self.runtime.block_on(self.inner.close());
    }
}
