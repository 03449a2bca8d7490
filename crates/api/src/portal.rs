//! Who looks at a portal: the service behind its pages.

use bytes::Bytes;
use tidings_domain::{
    ids::{PortalSessionId, ProjectId},
    portal::{LogoKind, Mode, Portal, PortalSession, ReturnUrl},
    profile::Profile,
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

/// What a link leads to.
#[derive(Debug, Clone)]
pub enum Looked {
    /// The portal.
    Open(Box<PortalVisit>),
    /// The link has ended: no more than how the portal looks, so that the visitor knows whose it was.
    Ended(Box<PortalLooks>),
}

/// Somebody who looks at a portal.
#[derive(Debug, Clone)]
pub struct PortalVisit {
    /// As whom the API is asked: bound to the one project, with what the link allows.
    pub acting: Acting,
    /// The project.
    pub project: Project,
    /// The profile of its new webhooks.
    pub profile: Profile,
    /// How it looks.
    pub looks: PortalLooks,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// How a portal looks to whoever came by one link.
#[derive(Debug, Clone)]
pub struct PortalLooks {
    /// What the project says.
    pub portal: Portal,
    /// Light or dark, as the link or the portal says.
    pub mode: Mode,
    /// Whether there is a logo.
    pub has_logo: bool,
    /// Where it leads back to, as the link or the portal says.
    pub return_url: Option<ReturnUrl>,
    project_id: ProjectId,
}

impl PortalLooks {
    fn of(session: &PortalSession, portal: Portal, record: Option<&PortalRecord>, allow_http: bool) -> Self {
        let return_url = session.return_url.clone().unwrap_or_else(|| portal.return_url.clone());
        // What was stored while the operator allowed it is nothing afterwards.
        let frame_origins = portal.frame_origins.iter().filter(|origin| allow_http || origin.is_https());
        let portal = Portal { frame_origins: frame_origins.cloned().collect(), ..portal };
        Self {
            mode: session.mode.unwrap_or(portal.mode),
            has_logo: record.is_some_and(|record| record.has_logo),
            return_url: return_url.filter(|url| allow_http || url.is_https()),
            project_id: session.project_id,
            portal,
        }
    }
}

/// Finds what a link leads to by its end; `None`: there never was such a link, or not for a long time, or its project
/// is gone.
///
/// # Errors
///
/// The store did not answer.
pub async fn visit(api: &Api, token: &str) -> Result<Option<Looked>, StoreError> {
    if !is_token(token) {
        return Ok(None);
    }
    let Some(session) = api.store().find_portal_session(token_hash(token)).await? else { return Ok(None) };
    let Some(of) = api.store().find_project(session.project_id).await? else { return Ok(None) };
    let Some(Found { portal, record, .. }) = found(api, session.project_id).await? else { return Ok(None) };
    let looks = PortalLooks::of(&session, portal, record.as_ref(), api.parts().policy.allow_http);
    if session.expires_at <= api.engine().now() {
        return Ok(Some(Looked::Ended(Box::new(looks))));
    }
    let (project, profile) = (of.project, of.profile);
    let owner = KeyOwner::Organization { id: project.organization_id, project_id: Some(project.id) };
    Ok(Some(Looked::Open(Box::new(PortalVisit {
        acting: Acting { actor: AuditActor::Portal(session.id), owner, scopes: session.scopes },
        expires_at: session.expires_at,
        looks,
        project,
        profile,
    }))))
}

/// The logo of a portal, and what it is.
///
/// # Errors
///
/// The store did not answer.
pub async fn logo(api: &Api, looks: &PortalLooks) -> Result<Option<(LogoKind, Bytes)>, StoreError> {
    let bytes = api.store().find_portal_logo(looks.project_id).await?;
    Ok(bytes.and_then(|bytes| LogoKind::of(&bytes).map(|kind| (kind, bytes))))
}

/// A project's portal.
pub(crate) struct Found {
    /// How it looks.
    pub(crate) portal: Portal,
    /// What is stored of that.
    pub(crate) record: Option<PortalRecord>,
    /// How it looks if nothing is.
    pub(crate) plain: Portal,
}

/// How a project's portal looks; `None`: there is no such project.
pub(crate) async fn found(api: &Api, project_id: ProjectId) -> Result<Option<Found>, StoreError> {
    let Some(project) = api.engine().project(project_id).await? else { return Ok(None) };
    let record = api.store().find_portal(project_id).await?;
    let plain = Portal::of(&project.name);
    let portal = record.as_ref().map_or_else(|| plain.clone(), |record| record.portal.clone());
    Ok(Some(Found { portal, record, plain }))
}

/// Whether a link is still good: for what goes on after it was asked for.
pub(crate) async fn is_open(api: &Api, id: PortalSessionId) -> Result<bool, StoreError> {
    let session = api.store().find_portal_session_by_id(id).await?;
    Ok(session.is_some_and(|session| session.expires_at > api.engine().now()))
}
