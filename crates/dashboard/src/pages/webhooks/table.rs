//! `/p/{project}/webhooks`: the table, with what can be done to each.

use std::collections::HashMap;

use maud::{Markup, html};
use tidings_contract::{list::ListBody, plan::UsageBody, statistics::WebhookHoursBody, webhook::WebhookBody};
use tidings_domain::ids::WebhookId;

use super::row::{CHANGES, columns, row, why_not};
use crate::{
    ask::{Shown, Stop, with_query},
    form::Form,
    parts::{Bar, button_link, command_line, icon, number, pager, segments, teach, total_words},
    shell::{Head, Nav},
    visit::Visit,
};

/// The views of the table: words, what the address calls them, and what the API does.
const VIEWS: [(&str, &str, (&str, &str)); 4] = [
    ("All", "", ("", "")),
    ("Failing", "failing", ("failing", "true")),
    ("Paused", "paused", ("status", "paused")),
    ("Disabled", "disabled", ("status", "disabled")),
];

struct View {
    q: String,
    state: String,
    cursor: String,
}

/// `GET /p/{project}/webhooks`
pub(crate) async fn list(visit: Visit) -> Shown {
    let view = View::of(&visit.query());
    let counts = counts(&visit).await?;
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
    if counts[0] == 0 {
        return visit.page(&head, empty(&visit));
    }
    let list: ListBody<WebhookBody> = visit.need(&view.path()).await?;
    let shown = &list.data;
    let total = total_words(list.total, list.total_at_least);
    let hours = hours_of(&visit, shown).await;
    let usage = visit.organization.as_ref().map(|organization| organization.id);
    let usage = match usage {
        Some(id) => visit.get::<UsageBody>(&format!("/organizations/{id}/usage")).await.ok(),
        None => None,
    };
    let body = html! {
        section .panel aria-label="Webhooks" {
            (filters(&visit, &view, counts, usage.as_ref()))
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
            (pager(&visit, &total, shown.len(), list.cursor.as_deref(), view.cursor.is_empty()))
        }
    };
    visit.page(&head, body)
}

/// How many webhooks each view has, whatever is searched for.
async fn counts(visit: &Visit) -> Result<[u64; VIEWS.len()], Stop> {
    let mut counts = [0; VIEWS.len()];
    for (place, (_, _, filter)) in VIEWS.into_iter().enumerate() {
        let list: ListBody<WebhookBody> = visit.need(&with_query("/webhooks?limit=1", &[filter])).await?;
        counts[place] = list.total.or(list.total_at_least).unwrap_or_default();
    }
    Ok(counts)
}

async fn hours_of(visit: &Visit, webhooks: &[WebhookBody]) -> HashMap<WebhookId, Vec<Bar>> {
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
        let text = |name: &str| query.text(name).to_owned();
        Self { q: text("q"), state: text("state"), cursor: text("cursor") }
    }

    /// What the API is asked for.
    fn path(&self) -> String {
        let filter = VIEWS.into_iter().find(|(_, name, _)| *name == self.state).map_or(("", ""), |(.., filter)| filter);
        with_query("/webhooks?limit=50", &[("q", &self.q), filter, ("cursor", &self.cursor)])
    }
}

fn filters(visit: &Visit, view: &View, counts: [u64; VIEWS.len()], usage: Option<&UsageBody>) -> Markup {
    let address = |state: &str| with_query(&visit.link("/webhooks"), &[("q", &view.q), ("state", state)]);
    let views = VIEWS.into_iter().zip(counts);
    let views: Vec<_> =
        views.map(|((words, state, _), count)| (words, address(state), view.state == state, Some(count))).collect();
    html! {
        form .filters role="search" method="get" {
            div .search {
                (icon("search"))
                input type="search" name="q" value=(view.q) maxlength="200" data-quiet data-filter
                    placeholder="Name, URL or event type" aria-label="Filter webhooks";
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
