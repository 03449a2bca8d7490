//! Rows of tables of deliveries, here and on other pages, and the fragment that draws some of them
//! again when something became of them.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::{Html, IntoResponse as _};
use maud::{Markup, html};
use tidings_contract::{
    delivery::{DeliveryBody, DeliverySummary},
    list::ListBody,
    webhook::{RetryBody, WebhookBody},
};
use tidings_domain::{
    ids::{DeliveryId, WebhookId},
    tenancy::Scope,
};

use crate::{
    ask::Shown,
    pages::webhooks::name_of,
    parts::{ago, badge_of, duration, exact, number, outcome_chip, sprite, table_head, until, visible_page},
    visit::Visit,
};

/// Rows that one fragment draws at most.
const FRAGMENT_ROWS_MAX: usize = 50;

/// What a table of deliveries shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Over all webhooks, with a box to choose each.
    List,
    /// Of one webhook.
    History,
    /// A few of them, in brief.
    Overview,
}

impl Shape {
    /// The word of the fragment's address.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::History => "history",
            Self::Overview => "overview",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::List, Self::History, Self::Overview].into_iter().find(|shape| shape.as_str() == word)
    }
}

/// The webhooks that rows are about.
#[derive(Debug, Default)]
pub(crate) struct Webhooks(BTreeMap<WebhookId, WebhookBody>);

impl Webhooks {
    /// The first page of all of them, and those of `ids` that are not on it. A webhook that was
    /// deleted is left out.
    pub(crate) async fn of(visit: &Visit, ids: impl IntoIterator<Item = WebhookId>) -> Self {
        let first = visit.get::<ListBody<WebhookBody>>("/webhooks?limit=100").await;
        let mut all = Self(BTreeMap::new());
        let is_whole = first.as_ref().is_ok_and(|list| list.cursor.is_none());
        for webhook in first.map(|list| list.data).unwrap_or_default() {
            all.0.insert(webhook.id, webhook);
        }
        if !is_whole {
            let missing: BTreeSet<_> = ids.into_iter().filter(|id| !all.0.contains_key(id)).collect();
            for id in missing {
                if let Ok(webhook) = visit.get::<WebhookBody>(&format!("/webhooks/{id}")).await {
                    all.0.insert(id, webhook);
                }
            }
        }
        all
    }

    /// One that is known already.
    pub(crate) fn one(webhook: WebhookBody) -> Self {
        Self([(webhook.id, webhook)].into())
    }

