//! The page of one webhook: how it does, what it is, and its history.

use axum::extract::Path;
use maud::{Markup, html};
use tidings_contract::{delivery::DeliverySummary, list::ListBody, statistics::StatisticsBody, webhook::WebhookBody};
use tidings_domain::tenancy::Scope;

use super::{acts::how_many, facts::facts, name_of, page_of, row};
use crate::{
    ask::{Shown, part, with_query},
    form::Form,
    pages::{
        deliveries::rows::{self, Shape, Webhooks},
        statistics::{self, Period},
    },
    parts::{button_link, command_line, icon, notice, number, pager, plain_link, segments, webhook_state},
    shell::{Head, Nav, csrf, is_failing},
    visit::Visit,
};

/// Deliveries on one page of the history.
const ROWS: &str = "50";

struct View {
    period: Period,
    status: String,
    cursor: String,
}

impl View {
    fn of(query: &Form) -> Self {
        let text = |name: &str| query.text(name).to_owned();
        Self { period: Period::of(query), status: text("status"), cursor: text("cursor") }
    }
}

/// `GET /p/{project}/webhooks/{wh}`
pub(crate) async fn show(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    let view = View::of(&visit.query());
    let id = part(&id);
    let webhook: WebhookBody = visit.need(&format!("/webhooks/{id}")).await?;
    let statistics = visit.get::<StatisticsBody>(&format!("/webhooks/{id}/stats?{}", view.period.query())).await;
    let path = with_query(
        &format!("/webhooks/{id}/deliveries"),
        &[("limit", ROWS), ("status", &view.status), ("cursor", &view.cursor)],
    );
    let history = visit.need::<ListBody<DeliverySummary>>(&path).await?;
    let crumbs = [("Webhooks", visit.link("/webhooks"))];
    let head = Head {
        title: name_of(&webhook),
        nav: Some(Nav::Webhooks),
        crumbs: &crumbs,
        beside: webhook_state(&webhook),
        lead: webhook.description.as_ref().map(|text| html! { bdi { (text) } }),
        actions: Some(actions(&visit, &webhook)),
        live: true,
        ..Head::default()
    };
    let body = html! {
        @if let Some(notice) = trouble(&visit, &webhook) { (notice) }
        div .cols.main-side {
            div .stack {
                @match &statistics {
                    Ok(statistics) => {
                        (figures(&visit, &webhook, statistics, view.period))
                        (statistics::chart(&visit, statistics, view.period))
                    }
                    Err(problem) => (notice("bad", "The statistics could not be read.", &html! { (problem.detail) }, None)),
                }
            }
            (facts(&visit, &webhook))
        }
        (history_panel(&visit, &webhook, &view, &history))
    };
    visit.page(&head, body)
}

fn actions(visit: &Visit, webhook: &WebhookBody) -> Markup {
    if !visit.shows(Scope::WebhooksManage) {
        return row::toggle(visit, webhook);
    }
    let page = page_of(visit, webhook);
    let may = visit.may(Scope::WebhooksManage);
    let (verb, words, picture) =
        if webhook.status == "paused" { ("resume", "Resume", "play") } else { ("pause", "Pause", "pause") };
    html! {
        span .toggle-line { span .small.faint { @if webhook.enabled { "Enabled" } @else { "Disabled" } } (row::toggle(visit, webhook)) }
        @if webhook.enabled {
            form .inline method="post" action={ (page) "/" (verb) } data-optimistic=(verb) {
                (csrf(visit))
                button .button disabled[!may] { (icon(picture)) (words) }
            }
        }
        form .inline method="post" action={ (page) "/test" } data-test {
            (csrf(visit))
            button .button disabled[!may] { (icon("plane")) "Send test" }
        }
        (button_link(visit, Scope::WebhooksManage, "", &format!("{page}/edit"), "edit", "Edit"))
        (row::more(visit, webhook, name_of(webhook)))
        @if !may { span .small.faint { "Your role looks only; a developer may change it." } }
    }
}

/// What is wrong with it, what will happen, and the way out.
fn trouble(visit: &Visit, webhook: &WebhookBody) -> Option<Markup> {
    let enable = visit.shows(Scope::WebhooksManage).then(|| html! {
        form method="post" action={ (page_of(visit, webhook)) "/enable" } { (csrf(visit)) button .button.small { "Enable it again" } }
    });
    match (webhook.status.as_str(), webhook.disabled_reason.as_deref()) {
        ("disabled", Some("exhausted")) => Some(notice(
            "bad",
            "It is disabled: a delivery used up its attempts.",
            &html! { "Its profile disables webhooks that end so. Nothing is sent until it is enabled; what waits is held." },
            enable,
        )),
        ("disabled", Some("failing")) => Some(notice(
            "bad",
            "It is disabled: for days nothing but failures.",
            &html! { "Nothing is sent until it is enabled; what waits is held." },
            enable,
        )),
        ("disabled", Some("gone")) => Some(notice(
            "bad",
            "It is disabled: its endpoint answered 410 Gone.",
            &html! { "The receiver says that it is there no more. Nothing is sent until it is enabled." },
            enable,
        )),
        ("disabled", Some("plan_limit")) => Some(notice(
            "warn",
            "It is disabled: the plan allows fewer webhooks.",
            &html! {
                "It comes back with a larger plan. "
                @if !visit.is_portal() { a href="/settings/plan" { "Plan and usage" } }
            },
            None,
        )),
        ("paused", _) => Some(notice(
            "warn",
            "It is paused.",
            &html! { "Its deliveries are held and go out, in order, when it is resumed. Nothing is lost." },
            None,
        )),
        _ if is_failing(webhook) => {
            let end = match webhook.retry.on_exhausted.as_deref() {
                Some("deactivate") => "When one delivery has used up its attempts, the webhook is disabled.",
                _ => "Deliveries are tried again on the schedule; the webhook stays enabled.",
            };
            let times = if webhook.failure_count == 1 {
                "The last attempt failed.".to_owned()
            } else {
                format!("The last {} attempts failed.", number(webhook.failure_count))
            };
            let look = html! { a .button.small href={ (page_of(visit, webhook)) "?status=retrying#history" } { "Look at the answers" } };
            Some(notice("bad", &times, &html! { (end) }, Some(look)))
        }
        _ => None,
    }
}

