//! What a webhook is set to.

use maud::{Markup, html};
use tidings_contract::webhook::WebhookBody;
use tidings_domain::{profile::Profile, tenancy::Scope};

use super::{arriving::schedule_words, page_of};
use crate::{
    parts::{ago, copy_id, copy_value, duration, number, types},
    shell::csrf,
    visit::Visit,
};

pub(super) fn facts(visit: &Visit, webhook: &WebhookBody) -> Markup {
    let revealable = webhook.profile.parse::<Profile>().is_ok_and(Profile::secret_revealable);
    let (page, manages) = (page_of(visit, webhook), visit.shows(Scope::WebhooksManage));
    let none = || html! { span .faint { "None" } };
    html! {
        section .panel {
            header .panel-head { h2 { "Webhook" } }
            div .panel-body {
                dl .facts {
                    dt { "URL" } dd { (copy_value("the URL", &webhook.url)) }
                    dt { "Id" } dd { (copy_id(&webhook.id.to_string())) }
                    dt { "Events" } dd { div .types {
                        @if webhook.events.len() <= 12 { @for event in &webhook.events { (types(std::slice::from_ref(event))) } }
                        @else { (types(&webhook.events)) }
                    } }
                    dt { "Scopes" } dd { @if webhook.scopes.is_empty() { "All" } @else { span .mono { bdi { (webhook.scopes.join(", ")) } } } }
                    dt { "Filter" } dd { @match &webhook.filter { Some(filter) => span .mono.small { (filter) }, None => (none()) } }
                    dt { "Transform" } dd { @match &webhook.transform { Some(_) if manages => a href={ (page) "/edit" } { "JavaScript" }, Some(_) => "JavaScript", None => (none()) } }
                    dt { "Profile" } dd { (webhook.profile) }
                    dt { "Signature" } dd .mono {
                        @if webhook.signed { (webhook.signature.header.as_deref().unwrap_or("webhook-signature")) } @else { span .faint { "None" } }
                    }
                    dt { "Secret" } dd {
                        @if webhook.signed { "Set, shown once" } @else { "None" }
                        @if visit.may(Scope::WebhooksManage) { " · " a href={ (page) "/rotate" } data-dialog { "Rotate…" } }
                        @if let Some(at) = webhook.previous_valid_until { br; span .faint { "The former one signs, too, until " (ago(visit, at)) } }
                        @if revealable && webhook.signed && manages {
                            form method="post" action={ (page) "/secret" } { (csrf(visit)) button .button.small disabled[!visit.may(Scope::WebhooksManage)] { "Show it" } }
                        }
                    }
                    @if let Some(key) = &webhook.public_key { dt { "Public key" } dd { (copy_value("the public key", key)) } }
                    dt { "Headers" } dd { @if webhook.headers.is_empty() { (none()) } @else { span .mono { (webhook.headers.keys().cloned().collect::<Vec<_>>().join(", ")) } } }
                    dt { "Attempts" } dd { (schedule_words(webhook)) }
                    dt { "Time limit" } dd { (duration(f64::from(webhook.timeout_ms))) }
                    dt { "Speed" } dd { @match webhook.max_in_flight { Some(most) => { "At most " (number(most)) " at once" } None => "Adaptive" } }
                    dt { "Last event" } dd {
                        @match &webhook.last_event {
                            Some(last) => { span .mono { bdi { (last.event_type) } } br; span .faint { (ago(visit, last.at)) } }
                            None => (none()),
                        }
                    }
                    dt { "Created" } dd { (ago(visit, webhook.created_at)) }
                }
            }
        }
    }
}
