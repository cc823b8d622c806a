//! Lists that come in pages.

use std::collections::VecDeque;
use std::fmt;

use codex_rpc::requests;
use codex_rpc::types::{
    Thread as ThreadData, ThreadListParams, ThreadSearchParams, ThreadSearchResult, ThreadTurnsListParams,
    Turn as TurnData,
};

use super::Thread;
use crate::Error;
use crate::answers::Boxed;
use crate::session::Codex;

/// A page: what is on it, and where the next one begins.
type Page<T> = (Vec<T>, Option<String>);

type Fetch<T> = Box<dyn Fn(Option<String>) -> Boxed<Result<Page<T>, Error>> + Send + Sync>;

/// A list that is fetched page by page, as it is read.
#[must_use = "it does nothing unless it is read"]
pub struct Pages<T> {
    fetch: Fetch<T>,
    cursor: Option<String>,
    fetched: VecDeque<T>,
    ended: bool,
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("fetched", &self.fetched.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl<T> Pages<T> {
    pub(crate) fn new<F>(fetch: impl Fn(Option<String>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Page<T>, Error>> + Send + 'static,
    {
        let fetch: Fetch<T> = Box::new(move |cursor| Box::pin(fetch(cursor)));
        Self { fetch, cursor: None, fetched: VecDeque::new(), ended: false }
    }

    /// The next one; none at the end of the list.
    ///
    /// # Errors
    /// See [`Error`]. The same page is fetched again by the next call.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(next) = self.fetched.pop_front() {
                return Ok(Some(next));
            }
            if self.ended {
                return Ok(None);
            }
            let (page, cursor) = (self.fetch)(self.cursor.clone()).await?;
            self.fetched.extend(page);
            // A server that gives the same place again would never end.
            self.ended = cursor.is_none() || cursor == self.cursor;
            self.cursor = cursor;
        }
    }

    /// All that are left.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(next) = self.next().await? {
            all.push(next);
        }
        Ok(all)
    }
}

impl Codex {
    /// The threads that the server knows, page by page.
    ///
    /// ```no_run
    /// use codex_rpc_client::protocol::types::ThreadListParams;
    ///
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// let mut threads = codex.threads(ThreadListParams::new().limit(20u32));
    /// while let Some(thread) = threads.next().await? {
    ///     println!("{} {}", thread.id, thread.preview);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn threads(&self, params: ThreadListParams) -> Pages<ThreadData> {
        let codex = self.clone();
        Pages::new(move |cursor| {
            let (codex, mut params) = (codex.clone(), params.clone());
            params.cursor = cursor.or(params.cursor);
            async move {
                let page = codex.call::<requests::ThreadList>(params).await?;
                Ok((page.data, page.next_cursor))
            }
        })
    }

    /// The threads in which something is found, page by page.
    pub fn search_threads(&self, params: ThreadSearchParams) -> Pages<ThreadSearchResult> {
        let codex = self.clone();
        Pages::new(move |cursor| {
            let (codex, mut params) = (codex.clone(), params.clone());
            params.cursor = cursor.or(params.cursor);
            async move {
                let page = codex.call::<requests::ThreadSearch>(params).await?;
                Ok((page.data, page.next_cursor))
            }
        })
    }
}

impl Thread {
    /// The thread's turns as the server keeps them, page by page.
    pub fn history(&self) -> Pages<TurnData> {
        let thread = self.clone();
        Pages::new(move |cursor| {
            let mut params = ThreadTurnsListParams::new(thread.id());
            params.cursor = cursor;
            let codex = thread.codex().clone();
            async move {
                let page = codex.call::<requests::ThreadTurnsList>(params).await?;
                Ok((page.data, page.next_cursor))
            }
        })
    }
}
