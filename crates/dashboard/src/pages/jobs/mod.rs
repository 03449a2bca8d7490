//! Jobs: what sends many deliveries again, how far it is, and the forms that begin it.

mod begin;
mod job;

pub(crate) use begin::{recover, recover_form, replay, replay_form};
pub(crate) use job::{cancel, list, progress, show};
