//! Lists that come in pages.

use super::Runtime;
use crate::Error;

/// A list that is fetched page by page, as it is read.
#[derive(Debug)]
#[must_use = "it does nothing unless it is read"]
pub struct Pages<T> {
    inner: crate::Pages<T>,
    runtime: Runtime,
    failed: bool,
}

impl<T> Pages<T> {
    pub(super) fn new(runtime: &Runtime, inner: crate::Pages<T>) -> Self {
        Self { inner, runtime: runtime.clone(), failed: false }
    }

    /// All that are left.
    ///
    /// # Errors
    /// As [`Pages::all`](crate::Pages::all).
    #[track_caller]
    pub fn all(self) -> Result<Vec<T>, Error> {
        let Self { inner, runtime, .. } = self;
        runtime.block_on(inner.all())
    }
}

/// Ends after an error.
impl<T> Iterator for Pages<T> {
    type Item = Result<T, Error>;

    #[track_caller]
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.runtime.block_on(self.inner.next()).transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}
