//! Creating and changing a webhook: one form for both.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    event_type::EventTypeBody,
    list::ListBody,
    problem::Problem,
    webhook::{TestFilterBody, WebhookBody},
};
use tidings_domain::{profile::Profile, tenancy::Scope};

use super::{
    arriving::{aside, schedule_words, signature_headers},
    name_of, page_of, read,
};
use crate::{
    ask::{Shown, part, refused},
    form::Form,
    parts::{Fields, ago, field, hidden, icon, number, once, summary, who_may},
    shell::{self, Head, Nav, csrf},
    visit::Visit,
};

/// Events that a filter is tried on.
const TRIED_EVENTS: u32 = 100;

/// `GET /p/{project}/webhooks/new`
pub(crate) async fn new(visit: Visit) -> Shown {
    visit.must_show(Scope::WebhooksManage)?;
    let profile = visit.project.as_ref().map_or("standard", |project| project.profile.as_str());
    let start =
        [("which", "all"), ("scope_mode", "all"), ("secret_mode", "make"), ("enabled", "on"), ("profile", profile)];
    let values = start.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    draw(&visit, &Drawn { about: None, values: &values, problem: None, tried: None, etag: "" }).await
}

/// `POST /p/{project}/webhooks/new`
pub(crate) async fn create(visit: Visit, form: Form) -> Shown {
    let drawn = |problem, tried| Drawn { about: None, values: &form, problem, tried, etag: "" };
    if form.has("try") {
        let (problem, tried) = try_filter(&visit, &form).await;
        return draw(&visit, &drawn(problem.as_ref(), tried.as_ref())).await;
    }
    let body = match read::request(&form, true) {
        Ok(body) => body,
        Err(errors) => return draw(&visit, &drawn(Some(&refused(errors)), None)).await,
    };
    let ask = Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..Ask::new(Method::POST, "/webhooks").with_body(serde_json::to_vec(&body).unwrap_or_default())
    };
    match visit.ask::<WebhookBody>(ask).await {
        Ok(webhook) => created(&visit, &webhook),
        Err(problem) => draw(&visit, &drawn(Some(&problem), None)).await,
    }
}

/// The webhook is there; its secret is shown now or never.
fn created(visit: &Visit, webhook: &WebhookBody) -> Shown {
    let page = page_of(visit, webhook);
    let Some(secret) = &webhook.secret else { return visit.go(&page, "webhook-saved") };
    let title = format!("“{}” is created", name_of(webhook));
    let crumbs = [("Webhooks", visit.link("/webhooks"))];
    let head = Head { title: &title, nav: Some(Nav::Webhooks), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, html! { (once("The secret", secret, &page)) })
}

/// `GET /p/{project}/webhooks/{wh}/edit`
pub(crate) async fn edit(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    visit.must_show(Scope::WebhooksManage)?;
    let id = part(&id);
    let (webhook, etag) = visit.need_tagged::<WebhookBody>(&format!("/webhooks/{id}")).await?;
    let values = read::stored(&webhook);
    draw(&visit, &Drawn { about: Some(&webhook), values: &values, problem: None, tried: None, etag: &etag }).await
}

/// `POST /p/{project}/webhooks/{wh}/edit`
pub(crate) async fn update(visit: Visit, Path((_, id)): Path<(String, String)>, form: Form) -> Shown {
    let id = part(&id);
    let path = format!("/webhooks/{id}");
    let (webhook, now) = visit.need_tagged::<WebhookBody>(&path).await?;
    let etag = form.raw("etag");
    let drawn = |problem, tried, etag| Drawn { about: Some(&webhook), values: &form, problem, tried, etag };
    if form.has("try") {
        let (problem, tried) = try_filter(&visit, &form).await;
        return draw(&visit, &drawn(problem.as_ref(), tried.as_ref(), etag)).await;
    }
    let body = match read::request(&form, false) {
        Ok(body) => body,
        Err(errors) => return draw(&visit, &drawn(Some(&refused(errors)), None, etag)).await,
    };
    let ask = Ask {
        if_match: Some(etag.to_owned()).filter(|etag| !etag.is_empty()),
        ..Ask::new(Method::PATCH, path).with_body(serde_json::to_vec(&body).unwrap_or_default())
    };
    match visit.ask::<WebhookBody>(ask).await {
        Ok(webhook) => visit.go(&page_of(&visit, &webhook), "webhook-saved"),
        // Saving once more means to keep these fields: the form now carries the newest state's tag.
        Err(problem) if problem.status == 412 => draw(&visit, &drawn(Some(&problem), None, &now)).await,
        Err(problem) => draw(&visit, &drawn(Some(&problem), None, etag)).await,
    }
}

