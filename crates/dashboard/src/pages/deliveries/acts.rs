//! Sending a delivery again, and its bodies as files.

use axum::extract::Path;
use http::{Method, StatusCode};
use maud::html;
use tidings_contract::delivery::{DeliveryBody, DeliverySummary};
use tidings_domain::tenancy::Scope;

use super::{
    bulk::is_off,
    delivery::{Seen, draw},
};
use crate::{
    ask::{Shown, Stop, part},
    body::{bytes_of, file},
    form::Form,
    parts::{Confirm, confirm, hidden},
    shell::{Head, Nav, with_status, wrong_page},
    visit::Visit,
};

/// `GET …/deliveries/{dlv}/retry`: asks, where the webhook is disabled.
pub(crate) async fn retry_question(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    visit.must_show(Scope::WebhooksManage)?;
    let seen = Seen::find(&visit, &id).await?;
    let back = visit.link(&format!("/deliveries/{}", seen.delivery.summary.id));
    let name = seen.name();
    let (title, text) = match seen.is_off() {
        true => (
            format!("Send to “{name}” although it is disabled?"),
            "This one delivery is sent again, now. The webhook stays disabled: nothing else goes out, and if the attempt \
             fails, it is not repeated by itself.",
        ),
        false => (format!("Send to “{name}” again?"), "One more attempt is made, now."),
    };
    let ask = Confirm {
        title: &title,
        text: html! { p { (text) } },
        action: &format!("{back}/retry"),
        verb: "Send it",
        keep: "Leave it",
        back: &back,
        fields: html! { @if seen.is_off() { (hidden("force", "1")) } },
        danger: false,
    };
    let head = Head { title: "Retry a delivery", nav: Some(Nav::Deliveries), ..Head::default() };
    visit.page(&head, confirm(&visit, &ask))
}

/// `POST …/deliveries/{dlv}/retry`
pub(crate) async fn retry(visit: Visit, Path((_, id)): Path<(String, String)>, form: Form) -> Shown {
    let place = visit.link(&format!("/deliveries/{}", part(&id)));
    let body = serde_json::json!({"force": form.has("force")});
    let path = format!("/deliveries/{}/retry", part(&id));
    match visit.send::<DeliverySummary>(Method::POST, &path, &body).await {
        Ok(_) => visit.go(&place, "retried"),
        // Somebody disabled it since the page was drawn: the question stands on a page of its own.
        Err(problem) if is_off(&problem) && !form.has("force") => Err(Stop::to(&format!("{place}/retry"))),
        Err(problem) => {
            let seen = Seen::find(&visit, &id).await?;
            Ok(with_status(problem.status, draw(&visit, &seen, Some(&problem))?))
        }
    }
}

/// `GET …/deliveries/{dlv}/attempts/{n}/{request|response}`: a body as a file.
pub(crate) async fn download(
    visit: Visit,
    Path((_, id, number, which)): Path<(String, String, String, String)>,
) -> Shown {
    let delivery: DeliveryBody = visit.need(&format!("/deliveries/{}", part(&id))).await?;
    let attempt = delivery.attempts.iter().find(|attempt| attempt.number.to_string() == number);
    let body = attempt.and_then(|attempt| match which.as_str() {
        "request" => Some((&attempt.request.body, &attempt.request.body_base64)),
        "response" => attempt.response.as_ref().map(|response| (&response.body, &response.body_base64)),
        _ => None,
    });
    let Some((text, base64)) = body else {
        return Err(Stop::with((StatusCode::NOT_FOUND, wrong_page(&visit, "Not found", "There is no such attempt."))));
    };
    let bytes = bytes_of(text, base64.as_deref()).into_owned();
    Ok(file(&format!("{}.{number}.{which}", delivery.summary.id), bytes))
}