    pub(crate) fn get(&self, id: WebhookId) -> Option<&WebhookBody> {
        self.0.get(&id)
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &WebhookBody> {
        self.0.values()
    }

    /// What it is called; of a deleted one, its id.
    pub(crate) fn name(&self, id: WebhookId) -> String {
        self.get(id).map_or_else(|| id.to_string(), |webhook| name_of(webhook).to_owned())
    }
}

/// How many attempts a delivery gets.
pub(crate) fn attempts_of(retry: &RetryBody) -> Option<u32> {
    match (&retry.schedule_s, &retry.formula) {
        (Some(waits), _) => u32::try_from(waits.len()).ok(),
        (None, Some(formula)) => Some(formula.attempts),
        (None, None) => None,
    }
}

/// The state as a badge. What waits for a paused webhook is held.
pub(crate) fn state_badge(delivery: &DeliverySummary) -> Markup {
    badge_of(if delivery.waiting_for.as_deref() == Some("held") { "held" } else { &delivery.status })
}

/// The head of such a table.
pub(crate) fn head(shape: Shape) -> Markup {
    let whole = [
        ("Event", ""),
        ("Webhook", ""),
        ("Attempted", ""),
        ("Response", ""),
        ("Status", ""),
        ("Attempt", "right"),
        ("Took", "right day"),
        ("Next attempt", ""),
    ];
    // Of one webhook, which it is stands in the page's title.
    let columns: Vec<_> = whole.into_iter().filter(|column| shape == Shape::List || column.0 != "Webhook").collect();
    table_head(&columns)
}

/// One row; its id is the delivery's.
pub(crate) fn row(visit: &Visit, shape: Shape, webhooks: &Webhooks, delivery: &DeliverySummary) -> Markup {
    let address = visit.link(&format!("/deliveries/{}", delivery.id));
    let name = webhooks.name(delivery.webhook_id);
    html! {
        tr .go role="row" id=(delivery.id) data-state=(delivery.status) {
            td .on-1 role="cell" {
                @if shape == Shape::List && visit.shows(Scope::WebhooksManage) {
                    input .chooses type="checkbox" name="id" value=(delivery.id) form="bulk"
                        aria-label={ "Choose " (delivery.event_type) " to " (name) };
                }
                a .row.mono href=(address) { bdi { (delivery.event_type) } }
                @if shape == Shape::Overview { span .sub { bdi { (name) } } }
            }
            @if shape == Shape::List {
                td .quiet role="cell" {
                    a .cut.named href=(visit.link(&format!("/webhooks/{}", delivery.webhook_id))) { bdi { (name) } }
                }
            }
            (cells(visit, shape, webhooks, delivery))
        }
    }
}

fn cells(visit: &Visit, shape: Shape, webhooks: &Webhooks, delivery: &DeliverySummary) -> Markup {
    let took = delivery.response_time_ms.map(|ms| duration(f64::from(ms)));
    if shape == Shape::Overview {
        return html! {
            td .on-2 role="cell" { (state_badge(delivery)) }
            td .right.num.faint.away role="cell" { @if let Some(took) = &took { (took) } }
            td .right.num.faint.nowrap.away role="cell" { @if let Some(at) = delivery.attempted_at { (ago(visit, at)) } @else { "Not yet" } }
        };
    }
    html! {
        td .half.nowrap role="cell" {
            @match delivery.attempted_at {
                Some(at) => { (exact(visit, at)) " " span .sub.inline { (ago(visit, at)) } },
                None => span .faint { "Not yet" },
            }
        }
        td .half-2 role="cell" { (outcome_chip(delivery)) }
        td .on-2 role="cell" { (state_badge(delivery)) }
        td .right.num.away role="cell" { (attempt_words(delivery, webhooks.get(delivery.webhook_id))) }
        td .right.num.away.day role="cell" { @if let Some(took) = &took { (took) } }
        (next_cell(visit, delivery))
    }
}

/// `3 of 5`; after a retry by hand there may be more than the schedule has.
fn attempt_words(delivery: &DeliverySummary, webhook: Option<&WebhookBody>) -> String {
    let made = number(delivery.attempt_count);
    match webhook.and_then(|webhook| attempts_of(&webhook.retry)) {
        Some(all) if delivery.attempt_count <= all => format!("{made} of {}", number(all)),
        _ => made,
    }
}

fn next_cell(visit: &Visit, delivery: &DeliverySummary) -> Markup {
    let words = waits(visit, delivery);
    html! {
        @match words {
            Some(words) => td .quiet role="cell" { span .sr { "next attempt " } (words) },
            None => td .faint.away role="cell" { "–" span .sr { "none planned" } },
        }
    }
}

/// What a delivery waits for, in a few words; `None`: for nothing any more.
pub(crate) fn waits(visit: &Visit, delivery: &DeliverySummary) -> Option<Markup> {
    Some(match (delivery.waiting_for.as_deref()?, delivery.waiting_until) {
        ("held", _) => html! { "when resumed" },
        (_, Some(at)) => until(visit, at),
        ("breaker", None) => html! { "when the endpoint answers" },
        _ => html! { "now" },
    })
}

/// `GET …/deliveries/rows?ids=…&shape=…`: these rows as they stand now. What is not there any more
/// is left out.
pub(crate) async fn fragment(visit: Visit) -> Shown {
    let query = visit.query();
    let shape = Shape::parse(query.text("shape")).unwrap_or(Shape::List);
    let ids: Vec<DeliveryId> = query.list("ids").iter().filter_map(|id| id.parse().ok()).collect();
    let mut deliveries = Vec::new();
    for id in ids.iter().take(FRAGMENT_ROWS_MAX) {
        if let Ok(delivery) = visit.get::<DeliveryBody>(&format!("/deliveries/{id}")).await {
            deliveries.push(delivery.summary);
        }
    }
    let webhooks = Webhooks::of(&visit, deliveries.iter().map(|delivery| delivery.webhook_id)).await;
    let rows = html! { @for delivery in &deliveries { (row(&visit, shape, &webhooks, delivery)) } };
    // Rows stand in a table, and the icons that they refer to beside it: a browser takes both apart again.
    let fragment = html! { (sprite(&rows.0)) table { tbody { (rows) } } };
    Ok(Html(visible_page(&fragment.0).into_owned()).into_response())
}
