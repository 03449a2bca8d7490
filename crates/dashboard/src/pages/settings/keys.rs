//! `/settings/keys`: API keys of the organization, and for the operator those of the instance.

use axum::extract::Path;
use http::{Method, StatusCode};
use maud::{Markup, html};
use tidings_contract::{
    list::ListBody,
    tenancy::{ApiKeyBody, ProjectBody},
};
use tidings_domain::tenancy::Scope;

use super::{Tab, admins_only, organization, tabs};
use crate::{
    ask::{Shown, Stop, part, with_query},
    parts::{
        Confirm, ago, badge, button_link, command_line, confirm, copy_id, pager, segments, table_head, total_words,
        until,
    },
    shell::{Head, Nav, wrong_page},
    visit::Visit,
};

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

pub(super) async fn projects(visit: &Visit) -> Vec<ProjectBody> {
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
