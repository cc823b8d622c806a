//! A command that runs.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use codex_rpc::types::{
    CommandExecParams, CommandExecResizeParams, CommandExecResponse, CommandExecTerminalSize,
    CommandExecTerminateParams, CommandExecWriteParams,
};
use codex_rpc::{ServerNotification, requests};
use codex_rpc_dispatch::tokio::{Client, Delivery, Subscription};
use tokio::sync::oneshot;

use super::CommandOutput;
use super::output::{Chunk, CommandStream, Output};
use crate::answers::Boxed;
use crate::session::CallSettings;
use crate::told::everything;
use crate::{Codex, Error, base64};

static COUNT: AtomicU64 = AtomicU64::new(0);

type Answer = Result<CommandExecResponse, Error>;

/// A command that was started. It is terminated when this is dropped, and ends with the
/// session's process.
pub struct CommandHandle {
    codex: Codex,
    client: Client,
    id: String,
    output: Arc<Output>,
    answer: oneshot::Receiver<Answer>,
    _held: oneshot::Sender<Infallible>,
}

impl fmt::Debug for CommandHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandHandle").field("process_id", &self.id).finish_non_exhaustive()
    }
}

impl CommandHandle {
    pub(super) async fn start(
        codex: Codex,
        mut params: CommandExecParams,
        unread: usize,
        stream: bool,
    ) -> Result<Self, Error> {
        let client = codex.client().await?;
        let id = format!("codex-rpc-client-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.process_id = Some(id.clone());
        params.stream_stdout_stderr = stream.then_some(true);
        let output = Arc::new(Output::new(unread));
        let told = everything(&client);
        let mut call: Boxed<Answer> = Box::pin({
            let (codex, client) = (codex.clone(), client.clone());
            // The answer comes when the command ends, and the server sees to that.
            let settings = CallSettings::default().with_time_limit(Duration::MAX);
            async move { codex.call_on::<requests::CommandExec>(&client, &params, settings).await }
        });
        let (held, dropped) = oneshot::channel();
        let (tell, answer) = oneshot::channel();
        // The request is put into the queue here, so that what is written to the command
        // comes after it.
        let at_once = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        match at_once {
            Poll::Ready(outcome) => {
                output.end();
                let _ = tell.send(outcome);
            }
            Poll::Pending => {
                let running = Running {
                    codex: codex.clone(),
                    client: client.clone(),
                    id: id.clone(),
                    output: Arc::clone(&output),
                    told,
                };
                tokio::spawn(running.follow(call, tell, dropped));
            }
        }
        Ok(Self { codex, client, id, output, answer, _held: held })
    }

    /// The id by which the connection knows the command.
    pub fn process_id(&self) -> &str {
        &self.id
    }

    /// The next piece of output; none when the command has ended and everything was given.
    ///
    /// Several may read; each piece goes to one of them. Cancel safe: a piece is not lost
    /// if the future is dropped.
    pub async fn next(&self) -> Option<Chunk> {
        self.output.next().await
    }

    /// Writes to the command's stdin. It must have one: see
    /// [`CommandBuilder::stdin`](crate::CommandBuilder::stdin) and
    /// [`tty`](crate::CommandBuilder::tty).
    ///
    /// # Errors
    /// If it has none, has ended, or its stdin was closed: [`Error::Refused`]; see
    /// [`Error`].
    pub async fn write(&self, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        self.input(CommandExecWriteParams::new(&self.id).delta_base64(base64::encode(bytes))).await
    }

    /// Closes the command's stdin: it reads the end.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn close_stdin(&self) -> Result<(), Error> {
        self.input(CommandExecWriteParams::new(&self.id).close_stdin(true)).await
    }

    async fn input(&self, params: CommandExecWriteParams) -> Result<(), Error> {
        self.codex.call_on::<requests::CommandExecWrite>(&self.client, &params, CallSettings::default()).await?;
        Ok(())
    }

