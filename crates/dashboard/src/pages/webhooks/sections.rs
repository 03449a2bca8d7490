//! What the form of a webhook consists of.

use maud::{Markup, html};
use tidings_contract::{
    event_type::EventTypeBody,
    webhook::{TestFilterBody, WebhookBody},
};
use tidings_domain::profile::Profile;

use super::{
    arriving::{schedule_words, signature_headers},
    form::Drawn,
};
use crate::{
    parts::{Fields, ago, field, icon, number},
    visit::Visit,
};

pub(super) fn section(title: &str, lead: &Markup, body: &Markup) -> Markup {
    html! { section .form-section { header { h2 { (title) } p { (lead) } } div { (body) } } }
}

pub(super) fn endpoint(fields: &Fields<'_>, is_new: bool, is_portal: bool) -> Markup {
    // A portal does not reach commands.
    let hint = match is_portal {
        true => "https, reachable from the internet. Redirects are not followed.",
        false => {
            "https, reachable from the internet. Redirects are not followed. A command of this project: command:/name."
        }
    };
    section(
        "Endpoint",
        &html! { "Where the requests go." },
        &html! {
            (fields.line("text", "name", "Name (optional)", ""))
            // Not of type url: a command is an address, too.
            (fields.mono("text", "url", "URL", hint, "https://example.com/webhooks"))
            (fields.line("text", "description", "Description (optional)", ""))
            @if is_new { (fields.tick("enabled", "on", "Enabled as soon as it is created", "")) }
        },
    )
}

