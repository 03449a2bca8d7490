//! Gap filling: how far the provider was asked, and asking it now.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use serde_json::json;
use tidings_contract::{
    gap_fill::{FillBody, GapFillBody},
    source::SourceBody,
};
use tidings_domain::tenancy::Scope;

use super::page_of;
use crate::{
    ask::{Shown, part, refused, wrong},
    form::Form,
    parts::{ago, badge, duration, exact, icon, number, typed_time, until, who_may},
    shell::csrf,
    visit::Visit,
};

/// What stands about it on the page of a source.
pub(super) fn panel(visit: &Visit, source: &SourceBody, fill: &GapFillBody) -> Markup {
    let may = visit.may(Scope::SourcesManage);
    html! {
        section .panel {
            header .panel-head {
                h2 { "Gap filling" }
                @if fill.running { (badge("pending", "clock", "Asking")) }
                @else if fill.last_error.is_some() { (badge("failed", "x", "Failed")) }
            }
            div .panel-body.stack.tight {
                @if let Some(error) = &fill.last_error { p .wrong-text { (icon("alert")) span { bdi { (error) } } } }
                dl .facts {
                    dt { "Nothing missing until" } dd { (exact(visit, fill.filled_until)) }
                    dt { "Asked" } dd { @match fill.last_run_at { Some(at) => (ago(visit, at)), None => "Not yet" } }
                    dt { "Next" } dd { @match fill.next_run_at { Some(at) => (until(visit, at)), None => "Not planned" } }
                    dt { "Every" } dd { (duration(f64::from(fill.every_s) * 1_000.0)) }
                    dt { "Taken in" } dd { (number(fill.taken_in)) }
                    dt { "Left out" } dd { (number(fill.left_out)) }
                    @if let Some(hook) = &fill.hook { dt { "Its webhook" } dd .mono { bdi { (hook) } } }
                }
                form .stack.tight method="post" action={ (page_of(visit, source)) "/fill" } {
                    (csrf(visit))
                    div .field {
                        label for="f-since" { "Look back to " span .optional { "optional" } }
                        input #f-since type="datetime-local" name="since";
                    }
                    div .actions {
                        button .button.small disabled[!may] title=[(!may).then(|| who_may(visit, Scope::SourcesManage))] { (icon("down")) "Ask now" }
                    }
                }
            }
        }
    }
}

/// `POST …/sources/{src}/fill`
pub(crate) async fn fill(visit: Visit, Path((_, id)): Path<(String, String)>, form: Form) -> Shown {
    let path = format!("/sources/{}", part(&id));
    let body = match form.given("since").map(|text| typed_time(&visit, text)).transpose() {
        Ok(None) => json!({}),
        Ok(Some(since)) => json!({"since": since.rfc3339_millis()}),
        Err(reason) => return Err(visit.stop(&refused(vec![wrong("since", reason)]))),
    };
    visit
        .send::<FillBody>(Method::POST, &format!("{path}/fill"), &body)
        .await
        .map_err(|problem| visit.stop(&problem))?;
    visit.go(&visit.link(&path), "source-asks")
}
