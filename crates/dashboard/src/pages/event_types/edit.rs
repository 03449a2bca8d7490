//! Forms that create and change an event type.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use serde_json::value::RawValue;
use tidings_api::Ask;
use tidings_contract::{
    event_type::{EventTypeBody, EventTypeRequest},
    problem::Problem,
};
use tidings_domain::tenancy::Scope;

use super::{address, change_one};
use crate::{
    ask::{Shown, part, refusal, unread},
    form::Form,
    pages::meanwhile::{ETAG, Meanwhile, SAVE_MINE, meanwhile},
    parts::{Fields, hidden, json_pretty, submit, summary},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

const KEY: &str = "idempotency_key";

pub(crate) async fn new(visit: Visit) -> Shown {
    let values: Form = [(KEY.to_owned(), visit.fresh_key(&Form::default()))].into_iter().collect();
    draw(&visit, None, &values, None)
}

pub(crate) async fn edit(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    let (now, seen): (EventTypeBody, _) = visit.need_tagged(&format!("/event-types/{}", part(&name))).await?;
    let raw = |raw: Option<Box<RawValue>>| raw.map(|raw| json_pretty(raw.get())).unwrap_or_default();
    let values: Form = [
        ("group", now.group.unwrap_or_default()),
        ("description", now.description.unwrap_or_default()),
        ("example", raw(now.example)),
        ("schema", raw(now.schema)),
        ("archived", if now.archived { "true" } else { "" }.to_owned()),
        (ETAG, seen),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    draw(&visit, Some(&name), &values, None)
}

/// What was typed, as the API takes it; or which fields are no JSON.
fn read(form: &Form) -> Result<EventTypeRequest, Vec<(&'static str, String)>> {
    let mut errors = Vec::new();
    let mut raw = |field: &'static str| {
        let text = form.given(field)?;
        match serde_json::from_str::<Box<RawValue>>(text) {
            Ok(raw) => Some(raw),
            Err(error) => {
                errors.push((field, format!("is not JSON: {error}")));
                None
            }
        }
    };
    let (example, schema) = (raw("example"), raw("schema"));
    if !errors.is_empty() {
        return Err(errors);
    }
    let text = |field: &str| form.given(field).map(str::to_owned);
    Ok(EventTypeRequest {
        name: text("name"),
        group: text("group"),
        description: text("description"),
        example,
        schema,
        archived: form.text("archived") == "true",
    })
}

pub(crate) async fn create(visit: Visit, form: Form) -> Shown {
    save(&visit, None, &form).await
}

pub(crate) async fn change(visit: Visit, Path((_, name)): Path<(String, String)>, form: Form) -> Shown {
    save(&visit, Some(&name), &form).await
}

async fn save(visit: &Visit, name: Option<&str>, form: &Form) -> Shown {
    let request = match read(form) {
        Ok(request) => request,
        Err(errors) => return draw(visit, name, form, Some(&unread(errors))),
    };
    let (method, place) = match name {
        Some(name) => (Method::PUT, format!("/event-types/{}", part(name))),
        None => (Method::POST, "/event-types".to_owned()),
    };
    let ask = Ask {
        idempotency_key: form.given(KEY).map(str::to_owned),
        if_match: form.given(ETAG).map(str::to_owned),
        ..Ask::new(method, place).with_body(serde_json::to_vec(&request).expect("requests are JSON"))
    };
    let answer = if name.is_some() { change_one(visit, ask).await } else { visit.call(ask).await };
    match (refusal(&answer), name) {
        (Some(problem), Some(name)) if problem.status == 412 => stale(visit, form, name).await,
        (Some(problem), _) => draw(visit, name, form, Some(&problem)),
        (None, _) => visit.go(&address(visit, name.unwrap_or_else(|| form.text("name"))), "type-saved"),
    }
}

/// Somebody else saved meanwhile: both, and a choice.
async fn stale(visit: &Visit, form: &Form, name: &str) -> Shown {
    let (theirs, tag): (EventTypeBody, _) = visit.need_tagged(&format!("/event-types/{}", part(name))).await?;
    let here = address(visit, &theirs.name);
    let text = |text: Option<&str>| text.unwrap_or("None").to_owned();
    let rows = [
        ("Group", text(form.given("group")), text(theirs.group.as_deref())),
        ("Description", text(form.given("description")), text(theirs.description.as_deref())),
        ("Example", text(form.given("example")), text(theirs.example.as_deref().map(RawValue::get))),
        ("Schema", text(form.given("schema")), text(theirs.schema.as_deref().map(RawValue::get))),
    ];
    let body = meanwhile(
        visit,
        &Meanwhile {
            what: "event type",
            rows: &rows,
            form,
            asked_again: &[],
            fields: html! {},
            etag: &tag,
            action: &format!("{here}/edit"),
            back: &here,
            save: submit(visit, Scope::Admin, "primary", SAVE_MINE),
        },
    );
    let crumbs = [("Event types", visit.link("/event-types")), (theirs.name.as_str(), here.clone())];
    let head = Head { title: "Edit event type", nav: Some(Nav::EventTypes), crumbs: &crumbs, ..Head::default() };
    visit.overtaken(&head, body)
}

fn draw(visit: &Visit, name: Option<&str>, values: &Form, problem: Option<&Problem>) -> Shown {
    let fields = Fields { values, problem };
    let (action, back) = match name {
        Some(name) => (format!("{}/edit", address(visit, name)), address(visit, name)),
        None => (visit.link("/new/event-type"), visit.link("/event-types")),
    };
    let body = html! {
        (summary(problem))
        form .panel method="post" action=(action) data-form {
            (csrf(visit))
            @if name.is_none() { (hidden(KEY, values.raw(KEY))) } @else { (hidden(ETAG, values.raw(ETAG))) }
            (words(&fields, name.is_none()))
            (shape(&fields))
            div .form-foot {
                (submit(
                    visit,
                    Scope::Admin,
                    "primary",
                    if name.is_some() { "Save event type" } else { "Create event type" },
                ))
                a .button.plain href=(back) { "Cancel" }
            }
        }
    };
    let crumbs = [("Event types", visit.link("/event-types")), (name.unwrap_or_default(), back.clone())];
    let head = Head {
        title: if name.is_some() { "Edit event type" } else { "Create event type" },
        nav: Some(Nav::EventTypes),
        crumbs: if name.is_some() { &crumbs } else { &crumbs[..1] },
        ..Head::default()
    };
    visit.form_page(&head, body, problem)
}

fn words(fields: &Fields<'_>, creates: bool) -> Markup {
    html! {
        section .form-section {
            header { h2 { "Name" } p { "What publishers write and webhooks choose." } }
            div {
                @if creates {
                    (fields.mono(
                        "text",
                        "name",
                        "Name",
                        "1 to 128 letters, digits, _, - and full stops. It cannot be changed later.",
                        "order.paid",
                    ))
                }
                (fields.line("text", "group", "Group (optional)", "The heading that it is listed under."))
                (fields.line("text", "description", "Description (optional)", "When it happens, in one sentence."))
                @if !creates {
                    (fields.tick(
                        "archived",
                        "true",
                        "Archived",
                        "New events of this type are refused; what was published stays.",
                    ))
                }
            }
        }
    }
}

fn shape(fields: &Fields<'_>) -> Markup {
    html! {
        section .form-section {
            header { h2 { "Data" } p { "What its events carry." } }
            div {
                (fields.area(
                    "example",
                    "Example (optional)",
                    "JSON, as the data of an event. Tests of webhooks send it.",
                    8,
                    "{\"order\": \"A-1042\"}",
                ))
                (fields.area("schema", "JSON Schema (optional)",
                    "2020-12. One that differs from the one in force becomes a new version; empty: there is none \
                    from now on.", 12,
                    "{\"type\": \"object\", \"required\": [\"order\"]}"))
            }
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
    fn what_is_no_json_is_named() {
        let wrong = read(&form(&[("name", "a"), ("example", "{"), ("schema", "[1,]")])).expect_err("two are wrong");
        let fields: Vec<_> = wrong.iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, ["example", "schema"]);
    }

    #[test]
    fn blanks_are_left_out() {
        let request = read(&form(&[("name", " order.paid "), ("group", " "), ("example", ""), ("schema", "{}")]));
        let request = request.expect("it is whole");
        assert_eq!(request.name.as_deref(), Some("order.paid"));
        assert!(request.group.is_none() && request.example.is_none() && request.schema.is_some());
    }
}
