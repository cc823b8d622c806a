//! Tokens that this program obtained by itself.

use std::fmt;
use std::future::Future;

use codex_rpc::server_requests::AccountChatgptAuthTokensRefresh;
use codex_rpc::types::{ChatgptAuthTokensRefreshParams, ChatgptAuthTokensRefreshResponse};
use codex_rpc::{ErrorCode, RpcError};

use crate::CodexBuilder;

/// A ChatGPT access token and whose it is. `Debug` does not show the token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatgptTokens {
    /// The access token, a JWT.
    pub access_token: String,
    /// The id of the workspace or account.
    pub account_id: String,
    /// The plan, such as `pro`. Default: what the token says.
    pub plan: Option<String>,
}

impl ChatgptTokens {
    /// A token and the id of its workspace or account.
    pub fn new(access_token: impl Into<String>, account_id: impl Into<String>) -> Self {
        Self { access_token: access_token.into(), account_id: account_id.into(), plan: None }
    }

    /// Sets the plan.
    #[must_use]
    pub fn with_plan(mut self, plan: impl Into<String>) -> Self {
        self.plan = Some(plan.into());
        self
    }
}

impl fmt::Debug for ChatgptTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatgptTokens")
            .field("access_token", &format_args!("<redacted>"))
            .field("account_id", &self.account_id)
            .field("plan", &self.plan)
            .finish()
    }
}

impl CodexBuilder {
    /// Gives the server new tokens when those it was given by
    /// [`Account::login_tokens`](crate::Account::login_tokens) no longer do. It waits for
    /// them, and the turn that needs them with it. What the hook gives as an error is told
    /// to the server, and the turn fails: it must not hold a secret.
    ///
    /// It is [`on`](Self::on) for `account/chatgptAuthTokens/refresh`: the last of both
    /// counts. Without one, the request is refused.
    ///
    /// ```
    /// use codex_rpc_client::{ChatgptTokens, Codex};
    ///
    /// # async fn obtain(_account: Option<String>) -> Result<String, std::io::Error> { Ok(String::new()) }
    /// let builder = Codex::builder().on_token_refresh(|asked| async move {
    ///     let token = obtain(asked.previous_account_id).await?;
    ///     Ok::<_, std::io::Error>(ChatgptTokens::new(token, "workspace"))
    /// });
    /// ```
    pub fn on_token_refresh<H, F, E>(self, refresh: H) -> Self
    where
        H: Fn(ChatgptAuthTokensRefreshParams) -> F + Send + Sync + 'static,
        F: Future<Output = Result<ChatgptTokens, E>> + Send + 'static,
        E: fmt::Display,
    {
        self.on::<AccountChatgptAuthTokensRefresh, _, _>(move |params, _asked| {
            let refreshing = refresh(params);
            async move {
                let tokens =
                    refreshing.await.map_err(|error| RpcError::new(ErrorCode::INTERNAL_ERROR, error.to_string()))?;
                let mut answer = ChatgptAuthTokensRefreshResponse::new(tokens.access_token, tokens.account_id);
                answer.chatgpt_plan_type = tokens.plan;
                Ok(Some(answer))
            }
        })
    }
}
