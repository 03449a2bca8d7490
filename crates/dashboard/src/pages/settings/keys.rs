//! `/settings/keys`: API keys of the organization, and for the operator those of the instance.

use axum::extract::Path;
use http::{Method, StatusCode};
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    list::ListBody,
    problem::Problem,
    tenancy::{ApiKeyBody, CreateApiKey, ProjectBody},
};
use tidings_domain::{tenancy::Scope, time::Timestamp};

use super::{Tab, admins_only, organization, tabs};
use crate::{
    ask::{Shown, Stop, part, unread, with_query},
    form::Form,
    parts::{
        Confirm, Fields, ago, badge, button_link, command_line, confirm, copy_id, hidden, icon, once_or, pager,
        segments, submit, summary, table_head, total_words, typed_time, until,
    },
    shell::{Head, Nav, csrf, wrong_page},
    visit::Visit,
};

const KEY: &str = "idempotency_key";

/// What a scope allows, for people.
pub(super) const fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::EventsWrite => "Publish events.",
        Scope::WebhooksManage => "Create, change, test and delete webhooks, and send deliveries again.",
        Scope::DeliveriesRead => "Read events, deliveries and attempts.",
        Scope::SourcesManage => "Manage sources and read receipts.",
        Scope::CommandsManage => "Manage and run commands.",
        Scope::Admin => "Everything inside the organization.",
        Scope::Read => "Read everything but secrets and what is an administrator's.",
    }
}

pub(crate) async fn list(visit: Visit) -> Shown {
    admins_only(&visit, Tab::Keys, "its API keys")?;
    let organization = organization(&visit)?;
    let query = visit.query();
    let operators = visit.is_operator() && query.text("of") == "operator";
    let cursor = query.text("cursor");
    let parameters = [("operator", if operators { "true" } else { "" }), ("cursor", cursor)];
    let keys: ListBody<ApiKeyBody> = visit.need(&with_query("/api-keys?limit=50", &parameters)).await?;
    let projects = projects(&visit).await;
    let views = [
        (organization.name.as_str(), "/settings/keys".to_owned(), !operators, None),
        ("Operator", "/settings/keys?of=operator".to_owned(), operators, None),
    ];
    let total = total_words(keys.total, keys.total_at_least);
    let body = html! {
        (tabs(&visit, Tab::Keys))
        section .panel {
            @if visit.is_operator() { div .filters { (segments("Whose keys", &views)) } }
            @if keys.data.is_empty() { (empty(&visit)) } @else {
                (table(&visit, &keys.data, &projects))
                (pager(&visit, &total, keys.data.len(), keys.cursor.as_deref(), cursor.is_empty()))
            }
        }
    };
    let lead = html! { "Programs use them in the place of a sign-in. A key is shown once; its hash is kept." };
    let actions = button_link(&visit, Scope::Admin, "primary", "/settings/keys/new", "plus", "Create API key");
    let head = Head {
        title: "API keys",
        nav: Some(Nav::Settings),
        lead: Some(lead),
        actions: Some(actions),
        ..Head::default()
    };
    visit.page(&head, body)
}

async fn projects(visit: &Visit) -> Vec<ProjectBody> {
    let Some(organization) = &visit.organization else { return Vec::new() };
    let listed = visit.within(organization.id).get::<ListBody<ProjectBody>>("/projects?limit=100").await;
    listed.map(|list| list.data).unwrap_or_default()
}

fn empty(visit: &Visit) -> Markup {
    html! {
        div .panel-body.stack.tight {
            p { "No keys. A program that publishes events needs one with the scope " code { "events:write" } "." }
            p { (button_link(visit, Scope::Admin, "", "/settings/keys/new", "plus", "Create API key")) }
            (command_line("The same by CLI", "tidings key create 'checkout service' --scope events:write"))
        }
    }
}

fn table(visit: &Visit, keys: &[ApiKeyBody], projects: &[ProjectBody]) -> Markup {
    html! {
        table .list role="table" aria-label="API keys" {
            (table_head(&[("Name", ""), ("May", ""), ("Reaches", ""), ("State", ""), ("Made", ""), ("", "")]))
            tbody role="rowgroup" { @for key in keys { (row(visit, key, projects)) } }
        }
    }
}

