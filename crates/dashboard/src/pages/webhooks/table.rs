//! `/p/{project}/webhooks`: the table, with what can be done to each.

use std::collections::HashMap;

use maud::{Markup, html};
use tidings_contract::{list::ListBody, plan::UsageBody, statistics::WebhookHoursBody, webhook::WebhookBody};
use tidings_domain::ids::WebhookId;

use super::{
    name_of,
    row::{CHANGES, columns, row, why_not},
};
use crate::{
    ask::{Shown, Stop, with_query},
    form::Form,
    parts::{Bar, button_link, command_line, icon, number, segments, teach},
    shell::{Head, Nav, is_failing},
    visit::Visit,
};

/// Webhooks on one page.
const ROWS: usize = 50;
/// Webhooks that a search goes through, newest first.
const SEARCHED_MAX: usize = 1_000;

struct View {
    q: String,
    state: String,
    from: usize,
}

/// `GET /p/{project}/webhooks`
pub(crate) async fn list(visit: Visit) -> Shown {
    let view = View::of(&visit.query());
    let (all, is_whole) = every(&visit).await?;
    let head = Head {
        title: "Webhooks",
        nav: Some(Nav::Webhooks),
        live: true,
        actions: Some(html! {
            @if !visit.is_portal() { a .button.plain href=(visit.link("/event-types")) { "Event types" } }
            (button_link(&visit, CHANGES, "primary", &visit.link("/webhooks/new"), "plus", "Create webhook"))
        }),
        ..Head::default()
    };
    if all.is_empty() {
        return visit.page(&head, empty(&visit));
    }
    let found: Vec<_> = all.iter().filter(|webhook| view.takes(webhook)).collect();
    let shown = found.get(view.from.min(found.len())..).unwrap_or_default();
    let shown = &shown[..shown.len().min(ROWS)];
    let hours = hours_of(&visit, shown).await;
    let usage = visit.organization.as_ref().map(|organization| organization.id);
    let usage = match usage {
        Some(id) => visit.get::<UsageBody>(&format!("/organizations/{id}/usage")).await.ok(),
        None => None,
    };
    let body = html! {
        section .panel aria-label="Webhooks" {
            (filters(&visit, &view, &all, usage.as_ref()))
            @if shown.is_empty() {
                p .panel-body.faint data-none { "No webhook fits. " a href=(visit.link("/webhooks")) { "Show all" } }
            } @else {
                table .list.fixed role="table" data-rows {
                    (columns())
                    tbody role="rowgroup" {
                        @for webhook in shown { (row(&visit, webhook, hours.get(&webhook.id))) }
                    }
                }
            }
            (foot(&visit, &view, found.len(), shown.len(), is_whole))
        }
    };
    visit.page(&head, body)
}

/// The project's webhooks, as many as a search goes through, and whether that is all of them.
async fn every(visit: &Visit) -> Result<(Vec<WebhookBody>, bool), Stop> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    while all.len() < SEARCHED_MAX {
        let path = with_query("/webhooks", &[("limit", "100"), ("cursor", cursor.as_deref().unwrap_or_default())]);
        let page = visit.need::<ListBody<WebhookBody>>(&path).await?;
        all.extend(page.data);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok((all, true));
        }
    }
    Ok((all, false))
}

async fn hours_of(visit: &Visit, webhooks: &[&WebhookBody]) -> HashMap<WebhookId, Vec<Bar>> {
    let ids: Vec<_> = webhooks.iter().map(|webhook| webhook.id.to_string()).collect();
    let path = with_query("/stats/webhooks", &[("ids", &ids.join(","))]);
    // Without the last day the table still says all else.
    let Ok(list) = visit.get::<ListBody<WebhookHoursBody>>(&path).await else { return HashMap::new() };
    let bars = |body: WebhookHoursBody| {
        let bar = |place: usize| Bar {
            label: String::new(),
            good: body.delivered.get(place).copied().unwrap_or_default(),
            retried: body.retried.get(place).copied().unwrap_or_default(),
            bad: body.failed.get(place).copied().unwrap_or_default(),
        };
        (body.webhook_id, (0..body.delivered.len()).map(bar).collect())
    };
    list.data.into_iter().map(bars).collect()
}

impl View {
    fn of(query: &Form) -> Self {
        let from = query.text("from").parse().unwrap_or_default();
        Self { q: query.text("q").to_owned(), state: query.text("state").to_owned(), from }
    }

