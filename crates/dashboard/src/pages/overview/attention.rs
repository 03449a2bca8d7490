//! What needs somebody, with the button for it.

use maud::{Markup, html};
use tidings_contract::{job::JobBody, webhook::WebhookBody};
use tidings_domain::tenancy::Scope;

use crate::{
    pages::webhooks::name_of,
    parts::{disabled_words, icon_of, number},
    shell::{csrf, is_failing},
    visit::Visit,
};

/// Webhooks that are named as in need; the others are counted.
const NAMED_MAX: usize = 6;

pub(super) fn attention(visit: &Visit, webhooks: &[WebhookBody], jobs: &[JobBody]) -> Markup {
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
