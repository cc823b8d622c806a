//! What the server asks approval for, and how it is answered.
//!
//! [`ApprovalRequest`] is one view of every request for approval. [`Decision`] is what is
//! decided about it, by a hook, a [policy](crate::policy), or the default, which is to
//! refuse. [`Approvable`] turns a decision into the response that the request wants, and
//! never into one that permits more than was decided.
//!
//! Nothing here talks to a server: it is data in, data out.

mod answer;
mod command;
mod decision;
mod path;
mod permission;
mod request;
mod scan;
mod shell;

pub use answer::{Answer, Approvable, grant_some};
pub use command::{Command, SimpleCommand};
pub use decision::{Decision, Extent, Substitution};
#[cfg(feature = "policy")]
pub(crate) use path::absolute;
pub use permission::{FileScope, Permission};
pub use request::{ApprovalRequest, RequestKind};
#[cfg(feature = "policy")]
pub(crate) use shell::{file_name, system_name};
