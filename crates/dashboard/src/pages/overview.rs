//! `/p/{project}`: what needs you, how it goes, and what happened last.

mod attention;
mod first_steps;

use maud::{Markup, html};
use tidings_contract::{
    command::CommandBody, delivery::DeliverySummary, event::EventBody, job::JobBody, list::ListBody,
    source::SourceBody, statistics::StatisticsBody, webhook::WebhookBody,
};

use self::{
    attention::attention,
    first_steps::{first_event, first_steps},
};
use super::{
    deliveries::rows::{self, Shape, Webhooks},
    sources::state_badge as source_state,
    statistics::{self, Period},
};
use crate::{
    ask::Shown,
    parts::{ago, duration, icon_of, number, until},
    shell::{Head, Nav},
    visit::Visit,
};

/// Deliveries that are shown as the latest.
const LATEST: &str = "8";

/// `GET /p/{project}`
pub(crate) async fn show(visit: Visit) -> Shown {
    let period = Period::of(&visit.query());
    let webhooks: Vec<WebhookBody> = visit.need::<ListBody<_>>("/webhooks?limit=100").await?.data;
    let statistics = visit.get::<StatisticsBody>(&format!("/stats?{}", period.query())).await;
    let latest = visit.get::<ListBody<DeliverySummary>>(&format!("/deliveries?limit={LATEST}")).await;
    let jobs = visit.get::<ListBody<JobBody>>("/jobs?limit=20").await.map(|list| list.data).unwrap_or_default();
    let running: Vec<_> = jobs.into_iter().filter(|job| job.state == "running").collect();
    let has_event = visit.get::<ListBody<EventBody>>("/events?limit=1").await.is_ok_and(|list| !list.data.is_empty());
    let lines = if has_event { None } else { Some(first_event(&visit).await) };
    let head = Head {
        title: "Overview",
        nav: Some(Nav::Overview),
        live: true,
        actions: Some(statistics::periods(&visit, period)),
        ..Head::default()
    };
    let shown: Vec<_> = latest.iter().flat_map(|list| &list.data).map(|delivery| delivery.webhook_id).collect();
    let known = Webhooks::of(&visit, shown).await;
    let body = html! {
        @if webhooks.is_empty() || !has_event { (first_steps(&visit, &webhooks, lines.as_deref(), latest.as_ref().is_ok_and(|list| list.data.iter().any(|delivery| delivery.status == "delivered")))) }
        (attention(&visit, &webhooks, &running))
        @match &statistics {
            Ok(statistics) => {
                (figures(&visit, statistics, period))
                section .panel {
                    header .panel-head {
                        h2 { @if period == Period::Month { "Deliveries per day" } @else { "Deliveries per hour" } }
                        ul .legend.push {
                            li { (swatch("bar-ok")) "Delivered" } li { (swatch("bar-retry")) "Retried" } li { (swatch("bar-bad")) "Failed" }
                        }
                    }
                    (statistics::volume(&visit, statistics, period))
                }
            }
            Err(problem) => (broken("Statistics", &problem.detail)),
        }
        div .cols {
            section .panel aria-label="Latest deliveries" {
                header .panel-head { h2 { "Latest deliveries" } a .push.small href=(visit.link("/deliveries")) { "All deliveries" } }
                @match &latest {
                    Ok(list) if list.data.is_empty() => p .panel-body.faint { "None yet." },
                    Ok(list) => table .list role="table" data-rows data-shape=(Shape::Overview.as_str()) {
                        caption .sr { "Latest deliveries" }
                        tbody role="rowgroup" { @for delivery in &list.data { (rows::row(&visit, Shape::Overview, &known, delivery)) } }
                    },
                    Err(problem) => (broken("Deliveries", &problem.detail)),
                }
            }
            div .stack { (sources(&visit).await) (commands(&visit).await) }
        }
    };
    visit.page(&head, body)
}

fn swatch(class: &str) -> Markup {
    html! { svg viewBox="0 0 12 10" aria-hidden="true" { rect class=(class) width="10" height="10" rx="2" {} } }
}