pub(super) fn events(fields: &Fields<'_>, catalogue: &[EventTypeBody]) -> Markup {
    let chosen: Vec<_> = fields.values.all("events").collect();
    let live: Vec<_> = catalogue.iter().filter(|kind| !kind.archived).collect();
    let mut groups: Vec<(&str, Vec<&EventTypeBody>)> = Vec::new();
    for kind in &live {
        let name = kind.group.as_deref().unwrap_or("Others");
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, kinds)) => kinds.push(kind),
            None => groups.push((name, vec![kind])),
        }
    }
    // What is ticked and in no catalogue: patterns, and types that were removed.
    let others: Vec<_> = chosen.iter().filter(|name| !live.iter().any(|kind| kind.name == **name)).copied().collect();
    let patterns = [others.join(", "), fields.values.raw("patterns").to_owned()];
    let patterns: Vec<_> = patterns.into_iter().filter(|text| !text.is_empty()).collect();
    let lead = html! { (number(live.len() as i128)) " types are known. Nothing is sent but what is chosen." };
    section(
        "Events",
        &lead,
        &html! {
            fieldset .pair {
                legend .sr { "Which events" }
                (radio(fields, "which", "all", "All types", "Also those added later"))
                (radio(fields, "which", "chosen", "Chosen types", "Only what is ticked or matches a pattern"))
            }
            @if let Some(wrong) = fields.wrong("events") { p .wrong-text #f-events { (icon("alert")) span { (wrong) } } }
            @if !live.is_empty() {
                div .event-box {
                    header {
                        div .search { (icon("search")) input type="search" data-narrow placeholder="Search" aria-label="Search event types"; }
                    }
                    div .event-list tabindex="0" role="group" aria-label="Event types" {
                        @for (group, kinds) in &groups {
                            div .event-group { (group) span .num { (kinds.iter().filter(|kind| chosen.contains(&kind.name.as_str())).count()) " of " (kinds.len()) } }
                            div .event-grid {
                                @for kind in kinds {
                                    label .pick {
                                        input type="checkbox" name="events" value=(kind.name) checked[chosen.contains(&kind.name.as_str())];
                                        span { span .mono { (kind.name) } @if let Some(text) = &kind.description { small { (text) } } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            (field(fields, "patterns", "Patterns or further types (optional)", "Apart by commas: tag.* takes every type that begins with tag.", |id, described, _| html! {
                input .mono type="text" id=(id) name="patterns" value=(patterns.join(", ")) placeholder="tag.*" aria-describedby=[described];
            }))
        },
    )
}

fn radio(fields: &Fields<'_>, name: &str, value: &str, words: &str, hint: &str) -> Markup {
    html! {
        label .pick {
            input type="radio" name=(name) value=(value) checked[fields.values.raw(name) == value];
            span { (words) small { (hint) } }
        }
    }
}

pub(super) fn scope(fields: &Fields<'_>) -> Markup {
    section(
        "Scope",
        &html! { "Narrow it to parts of your business." },
        &html! {
            fieldset .pair {
                legend .sr { "Which scopes" }
                (radio(fields, "scope_mode", "all", "All scopes", "Also events without one"))
                (radio(fields, "scope_mode", "some", "Only these", "Campaigns, shops, lists"))
            }
            (fields.mono("text", "scopes", "Scopes", "Apart by commas, as events name them.", "campaign-42, campaign-43"))
        },
    )
}

pub(super) fn profile(fields: &Fields<'_>, about: Option<&WebhookBody>) -> Markup {
    let cards: Vec<_> =
        Profile::ALL.iter().map(|profile| (profile.to_string(), profile.to_string(), words_of(*profile))).collect();
    section(
        "Profile",
        &html! { "How it is signed, written and retried." },
        &html! {
            (fields.cards("profile", "Profile", &cards))
            @match about {
                None => {
                    (fields.cards("secret_mode", "Secret", &[
                        ("make".to_owned(), "Make one".to_owned(), "Shown once, after this".to_owned()),
                        ("mine".to_owned(), "Use mine".to_owned(), "Type it below".to_owned()),
                        ("none".to_owned(), "None".to_owned(), "Requests are not signed".to_owned()),
                    ]))
                    (field(fields, "secret", "Your secret (optional)", "Only with “Use mine”.", |id, described, wrong| html! {
                        input .mono type="password" id=(id) name="secret" autocomplete="off" aria-describedby=[described] aria-invalid=[wrong.then_some("true")];
                    }))
                }
                Some(webhook) => p .hint {
                    @if webhook.signed { "Requests are signed. " } @else { "Requests are not signed. " }
                    "The secret changes by Rotate secret, on the webhook's page."
                }
            }
        },
    )
}

/// A profile in one line.
fn words_of(profile: Profile) -> String {
    let schedule = profile.schedule();
    let headers = signature_headers(profile);
    let header = headers.last().map_or("no signature", String::as_str);
    format!("{header}, {} attempts", schedule.attempts())
}

pub(super) fn advanced(visit: &Visit, drawn: &Drawn<'_>, fields: &Fields<'_>) -> Markup {
    let typed = ["filter", "headers", "waits", "rules", "transform", "max_in_flight"];
    let is_open = drawn.tried.is_some()
        || typed.iter().any(|name| fields.values.given(name).is_some())
        || drawn.problem.is_some();
    html! {
        details .advanced open[is_open] {
            summary { (icon("right")) "Advanced " span { "filter, headers, retry, transform, speed" } }
            (section("Filter", &html! { "Send only if the payload fits." }, &html! {
                (fields.area("filter", "Filter (optional)", "JSON: path, op and value; all, any and not combine them.", 4, "{\"path\":\"/data/plan\",\"op\":\"eq\",\"value\":\"pro\"}"))
                div .actions { button .button.small name="try" value="filter" { "Try it on recent events" } }
                @if let Some(tried) = drawn.tried { (tried_words(visit, tried)) }
            }))
            (section("Headers", &html! { "Sent with every request." }, &html! {
                @if let Some(webhook) = drawn.about {
                    p .hint {
                        @if webhook.headers.is_empty() { "None now." }
                        @else { "Now: " span .mono { (webhook.headers.keys().cloned().collect::<Vec<_>>().join(", ")) } ". Their values are not shown." }
                    }
                    (fields.tick("headers_change", "on", "Replace them all by these", ""))
                }
                (fields.area("headers", "Custom headers (optional)", "One a line, Name: value.", 3, "X-Environment: production"))
            }))
            (section("Retry", &html! { "Overrides the profile." }, &html! {
                @if let Some(webhook) = drawn.about {
                    p .hint { "Now: " (schedule_words(webhook)) }
                    (fields.tick("retry_change", "on", "Replace it by this; empty fields are the profile's", ""))
                }
                (field(fields, "retry", "Waits before each attempt (optional)", "Apart by commas. The first is normally 0.", |id, described, wrong| html! {
                    input .mono type="text" id=(id) name="waits" value=(fields.values.raw("waits")) placeholder="0, 1 min, 5 min" aria-describedby=[described] aria-invalid=[wrong.then_some("true")];
                }))
                (fields.area("rules", "Rules (optional)", "One a line: an outcome (404, 4xx, timeout, network, tls) and an action (retry, drop, success).", 2, "404 drop"))
                (fields.choice("on_exhausted", "When all attempts are used up", "", &[("", "As the profile says"), ("keep", "Keep the webhook"), ("deactivate", "Disable the webhook")]))
            }))
            (section("Transform", &html! { "JavaScript that changes each body." }, &html! {
                (fields.area("transform", "Transform (optional)", "It runs apart from the server, before the request is signed. Its page tries it on past events.", 5, "function handler(webhook) {\n  return webhook;\n}"))
            }))
            (section("Speed", &html! { "As much as the receiver bears, if left empty." }, &html! {
                (fields.line("text", "timeout_s", "Time limit in seconds (optional)", "1 to 30 for the whole exchange."))
                (fields.line("text", "max_in_flight", "Requests at once, at most (optional)", "1 to 1,000."))
            }))
        }
    }
}

fn tried_words(visit: &Visit, tried: &TestFilterBody) -> Markup {
    html! {
        div role="status" {
            p .hint { (icon("check")) " " (number(tried.matched)) " of the last " (number(tried.tested)) " events fit." }
            @if !tried.data.is_empty() {
                ul .tried {
                    @for event in tried.data.iter().take(8) {
                        li {
                            @if event.matched { (icon("check")) span .sr { "fits" } } @else { (icon("x")) span .sr { "does not fit" } }
                            @if visit.is_portal() { bdi .mono { (event.event_type) } }
                            @else { a href=(visit.link(&format!("/events/{}", event.event_id))) .mono { (event.event_type) } }
                            " " (ago(visit, event.created_at)) " " span .faint { (event.reason.as_deref().unwrap_or("")) }
                        }
                    }
                }
            }
        }
    }
}
