//! Who looks at a portal: the service behind its pages.

use bytes::Bytes;
use tidings_domain::{
    ids::ProjectId,
    portal::{LogoKind, Mode, Portal},
    tenancy::{KeyOwner, Project},
    time::Timestamp,
};
use tidings_ports::store::{AuditActor, PortalRecord, StoreError};

use crate::{
    accounts::{is_token, token_hash},
    auth::Acting,
    state::Api,
};

/// What a portal's link may reach, by the first segment of the path: webhooks, what became of deliveries, and the
/// catalogue. Whatever is added to the API later is out of its reach until it is named here.
pub(crate) const REACH: [&str; 6] = ["webhooks", "deliveries", "event-types", "stats", "stream", "jobs"];

/// Somebody who looks at a portal.
#[derive(Debug, Clone)]
pub struct PortalVisit {
    /// As whom the API is asked: bound to the one project, with what the link allows.
    pub acting: Acting,
    /// The project.
    pub project: Project,
    /// How the portal looks.
    pub portal: Portal,
    /// Light or dark, as the link or the portal says.
    pub mode: Mode,
    /// Whether there is a logo.
    pub has_logo: bool,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// Finds who looks at a portal by what its link ends with; `None`: the link has ended, was revoked, or never was.
///
/// # Errors
///
/// The store did not answer.
pub async fn visit(api: &Api, token: &str) -> Result<Option<PortalVisit>, StoreError> {
    if !is_token(token) {
        return Ok(None);
    }
    let now = api.engine().now();
    let Some(session) = api.store().find_portal_session(token_hash(token), now).await? else { return Ok(None) };
    let Some(project) = api.engine().project(session.project_id).await? else { return Ok(None) };
    let Some((portal, record)) = found(api, session.project_id).await? else { return Ok(None) };
    let owner = KeyOwner::Organization { id: project.organization_id, project_id: Some(project.id) };
    Ok(Some(PortalVisit {
        acting: Acting { actor: AuditActor::Portal(session.id), owner, scopes: session.scopes },
        mode: session.mode.unwrap_or(portal.mode),
        has_logo: record.is_some_and(|record| record.has_logo),
        expires_at: session.expires_at,
        portal,
        project,
    }))
}

/// The logo of a visited portal, and what it is.
///
/// # Errors
///
/// The store did not answer.
pub async fn logo(api: &Api, visit: &PortalVisit) -> Result<Option<(LogoKind, Bytes)>, StoreError> {
    let bytes = api.store().find_portal_logo(visit.project.id).await?;
    Ok(bytes.and_then(|bytes| LogoKind::of(&bytes).map(|kind| (kind, bytes))))
}

/// How a project's portal looks, and what is stored of that; `None`: there is no such project.
pub(crate) async fn found(
    api: &Api,
    project_id: ProjectId,
) -> Result<Option<(Portal, Option<PortalRecord>)>, StoreError> {
    let Some(project) = api.engine().project(project_id).await? else { return Ok(None) };
    let record = api.store().find_portal(project_id).await?;
    let portal = record.as_ref().map_or_else(|| Portal::of(&project.name), |record| record.portal.clone());
    Ok(Some((portal, record)))
}