fn figures(visit: &Visit, webhook: &WebhookBody, statistics: &StatisticsBody, period: Period) -> Markup {
    let waiting = statistics.waiting;
    html! {
        dl .figures {
            div .figure {
                dt { "Delivered, " (period.words()) }
                dd { (number(statistics.successful_deliveries)) }
                dd .note { "of " (number(statistics.total_attempts)) " attempts" }
            }
            div .figure {
                dt { "Success rate" }
                dd { @match statistics.success_rate { Some(rate) => { (format!("{rate:.1}")) small { "%" } } None => "–" } }
                dd .note { "of deliveries that ended" }
            }
            div .figure {
                dt { "Waiting" }
                dd { (number(statistics.pending_deliveries)) }
                dd .note { (number(waiting.held)) " held · " (number(waiting.retrying)) " retrying" }
            }
            div .figure {
                dt { "Failed, " (period.words()) }
                dd { (number(statistics.failed_deliveries)) }
                @if statistics.failed_deliveries > 0 && visit.shows(Scope::WebhooksManage) {
                    dd .note { a href={ (page_of(visit, webhook)) "/recover" } { "Recover them" } }
                } @else if statistics.failed_deliveries == 0 { dd .note { "none to recover" } }
            }
        }
    }
}

fn history_panel(visit: &Visit, webhook: &WebhookBody, view: &View, history: &ListBody<DeliverySummary>) -> Markup {
    let page = page_of(visit, webhook);
    let states = [
        ("All", ""),
        ("Delivered", "delivered"),
        ("Retrying", "retrying"),
        ("Pending", "pending"),
        ("Failed", "failed"),
        ("Dropped", "dropped"),
    ];
    let views: Vec<_> = states
        .into_iter()
        .map(|(words, state)| {
            let address = with_query(&page, &[("period", view.period.as_str()), ("status", state)]);
            (words, format!("{address}#history"), view.status == state, None)
        })
        .collect();
    let webhooks = Webhooks::one(webhook.clone());
    html! {
        section .panel #history aria-label="History" {
            header .panel-head {
                h2 { "History" }
                (segments("State", &views))
                div .actions.push {
                    @for (place, picture, words) in [("replay", "history", "Replay…"), ("recover", "retry", "Recover…")] {
                        (plain_link(visit, Scope::WebhooksManage, "button small", &format!("{page}/{place}"), false, &html! { (icon(picture)) (words) }))
                    }
                }
            }
            @if history.data.is_empty() {
                (no_delivery(visit, webhook, &view.status))
            } @else {
                table .list role="table" data-rows data-shape=(Shape::History.as_str()) data-webhook=(webhook.id) {
                    caption .sr { "Deliveries to " (name_of(webhook)) }
                    (rows::head(Shape::History))
                    tbody role="rowgroup" { @for delivery in &history.data { (rows::row(visit, Shape::History, &webhooks, delivery)) } }
                }
                (pager(visit, &how_many(history), history.data.len(), history.cursor.as_deref(), view.cursor.is_empty()))
            }
        }
    }
}

fn no_delivery(visit: &Visit, webhook: &WebhookBody, status: &str) -> Markup {
    if !status.is_empty() {
        return html! { p .panel-body.faint { "No delivery is " (status) ". " a href={ (page_of(visit, webhook)) "#history" } { "Show all" } } };
    }
    let kind = webhook.events.iter().find(|event| !event.contains('*'));
    let line = kind.map(|kind| {
        format!(
            "curl -X POST \"$TIDINGS_SERVER/api/v1/events\" -H \"X-API-Key: $TIDINGS_API_KEY\" -H \"X-Project-ID: {}\" \\\n  \
             -H 'Content-Type: application/json' -d '{{\"type\":\"{kind}\",\"data\":{{}}}}'",
            webhook.project_id
        )
    });
    html! {
        div .panel-body.stack.tight {
            p {
                strong { "No delivery yet." }
                // Whoever looks through a portal publishes nothing.
                @match (visit.is_portal(), visit.shows(Scope::WebhooksManage)) {
                    (true, true) => " Send a test, or wait for an event that it takes.",
                    (true, false) => " The next event that it takes is seen here.",
                    (false, _) => { " Send a test, or " a href=(visit.link("/events/new")) { "publish an event" } " that it takes." }
                }
            }
            @if visit.shows(Scope::WebhooksManage) {
                form method="post" action={ (page_of(visit, webhook)) "/test" } { (csrf(visit)) button .button.primary { (icon("plane")) "Send test" } }
            }
            @if let Some(line) = line.filter(|_| !visit.is_portal()) { (command_line("Publish an event", &line)) }
        }
    }
}
