//! Who is signed in, by the cookie that came along.

use std::net::{IpAddr, Ipv4Addr};

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use tidings_api::{
    Acting, ClientAddress, StoreError,
    accounts::{Session, Visitor},
};
use tidings_contract::{list::ListBody, tenancy::OrganizationBody};
use tidings_domain::ids::ProjectId;

use crate::{
    Dashboard,
    ask::{Stop, with_query},
    shell,
    visit::Visit,
};

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| {
            value.split(';').find_map(|pair| pair.trim().split_once('=').filter(|(known, _)| *known == name))
        })
        .map(|(_, value)| value)
}

/// What the session cookie is called. A name that starts so is accepted from this host only, and
/// over https only.
pub(crate) fn cookie_name(dashboard: &Dashboard) -> &'static str {
    if dashboard.is_secure() { "__Host-tidings_session" } else { "tidings_session" }
}

/// Finds who is signed in. The answer on failure is a page.
pub(crate) async fn find(dashboard: &Dashboard, headers: &HeaderMap) -> Result<Option<Session>, Response> {
    let Some(token) = cookie(headers, cookie_name(dashboard)) else { return Ok(None) };
    dashboard.accounts().session(token).await.map_err(|error| unavailable(dashboard, &error))
}

/// As whom the visitor acts in a project; `None`: it is not theirs, or does not exist.
pub(crate) async fn acting(
    dashboard: &Dashboard,
    session: &Session,
    project: ProjectId,
) -> Result<Option<Acting>, Response> {
    let found = dashboard.accounts().acting_on(session, project).await;
    found.map(|found| found.map(|(acting, _)| acting)).map_err(|error| unavailable(dashboard, &error))
}

pub(crate) fn unavailable(dashboard: &Dashboard, error: &StoreError) -> Response {
    tracing::error!(error = %error, "the store did not answer a page");
    let text = "The database does not answer. Deliveries that were accepted are safe. Try again in a moment.";
    shell::alone_page(dashboard, StatusCode::SERVICE_UNAVAILABLE, "Not available now", text)
}

/// Organizations that are listed at most: the newest of them.
pub(crate) const ORGANIZATIONS_MAX: usize = 1_000;

/// The organizations that the visitor may look at; of the operator's at most [`ORGANIZATIONS_MAX`].
pub(crate) async fn organizations(visit: &Visit) -> Result<Vec<OrganizationBody>, Stop> {
    if visit.is_operator() {
        return all_organizations(visit, "/organizations?limit=100").await;
    }
    let mut organizations = Vec::new();
    for place in &visit.session.memberships {
        let id = place.organization_id;
        if let Ok(organization) = visit.within(id).get(&format!("/organizations/{id}")).await {
            organizations.push(organization);
        }
    }
    Ok(organizations)
}

/// The same for the operator, with what each uses and how its billing stands.
pub(crate) async fn organizations_with_usage(visit: &Visit) -> Result<Vec<OrganizationBody>, Stop> {
    all_organizations(visit, "/organizations?limit=100&usage=true").await
}

async fn all_organizations(visit: &Visit, list: &str) -> Result<Vec<OrganizationBody>, Stop> {
    let mut organizations = Vec::new();
    let mut cursor = String::new();
    loop {
        let place = with_query(list, &[("cursor", &cursor)]);
        let page: ListBody<OrganizationBody> = visit.need(&place).await?;
        organizations.extend(page.data);
        match page.cursor {
            Some(next) if organizations.len() < ORGANIZATIONS_MAX => cursor = next,
            _ => return Ok(organizations),
        }
    }
}

/// Some project of the visitor's, to begin with.
pub(crate) async fn first_project(visit: &Visit) -> Option<String> {
    let first: OrganizationBody = if visit.is_operator() {
        visit.get::<ListBody<OrganizationBody>>("/organizations?limit=1").await.ok()?.data.pop()?
    } else {
        let id = visit.session.memberships.first()?.organization_id;
        visit.within(id).get(&format!("/organizations/{id}")).await.ok()?
    };
    Some(first.default_project_id.to_string())
}

/// The cookie that begins a session, or ends it (`max_age_s` 0).
pub(crate) fn set_cookie(dashboard: &Dashboard, token: &str, max_age_s: u64) -> Option<HeaderValue> {
    let secure = if dashboard.is_secure() { "; Secure" } else { "" };
    let name = cookie_name(dashboard);
    format!("{name}={token}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}").parse().ok()
}

/// A cookie about how pages are drawn, for a year.
pub(crate) fn lasting_cookie(dashboard: &Dashboard, name: &str, value: &str) -> Option<HeaderValue> {
    let secure = if dashboard.is_secure() { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax{secure}").parse().ok()
}

/// Where a request came from.
pub(crate) fn visitor(parts: &Parts) -> Visitor {
    let address = parts.extensions.get::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0);
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Visitor { address, user_agent: user_agent.unwrap_or_default().to_owned() }
}
