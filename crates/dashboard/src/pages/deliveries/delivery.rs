//! `/p/{project}/deliveries/{dlv}?attempt=N`: how a delivery stands, and every attempt of it.

use axum::extract::Path;
use maud::{Markup, html};
use tidings_contract::{
    delivery::{AttemptBody, DeliveryBody, DeliverySummary},
    event::EventBody,
    webhook::WebhookBody,
};
use tidings_domain::tenancy::Scope;

use super::{
    attempt::{body_words, panel, phases},
    curl::curl,
    rows::{attempts_of, state_badge},
    strip::{rule, strip},
};
use crate::{
    ask::{Shown, Stop, part},
    pages::webhooks::name_of,
    parts::{ago, badge, copy_id, exact, icon, moment, number, summary, until, who_may},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

/// What the page is made of.
pub(super) struct Seen {
    pub(super) delivery: DeliveryBody,
    /// `None`: it was deleted.
    webhook: Option<WebhookBody>,
    event: Option<EventBody>,
}

impl Seen {
    pub(super) async fn find(visit: &Visit, id: &str) -> Result<Self, Stop> {
        let delivery: DeliveryBody = visit.need(&format!("/deliveries/{}", part(id))).await?;
        let webhook = visit.get(&format!("/webhooks/{}", delivery.summary.webhook_id)).await.ok();
        let event = visit.get(&format!("/events/{}", part(&delivery.summary.event_id))).await.ok();
        Ok(Self { delivery, webhook, event })
    }

    pub(super) fn name(&self) -> &str {
        self.webhook.as_ref().map_or("a deleted webhook", name_of)
    }

    pub(super) fn is_off(&self) -> bool {
        self.webhook.as_ref().is_some_and(|webhook| !webhook.enabled)
    }

    fn chosen(&self, wanted: Option<u32>) -> Option<&AttemptBody> {
        let attempts = &self.delivery.attempts;
        attempts.iter().find(|attempt| Some(attempt.number) == wanted).or_else(|| attempts.last())
    }
}

/// `GET …/deliveries/{dlv}`
pub(crate) async fn show(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    let seen = Seen::find(&visit, &id).await?;
    draw(&visit, &seen, None)
}

pub(super) fn draw(visit: &Visit, seen: &Seen, refused: Option<&tidings_contract::problem::Problem>) -> Shown {
    let query = visit.query();
    let delivery = &seen.delivery;
    let attempt = seen.chosen(query.text("attempt").parse().ok());
    let expunged = seen.event.as_ref().and_then(|event| event.expunged_at);
    let body = html! {
        (summary(refused))
        section .panel data-follows=(delivery.summary.id) {
            header .panel-head {
                h2 { (sentence(visit, delivery, seen.webhook.as_ref())) }
                @if let Some(at) = delivery.summary.waiting_until { p .push { (until(visit, at)) } }
            }
            @if !delivery.attempts.is_empty() || delivery.summary.waiting_for.as_deref() == Some("schedule") {
                (strip(visit, delivery, seen.webhook.as_ref(), attempt.map_or(0, |attempt| attempt.number)))
            }
            @if let Some(rule) = rule(delivery, seen.webhook.as_ref()) {
                div .panel-foot.one-line { (icon("info")) span { (rule) (profile_words(visit, seen)) } }
            }
        }
        div .cols.main-side {
            @match attempt {
                Some(attempt) => (panel(visit, delivery, attempt, query.has("raw"), expunged.is_some())),
                None => section .panel { p .panel-body.quiet { "No attempt was made yet." } },
            }
            div .stack {
                @if let Some(attempt) = attempt { (phases(attempt, seen.webhook.as_ref())) }
                (facts(visit, seen, attempt))
            }
        }
    };
    let lead = html! {
        "Delivery " (copy_id(&delivery.summary.id.to_string())) " of event " (event_link(visit, &delivery.summary))
    };
    let name = seen.name();
    let crumbs = [
        ("Deliveries", visit.link("/deliveries")),
        (name, visit.link(&format!("/webhooks/{}", delivery.summary.webhook_id))),
    ];
    let head = Head {
        title: &delivery.summary.event_type,
        nav: Some(Nav::Deliveries),
        crumbs: &crumbs,
        beside: Some(badge_with_attempts(seen)),
        lead: Some(lead),
        actions: Some(actions(visit, seen, attempt)),
        live: true,
        mono: true,
    };
    visit.page(&head, body)
}

/// The event, which a portal has no page of.
fn event_link(visit: &Visit, delivery: &DeliverySummary) -> Markup {
    let place = visit.link(&format!("/events/{}", part(&delivery.event_id)));
    html! {
        @if visit.portal.is_some() { bdi .mono { (delivery.event_id) } }
        @else { a .mono href=(place) { (delivery.event_id) } }
    }
}

/// `Retrying, 4 of 5`
fn badge_with_attempts(seen: &Seen) -> Markup {
    let delivery = &seen.delivery.summary;
    match seen.webhook.as_ref().and_then(|webhook| attempts_of(&webhook.retry)) {
        Some(all) if delivery.status == "retrying" && delivery.waiting_for.as_deref() != Some("held") => {
            badge("retrying", "retry", &format!("Retrying, {} of {}", number(delivery.attempt_count), number(all)))
        }
        _ => state_badge(delivery),
    }
}

/// What its reader came for.
fn sentence(visit: &Visit, delivery: &DeliveryBody, webhook: Option<&WebhookBody>) -> Markup {
    let one = &delivery.summary;
    let next = one.attempt_count + 1;
    let last = delivery.attempts.last();
    match (one.status.as_str(), one.waiting_for.as_deref(), one.waiting_until) {
        ("delivered", ..) => html! {
            "Delivered at attempt " (number(one.attempt_count))
            @if let Some(at) = one.delivered_at { ", " (moment(visit, at)) }
        },
        (_, Some("held"), _) => html! {
            "Held: the webhook is "
            @if webhook.is_some_and(|webhook| webhook.status == "disabled") { "disabled" } @else { "paused" }
            ". Goes out when it is " @if webhook.is_some_and(|webhook| webhook.status == "disabled") { "enabled" } @else { "resumed" }
        },
        (_, Some("schedule"), Some(at)) => html! { "Waits for attempt " (number(next)) ", " (moment(visit, at)) },
        (_, Some("breaker"), Some(at)) => html! { "Waits: the endpoint fails. Asked again " (moment(visit, at)) },
        (_, Some("breaker"), None) => html! { "Waits until the endpoint, which fails, answers again" },
        (_, Some(_), _) => html! { "Attempt " (number(next)) " is under way, or next in line" },
        ("failed", ..) => {
            html! { "Failed after " (number(one.attempt_count)) @if one.attempt_count == 1 { " attempt" } @else { " attempts" } (because(last)) }
        }
        ("dropped", ..) => html! { "Dropped after attempt " (number(one.attempt_count)) (because(last)) },
        ("cancelled", ..) => html! { "Cancelled: it is not sent any more" },
        _ => html! { "On its way" },
    }
}

fn because(last: Option<&AttemptBody>) -> Markup {
    html! {
        @match last.map(|attempt| (&attempt.response, &attempt.error)) {
            Some((Some(response), _)) => { ": the endpoint answered " (response.status) },
            Some((None, Some(error))) => { ": " (error) },
            _ => {}
        }
    }
}

fn profile_words(visit: &Visit, seen: &Seen) -> Markup {
    html! {
        @if let Some(webhook) = &seen.webhook {
            " " a href=(visit.link(&format!("/webhooks/{}", webhook.id))) { "Profile " (webhook.profile) }
        }
    }
}

fn actions(visit: &Visit, seen: &Seen, attempt: Option<&AttemptBody>) -> Markup {
    let id = seen.delivery.summary.id;
    let place = visit.link(&format!("/deliveries/{id}/retry"));
    let words = if seen.delivery.summary.status == "delivered" { "Send again" } else { "Retry now" };
    let expunged = seen.event.as_ref().is_some_and(|event| event.expunged_at.is_some());
    let why_not = match (visit.may(Scope::WebhooksManage), &seen.webhook, expunged) {
        (false, ..) => Some(who_may(visit, Scope::WebhooksManage)),
        (_, None, _) => Some("Its webhook was deleted: there is nobody to send to"),
        (.., true) => Some("Its payload was expunged: there is nothing left to send"),
        _ => None,
    };
    html! {
        @if let Some(attempt) = attempt.filter(|attempt| !attempt.request.url.starts_with("command:")) {
            button .button.plain type="button" data-copy=(curl(&attempt.request)) hidden { (icon("copy")) "Copy as curl" }
        }
        @if !visit.shows(Scope::WebhooksManage) {
        } @else if why_not.is_none() && seen.is_off() {
            a .button.primary href=(place) data-dialog data-retry { (icon("retry")) (words) "…" }
        } @else {
            form .inline method="post" action=(place) {
                (csrf(visit))
                button .button.primary data-retry disabled[why_not.is_some()] title=[why_not] { (icon("retry")) (words) }
            }
        }
    }
}

/// Bytes of a body that an address has room for.
const CARRIED_BYTES_MAX: usize = 8 * 1024;

/// The signature sandbox with what this attempt signed. It stands behind `#`, which no server and no log sees; the
/// secret is not known here, and the signature is masked: whoever checks it brings both.
fn sandbox(visit: &Visit, seen: &Seen, attempt: Option<&AttemptBody>) -> String {
    let place = visit.link(if visit.portal.is_some() { "/signing" } else { "/settings/signing" });
    let Some(attempt) = attempt else { return place };
    let header = |name: &str| attempt.request.headers.get(name).map(String::as_str).unwrap_or_default();
    let profile = seen.webhook.as_ref().map(|webhook| webhook.profile.to_string()).unwrap_or_default();
    let body = Some(attempt.request.body.as_str()).filter(|body| body.len() <= CARRIED_BYTES_MAX).unwrap_or_default();
    let carried = [
        ("way", profile.as_str()),
        ("id", header("webhook-id")),
        ("time", header("webhook-timestamp")),
        ("body", body),
    ];
    let carried = carried.map(|(name, value)| format!("{name}={}", part(value))).join("&");
    format!("{place}#{carried}")
}

/// Whether an address is the inbox of this server, which there is under `tidings dev`.
fn is_inbox(visit: &Visit, address: &str) -> bool {
    let path = url::Url::parse(address).ok().map(|address| address.path().to_owned());
    visit.dashboard.parts().dev && !visit.is_portal() && path.is_some_and(|path| path.starts_with("/dev/inbox"))
}

fn facts(visit: &Visit, seen: &Seen, attempt: Option<&AttemptBody>) -> Markup {
    let one = &seen.delivery.summary;
    let scope = seen.event.as_ref().map(|event| event.scope.join(", ")).filter(|scope| !scope.is_empty());
    html! {
        section .panel {
            header .panel-head { h2 { "Delivery" } }
            div .panel-body {
                dl .facts {
                    dt { "Webhook" }
                    dd {
                        @match &seen.webhook {
                            Some(webhook) => a href=(visit.link(&format!("/webhooks/{}", webhook.id))) { bdi { (name_of(webhook)) } },
                            None => { "Deleted, " span .mono { (one.webhook_id) } },
                        }
                    }
                    @if let Some(attempt) = attempt {
                        dt { "Sent to" }
                        dd {
                            bdi .mono { (attempt.request.url) }
                            @if is_inbox(visit, &attempt.request.url) { " · " a href="/dev/inbox" { "look into the inbox" } }
                        }
                    }
                    dt { "Event" } dd { (event_link(visit, one)) }
                    dt { "Published" } dd { (exact(visit, one.created_at)) " · " (ago(visit, one.created_at)) }
                    @if let Some(at) = one.delivered_at { dt { "Delivered" } dd { (exact(visit, at)) } }
                    dt { "Scope" } dd { (scope.as_deref().unwrap_or("None")) }
                    @if let Some(webhook) = &seen.webhook { dt { "Profile" } dd { (webhook.profile) } }
                    @if let Some(at) = seen.event.as_ref().and_then(|event| event.expunged_at) {
                        dt { "Payload" } dd { "Expunged " (exact(visit, at)) }
                    } @else if let Some(attempt) = attempt {
                        dt { "Body" } dd { (body_words(attempt)) }
                    }
                    @if seen.webhook.as_ref().is_some_and(|webhook| webhook.signed) {
                        dt { "Signature" }
                        dd {
                            "Fresh for each attempt · "
                            a href=(sandbox(visit, seen, attempt)) { "check it" }
                        }
                    }
                }
            }
        }
    }
}
