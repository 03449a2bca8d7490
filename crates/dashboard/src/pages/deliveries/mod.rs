//! Deliveries: the list over all webhooks, one delivery with its attempts, and rows for other pages.

mod acts;
mod attempt;
mod bulk;
mod curl;
mod delivery;
mod filter;
mod list;
pub(crate) mod rows;
pub(crate) mod strip;

pub(crate) use acts::{download, retry, retry_question};
pub(crate) use bulk::bulk;
pub(crate) use delivery::show;
pub(crate) use filter::{PERIODS, since};
pub(crate) use list::show as list;
