//! `/projects/new`: a project, empty or filled by a preset.

use http::Method;
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    list::ListBody,
    preset::PresetSummary,
    problem::Problem,
    tenancy::{CreateProject, OrganizationBody, ProjectBody},
};
use tidings_domain::{ids::OrganizationId, tenancy::Scope};

use crate::{
    ask::{Shown, Stop, refusal, unread},
    form::Form,
    parts::{Fields, command_line, hidden, summary, who_may},
    session,
    shell::{self, Head, csrf},
    visit::Visit,
};

fn may_in(visit: &Visit, id: OrganizationId) -> bool {
    visit.session.acting_in(id).is_some_and(|acting| acting.scopes.allow(Scope::Admin))
}

/// The organization that was chosen, whether or not it is among those that are listed.
fn chosen(visit: &Visit, id: &str) -> Option<OrganizationId> {
    id.parse().ok().filter(|id| may_in(visit, *id))
}

/// Where the visitor may make projects.
async fn organizations(visit: &Visit) -> Result<Vec<OrganizationBody>, Stop> {
    let all = session::organizations(visit).await?;
    let mine: Vec<_> = all.into_iter().filter(|organization| may_in(visit, organization.id)).collect();
    if mine.is_empty() {
        let text = format!("{}. Ask one for a project.", who_may(visit, Scope::Admin));
        let page = shell::wrong_page(visit, "Your role does not allow this", &text);
        return Err(Stop::with((http::StatusCode::FORBIDDEN, page)));
    }
    Ok(mine)
}

pub(crate) async fn show(visit: Visit) -> Shown {
    let query = visit.query();
    let here = visit.organization.as_ref().map(|organization| organization.id.to_string()).unwrap_or_default();
    let values: Form = [
        ("organization".to_owned(), query.given("organization").unwrap_or(&here).to_owned()),
        ("preset".to_owned(), query.text("preset").to_owned()),
    ]
    .into_iter()
    .collect();
    draw(&visit, &values, None).await
}

pub(crate) async fn create(visit: Visit, form: Form) -> Shown {
    let Some(organization) = chosen(&visit, form.text("organization")) else {
        let wrong =
            unread(vec![("organization", "is not one in which you may make projects: choose another".to_owned())]);
        return draw(&visit, &form, Some(&wrong)).await;
    };
    let request = CreateProject { name: form.text("name").to_owned(), preset: form.given("preset").map(str::to_owned) };
    let ask = Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..Ask::new(Method::POST, "/projects").with_body(serde_json::to_vec(&request).expect("requests are JSON"))
    };
    let answer = visit.within(organization).call(ask).await;
    if let Some(problem) = refusal(&answer) {
        return draw(&visit, &form, Some(&problem)).await;
    }
    let made: ProjectBody = serde_json::from_slice(&answer.body).expect("the API answers as the contract says");
    visit.go(&format!("/p/{}", made.id), "project-made")
}

async fn draw(visit: &Visit, values: &Form, problem: Option<&Problem>) -> Shown {
    let mut mine = organizations(visit).await?;
    if let Some(id) = chosen(visit, values.text("organization")).filter(|id| mine.iter().all(|one| one.id != *id)) {
        // Older than those that are listed; the form must not choose another in its place.
        mine.extend(visit.within(id).get::<OrganizationBody>(&format!("/organizations/{id}")).await);
    }
    let presets: ListBody<PresetSummary> = visit.need("/presets").await?;
    let named: Vec<_> = mine.iter().map(|one| (one.id.to_string(), one.name.as_str())).collect();
    let choices: Vec<_> = named.iter().map(|(id, name)| (id.as_str(), *name)).collect();
    let fields = Fields { values, problem };
    let body = html! {
        (summary(problem))
        form .panel method="post" action="/projects/new" data-form {
            (csrf(visit))
            (hidden("idempotency_key", &visit.fresh_key(values)))
            section .form-section {
                header {
                    h2 { "Project" }
                    p { "The border that nothing crosses: one for production, another for trying things out." }
                }
                div {
                    (fields.line("text", "name", "Name", ""))
                    @match choices.as_slice() {
                        [(id, name)] => { (hidden("organization", id)) p .quiet { "In the organization " bdi { (name) } "." } }
                        choices => (fields.choice(
                            "organization",
                            "Organization",
                            "Whose it is cannot be changed later.",
                            choices,
                        )),
                    }
                }
            }
            section .form-section {
                header { h2 { "What it knows" } p { "A preset fills it; everything can be changed afterwards." } }
                div {
                    (fields.cards("preset", "Preset", &cards(&presets.data)))
                    @for preset in &presets.data { (brings(preset)) }
                }
            }
            div .form-foot {
                button .button.primary { "Create project" }
                a .button.plain href="/projects" { "Cancel" }
            }
        }
        (command_line("The same by CLI", "tidings project create production --preset subscribeflow"))
    };
    let crumbs = [("Projects", "/projects".to_owned())];
    let head = Head { title: "Create project", crumbs: &crumbs, ..Head::default() };
    visit.form_page(&head, body, problem)
}

fn cards(presets: &[PresetSummary]) -> Vec<(String, String, String)> {
    let none = (String::new(), "Nothing".to_owned(), "Empty, with the profile standard.".to_owned());
    let card = |preset: &PresetSummary| (preset.name.clone(), preset.title.clone(), preset.description.clone());
    std::iter::once(none).chain(presets.iter().map(card)).collect()
}

/// What a preset brings, in full.
fn brings(preset: &PresetSummary) -> Markup {
    let (types, sources) = (preset.event_types.len(), preset.sources.len());
    html! {
        details .brings {
            summary { (preset.title) " brings " (types) " event types"
                @if sources > 0 { ", " (sources) @if sources == 1 { " source" } @else { " sources" } }
                " and the profile " (preset.profile) }
            div .types { @for name in &preset.event_types { (crate::parts::type_chip(name)) } }
            @if sources > 0 {
                p .hint {
                    "Sources: " (preset.sources.join(", ")) ". They take nothing in until they are given their secrets."
                }
            }
            @if !preset.plans.is_empty() { p .hint { "Plans it knows: " (preset.plans.join(", ")) "." } }
        }
    }
}
