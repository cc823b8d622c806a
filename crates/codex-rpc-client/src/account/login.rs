//! Logins that a person completes.

use std::fmt;

use codex_rpc::types::{
    AccountLoginCompletedNotification, CancelLoginAccountParams, CancelLoginAccountStatus,
    ChatgptDeviceCodeLoginAccountParams, ChatgptDeviceCodeLoginAccountResponse, ChatgptLoginAccountParams,
    LoginAccountParams, LoginAccountResponse,
};
use codex_rpc::{ServerNotification, requests};
use codex_rpc_dispatch::tokio::Client;

use crate::session::CallSettings;
use crate::told::Told;
use crate::{Codex, Error};

/// A login in a browser that has begun.
///
/// One that is dropped goes on: it ends when the person completes it, when the server
/// gives it up, or with the next login.
pub struct Login {
    pending: Pending,
    auth_url: String,
}

/// A login with a code that is entered on another device, and that has begun.
///
/// One that is dropped goes on, as [`Login`] does.
pub struct DeviceCodeLogin {
    pending: Pending,
    verification_url: String,
    user_code: String,
}

impl Login {
    pub(super) async fn begin(codex: &Codex, params: ChatgptLoginAccountParams) -> Result<Self, Error> {
        let (starting, answer) = Starting::new(codex, params.into()).await?;
        match answer {
            LoginAccountResponse::Chatgpt(login) => {
                Ok(Self { pending: starting.pending(login.login_id), auth_url: login.auth_url })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// The login's id.
    pub fn id(&self) -> &str {
        &self.pending.id
    }

    /// What the person opens in a browser on the machine of the server.
    pub fn auth_url(&self) -> &str {
        &self.auth_url
    }

    /// Waits until the login has ended. There is no time limit but the server's.
    ///
    /// Cancel safe: if the future is dropped, it can be waited for again.
    ///
    /// # Errors
    /// [`Error::LoginFailed`] if it was cancelled, took too long or was refused; if the
    /// connection ended, why.
    pub async fn wait(&mut self) -> Result<(), Error> {
        self.pending.wait().await
    }

    /// Cancels the login; whether it was still going on. [`wait`](Self::wait) fails then.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel(&self) -> Result<bool, Error> {
        self.pending.cancel().await
    }
}

impl DeviceCodeLogin {
    pub(super) async fn begin(codex: &Codex, params: ChatgptDeviceCodeLoginAccountParams) -> Result<Self, Error> {
        let (starting, answer) = Starting::new(codex, params.into()).await?;
        match answer {
            LoginAccountResponse::ChatgptDeviceCode(ChatgptDeviceCodeLoginAccountResponse {
                login_id,
                verification_url,
                user_code,
                ..
            }) => Ok(Self { pending: starting.pending(login_id), verification_url, user_code }),
            other => Err(unexpected(&other)),
        }
    }

    /// The login's id.
    pub fn id(&self) -> &str {
        &self.pending.id
    }

    /// Where the person enters the code.
    pub fn verification_url(&self) -> &str {
        &self.verification_url
    }

    /// The code, for this once. Whoever enters it decides which account it is.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Waits until the login has ended; as [`Login::wait`].
    ///
    /// # Errors
    /// As [`Login::wait`].
    pub async fn wait(&mut self) -> Result<(), Error> {
        self.pending.wait().await
    }

    /// Cancels the login; whether it was still going on. [`wait`](Self::wait) fails then.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel(&self) -> Result<bool, Error> {
        self.pending.cancel().await
    }
}

// Neither URLs nor codes: they lead into an account.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl fmt::Debug for DeviceCodeLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodeLogin").field("id", &self.id()).finish_non_exhaustive()
    }
}

type Completed = AccountLoginCompletedNotification;

/// A login of which the id is not known yet.
struct Starting {
    codex: Codex,
    client: Client,
    completed: Told<Completed>,
}

impl Starting {
    /// Asks for a login. Its end may be told before the answer that names it, so it is
    /// listened to first.
    async fn new(codex: &Codex, params: LoginAccountParams) -> Result<(Self, LoginAccountResponse), Error> {
        let client = codex.client().await?;
        let completed = Told::new(&client, |notification| match notification {
            ServerNotification::AccountLoginCompleted(completed) => Some(completed.clone()),
            _ => None,
        });
        let answer = codex.call_on::<requests::AccountLoginStart>(&client, &params, CallSettings::default()).await?;
        Ok((Self { codex: codex.clone(), client, completed }, answer))
    }

    fn pending(self, id: String) -> Pending {
        Pending { id, codex: self.codex, client: self.client, completed: self.completed, ended: None }
    }
}

/// A login that can be waited for.
struct Pending {
    id: String,
    codex: Codex,
    client: Client,
    completed: Told<Completed>,
    ended: Option<Completed>,
}

impl Pending {
    async fn wait(&mut self) -> Result<(), Error> {
        while self.ended.is_none() {
            match self.completed.next().await {
                Some(completed) if completed.login_id.as_ref() == Some(&self.id) => self.ended = Some(completed),
                Some(_) => {}
                None => return Err(self.codex.lost_connection(&self.client).await),
            }
        }
        match &self.ended {
            Some(ended) if !ended.success => Err(Error::login_failed(ended.error.as_deref())),
            _ => Ok(()),
        }
    }

    async fn cancel(&self) -> Result<bool, Error> {
        let params = CancelLoginAccountParams::new(&self.id);
        let answer =
            self.codex.call_on::<requests::AccountLoginCancel>(&self.client, &params, CallSettings::default()).await?;
        Ok(answer.status == CancelLoginAccountStatus::Canceled)
    }
}

fn unexpected(answer: &LoginAccountResponse) -> Error {
    let kind = match answer {
        LoginAccountResponse::Unrecognized(other) => other.tag.clone(),
        _ => "another kind".to_owned(),
    };
    Error::invalid("the answer to account/login/start", format!("it is of {kind}"), "")
}
