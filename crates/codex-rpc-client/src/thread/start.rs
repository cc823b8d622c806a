//! Threads of a session: how handles of them come about.

use codex_rpc::requests;
use codex_rpc::types::{
    Thread as ThreadData, ThreadArchiveParams, ThreadDeleteParams, ThreadForkParams, ThreadReadParams,
    ThreadResumeParams, ThreadStartParams, ThreadUnarchiveParams,
};

use super::Thread;
use crate::session::Codex;
use crate::{CallSettings, Error, Tools};

impl Codex {
    /// Starts a thread.
    ///
    /// ```no_run
    /// use codex_rpc_client::protocol::types::{SandboxMode, ThreadStartParams};
    ///
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let thread = codex.start_thread(ThreadStartParams::new().sandbox(SandboxMode::ReadOnly)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start_thread(&self, params: ThreadStartParams) -> Result<Thread, Error> {
        let resume = (params.ephemeral != Some(true)).then(|| resuming(&params));
        let started = self.call::<requests::ThreadStart>(params).await?;
        let thread = Thread::new(self.clone(), &started.thread.id);
        thread.turns.set_resume(resume);
        Ok(thread)
    }

    /// Starts a thread whose model can call these tools. Needs the experimental API.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start_thread_with_tools(
        &self,
        params: ThreadStartParams,
        tools: impl Into<Tools>,
    ) -> Result<Thread, Error> {
        let tools = tools.into();
        let thread = self.start_thread(params.dynamic_tools(tools.specs())).await?;
        thread.set_tools(tools);
        Ok(thread)
    }

    /// Goes on with a thread, of this process or of one before: by id, or with other
    /// params.
    ///
    /// # Errors
    /// [`Error::ThreadNotFound`], if there is none; see [`Error`].
    pub async fn resume_thread(&self, params: impl Into<Resume>) -> Result<Thread, Error> {
        let params = params.into().0;
        let resumed = self.call_with::<requests::ThreadResume>(&params, CallSettings::default()).await?;
        let thread = Thread::new(self.clone(), &resumed.thread.id);
        thread.turns.set_resume(Some(params));
        Ok(thread)
    }

    /// A new thread with the history of another, or a part of it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn fork_thread(&self, params: ThreadForkParams) -> Result<Thread, Error> {
        let ephemeral = params.ephemeral == Some(true);
        let resume = forked(&params);
        let forked = self.call::<requests::ThreadFork>(params).await?;
        let thread = Thread::new(self.clone(), &forked.thread.id);
        thread.turns.set_resume((!ephemeral).then_some(resume));
        Ok(thread)
    }

    /// A handle of a thread that this session has started or resumed by other means, as by
    /// [`call`](Self::call), whose answer tells more than a handle does. It is resumed
    /// after a [restart](crate::CodexBuilder::restart) with the settings of codex's
    /// configuration.
    pub fn thread(&self, id: &str) -> Thread {
        Thread::new(self.clone(), id)
    }

    /// What the server knows about a thread.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read_thread(&self, params: ThreadReadParams) -> Result<ThreadData, Error> {
        Ok(self.call::<requests::ThreadRead>(params).await?.thread)
    }

    /// Archives a thread: lists leave it out.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn archive_thread(&self, thread: &str) -> Result<(), Error> {
        self.call::<requests::ThreadArchive>(ThreadArchiveParams::new(thread)).await?;
        Ok(())
    }

    /// Takes a thread out of the archive.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn unarchive_thread(&self, thread: &str) -> Result<ThreadData, Error> {
        Ok(self.call::<requests::ThreadUnarchive>(ThreadUnarchiveParams::new(thread)).await?.thread)
    }

    /// Deletes a thread with its history.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_thread(&self, thread: &str) -> Result<(), Error> {
        self.call::<requests::ThreadDelete>(ThreadDeleteParams::new(thread)).await?;
        Ok(())
    }
}

impl Thread {
    /// Sets the tools that calls of this thread's model go to. The model only knows those
    /// that the thread was started with: this is for threads that are resumed.
    pub fn set_tools(&self, tools: impl Into<Tools>) {
        self.codex.inner.hub.set_tools(self.id(), std::sync::Arc::new(tools.into()));
    }
}

/// A thread to go on with.
#[derive(Clone, Debug)]
pub struct Resume(ThreadResumeParams);

impl From<&str> for Resume {
    fn from(thread: &str) -> Self {
        Self(ThreadResumeParams::new(thread))
    }
}

impl From<String> for Resume {
    fn from(thread: String) -> Self {
        Self(ThreadResumeParams::new(thread))
    }
}

impl From<&String> for Resume {
    fn from(thread: &String) -> Self {
        Self(ThreadResumeParams::new(thread))
    }
}

impl From<ThreadResumeParams> for Resume {
    fn from(params: ThreadResumeParams) -> Self {
        Self(params)
    }
}

/// The params that a thread is resumed with in a new process, so that it goes on with the
/// sandbox, the approvals and the model that it was started with: the server takes them
/// from its configuration otherwise.
macro_rules! same {
    ($from:ident: $($field:ident),*) => {{
        let mut params = ThreadResumeParams::new(String::new());
        $(params.$field = $from.$field.clone();)*
        params
    }};
}

pub(crate) fn resuming(start: &ThreadStartParams) -> ThreadResumeParams {
    same!(start: model, model_provider, service_tier, cwd, runtime_workspace_roots, approval_policy, approvals_reviewer,
        sandbox, permissions, config, base_instructions, developer_instructions, personality)
}

fn forked(fork: &ThreadForkParams) -> ThreadResumeParams {
    same!(fork: model, model_provider, service_tier, cwd, runtime_workspace_roots, approval_policy, approvals_reviewer,
        sandbox, permissions, config, base_instructions, developer_instructions)
}
