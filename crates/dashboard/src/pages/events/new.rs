//! `/p/{project}/events/new`: publish an event by hand, with the example of its type filled in.

use http::Method;
use maud::{Markup, html};
use serde_json::value::RawValue;
use tidings_api::Ask;
use tidings_contract::{
    event::PublishedBody,
    event_type::EventTypeBody,
    list::ListBody,
    problem::{FieldError, Problem},
};
use tidings_domain::{tenancy::Scope, time::Timestamp};

use crate::{
    ask::{Shown, part, refused, wrong},
    form::Form,
    parts::{Fields, hidden, icon, json_pretty, notice, submit, summary, typed_time},
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

/// `GET …/events/new?type=…`
pub(crate) async fn show(visit: Visit) -> Shown {
    let query = visit.query();
    let types = catalogue(&visit).await;
    let chosen = match query.given("type") {
        Some(name) => visit.get::<EventTypeBody>(&format!("/event-types/{}", part(name))).await.ok(),
        None => types.first().cloned(),
    };
    let example = chosen.as_ref().and_then(|chosen| chosen.example.as_ref()).map_or("{}", |example| example.get());
    let name = chosen.as_ref().map_or(query.text("type"), |chosen| chosen.name.as_str());
    let values = [("type", name.to_owned()), ("data", json_pretty(example))];
    let values: Form = values.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
    draw(&visit, &types, chosen.as_ref(), &values, None).await
}

/// `POST …/events/new`
pub(crate) async fn publish(visit: Visit, form: Form) -> Shown {
    let at = form.given("deliver_at").map(|text| typed_time(&visit, text)).transpose();
    let at = match at {
        Ok(at) => at,
        Err(reason) => return again(&visit, &form, &refused(vec![wrong("deliver_at", reason)])).await,
    };
    let body = match request(&form, at) {
        Ok(body) => body,
        Err(errors) => return again(&visit, &form, &refused(errors)).await,
    };
    let ask = Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..Ask::new(Method::POST, "/events").with_body(body)
    };
    match visit.ask::<PublishedBody>(ask).await {
        Ok(published) => {
            let said = if published.deliveries == 0 { "event-published-to-nobody" } else { "event-published" };
            visit.go(&visit.link(&format!("/events/{}", part(&published.id))), said)
        }
        Err(problem) => again(&visit, &form, &problem).await,
    }
}

async fn again(visit: &Visit, form: &Form, problem: &Problem) -> Shown {
    let types = catalogue(visit).await;
    let chosen = types.iter().find(|one| one.name == form.text("type"));
    Ok(with_status(problem.status, draw(visit, &types, chosen, form, Some(problem)).await?))
}

async fn catalogue(visit: &Visit) -> Vec<EventTypeBody> {
    let listed = visit.get::<ListBody<EventTypeBody>>("/event-types").await;
    listed.map(|list| list.data).unwrap_or_default().into_iter().filter(|one| !one.archived).collect()
}

/// The request that a form stands for. The data goes as it was typed: numbers keep their digits.
fn request(form: &Form, deliver_at: Option<Timestamp>) -> Result<Vec<u8>, Vec<FieldError>> {
    let mut fields = serde_json::Map::new();
    for name in ["type", "id"] {
        if let Some(text) = form.given(name) {
            fields.insert(name.to_owned(), text.into());
        }
    }
    let scopes = form.list("scope");
    if !scopes.is_empty() {
        fields.insert("scope".to_owned(), scopes.into());
    }
    if let Some(at) = deliver_at {
        fields.insert("deliver_at".to_owned(), at.rfc3339_millis().into());
    }
    let data = form.text("data");
    if let Err(error) = serde_json::from_str::<&RawValue>(data) {
        return Err(vec![wrong("data", format!("it is no JSON: {error}"))]);
    }
    let rest = serde_json::to_string(&fields).unwrap_or_default();
    let comma = if fields.is_empty() { "" } else { "," };
    Ok(format!("{{\"data\":{data}{comma}{}", &rest[1..]).into_bytes())
}

