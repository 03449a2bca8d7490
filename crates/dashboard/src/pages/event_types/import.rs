//! Event types from elsewhere: an OpenAPI document, or a preset.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use serde_json::value::RawValue;
use tidings_contract::{
    event_type::{EventTypeBody, EventTypeRequest, ImportEventTypes, ImportResult, ImportedEventTypesBody},
    list::ListBody,
    preset::{PresetBody, PresetSummary},
    problem::Problem,
};
use tidings_domain::tenancy::Scope;

use crate::{
    ask::{Shown, part, unread},
    form::Form,
    parts::{Fields, badge, command_line, notice, number, submit, summary, table_head},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

pub(crate) async fn import_form(visit: Visit) -> Shown {
    draw_import(&visit, &Form::default(), None, None)
}

pub(crate) async fn import(visit: Visit, form: Form) -> Shown {
    let document = match serde_json::from_str::<Box<RawValue>>(form.text("document")) {
        Ok(document) => document,
        Err(error) => {
            let message = match form.text("document").is_empty() {
                true => "is empty: paste the document, as JSON".to_owned(),
                false => format!("is not JSON: {error}. A YAML document has to be turned into JSON first"),
            };
            return draw_import(&visit, &form, Some(&unread(vec![("document", message)])), None);
        }
    };
    let dry_run = form.text("do") != "import";
    let request = ImportEventTypes { document, dry_run };
    match visit.send::<ImportedEventTypesBody>(Method::POST, "/event-types/import", &request).await {
        Ok(imported) => draw_import(&visit, &form, None, Some(&imported)),
        Err(problem) => draw_import(&visit, &form, Some(&problem), None),
    }
}

fn draw_import(visit: &Visit, form: &Form, problem: Option<&Problem>, done: Option<&ImportedEventTypesBody>) -> Shown {
    let fields = Fields { values: form, problem };
    let changes = done.is_some_and(|done| {
        done.dry_run && done.data.iter().any(|row| matches!(row.result, ImportResult::Created | ImportResult::Updated))
    });
    let body = html! {
        (summary(problem))
        @if let Some(done) = done { (outcome(visit, done)) }
        form .panel method="post" action=(visit.link("/import/event-types")) {
            (csrf(visit))
            section .form-section {
                header { h2 { "Document" } p { "OpenAPI 3.1, as JSON. Its webhooks are read, 500 at most." } }
                div {
                    (fields.area("document", "OpenAPI document", "Nothing is deleted: what the document does not \
                    name stays as it is.", 16,
                        "{\"openapi\": \"3.1.0\", \"webhooks\": {\"order.paid\": {\"post\": {…}}}}"))
                    (command_line("The same by CLI", "tidings event-type import openapi.json --dry-run"))
                }
            }
            div .form-foot {
                @if changes {
                    (submit_as(visit, "primary", "import", "Import these event types"))
                    (submit_as(visit, "", "try", "See what would change"))
                } @else {
                    (submit_as(visit, "primary", "try", "See what would change"))
                }
                a .button.plain href=(visit.link("/event-types")) { "Cancel" }
            }
        }
    };
    let head = Head {
        title: "Import event types",
        nav: Some(Nav::EventTypes),
        crumbs: &[("Event types", visit.link("/event-types"))],
        lead: Some(html! { "From an OpenAPI document: first what would change is shown, then it is done." }),
        ..Head::default()
    };
    visit.form_page(&head, body, problem)
}

/// A button of a form that can do several things.
fn submit_as(visit: &Visit, class: &str, value: &str, words: &str) -> Markup {
    let may = visit.may(Scope::Admin);
    html! {
        button class={ "button " (class) } name="do" value=(value) disabled[!may]
            title=[(!may).then(|| crate::parts::who_may(visit, Scope::Admin))] { (words) }
    }
}

fn outcome(visit: &Visit, done: &ImportedEventTypesBody) -> Markup {
    let count = |result: ImportResult| done.data.iter().filter(|row| row.result == result).count();
    let (created, updated) = (count(ImportResult::Created), count(ImportResult::Updated));
    let (same, refused) = (count(ImportResult::Unchanged), count(ImportResult::Refused));
    let title = if done.dry_run { "This would change" } else { "This was done" };
    html! {
        @if !done.dry_run {
            (notice(
                "ok",
                &format!("{created} created, {updated} changed."),
                &html! { a href=(visit.link("/event-types")) { "See the catalogue" } },
                None,
            ))
        }
        section .panel {
            header .panel-head {
                h2 { (title) }
                p {
                    (number(created as i128)) " new, " (number(updated as i128)) " changed, " (number(same as i128)) " as they are, " (number(refused as i128)) " refused"
                }
            }
            @if done.data.is_empty() { p .panel-body.faint { "The document has no webhooks." } }
            @else {
                table .list role="table" aria-label=(title) {
                    (table_head(&[("Name", ""), ("Result", ""), ("Reason", "")]))
                    tbody role="rowgroup" {
                        @for row in &done.data {
                            tr role="row" {
                                td role="cell" .on-1 { span .mono { bdi { (row.name) } } }
                                td role="cell" .on-2 { (result_badge(row.result)) }
                                td role="cell" .quiet { bdi { (row.reason.as_deref().unwrap_or_default()) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn result_badge(result: ImportResult) -> Markup {
    match result {
        ImportResult::Created => badge("delivered", "plus", "New"),
        ImportResult::Updated => badge("pending", "edit", "Changed"),
        ImportResult::Unchanged => badge("cancelled", "minus", "As it is"),
        ImportResult::Refused => badge("failed", "x", "Refused"),
    }
}

/// `GET /take/event-types`: which presets there are.
pub(crate) async fn take_form(visit: Visit) -> Shown {
    let presets: ListBody<PresetSummary> = visit.need("/presets").await?;
    let own: ListBody<EventTypeBody> = visit.need("/event-types").await?;
    let is_known = |name: &String| own.data.iter().any(|one| one.name == *name);
    let body = html! {
        @for preset in &presets.data {
            @let missing = preset.event_types.iter().filter(|name| !is_known(name)).count();
            section .panel {
                header .panel-head { h2 { (preset.title) } p { (preset.description) } }
                div .panel-body.stack.tight {
                    div .types { @for name in &preset.event_types { (crate::parts::type_chip(name)) } }
                    form .actions method="post" action=(visit.link(&format!("/take/event-types/{}", part(&preset.name)))) {
                        (csrf(&visit))
                        @match missing {
                            0 => span .hint { "The catalogue has them all." },
                            1 => (submit(&visit, Scope::Admin, "", "Take 1 event type")),
                            _ => (submit(&visit, Scope::Admin, "", &format!("Take {missing} event types"))),
                        }
                    }
                }
            }
        }
    };
    let head = Head {
        title: "Take event types from a preset",
        nav: Some(Nav::EventTypes),
        crumbs: &[("Event types", visit.link("/event-types"))],
        lead: Some(
            html! { "A preset is a system that is known here. Types that the catalogue has already stay as they are." },
        ),
        ..Head::default()
    };
    visit.page(&head, body)
}

/// `POST /take/event-types/{preset}`: those that the catalogue does not have.
pub(crate) async fn take(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    let preset: PresetBody = visit.need(&format!("/presets/{}", part(&name))).await?;
    let own: ListBody<EventTypeBody> = visit.need("/event-types").await?;
    for one in preset.event_types {
        if own.data.iter().any(|known| known.name == one.name) {
            continue;
        }
        let request = EventTypeRequest {
            name: Some(one.name),
            group: one.group,
            description: one.description,
            example: one.example,
            schema: one.schema,
            archived: false,
        };
        if let Err(problem) = visit.send::<EventTypeBody>(Method::POST, "/event-types", &request).await {
            return Err(visit.stop(&problem));
        }
    }
    visit.go(&visit.link("/event-types"), "types-taken")
}
