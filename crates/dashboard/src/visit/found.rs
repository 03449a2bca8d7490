//! How a visit comes about: who asks, through which door, and about which project.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{FromRequestParts, OriginalUri, RawPathParams};
use http::{HeaderMap, StatusCode, header, request::Parts};
use jiff::tz::TimeZone;
use tidings_api::{Acting, AuditActor, ClientAddress, On, accounts::Session};
use tidings_contract::tenancy::ProjectBody;
use tidings_domain::{
    ids::{OrganizationId, ProjectId},
    tenancy::{KeyOwner, Scope, Scopes},
};

use super::{PROJECT_COOKIE, THEME_COOKIE, Theme, Visit, ZONE_COOKIE};
use crate::{
    Dashboard,
    ask::{Stop, with_query},
    form::Form,
    portal, said,
    session::{self, cookie},
    shell,
};

impl FromRequestParts<Dashboard> for Visit {
    type Rejection = Stop;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Stop> {
        let OriginalUri(uri) =
            OriginalUri::from_request_parts(parts, dashboard).await.unwrap_or_else(|never| match never {});
        let here = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let params = RawPathParams::from_request_parts(parts, dashboard).await;
        if let Some(token) = portal::token_of(uri.path()) {
            let visit = Self::in_portal(parts, dashboard, token, here).await?;
            // What is no text names nothing.
            return if params.is_ok() { Ok(visit) } else { Err(portal::nothing(&visit)) };
        }
        let signed_in = session::find(dashboard, &parts.headers).await.map_err(Stop::with)?;
        let Some(session) = signed_in else {
            // Only looking can be repeated after signing in; a form leads back to the page that it stands on.
            return Err(Stop::to(&with_query("/login", &[("next", &back(parts, &here))])));
        };
        let named = match params {
            Ok(params) => params.iter().find(|(name, _)| *name == "project").map(|(_, value)| value.to_owned()),
            // What is no text is the name of no project, and never means the one looked at last.
            Err(_) => Some(String::new()),
        };
        let address =
            parts.extensions.get::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0);
        let text = |name: &str| cookie(&parts.headers, name).unwrap_or_default();
        let word = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .find(|(name, _)| name == "said")
            .map(|(_, word)| word.into_owned());
        let acting = beside(&session);
        let csrf = session.csrf().to_owned();
        let session_csrf = &csrf.clone();
        let mut visit = Self {
            on: On { acting, organization: None, project: None, address },
            dashboard: dashboard.clone(),
            session,
            portal: None,
            project: None,
            organization: None,
            base: String::new(),
            back: back(parts, &here),
            here,
            csrf,
            theme: match text(THEME_COOKIE) {
                "light" => Theme::Light,
                "dark" => Theme::Dark,
                _ => Theme::System,
            },
            zone: TimeZone::get(text(ZONE_COOKIE)).unwrap_or(TimeZone::UTC),
            now: dashboard.parts().local.api().now(),
            failing: 0,
            health: None,
            said: word.and_then(|word| said::of(&word, session_csrf)),
        };
        match named {
            Some(project) => visit.enter(&project).await?,
            None => {
                let last = text(PROJECT_COOKIE).to_owned();
                visit.look_from(&last).await;
            }
        }
        if parts.method == http::Method::GET && !is_part(uri.path(), uri.query()) {
            visit.look_around().await;
        } else if let Some(form) = parts.extensions.get::<Form>() {
            visit.check_drawn_for(form)?;
        }
        Ok(visit)
    }
}

/// Whether only a part of a page is asked for, which has no panel at the left.
fn is_part(path: &str, query: Option<&str>) -> bool {
    let in_project = path.starts_with("/p/");
    let is_own = |end: &str| in_project && path.ends_with(end);
    is_own("/live")
        || is_own("/deliveries/rows")
        || (is_own("/progress") && path.contains("/jobs/"))
        || (path == "/jump" && query.is_some_and(|query| query.split('&').any(|pair| pair == "part=list")))
}

/// Where to look again: a form leads back to the page that it stands on.
fn back(parts: &Parts, here: &str) -> String {
    if parts.method == http::Method::GET { here.to_owned() } else { page_of_form(&parts.headers) }
}

/// The page that a form stands on, as the browser says it: forms come from this server alone, see [`crate::guard`].
fn page_of_form(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let page = referer.and_then(|referer| url::Url::parse(referer).ok());
    page.map(|page| page[url::Position::BeforePath..url::Position::AfterQuery].to_owned()).unwrap_or_default()
}

/// As whom the visitor asks before a project is known: as the operator, as what they are in their first
/// organization, or as nobody.
fn beside(session: &Session) -> Acting {
    let first = session.memberships.first().and_then(|place| session.acting_in(place.organization_id));
    let nobody = || Acting {
        actor: AuditActor::Account(session.account.id),
        owner: KeyOwner::Organization { id: OrganizationId::from_parts(0, 0), project_id: None },
        scopes: Scopes::default(),
    };
    session.acting_as_operator().or(first).unwrap_or_else(nobody)
}