    fn takes(&self, webhook: &WebhookBody) -> bool {
        let wanted = self.q.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let fits = wanted.is_empty()
            || has(name_of(webhook))
            || has(&webhook.url)
            || webhook.events.iter().any(|event| has(event))
            || webhook.id.to_string() == wanted;
        fits && match self.state.as_str() {
            "failing" => is_failing(webhook),
            state @ ("paused" | "disabled") => webhook.status == state,
            _ => true,
        }
    }
}

fn filters(visit: &Visit, view: &View, all: &[WebhookBody], usage: Option<&UsageBody>) -> Markup {
    let of = |state: &str| {
        let address = with_query(&visit.link("/webhooks"), &[("q", &view.q), ("state", state)]);
        let some = View { q: String::new(), state: state.to_owned(), from: 0 };
        let count = all.iter().filter(|webhook| some.takes(webhook)).count() as u64;
        (address, view.state == state, Some(count))
    };
    let views: Vec<_> = [("All", ""), ("Failing", "failing"), ("Paused", "paused"), ("Disabled", "disabled")]
        .into_iter()
        .map(|(words, state)| {
            let (address, here, count) = of(state);
            (words, address, here, count)
        })
        .collect();
    html! {
        form .filters role="search" method="get" {
            div .search {
                (icon("search"))
                input type="search" name="q" value=(view.q) data-quiet data-filter placeholder="Name, URL or event type"
                    aria-label="Filter webhooks";
                kbd { "/" }
            }
            @if !view.state.is_empty() { input type="hidden" name="state" value=(view.state); }
            (segments("State", &views))
            button .button.small { "Filter" }
            @if let Some(usage) = usage { (plan_line(usage)) }
        }
    }
}

fn plan_line(usage: &UsageBody) -> Markup {
    html! {
        p .push.small.faint {
            (number(usage.webhooks.used)) " webhooks · plan "
            a href="/settings/plan" { (usage.plan) }
            @match usage.webhooks.max { Some(max) => { ", at most " (number(max)) } None => ", no limit" }
        }
    }
}

fn foot(visit: &Visit, view: &View, found: usize, shown: usize, is_whole: bool) -> Markup {
    let at = |from: usize| {
        let from = if from == 0 { String::new() } else { from.to_string() };
        with_query(&visit.link("/webhooks"), &[("q", &view.q), ("state", &view.state), ("from", &from)])
    };
    let end = view.from + shown;
    html! {
        div .panel-foot {
            span {
                @if shown > 0 { (view.from + 1) "–" (end) " of " }
                @if is_whole { (number(found as i128)) } @else { (number(found as i128)) " among the newest " (number(SEARCHED_MAX as i128)) }
            }
            div .actions.push {
                @if view.from > 0 { a .button.small rel="prev" href=(at(view.from.saturating_sub(ROWS))) { "Newer" } }
                @if end < found { a .button.small rel="next" href=(at(end)) { "Older" } }
            }
        }
    }
}

/// What a webhook is, for whoever has none yet.
fn empty(visit: &Visit) -> Markup {
    let line = "curl -X POST \"$TIDINGS_SERVER/api/v1/webhooks\" -H \"X-API-Key: $TIDINGS_API_KEY\" \\\n  \
                -H 'Content-Type: application/json' -d '{\"url\":\"https://example.com/webhooks\"}'";
    let way = html! {
        (button_link(visit, CHANGES, "primary", &visit.link("/webhooks/new"), "plus", "Create webhook"))
        @if let Some(reason) = why_not(visit).filter(|_| visit.shows(CHANGES)) { span .faint { (reason) "." } }
    };
    // Whoever looks through a portal has no key.
    let beside = html! {
        @if !visit.is_portal() {
            (command_line("The same by the API", line))
            (command_line("The same by the command line", "tidings webhook create --url https://example.com/webhooks"))
        }
    };
    let lead = "A webhook is an address that is told about events as they happen: signed, again until it has taken them, \
                and with every attempt on record.";
    let steps = [
        ("Create one", "Give it an address and choose event types."),
        ("Keep its secret", "It is shown once; the receiver verifies signatures with it."),
        ("Send yourself a test", "You see the request, the answer, and how long it took."),
    ];
    html! { section .panel { (teach("No webhooks yet", lead, steps, &way, &beside)) } }
}
