//! `/p/{project}/receipts/{rcp}`: what came in, what was done about it, and trying something else.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use serde_json::{Value, json};
use tidings_contract::{
    problem::Problem,
    source::{PreviewBody, ReceiptActionBody, ReceiptBody, ReceiptReplayedBody, SourceBody},
};
use tidings_domain::tenancy::Scope;

use super::{
    actions::{in_words, tried_words},
    page_of,
    show::via_words,
};
use crate::{
    ask::{Shown, part, refused, wrong},
    body::{self, bytes_of, file},
    form::Form,
    parts::{
        Confirm, Fields, ago, badge_of, block, button_link, confirm, copy_id, exact, json as json_block, number,
        submit, summary, until,
    },
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

type Ids = Path<(String, String)>;

/// `GET …/receipts/{rcp}`
pub(crate) async fn show(visit: Visit, Path((_, id)): Ids) -> Shown {
    let receipt: ReceiptBody = visit.need(&format!("/receipts/{}", part(&id))).await?;
    let source = visit.get::<SourceBody>(&format!("/sources/{}", receipt.source_id)).await.ok();
    let first = source.as_ref().and_then(|source| source.actions.first());
    let example = first.map_or_else(
        || json!({"kind": "emit", "type": "subscriber.updated", "data": "{{/body}}"}),
        |action| serde_json::to_value(action).unwrap_or_default(),
    );
    let text = serde_json::to_string_pretty(&example).unwrap_or_default();
    let values = [("action".to_owned(), text)].into_iter().collect();
    draw(&visit, &receipt, source.as_ref(), &values, None, None)
}

fn draw(
    visit: &Visit,
    receipt: &ReceiptBody,
    source: Option<&SourceBody>,
    values: &Form,
    tried: Option<&PreviewBody>,
    problem: Option<&Problem>,
) -> Shown {
    let name = source.map_or_else(|| "a deleted source".to_owned(), |source| source.name.clone());
    let page = visit.link(&format!("/receipts/{}", receipt.id));
    let body = html! {
        (summary(problem))
        div .cols.main-side {
            div .stack {
                (done(visit, receipt, source))
                (came(visit, receipt))
                (try_form(visit, &page, &Fields { values, problem }, tried))
            }
            (facts(visit, receipt, source))
        }
    };
    let mut crumbs = vec![("Sources", visit.link("/sources"))];
    if let Some(source) = source {
        crumbs.push((name.as_str(), page_of(visit, source)));
    }
    let replay = button_link(visit, Scope::SourcesManage, "", &format!("{page}/replay"), "retry", "Replay…");
    let head = Head {
        title: receipt.event_type.as_deref().unwrap_or("Receipt"),
        nav: Some(Nav::Sources),
        crumbs: &crumbs,
        lead: Some(
            html! { (copy_id(&receipt.id.to_string())) " · received " (ago(visit, receipt.received_at)) " by “" bdi { (name) } "”" },
        ),
        actions: source.map(|_| replay),
        mono: receipt.event_type.is_some(),
        ..Head::default()
    };
    visit.page(&head, body)
}

fn done(visit: &Visit, receipt: &ReceiptBody, source: Option<&SourceBody>) -> Markup {
    let actions = receipt.actions.as_deref().unwrap_or_default();
    let ended = actions.iter().filter(|action| action.status == "delivered").count();
    html! {
        section .panel {
            header .panel-head {
                h2 { "What was done about it" }
                @if !actions.is_empty() { p .push { (number(ended as i128)) " of " (number(actions.len() as i128)) " done" } }
            }
            @if actions.is_empty() { p .panel-body.quiet { "It was kept. The source had no action for it." } }
            @else {
                ol .plain-list {
                    @for action in actions { li .numbered { span .n-step { (action.place + 1) } div .stack.tight { (action_lines(visit, action, source)) } } }
                }
            }
        }
    }
}

fn action_lines(visit: &Visit, action: &ReceiptActionBody, source: Option<&SourceBody>) -> Markup {
    let known = source.and_then(|source| source.actions.get(usize::from(action.place)));
    let known = known.filter(|known| Some(known.kind()) == action.kind.as_deref());
    html! {
        div .line-list {
            @match known { Some(known) => span { (in_words(known)) }, None => span { (action.kind.as_deref().unwrap_or("An action that the source has no more")) } }
            (if action.status == "delivered" { crate::parts::badge("delivered", "check", "Done") } else { badge_of(&action.status) })
            span .faint.small {
                @if action.attempts > 1 { (number(action.attempts)) " tries" }
                @if let Some(at) = action.finished_at { " " (exact(visit, at)) }
                @if let Some(at) = action.next_attempt_at { " next " (until(visit, at)) }
            }
        }
        @if let Some(result) = &action.result { (result_of(visit, result)) }
    }
}

/// What came of it, with the way to what it made.
fn result_of(visit: &Visit, result: &Value) -> Markup {
    let text = |member: &str| result[member].as_str();
    let event = text("event_id");
    let record = text("record").zip(text("key"));
    html! {
        @if let Some(event) = event { a href=(visit.link(&format!("/events/{}", part(event)))) { "The event " span .mono { (event) } } }
        @if let Some((kind, key)) = record { a href=(visit.link(&format!("/records/{}/{}", part(kind), part(key)))) { "The record " bdi .mono { (kind) " / " (key) } } }
        (json_block("Result", &result.to_string()))
    }
}

fn came(visit: &Visit, receipt: &ReceiptBody) -> Markup {
    let headers = receipt.headers.as_deref().unwrap_or_default();
    let text: String = headers.iter().map(|header| format!("{}: {}\n", header.name, header.value)).collect();
    let visible =
        |text: &str| text.chars().map(|one| if one.is_control() { '\u{fffd}' } else { one }).collect::<String>();
    let drawn =
        html! { @for header in headers { span .k { (visible(&header.name)) } ": " (visible(&header.value)) "\n" } };
    html! {
        section .panel {
            header .panel-head { h2 { "What came in" } p { "Headers with secrets are not kept" } }
            div .panel-body.stack.tight {
                @if !headers.is_empty() { (block("Headers", &text, &drawn)) }
                (body_of(visit, receipt))
            }
        }
    }
}

fn body_of(visit: &Visit, receipt: &ReceiptBody) -> Markup {
    let bytes = bytes_of("", receipt.body_base64.as_deref());
    html! {
        @if bytes.is_empty() { p .quiet { "It had no body." } }
        @else {
            (body::block("Body", &bytes, receipt.body.is_none()))
            p .hint { a href=(visit.link(&format!("/receipts/{}/body", receipt.id))) download { "Download the body" } }
        }
    }
}

/// `GET …/receipts/{rcp}/body`: the body as a file.
pub(crate) async fn download(visit: Visit, Path((_, id)): Ids) -> Shown {
    let receipt: ReceiptBody = visit.need(&format!("/receipts/{}", part(&id))).await?;
    let bytes = bytes_of("", receipt.body_base64.as_deref()).into_owned();
    Ok(file(&receipt.id.to_string(), bytes))
}

fn try_form(visit: &Visit, page: &str, fields: &Fields<'_>, tried: Option<&PreviewBody>) -> Markup {
    html! {
        section .panel #try {
            header .panel-head { h2 { "Try an action on it" } p { "Nothing comes of it" } }
            form .panel-body.stack.tight method="post" action={ (page) "/preview" } {
                (csrf(visit))
                (fields.area("action", "Action", "As JSON; texts may have places such as {{/body/data/id}}.", 8, ""))
                div .actions { (submit(visit, Scope::SourcesManage, "", "Try action")) }
                @if let Some(preview) = tried { (tried_words(preview)) }
            }
        }
    }
}

