//! The params of a request before it is a line.

#[cfg(any(feature = "blocking", feature = "tokio"))]
use std::borrow::Cow;

#[cfg(any(feature = "blocking", feature = "tokio"))]
use codex_rpc::ClientRequestMethod;
use codex_rpc::{Params, RawJson};

#[cfg(any(feature = "blocking", feature = "tokio"))]
use crate::CallError;

/// Params that can be written.
pub(crate) trait Written {
    /// Writes the member `params` with a comma before it, if there is one.
    fn write(&self, frame: &mut String) -> serde_json::Result<()>;
}

pub(crate) struct Typed<'a, P>(pub(crate) &'a P);

impl<P: Params> Written for Typed<'_, P> {
    fn write(&self, frame: &mut String) -> serde_json::Result<()> {
        if self.0.is_absent() {
            return Ok(());
        }
        frame.push_str(",\"params\":");
        codex_rpc::append_json(self.0, frame)
    }
}

pub(crate) struct Raw<'a>(pub(crate) Option<&'a str>);

impl Written for Raw<'_> {
    fn write(&self, frame: &mut String) -> serde_json::Result<()> {
        if let Some(params) = self.0 {
            frame.push_str(",\"params\":");
            frame.push_str(params);
        }
        Ok(())
    }
}

/// A request before it has an id, apart from the type of its method, so that what a
/// driver does with it is compiled once.
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) struct Prepared {
    pub(crate) method: Cow<'static, str>,
    /// The method's name, if it needs `experimentalApi`.
    pub(crate) experimental: Option<&'static str>,
    /// As JSON.
    pub(crate) params: Option<String>,
}

#[cfg(any(feature = "blocking", feature = "tokio"))]
impl Prepared {
    pub(crate) fn new<M: ClientRequestMethod>(params: &M::Params) -> Result<Self, CallError> {
        let unsendable = |error: serde_json::Error| CallError::Unsendable(error.to_string());
        let params = if params.is_absent() { None } else { Some(codex_rpc::to_json(params).map_err(unsendable)?) };
        Ok(Self { method: M::METHOD.into(), experimental: M::EXPERIMENTAL.then_some(M::METHOD), params })
    }

    pub(crate) fn raw(method: &str, params: Option<&RawJson>) -> Self {
        let params = params.map(|params| params.get().to_owned());
        Self { method: method.to_owned().into(), experimental: None, params }
    }
}
