//! MCP servers, as the codex process knows them.

use codex_rpc::types::{
    ListMcpServerStatusParams, McpResourceReadParams, McpResourceReadResponse, McpServerOauthLoginParams,
    McpServerStatus, McpServerToolCallParams, McpServerToolCallResponse,
};

use super::{Pages, Runtime};
use crate::Error;

wrapper! {
    /// The MCP servers of a session; see [`Mcp`](crate::Mcp).
    #[derive(Clone)]
    Mcp(crate::Mcp)
}

impl Mcp {
    pages! {
        /// The servers with their tools, resources and logins, page by page; see
        /// [`Mcp::servers`](crate::Mcp::servers).
        servers(params: ListMcpServerStatusParams) -> McpServerStatus;
    }

    same! { Mcp:
        /// Has the configuration of the servers read again, for all threads.
        reload() -> ();
        /// Reads a resource of a server.
        read_resource(params: McpResourceReadParams) -> McpResourceReadResponse;
        /// Calls a tool of a server, as a thread would. Nobody is asked for approval.
        call_tool(params: McpServerToolCallParams) -> McpServerToolCallResponse;
    }

    handles! { Mcp:
        /// Begins a login to a server that is reached over HTTP: a person opens
        /// [`McpLogin::authorization_url`].
        login(params: McpServerOauthLoginParams) -> McpLogin;
    }
}

wrapper! {
    /// A login to an MCP server that has begun; see [`McpLogin`](crate::McpLogin).
    McpLogin(crate::McpLogin)
}

impl McpLogin {
    /// The server's name.
    pub fn server(&self) -> &str {
        self.inner.server()
    }

    /// What the person opens in a browser on the machine of the codex process.
    pub fn authorization_url(&self) -> &str {
        self.inner.authorization_url()
    }

    /// Waits until the login has ended. There is no time limit but the server's.
    ///
    /// # Errors
    /// As [`McpLogin::wait`](crate::McpLogin::wait).
    #[track_caller]
    pub fn wait(&mut self) -> Result<(), Error> {
        self.runtime.block_on(self.inner.wait())
    }
}