/// A part of the page that could not be read: it says so alone, the rest stands.
fn broken(what: &str, detail: &str) -> Markup {
    html! { p .panel-body.faint { (icon_of("alert", "bad")) " " (what) " could not be read: " (detail) } }
}

fn figures(visit: &Visit, statistics: &StatisticsBody, period: Period) -> Markup {
    let waiting = statistics.waiting;
    #[expect(clippy::cast_precision_loss, reason = "it is shown in seconds")]
    let oldest = waiting.oldest_due_at.map(|due| duration(visit.now.millis_since(due) as f64));
    #[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
    let first = (statistics.total_attempts > 0)
        .then(|| statistics.successful_attempts as f64 / statistics.total_attempts as f64 * 100.0);
    html! {
        dl .figures {
            div .figure {
                dt { "Delivered, " (period.words()) } dd { (number(statistics.successful_deliveries)) }
                dd .note { (number(statistics.failed_deliveries)) " failed" }
            }
            div .figure {
                dt { "Successful attempts" }
                dd { @match first { Some(rate) => { (format!("{rate:.1}")) small { "%" } } None => "–" } }
                dd .note { (number(statistics.total_attempts)) " attempts" }
            }
            div .figure {
                dt { "Time to the answer, p95" }
                dd { @match statistics.p95_response_time_ms { Some(ms) => { (number(ms.round() as i64)) small { "ms" } } None => "–" } }
                dd .note { "half within " @match statistics.p50_response_time_ms { Some(ms) => (duration(ms)), None => "–" } }
            }
            div .figure {
                dt { "Waiting" } dd { (number(statistics.pending_deliveries)) }
                dd .note { (number(waiting.held)) " held · " (number(waiting.retrying)) " retrying" }
            }
            div .figure {
                dt { "Oldest due" }
                dd { @match &oldest { Some(oldest) => (oldest), None => "none" } }
                dd .note { "of what nothing holds" }
            }
        }
    }
}

async fn sources(visit: &Visit) -> Markup {
    let list = visit.get::<ListBody<SourceBody>>("/sources?limit=5").await;
    html! {
        section .panel {
            header .panel-head { h2 { "Sources" } a .push.small href=(visit.link("/sources")) { "All sources" } }
            @match &list {
                Ok(list) if list.data.is_empty() => p .panel-body.faint { "No source yet. " a href=(visit.link("/sources")) { "Receive from a provider" } },
                Ok(list) => ul .plain-list { @for source in &list.data { li .line-list {
                    span {
                        a .strong href=(visit.link(&format!("/sources/{}", source.id))) { bdi { (source.name) } }
                        " " span .faint { (source.kind.as_str()) }
                    }
                    span .push.faint.small {
                        (number(source.duplicates)) @if source.duplicates == 1 { " repeat" } @else { " repeats" }
                        @if source.rejected > 0 { " · " span .down { (number(source.rejected)) " refused" } }
                    }
                    (source_state(source))
                } } },
                Err(problem) => (broken("Sources", &problem.detail)),
            }
        }
    }
}

async fn commands(visit: &Visit) -> Markup {
    let list = visit.get::<ListBody<CommandBody>>("/commands?limit=5").await;
    html! {
        section .panel {
            header .panel-head { h2 { "Commands" } a .push.small href=(visit.link("/commands")) { "All commands" } }
            @match &list {
                Ok(list) if list.data.is_empty() => p .panel-body.faint { "No command yet. " a href=(visit.link("/commands")) { "Run JavaScript behind a URL" } },
                Ok(list) => ul .plain-list { @for command in &list.data { li .line-list {
                    a .strong.mono href=(visit.link(&format!("/commands/{}", crate::ask::part(&command.name)))) { bdi { (command.name) } }
                    span .push.faint.small {
                        @match command.next_run_at { Some(at) => { "next " (until(visit, at)) } None => { "changed " (ago(visit, command.updated_at)) } }
                    }
                } } },
                Err(problem) => (broken("Commands", &problem.detail)),
            }
        }
    }
}
