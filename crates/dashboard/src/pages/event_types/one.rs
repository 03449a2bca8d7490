//! `/p/{project}/event-types/{name}`: what one type carries, who takes it, and its versions.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    event_type::{EventTypeBody, EventTypeRequest},
    webhook::WebhookBody,
};
use tidings_domain::tenancy::Scope;

use super::{address, change_one, listeners, webhooks};
use crate::{
    ask::{Shown, part, refusal},
    form::Form,
    parts::{
        Confirm, ago, badge, button_link, command_line, confirm, empty_line, hidden, icon, json, number, submit,
        table_head,
    },
    shell::{Head, Nav, csrf},
    visit::Visit,
};

/// Where a type is in the API.
fn place(name: &str) -> String {
    format!("/event-types/{}", part(name))
}

pub(crate) async fn show(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    let event_type: EventTypeBody = visit.need(&place(&name)).await?;
    let webhooks = webhooks(&visit).await;
    let lead = html! { bdi { (event_type.description.as_deref().unwrap_or("No description.")) } };
    let here = address(&visit, &name);
    let actions = html! {
        @if visit.shows(Scope::Admin) {
            @if !event_type.archived {
                a .button.primary href=(visit.link(&format!("/events/new?type={}", part(&name)))) {
                    (icon("bolt")) "Publish example"
                }
            }
            (button_link(&visit, Scope::Admin, "", &format!("{here}/edit"), "edit", "Edit"))
            (archive_form(&visit, &event_type))
            (button_link(&visit, Scope::Admin, "", &format!("{here}/delete"), "trash", "Delete…"))
        }
    };
    let body = html! {
        div .cols.main-side {
            div .stack {
                (schema(&visit, &event_type))
                (example(&visit, &event_type))
                (versions(&visit, &event_type))
            }
            div .stack {
                (facts(&visit, &event_type))
                (listening(&visit, &name, webhooks.as_deref()))
            }
        }
    };
    let head = Head {
        title: &name,
        mono: true,
        nav: Some(Nav::EventTypes),
        crumbs: &[("Event types", visit.link("/event-types"))],
        beside: event_type.archived.then(|| badge("cancelled", "minus", "Archived")),
        lead: Some(lead),
        actions: Some(actions),
        ..Head::default()
    };
    visit.page(&head, body)
}

fn archive_form(visit: &Visit, event_type: &EventTypeBody) -> Markup {
    let words = if event_type.archived { "Take events again" } else { "Archive" };
    html! {
        form .inline method="post" action={ (address(visit, &event_type.name)) "/archive" } {
            (csrf(visit))
            (hidden("archived", if event_type.archived { "false" } else { "true" }))
            (submit(visit, Scope::Admin, "", words))
        }
    }
}

fn schema(visit: &Visit, event_type: &EventTypeBody) -> Markup {
    html! {
        section .panel {
            header .panel-head {
                h2 { "Schema" }
                @if let Some(version) = event_type.schema_version { p { "version " (version) " is in force" } }
            }
            div .panel-body {
                @match &event_type.schema {
                    Some(schema) => (json("JSON Schema (2020-12)", schema.get())),
                    None => {
                        p .faint { "None: events of this type may carry any JSON. "
                            @if visit.shows(Scope::Admin) {
                                a href={ (address(visit, &event_type.name)) "/edit#f-schema" } { "Give it a schema" }
                                " and what breaks it is refused with the path of each mistake."
                            }
                        }
                    }
                }
            }
        }
    }
}

fn example(visit: &Visit, event_type: &EventTypeBody) -> Markup {
    let data = event_type.example.as_ref().map_or("{}", |example| example.get());
    let publish = format!("tidings event publish {} --data '{}'", event_type.name, data.replace('\'', "'\\''"));
    html! {
        section .panel {
            header .panel-head { h2 { "Example" } p { "of its data" } }
            div .panel-body.stack.tight {
                @match &event_type.example {
                    Some(example) => (json("Example", example.get())),
                    None => p .faint { "None. "
                        @if visit.shows(Scope::Admin) {
                            a href={ (address(visit, &event_type.name)) "/edit#f-example" } { "Give it one" }
                            ": tests of webhooks then send it."
                        } },
                }
                @if !visit.is_portal() { (command_line("Publish one by CLI", &publish)) }
            }
        }
    }
}

