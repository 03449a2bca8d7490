//! `/p/{project}/jobs` and one job: done of total, what came out of it so far.

use axum::{
    extract::Path,
    response::{Html, IntoResponse as _},
};
use http::Method;
use maud::{Markup, html};
use tidings_contract::{job::JobBody, list::ListBody};
use tidings_domain::tenancy::Scope;

use crate::{
    ask::{Shown, part},
    pages::deliveries::rows::Webhooks,
    parts::{
        ago, badge, command_line, copy_id, duration, empty_line, exact, number, pager, sprite, submit, table_head,
        total_words, visible_page,
    },
    shell::{Head, Nav, csrf},
    visit::Visit,
};

type Ids = Path<(String, String)>;

/// `GET …/jobs`
pub(crate) async fn list(visit: Visit) -> Shown {
    let query = visit.query();
    let cursor = query.text("cursor");
    let list: ListBody<JobBody> = visit.need(&crate::ask::with_query("/jobs?limit=50", &[("cursor", cursor)])).await?;
    let webhooks = Webhooks::of(&visit, list.data.iter().map(|job| job.webhook_id)).await;
    let body = html! {
        section .panel aria-label="Jobs" {
            @if list.data.is_empty() {
                (empty_line("No job yet. Recover sends again what a webhook did not get; Replay sends it events of the past. Both begin on the webhook's page."))
                @if !visit.is_portal() {
                    div .panel-body { (command_line("The same by the command line", "tidings webhook recover wh_… --since 2026-11-20T00:00:00Z")) }
                }
            } @else {
                table .list role="table" data-rows {
                    caption .sr { "Jobs, newest first" }
                    (table_head(&[("Job", ""), ("Webhook", ""), ("Begun", ""), ("Status", ""), ("Done", "right"), ("Sent", "right")]))
                    tbody role="rowgroup" { @for job in &list.data { (row(&visit, job, &webhooks)) } }
                }
                (pager(&visit, &total_words(list.total, list.total_at_least), list.data.len(), list.cursor.as_deref(), cursor.is_empty()))
            }
        }
    };
    let crumbs = [("Deliveries", visit.link("/deliveries"))];
    visit.page(&Head { title: "Jobs", nav: Some(Nav::Deliveries), crumbs: &crumbs, ..Head::default() }, body)
}

fn row(visit: &Visit, job: &JobBody, webhooks: &Webhooks) -> Markup {
    html! {
        tr .go role="row" id=(job.id) {
            td .on-1 role="cell" { a .row href=(visit.link(&format!("/jobs/{}", job.id))) { (kind_words(job)) } }
            td .quiet role="cell" { bdi { (webhooks.name(job.webhook_id)) } }
            td .half.nowrap role="cell" { (exact(visit, job.created_at)) " " span .sub.inline { (ago(visit, job.created_at)) } }
            td .on-2 role="cell" { (state_badge(job)) }
            td .right.num.half-2 role="cell" { (number(job.done)) " of " (number(job.total)) }
            td .right.num.away role="cell" { (number(job.queued)) }
        }
    }
}

fn kind_words(job: &JobBody) -> &'static str {
    if job.kind == "replay" { "Replay" } else { "Recover" }
}

fn state_badge(job: &JobBody) -> Markup {
    match job.state.as_str() {
        "running" => badge("pending", "clock", "Running"),
        "done" => badge("delivered", "check", "Done"),
        "cancelled" => badge("cancelled", "minus", "Cancelled"),
        _ => badge("failed", "x", "Failed"),
    }
}

