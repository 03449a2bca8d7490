//! `/p/{project}`: what needs you, how it goes, and what happened last.

use maud::{Markup, html};
use tidings_contract::{
    command::CommandBody, delivery::DeliverySummary, event::EventBody, event_type::EventTypeBody, job::JobBody,
    list::ListBody, source::SourceBody, statistics::StatisticsBody, webhook::WebhookBody,
};
use tidings_domain::tenancy::Scope;

use super::{
    deliveries::rows::{self, Shape, Webhooks},
    sources::state_badge as source_state,
    statistics::{self, Period},
    webhooks::name_of,
};
use crate::{
    ask::Shown,
    parts::{ago, command_line, disabled_words, duration, icon, icon_of, number, until},
    shell::{Head, Nav, csrf, is_failing},
    visit::Visit,
};

/// Deliveries that are shown as the latest.
const LATEST: &str = "8";
/// Webhooks that are named as in need; the others are counted.
const NAMED_MAX: usize = 6;

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

fn attention(visit: &Visit, webhooks: &[WebhookBody], jobs: &[JobBody]) -> Markup {
    let needs: Vec<_> = webhooks.iter().filter(|webhook| needs_somebody(webhook)).collect();
    if needs.is_empty() && jobs.is_empty() {
        return html! {
            section .panel aria-label="Needs attention" {
                p .panel-body { (icon_of("check", "ok")) " " strong { "Everything is on time." } span .quiet { " No webhook fails, nothing is paused." } }
            }
        };
    }
    let title = match needs.len() {
        0 => "Work is under way".to_owned(),
        1 => "1 webhook needs you".to_owned(),
        count => format!("{count} webhooks need you"),
    };
    html! {
        section .panel aria-label="Needs attention" {
            header .panel-head { h2 { (title) } @if needs.len() > NAMED_MAX { a .push.small href=(visit.link("/webhooks")) { "All webhooks" } } }
            ul .attention {
                @for webhook in needs.iter().take(NAMED_MAX) { (need(visit, webhook)) }
                @for job in jobs { (running(visit, job)) }
            }
        }
    }
}

fn needs_somebody(webhook: &WebhookBody) -> bool {
    // Who was disabled by hand is as somebody wants it.
    is_failing(webhook)
        || webhook.status == "paused"
        || webhook.disabled_reason.as_deref().is_some_and(|reason| reason != "manual")
}

fn need(visit: &Visit, webhook: &WebhookBody) -> Markup {
    let page = visit.link(&format!("/webhooks/{}", webhook.id));
    let name = html! { a .strong href=(page) { bdi { (name_of(webhook)) } } };
    let may = visit.may(Scope::WebhooksManage);
    let post = |verb: &str, words: &str| {
        html! {
            form method="post" action={ (page) "/" (verb) } {
                (csrf(visit)) input type="hidden" name="next" value=(visit.here);
                button .button.small disabled[!may] { (words) }
            }
        }
    };
    match (webhook.status.as_str(), webhook.disabled_reason.as_deref()) {
        ("paused", _) => html! { li {
            (icon_of("pause", "warn")) div { (name) " is paused" }
            p { "Its deliveries are held, in order. They go out when it is resumed; nothing is lost." }
            div .actions { (post("resume", "Resume")) }
        } },
        ("disabled", Some("plan_limit")) => html! { li {
            (icon_of("alert", "warn")) div { (name) " is disabled: the plan allows fewer webhooks" }
            p { "It comes back with a larger plan." }
            div .actions { a .button.small href="/settings/plan" { "Plan and usage" } }
        } },
        ("disabled", reason) => html! { li {
            (icon_of("alert", "bad")) div { (name) " is d" (disabled_words(reason).trim_start_matches('D')) }
            p { "Nothing is sent to it. What waits is held until it is enabled again." }
            div .actions { a .button.small href={ (page) "#history" } { "Look at the answers" } (post("enable", "Enable")) }
        } },
        _ => html! { li {
            (icon_of("alert", "bad")) div { (name) " does not take what it is sent" }
            p {
                @if webhook.failure_count == 1 { "The last attempt failed. " } @else { "The last " (number(webhook.failure_count)) " attempts failed. " }
                @if webhook.retry.on_exhausted.as_deref() == Some("deactivate") { "When one delivery has used up its attempts, the webhook is disabled." }
                @else { "Deliveries are tried again on the schedule." }
            }
            div .actions {
                a .button.small href={ (page) "?status=retrying#history" } { "Look at the answers" }
                (post("test", "Send test"))
            }
        } },
    }
}

