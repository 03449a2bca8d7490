//! `/p/{project}/settings`: what the project is called, its ids, and its end.

use http::Method;
use maud::{Markup, html};
use serde::de::DeserializeOwned;
use tidings_contract::{
    command::CommandBody,
    event::EventBody,
    list::ListBody,
    problem::Problem,
    source::SourceBody,
    tenancy::{ProjectBody, UpdateProject},
    webhook::WebhookBody,
};
use tidings_domain::tenancy::Scope;

use super::{Tab, tabs};
use crate::{
    ask::{Shown, Stop},
    form::Form,
    pages::meanwhile::{ETAG, Meanwhile, SAVE_MINE, meanwhile},
    parts::{Confirm, Fields, ago, button_link, confirm, copy_id, hidden, submit, summary, total_words, type_chip},
    shell::{self, Head, Nav, csrf},
    visit::Visit,
};

fn project(visit: &Visit) -> Result<&ProjectBody, Stop> {
    let missing = || Stop::with(shell::wrong_page(visit, "No project", "Choose a project first."));
    visit.project.as_ref().ok_or_else(missing)
}

/// Whether it is the one that cannot be deleted by itself.
fn is_default(visit: &Visit, project: &ProjectBody) -> bool {
    visit.organization.as_ref().is_some_and(|organization| organization.default_project_id == project.id)
}

pub(crate) async fn show(visit: Visit) -> Shown {
    let (now, etag): (ProjectBody, _) = visit.need_tagged(&place(project(&visit)?)).await?;
    let values = [("name", now.name), (ETAG, etag)].map(|(name, value)| (name.to_owned(), value));
    draw(&visit, &values.into_iter().collect(), None)
}

pub(crate) async fn rename(visit: Visit, form: Form) -> Shown {
    let place = place(project(&visit)?);
    let request = UpdateProject { name: form.text("name").to_owned() };
    match visit.change(Method::PATCH, &place, form.given(ETAG), &request).await {
        Ok(()) => visit.go(&visit.link("/settings"), "project-saved"),
        Err(problem) if problem.status == 412 => overtaken(&visit, &form).await,
        Err(problem) => draw(&visit, &form, Some(&problem)),
    }
}

fn place(project: &ProjectBody) -> String {
    format!("/projects/{}", project.id)
}

async fn overtaken(visit: &Visit, form: &Form) -> Shown {
    let (theirs, etag): (ProjectBody, _) = visit.need_tagged(&place(project(visit)?)).await?;
    let rows = [("Name", form.text("name").to_owned(), theirs.name)];
    let here = visit.link("/settings");
    let body = meanwhile(
        visit,
        &Meanwhile {
            what: "project",
            rows: &rows,
            form,
            asked_again: &[],
            fields: html! {},
            etag: &etag,
            action: &here,
            back: &here,
            save: submit(visit, Scope::Admin, "primary", SAVE_MINE),
        },
    );
    visit.overtaken(&Head { title: "Settings", nav: Some(Nav::Settings), ..Head::default() }, body)
}

fn draw(visit: &Visit, values: &Form, problem: Option<&Problem>) -> Shown {
    let project = project(visit)?;
    let fields = Fields { values, problem };
    let body = html! {
        (tabs(visit, Tab::Project))
        (summary(problem))
        form .panel method="post" action=(visit.link("/settings")) data-form {
            (csrf(visit))
            (hidden(ETAG, values.raw(ETAG)))
            section .form-section {
                header {
                    h2 { "Project" }
                    p { "Nothing crosses its border: webhooks, events, sources and commands are its own." }
                }
                div {
                    (fields.line("text", "name", "Name", "Commands see it as the bot's name."))
                    (facts(visit, project))
                }
            }
            div .form-foot { (submit(visit, Scope::Admin, "primary", "Save project")) }
        }
        (hook_keys(visit))
        (ending(visit, project))
    };
    let head = Head { title: "Settings", nav: Some(Nav::Settings), ..Head::default() };
    visit.form_page(&head, body, problem)
}

fn facts(visit: &Visit, project: &ProjectBody) -> Markup {
    let organization = visit.organization.as_ref();
    html! {
        dl .facts {
            dt { "Project" } dd { (copy_id(&project.id.to_string())) }
            dt { "Organization" }
            dd {
                @if let Some(organization) = organization { bdi { (organization.name) } " " }
                (copy_id(&project.organization_id.to_string()))
            }
            dt { "New webhooks" } dd { "Profile " (type_chip(&project.profile)) }
            dt { "Preset" } dd { bdi { (project.preset.as_deref().unwrap_or("None")) } }
            dt { "Made" } dd { (ago(visit, project.created_at)) }
            dt { "In the API" } dd { "Send " code { "X-Project-Id: " (project.id) } " with a key of the organization." }
        }
    }
}

