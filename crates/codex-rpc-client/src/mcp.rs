//! MCP servers, as the codex process knows them.

use std::fmt;

use codex_rpc::types::{
    ListMcpServerStatusParams, McpResourceReadParams, McpResourceReadResponse,
    McpServerOauthLoginCompletedNotification, McpServerOauthLoginParams, McpServerStatus, McpServerToolCallParams,
    McpServerToolCallResponse,
};
use codex_rpc::{NoParams, ServerNotification, requests};
use codex_rpc_dispatch::tokio::Client;

use crate::session::CallSettings;
use crate::told::Told;
use crate::{Codex, Error, Pages};

/// The MCP servers of a session; see [`Codex::mcp`].
#[derive(Clone, Debug)]
pub struct Mcp {
    codex: Codex,
}

impl Codex {
    /// The MCP servers of the configuration.
    ///
    /// ```no_run
    /// use codex_rpc_client::protocol::types::ListMcpServerStatusParams;
    ///
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let mut servers = codex.mcp().servers(ListMcpServerStatusParams::new());
    /// while let Some(server) = servers.next().await? {
    ///     println!("{}: {} tools", server.name, server.tools.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn mcp(&self) -> Mcp {
        Mcp { codex: self.clone() }
    }
}

impl Mcp {
    /// The servers with their tools, resources and logins, page by page. They are started
    /// for it, unless the params name a thread that has them.
    pub fn servers(&self, params: ListMcpServerStatusParams) -> Pages<McpServerStatus> {
        let codex = self.codex.clone();
        Pages::new(move |cursor| {
            let (codex, mut params) = (codex.clone(), params.clone());
            params.cursor = cursor.or(params.cursor);
            async move {
                let page = codex.call::<requests::McpServerStatusList>(params).await?;
                Ok((page.data, page.next_cursor))
            }
        })
    }

    /// Has the configuration of the servers read again, for all threads.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn reload(&self) -> Result<(), Error> {
        self.codex.call::<requests::ConfigMcpServerReload>(NoParams::default()).await?;
        Ok(())
    }

    /// Begins a login to a server that is reached over HTTP: a person opens
    /// [`McpLogin::authorization_url`].
    ///
    /// ```no_run
    /// use codex_rpc_client::protocol::types::McpServerOauthLoginParams;
    ///
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let mut login = codex.mcp().login(McpServerOauthLoginParams::new("tickets")).await?;
    /// println!("Open {}", login.authorization_url());
    /// login.wait().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no such server, or it has no such login; see [`Error`].
    pub async fn login(&self, params: McpServerOauthLoginParams) -> Result<McpLogin, Error> {
        McpLogin::begin(&self.codex, params).await
    }

    /// Reads a resource of a server.
    ///
    /// # Errors
    /// If there is no such server or resource; see [`Error`].
    pub async fn read_resource(&self, params: McpResourceReadParams) -> Result<McpResourceReadResponse, Error> {
        self.codex.call::<requests::McpServerResourceRead>(params).await
    }

    /// Calls a tool of a server, as a thread would. Nobody is asked for approval.
    ///
    /// # Errors
    /// If there is no such thread, server or tool, or the server refuses; see [`Error`].
    /// That the tool itself failed is none: `is_error` says so.
    pub async fn call_tool(&self, params: McpServerToolCallParams) -> Result<McpServerToolCallResponse, Error> {
        self.codex.call::<requests::McpServerToolCall>(params).await
    }
}

/// A login to an MCP server that has begun. One that is dropped goes on, until it is
/// completed or its time is over; the protocol has no way to cancel it.
pub struct McpLogin {
    codex: Codex,
    client: Client,
    server: String,
    thread: Option<String>,
    id: Option<String>,
    url: String,
    completed: Told<McpServerOauthLoginCompletedNotification>,
    ended: Option<McpServerOauthLoginCompletedNotification>,
}

impl fmt::Debug for McpLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL: it leads into an account.
        f.debug_struct("McpLogin").field("server", &self.server).field("id", &self.id).finish_non_exhaustive()
    }
}

impl McpLogin {
    async fn begin(codex: &Codex, params: McpServerOauthLoginParams) -> Result<Self, Error> {
        let client = codex.client().await?;
        let server = params.name.clone();
        // Its end may be told before the answer that names it.
        let completed = Told::new(&client, move |notification| match notification {
            ServerNotification::McpServerOauthLoginCompleted(completed) if completed.name == server => {
                Some(completed.clone())
            }
            _ => None,
        });
        let answer = codex.call_on::<requests::McpServerOauthLogin>(&client, &params, CallSettings::default()).await?;
        Ok(Self {
            codex: codex.clone(),
            client,
            server: params.name,
            thread: params.thread_id,
            id: answer.login_id,
            url: answer.authorization_url,
            completed,
            ended: None,
        })
    }

    /// The server's name.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What the person opens in a browser on the machine of the codex process.
    pub fn authorization_url(&self) -> &str {
        &self.url
    }

    /// Waits until the login has ended. There is no time limit but the server's, see
    /// `timeout_secs` of the params.
    ///
    /// Cancel safe: if the future is dropped, it can be waited for again.
    ///
    /// # Errors
    /// [`Error::LoginFailed`] if it took too long or was refused; if the connection ended,
    /// why.
    pub async fn wait(&mut self) -> Result<(), Error> {
        while self.ended.is_none() {
            match self.completed.next().await {
                Some(completed) if self.is_about(&completed) => self.ended = Some(completed),
                Some(_) => {}
                None => return Err(self.codex.lost_connection(&self.client).await),
            }
        }
        match &self.ended {
            Some(ended) if !ended.success => Err(Error::login_failed(ended.error.as_deref())),
            _ => Ok(()),
        }
    }

    /// Older servers give logins no id: then it is the next one of this server and thread.
    fn is_about(&self, completed: &McpServerOauthLoginCompletedNotification) -> bool {
        match (&self.id, &completed.login_id) {
            (Some(id), Some(other)) => id == other,
            _ => self.thread == completed.thread_id,
        }
    }
}