/// `GET …/jobs/{job}`
pub(crate) async fn show(visit: Visit, Path((_, id)): Ids) -> Shown {
    let job: JobBody = visit.need(&format!("/jobs/{}", part(&id))).await?;
    let webhooks = Webhooks::of(&visit, [job.webhook_id]).await;
    let name = webhooks.name(job.webhook_id);
    let body = html! {
        (progress_of(&visit, &job))
        section .panel {
            header .panel-head { h2 { "Job" } }
            div .panel-body {
                dl .facts {
                    dt { "Webhook" } dd { a href=(visit.link(&format!("/webhooks/{}", job.webhook_id))) { bdi { (name) } } }
                    dt { "Kind" } dd { (kind_words(&job)) ", " @if job.kind == "replay" { "events of the past" } @else { "deliveries that ended" } }
                    dt { "Begun" } dd { (exact(&visit, job.created_at)) }
                    @if let Some(at) = job.finished_at { dt { "Ended" } dd { (exact(&visit, at)) } }
                    dt { "What it sent" }
                    dd { a href={ (visit.link("/deliveries")) "?webhook=" (job.webhook_id) } { "Deliveries of the webhook" } }
                }
            }
        }
    };
    let title = format!("{} for “{name}”", kind_words(&job));
    let crumbs = [("Deliveries", visit.link("/deliveries")), ("Jobs", visit.link("/jobs"))];
    let head = Head {
        title: &title,
        nav: Some(Nav::Deliveries),
        crumbs: &crumbs,
        lead: Some(copy_id(&job.id.to_string())),
        ..Head::default()
    };
    visit.page(&head, body)
}

/// How far a job is. With scripts it is drawn again as long as it runs.
fn progress_of(visit: &Visit, job: &JobBody) -> Markup {
    let place = visit.link(&format!("/jobs/{}", job.id));
    let running = job.state == "running";
    html! {
        section .panel data-job=[running.then(|| format!("{place}/progress"))] aria-label="Progress" {
            header .panel-head {
                h2 { (sentence(job)) }
                (state_badge(job))
                @if running && visit.now.millis_since(job.created_at) > 0 { p .push { (remaining(visit, job)) } }
            }
            div .panel-body.job {
                progress max=(job.total.max(1)) value=(if job.total == 0 && !running { 1 } else { job.done })
                    aria-label={ (number(job.done)) " of " (number(job.total)) } {}
                p .quiet {
                    (number(job.queued)) @if job.queued == 1 { " delivery" } @else { " deliveries" } " came of it"
                    @if job.skipped > 0 { ", " (number(job.skipped)) " were left out: not wanted, had already, or deleted" }
                    "."
                    @if running { " It goes on if you leave this page." }
                }
                @if let Some(error) = &job.error { p .wrong-text { span { (error) } } }
            }
            @if running {
                div .panel-foot {
                    form method="post" action={ (place) "/cancel" } { (csrf(visit)) (submit(visit, Scope::WebhooksManage, "small", "Cancel job")) }
                    span { "What was sent stays sent." }
                }
            }
        }
    }
}

fn sentence(job: &JobBody) -> String {
    let (done, total) = (number(job.done), number(job.total));
    match job.state.as_str() {
        "running" => format!("{done} of {total} done"),
        "done" if job.total == 0 => "There was nothing to send".to_owned(),
        "done" => format!("All {total} done"),
        "cancelled" => format!("Cancelled after {done} of {total}"),
        _ => format!("Failed after {done} of {total}"),
    }
}

/// About how long it takes, by what it took so far.
fn remaining(visit: &Visit, job: &JobBody) -> String {
    let left = f64::from(job.total.saturating_sub(job.done));
    if job.done == 0 {
        return "begins".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "it is about")]
    let so_far = visit.now.millis_since(job.created_at) as f64;
    format!("about {} more", duration((so_far / f64::from(job.done) * left).max(1_000.0)))
}

/// `GET …/jobs/{job}/progress`: the panel alone.
pub(crate) async fn progress(visit: Visit, Path((_, id)): Ids) -> Shown {
    let job: JobBody = visit.need(&format!("/jobs/{}", part(&id))).await?;
    let drawn = progress_of(&visit, &job);
    Ok(Html(visible_page(&html! { (sprite(&drawn.0)) (drawn) }.0).into_owned()).into_response())
}

/// `POST …/jobs/{job}/cancel`
pub(crate) async fn cancel(visit: Visit, Path((_, id)): Ids) -> Shown {
    let path = format!("/jobs/{}", part(&id));
    let ask = tidings_api::Ask::new(Method::DELETE, path.as_str());
    let job: JobBody = visit.ask(ask).await.map_err(|problem| visit.stop(&problem))?;
    // It may have come to its end before.
    visit.go(&visit.link(&path), if job.state == "cancelled" { "job-cancelled" } else { "" })
}