fn hook_keys(visit: &Visit) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Hook keys" } p { "sign the URLs that run commands" } }
            div .panel-body.stack.tight {
                p .quiet {
                    "Rotating them takes back every hook URL that was made so far, at once or after a time that you \
                    choose."
                }
                div .actions {
                    (button_link(
                        visit,
                        Scope::CommandsManage,
                        "",
                        &visit.link("/rotate-hook-key"),
                        "key",
                        "Rotate hook keys…",
                    ))
                    a .button.plain href=(visit.link("/command-settings")) { "Limits of hook URLs" }
                }
            }
        }
    }
}

fn ending(visit: &Visit, project: &ProjectBody) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Delete this project" } }
            div .panel-body.stack.tight {
                @if is_default(visit, project) {
                    p .quiet { "It is the organization's default project, which requests without a project mean. It \
                    goes only with \
                        the organization; the operator may delete that." }
                    p {
                        button .button type="button" disabled title="The default project goes only with its \
                        organization" {
                            "Delete project"
                        }
                    }
                } @else {
                    p .quiet { "For good, with its webhooks, events, sources, commands and everything that waits." }
                    p {
                        (button_link(
                            visit,
                            Scope::Admin,
                            "",
                            &visit.link("/settings/delete"),
                            "trash",
                            "Delete project…",
                        ))
                    }
                }
            }
        }
    }
}

/// How many there are of something, in words.
async fn count<T: DeserializeOwned>(visit: &Visit, path: &str, what: &str) -> Option<String> {
    let list: ListBody<T> = visit.get(path).await.ok()?;
    let total = list.total.or(list.total_at_least).unwrap_or(list.data.len() as u64);
    let plural = if total == 1 { "" } else { "s" };
    (total > 0).then(|| format!("{} {what}{plural}", total_words(list.total, list.total_at_least)))
}

pub(crate) async fn delete_question(visit: Visit) -> Shown {
    let project = project(&visit)?;
    if is_default(&visit, project) {
        let text = "An organization's default project goes only with the organization. The operator may delete that.";
        return Err(Stop::with(shell::wrong_page(&visit, "This project stays", text)));
    }
    let title = format!("Delete the project “{}”?", project.name);
    let lost: Vec<String> = [
        count::<WebhookBody>(&visit, "/webhooks?limit=1", "webhook").await,
        count::<SourceBody>(&visit, "/sources?limit=1", "source").await,
        count::<CommandBody>(&visit, "/commands?limit=1", "command").await,
        count::<EventBody>(&visit, "/events?limit=1", "event").await,
    ]
    .into_iter()
    .flatten()
    .collect();
    let text = html! {
        p {
            "This is permanent. " @if lost.is_empty() {
                "It is empty."
            } @else {
                "It holds " (lost.join(", ")) "; all of it is deleted."
            }
        }
        p { "What waits to be delivered is cancelled, addresses of its sources and hook URLs are refused, and keys \
        that are \
             bound to it do nothing any more." }
        p { "Type its name to go on." }
    };
    ask(&visit, &title, text, &Form::default(), None)
}

fn ask(visit: &Visit, title: &str, text: Markup, values: &Form, problem: Option<&Problem>) -> Shown {
    let back = visit.link("/settings");
    let fields = Fields { values, problem };
    let ask = Confirm {
        title,
        text,
        action: &visit.link("/settings/delete"),
        verb: "Delete project",
        keep: "Keep it",
        back: &back,
        fields: html! { (fields.line("text", "confirm", "Name of the project", "")) },
        danger: true,
    };
    let crumbs = [("Settings", back.clone())];
    let head = Head { title, nav: Some(Nav::Settings), crumbs: &crumbs, ..Head::default() };
    let body = html! { (summary(problem)) (confirm(visit, &ask)) };
    visit.form_page(&head, body, problem)
}

pub(crate) async fn delete(visit: Visit, form: Form) -> Shown {
    let project = project(&visit)?;
    if form.text("confirm") != project.name.trim() {
        let title = format!("Delete the project “{}”?", project.name);
        let wrong = crate::ask::unread(vec![("confirm", format!("is not the project's name, “{}”", project.name))]);
        let text = html! { p { "Nothing was deleted. Type its name to go on." } };
        return ask(&visit, &title, text, &form, Some(&wrong));
    }
    match visit.act(Method::DELETE, &format!("/projects/{}", project.id)).await {
        Ok(()) => visit.go("/projects", "project-deleted"),
        Err(problem) => Err(visit.stop(&problem)),
    }
}
