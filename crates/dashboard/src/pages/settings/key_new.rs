//! `/settings/keys/new`: an API key is made, and shown once.

use http::Method;
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    problem::Problem,
    tenancy::{ApiKeyBody, CreateApiKey},
};
use tidings_domain::{tenancy::Scope, time::Timestamp};

use super::{
    Tab, admins_only,
    keys::{projects, scope_words},
};
use crate::{
    ask::{Shown, unread},
    form::Form,
    parts::{Fields, hidden, icon, once_or, submit, summary, typed_time},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

const KEY: &str = "idempotency_key";

pub(crate) async fn new(visit: Visit) -> Shown {
    admins_only(&visit, Tab::Keys, "its API keys")?;
    let mut values: Vec<_> = visit.query().fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    values.push(("scopes".to_owned(), Scope::EventsWrite.as_str().to_owned()));
    draw(&visit, &values.into_iter().collect(), None).await
}

fn read(visit: &Visit, form: &Form) -> Result<CreateApiKey, Box<Problem>> {
    let mut wrong = Vec::new();
    let expires_at: Option<Timestamp> = match form.given("expires_at").map(|text| typed_time(visit, text)).transpose() {
        Ok(at) => at,
        Err(reason) => {
            wrong.push(("expires_at", reason));
            None
        }
    };
    let scopes: Vec<Scope> = form.all("scopes").filter_map(|text| text.parse().ok()).collect();
    if scopes.is_empty() {
        wrong.push(("scopes", "is empty: tick at least one; a key that may do nothing is of no use".to_owned()));
    }
    if !wrong.is_empty() {
        return Err(Box::new(unread(wrong)));
    }
    let operator = form.has("operator");
    Ok(CreateApiKey {
        name: form.text("name").to_owned(),
        scopes: Some(scopes),
        project_id: form.given("project_id").map(str::to_owned),
        expires_at,
        operator,
    })
}

pub(crate) async fn create(visit: Visit, form: Form) -> Shown {
    let request = match read(&visit, &form) {
        Ok(request) => request,
        Err(problem) => return draw(&visit, &form, Some(&problem)).await,
    };
    let ask = Ask {
        idempotency_key: form.given(KEY).map(str::to_owned),
        ..Ask::new(Method::POST, "/api-keys").with_body(serde_json::to_vec(&request).expect("requests are JSON"))
    };
    match visit.ask::<ApiKeyBody>(ask).await {
        Ok(key) => {
            let next = if key.organization_id.is_none() { "/settings/keys?of=operator" } else { "/settings/keys" };
            let body = once_or(
                "The key",
                key.key.as_deref().unwrap_or_default(),
                next,
                "Lost it later? Create another, and revoke this one.",
            );
            let crumbs = [("API keys", "/settings/keys".to_owned())];
            let lead = html! { "Of “" bdi { (key.name) } "”. Send it as " code { "X-API-Key" } "." };
            let head = Head {
                title: "The API key",
                nav: Some(Nav::Settings),
                crumbs: &crumbs,
                lead: Some(lead),
                ..Head::default()
            };
            visit.page(&head, body)
        }
        Err(problem) => draw(&visit, &form, Some(&problem)).await,
    }
}

async fn draw(visit: &Visit, values: &Form, problem: Option<&Problem>) -> Shown {
    let fields = Fields { values, problem };
    let projects = projects(visit).await;
    let ids: Vec<_> = projects.iter().map(|project| (project.id.to_string(), project.name.as_str())).collect();
    let mut choices = vec![("", "All projects of the organization")];
    choices.extend(ids.iter().map(|(id, name)| (id.as_str(), *name)));
    let zone = visit.zone.iana_name().unwrap_or("UTC");
    let hint = format!("In the zone {zone}. Empty: until it is revoked.");
    let body = html! {
        (summary(problem))
        form .panel method="post" action="/settings/keys/new" data-form {
            (csrf(visit))
            (hidden(KEY, &visit.fresh_key(values)))
            section .form-section {
                header {
                    h2 { "What it is for" } p { "So that whoever reads the list knows what stops when it is revoked." }
                }
                div {
                    (fields.line("text", "name", "Name", "Such as the program that uses it."))
                    (fields.choice(
                        "project_id",
                        "Reaches",
                        "A key of one project sees nothing of the others.",
                        &choices,
                    ))
                    (fields.line("datetime-local", "expires_at", "Good until (optional)", &hint))
                    @if visit.is_operator() {
                        (fields.tick(
                            "operator",
                            "true",
                            "A key of the operator",
                            "For every organization and the instance: keep it on servers of your own.",
                        ))
                    }
                }
            }
            section .form-section {
                header { h2 { "What it may do" } p { "Not more than you may." } }
                div { (scopes(visit, &fields)) }
            }
            div .form-foot {
                (submit(visit, Scope::Admin, "primary", "Create API key"))
                a .button.plain href="/settings/keys" { "Cancel" }
            }
        }
    };
    let crumbs = [("API keys", "/settings/keys".to_owned())];
    let head = Head { title: "Create API key", nav: Some(Nav::Settings), crumbs: &crumbs, ..Head::default() };
    visit.form_page(&head, body, problem)
}

fn scopes(visit: &Visit, fields: &Fields<'_>) -> Markup {
    let wrong = fields.wrong("scopes");
    html! {
        fieldset #f-scopes .field tabindex="-1" aria-describedby=[wrong.is_some().then_some("f-scopes-wrong")] {
            legend .label { "Scopes" }
            div .stack.tight {
                @for scope in Scope::ALL.into_iter().filter(|&scope| visit.may(scope)) {
                    (fields.tick("scopes", scope.as_str(), scope.as_str(), scope_words(scope)))
                }
            }
            @if let Some(wrong) = wrong { p #f-scopes-wrong .wrong-text { (icon("alert")) span { (wrong) } } }
        }
    }
}