async fn draw(
    visit: &Visit,
    types: &[EventTypeBody],
    chosen: Option<&EventTypeBody>,
    values: &Form,
    problem: Option<&Problem>,
) -> Shown {
    let fields = Fields { values, problem };
    let place = visit.link("/events/new");
    let known = types.iter().any(|one| one.name == values.text("type"));
    let body = html! {
        (summary(problem))
        @if types.is_empty() { (no_types(visit)) } @else { (chooser(&place, types, values.text("type"), known)) }
        form .panel method="post" action=(place) {
            (csrf(visit))
            (hidden("idempotency_key", &visit.fresh_key(values)))
            div .form-section {
                header { h2 { "Event" } p { "It is stored and sent like any other: to every webhook that wants it." } }
                div {
                    @if known {
                        (hidden("type", values.text("type")))
                        p { "Type " span .mono { (values.text("type")) } }
                        @if let Some(text) = chosen.and_then(|chosen| chosen.description.as_deref()) { p .hint { bdi { (text) } } }
                        @if let Some(wrong) = fields.wrong("type") { p .wrong-text { (icon("alert")) span { (wrong) } } }
                    } @else {
                        (fields.mono("text", "type", "Type", "A name in the catalogue of event types.", "tag.subscribed"))
                    }
                    (fields.area("data", "Data", "Any JSON. Its bytes are kept as they are typed.", 14, "{}"))
                }
            }
            div .form-section {
                header { h2 { "More" } p { "None of it is needed." } }
                div {
                    (fields.mono("text", "scope", "Scope (optional)", "Which parts of the project it concerns, set apart by commas.", "list_42"))
                    (fields.mono("text", "id", "Id of your own (optional)", "Once per project. Left empty, one is made.", ""))
                    (fields.line("datetime-local", "deliver_at", "Deliver at (optional)", "In your time, up to 90 days ahead. Left empty: now."))
                }
            }
            div .form-foot {
                (submit(visit, Scope::EventsWrite, "primary", "Publish event"))
                a .button.plain href=(visit.link("/events")) { "Cancel" }
            }
        }
    };
    let crumbs = [("Events", visit.link("/events"))];
    let head = Head { title: "Publish an event", nav: Some(Nav::Events), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, body)
}

/// An event has to be of a type that is known.
fn no_types(visit: &Visit) -> Markup {
    let text = html! { "An event is of one of the types in the catalogue, and this project has none yet." };
    let make = html! { a .button href=(visit.link("/new/event-type")) { "Create event type" } };
    notice("info", "There is no event type yet.", &text, Some(make))
}

fn chooser(place: &str, types: &[EventTypeBody], chosen: &str, known: bool) -> Markup {
    html! {
        form .panel.filters method="get" action=(place) {
            label for="choose-type" { "Event type" }
            select #choose-type .mono name="type" data-submits {
                @if !known { option value="" selected { "Another" } }
                @for one in types { option value=(one.name) selected[one.name == chosen] { (one.name) } }
            }
            button .button { "Fill in its example" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn data_goes_as_it_was_typed() {
        let typed =
            form(&[("type", "a.b"), ("data", " {\"n\": 1.10} "), ("scope", "x, y"), ("id", ""), ("deliver_at", "")]);
        let body = String::from_utf8(request(&typed, None).expect("a request")).expect("text");
        assert!(body.starts_with(r#"{"data":{"n": 1.10},"#), "{body}");
        let read: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((&read["scope"], &read["type"]), (&serde_json::json!(["x", "y"]), &"a.b".into()));
        assert!(read.get("id").is_none() && read.get("deliver_at").is_none(), "{body}");
        assert_eq!(request(&form(&[("data", "null")]), None).expect("a request"), br#"{"data":null}"#);
    }

    #[test]
    fn data_cannot_bring_other_fields_along() {
        for data in ["1,\"type\":\"evil\"", "{}}", "", "{\"a\":}", "1 2"] {
            let errors = request(&form(&[("type", "a.b"), ("data", data)]), None).expect_err("no JSON");
            assert_eq!(errors[0].field, "data", "{data}");
        }
    }
}
