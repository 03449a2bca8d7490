//! `/p/{project}/events`: what was published, narrowed by what stands in the address.

use maud::{Markup, html};
use tidings_contract::{
    event::{EventBody, EventDeliveries},
    list::ListBody,
};
use tidings_domain::tenancy::Scope;

use crate::{
    ask::{Shown, Stop, part, with_query},
    form::Form,
    pages::deliveries::{PERIODS, since},
    parts::{
        ago, button_link, command_line, empty_line, exact, number, pager, summary, table_head, teach, total_words,
    },
    shell::{Head, Nav, with_status},
    visit::Visit,
};

pub(crate) async fn show(visit: Visit) -> Shown {
    let query = visit.query();
    if let Some(id) = query.given("id") {
        return Err(Stop::to(&visit.link(&format!("/events/{}", part(id)))));
    }
    let since_text = since(query.text("period"), visit.now).map(tidings_domain::time::Timestamp::rfc3339_millis);
    let operation = with_query(
        "/events?limit=50",
        &[
            ("type", query.text("type")),
            ("scope", query.text("scope")),
            ("since", since_text.as_deref().unwrap_or(query.text("since"))),
            ("until", query.text("until")),
            ("cursor", query.text("cursor")),
        ],
    );
    let (list, refused) = match visit.get::<ListBody<EventBody>>(&operation).await {
        Ok(list) => (Some(list), None),
        Err(problem) => (None, Some(problem)),
    };
    let narrowed = ["type", "scope", "period", "since", "until"].iter().any(|name| query.given(name).is_some());
    let body = html! {
        (summary(refused.as_deref()))
        section .panel aria-label="Events" {
            (filters(&visit, &query, narrowed))
            @match &list {
                Some(list) if !list.data.is_empty() => (table(&visit, &query, list)),
                Some(_) if narrowed => (empty_line("No event is like this. Widen the filter.")),
                Some(_) => (nothing_yet(&visit)),
                None => (empty_line("The filter cannot be used as it stands.")),
            }
        }
    };
    let actions = Some(publish_button(&visit));
    let head = Head { title: "Events", nav: Some(Nav::Events), actions, live: true, ..Head::default() };
    let page = visit.page(&head, body)?;
    Ok(match refused {
        Some(problem) => with_status(problem.status, page),
        None => page,
    })
}

fn publish_button(visit: &Visit) -> Markup {
    button_link(visit, Scope::EventsWrite, "primary", &visit.link("/events/new"), "bolt", "Publish an event")
}

fn filters(visit: &Visit, query: &Form, narrowed: bool) -> Markup {
    let base = visit.link("/events");
    html! {
        form .filters role="search" method="get" action=(base) {
            input .mono type="text" name="type" value=(query.text("type")) placeholder="Every type" aria-label="Event type"
                data-quiet data-slash;
            input type="text" name="scope" value=(query.text("scope")) placeholder="Every scope" aria-label="Scope" data-quiet;
            select name="period" aria-label="Period" data-quiet data-submits {
                option value="" { "Any time" }
                @for (word, words, _) in PERIODS { option value=(word) selected[query.text("period") == word] { (words) } }
            }
            input .mono type="text" name="id" placeholder="An event's id" aria-label="Event id" data-quiet;
            button .button { "Filter" }
            @if narrowed { a .button.plain href=(base) { "Show all" } }
        }
    }
}

fn table(visit: &Visit, query: &Form, list: &ListBody<EventBody>) -> Markup {
    let total = total_words(list.total, list.total_at_least);
    html! {
        table .list role="table" data-rows {
            caption .sr { "Events, newest first" }
            (table_head(&[("Type", ""), ("Published", ""), ("Scope", ""), ("Matched", "right"), ("Delivered", "")]))
            tbody role="rowgroup" { @for event in &list.data { (row(visit, event)) } }
        }
        (pager(visit, &total, list.data.len(), list.cursor.as_deref(), query.text("cursor").is_empty()))
    }
}

fn row(visit: &Visit, event: &EventBody) -> Markup {
    let matched = matched(event);
    html! {
        tr .go role="row" id=[event.id.starts_with("evt_").then_some(&event.id)] {
            td .on-1 role="cell" {
                a .row.mono href=(visit.link(&format!("/events/{}", part(&event.id)))) { bdi { (event.event_type) } }
                span .sub.mono { (event.id) }
            }
            td .half.nowrap role="cell" { (exact(visit, event.created_at)) " " span .sub.inline { (ago(visit, event.created_at)) } }
            td .quiet.away role="cell" {
                @match event.scope.as_slice() {
                    [] => span .faint { "None" },
                    [one] => bdi { (one) },
                    [first, rest @ ..] => { bdi { (first) } " " span .more-types title=(rest.join(", ")) { "+" (rest.len()) } }
                }
            }
            td .right.num.away role="cell" { (number(matched)) }
            td .half-2 role="cell" { (delivered_words(matched, event.delivered)) }
        }
    }
}

fn matched(event: &EventBody) -> u32 {
    match &event.deliveries {
        EventDeliveries::Count(count) => *count,
        EventDeliveries::List(list) => u32::try_from(list.len()).unwrap_or(u32::MAX),
    }
}

/// `2 of 3`, with a dot that says whether that is all.
fn delivered_words(matched: u32, delivered: Option<u32>) -> Markup {
    html! {
        @match (matched, delivered) {
            (0, _) => span .faint { "Nobody wanted it" },
            (matched, Some(delivered)) => span .line-list.tight {
                span class=(if delivered >= matched { "dot ok" } else { "dot" }) {}
                span .num { (number(delivered)) " of " (number(matched)) }
            },
            (matched, None) => span .num { "of " (number(matched)) },
        }
    }
}

fn nothing_yet(visit: &Visit) -> Markup {
    let line = format!(
        "curl -X POST {}/api/v1/events -H \"X-API-Key: $TIDINGS_API_KEY\" \\\n  \
                -H 'Content-Type: application/json' -d '{{\"type\": \"tag.subscribed\", \"data\": {{\"tag\": \"customer\"}}}}'",
        visit.own_address()
    );
    teach(
        "Nothing was published yet",
        "An event says that something happened. Every webhook that wants its type, scope and content gets it.",
        [
            ("Make a key", "Under Settings › Keys, for your program."),
            ("Publish", "One POST request; the answer comes after the event is stored."),
            ("Follow it", "Who got it, who did not and why, and every attempt."),
        ],
        &publish_button(visit),
        &html! {
            (command_line("The same by the API", &line))
            (command_line("The same by the command line", "tidings event publish tag.subscribed --data '{\"tag\": \"customer\"}'"))
        },
    )
}
