//! Webhooks: the table, the form, the page of one, and what can be done to it.

mod acts;
mod arriving;
mod facts;
mod form;
mod read;
mod row;
mod secret;
mod sections;
mod show;
mod table;

pub(crate) use acts::{delete, delete_ask, disable, enable, pause, resume, test};
pub(crate) use form::{create, edit, new, update};
pub(crate) use secret::{reveal, rotate, rotate_ask};
pub(crate) use show::show;
pub(crate) use table::list;

use tidings_contract::webhook::WebhookBody;

use crate::visit::Visit;

/// What a webhook is called: its name, or where it is.
pub(crate) fn name_of(webhook: &WebhookBody) -> &str {
    webhook.name.as_deref().filter(|name| !name.is_empty()).unwrap_or_else(|| host_and_path(&webhook.url).0)
}

/// An address in two parts: whom it belongs to, and what there. Of `command:/name`, that it is one.
pub(crate) fn host_and_path(url: &str) -> (&str, &str) {
    if let Some(command) = url.strip_prefix("command:") {
        return ("a command", command);
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?']).map_or((rest, "/"), |place| rest.split_at(place))
}

/// The address of a webhook's page.
fn page_of(visit: &Visit, webhook: &WebhookBody) -> String {
    visit.link(&format!("/webhooks/{}", webhook.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut_where_people_look() {
        assert_eq!(host_and_path("https://crm.example.com/hooks?x=1"), ("crm.example.com", "/hooks?x=1"));
        assert_eq!(host_and_path("https://crm.example.com"), ("crm.example.com", "/"));
        assert_eq!(host_and_path("command:/onEvent"), ("a command", "/onEvent"));
    }
}
