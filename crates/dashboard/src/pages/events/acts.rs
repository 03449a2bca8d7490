//! What is done to an event: sent again, or its payload deleted.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{event::EventBody, job::ReplayedEventBody, problem::Problem};

use super::event::deliveries_of;
use crate::{
    ask::{Shown, part},
    form::Form,
    pages::{deliveries::rows::Webhooks, webhooks::name_of},
    parts::{Confirm, confirm, hidden, number, summary},
    shell::{Head, Nav, with_status},
    visit::Visit,
};

type Ids = Path<(String, String)>;

/// `GET …/events/{evt}/replay`
pub(crate) async fn replay_question(visit: Visit, Path((_, id)): Ids) -> Shown {
    draw_replay(&visit, &id, &visit.query(), None).await
}

async fn draw_replay(visit: &Visit, id: &str, typed: &Form, problem: Option<&Problem>) -> Shown {
    let event: EventBody = visit.need(&format!("/events/{}", part(id))).await?;
    let webhooks = Webhooks::of(visit, typed.text("webhook").parse().ok()).await;
    let back = visit.link(&format!("/events/{}", part(id)));
    let ask = Confirm {
        title: &format!("Replay this {}?", event.event_type),
        text: html! {
            p { "Whoever wants such an event now gets it once more, also those that had it: receivers that count by its id see the same id." }
        },
        action: &format!("{back}/replay"),
        verb: "Replay event",
        keep: "Leave it",
        back: &back,
        fields: html! { (hidden("idempotency_key", &visit.fresh_key(typed))) (choice(&webhooks, typed.text("webhook"))) },
        danger: false,
    };
    let crumbs = [("Events", visit.link("/events")), (event.event_type.as_str(), back.clone())];
    let head = Head { title: "Replay an event", nav: Some(Nav::Events), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, html! { (summary(problem)) (confirm(visit, &ask)) })
}

fn choice(webhooks: &Webhooks, chosen: &str) -> Markup {
    html! {
        div .field {
            label for="f-webhook" { "To whom" }
            select #f-webhook name="webhook" {
                option value="" { "All that want it" }
                @for webhook in webhooks.all().rev().filter(|webhook| webhook.enabled) {
                    @let id = webhook.id.to_string();
                    option value=(id) selected[chosen == id] { (name_of(webhook)) }
                }
            }
        }
    }
}

/// `POST …/events/{evt}/replay`
pub(crate) async fn replay(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let body = match form.given("webhook") {
        Some(webhook) => serde_json::json!({"webhook_id": webhook}),
        None => serde_json::json!({}),
    };
    let ask = Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..Ask::new(Method::POST, format!("/events/{}/replay", part(&id))).with_body(body.to_string())
    };
    match visit.ask::<ReplayedEventBody>(ask).await {
        Ok(replayed) => {
            let said = if replayed.deliveries.is_empty() { "event-replayed-to-nobody" } else { "event-replayed" };
            visit.go(&visit.link(&format!("/events/{}", part(&id))), said)
        }
        Err(problem) if problem.status == 404 => Err(visit.stop(&problem)),
        Err(problem) => Ok(with_status(problem.status, draw_replay(&visit, &id, &form, Some(&problem)).await?)),
    }
}

/// `GET …/events/{evt}/expunge`
pub(crate) async fn expunge_question(visit: Visit, Path((_, id)): Ids) -> Shown {
    draw_expunge(&visit, &id, None).await
}

async fn draw_expunge(visit: &Visit, id: &str, problem: Option<&Problem>) -> Shown {
    let event: EventBody = visit.need(&format!("/events/{}", part(id))).await?;
    let back = visit.link(&format!("/events/{}", part(id)));
    let deliveries = deliveries_of(&event);
    let waiting =
        deliveries.iter().filter(|delivery| matches!(delivery.status.as_str(), "pending" | "retrying")).count();
    let ask = Confirm {
        title: &format!("Expunge the payload of this {}?", event.event_type),
        text: html! {
            p {
                "This is permanent. What was published, and what was sent of it to " (number(deliveries.len() as i128))
                @if deliveries.len() == 1 { " webhook" } @else { " webhooks" } ", cannot be shown, retried or replayed any more."
            }
            @if waiting > 0 { p { (number(waiting as i128)) " of the deliveries still wait: they are cancelled." } }
            p { "Type, times, headers and what receivers answered stay." }
        },
        action: &format!("{back}/expunge"),
        verb: "Expunge payload",
        keep: "Keep it",
        back: &back,
        fields: html! {},
        danger: true,
    };
    let crumbs = [("Events", visit.link("/events")), (event.event_type.as_str(), back.clone())];
    let head = Head { title: "Expunge a payload", nav: Some(Nav::Events), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, html! { (summary(problem)) (confirm(visit, &ask)) })
}

/// `POST …/events/{evt}/expunge`
pub(crate) async fn expunge(visit: Visit, Path((_, id)): Ids) -> Shown {
    match visit.act(Method::DELETE, &format!("/events/{}/payload", part(&id))).await {
        Ok(()) => visit.go(&visit.link(&format!("/events/{}", part(&id))), "payload-expunged"),
        Err(problem) if problem.code == "in_flight" => {
            Ok(with_status(problem.status, draw_expunge(&visit, &id, Some(&problem)).await?))
        }
        Err(problem) => Err(visit.stop(&problem)),
    }
}
