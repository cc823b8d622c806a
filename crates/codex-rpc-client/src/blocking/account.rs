//! The account: who is logged in, and how.

use codex_rpc::types::{
    ChatgptLoginAccountParams, GetAccountRateLimitsResponse, GetAccountResponse, GetAccountTokenUsageResponse,
};

use super::Runtime;
use crate::{ChatgptTokens, Error};

wrapper! {
    /// The account of a session's server; see [`Account`](crate::Account).
    #[derive(Clone)]
    Account(crate::Account)
}

impl Account {
    same! { Account:
        /// Who is logged in, if anybody is.
        read() -> GetAccountResponse;
        /// Who is logged in, after the server has refreshed its tokens.
        refresh() -> GetAccountResponse;
        /// Logs in with an API key.
        login_api_key(key: impl Into<String>) -> ();
        /// Gives the server tokens that this program obtained.
        login_tokens(tokens: ChatgptTokens) -> ();
        /// Logs out: the server forgets the account and removes its credentials.
        logout() -> ();
        /// How much of what the account may use has been used.
        rate_limits() -> GetAccountRateLimitsResponse;
        /// How many tokens the account has used.
        usage() -> GetAccountTokenUsageResponse;
    }

    handles! { Account:
        /// Begins a login with ChatGPT in a browser on the machine of the server.
        ///
        /// ```no_run
        /// # fn run(codex: codex_rpc_client::blocking::Codex) -> Result<(), codex_rpc_client::Error> {
        /// let mut login = codex.account().login_chatgpt()?;
        /// println!("Open {}", login.auth_url());
        /// login.wait()?;
        /// # Ok(())
        /// # }
        /// ```
        login_chatgpt() -> Login;
        /// Begins a login with ChatGPT in a browser, with certain params.
        login_chatgpt_with(params: ChatgptLoginAccountParams) -> Login;
        /// Begins a login with ChatGPT in a browser anywhere, with a code.
        login_device_code() -> DeviceCodeLogin;
    }
}

wrapper! {
    /// A login in a browser that has begun; see [`Login`](crate::Login).
    Login(crate::Login)
}

impl Login {
    /// The login's id.
    pub fn id(&self) -> &str {
        self.inner.id()
    }

    /// What the person opens in a browser on the machine of the server.
    pub fn auth_url(&self) -> &str {
        self.inner.auth_url()
    }

    /// Waits until the login has ended. There is no time limit but the server's.
    ///
    /// # Errors
    /// As [`Login::wait`](crate::Login::wait).
    #[track_caller]
    pub fn wait(&mut self) -> Result<(), Error> {
        self.runtime.block_on(self.inner.wait())
    }

    same! { Login:
        /// Cancels the login; whether it was still going on.
        cancel() -> bool;
    }
}

wrapper! {
    /// A login with a code that is entered on another device, and that has begun; see
    /// [`DeviceCodeLogin`](crate::DeviceCodeLogin).
    DeviceCodeLogin(crate::DeviceCodeLogin)
}

impl DeviceCodeLogin {
    /// The login's id.
    pub fn id(&self) -> &str {
        self.inner.id()
    }

    /// Where the person enters the code.
    pub fn verification_url(&self) -> &str {
        self.inner.verification_url()
    }

    /// The code, for this once. Whoever enters it decides which account it is.
    pub fn user_code(&self) -> &str {
        self.inner.user_code()
    }

    /// Waits until the login has ended; as [`Login::wait`].
    ///
    /// # Errors
    /// As [`Login::wait`].
    #[track_caller]
    pub fn wait(&mut self) -> Result<(), Error> {
        self.runtime.block_on(self.inner.wait())
    }

    same! { DeviceCodeLogin:
        /// Cancels the login; whether it was still going on.
        cancel() -> bool;
    }
}