fn facts(visit: &Visit, receipt: &ReceiptBody, source: Option<&SourceBody>) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Receipt" } }
            div .panel-body {
                dl .facts {
                    dt { "Source" }
                    dd { @match source { Some(source) => a href=(page_of(visit, source)) { bdi { (source.name) } }, None => "Deleted" } }
                    dt { "Type" } dd .mono { bdi { (receipt.event_type.as_deref().unwrap_or("None")) } }
                    dt { "Its own id" } dd .mono { bdi { (receipt.provider_id.as_deref().unwrap_or("None")) } }
                    dt { "Received" } dd { (exact(visit, receipt.received_at)) }
                    dt { "From" } dd .mono { bdi { (receipt.address) } }
                    dt { "Came by" } dd { (via_words(receipt.via)) }
                }
            }
        }
    }
}

/// `POST …/receipts/{rcp}/preview`
pub(crate) async fn preview(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let receipt: ReceiptBody = visit.need(&format!("/receipts/{}", part(&id))).await?;
    let source = visit.get::<SourceBody>(&format!("/sources/{}", receipt.source_id)).await.ok();
    let tried = match serde_json::from_str::<Value>(form.text("action")) {
        Err(error) => Err(Box::new(refused(vec![wrong("action", format!("is no JSON: {error}"))]))),
        Ok(action) => {
            let body = json!({"action": action, "receipt_id": receipt.id});
            let path = format!("/sources/{}/preview", receipt.source_id);
            visit.send::<PreviewBody>(Method::POST, &path, &body).await
        }
    };
    match tried {
        Ok(preview) => draw(&visit, &receipt, source.as_ref(), &form, Some(&preview), None),
        Err(problem) => {
            Ok(with_status(problem.status, draw(&visit, &receipt, source.as_ref(), &form, None, Some(&problem))?))
        }
    }
}

/// `GET …/receipts/{rcp}/replay`
pub(crate) async fn replay_question(visit: Visit, Path((_, id)): Ids) -> Shown {
    let receipt: ReceiptBody = visit.need(&format!("/receipts/{}", part(&id))).await?;
    let page = visit.link(&format!("/receipts/{}", receipt.id));
    let ask = Confirm {
        title: &format!("Do everything about this {} again?", receipt.event_type.as_deref().unwrap_or("receipt")),
        text: html! { p { "All actions are done again, as the source has them now: another event is published, records change once more, commands run." } },
        action: &format!("{page}/replay"),
        verb: "Replay receipt",
        keep: "Leave it",
        back: &page,
        fields: crate::parts::hidden("idempotency_key", &visit.fresh_key(&visit.query())),
        danger: false,
    };
    let crumbs = [("Sources", visit.link("/sources"))];
    let head = Head { title: "Replay a receipt", nav: Some(Nav::Sources), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, confirm(&visit, &ask))
}

/// `POST …/receipts/{rcp}/replay`
pub(crate) async fn replay(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let path = format!("/receipts/{}", part(&id));
    let ask = tidings_api::Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..tidings_api::Ask::new(Method::POST, format!("{path}/replay"))
    };
    visit.ask::<ReceiptReplayedBody>(ask).await.map_err(|problem| visit.stop(&problem))?;
    visit.go(&visit.link(&path), "receipt-replayed")
}
