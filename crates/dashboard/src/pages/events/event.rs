//! `/p/{project}/events/{evt}`: what was published, who got it, and why.

use std::borrow::Cow;

use axum::extract::Path;
use http::StatusCode;
use maud::{Markup, html};
use tidings_contract::{
    delivery::{DeliveryBody, DeliverySummary},
    event::{EventBody, EventDeliveries},
};
use tidings_domain::tenancy::Scope;

use super::{explain, timeline};
use crate::{
    ask::{Shown, Stop, part},
    body::{self, bytes_of, file},
    pages::deliveries::rows::Webhooks,
    parts::{ago, copy_id, exact, icon, moment, notice, who_may},
    shell::{Head, Nav, wrong_page},
    visit::Visit,
};

/// Deliveries whose attempts the timeline shows.
const TIMED_MAX: usize = 20;

pub(super) fn deliveries_of(event: &EventBody) -> &[DeliverySummary] {
    match &event.deliveries {
        EventDeliveries::List(list) => list,
        EventDeliveries::Count(_) => &[],
    }
}

/// `GET …/events/{evt}`
pub(crate) async fn show(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    let event: EventBody = visit.need(&format!("/events/{}", part(&id))).await?;
    let deliveries = deliveries_of(&event);
    let about = explain::in_order(&event).into_iter().map(|row| row.webhook_id).take(100);
    let webhooks = Webhooks::of(&visit, about).await;
    let mut whole = Vec::new();
    for delivery in deliveries.iter().take(TIMED_MAX) {
        if let Ok(delivery) = visit.get::<DeliveryBody>(&format!("/deliveries/{}", delivery.id)).await {
            whole.push(delivery);
        }
    }
    let left_out = deliveries.len() - whole.len();
    let body = html! {
        @if deliveries.is_empty() { (nobody(&visit, &event, &webhooks)) }
        div .cols.main-side data-follows=(event.id) {
            div .stack {
                (explain::panel(&visit, &event, deliveries, &webhooks, visit.query().has("all")))
                (timeline::panel(&visit, &event, &whole, &webhooks, left_out))
            }
            div .stack { (payload(&visit, &event)) (facts(&visit, &event)) }
        }
    };
    let lead = html! {
        (copy_id(&event.id)) " · published " (ago(&visit, event.created_at))
        @if let Some(at) = event.deliver_at { ", to be delivered " (moment(&visit, at)) }
    };
    let crumbs = [("Events", visit.link("/events"))];
    let head = Head {
        title: &event.event_type,
        nav: Some(Nav::Events),
        crumbs: &crumbs,
        lead: Some(lead),
        actions: Some(actions(&visit, &event)),
        live: true,
        mono: true,
        ..Head::default()
    };
    visit.page(&head, body)
}

fn nobody(visit: &Visit, event: &EventBody, webhooks: &Webhooks) -> Markup {
    let way = explain::way_out(event, webhooks);
    let text = match &way {
        Some((_, text)) => text.clone(),
        None => "No webhook is there to want it: create one that takes its type, then replay it.".to_owned(),
    };
    let action = match way {
        Some((id, _)) => {
            html! { a .button.small href=(visit.link(&format!("/webhooks/{id}/edit"))) { "Change the webhook" } }
        }
        None => html! { a .button.small href=(visit.link("/webhooks/new")) { "Create webhook" } },
    };
    notice("warn", "Nobody wanted it.", &html! { bdi { (text) } }, Some(action))
}

fn actions(visit: &Visit, event: &EventBody) -> Markup {
    let gone = event.expunged_at.is_some();
    let may = visit.may(Scope::WebhooksManage);
    let why_not = match (may, gone) {
        (false, _) => Some(who_may(visit, Scope::WebhooksManage)),
        (_, true) => Some("Its payload was expunged: there is nothing left to send"),
        _ => None,
    };
    html! {
        @if let Some(line) = curl(&visit.own_address(), event) {
            button .button.plain type="button" data-copy=(line) hidden { (icon("copy")) "Copy as curl" }
        }
        @match why_not {
            None => a .button href={ (visit.link("/events/")) (part(&event.id)) "/replay" } data-dialog { (icon("retry")) "Replay…" },
            Some(reason) => button .button type="button" disabled title=(reason) { (icon("retry")) "Replay…" },
        }
    }
}

