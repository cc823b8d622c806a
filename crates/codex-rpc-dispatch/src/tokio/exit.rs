//! Why the process behind a connection ended.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

/// How long the end of a process and the end of its output may be apart.
pub(super) const APART: Duration = Duration::from_millis(350);

type Ending = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// The end of a process, once it is known.
#[cfg(feature = "process")]
pub(super) type Gone = tokio::sync::watch::Receiver<Option<crate::ProcessExit>>;

/// What is known about the end of a process. Dropping it ends the process.
pub(super) struct Exit {
    ending: Option<Ending>,
    reason: Option<String>,
    #[cfg(feature = "process")]
    pub(super) gone: Option<Gone>,
}

impl Exit {
    /// There is no process, or none that can be asked.
    pub(super) fn never() -> Self {
        Self {
            ending: None,
            reason: None,
            #[cfg(feature = "process")]
            gone: None,
        }
    }

    /// A process; the future says why it ended, and `gone` how.
    #[cfg(feature = "process")]
    pub(super) fn of(ending: impl Future<Output = Option<String>> + Send + 'static, gone: Gone) -> Self {
        Self { ending: Some(Box::pin(ending)), reason: None, gone: Some(gone) }
    }

    /// Waits for the end of the process, for ever if there is none. Cancel safe.
    async fn reason(&mut self) -> String {
        if let Some(ending) = &mut self.ending {
            self.reason = ending.await;
            self.ending = None;
        }
        match &self.reason {
            Some(reason) => reason.clone(),
            None => pending().await,
        }
    }

    /// Why the process ended, if it ends soon: to ask when its output has ended.
    pub(super) async fn soon(&mut self) -> Option<String> {
        if self.ending.is_none() {
            return self.reason.clone();
        }
        tokio::time::timeout(APART, self.reason()).await.ok()
    }

    /// Waits until the process has ended and its output should have, too: something
    /// that it started may hold the pipe open.
    pub(super) async fn lingering(&mut self) -> String {
        let reason = self.reason().await;
        tokio::time::sleep(APART).await;
        reason
    }
}