fn versions(visit: &Visit, event_type: &EventTypeBody) -> Markup {
    let shown = event_type.versions.iter().rev();
    html! {
        @if !event_type.versions.is_empty() {
            section .panel {
                header .panel-head { h2 { "Versions of the schema" } p { "events may follow any that is not retired" } }
                table .list role="table" aria-label="Versions of the schema" {
                    (table_head(&[("Version", ""), ("Given", ""), ("State", ""), ("", "")]))
                    tbody role="rowgroup" {
                        @for version in shown {
                            @let in_force = event_type.schema_version == Some(version.version);
                            tr role="row" {
                                td role="cell" .on-1 {
                                    details {
                                        summary { "Version " (version.version) } (json("Schema", version.schema.get()))
                                    }
                                }
                                td role="cell" .quiet.half { (ago(visit, version.created_at)) }
                                td role="cell" .on-2 {
                                    @if version.retired { (badge("cancelled", "minus", "Retired")) }
                                    @else if in_force { (badge("delivered", "check", "In force")) }
                                    @else { (badge("pending", "clock", "Takes events")) }
                                }
                                td role="cell" .right.half-2 {
                                    @if !version.retired && !in_force && visit.shows(Scope::Admin) {
                                        form .inline method="post"
                                            action={ (address(visit, &event_type.name)) "/versions/" (version.version) "/retire" } {
                                            (csrf(visit))
                                            (submit(visit, Scope::Admin, "small", "Retire"))
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn facts(visit: &Visit, event_type: &EventTypeBody) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Information" } }
            dl .facts.panel-body {
                dt { "Group" } dd { bdi { (event_type.group.as_deref().unwrap_or("None")) } }
                dt { "State" } dd { @if event_type.archived { "Archived: new events are refused" } @else { "In use" } }
                dt { "Schema" } dd { (super::schema_words(event_type)) }
                @if !visit.is_portal() {
                    dt { "Events" }
                    dd { a href=(visit.link(&format!("/events?type={}", part(&event_type.name)))) { "Published events" } }
                }
                dt { "Deliveries" }
                dd {
                    a href=(visit.link(&format!("/deliveries?type={}", part(&event_type.name)))) {
                        "Deliveries of this type"
                    }
                }
            }
        }
    }
}

fn listening(visit: &Visit, name: &str, all: Option<&[WebhookBody]>) -> Markup {
    let rows: Vec<_> = all.map(|all| listeners(name, all).collect()).unwrap_or_default();
    html! {
        section .panel {
            header .panel-head { h2 { "Webhooks that listen" } p { (number(rows.len() as i128)) } }
            @if all.is_none() {
                (empty_line("Your role does not show webhooks. A developer may look at them."))
            } @else if rows.is_empty() {
                div .panel-body.stack.tight {
                    p .faint { "No webhook takes this type: its events go to nobody." }
                    @if visit.shows(Scope::WebhooksManage) {
                        p { a .button.small href=(visit.link("/webhooks/new")) { (icon("plus")) "Create webhook" } }
                    }
                }
            } @else {
                ul .plain-list {
                    @for webhook in rows {
                        li {
                            a .cut href=(visit.link(&format!("/webhooks/{}", webhook.id))) {
                                bdi { (webhook.name.as_deref().unwrap_or(&webhook.url)) }
                            }
                            @if webhook.status != "active" { " " span .faint.small { (webhook.status) } }
                        }
                    }
                }
            }
        }
    }
}

pub(crate) async fn archive(visit: Visit, Path((_, name)): Path<(String, String)>, form: Form) -> Shown {
    let (now, tag): (EventTypeBody, _) = visit.need_tagged(&place(&name)).await?;
    let archived = form.text("archived") == "true";
    let request = EventTypeRequest {
        name: None,
        group: now.group,
        description: now.description,
        example: now.example,
        schema: now.schema,
        archived,
    };
    let ask = Ask {
        if_match: Some(tag),
        ..Ask::new(Method::PUT, place(&name)).with_body(serde_json::to_vec(&request).expect("requests are JSON"))
    };
    match refusal(&change_one(&visit, ask).await) {
        None => visit.go(&address(&visit, &name), if archived { "type-archived" } else { "type-in-use" }),
        Some(problem) => Err(visit.stop(&problem)),
    }
}

pub(crate) async fn retire(visit: Visit, Path((_, name, version)): Path<(String, String, String)>) -> Shown {
    let ask = Ask::new(Method::POST, format!("{}/versions/{}/retire", place(&name), part(&version)));
    match refusal(&change_one(&visit, ask).await) {
        None => visit.go(&address(&visit, &name), "version-retired"),
        Some(problem) => Err(visit.stop(&problem)),
    }
}

pub(crate) async fn delete_question(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    let event_type: EventTypeBody = visit.need(&place(&name)).await?;
    let listening = webhooks(&visit).await.map(|all| listeners(&name, &all).count()).unwrap_or_default();
    let title = format!("Delete “{name}”?");
    let text = html! {
        p {
            "This is permanent: its description, its example and "
            @match event_type.versions.len() {
                0 => "whatever else the catalogue says of it",
                1 => "its schema",
                versions => { (versions) " versions of its schema" }
            }
            " are deleted, and new events of this type are refused."
        }
        @if listening > 0 {
            p { (number(listening as i128)) " webhooks listen to it; they stay, and get no more of it." }
        }
        p { "Events of the past stay as they are. Would it be enough to archive it? Then it can be taken back." }
    };
    let (action, back) = (format!("{}/delete", address(&visit, &name)), address(&visit, &name));
    let ask = Confirm {
        title: &title,
        text,
        action: &action,
        verb: "Delete event type",
        keep: "Keep it",
        back: &back,
        fields: html! {},
        danger: true,
    };
    let head = Head { title: &title, nav: Some(Nav::EventTypes), crumbs: &[(&name, back.clone())], ..Head::default() };
    visit.page(&head, confirm(&visit, &ask))
}

pub(crate) async fn delete(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    match refusal(&change_one(&visit, Ask::new(Method::DELETE, place(&name))).await) {
        None => visit.go(&visit.link("/event-types"), "type-deleted"),
        Some(problem) => Err(visit.stop(&problem)),
    }
}
