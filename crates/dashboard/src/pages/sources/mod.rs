//! Sources: where providers' webhooks come in, what came in, and what was done about it.

mod actions;
mod acts;
mod form;
mod gap;
mod kinds;
mod list;
mod read;
mod receipt;
mod sections;
mod show;

use tidings_contract::source::SourceBody;

pub(crate) use acts::{delete, delete_question, switch};
pub(crate) use form::{create, edit, new, update};
pub(crate) use gap::fill;
pub(crate) use list::{show as list, state_badge};
pub(crate) use receipt::{download as receipt_body, preview, replay, replay_question, show as receipt};
pub(crate) use show::show;

use crate::visit::Visit;

/// Where a provider sends to: the address of its own, below the one that everybody else sees.
fn url_of(visit: &Visit, source: &SourceBody) -> String {
    let path = source.url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|place| &rest[place..]));
    format!("{}{}", visit.own_address().trim_end_matches('/'), path.unwrap_or("/"))
}

/// The page of a source.
fn page_of(visit: &Visit, source: &SourceBody) -> String {
    visit.link(&format!("/sources/{}", source.id))
}
