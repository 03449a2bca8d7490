//! A webhook's secret: exchanged, or looked at again where its profile allows that.

use axum::extract::Path;
use http::Method;
use maud::html;
use tidings_contract::{
    problem::Problem,
    secret::{RotatedSecretBody, SecretBody},
    webhook::WebhookBody,
};
use tidings_domain::tenancy::Scope;

use super::{name_of, page_of};
use crate::{
    ask::{Shown, part, refused, wrong},
    form::Form,
    parts::{Confirm, Fields, confirm, notice, once, summary, until},
    shell::{self, Head, Nav},
    visit::Visit,
};

type Ids = Path<(String, String)>;

/// How long the former secret may go on signing: seconds, and words.
const OVERLAPS: [(&str, &str); 5] =
    [("0", "No overlap"), ("3600", "1 hour"), ("86400", "1 day"), ("259200", "3 days"), ("604800", "7 days")];

/// `GET /p/{project}/webhooks/{wh}/rotate`
pub(crate) async fn rotate_ask(visit: Visit, Path((_, id)): Ids) -> Shown {
    visit.must_show(Scope::WebhooksManage)?;
    let id = part(&id);
    let webhook: WebhookBody = visit.need(&format!("/webhooks/{id}")).await?;
    let values = [("overlap_seconds".to_owned(), "86400".to_owned())].into_iter().collect();
    ask(&visit, &webhook, &values, None)
}

/// `POST /p/{project}/webhooks/{wh}/rotate`
pub(crate) async fn rotate(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let id = part(&id);
    let webhook: WebhookBody = visit.need(&format!("/webhooks/{id}")).await?;
    let Ok(overlap_seconds) = form.text("overlap_seconds").parse::<u32>() else {
        return ask(&visit, &webhook, &form, Some(&refused(vec![wrong("overlap_seconds", "must be chosen")])));
    };
    let mut body = serde_json::json!({"overlap_seconds": overlap_seconds});
    if form.given("secret").is_some() {
        body["secret"] = form.raw("secret").into();
    }
    let rotated: Result<RotatedSecretBody, _> =
        visit.send(Method::POST, &format!("/webhooks/{id}/rotate-secret"), &body).await;
    let rotated = match rotated {
        Ok(rotated) => rotated,
        Err(problem) => return ask(&visit, &webhook, &form, Some(&problem)),
    };
    let title = format!("“{}” has a new secret", name_of(&webhook));
    let page = page_of(&visit, &webhook);
    let crumbs = [("Webhooks", visit.link("/webhooks")), (name_of(&webhook), page.clone())];
    let text = html! {
        @match rotated.previous_valid_until {
            Some(at) => { "The former one signs as well, " (until(&visit, at)) " it ends." }
            None => "The former one signs nothing any more.",
        }
    };
    let body = html! {
        (notice("ok", "Requests are signed with it from now on.", &text, None))
        @if let Some(secret) = &rotated.secret { (once("The secret", secret, &page)) }
        @if let Some(key) = &rotated.public_key {
            section .panel { div .panel-body { dl .facts { dt { "Public key" } dd .mono { (key) } } a .button href=(page) { "Go on" } } }
        }
    };
    visit.page(&Head { title: &title, nav: Some(Nav::Webhooks), crumbs: &crumbs, ..Head::default() }, body)
}

fn ask(visit: &Visit, webhook: &WebhookBody, values: &Form, problem: Option<&Problem>) -> Shown {
    let fields = Fields { values, problem };
    let page = page_of(visit, webhook);
    let title = format!("Rotate the secret of “{}”?", name_of(webhook));
    let body = html! {
        (summary(problem))
        (confirm(visit, &Confirm {
            title: &title,
            text: html! { p { "A new secret signs from now on. While both sign, receivers change over without missing a request." } },
            action: &format!("{page}/rotate"),
            verb: "Rotate secret",
            keep: "Keep it",
            back: &page,
            fields: html! {
                (fields.choice("overlap_seconds", "The former one goes on signing for", "At once if it is in wrong hands.", &OVERLAPS))
                (fields.mono("password", "secret", "New secret (optional)", "Made for you if left empty.", ""))
            },
            danger: false,
        }))
    };
    let crumbs = [("Webhooks", visit.link("/webhooks")), (name_of(webhook), page.clone())];
    let head = Head { title: "Rotate secret", nav: Some(Nav::Webhooks), crumbs: &crumbs, ..Head::default() };
    let status = problem.map_or(200, |problem| problem.status);
    Ok(shell::with_status(status, shell::page(visit, &head, &body)))
}

/// `POST /p/{project}/webhooks/{wh}/secret`: shows it again, which the audit log notes.
pub(crate) async fn reveal(visit: Visit, Path((_, id)): Ids) -> Shown {
    let id = part(&id);
    let webhook: WebhookBody = visit.need(&format!("/webhooks/{id}")).await?;
    let shown: SecretBody = visit.need(&format!("/webhooks/{id}/secret")).await?;
    let page = page_of(&visit, &webhook);
    let crumbs = [("Webhooks", visit.link("/webhooks")), (name_of(&webhook), page.clone())];
    let body = html! {
        @match &shown.secret {
            Some(secret) => section .panel { div .panel-body.stack.tight {
                div .secret { code { (secret) } button .button.small type="button" data-copy=(secret) hidden { "Copy" } }
                p .hint { "That you looked at it stands in the audit log." }
                div .actions { a .button href=(page) { "Go back" } }
            } },
            None => (notice("warn", "There is no secret.", &html! { "Requests of this webhook are not signed." }, None)),
        }
    };
    visit.page(&Head { title: "The secret", nav: Some(Nav::Webhooks), crumbs: &crumbs, ..Head::default() }, body)
}