    /// Sets the size of the command's terminal, in characters.
    ///
    /// # Errors
    /// If it has none or has ended: [`Error::Refused`]; see [`Error`].
    pub async fn resize(&self, columns: u16, rows: u16) -> Result<(), Error> {
        let params = CommandExecResizeParams::new(&self.id, CommandExecTerminalSize::new(rows, columns));
        self.codex.call_on::<requests::CommandExecResize>(&self.client, &params, CallSettings::default()).await?;
        Ok(())
    }

    /// Terminates the command. It has ended when [`wait`](Self::wait) returns.
    ///
    /// # Errors
    /// If it has ended already: [`Error::Refused`]; see [`Error`].
    pub async fn terminate(&self) -> Result<(), Error> {
        terminate(&self.codex, &self.client, &self.id, CallSettings::default()).await
    }

    /// Waits until the command has ended; its exit code, see [`CommandOutput::exit_code`].
    /// Output that was not read is dropped. If the future is dropped, the command is
    /// terminated.
    ///
    /// # Errors
    /// If it could not be started, or the connection ended first; see [`Error`].
    pub async fn wait(self) -> Result<i32, Error> {
        Ok(self.wait_with_output().await?.exit_code)
    }

    /// Waits until the command has ended; what it left, with the output that was not read
    /// yet, but for what was dropped, see [`Chunk::missed`]. If the future is dropped, the
    /// command is terminated.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn wait_with_output(mut self) -> Result<CommandOutput, Error> {
        let outcome = (&mut self.answer).await;
        let answer = outcome.unwrap_or_else(|_| Err(Error::closed("the runtime was shut down")))?;
        let mut output = CommandOutput {
            exit_code: answer.exit_code,
            stdout: answer.stdout.into_bytes(),
            stderr: answer.stderr.into_bytes(),
        };
        while let Some(chunk) = self.output.try_next() {
            match chunk.stream {
                CommandStream::Stdout => output.stdout.extend(chunk.bytes),
                CommandStream::Stderr => output.stderr.extend(chunk.bytes),
            }
        }
        Ok(output)
    }
}

async fn terminate(codex: &Codex, client: &Client, id: &str, settings: CallSettings) -> Result<(), Error> {
    let params = CommandExecTerminateParams::new(id);
    codex.call_on::<requests::CommandExecTerminate>(client, &params, settings).await?;
    Ok(())
}

/// What the connection tells about a command, until it ends.
struct Running {
    codex: Codex,
    client: Client,
    id: String,
    output: Arc<Output>,
    told: Subscription,
}

impl Running {
    async fn follow(
        mut self,
        mut call: Pin<Box<dyn Future<Output = Answer> + Send>>,
        tell: oneshot::Sender<Answer>,
        mut dropped: oneshot::Receiver<Infallible>,
    ) {
        let mut connected = true;
        let outcome = loop {
            tokio::select! {
                // What was told before the answer is taken before it.
                biased;
                delivery = self.told.next(), if connected => match delivery {
                    Some(delivery) => self.take(&delivery),
                    None => connected = false,
                },
                outcome = &mut call => break outcome,
                _ = &mut dropped => {
                    drop(self.told);
                    let settings = CallSettings::default();
                    // If it fails, the command has ended, by itself or with the connection.
                    let _ = terminate(&self.codex, &self.client, &self.id, settings).await;
                    return;
                }
            }
        };
        while let Some(delivery) = self.told.try_next() {
            self.take(&delivery);
        }
        let _ = tell.send(outcome);
        self.output.end();
    }

    fn take(&self, delivery: &Delivery) {
        let Delivery::Notification(message) = delivery else { return };
        let ServerNotification::CommandExecOutputDelta(delta) = &message.payload else { return };
        if delta.process_id != self.id {
            return;
        }
        let Some(stream) = CommandStream::new(&delta.stream) else {
            tracing::warn!(stream = delta.stream.as_str(), "a command wrote to a stream that is not known");
            return;
        };
        match base64::decode("command/exec/outputDelta", &delta.delta_base64) {
            Ok(bytes) => {
                self.output.push(Chunk { stream, bytes, cap_reached: delta.cap_reached, missed: 0 });
            }
            Err(error) => tracing::warn!(%error, "output of a command can't be read"),
        }
    }
}
