//! What a connection tells about one matter that is no thread's.

use codex_rpc::ServerNotification;
use codex_rpc_dispatch::tokio::{Buffer, Client, Delivery, Subscription};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Everything that a connection tells from now on, for a reader that always reads: it
/// misses nothing, and the connection waits for it.
pub(crate) fn everything(client: &Client) -> Subscription {
    client.subscribe_with(Buffer::waiting(256))
}

/// What was picked from the notifications of a connection. What was not is passed over at
/// once, so the connection does not wait for one who does not read.
///
/// It is for what is told a few times at most: what is not taken is kept.
pub(crate) struct Told<T> {
    picked: mpsc::UnboundedReceiver<T>,
    reading: AbortHandle,
}

impl<T: Send + 'static> Told<T> {
    /// Picks from what is told from now on.
    pub(crate) fn new(client: &Client, pick: impl Fn(&ServerNotification) -> Option<T> + Send + 'static) -> Self {
        let mut told = everything(client);
        let (give, picked) = mpsc::unbounded_channel();
        let reading = tokio::spawn(async move {
            while let Some(delivery) = told.next().await {
                let Delivery::Notification(message) = delivery else { continue };
                if let Some(picked) = pick(&message.payload) {
                    let _ = give.send(picked);
                }
            }
        });
        Self { picked, reading: reading.abort_handle() }
    }

    /// The next one; none when the connection has ended. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<T> {
        self.picked.recv().await
    }
}

impl<T> Drop for Told<T> {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