impl Visit {
    /// A visit by a portal's link: nobody is signed in, and no cookie is looked at but for the time zone.
    async fn in_portal(parts: &Parts, dashboard: &Dashboard, token: &str, here: String) -> Result<Self, Stop> {
        let found = portal::find(dashboard, token).await?;
        let address =
            parts.extensions.get::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0);
        let project = ProjectBody {
            id: found.project.id,
            organization_id: found.project.organization_id,
            name: found.project.name.clone(),
            preset: None,
            profile: found.profile.to_string(),
            created_at: found.project.id.timestamp(),
        };
        let query = here.split_once('?').map_or("", |(_, query)| query).to_owned();
        let word = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "said");
        let visit = Self {
            on: On { acting: found.acting, organization: None, project: Some(found.project.id), address },
            dashboard: dashboard.clone(),
            session: Session::of_nobody(),
            project: Some(project),
            organization: None,
            base: format!("/portal/{token}"),
            said: word.and_then(|(_, word)| said::of(&word, token)),
            back: back(parts, &here),
            here,
            // Nobody else knows it, as nobody else knows what a session's forms carry.
            csrf: token.to_owned(),
            theme: portal::theme(found.looks.mode),
            zone: TimeZone::get(cookie(&parts.headers, ZONE_COOKIE).unwrap_or_default()).unwrap_or(TimeZone::UTC),
            now: dashboard.parts().local.api().now(),
            failing: 0,
            health: None,
            portal: Some(found),
        };
        // Before anything is read of the form: a link that looks has no form, and nothing to mend in one.
        if parts.method == http::Method::POST {
            visit.must_show(Scope::WebhooksManage)?;
        }
        Ok(visit)
    }

    /// Refuses a form that was drawn for another organization than the one that it would change now: beside projects,
    /// that is the organization of the project looked at last, in whichever tab.
    fn check_drawn_for(&self, form: &Form) -> Result<(), Stop> {
        let drawn_for = form.given(shell::ORGANIZATION_FIELD);
        let is_about_organization = self.here.starts_with("/settings/") && !self.here.starts_with("/settings/account");
        if !is_about_organization || drawn_for == self.organization.as_ref().map(|one| one.id.to_string()).as_deref() {
            return Ok(());
        }
        let text = "The page was drawn for another organization than the one you look at now. Nothing was changed.";
        Err(Stop::with((StatusCode::CONFLICT, shell::wrong_page(self, "Another organization", text))))
    }

    /// Makes the page one of this project. A project of somebody else is as good as none.
    async fn enter(&mut self, project: &str) -> Result<(), Stop> {
        let missing = |visit: &Self| {
            let text = "There is no such project, or it is not yours to look at.";
            Stop::with((StatusCode::NOT_FOUND, shell::wrong_page(visit, "Project not found", text)))
        };
        let Ok(id) = project.parse::<ProjectId>() else { return Err(missing(self)) };
        let Some(acting) = session::acting(&self.dashboard, &self.session, id).await.map_err(Stop::with)? else {
            return Err(missing(self));
        };
        self.on.acting = acting;
        self.on.project = Some(id);
        let project: ProjectBody = match self.get(&format!("/projects/{id}")).await {
            Ok(project) => project,
            Err(problem) if problem.status == 404 => return Err(missing(self)),
            Err(problem) => return Err(self.stop(&problem)),
        };
        self.on.organization = Some(project.organization_id);
        self.organization = self.get(&format!("/organizations/{}", project.organization_id)).await.ok();
        self.base = format!("/p/{id}");
        self.project = Some(project);
        Ok(())
    }

    /// For pages beside projects: the panel at the left still leads to the project seen last.
    async fn look_from(&mut self, last: &str) {
        if self.enter(last).await.is_ok() {
            return;
        }
        if let Some(first) = session::first_project(self).await {
            // Without any project there is a page all the same.
            let _ = self.enter(&first).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_pages_are_told_from_pages() {
        for (path, query) in [
            ("/p/prj_1/live", None),
            ("/p/prj_1/deliveries/rows", Some("after=1")),
            ("/p/prj_1/jobs/job_1/progress", None),
            ("/jump", Some("q=x&part=list")),
        ] {
            assert!(is_part(path, query), "{path}");
        }
        for (path, query) in [("/p/prj_1", None), ("/p/prj_1/deliveries", None), ("/jump", Some("q=part=list"))] {
            assert!(!is_part(path, query), "{path}");
        }
    }

    #[test]
    fn forms_lead_back_to_their_page() {
        let page = |referer: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::REFERER, referer.parse().expect("a header"));
            page_of_form(&headers)
        };
        assert_eq!(page("http://127.0.0.1:8700/p/prj_1/webhooks/new?x=1#top"), "/p/prj_1/webhooks/new?x=1");
        assert_eq!(page("nowhere"), "");
        assert_eq!(page_of_form(&HeaderMap::new()), "");
    }
}
