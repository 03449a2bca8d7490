//! Settings: of the project, and of the organization around it.

mod audit;
mod key_new;
mod keys;
mod plan;
mod project;
mod signing;

pub(crate) use audit::show as audit_log;
pub(crate) use key_new::{create as create_key, new as new_key};
pub(crate) use keys::{list as keys, revoke as revoke_key, revoke_question};
pub(crate) use plan::{
    SCHEMA_MODES, billing_badge, billing_facts, organization_rows, organization_values, plans_table, save_organization,
    show as plan, usage_panel,
};
pub(crate) use project::{
    delete as delete_project, delete_question as delete_project_question, rename, show as project,
};
pub(crate) use signing::{key_words, sandbox, show as signing, signed_words, ways_of};

use axum::response::{IntoResponse as _, Redirect};
use http::StatusCode;
use maud::{Markup, html};
use tidings_contract::tenancy::OrganizationBody;
use tidings_domain::tenancy::Scope;

use crate::{
    ask::{Shown, Stop},
    shell::{self, Head, Nav},
    visit::Visit,
};

/// A place within the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Project,
    Members,
    Keys,
    Plan,
    Audit,
    Signing,
    Account,
}

impl Tab {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Project, "Project"),
        (Self::Members, "Members"),
        (Self::Keys, "API keys"),
        (Self::Plan, "Plan and usage"),
        (Self::Audit, "Audit log"),
        (Self::Signing, "Signing"),
        (Self::Account, "Your account"),
    ];

    fn link(self, visit: &Visit) -> String {
        match self {
            Self::Project => visit.link("/settings"),
            Self::Members => "/settings/members".to_owned(),
            Self::Keys => "/settings/keys".to_owned(),
            Self::Plan => "/settings/plan".to_owned(),
            Self::Audit => "/settings/audit".to_owned(),
            Self::Signing => visit.link("/settings/signing"),
            Self::Account => "/settings/account".to_owned(),
        }
    }

    fn words(self) -> &'static str {
        Self::ALL.into_iter().find(|(tab, _)| *tab == self).map_or("Settings", |(_, words)| words)
    }

    /// Whether it is there without a project.
    const fn is_beside(self) -> bool {
        !matches!(self, Self::Project | Self::Signing)
    }
}

/// The row of tabs that every page of the settings begins with.
pub(crate) fn tabs(visit: &Visit, current: Tab) -> Markup {
    html! {
        nav .tabs.places aria-label="Settings" {
            @for (tab, words) in Tab::ALL.into_iter().filter(|(tab, _)| tab.is_beside() || visit.project.is_some()) {
                a href=(tab.link(visit)) aria-current=[(tab == current).then_some("page")] { (words) }
            }
        }
    }
}

/// `GET /settings`: those of the project, where there is one.
pub(crate) async fn root(visit: Visit) -> Shown {
    let place = if visit.project.is_some() { visit.link("/settings") } else { "/settings/account".to_owned() };
    Ok(Redirect::to(&place).into_response())
}

/// What an admin alone may look at: whoever is none is told so, in the place where it would be.
pub(super) fn admins_only(visit: &Visit, tab: Tab, what: &str) -> Result<(), Stop> {
    if visit.may(Scope::Admin) {
        return Ok(());
    }
    let body = html! {
        (tabs(visit, tab))
        section .panel { p .panel-body { "An admin of the organization may look at " (what) ". Your role is a \
        smaller one." } }
    };
    let head = Head { title: tab.words(), nav: Some(Nav::Settings), ..Head::default() };
    Err(Stop::with((StatusCode::FORBIDDEN, shell::page(visit, &head, &body))))
}

/// The organization that pages beside projects are about.
pub(super) fn organization(visit: &Visit) -> Result<&OrganizationBody, Stop> {
    visit.organization.as_ref().ok_or_else(|| {
        let text = "You are a member of no organization. Ask whoever invited you.";
        Stop::with(shell::wrong_page(visit, "No organization", text))
    })
}
