//! Lists that come in pages.

use super::Runtime;
use crate::Error;

/// A list that is fetched page by page, as it is read.
#[derive(Debug)]
#[must_use = "it does nothing unless it is read"]
pub struct Pages<T> {
    runtime: Runtime,
    inner: crate::Pages<T>,
    failed: bool,
}

impl<T> Pages<T> {
    pub(super) fn new(runtime: &Runtime, pages: crate::Pages<T>) -> Self {
        Self { runtime: runtime.clone(), inner: pages, failed: false }
    }
}

/// Ends after an error.
impl<T> Iterator for Pages<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.runtime.block_on(self.inner.next()).transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}
