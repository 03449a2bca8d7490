//! The ways between projects, and what every page can change: the theme.

use axum::response::{IntoResponse as _, Redirect};
use http::header;
use maud::html;
use tidings_contract::{list::ListBody, tenancy::ProjectBody};

use crate::{
    ask::{Shown, Stop},
    form::Form,
    parts::number,
    session::{self, ORGANIZATIONS_MAX},
    shell::Head,
    visit::{THEME_COOKIE, Visit},
};

/// `GET /`: to the project seen last.
pub(crate) async fn root(visit: Visit) -> Shown {
    match visit.project {
        Some(_) => Ok(Redirect::to(&visit.link("")).into_response()),
        None => Ok(Redirect::to("/projects").into_response()),
    }
}

/// `GET /projects`: all that the visitor may look at.
pub(crate) async fn projects(visit: Visit) -> Shown {
    let groups = visit.projects().await?;
    let body = html! {
        @for (organization, projects) in &groups {
            section .panel {
                header .panel-head { h2 { bdi { (organization.name) } } p { "plan " (organization.plan) } }
                ul .plain-list {
                    @for project in projects {
                        li { a .strong href={ "/p/" (project.id) } { bdi { (project.name) } } " " span .mono.faint { (project.id) } }
                    }
                }
            }
        }
        @if groups.len() >= ORGANIZATIONS_MAX {
            p .quiet { "These are of the newest " (number(ORGANIZATIONS_MAX as i128)) " organizations. Older ones are in the operator's list." }
        }
        @if groups.is_empty() {
            section .panel { p .panel-body { "You are a member of no organization. Ask whoever invited you." } }
        }
    };
    let actions = html! { a .button.primary href="/projects/new" { (crate::parts::icon("plus")) "Create project" } };
    visit.page(&Head { title: "Projects", actions: Some(actions), ..Head::default() }, body)
}

/// `GET /more`: on a phone, what does not fit into the bar.
pub(crate) async fn more(visit: Visit) -> Shown {
    let in_project = [
        ("Sources", visit.link("/sources")),
        ("Commands", visit.link("/commands")),
        ("Event types", visit.link("/event-types")),
        ("Settings", visit.link("/settings")),
    ];
    let beside = [("Projects", "/projects".to_owned()), ("Your account", "/settings/account".to_owned())];
    let body = html! {
        nav .panel aria-label="Places" {
            ul .plain-list {
                // Without a project there is nothing that its places could show.
                @for (words, address) in in_project.iter().filter(|_| visit.project.is_some()).chain(&beside) {
                    li { a href=(address) { (words) } }
                }
                @if visit.is_operator() { li { a href="/operator/organizations" { "Operator" } } }
            }
        }
    };
    visit.page(&Head { title: "More", ..Head::default() }, body)
}

/// `POST /theme`
pub(crate) async fn theme(visit: Visit, form: Form) -> Shown {
    let theme = match form.text("theme") {
        theme @ ("light" | "dark") => theme,
        _ => "system",
    };
    let mut response = Redirect::to(own_path(form.text("next"))).into_response();
    if let Some(value) = session::lasting_cookie(&visit.dashboard, THEME_COOKIE, theme) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// A place on this server, or the first page: a form must not lead elsewhere.
pub(crate) fn own_path(next: &str) -> &str {
    let is_own = next.starts_with('/')
        && !next[1..].starts_with(['/', '\\'])
        && !next.chars().any(|character| character.is_control() || character == '\\');
    if is_own { next } else { "/" }
}

impl Visit {
    /// The visitor's organizations with their projects, of each as many as one page of the API holds.
    pub(crate) async fn projects(
        &self,
    ) -> Result<Vec<(tidings_contract::tenancy::OrganizationBody, Vec<ProjectBody>)>, Stop> {
        let mut groups = Vec::new();
        for organization in session::organizations(self).await? {
            let listed = self.within(organization.id).get::<ListBody<ProjectBody>>("/projects?limit=100").await;
            groups.push((organization, listed.map(|list| list.data).map_err(|problem| self.stop(&problem))?));
        }
        Ok(groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_nowhere_else() {
        for own in ["/", "/p/prj_1/webhooks?status=failing", "/settings#x"] {
            assert_eq!(own_path(own), own);
        }
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a\\b",
            "/\t/evil.example",
            "javascript:alert(1)",
        ] {
            assert_eq!(own_path(foreign), "/", "{foreign:?}");
        }
    }
}