/// The line that publishes the same once more.
fn curl(server: &str, event: &EventBody) -> Option<String> {
    let data = event.payload.as_ref()?.get();
    let mut body = format!("{{\"type\":{},\"data\":{data}", serde_json::Value::from(event.event_type.as_str()));
    if !event.scope.is_empty() {
        body.push_str(&format!(",\"scope\":{}", serde_json::Value::from(event.scope.as_slice())));
    }
    body.push('}');
    Some(format!(
        "curl -X POST {server}/api/v1/events \\\n  -H \"X-API-Key: $TIDINGS_API_KEY\" \\\n  \
         -H 'Content-Type: application/json' \\\n  --data-binary '{}'",
        body.replace('\'', r"'\''")
    ))
}

/// What was published, if it is still there: data as it came, or bytes.
fn bytes(event: &EventBody) -> Option<Cow<'_, [u8]>> {
    match (&event.payload, &event.body_base64) {
        (Some(payload), _) => Some(bytes_of(payload.get(), None)),
        (None, Some(base64)) => Some(bytes_of("", Some(base64))),
        (None, None) => None,
    }
}

/// `GET …/events/{evt}/payload`: what was published, as a file.
pub(crate) async fn download(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    let event: EventBody = visit.need(&format!("/events/{}", part(&id))).await?;
    let Some(bytes) = bytes(&event) else {
        let text = "The payload was expunged. Type, times and answers stay.";
        return Err(Stop::with((StatusCode::NOT_FOUND, wrong_page(&visit, "Not found", text))));
    };
    // Whoever publishes may choose the id, so the file is called by its type.
    Ok(file(&event.event_type, bytes.into_owned()))
}

fn payload(visit: &Visit, event: &EventBody) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Payload" } }
            div .panel-body.stack.tight {
                @match bytes(event) {
                    Some(bytes) => {
                        (body::block(if event.payload.is_some() { "Data" } else { "Body" }, &bytes, false))
                        p .hint { a href={ (visit.link("/events/")) (part(&event.id)) "/payload" } download { "Download the payload" } }
                    },
                    None => p .quiet { "The payload was expunged. Type, times and answers stay." },
                }
            }
        }
    }
}

fn facts(visit: &Visit, event: &EventBody) -> Markup {
    let may = visit.may(Scope::Admin);
    html! {
        section .panel {
            header .panel-head { h2 { "Event" } }
            div .panel-body {
                dl .facts {
                    dt { "Type" }
                    dd { a .mono href=(visit.link(&format!("/event-types/{}", part(&event.event_type)))) { bdi { (event.event_type) } } }
                    dt { "Published" } dd { (exact(visit, event.created_at)) }
                    dt { "Schema" }
                    dd { @match event.schema_version { Some(version) => { "Valid by version " (version) }, None => "None" } }
                    dt { "Scope" }
                    dd { @if event.scope.is_empty() { "None" } @else { bdi .mono { (event.scope.join(", ")) } } }
                    dt { "Content type" }
                    dd .mono { bdi { (event.content_type.as_deref().unwrap_or("application/json")) } }
                    dt { "Payload" }
                    dd {
                        @match (event.expunged_at, may) {
                            (Some(at), _) => { "Expunged " (exact(visit, at)) },
                            (None, true) => a href={ (visit.link("/events/")) (part(&event.id)) "/expunge" } data-dialog { "Expunge payload…" },
                            (None, false) => { "Kept " span .faint { "· an admin may expunge it" } },
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tidings_contract::wire::Wire as _;

    use super::*;

    #[test]
    fn the_line_publishes_the_same_bytes() {
        let text = EventBody::example().to_string().replace("customer", "it's");
        let event: EventBody = serde_json::from_str(&text).expect("an event");
        let line = curl("https://t.example", &event).expect("a payload");
        assert!(line.contains(r#""tag":"it'\''s""#) && line.contains("$TIDINGS_API_KEY"), "{line}");
        assert!(line.ends_with("'") && line.contains(r#""scope":["list_42"]"#), "{line}");
    }
}
