//! `POST …/deliveries/bulk`: what was ticked is sent again.

use http::Method;
use maud::{Markup, html};
use tidings_contract::{delivery::DeliverySummary, problem::Problem};
use tidings_domain::ids::DeliveryId;

use super::filter::Filter;
use crate::{
    ask::{Shown, Stop, with_query},
    form::Form,
    parts::{notice, number},
    visit::Visit,
};

/// Deliveries that one request sends again: the rows of a page, and some.
const CHOSEN_MAX: usize = 100;

/// Sends what was ticked again, then leads back to the same rows, which say what was done.
pub(crate) async fn bulk(visit: Visit, form: Form) -> Shown {
    let filter = Filter::read(&form);
    let ids: Vec<DeliveryId> = form.all("id").filter_map(|id| id.parse().ok()).take(CHOSEN_MAX).collect();
    let (mut sent, mut refused, mut code) = (0, 0, String::new());
    for id in &ids {
        let body = serde_json::json!({});
        match visit.send::<DeliverySummary>(Method::POST, &format!("/deliveries/{id}/retry"), &body).await {
            Ok(_) => sent += 1,
            Err(problem) if problem.code == "insufficient_scope" => return Err(visit.stop(&problem)),
            Err(problem) => {
                refused += 1;
                code = problem.code;
            }
        }
    }
    let did = format!("{sent}.{refused}.{code}");
    let page = filter.page(&visit.link("/deliveries"));
    Err(Stop::to(&with_query(&page, &[("cursor", &filter.cursor), ("did", &did)])))
}

/// What such a request did, as the address says.
pub(super) fn told(query: &Form) -> Option<Markup> {
    let mut parts = query.text("did").splitn(3, '.');
    let sent: u32 = parts.next()?.parse().ok()?;
    let refused: u32 = parts.next()?.parse().ok()?;
    let code = parts.next().unwrap_or_default();
    Some(match (sent, refused) {
        (0, 0) => notice("warn", "Nothing was chosen.", &html! { "Tick the deliveries to send again first." }, None),
        (sent, 0) => {
            notice("ok", &format!("{} sent again.", are(sent)), &html! { "What comes of it is seen below." }, None)
        }
        (sent, refused) => {
            let title = format!("{} sent again, {} not.", are(sent), number(refused));
            notice("warn", &title, &html! { (reason(code)) }, None)
        }
    })
}

fn are(count: u32) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{} are", number(count)) }
}

/// Why the last of them was not sent; only these words: an address is anybody's.
fn reason(code: &str) -> &'static str {
    match code {
        "webhook_disabled" => {
            "The webhook is disabled or deleted. Enable it first, or open the delivery: there it can be sent all the same."
        }
        "payload_expunged" => "The event's payload was expunged: there is nothing left to send.",
        "rate_limited" => "So many of disabled webhooks are being sent as may be at a time. Try again in a minute.",
        "not_found" => "It is not there any more.",
        _ => "Open one of them and retry it there: its page says the reason.",
    }
}

/// Whether a refusal means that the webhook is off.
pub(super) fn is_off(problem: &Problem) -> bool {
    problem.code == "webhook_disabled"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(query: &str) -> Option<String> {
        told(&Form::parse(&query.to_owned().into())).map(|markup| markup.0)
    }

    #[test]
    fn what_was_done_is_told_in_numbers_and_words_of_our_own() {
        assert_eq!(said("status=failed"), None);
        assert!(said("did=0.0.").is_some_and(|text| text.contains("Nothing was chosen.")));
        assert!(said("did=1.0.").is_some_and(|text| text.contains("1 is sent again.")));
        let mixed = said("did=1204.2.webhook_disabled").expect("told");
        assert!(mixed.contains("1,204 are sent again, 2 not.") && mixed.contains("is disabled"), "{mixed}");
        assert!(said("did=1.1.Pay+me").is_some_and(|text| !text.contains("Pay me")));
        assert_eq!(said("did=many.1."), None);
    }
}
