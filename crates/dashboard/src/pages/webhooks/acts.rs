//! What is done to a webhook by one button.

use axum::extract::Path;
use http::Method;
use maud::html;
use tidings_contract::{
    delivery::DeliverySummary,
    list::ListBody,
    webhook::{TestResultBody, WebhookBody},
};
use tidings_domain::tenancy::Scope;

use super::{name_of, page_of};
use crate::{
    ask::{Shown, part},
    form::Form,
    pages::home::own_path,
    parts::{Confirm, confirm, number, total_words},
    shell::{Head, Nav},
    visit::Visit,
};

type Ids = Path<(String, String)>;

/// `POST /p/{project}/webhooks/{wh}/enable`
pub(crate) async fn enable(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let id = part(&id);
    change(&visit, &id, "enable", "webhook-enabled", &form).await
}

/// `POST /p/{project}/webhooks/{wh}/disable`
pub(crate) async fn disable(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let id = part(&id);
    change(&visit, &id, "disable", "webhook-disabled", &form).await
}

/// `POST /p/{project}/webhooks/{wh}/pause`
pub(crate) async fn pause(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let id = part(&id);
    change(&visit, &id, "pause", "webhook-paused", &form).await
}

/// `POST /p/{project}/webhooks/{wh}/resume`
pub(crate) async fn resume(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let id = part(&id);
    change(&visit, &id, "resume", "webhook-resumed", &form).await
}

async fn change(visit: &Visit, id: &str, verb: &str, said: &str, form: &Form) -> Shown {
    visit.act(Method::POST, &format!("/webhooks/{id}/{verb}")).await.map_err(|problem| visit.stop(&problem))?;
    let back =
        form.given("next").map_or_else(|| visit.link(&format!("/webhooks/{id}")), |next| own_path(next).to_owned());
    visit.go(&back, said)
}

/// `POST /p/{project}/webhooks/{wh}/test`: one attempt; its request and answer are shown.
pub(crate) async fn test(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let id = part(&id);
    let body = match form.given("event_type") {
        Some(kind) => serde_json::json!({"event_type": kind}),
        None => serde_json::json!({}),
    };
    let tested: TestResultBody = visit
        .send(Method::POST, &format!("/webhooks/{id}/test"), &body)
        .await
        .map_err(|problem| visit.stop(&problem))?;
    let said = if tested.success { "test-taken" } else { "test-not-taken" };
    visit.go(&visit.link(&format!("/deliveries/{}", tested.delivery_id)), said)
}

/// `GET /p/{project}/webhooks/{wh}/delete`
pub(crate) async fn delete_ask(visit: Visit, Path((_, id)): Ids) -> Shown {
    visit.must_show(Scope::WebhooksManage)?;
    let id = part(&id);
    let webhook: WebhookBody = visit.need(&format!("/webhooks/{id}")).await?;
    let name = name_of(&webhook);
    let mut waiting = 0;
    for state in ["pending", "retrying"] {
        let list =
            visit.get::<ListBody<DeliverySummary>>(&format!("/webhooks/{id}/deliveries?limit=1&status={state}")).await;
        waiting += list.map_or(0, |list| list.total.or(list.total_at_least).unwrap_or_default());
    }
    let title = format!("Delete “{name}”?");
    let page = page_of(&visit, &webhook);
    let text = html! {
        p { "This is permanent and cannot be undone. " @if waiting > 0 { (number(waiting)) " waiting deliveries are cancelled. " } "Past deliveries stay readable." }
        @if webhook.status == "active" { p .hint { "Only want silence? Pause it: nothing is lost." } }
    };
    let body = confirm(
        &visit,
        &Confirm {
            title: &title,
            text,
            action: &format!("{page}/delete"),
            verb: "Delete webhook",
            keep: "Keep it",
            back: &page,
            fields: html! {},
            danger: true,
        },
    );
    let crumbs = [("Webhooks", visit.link("/webhooks")), (name, page.clone())];
    visit.page(&Head { title: "Delete webhook", nav: Some(Nav::Webhooks), crumbs: &crumbs, ..Head::default() }, body)
}

/// `POST /p/{project}/webhooks/{wh}/delete`
pub(crate) async fn delete(visit: Visit, Path((_, id)): Ids) -> Shown {
    let id = part(&id);
    visit.act(Method::DELETE, &format!("/webhooks/{id}")).await.map_err(|problem| visit.stop(&problem))?;
    visit.go(&visit.link("/webhooks"), "webhook-deleted")
}

/// How many deliveries a list has, in words.
pub(super) fn how_many(list: &ListBody<DeliverySummary>) -> String {
    total_words(list.total, list.total_at_least)
}
