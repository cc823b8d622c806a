//! Changes of files, as they are told.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use codex_rpc::types::{AbsolutePathBuf, FsUnwatchParams, FsWatchParams};
use codex_rpc::{ServerNotification, requests};
use codex_rpc_dispatch::tokio::{Client, Delivery, Subscription};
use tokio::sync::{Notify, oneshot};

use crate::session::CallSettings;
use crate::told::everything;
use crate::{Codex, Error};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A file or a folder that is watched. It ends with the codex process, and when it is
/// dropped: then the server is told.
pub struct Watch {
    path: PathBuf,
    changes: Arc<Changes>,
    _held: oneshot::Sender<Infallible>,
}

/// What has changed since it was last asked. A path is in it once, so it does not grow
/// without end if nobody asks.
#[derive(Default)]
struct Changes {
    state: Mutex<State>,
    filled: Notify,
}

#[derive(Default)]
struct State {
    paths: BTreeSet<PathBuf>,
    ended: bool,
}

impl Changes {
    fn update(&self, update: impl FnOnce(&mut State)) {
        update(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.filled.notify_one();
    }

    /// What has changed; not ready if nothing has, none if nothing will.
    fn take(&self) -> Poll<Option<Vec<PathBuf>>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (state.paths.is_empty(), state.ended) {
            (false, _) => Poll::Ready(Some(std::mem::take(&mut state.paths).into_iter().collect())),
            (true, true) => Poll::Ready(None),
            (true, false) => Poll::Pending,
        }
    }
}

impl Watch {
    pub(super) async fn begin(codex: &Codex, path: AbsolutePathBuf) -> Result<Self, Error> {
        let client = codex.client().await?;
        let id = format!("codex-rpc-client-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        // A change may be told before the answer.
        let told = everything(&client);
        let (held, dropped) = oneshot::channel();
        let changes = Arc::new(Changes::default());
        // It follows already: if the future is dropped from here on, the server is told.
        tokio::spawn(follow(codex.clone(), client.clone(), id.clone(), told, Arc::clone(&changes), dropped));
        let params = FsWatchParams::new(id, path);
        let answer = codex.call_on::<requests::FsWatch>(&client, &params, CallSettings::default()).await?;
        Ok(Self { path: answer.path.0.into(), changes, _held: held })
    }

    /// The path that is watched, as the server resolved it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for changes: the paths that have changed since the last call, each once. None
    /// when the watch has ended, with the codex process.
    ///
    /// Cancel safe: changes are not lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Vec<PathBuf>> {
        loop {
            if let Poll::Ready(changed) = self.changes.take() {
                return changed;
            }
            self.changes.filled.notified().await;
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Collects the changes until the connection ends or the watch is dropped.
async fn follow(
    codex: Codex,
    client: Client,
    id: String,
    mut told: Subscription,
    changes: Arc<Changes>,
    mut dropped: oneshot::Receiver<Infallible>,
) {
    loop {
        tokio::select! {
            delivery = told.next() => match delivery {
                Some(Delivery::Notification(message)) => {
                    if let ServerNotification::FsChanged(changed) = &message.payload {
                        if changed.watch_id == id {
                            let paths = changed.changed_paths.iter().map(|path| PathBuf::from(&path.0));
                            changes.update(|state| state.paths.extend(paths));
                        }
                    }
                }
                Some(_) => {}
                None => break,
            },
            _ = &mut dropped => {
                drop(told);
                let params = FsUnwatchParams::new(id);
                // If it fails, the connection has ended, and the watch with it.
                let _ = codex.call_on::<requests::FsUnwatch>(&client, &params, CallSettings::default()).await;
                return;
            }
        }
    }
    changes.update(|state| state.ended = true);
}
