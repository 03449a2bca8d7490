//! A visit: who looks at which project, and how the page is to be drawn.

mod found;

use axum::response::{IntoResponse as _, Redirect, Response};
use http::{StatusCode, header};
use jiff::tz::TimeZone;
use maud::Markup;
use tidings_api::{On, accounts::Session, portal::PortalVisit};
use tidings_contract::{
    problem::Problem,
    tenancy::{OrganizationBody, ProjectBody},
};
use tidings_domain::{
    ids::{OrganizationId, ProjectId},
    tenancy::{Scope, Scopes},
    time::Timestamp,
};

use crate::{
    Dashboard,
    ask::{Asker, Shown, Stop, with_query},
    form::Form,
    parts::LOOKS_ONLY,
    said, session,
    shell::{self, Head},
};

/// The cookie that says which project was looked at last, so that `/` leads there.
pub(crate) const PROJECT_COOKIE: &str = "tidings_project";

pub(crate) const THEME_COOKIE: &str = "tidings_theme";

const ZONE_COOKIE: &str = "tidings_zone";

/// Light, dark, or what the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    Light,
    Dark,
    #[default]
    System,
}

/// The context of a page.
pub(crate) struct Visit {
    pub(crate) dashboard: Dashboard,
    pub(crate) session: Session,
    /// The portal that the page is shown in; `None`: the dashboard.
    pub(crate) portal: Option<PortalVisit>,
    /// Whom the API is asked for.
    pub(crate) on: On,
    /// The project that the page is about; on pages beside projects, the one looked at last.
    pub(crate) project: Option<ProjectBody>,
    /// The organization of that project.
    pub(crate) organization: Option<OrganizationBody>,
    /// What links to pages of the project start with.
    base: String,
    /// Path and query of this page.
    pub(crate) here: String,
    /// Where to look again: this page, or the one that a form stands on.
    pub(crate) back: String,
    /// Proves that a form comes from this page.
    pub(crate) csrf: String,
    pub(crate) theme: Theme,
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
    /// How many webhooks of the project fail now.
    pub(crate) failing: usize,
    /// How the instance is, for the operator.
    pub(crate) health: Option<Markup>,
    /// What this page confirms.
    pub(crate) said: Option<&'static str>,
}

impl Visit {
    /// Whether the visitor is the operator of the instance.
    pub(crate) fn is_operator(&self) -> bool {
        self.session.account.operator
    }

    /// The same visitor in an organization, beside any project.
    pub(crate) fn within(&self, organization: OrganizationId) -> Asker<'_> {
        let acting = self.session.acting_in(organization).unwrap_or(self.on.acting);
        Asker { visit: self, on: On { acting, organization: Some(organization), project: None, ..self.on } }
    }

    /// The operator, for the whole instance, or in a project whosever it is.
    pub(crate) fn beside_all(&self, project: Option<ProjectId>) -> Asker<'_> {
        let acting = self.session.acting_as_operator().unwrap_or(self.on.acting);
        Asker { visit: self, on: On { acting, organization: None, project, ..self.on } }
    }

    /// An address below the project: `link("/webhooks")`.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Where this server is, as far as it knows.
    pub(crate) fn own_address(&self) -> String {
        self.dashboard.parts().local.api().base_url().to_owned()
    }

    /// Whether the visitor may do what this scope allows.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes().allow(scope)
    }

    pub(crate) fn is_portal(&self) -> bool {
        self.portal.is_some()
    }

    /// Whether what asks for a scope is on a page. The dashboard shows it to everybody, disabled, and says who may; a
    /// portal's visitor has nobody to ask, so there it is left out.
    pub(crate) fn shows(&self, scope: Scope) -> bool {
        !self.is_portal() || self.may(scope)
    }

    /// Refuses a page of which there would be nothing to see in a portal.
    pub(crate) fn must_show(&self, scope: Scope) -> Result<(), Stop> {
        if self.shows(scope) {
            return Ok(());
        }
        let text = format!("{LOOKS_ONLY}.");
        Err(Stop::with((StatusCode::FORBIDDEN, shell::wrong_page(self, "This link does not allow it", &text))))
    }

    pub(crate) fn scopes(&self) -> Scopes {
        self.on.acting.scopes
    }

    /// What stands in the query of this page's address.
    pub(crate) fn query(&self) -> Form {
        let query = self.here.split_once('?').map_or("", |(_, query)| query);
        Form::parse(&bytes::Bytes::copy_from_slice(query.as_bytes()))
    }

    /// Draws a page.
    pub(crate) fn page(&self, head: &Head<'_>, body: Markup) -> Shown {
        Ok(shell::page(self, head, &body).into_response())
    }

    /// A page with a form, or the same page again that says why the form was refused.
    pub(crate) fn form_page(&self, head: &Head<'_>, body: Markup, refused: Option<&Problem>) -> Shown {
        let page = self.page(head, body)?;
        Ok(match refused {
            Some(problem) => shell::with_status(problem.status, page),
            None => page,
        })
    }

    /// What a form was drawn from is not there any more: both states, and a choice.
    pub(crate) fn overtaken(&self, head: &Head<'_>, body: Markup) -> Shown {
        Ok(shell::with_status(StatusCode::PRECONDITION_FAILED.as_u16(), self.page(head, body)?))
    }

    /// Leads to a page after something was done; `said` is a word of [`said::sentence`].
    pub(crate) fn go(&self, place: &str, said: &str) -> Shown {
        debug_assert!(said.is_empty() || said::sentence(said).is_some(), "{said} is no sentence");
        let word = if said.is_empty() { String::new() } else { said::word(said, &self.csrf) };
        Ok(Redirect::to(&with_query(place, &[("said", &word)])).into_response())
    }

    /// Remembers the project for `/`.
    pub(crate) fn remembering(&self, mut response: Response) -> Response {
        if let Some(project) = &self.project {
            let value = format!("{}; HttpOnly", project.id);
            if let Some(value) = session::lasting_cookie(&self.dashboard, PROJECT_COOKIE, &value) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        response
    }
}
