//! How a session is made.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use codex_rpc::types::{ChatgptAuthTokensRefreshParams, InitializeCapabilities};
use codex_rpc_dispatch::{Backoff, TakeServerRequest};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Codex, Runtime};
use crate::approval::{ApprovalRequest, Decision};
use crate::{Asked, ChatgptTokens, Error, HookAnswer, Restart};

/// Makes sessions; see [`CodexBuilder`](crate::CodexBuilder).
#[must_use]
#[derive(Debug, Default)]
pub struct CodexBuilder {
    pub(super) inner: crate::CodexBuilder,
}

impl From<crate::CodexBuilder> for CodexBuilder {
    fn from(inner: crate::CodexBuilder) -> Self {
        Self { inner }
    }
}

impl CodexBuilder {
    settings! { CodexBuilder:
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

    #[cfg(feature = "policy")]
    settings! { CodexBuilder:
        policy(policy: crate::policy::Policy);
        audit(log: crate::policy::AuditLog);
    }

    #[cfg(feature = "judge")]
    settings! { CodexBuilder:
        judge(judge: crate::Judge);
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
        self.inner = self.inner.on::<M, H, F>(hook);
        self
    }

    /// As [`CodexBuilder::on_token_refresh`](crate::CodexBuilder::on_token_refresh): the
    /// hook is a future, which runs on the session's thread.
    pub fn on_token_refresh<H, F, E>(mut self, refresh: H) -> Self
    where
        H: Fn(ChatgptAuthTokensRefreshParams) -> F + Send + Sync + 'static,
        F: Future<Output = Result<ChatgptTokens, E>> + Send + 'static,
        E: fmt::Display,
    {
        self.inner = self.inner.on_token_refresh(refresh);
        self
    }

    /// As [`CodexBuilder::ask`](crate::CodexBuilder::ask): the answer is a future, which
    /// runs on the session's thread.
    ///
    /// ```
    /// use codex_rpc_client::approval::{ApprovalRequest, Decision};
    /// use codex_rpc_client::blocking::Codex;
    ///
    /// // A person is asked by another function, which blocks.
    /// fn ask(request: &ApprovalRequest) -> Option<Decision> {
    ///     println!("{:?}", request.command);
    ///     Some(Decision::Deny)
    /// }
    ///
    /// let builder = Codex::builder()
    ///     .ask(|request| async move { tokio::task::spawn_blocking(move || ask(&request)).await.ok().flatten() });
    /// ```
    pub fn ask<H, F>(mut self, asker: H) -> Self
    where
        H: Fn(ApprovalRequest) -> F + Send + Sync + 'static,
        F: Future<Output = Option<Decision>> + Send + 'static,
    {
        self.inner = self.inner.ask(asker);
        self
    }

    /// Starts the process.
    ///
    /// # Errors
    /// As [`CodexBuilder::start`](crate::CodexBuilder::start).
    #[track_caller]
    pub fn start(self) -> Result<Codex, Error> {
        let runtime = Runtime::new()?;
        let codex = runtime.block_on(self.inner.start())?;
        Ok(Codex::new(&runtime.of(&codex), codex))
    }

    /// Talks to a server over a reader and a writer of lines, which are polled on the
    /// session's thread.
    ///
    /// # Errors
    /// As [`CodexBuilder::connect`](crate::CodexBuilder::connect).
    #[track_caller]
    pub fn connect<R, W>(self, reader: R, writer: W) -> Result<Codex, Error>
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let runtime = Runtime::new()?;
        let codex = runtime.block_on(self.inner.connect(reader, writer))?;
        Ok(Codex::new(&runtime.of(&codex), codex))
    }

    /// Talks to a server over WebSocket, with a bearer token if it wants one.
    ///
    /// # Errors
    /// As [`CodexBuilder::connect_websocket`](crate::CodexBuilder::connect_websocket).
    #[cfg(feature = "websocket")]
    #[track_caller]
    pub fn connect_websocket(self, url: &str, bearer_token: Option<&str>) -> Result<Codex, Error> {
        let runtime = Runtime::new()?;
        let codex = runtime.block_on(self.inner.connect_websocket(url, bearer_token))?;
        Ok(Codex::new(&runtime.of(&codex), codex))
    }

    /// Talks to a server over a Unix socket.
    ///
    /// # Errors
    /// As [`CodexBuilder::connect_unix`](crate::CodexBuilder::connect_unix).
    #[cfg(all(feature = "websocket", unix))]
    #[track_caller]
    pub fn connect_unix(self, path: impl AsRef<std::path::Path>) -> Result<Codex, Error> {
        let runtime = Runtime::new()?;
        let codex = runtime.block_on(self.inner.connect_unix(path))?;
        Ok(Codex::new(&runtime.of(&codex), codex))
    }
}