fn running(visit: &Visit, job: &JobBody) -> Markup {
    html! { li {
        (icon_of("retry", "info"))
        div { a .strong href=(visit.link(&format!("/jobs/{}", job.id))) { (job.kind) } " is under way" }
        p { (number(job.done)) " of " (number(job.total)) " done. It goes on if you leave this page." }
        div .actions { a .button.small href=(visit.link(&format!("/jobs/{}", job.id))) { "Look" } }
    } }
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

/// What publishes a first event: of a type of the catalogue, or of one that is made first.
async fn first_event(visit: &Visit) -> String {
    let listed = visit.get::<ListBody<EventTypeBody>>("/event-types").await;
    let known = listed.ok().and_then(|list| list.data.into_iter().find(|one| !one.archived));
    let project = visit.project.as_ref().map(|project| format!(" -H \"X-Project-ID: {}\"", project.id));
    let project = project.unwrap_or_default();
    match known {
        Some(known) => {
            let example = known.example.as_ref().map_or("{}", |example| example.get());
            post_line(&project, "events", &format!("{{\"type\":\"{}\",\"data\":{example}}}", known.name))
        }
        None => format!(
            "{}\n{}",
            post_line(&project, "event-types", r#"{"name":"hello.world"}"#),
            post_line(&project, "events", r#"{"type":"hello.world","data":{"from":"me"}}"#)
        ),
    }
}

fn post_line(project: &str, place: &str, body: &str) -> String {
    format!(
        "curl -X POST \"$TIDINGS_SERVER/api/v1/{place}\" -H \"X-API-Key: $TIDINGS_API_KEY\"{project} \\\n  \
         -H 'Content-Type: application/json' -d '{}'",
        body.replace('\'', r"'\''")
    )
}

/// The steps of first use, with their ticks.
fn first_steps(visit: &Visit, webhooks: &[WebhookBody], lines: Option<&str>, has_taken: bool) -> Markup {
    let has_event = lines.is_none();
    let step = |done: bool, number: &'static str, title: &str, text: &Markup| {
        html! {
            li {
                span .n-step { @if done { (icon_of("check", "ok")) span .sr { "done" } } @else { (number) } }
                span { b { (title) } (text) }
            }
        }
    };
    let first = webhooks.first();
    html! {
        section .panel {
            header .panel-head { h2 { "First steps" } p { "a minute, all in all" } }
            div .panel-body {
                ol .steps {
                    (step(first.is_some(), "1", "Create a webhook", &html! {
                        a href=(visit.link("/webhooks/new")) { "Give it an address" } " and keep its secret."
                        @if visit.dashboard.parts().dev {
                            " Under " span .mono { "tidings dev" } " the address " span .mono { (visit.own_address()) "/dev/inbox/hello" } " takes whatever it is sent, and " a href="/dev/inbox" { "the inbox" } " shows it."
                        }
                    }))
                    (step(has_taken, "2", "Send yourself a test", &html! {
                        @match first {
                            Some(webhook) => form .inline method="post" action=(visit.link(&format!("/webhooks/{}/test", webhook.id))) {
                                (csrf(visit)) button .button.small disabled[!visit.may(Scope::WebhooksManage)] { (icon("plane")) "Send test" }
                            },
                            None => "It shows the request, the answer, and how long it took.",
                        }
                    }))
                    (step(has_event, "3", "Publish an event", &html! { "From your program, with an API key from " a href="/settings/keys" { "Settings" } "; or " a href=(visit.link("/events")) { "from here" } "." }))
                }
                @if let Some(lines) = lines { (command_line("Publish an event", lines)) }
            }
        }
    }
}
