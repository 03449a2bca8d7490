//! Events: the list, publishing one, and one event with whom it reached and why.

mod acts;
mod event;
mod explain;
mod list;
mod new;
mod timeline;

pub(crate) use acts::{expunge, expunge_question, replay, replay_question};
pub(crate) use event::{download as payload, show};
pub(crate) use list::show as list;
pub(crate) use new::{publish, show as new};