/// What recent events a filter lets through.
async fn try_filter(visit: &Visit, form: &Form) -> (Option<Problem>, Option<TestFilterBody>) {
    let request = match read::request(form, false) {
        Ok(request) => request,
        Err(errors) => return (Some(refused(errors)), None),
    };
    let filter = request.get("filter").filter(|filter| !filter.is_null()).cloned();
    let body = serde_json::json!({
        "filter": filter.unwrap_or_else(|| serde_json::json!({"all": []})),
        "events": request["events"], "scopes": request["scopes"], "limit": TRIED_EVENTS,
    });
    match visit.send(Method::POST, "/webhooks/test-filter", &body).await {
        Ok(tried) => (None, Some(tried)),
        Err(problem) => (Some(*problem), None),
    }
}

struct Drawn<'a> {
    /// The webhook that is changed; `None`: a new one.
    about: Option<&'a WebhookBody>,
    values: &'a Form,
    problem: Option<&'a Problem>,
    tried: Option<&'a TestFilterBody>,
    etag: &'a str,
}

async fn draw(visit: &Visit, drawn: &Drawn<'_>) -> Shown {
    let catalogue =
        visit.get::<ListBody<EventTypeBody>>("/event-types").await.map(|list| list.data).unwrap_or_default();
    let fields = Fields { values: drawn.values, problem: drawn.problem };
    let (title, back, verb) = match drawn.about {
        None => ("Create webhook".to_owned(), visit.link("/webhooks"), "Create webhook"),
        Some(webhook) => (format!("Edit “{}”", name_of(webhook)), page_of(visit, webhook), "Save webhook"),
    };
    let mut crumbs = vec![("Webhooks", visit.link("/webhooks"))];
    if let Some(webhook) = drawn.about {
        crumbs.push((name_of(webhook), page_of(visit, webhook)));
    }
    let head = Head { title: &title, nav: Some(Nav::Webhooks), crumbs: &crumbs, ..Head::default() };
    let body = html! {
        (summary(drawn.problem))
        @if let Some(problem) = drawn.problem.filter(|problem| problem.status == 412) { (theirs(visit, drawn, problem)) }
        div .cols.main-side {
            form .panel method="post" data-webhook-form {
                (csrf(visit))
                @match drawn.about {
                    Some(_) => (hidden("etag", drawn.etag)),
                    None => (hidden("idempotency_key", &visit.fresh_key(drawn.values))),
                }
                (endpoint(&fields, drawn.about.is_none(), visit.is_portal()))
                (events(&fields, &catalogue))
                (scope(&fields))
                (profile(&fields, drawn.about))
                (advanced(visit, drawn, &fields))
                footer .form-foot {
                    button .button.primary data-key-save disabled[!visit.may(Scope::WebhooksManage)] { (verb) }
                    a .button.plain href=(back) { "Cancel" }
                    @if visit.may(Scope::WebhooksManage) { span .push.small.faint { "Ctrl Enter" } }
                    @else { span .faint { (who_may(visit, Scope::WebhooksManage)) "." } }
                }
            }
            aside .stack.keep { (aside(drawn.values)) }
        }
    };
    let status = drawn.problem.map_or(200, |problem| problem.status);
    Ok(shell::with_status(status, shell::page(visit, &head, &body)))
}

/// Somebody saved meanwhile: what stands there now, and the choice.
fn theirs(visit: &Visit, drawn: &Drawn<'_>, _: &Problem) -> Markup {
    let Some(webhook) = drawn.about else { return html! {} };
    html! {
        section .panel {
            header .panel-head { h2 { "As it is stored now" } p { "saved " (ago(visit, webhook.updated_at)) } }
            div .panel-body {
                dl .facts {
                    dt { "Name" } dd { (webhook.name.as_deref().unwrap_or("None")) }
                    dt { "URL" } dd .mono { (webhook.url) }
                    dt { "Events" } dd .mono { (webhook.events.join(", ")) }
                    dt { "Scopes" } dd .mono { @if webhook.scopes.is_empty() { "All" } @else { (webhook.scopes.join(", ")) } }
                }
                p .hint { "Save below to keep yours in its place, or " a href=(visit.here) { "take theirs" } "." }
            }
        }
    }
}

fn section(title: &str, lead: &Markup, body: &Markup) -> Markup {
    html! { section .form-section { header { h2 { (title) } p { (lead) } } div { (body) } } }
}

fn endpoint(fields: &Fields<'_>, is_new: bool, is_portal: bool) -> Markup {
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

fn events(fields: &Fields<'_>, catalogue: &[EventTypeBody]) -> Markup {
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

fn scope(fields: &Fields<'_>) -> Markup {
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

fn profile(fields: &Fields<'_>, about: Option<&WebhookBody>) -> Markup {
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

fn advanced(visit: &Visit, drawn: &Drawn<'_>, fields: &Fields<'_>) -> Markup {
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