fn row(visit: &Visit, key: &ApiKeyBody, projects: &[ProjectBody]) -> Markup {
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    html! {
        tr role="row" {
            td role="cell" .on-1 { span .strong { bdi { (key.name) } } span .sub.mono { (key.prefix) "…" } }
            td role="cell" .quiet { @if scopes.is_empty() { "Nothing" } @else { (scopes.join(", ")) } }
            td role="cell" .quiet.half { (reach(key, projects)) }
            td role="cell" .on-2 { (state(visit, key)) }
            td role="cell" .quiet.half { (ago(visit, key.created_at)) }
            td role="cell" .right.half-2 {
                @if key.revoked_at.is_none() {
                    a .button.small href={ "/settings/keys/" (key.id) "/revoke" } data-dialog
                        aria-label={ "Revoke " (key.name) "…" } { "Revoke…" }
                }
            }
        }
    }
}

fn reach(key: &ApiKeyBody, projects: &[ProjectBody]) -> Markup {
    html! {
        @match (key.organization_id, key.project_id) {
            (None, _) => "Every organization",
            (Some(_), None) => "All projects",
            (Some(_), Some(id)) => @match projects.iter().find(|project| project.id == id) {
                Some(project) => bdi { (project.name) },
                None => (copy_id(&id.to_string())),
            },
        }
    }
}

fn state(visit: &Visit, key: &ApiKeyBody) -> Markup {
    let expired = key.expires_at.is_some_and(|at| at <= visit.now);
    html! {
        @match (key.revoked_at, key.expires_at) {
            (Some(_), _) => (badge("cancelled", "minus", "Revoked")),
            (None, Some(_)) if expired => (badge("cancelled", "clock", "Expired")),
            (None, expires_at) => {
                (badge("delivered", "check", "Good"))
                @if let Some(at) = expires_at { span .sub { "expires " (until(visit, at)) } }
            }
        }
    }
}

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
    if problem.is_some() { visit.refused(&head, body) } else { visit.page(&head, body) }
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

pub(crate) async fn revoke_question(visit: Visit, Path(id): Path<String>) -> Shown {
    let key = find(&visit, &id).await?;
    let title = format!("Revoke “{}”?", key.name);
    let text = html! {
        p { "This is permanent: whatever uses the key is refused from now on, with 401 api_key_revoked." }
        p { "Is it still in use? Create another, give it to the program, and revoke this one then." }
    };
    let action = format!("/settings/keys/{}/revoke", part(&id));
    let ask = Confirm {
        title: &title,
        text,
        action: &action,
        verb: "Revoke API key",
        keep: "Keep it",
        back: "/settings/keys",
        fields: html! {},
        danger: true,
    };
    let crumbs = [("API keys", "/settings/keys".to_owned())];
    let head = Head { title: &title, nav: Some(Nav::Settings), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, confirm(&visit, &ask))
}

/// The key with this id.
async fn find(visit: &Visit, id: &str) -> Result<ApiKeyBody, Stop> {
    let places = ["/api-keys?limit=100", "/api-keys?limit=100&operator=true"];
    for place in &places[..if visit.is_operator() { 2 } else { 1 }] {
        let mut cursor = Some(String::new());
        while let Some(from) = cursor {
            let page: ListBody<ApiKeyBody> = visit.need(&with_query(place, &[("cursor", &from)])).await?;
            if let Some(key) = page.data.into_iter().find(|key| key.id.to_string() == id) {
                return Ok(key);
            }
            cursor = page.cursor;
        }
    }
    let text = "There is no such key: somebody may have revoked it meanwhile.";
    Err(Stop::with((StatusCode::NOT_FOUND, wrong_page(visit, "Not found", text))))
}

pub(crate) async fn revoke(visit: Visit, Path(id): Path<String>) -> Shown {
    match visit.act(Method::DELETE, &format!("/api-keys/{}", part(&id))).await {
        Ok(()) => visit.go("/settings/keys", "key-revoked"),
        Err(problem) => Err(visit.stop(&problem)),
    }
}
