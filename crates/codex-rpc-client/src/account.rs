//! The account: who is logged in, and how.

mod login;
mod tokens;

use codex_rpc::types::{
    ApiKeyLoginAccountParams, ChatgptAuthTokensLoginAccountParams, ChatgptDeviceCodeLoginAccountParams,
    ChatgptLoginAccountParams, GetAccountParams, GetAccountRateLimitsParams, GetAccountRateLimitsResponse,
    GetAccountResponse, GetAccountTokenUsageParams, GetAccountTokenUsageResponse, LoginAccountParams,
};
use codex_rpc::{NoParams, requests};

use crate::{Codex, Error};

pub use login::{DeviceCodeLogin, Login};
pub use tokens::ChatgptTokens;

/// The account of a session's server; see [`Codex::account`].
///
/// Logins are kept by the server, in its `CODEX_HOME`: they outlive the session. What has
/// no method here is called with [`Codex::call`], for instance
/// [`AccountGatewayOAuthLogin`](requests::AccountGatewayOAuthLogin).
#[derive(Clone, Debug)]
pub struct Account {
    codex: Codex,
}

impl Codex {
    /// The account: logins, limits, logout.
    ///
    /// ```no_run
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// if codex.account().read().await?.account.is_none() {
    ///     let mut login = codex.account().login_chatgpt().await?;
    ///     println!("Open {}", login.auth_url());
    ///     login.wait().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn account(&self) -> Account {
        Account { codex: self.clone() }
    }
}

impl Account {
    /// Who is logged in, if anybody is.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read(&self) -> Result<GetAccountResponse, Error> {
        self.codex.call::<requests::AccountRead>(GetAccountParams::new()).await
    }

    /// Who is logged in, after the server has refreshed its tokens. It does not refresh
    /// tokens that it was given, see [`login_tokens`](Self::login_tokens).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn refresh(&self) -> Result<GetAccountResponse, Error> {
        self.codex.call::<requests::AccountRead>(GetAccountParams::new().refresh_token(true)).await
    }

    /// Logs in with an API key. The server writes the key to its `CODEX_HOME`; this crate
    /// does not keep it.
    ///
    /// # Errors
    /// If the server refuses it; see [`Error`]. Whether the key is valid is only known
    /// when it is used.
    pub async fn login_api_key(&self, key: impl Into<String>) -> Result<(), Error> {
        let params: LoginAccountParams = ApiKeyLoginAccountParams::new(key).into();
        self.codex.call::<requests::AccountLoginStart>(params).await?;
        Ok(())
    }

    /// Begins a login with ChatGPT in a browser on the machine of the server: a person
    /// opens [`Login::auth_url`], and the browser comes back to a port of the server.
    ///
    /// # Errors
    /// If the server can't begin it; see [`Error`].
    pub async fn login_chatgpt(&self) -> Result<Login, Error> {
        self.login_chatgpt_with(ChatgptLoginAccountParams::new()).await
    }

    /// Begins a login with ChatGPT in a browser, with certain params.
    ///
    /// # Errors
    /// As [`login_chatgpt`](Self::login_chatgpt).
    pub async fn login_chatgpt_with(&self, params: ChatgptLoginAccountParams) -> Result<Login, Error> {
        Login::begin(&self.codex, params).await
    }

    /// Begins a login with ChatGPT in a browser anywhere: a person opens
    /// [`DeviceCodeLogin::verification_url`] and enters [`DeviceCodeLogin::user_code`].
    ///
    /// # Errors
    /// If the server can't begin it, for instance without a network; see [`Error`].
    pub async fn login_device_code(&self) -> Result<DeviceCodeLogin, Error> {
        DeviceCodeLogin::begin(&self.codex, ChatgptDeviceCodeLoginAccountParams::new()).await
    }

    /// Gives the server tokens that this program obtained. It asks for new ones when
    /// these no longer do, see [`CodexBuilder::on_token_refresh`](crate::CodexBuilder::on_token_refresh);
    /// it neither refreshes nor keeps them itself.
    ///
    /// When this returns, the tokens are in use. The server then looks up what belongs to
    /// the account, and tells how that went with `account/login/completed`, see
    /// [`Codex::subscribe`]; if it fails, [`read`](Self::read) fails too.
    ///
    /// The protocol calls this unstable and made for OpenAI's own programs.
    ///
    /// # Errors
    /// If the server refuses them, for instance since they are no JWT; see [`Error`].
    pub async fn login_tokens(&self, tokens: ChatgptTokens) -> Result<(), Error> {
        let mut params = ChatgptAuthTokensLoginAccountParams::new(tokens.access_token, tokens.account_id);
        params.chatgpt_plan_type = tokens.plan;
        let params: LoginAccountParams = params.into();
        self.codex.call::<requests::AccountLoginStart>(params).await?;
        Ok(())
    }

    /// Logs out: the server forgets the account and removes its credentials.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn logout(&self) -> Result<(), Error> {
        self.codex.call::<requests::AccountLogout>(NoParams::default()).await?;
        Ok(())
    }

    /// How much of what the account may use has been used. Changes are told with
    /// `account/rateLimits/updated`, see [`Codex::subscribe`].
    ///
    /// # Errors
    /// Without a ChatGPT login: [`Error::Unauthorized`]; see [`Error`].
    pub async fn rate_limits(&self) -> Result<GetAccountRateLimitsResponse, Error> {
        self.codex.call::<requests::AccountRateLimitsRead>(None::<GetAccountRateLimitsParams>).await
    }

    /// How many tokens the account has used.
    ///
    /// # Errors
    /// Without a ChatGPT login: [`Error::Unauthorized`]; see [`Error`].
    pub async fn usage(&self) -> Result<GetAccountTokenUsageResponse, Error> {
        self.codex.call::<requests::AccountUsageRead>(None::<GetAccountTokenUsageParams>).await
    }
}
