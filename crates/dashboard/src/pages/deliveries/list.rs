//! `/p/{project}/deliveries`: all deliveries, narrowed by what stands in the address.

use maud::{Markup, html};
use tidings_contract::{delivery::DeliverySummary, list::ListBody};
use tidings_domain::tenancy::Scope;

use super::{
    bulk::told,
    filter::{Filter, PERIODS},
    rows::{Shape, Webhooks, head, row},
};
use crate::{
    ask::{Shown, with_query},
    pages::webhooks::name_of,
    parts::{command_line, empty_line, hidden, icon, pager, segments, summary, teach, total_words, who_may},
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

/// The states in the order of the segments.
const STATES: [(&str, &str); 7] = [
    ("", "All"),
    ("failed", "Failed"),
    ("retrying", "Retrying"),
    ("pending", "Pending"),
    ("delivered", "Delivered"),
    ("dropped", "Dropped"),
    ("cancelled", "Cancelled"),
];

pub(crate) async fn show(visit: Visit) -> Shown {
    let query = visit.query();
    draw(&visit, &Filter::read(&query), told(&query)).await
}

/// Draws the list; `done` is what an act on several of them did.
async fn draw(visit: &Visit, filter: &Filter, done: Option<Markup>) -> Shown {
    let listed = visit.get::<ListBody<DeliverySummary>>(&filter.operation(visit.now)).await;
    let refused = listed.as_ref().err().map(|problem| (**problem).clone());
    let list = listed.ok();
    let ids = list.iter().flat_map(|list| &list.data).map(|delivery| delivery.webhook_id);
    let webhooks = Webhooks::of(visit, ids.chain(filter.webhook_id())).await;
    let body = html! {
        (summary(refused.as_ref()))
        @if let Some(done) = done { (done) }
        section .panel aria-label="Deliveries" {
            (filters(visit, filter, &webhooks))
            @match &list {
                Some(list) if !list.data.is_empty() => (table(visit, filter, &webhooks, list)),
                Some(_) if filter.is_any() => (empty_line("No delivery is like this. Widen the filter.")),
                Some(_) => (nothing_yet(visit)),
                None => (empty_line("The filter cannot be used as it stands.")),
            }
        }
    };
    let actions = html! {
        @if visit.shows(Scope::WebhooksManage) {
            a .button.plain href=(visit.link("/jobs")) { (icon("history")) "Jobs" }
        }
    };
    let head =
        Head { title: "Deliveries", nav: Some(Nav::Deliveries), actions: Some(actions), live: true, ..Head::default() };
    let page = visit.page(&head, body)?;
    Ok(match refused {
        Some(problem) => with_status(problem.status, page),
        None => page,
    })
}

fn filters(visit: &Visit, filter: &Filter, webhooks: &Webhooks) -> Markup {
    let base = visit.link("/deliveries");
    let views: Vec<_> = STATES
        .iter()
        .map(|(state, words)| {
            let view = Filter { status: (*state).to_owned(), ..filter.clone() };
            (*words, view.page(&base), filter.status == *state, None)
        })
        .collect();
    html! {
        div .filters { (segments("State", &views)) }
        form .filters role="search" method="get" action=(base) {
            (hidden("status", &filter.status))
            select name="webhook" aria-label="Webhook" data-quiet data-submits {
                option value="" { "Every webhook" }
                @for webhook in webhooks.all().rev() {
                    @let id = webhook.id.to_string();
                    option value=(id) selected[filter.webhook == id] { (name_of(webhook)) }
                }
                @if !filter.webhook.is_empty() && filter.webhook_id().and_then(|id| webhooks.get(id)).is_none() {
                    option value=(filter.webhook) selected { (filter.webhook) }
                }
            }
            input .mono type="text" name="type" value=(filter.event_type) placeholder="Every type" aria-label="Event type"
                data-quiet data-slash;
            select name="period" aria-label="Period" data-quiet data-submits {
                option value="" { @if filter.since.is_empty() { "Any time" } @else { "As linked" } }
                @for (word, words, _) in PERIODS { option value=(word) selected[filter.period == word] { (words) } }
            }
            @if filter.period.is_empty() { (hidden("since", &filter.since)) (hidden("until", &filter.until)) }
            button .button { "Filter" }
            @if filter.is_any() { a .button.plain href=(base) { "Show all" } }
        }
    }
}

fn table(visit: &Visit, filter: &Filter, webhooks: &Webhooks, list: &ListBody<DeliverySummary>) -> Markup {
    let total = total_words(list.total, list.total_at_least);
    html! {
        @if visit.shows(Scope::WebhooksManage) {
            form #bulk .filters.bulk method="post" action=(visit.link("/deliveries/bulk")) {
                (csrf(visit))
                @for (name, value) in filter.parameters() { (hidden(name, value)) }
                (hidden("cursor", &filter.cursor))
                (bulk_buttons(visit, filter, &total))
            }
        }
        table .list role="table" data-rows data-shape=(Shape::List.as_str()) {
            caption .sr { "Deliveries, newest first" }
            (head(Shape::List))
            tbody role="rowgroup" {
                @for delivery in &list.data { (row(visit, Shape::List, webhooks, delivery)) }
            }
        }
        (pager(visit, &total, list.data.len(), list.cursor.as_deref(), filter.cursor.is_empty()))
    }
}

fn bulk_buttons(visit: &Visit, filter: &Filter, total: &str) -> Markup {
    let may = visit.may(Scope::WebhooksManage);
    let reason = (!may).then(|| who_may(visit, Scope::WebhooksManage));
    let all = matches!(filter.status.as_str(), "failed" | "dropped") && filter.webhook_id().is_some();
    html! {
        button .button.small disabled[!may] title=[reason] { (icon("retry")) "Retry chosen" }
        @if all {
            a .button.small href=(recover_link(visit, filter)) { (icon("retry")) "Retry all " (total) " with this filter…" }
        } @else {
            p .hint { "To retry all that failed at once, filter by one webhook and by Failed or Dropped." }
        }
    }
}

/// The form that sends all again that ended like this, filled in with the filter.
fn recover_link(visit: &Visit, filter: &Filter) -> String {
    with_query(
        &visit.link(&format!("/webhooks/{}/recover", filter.webhook)),
        &[
            ("statuses", &filter.status),
            ("event_types", &filter.event_type),
            ("since", &filter.since_text(visit.now)),
            ("until", &filter.until),
        ],
    )
}

fn nothing_yet(visit: &Visit) -> Markup {
    let second = match visit.is_portal() {
        true => ("Send yourself a test", "On the webhook's page."),
        false => ("Publish an event", "From your program, or a test event from here."),
    };
    let by_api =
        format!("curl -H \"X-API-Key: $TIDINGS_API_KEY\" '{}/api/v1/deliveries?status=failed'", visit.own_address());
    teach(
        "Nothing was sent yet",
        "A delivery is one event on its way to one webhook, with every attempt on record.",
        [
            ("Create a webhook", "It says which events it wants."),
            second,
            ("Look here", "Request, answer and time of each attempt."),
        ],
        &html! {
            @if !visit.is_portal() { a .button.primary href=(visit.link("/events/new")) { "Publish a test event" } }
            a .button href=(visit.link("/webhooks")) { "Webhooks" }
        },
        &html! {
            @if !visit.is_portal() {
                (command_line("The same by the command line", "tidings delivery list --status failed"))
                (command_line("The same by the API", &by_api))
            }
        },
    )
}
