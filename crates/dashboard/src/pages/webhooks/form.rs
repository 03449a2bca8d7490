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
use tidings_domain::tenancy::Scope;

use super::{
    arriving::aside,
    name_of, page_of, read,
    sections::{advanced, endpoint, events, profile, scope},
};
use crate::{
    ask::{Shown, part, refused},
    form::Form,
    parts::{Fields, ago, hidden, once, summary, who_may},
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

pub(super) struct Drawn<'a> {
    /// The webhook that is changed; `None`: a new one.
    pub(super) about: Option<&'a WebhookBody>,
    pub(super) values: &'a Form,
    pub(super) problem: Option<&'a Problem>,
    pub(super) tried: Option<&'a TestFilterBody>,
    pub(super) etag: &'a str,
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
